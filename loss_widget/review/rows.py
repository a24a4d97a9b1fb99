"""Rows as a reviewer sees them: ids become names, arrays become PageRows."""

from __future__ import annotations

from typing import Any

import numpy as np

from loss_widget.data.label_space import NO_LABEL
from loss_widget.data.texts import take
from loss_widget.review.query import VERDICTS, LabelIds, PageRow, RowState
from loss_widget.review.review_state import Review

_TOP = 6


def page_rows(review: Review, rows: np.ndarray, *, ranked: int = _TOP) -> list[PageRow]:
    """How these rows stand now: what they show, their labels, and what the model thinks of them, of `ranked` classes at most."""
    table, space, decisions = review.table, review.space, review.decisions
    words = [take(column, rows).to_pylist() for column in table.contents.words]
    texts, pairs = words[0] if words else [""] * len(rows), words[1] if len(words) > 1 else [None] * len(rows)
    names = [*space.names, None]
    values = zip(
        rows.tolist(),
        table.keys[rows].tolist(),
        texts,
        pairs,
        table.given[rows].tolist(),
        decisions.labels[rows].tolist(),
        table.predicted[rows].tolist(),
        table.loss[rows].tolist(),
        table.loss_of(rows, decisions.labels[rows], space).tolist(),
        table.label_prob[rows].tolist(),
        table.predicted_prob[rows].tolist(),
        decisions.verdicts[rows].tolist(),
        _inspected(review, rows, ranked),
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
            ids=LabelIds(given, label, predicted),
            **more,
        )
        for row, key, text, pair, given, label, predicted, loss, loss_after, label_prob, predicted_prob, verdict, more in values
    ]


def row_states(review: Review, rows: np.ndarray) -> list[RowState]:
    """The states of these rows: a decision is answered with them, and needs no texts, columns or quirks for that."""
    labels = review.decisions.labels[rows]
    values = zip(
        rows.tolist(),
        review.table.given[rows].tolist(),
        labels.tolist(),
        review.decisions.verdicts[rows].tolist(),
        review.loss_of(rows, labels).tolist(),
        strict=True,
    )
    return [
        RowState(
            row=row,
            given=None if given == NO_LABEL else given,
            label=None if label == NO_LABEL else label,
            verdict=VERDICTS[verdict],
            note=review.decisions.notes.get(row, ""),
            loss_after=loss_after,
        )
        for row, given, label, verdict, loss_after in values
    ]


def _inspected(review: Review, rows: np.ndarray, ranked: int) -> list[dict[str, Any]]:
    """What an inspector shows of each row beside the rest."""
    table, space = review.table, review.space
    classes = space.classes
    suggested = [[]] * len(rows) if table.log_probs is None else space.suggestions(table.log_probs[rows], most=ranked)
    values = zip(
        rows.tolist(),
        table.margin_of(rows, space).tolist(),
        suggested,
        table.quirks.of(rows),
        review.columns.values_of(rows),
        table.score_notes_of(rows),
        strict=True,
    )
    return [
        {
            "score_note": score_note,
            "margin": margin,
            "top": tuple((classes[label], p) for label, p in best[:_TOP]),
            "ranked": best,
            "tokens": _known(table.tokens, row),
            "unknown_tokens": _known(table.unknown_tokens, row),
            "truncated": None if table.truncated is None else bool(table.truncated[row]),
            "quirks": quirks,
            "columns": own,
        }
        for row, margin, best, quirks, own, score_note in values
    ]


def _known(counts: np.ndarray | None, row: int) -> int | None:
    return None if counts is None or counts[row] < 0 else int(counts[row])
