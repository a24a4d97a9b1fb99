"""The changes of a review, made again in another copy of the data."""

from __future__ import annotations

import os
import re
import warnings
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from loss_widget.data.columns import column_position, put_values
from loss_widget.data.contents import ContentColumns
from loss_widget.data.files import READABLE, read_file
from loss_widget.data.label_space import NO_LABEL
from loss_widget.data.texts import content_columns
from loss_widget.errors import DataError, InputError, listing
from loss_widget.review.journal.journal import read_journal
from loss_widget.review.journal.matching import final_states, match_subjects
from loss_widget.review.journal.written import Written
from loss_widget.review.query import VERDICTS

_NEEDED = ("row", "key", "verdict", "old_label", "new_label")
_LABELS = ("old_label", "new_label")
_DEFUSED = r"^'(?=[=+\-@\t\r\n＝＋－＠])"
_MOST_SHOWN = 6


def apply_changes(
    frame: pd.DataFrame,
    changes: Any,
    *,
    text: str | Sequence[str] | ContentColumns = "text",
    label: str = "label",
    drop_removed: bool = True,
    missing: str = "raise",
) -> pd.DataFrame:
    """A new frame with the changes of a review made in it, found by the content of the rows.

    `changes`: `widget.changes`, a file of it, or a journal. A change no longer matches where its text is not there, or where the
    label is neither the old nor the new one. `missing` says what happens then: "raise" a `DataError` that names those changes and
    make none; "skip" them; or "report" them, in a warning and as dicts in `attrs["changes_not_applied"]` of the result. Equal
    texts are distinguished by label, then by order.

    >>> frame = pd.DataFrame({"text": ["fine", "awful"], "label": ["good", "good"], "loss": [0.1, 4.2]})
    >>> from loss_widget.review import ReviewSession
    >>> session = ReviewSession(frame, label_names=["bad", "good"], journal=None, copy=True)
    >>> session.relabel(1, "bad")
    >>> apply_changes(frame, session.changes)["label"].tolist()
    ['good', 'bad']
    """
    if missing not in ("raise", "skip", "report"):
        raise InputError(f"Expected missing to be 'raise', 'skip' or 'report', found {missing!r}.")
    if not isinstance(frame, pd.DataFrame):
        raise DataError(f"Expected a pandas DataFrame to make the changes in, found {type(frame).__name__}. Use `.to_pandas()`.")
    keys = content_columns(text).read(frame)[0].keys()
    position = column_position(frame, label)
    column = frame.iloc[:, position]
    if _is_journal(changes):
        written = read_journal(_file(changes))
        if written.label_column not in (None, str(label)) and written.label_column in map(str, frame.columns):
            raise DataError(
                f"Expected changes of the label column {label!r}, found a journal of {written.label_column!r}, another one here. "
                f"Pass `label={written.label_column!r}`."
            )
        matched = _match_journal(written, keys, column)
    else:
        matched = _match_changes(_read_changes(changes), keys, column)
    if matched.lost and missing == "raise":
        raise DataError(
            f"Expected every change to match a row by its text and label, found {len(matched.lost)} that match none: "
            f"{_shown(matched.lost)}. Was the data edited since? Pass `missing='report'` to make the others, or review again."
        )
    result = frame.copy()
    if matched.lost and missing == "report":
        result.attrs["changes_not_applied"] = matched.lost
        warnings.warn(
            f"{len(matched.lost)} of {matched.count} changes match no row and were not made: {_shown(matched.lost)}. All of them "
            "are in `result.attrs['changes_not_applied']`.",
            stacklevel=2,
        )
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
    lost: list[dict[str, Any]] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.rows) + len(self.lost)

    def take(self, row: int, verdict: str, new: Any) -> None:
        self.rows.append(row)
        if verdict == "remove":
            self.removed.append(row)
        elif verdict == "relabel":
            self.labels[row] = new


def _match_changes(listed: pd.DataFrame, keys: np.ndarray, column: pd.Series) -> _Matched:
    """First the changes whose own position still fits, then the others by order: so equal texts keep their places."""
    identity = _identity(column, [*listed["old_label"], *listed["new_label"]])
    standing = [identity(value) for value in column]
    value_of = _values_of(column, identity)
    keys_here = [f"{key:016x}" for key in keys.tolist()]
    rows_of: dict[str, list[int]] = defaultdict(list)
    waiting: dict[tuple[str, str | None], deque[int]] = defaultdict(deque)  # rows in order, by text and label
    for row, of_row in enumerate(zip(keys_here, standing, strict=True)):
        rows_of[of_row[0]].append(row)
        waiting[of_row].append(row)
    matched, taken = _Matched(), set()

    def take(change: Any, row: int) -> None:
        taken.add(row)
        matched.take(row, change.verdict, value_of(change.new_label))

    moved = []
    for change in listed[list(_NEEDED)].itertuples(index=False):
        row = int(change.row)
        here = 0 <= row < len(standing) and row not in taken and keys_here[row] == str(change.key)
        if here and standing[row] in (identity(change.old_label), identity(change.new_label)):
            take(change, row)
        else:
            moved.append(change)
    lost = []
    for change in moved:
        for label in (change.old_label, change.new_label):
            rows = waiting[str(change.key), identity(label)]
            while rows and rows[0] in taken:
                rows.popleft()
            if rows:
                take(change, rows.popleft())
                break
        else:
            lost.append(change)
    for change in lost:
        same_text = rows_of[str(change.key)]
        why = (
            "its text is not there"
            if not same_text
            else "its label is another now"
            if not taken.issuperset(same_text)
            else "its text is there less often"
        )
        matched.lost.append(
            {"row": int(change.row), **_lost(str(change.key), change.verdict, change.old_label, change.new_label, why)}
        )
    return matched


def _match_journal(written: Written, keys: np.ndarray, column: pd.Series) -> _Matched:
    final = final_states(written.subjects, written.decisions)
    names = list(dict.fromkeys(n for n in (*(s.given for s in written.subjects.values()), *written.values) if n is not None))
    identity = _identity(column, [written.values.get(name, name) for name in names])
    ids = {identity(written.values.get(name, name)): i for i, name in enumerate(names)}
    given = np.array([ids.get(identity(value), NO_LABEL) for value in column], dtype=np.int32)
    place = match_subjects(written.subjects, final, keys=keys, given=given, label_names=names)
    value_of, known = _values_of(column, identity), set(keys.tolist())
    matched = _Matched()
    for number, state in final.items():
        verdict = VERDICTS[state.verdict]
        if verdict and number not in place:
            subject = written.subjects[number]
            why = "its text or label is another now" if subject.key in known else "its text is not there"
            matched.lost.append(_lost(f"{subject.key:016x}", verdict, subject.given, state.label, why))
        elif verdict:
            new = written.values.get(state.label or "", state.label)
            matched.take(place[number], verdict, value_of(new))
    return matched


def _lost(key: str, verdict: str, old: Any, new: Any, why: str) -> dict[str, Any]:
    return {"key": key, "verdict": verdict, "old_label": _as_text(old), "new_label": _as_text(new), "why": why}


def _shown(lost: list[dict[str, Any]]) -> str:
    """The first of the changes that match no row, each with the reason."""
    said = []
    for one in lost[:_MOST_SHOWN]:
        which = f"row {one['row']} of the review" if "row" in one else f"key {one['key']}"
        said.append(f"{which} ({one['old_label']!r} → {one['new_label']!r}): {one['why']}")
    return "; ".join(said) + (f" … and {len(lost) - _MOST_SHOWN} more" if len(lost) > _MOST_SHOWN else "")


def _identity(column: pd.Series, labels: Sequence[Any]) -> Callable[[Any], str | None]:
    """What two spellings of one label have in common, in `column` and in the `labels` of a review; None for no label.

    Case and surrounding space do not count, unless the review itself tells labels apart by them. -1 and -100 are no label, unless
    they are names that the review uses.
    """
    named = {_as_text(label) for label in labels} - {None}
    folds = len({name.strip().casefold() for name in named if name}) == len(named)
    no_names = {"-1", "-100"} - (set() if pd.api.types.is_numeric_dtype(column.dtype) else named)

    def identity(value: Any) -> str | None:
        text = _as_text(value)
        if text is None or text in no_names:
            return None
        return text.strip().casefold() if folds else text

    return identity


def _values_of(column: pd.Series, identity: Callable[[Any], str | None]) -> Callable[[Any], Any]:
    """How the column writes a label of the changes: as it is spelled there, else as the column spells it, else in its type."""
    categorical = isinstance(column.dtype, pd.CategoricalDtype)
    known = column.cat.categories if categorical else column.dropna().unique()
    values = {identity(value): value for value in reversed(list(known))}
    spelled = {_as_text(value): value for value in known}
    kinds = {type(value.item() if isinstance(value, np.generic) else value) for value in known}
    kind = kinds.pop() if len(kinds) == 1 else str

    def value_of(label: Any) -> Any:
        text = _as_text(label)
        if text in spelled:
            return spelled[text]
        if identity(label) in values:
            return values[identity(label)]
        if not isinstance(label, str) or kind not in (int, float, bool):
            return label
        try:
            return {"true": True, "false": False}[text.lower()] if kind is bool else kind(text)  # type: ignore[union-attr]
        except (KeyError, ValueError):
            return label

    return value_of


def _put(frame: pd.DataFrame, position: int, labels: dict[int, Any]) -> None:
    dtype = frame.dtypes.iloc[position]
    values = list(labels.values())
    try:
        if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype):
            values = pd.to_numeric(pd.Series(values, dtype=object)).astype(dtype).tolist()
        put_values(frame, position, list(labels), values)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"Expected labels that a column of {dtype} can hold, found {listing(dict.fromkeys(labels.values()))}."
        ) from error


def _is_journal(changes: Any) -> bool:
    return isinstance(changes, (str, os.PathLike)) and Path(changes).suffix.lower() not in READABLE


def _file(changes: str | os.PathLike[str]) -> Path:
    path = Path(changes).expanduser()
    if not path.is_file():
        raise DataError(f"Expected a file of changes or a journal, found none at {path}. Export `widget.changes` first.")
    return path


def _read_changes(changes: Any) -> pd.DataFrame:
    if isinstance(changes, (str, os.PathLike)):
        path = _file(changes)
        try:
            changes = read_file(path, text=("key", *_LABELS))
            if path.suffix.lower() in (".csv", ".tsv"):  # as `excel_safe` writes them
                changes = changes.assign(
                    **{name: changes[name].str.replace(_DEFUSED, "", regex=True) for name in _LABELS if name in changes}
                )
        except DataError as error:
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
    return text or None
