"""Rows as a reviewer sees them: ids become names, arrays become PageRows."""

from __future__ import annotations

from typing import Any

import numpy as np

from loss_widget.review.columns import Columns
from loss_widget.review.decisions import Decisions
from loss_widget.review.query import VERDICTS, PageRow
from loss_widget.review.table import ReviewTable

_TOP = 6


def page_rows(table: ReviewTable, decisions: Decisions, rows: np.ndarray, columns: Columns) -> list[PageRow]:
    """How these rows stand now: their texts, their labels by name, and what the model thinks of them."""
    texts, pairs = table.texts_of(rows)
    names = [*table.label_names, None]
    values = zip(
        rows.tolist(),
        table.keys[rows].tolist(),
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
        _inspected(table, rows, columns),
        strict=True,
    )
    return [
        PageRow(
            row=row,
            key=f"{key:016x}",
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
            **more,
        )
        for row, key, text, pair, given, label, predicted, loss, loss_after, label_prob, predicted_prob, verdict, more in values
    ]


def _inspected(table: ReviewTable, rows: np.ndarray, columns: Columns) -> list[dict[str, Any]]:
    """What an inspector shows of each row beside the rest."""
    values = zip(
        rows.tolist(),
        table.margin_of(rows).tolist(),
        _top(table, rows),
        table.quirks.of(rows),
        columns.values_of(rows),
        table.score_notes_of(rows),
        strict=True,
    )
    return [
        {
            "score_note": score_note,
            "margin": margin,
            "top": top,
            "tokens": _known(table.tokens, row),
            "unknown_tokens": _known(table.unknown_tokens, row),
            "truncated": None if table.truncated is None else bool(table.truncated[row]),
            "quirks": quirks,
            "columns": own,
        }
        for row, margin, top, quirks, own, score_note in values
    ]


def _top(table: ReviewTable, rows: np.ndarray) -> list[tuple[tuple[str, float], ...]]:
    """The most probable labels of each row, with their probabilities."""
    if table.log_probs is None:
        return [()] * len(rows)
    names, log_probs = table.label_names, table.log_probs[rows]
    order = np.argsort(-log_probs, axis=1, kind="stable")[:, :_TOP]
    probs = np.exp(np.take_along_axis(log_probs, order, axis=1)).tolist()
    return [
        tuple((names[label], p) for label, p in zip(labels, of_row, strict=True) if p == p)
        for labels, of_row in zip(order.tolist(), probs, strict=True)
    ]


def _known(counts: np.ndarray | None, row: int) -> int | None:
    return None if counts is None or counts[row] < 0 else int(counts[row])
