"""Columns that hold several labels a row, for multi-label models: lists of names, lists of ids, or 0/1 vectors.

An empty list is a set, too: no label is on. A row without any set is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from loss_widget.data.labels import NO_LABEL, AlignedLabels, GivenLabels, align_labels, checked_names, is_missing, read_labels
from loss_widget.errors import LabelError

_MANY = (list, tuple, set, frozenset, np.ndarray)


@dataclass(frozen=True)
class GivenLabelSets(GivenLabels):
    """A column of label sets, read once.

    `on`: (n, len(names)) bool; `missing`: (n,) bool, rows without a set. `codes`: the label of rows that have exactly one, else
    -1. `vector`: the type of the numbers where the column holds 0/1 vectors (`values` are then places in them), None where it
    holds lists of names or ids.
    """

    on: np.ndarray = field(default_factory=lambda: np.empty((0, 0), dtype=bool))
    missing: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=bool))
    vector: type | None = None


@dataclass(frozen=True)
class AlignedLabelSets(AlignedLabels):
    """The same sets in the order of a model's output columns: `on` (n, n_labels) int8, -1 where `missing`."""

    on: np.ndarray = field(default_factory=lambda: np.empty((0, 1), dtype=np.int8))
    vector: type | None = None

    @property
    def missing(self) -> np.ndarray:
        return self.on[:, 0] < 0

    def written(self, on: np.ndarray, *, like: pd.Series) -> pd.Series:
        """Sets `on` (m, n_labels), None for -1, as the column `like` writes them: lists of names, of ids, or 0/1 vectors."""
        if self.vector is None:
            sets = [None if row[0] < 0 else [self.values[j] for j in np.flatnonzero(row)] for row in on]
        else:
            place = np.argsort(np.array(self.values))  # model's column → position in the vector, turned round
            sets = [None if row[0] < 0 else row[place].astype(self.vector).tolist() for row in on]
        column = pd.Series(sets, index=like.index, dtype=object)
        return column.astype(like.dtype) if isinstance(like.dtype, pd.ArrowDtype) else column


def holds_label_sets(column: pd.Series) -> bool:
    """Whether a column holds lists, arrays or sets rather than single values.

    >>> holds_label_sets(pd.Series([None, ["joy", "anger"]])), holds_label_sets(pd.Series(["joy"]))
    (True, False)
    """
    if isinstance(column.dtype, pd.ArrowDtype):
        kind = column.dtype.pyarrow_dtype
        return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))
    return column.dtype == object and any(isinstance(value, _MANY) for value in column)


def read_label_sets(
    column: pd.Series, *, label_names: Sequence[object] | None = None, by_position: bool = False
) -> GivenLabelSets:
    """The label sets of a column of lists; None, NaN, -1, -100 and "" in place of a list mean that the row has no set.

    Lists of 0 and 1 that are all of one length (of two or more) are vectors, one place for each label; other integers are ids.
    `LabelError` names the row where a list holds anything else.
    """
    sets = [_as_list(value, column, row) for row, value in enumerate(column)]
    present = [labels for labels in sets if labels is not None]
    kinds = {type(label) for labels in present for label in labels}
    if present and _are_vectors(present, kinds):
        return _read_vectors(sets, next(iter(kinds & {bool, float}), int), label_names)
    for row, labels in enumerate(sets):
        for label in labels or ():
            _check_label(label, column, row)
    flat = [label for labels in present for label in labels]
    read = read_labels(
        pd.Series(flat, name=column.name, dtype=None if flat else object), label_names=label_names, by_position=by_position
    )
    on = np.zeros((len(sets), len(read.names)), dtype=bool)
    on[np.repeat(np.arange(len(sets)), [len(labels or ()) for labels in sets]), read.codes] = True
    missing = np.array([labels is None for labels in sets])
    return GivenLabelSets(only_label(on), read.names, read.values, read.bare_ids, read.kind, on, missing)


def align_label_sets(
    given: GivenLabelSets, model_names: Sequence[object], *, label_map: Mapping[Any, str] | None = None
) -> AlignedLabelSets:
    """The given sets in the order of the model's labels, matched by name as `align_labels` does."""
    if given.vector is not None and len(given.names) != len(model_names):
        raise LabelError(
            f"Expected 0/1 vectors of {len(model_names)} numbers, one for each label of the model, found vectors of "
            f"{len(given.names)}. Pass lists of label names instead."
        )
    each = GivenLabels(np.arange(len(given.names), dtype=np.int32), given.names, given.values, given.bare_ids, given.kind)
    if given.vector is not None and given.bare_ids and label_map is None:  # places, also where the model's names are numbers
        labels = AlignedLabels(each.codes, tuple(map(str, model_names)), given.values, believed=False)
    else:
        labels = align_labels(each, model_names, label_map=label_map)
    to_model = labels.codes.tolist()
    if given.vector is not None and len(set(to_model)) < len(model_names):
        raise LabelError(
            "Expected another label of the model for each place of the 0/1 vectors, found two places that mean the same one. "
            "Give every place a label of its own in `label_map`."
        )
    on = np.zeros((len(given.on), len(model_names)), dtype=np.int8)
    for i, j in enumerate(to_model):
        on[:, j] |= given.on[:, i]
    codes = only_label(on)
    on[given.missing] = NO_LABEL
    return AlignedLabelSets(codes, labels.names, labels.values, labels.aliases, labels.believed, on, given.vector)


def without_sets(given: GivenLabels) -> GivenLabelSets:
    """A column in which no row has any label, as one of sets; `LabelError` where a row has a single label."""
    labelled = np.flatnonzero(given.codes != NO_LABEL)
    if len(labelled):
        row = int(labelled[0])
        raise LabelError(
            f"Expected a list of labels a row, or a 0/1 vector, since this is a multi-label model, found single labels, the "
            f"first is {given.values[given.codes[row]]!r} in row {row}. Split texts such as 'joy,anger' by "
            "`data[label].str.split(',')`, and put single labels in lists by `data[label].map(lambda name: [name])`."
        )
    rows = len(given.codes)
    return GivenLabelSets(given.codes, (), (), on=np.zeros((rows, 0), dtype=bool), missing=np.ones(rows, dtype=bool))


def only_label(on: np.ndarray) -> np.ndarray:
    """(n,) int32: the label of rows with exactly one, else -1. `on`: (n, n_labels), 1 where a label is on."""
    if not on.shape[1]:
        return np.full(len(on), NO_LABEL, dtype=np.int32)
    return np.where((on > 0).sum(axis=1) == 1, on.argmax(axis=1), NO_LABEL).astype(np.int32)


def _as_list(value: Any, column: pd.Series, row: int) -> list[Any] | None:
    if isinstance(value, np.ndarray) and value.ndim == 1:
        return list(value.tolist())
    if isinstance(value, (list, tuple, set, frozenset)):
        return [label.item() if isinstance(label, np.generic) else label for label in value]
    if pd.api.types.is_scalar(value) and is_missing(value):
        return None
    raise LabelError(
        f"Expected a list of labels in every row of column {column.name!r}, found {value!r} ({type(value).__name__}) in "
        f"row {row}. Put it in a list: `[{value!r}]`."
    )


def _are_vectors(present: list[list[Any]], kinds: set[type]) -> bool:
    width = len(present[0])
    return width >= 2 and kinds <= {int, bool, float} and all(len(s) == width and set(s) <= {0, 1} for s in present)


def _read_vectors(sets: list[list[Any] | None], kind: type, label_names: Sequence[object] | None) -> GivenLabelSets:
    width = next(len(labels) for labels in sets if labels is not None)
    names = tuple(map(str, range(width))) if label_names is None else checked_names(label_names)
    if len(names) != width:
        raise LabelError(f"Expected 0/1 vectors of {len(names)} numbers, one for each of label_names, found vectors of {width}.")
    on = np.array([[False] * width if labels is None else labels for labels in sets], dtype=bool)
    missing = np.array([labels is None for labels in sets])
    places = tuple(range(width))
    return GivenLabelSets(only_label(on), names, places, label_names is None, int, on, missing, kind)


def _check_label(label: Any, column: pd.Series, row: int) -> None:
    if (isinstance(label, str) and label) or (isinstance(label, int) and not isinstance(label, bool) and label >= 0):
        return
    raise LabelError(
        f"Expected lists of label names (str), of ids (int from 0 up), or 0/1 vectors of one length, found {label!r} "
        f"({type(label).__name__}) in a list of column {column.name!r}, row {row}. Take it out or convert it."
    )
