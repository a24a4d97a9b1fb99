"""Rows as a reviewer sees them: ids become names, arrays become PageRows."""

from __future__ import annotations

import numpy as np

from loss_widget.review.decisions import Decisions
from loss_widget.review.query import VERDICTS, PageRow
from loss_widget.review.table import ReviewTable


def page_rows(table: ReviewTable, decisions: Decisions, rows: np.ndarray) -> list[PageRow]:
    """How these rows stand now: their texts, and their labels by name."""
    texts, pairs = table.texts_of(rows)
    names = [*table.label_names, None]
    columns = zip(
        rows.tolist(),
        texts,
        pairs,
        table.given[rows].tolist(),
        decisions.labels[rows].tolist(),
        table.predicted[rows].tolist(),
        table.loss[rows].tolist(),
        table.loss_of(rows, decisions.labels[rows]).tolist(),
        table.label_prob[rows].tolist(),
        table.predicted_prob[rows].tolist(),
        decisions.verdicts[rows].tolist(),
        strict=True,
    )
    return [
        PageRow(
            row=row,
            text=text,
            pair_text=pair,
            given_label=names[given],
            label=names[label],
            predicted_label=names[predicted],
            loss=loss,
            loss_after=loss_after,
            label_prob=label_prob,
            predicted_prob=predicted_prob,
            verdict=VERDICTS[verdict],
            note=decisions.notes.get(row, ""),
            score_note=table.score_notes[row] if table.score_notes is not None else "",
        )
        for row, text, pair, given, label, predicted, loss, loss_after, label_prob, predicted_prob, verdict in columns
    ]
