"""The changes of a review, made again in another copy of the data."""

from __future__ import annotations

import os
import re
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from loss_widget.data.columns import column_position
from loss_widget.data.contents import ContentColumns
from loss_widget.data.label_space import NO_LABEL
from loss_widget.data.texts import content_columns
from loss_widget.errors import DataError, listing
from loss_widget.review.journal.journal import read_journal
from loss_widget.review.journal.matching import final_states, match_subjects
from loss_widget.review.journal.written import Written
from loss_widget.review.query import VERDICTS

_NEEDED = ("row", "key", "verdict", "old_label", "new_label")


def apply_changes(
    frame: pd.DataFrame,
    changes: Any,
    *,
    text: str | Sequence[str] | ContentColumns = "text",
    label: str = "label",
    drop_removed: bool = True,
) -> pd.DataFrame:
    """A new frame with the changes of a review made in it, found by the content of the rows.

    `changes`: `widget.changes`, a file of it (`.jsonl`, `.csv`, `.parquet`), or a journal.
    `DataError` names the changes that no longer match: a text that is not there, or a label that is neither the old nor the new
    one. Equal texts are told apart by label, then by order.

    >>> frame = pd.DataFrame({"text": ["fine", "awful"], "label": ["good", "good"], "loss": [0.1, 4.2]})
    >>> from loss_widget.review import ReviewSession
    >>> session = ReviewSession(frame, label_names=["bad", "good"], journal=None, copy=True)
    >>> session.relabel(1, "bad")
    >>> apply_changes(frame, session.changes)["label"].tolist()
    ['good', 'bad']
    """
    if not isinstance(frame, pd.DataFrame):
        raise DataError(f"Expected a pandas DataFrame to make the changes in, found {type(frame).__name__}. Use `.to_pandas()`.")
    keys = content_columns(text).read(frame)[0].keys()
    position = column_position(frame, label)
    column = frame.iloc[:, position]
    if _is_journal(changes):
        matched = _match_journal(read_journal(_file(changes)), keys, column)
    else:
        matched = _match_changes(_read_changes(changes), keys, column)
    if matched.lost:
        raise DataError(
            f"Expected every change to match a row by its text and label, found {len(matched.lost)} that match none: "
            f"{listing(matched.lost)}. Was the data edited since? Drop those changes, or review again."
        )
    result = frame.copy()
    if matched.labels:
        _put(result, position, matched.labels)
    keep = np.ones(len(result), dtype=bool)
    keep[matched.removed] = not drop_removed
    return result[keep]


@dataclass(frozen=True)
class _Matched:
    """Which rows get which value, which go, and which changes found no row."""

    labels: dict[int, Any] = field(default_factory=dict)
    removed: list[int] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def take(self, row: int, verdict: str, new: Any) -> None:
        if verdict == "remove":
            self.removed.append(row)
        elif verdict == "relabel":
            self.labels[row] = new


def _match_changes(listed: pd.DataFrame, keys: np.ndarray, column: pd.Series) -> _Matched:
    """First the changes whose own position still fits, then the others by order: so equal texts keep their places."""
    standing = [_as_text(value) for value in column]
    values = {_as_text(value): value for value in column.dropna().unique()}
    keys_here = [f"{key:016x}" for key in keys.tolist()]
    waiting: dict[tuple[str, str | None], deque[int]] = defaultdict(deque)  # rows in order, by text and label
    for row, of_row in enumerate(zip(keys_here, standing, strict=True)):
        waiting[of_row].append(row)
    matched, taken = _Matched(), set()

    def take(change: Any, row: int) -> None:
        taken.add(row)
        matched.take(row, change.verdict, values.get(_as_text(change.new_label), change.new_label))

    moved = []
    for change in listed[list(_NEEDED)].itertuples(index=False):
        row = int(change.row)
        here = 0 <= row < len(standing) and row not in taken and keys_here[row] == str(change.key)
        if here and standing[row] in (_as_text(change.old_label), _as_text(change.new_label)):
            take(change, row)
        else:
            moved.append(change)
    for change in moved:
        for label in (change.old_label, change.new_label):
            rows = waiting[str(change.key), _as_text(label)]
            while rows and rows[0] in taken:
                rows.popleft()
            if rows:
                take(change, rows.popleft())
                break
        else:
            matched.lost.append(f"row {change.row} of the review")
    return matched


def _match_journal(written: Written, keys: np.ndarray, column: pd.Series) -> _Matched:
    final = final_states(written.subjects, written.decisions)
    names = list(dict.fromkeys(n for n in (*(s.given for s in written.subjects.values()), *written.values) if n is not None))
    ids = {_as_text(written.values.get(name, name)): i for i, name in enumerate(names)}
    given = np.array([ids.get(_as_text(value), NO_LABEL) for value in column], dtype=np.int32)
    place = match_subjects(written.subjects, final, keys=keys, given=given, label_names=names)
    values = {_as_text(value): value for value in column.dropna().unique()}
    matched = _Matched()
    for number, state in final.items():
        verdict = VERDICTS[state.verdict]
        if verdict and number not in place:
            subject = written.subjects[number]
            matched.lost.append(f"key {subject.key:016x}, {subject.given!r} → {state.label!r}")
        elif verdict:
            new = written.values.get(state.label or "", state.label)
            matched.take(place[number], verdict, values.get(_as_text(new), new))
    return matched


def _put(frame: pd.DataFrame, position: int, labels: dict[int, Any]) -> None:
    column = frame.iloc[:, position]
    if isinstance(column.dtype, pd.CategoricalDtype):
        new = [v for v in dict.fromkeys(labels.values()) if v not in column.cat.categories]
        frame.isetitem(position, column.cat.add_categories(new))
    dtype = frame.dtypes.iloc[position]
    try:
        values = pd.Series(list(labels.values()), dtype=object)
        if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype):
            values = pd.to_numeric(values)
        values = values.astype(dtype)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"Expected labels that a column of {dtype} can hold, found {listing(dict.fromkeys(labels.values()))}."
        ) from error
    frame.iloc[list(labels), position] = values.array


def _is_journal(changes: Any) -> bool:
    return isinstance(changes, (str, os.PathLike)) and Path(changes).suffix.lower() not in _READ


def _file(changes: str | os.PathLike[str]) -> Path:
    path = Path(changes).expanduser()
    if not path.is_file():
        raise DataError(f"Expected a file of changes or a journal, found none at {path}. Export `widget.changes` first.")
    return path


def _read_changes(changes: Any) -> pd.DataFrame:
    if isinstance(changes, (str, os.PathLike)):
        path = _file(changes)
        try:
            changes = _READ[path.suffix.lower()](path)
        except (ValueError, OSError) as error:  # pandas' and Arrow's parse errors are ValueErrors
            raise DataError(f"Expected a file of `widget.changes` at {path}, found one that cannot be read: {error}") from error
    if not isinstance(changes, pd.DataFrame):
        raise DataError(f"Expected `widget.changes`, a file of it, or a journal, found {type(changes).__name__}.")
    missing = [c for c in _NEEDED if c not in changes.columns]
    if missing:
        raise DataError(
            f"Expected the columns of `widget.changes`, found none named {listing(missing)}. Pass the changes as they came."
        )
    unknown = sorted(set(changes["verdict"]) - set(VERDICTS))
    if unknown:
        raise DataError(
            f"Expected verdicts among {listing(VERDICTS[1:])}, found {listing(unknown)}. Pass the changes as they came."
        )
    return changes


def _as_text(value: Any) -> str | None:
    """A label as text, the same from a file and from a column: 1, 1.0 and "1" are alike, and so is everything that is missing."""
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        value = int(value)
    text = re.sub(r"^(-?\d+)\.0$", r"\1", str(value))
    return None if text in ("", "-1", "-100") else text


_READ: dict[str, Callable[[Path], pd.DataFrame]] = {
    ".csv": lambda p: pd.read_csv(p, dtype={"key": str, "old_label": str, "new_label": str}, keep_default_na=False),
    ".jsonl": lambda p: pd.read_json(p, lines=True, dtype=False),
    ".parquet": pd.read_parquet,
}
