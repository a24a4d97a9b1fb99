"""Whether a journal is of this data: of its label column, of its labels, of its rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from loss_widget.data.label_space import NO_LABEL
from loss_widget.errors import listing
from loss_widget.review.journal.written import Written
from loss_widget.review.label_column import LabelColumn
from loss_widget.review.table import ReviewTable

_SHARE = 10
"""A tenth of the reviewed rows, or of the data, must be common to both: a few texts that occur everywhere make no review."""


@dataclass(frozen=True)
class ReviewedData:
    """The data under review, as a journal is compared with it.

    `keys`: (n,) uint64 content keys; `given`: (n,) int32 label ids; `label_names` and `label_values`: by id, as the journal and
    as the column write them; `label_column`: its name; `columns`: those of the whole frame.
    """

    keys: np.ndarray
    given: np.ndarray
    label_names: Sequence[str]
    label_values: Sequence[Any]
    label_column: str
    columns: Sequence[str]

    @classmethod
    def of(cls, table: ReviewTable, labels: LabelColumn) -> ReviewedData:
        columns = [str(name) for name in labels.frame.columns]
        space = labels.space
        every = range(len(space.names))
        names, values = [space.written(i) for i in every], [space.value_of(i) for i in every]
        return cls(table.keys, table.given, names, values, str(labels.label), columns)


def common_rows(reviewed: np.ndarray, keys: np.ndarray) -> int:
    """How many of the `reviewed` keys are among the sorted `keys`; 0 where that is too few to be the same review."""
    reviewed = np.unique(reviewed)
    hits = int((keys[np.minimum(np.searchsorted(keys, reviewed), len(keys) - 1)] == reviewed).sum()) if len(keys) else 0
    return hits if hits * _SHARE >= min(len(reviewed), len(keys)) else 0


def why_another(written: Written, data: ReviewedData) -> str:
    """What makes the journal one of other labels, though of the same texts; "" where it may be of this data."""
    if written.label_column not in (None, data.label_column):
        return f"is of the label column {written.label_column!r}, and this one is {data.label_column!r}"
    names = _label_names(written)
    if names and not _alike(written, data) and _labels_by_key(written, data):
        return f"is of other labels ({listing(names, most=4)}; here they are {listing(data.label_names, most=4)})"
    return ""


def in_names_of(written: Written, data: ReviewedData) -> Written:
    """The same decisions, each label by the name that it has in this data.

    A label is known by its name, or by how the column writes it: a later model may call the ids 0 and 1 by other names. Where
    both are possible and contradict each other, those are right that more rows agree with.
    """
    alike = _alike(written, data)
    if all(old == new for old, new in alike.items()):
        return written
    return replace(
        written,
        subjects={n: replace(s, given=alike.get(s.given, s.given)) for n, s in written.subjects.items()},
        decisions=[replace(d, label=alike.get(d.label, d.label)) for d in written.decisions],
        values={alike.get(name, name): value for name, value in written.values.items()},
        names=_names_there(written, data, alike),
    )


def _names_there(written: Written, data: ReviewedData, alike: Mapping[str | None, str]) -> dict[str | None, str]:
    """Name here → name in the journal, for labels that it knows, and for those whose name it has given to another."""
    there: dict[str | None, str] = {new: old for old, new in alike.items() if old is not None}
    for name, value in zip(data.label_names, data.label_values, strict=True):
        if name not in there and name in written.values:
            there[name] = f"{name} ({_plain(value)})"
    return there


def _alike(written: Written, data: ReviewedData) -> dict[str | None, str]:
    """Name in the journal → name here, for the labels that are both."""
    names = _label_names(written)
    here = {_plain(value): name for name, value in zip(data.label_names, data.label_values, strict=True)}
    by_name: dict[str | None, str] = {name: name for name in names if name in data.label_names}
    by_value: dict[str | None, str] = {
        name: here[key] for name in names if (key := _plain(written.values.get(name, name))) in here
    }
    first, second = {**by_value, **by_name}, {**by_name, **by_value}
    if first == second:
        return first
    at = _labels_by_key(written, data)

    def agreeing(alike: Mapping[str | None, str]) -> int:
        return sum(alike.get(s.given) in at[s.key] for s in written.subjects.values() if s.given in alike and s.key in at)

    return first if agreeing(first) >= agreeing(second) else second


def _labels_by_key(written: Written, data: ReviewedData) -> dict[int, set[str | None]]:
    """For each text of the journal that is here, the labels that it has here."""
    wanted = np.unique(np.fromiter((s.key for s in written.subjects.values()), dtype=np.uint64, count=len(written.subjects)))
    at: dict[int, set[str | None]] = {}
    for row in np.flatnonzero(np.isin(data.keys, wanted)).tolist():
        label = int(data.given[row])
        at.setdefault(int(data.keys[row]), set()).add(None if label == NO_LABEL else data.label_names[label])
    return at


def _label_names(written: Written) -> list[str]:
    found: Iterable[str | None] = (*(s.given for s in written.subjects.values()), *(d.label for d in written.decisions))
    return [name for name in dict.fromkeys(found) if name is not None]


def _plain(value: Any) -> str:
    """A label as the column writes it, the same from a column of integers, of floats and of their digits."""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)
