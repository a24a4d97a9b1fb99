"""Rows as a reviewer sees them: ids become names, arrays become PageRows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from loss_widget.data.columns import column_position
from loss_widget.data.labels import NO_LABEL
from loss_widget.data.texts import take
from loss_widget.errors import InputError
from loss_widget.review.decisions import Decisions
from loss_widget.review.query import VERDICTS, PageRow, RowState
from loss_widget.review.table import ReviewTable

_TOP = 6


def page_rows(table: ReviewTable, decisions: Decisions, rows: np.ndarray, columns: Columns) -> list[PageRow]:
    """How these rows stand now: their texts, their labels by name, and what the model thinks of them."""
    words = [take(column, rows).to_pylist() for column in table.contents.words]
    texts, pairs = words[0] if words else [""] * len(rows), words[1] if len(words) > 1 else [None] * len(rows)
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


def row_states(table: ReviewTable, decisions: Decisions, rows: np.ndarray) -> list[RowState]:
    """The states of these rows: a decision is answered with them, and needs no texts, columns or quirks for that."""
    labels = decisions.labels[rows]
    values = zip(
        rows.tolist(),
        table.given[rows].tolist(),
        labels.tolist(),
        decisions.verdicts[rows].tolist(),
        table.loss_of(rows, labels).tolist(),
        strict=True,
    )
    return [
        RowState(
            row=row,
            given=None if given == NO_LABEL else given,
            label=None if label == NO_LABEL else label,
            verdict=VERDICTS[verdict],
            note=decisions.notes.get(row, ""),
            loss_after=loss_after,
        )
        for row, given, label, verdict, loss_after in values
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


_MOST_CHARACTERS = 500


class Columns:
    """Values of some columns of `frame` as they were when the review was opened; pages are read from other threads than pandas'.

    `ColumnError` for a name that the frame does not have once.
    """

    def __init__(self, frame: pd.DataFrame, names: Sequence[str]) -> None:
        if isinstance(names, str):
            raise InputError(f"Expected columns as a list of names, found {names!r}. Write `columns=[{names!r}]`.")
        self.names = tuple(names)
        self._values = [_copied(frame.iloc[:, column_position(frame, name, argument="`columns=`")]) for name in self.names]

    def values_of(self, rows: np.ndarray) -> list[tuple[str, ...]]:
        """For each row one text a column, "" where the value is missing, at most 500 characters."""
        if not self.names:
            return [()] * len(rows)
        shown = [[_as_text(value) for value in _at(values, rows)] for values in self._values]
        return list(zip(*shown, strict=True))


def _copied(column: pd.Series) -> pa.ChunkedArray | np.ndarray:
    """Strings and numbers as Arrow holds them, anything else as objects."""
    try:
        values = pa.array(column, from_pandas=True)
    except (pa.ArrowException, UnicodeEncodeError, ValueError, TypeError, OverflowError):
        return np.array([*column, None], dtype=object)[:-1]
    return values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values])


def _at(values: pa.ChunkedArray | np.ndarray, rows: np.ndarray) -> list[object]:
    if isinstance(values, np.ndarray):
        return [values[row] for row in rows.tolist()]
    return [values[row].as_py() for row in rows.tolist()]


def _as_text(value: object) -> str:
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value):
        return ""
    text = f"{value:.6g}" if isinstance(value, float) and not (value.is_integer() and abs(value) < 1e15) else str(value)
    text = text.removesuffix(".0") if isinstance(value, float) else text
    return text[:_MOST_CHARACTERS].encode("utf-8", "replace").decode("utf-8")
