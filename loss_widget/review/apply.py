"""The changes of a review, made again in another copy of the data."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from loss_widget.errors import DataError, listing
from loss_widget.examples import as_tuple, column_position, content_keys, read_texts, text_columns
from loss_widget.review.journal import check_header, read_journal
from loss_widget.review.query import VERDICTS
from loss_widget.review.resume import final_states

_NEEDED = ("row", "key", "verdict", "old_label", "new_label")
_MISSING = (None, "", -1, -100)


def apply_changes(
    frame: pd.DataFrame,
    changes: Any,
    *,
    text: str | Sequence[str] = "text",
    label: str = "label",
    drop_removed: bool = True,
) -> pd.DataFrame:
    """A new frame with the changes of a review made in it, found by the content of the rows.

    `changes`: `widget.changes`, a file of it (`.jsonl`, `.csv`, `.parquet`), or a journal (for label columns of names).
    `DataError` names the changes that no longer match: a text that is not there, or a label that is neither the old nor the new
    one. Equal texts are told apart by label, then by order.

    >>> frame = pd.DataFrame({"text": ["fine", "awful"], "label": ["good", "good"], "loss": [0.1, 4.2]})
    >>> from loss_widget.review import ReviewSession
    >>> session = ReviewSession(frame, label_names=["bad", "good"], journal=None, copy=True)
    >>> session.relabel(1, "bad")
    >>> apply_changes(frame, session.changes)["label"].tolist()
    ['good', 'bad']
    """
    listed = _read_changes(changes)
    keys = content_keys(*(read_texts(frame, name)[0] for name in as_tuple(text_columns(text))))
    position = column_position(frame, label)
    rows_of: dict[str, list[int]] = {}
    for row, key in enumerate(keys.tolist()):
        rows_of.setdefault(f"{key:016x}", []).append(row)
    standing = [_plain(v) for v in frame.iloc[:, position]]
    labels: dict[int, Any] = {}
    removed: list[int] = []
    lost: list[int] = []
    taken: set[int] = set()
    for change in listed.itertuples(index=False):
        free = [row for row in rows_of.get(str(change.key), []) if row not in taken]
        wanted = (_plain(change.old_label), _plain(change.new_label))
        found = next((row for value in wanted for row in free if _same(standing[row], value)), None)
        if found is None:
            lost.append(int(change.row))
            continue
        taken.add(found)
        if change.verdict == "remove":
            removed.append(found)
        elif change.verdict == "relabel":
            labels[found] = change.new_label
    if lost:
        raise DataError(
            f"Expected every change to match a row by its text and label, found {len(lost)} of {len(listed)} that match none: "
            f"rows {listing(lost)} of the review. Was the data edited since? Drop those changes, or review again."
        )
    result = frame.copy()
    if labels:
        _put(result, position, labels)
    keep = np.ones(len(result), dtype=bool)
    keep[removed] = not drop_removed
    return result[keep]


def _put(frame: pd.DataFrame, position: int, labels: dict[int, Any]) -> None:
    column = frame.iloc[:, position]
    if isinstance(column.dtype, pd.CategoricalDtype):
        new = [v for v in dict.fromkeys(labels.values()) if v not in column.cat.categories]
        frame.isetitem(position, column.cat.add_categories(new))
    values = pd.Series(list(labels.values()), dtype=object).astype(frame.dtypes.iloc[position])
    frame.iloc[list(labels), position] = values.array


def _read_changes(changes: Any) -> pd.DataFrame:
    listed = changes if isinstance(changes, pd.DataFrame) else _read_file(Path(changes).expanduser())
    missing = [c for c in _NEEDED if c not in listed.columns]
    if missing:
        raise DataError(
            f"Expected the columns of `widget.changes`, found none named {listing(missing)}. Pass the changes as they came."
        )
    return listed


def _read_file(path: Path) -> pd.DataFrame:
    read: dict[str, Callable[[Path], pd.DataFrame]] = {
        ".csv": lambda p: pd.read_csv(p, dtype={"key": str}, keep_default_na=False),
        ".jsonl": lambda p: pd.read_json(p, lines=True, dtype=False),
        ".parquet": pd.read_parquet,
        ".sqlite": _read_journal,
    }
    if not path.is_file():
        raise DataError(f"Expected a file of changes or a journal, found none at {path}. Export `widget.changes` first.")
    reader = read.get(path.suffix.lower(), _read_journal)
    return reader(path)


def _read_journal(path: Path) -> pd.DataFrame:
    check_header(path)
    try:
        subjects, decisions = read_journal(path)
    except sqlite3.Error as error:
        raise DataError(f"Expected a journal at {path}, found one that cannot be read: {error}.") from error
    states = final_states(subjects, decisions)
    rows = [
        (number, f"{subject.key:016x}", VERDICTS[states[number].verdict], subject.given, states[number].label)
        for number, subject in subjects.items()
        if states[number].verdict
    ]
    return pd.DataFrame(rows, columns=list(_NEEDED), dtype=object)


def _plain(value: Any) -> Any:
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return None
    return value.item() if isinstance(value, np.generic) else value


def _same(a: Any, b: Any) -> bool:
    return a == b or (a in _MISSING and b in _MISSING)
