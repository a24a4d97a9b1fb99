"""The caller's DataFrame and its label column: labels wait here and are written on the main thread, after checks."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from loss_widget.data.columns import column_position, put_values
from loss_widget.data.contents import ContentColumns, Contents, moved_rows
from loss_widget.data.label_space import NO_LABEL, UNKNOWN, LabelSpace
from loss_widget.errors import LabelError, ReviewError, listing

_ABSENT = object()


class LabelColumn:
    """Writes label ids into one column of `frame`, by position, each in the column's own representation.

    A row is only written if its text and its value are what was last known of them; other rows are left alone and named in a
    warning. Index, dtypes, column order and attrs stay. `space` translates, and is swapped when there is a label more.
    """

    def __init__(
        self, frame: pd.DataFrame, *, shown: ContentColumns, label: str, space: LabelSpace, contents: Contents, keys: np.ndarray
    ) -> None:
        self.frame = frame
        self.shown = shown
        self.label = label
        self.space = space
        self._contents = contents
        self._keys = keys
        self._index = frame.index  # as it was: `frame` is the caller's to sort
        self._known = space.ids_in(self.column)  # (n,) what stands in the column
        self._last_dtype = self.column.dtype
        self._originals: dict[int, Any] = {}
        self._waiting: dict[int, int] = {}
        self._turned_back: set[int] = set()  # the waiting rows that an undo or redo wants
        self._by_hand: set[int] = set()  # rows where somebody else wrote, and nobody has decided since
        self._told_moved = False

    @property
    def column(self) -> pd.Series:
        """The label column as it now is."""
        return self.frame.iloc[:, column_position(self.frame, self.label)]

    def translate_by(self, space: LabelSpace) -> None:
        """Labels are those of a larger space from now on."""
        self.space = space
        strange = np.flatnonzero(self._known == UNKNOWN)
        if len(strange):
            self._known[strange] = space.ids_in(self.column.iloc[strange])

    def want(self, rows: np.ndarray, label_ids: np.ndarray, *, turned_back: bool = False) -> None:
        """These rows shall get these labels at the next flush.

        `turned_back`: by an undo or redo, which never overwrites what was written by hand; who decides anew means that row.
        """
        listed = rows.tolist()
        self._waiting.update(zip(listed, label_ids.tolist(), strict=True))
        if turned_back:
            self._turned_back.update(listed)
        else:
            self._turned_back.difference_update(listed)
            self._by_hand.difference_update(listed)

    def resume(self, rows: np.ndarray, given: np.ndarray, label_ids: np.ndarray) -> None:
        """Want the labels of an earlier review; where the column holds neither the old nor the new one, warn and leave it."""
        fits = (self._known[rows] == given) | (self._known[rows] == label_ids)
        write = fits & (self._known[rows] != label_ids)
        self.want(rows[write], label_ids[write])
        self._by_hand.update(rows[~fits].tolist())
        self._warn(rows[~fits & (given != label_ids)].tolist())

    def flush(self) -> None:
        """Write what waits into the frame, on the caller's thread. `ReviewError` where the frame no longer has the same rows."""
        if not self._waiting:
            return
        self._same_rows()
        rows = np.fromiter(self._waiting, dtype=np.int64, count=len(self._waiting))
        moved = rows[~self._texts_unchanged(self.frame, rows)].tolist()
        staying = {row: self._waiting[row] for row in self._waiting.keys() - set(moved)}
        written, strangers = self._write(self.frame, staying, remember=True)
        self._known[list(written)] = list(written.values())
        self._waiting = {row: self._waiting[row] for row in moved}  # written when the frame is in its order again
        self._turned_back &= self._waiting.keys()
        self._warn(strangers)
        if moved and not self._told_moved:
            self._told_moved = True
            warnings.warn(f"{self._moved(moved)} Their labels wait.", stacklevel=2)

    def corrected(self, reviewed: np.ndarray, *, beside: bool = False) -> pd.DataFrame:
        """A copy of the frame as it would be after a flush; the frame itself is only read.

        `ReviewError` where the reviewed rows are no longer where they were: others would be taken for them. `beside`: columns of
        the review are to stand beside the frame's, so that no row at all may have moved.
        """
        self._same_rows()
        moved = reviewed[~self._texts_unchanged(self.frame, reviewed)].tolist() or (self._moved_rows() if beside else [])
        if moved:
            raise ReviewError(self._moved(moved))
        copy = self.frame.copy()
        self._write(copy, self._waiting, remember=False)
        return copy

    def value_of(self, label_id: int, row: int | None = None) -> Any:
        """A label as the column writes it; without a label, what first stood in the row."""
        if label_id != NO_LABEL:
            return self.space.value_of(label_id)
        original = self._originals.get(row, _ABSENT) if row is not None else _ABSENT
        return original if original is not _ABSENT and self.space.id_of(original) == NO_LABEL else self._missing()

    def column_of(self, label_ids: np.ndarray) -> pd.Series:
        """Label ids as values of the column, in its dtype wherever that can hold them."""
        values = pd.Series([self.value_of(i) for i in label_ids.tolist()], dtype=object)
        try:
            return values.astype(self._dtype())
        except (TypeError, ValueError):
            return values

    def check_writable(self, label_id: int) -> None:
        """`LabelError` where the column has no value for this label, or no room for it."""
        self.space.check_writable(label_id, self.column)

    @property
    def takes_names(self) -> bool:
        """Whether the column is one of names, not of ids, so that a new one finds room in it."""
        return self.space.takes_names(self.column)

    def check_takes(self, name: str) -> None:
        """`LabelError` where the column has no room for a name that it has never seen."""
        if not self.takes_names:
            raise LabelError(
                f"Expected a label column of names to add {name!r} to, found {self.column.dtype}. Map the column to names first, "
                "for example with `df[label] = df[label].map(dict(enumerate(label_names)))`."
            )

    def _write(self, frame: pd.DataFrame, labels: Mapping[int, int], *, remember: bool) -> tuple[dict[int, int], list[int]]:
        """The labels written, and the rows left alone because they are not what was last known of them."""
        position = column_position(frame, self.label)
        rows = np.fromiter(labels, dtype=np.int64, count=len(labels))
        found = list(frame.iloc[rows, position])
        write: dict[int, int] = {}
        changed: list[int] = []
        values: list[Any] = []
        strangers: list[int] = []
        for row, value in zip(rows.tolist(), found, strict=True):
            now = self.space.id_of(value)
            by_hand = now not in (self._known[row], labels[row]) or (row in self._by_hand and row in self._turned_back)
            if by_hand and now != labels[row]:
                strangers.append(row)
                if remember:
                    self._known[row] = now  # said once: whoever decides on it again means it
                    self._by_hand.add(row)
                continue
            if now == labels[row]:
                if remember and now != self._known[row] and row in self._turned_back:
                    self._by_hand.add(row)
                write[row] = now
                continue
            if remember:
                self._originals.setdefault(row, value)
            original = self._originals.get(row, value)
            write[row] = labels[row]
            changed.append(row)
            values.append(original if self.space.id_of(original) == labels[row] else self.value_of(labels[row], row))
        if changed:
            put_values(frame, position, changed, values)
        return write, strangers

    def _warn(self, rows: list[int]) -> None:
        if rows:
            what, were = ("1 row", "was") if len(rows) == 1 else (f"{len(rows):,} rows", "were")
            warnings.warn(
                f"{what} of column {self.label!r} {were} changed by other hands since and left alone: "
                f"{listing(rows)}. What was decided is kept in `.changes`; decide again to overwrite.",
                stacklevel=2,
            )

    @staticmethod
    def _moved(rows: list[int]) -> str:
        return (
            f"Expected the rows of the DataFrame where they were, found others in {len(rows)} places: {listing(rows)}. "
            "Was it sorted or filtered in place? Open a new widget on it, or use `lw.apply_changes(frame, widget.changes)`."
        )

    def _same_rows(self) -> None:
        if len(self.frame) != len(self._known):
            raise ReviewError(
                f"Expected the DataFrame to keep its {len(self._known)} rows, found {len(self.frame)}: labels cannot be written "
                "into it. Decisions are safe in `.changes`; use `lw.apply_changes(frame, widget.changes)`, "
                "or open a new widget."
            )
        column_position(self.frame, self.label)

    def _moved_rows(self) -> list[int]:
        """The rows where another one stood when the review was opened."""
        index = self.frame.index
        moved = moved_rows(self._contents, self.shown.read(self.frame)[0], before_index=self._index, index=index)
        if len(moved) or not isinstance(index, pd.RangeIndex):
            return moved.tolist()
        # Rows of equal texts may have changed places under an index that was made anew: then labels have gone round among them.
        now = self.space.ids_in(self.column)
        other = np.flatnonzero(now != self._known)
        if not len(other):
            return []
        keys, new, old = self._keys[other], now[other], self._known[other]
        here, there = np.lexsort((new, keys)), np.lexsort((old, keys))
        went_round = np.array_equal(keys[here], keys[there]) and np.array_equal(new[here], old[there])
        return other.tolist() if went_round else []

    def _texts_unchanged(self, frame: pd.DataFrame, rows: np.ndarray) -> np.ndarray:
        part = frame.iloc[rows, [column_position(frame, name) for name in self.shown.names]]
        return self.shown.read(part)[0].keys() == self._keys[rows]

    def _dtype(self) -> Any:
        """That of the column; of one that was renamed or dropped since, the last that it was known to have."""
        if list(self.frame.columns).count(self.label) == 1:
            self._last_dtype = self.frame.dtypes.iloc[column_position(self.frame, self.label)]
        return self._last_dtype

    def _missing(self) -> Any:
        dtype = self._dtype()
        plain_number = isinstance(dtype, np.dtype) and dtype.kind in "iu"
        return -1 if plain_number else None
