"""Several labels a row, for multi-label models: columns of lists of names, lists of ids, or 0/1 vectors.

An empty list is a set, too: no label is on. A row without any set is missing. A set gets its id by being interned: the first
time it is met it becomes one more label of the space.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from loss_widget.data.label_space import NO_LABEL, UNKNOWN, AlignedLabels, GivenLabels, LabelSpace, label_kind
from loss_widget.data.labels import GivenLabel, OneLabel, checked_names, is_missing, look, read_labels
from loss_widget.data.losses import binary_losses, set_losses
from loss_widget.errors import LabelError, listing

_MANY = (list, tuple, set, frozenset, np.ndarray)
_VECTORS: dict[str, type] = {"int": int, "float": float, "bool": bool}
NO_LABEL_ON = "(none)"
"""The name of the empty set."""


@dataclass(frozen=True)
class GivenLabelSets(GivenLabels):
    """A column of label sets, read once.

    `on`: (n, classes) bool; `unlabelled`: (n,) bool, rows without a set. `each`: the classes, as a column that holds each once.
    `vector`: the type of the numbers where the column holds 0/1 vectors (values of classes are then places in them), None where
    it holds lists of names or ids. `column`: its name.
    """

    head = "sigmoid"

    each: GivenLabel
    on: np.ndarray
    unlabelled: np.ndarray
    vector: type | None = None
    column: object = None

    @property
    def missing(self) -> np.ndarray:
        return self.unlabelled

    def align(
        self, names: Sequence[object], *, label_map: Mapping[Any, str | None] | None = None, called: str = "model"
    ) -> AlignedLabels:
        return align_label_sets(self, names, label_map=label_map, called=called)

    def as_they_are(self) -> AlignedLabels:
        return _interned(LabelSets.of(self.each.as_they_are().space, self.vector), self.on, self.missing)

    def with_predicted(
        self, column: pd.Series, guesses: pd.Series, *, label_names: Sequence[str] | None
    ) -> tuple[AlignedLabels, np.ndarray]:
        both = pd.concat([column.astype(object), guesses.astype(object)], ignore_index=True).rename(column.name)
        labels = read_label_sets(both, label_names=label_names).as_they_are()
        return AlignedLabels(labels.space, labels.ids[: len(column)]), labels.ids[len(column) :]

    def refusal(self, head: str) -> str:
        row = int(np.flatnonzero(~self.missing)[0])
        held = [self.each.values[j] for j in np.flatnonzero(self.on[row])]
        return (
            f"Expected one label a row, a name (str) or an id (int), found lists of labels in column "
            f"{self.column!r}, row {row}: {held!r}. "
            "Take one label of each, for example with `.str[0]`; or judge them all by `lw.score` with a multi-label model. Where "
            'yours was trained to give several, set `model.config.problem_type = "multi_label_classification"`.'
        )


@label_kind
@dataclass(frozen=True, eq=False)
class LabelSets(LabelSpace):
    """Each row has a set of the classes: every class is a question of its own, on or off.

    `one`: the classes as labels, which knows how the column writes each. `members`: (labels, classes) int8, 1 for the classes of
    each set that has been met so far. `vector`: as in `GivenLabelSets`.
    """

    kind = "set"
    head = "sigmoid"
    score_columns = ("worst_label",)
    suggests = False
    read_only = "Sets of labels (a multi-label model) can be read here but not changed yet: correct them in the DataFrame."

    one: OneLabel
    members: np.ndarray
    vector: type | None = None

    @classmethod
    def of(cls, one: LabelSpace, vector: type | None) -> LabelSets:
        """The space of sets of some classes, in which none has been met yet."""
        assert isinstance(one, OneLabel)
        return cls(one, np.empty((0, len(one.names)), dtype=np.int8), vector)

    @classmethod
    def reads(cls, column: pd.Series) -> bool:
        return holds_label_sets(column)

    @classmethod
    def read(cls, column: pd.Series, *, label_names: Sequence[object] | None, by_position: bool) -> GivenLabelSets:
        return read_label_sets(column, label_names=label_names, by_position=by_position)

    @classmethod
    def none(cls, rows: int) -> GivenLabelSets:
        return GivenLabelSets(OneLabel.none(0), np.zeros((rows, 0), dtype=bool), np.ones(rows, dtype=bool))

    @property
    def classes(self) -> tuple[str, ...]:  # type: ignore[override]
        return self.one.classes

    @cached_property
    def names(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(self._named(row) for row in self.members)

    def _named(self, on: np.ndarray) -> str:
        held = [self.one.names[j] for j in np.flatnonzero(on > 0).tolist()]
        return ", ".join(f'"{name}"' if ", " in name else name for name in held) or NO_LABEL_ON

    @property
    def all_classes(self) -> tuple[str, ...]:
        return self.one.names

    # sets and ids

    @cached_property
    def _places(self) -> dict[bytes, int]:
        return {bits.tobytes(): i for i, bits in enumerate(np.packbits(self.members > 0, axis=1))}

    def with_sets(self, on: np.ndarray) -> tuple[LabelSets, np.ndarray]:
        """(n,) int32: the ids of sets `on` (n, classes), -1 where its first is -1; and the space that has them all.

        New sets are numbered in the order of their names.
        """
        ids = np.full(len(on), NO_LABEL, dtype=np.int32)
        rows = np.flatnonzero(on[:, 0] >= 0) if on.shape[1] else np.empty(0, dtype=np.int64)
        bits, first, number = np.unique(np.packbits(on[rows] > 0, axis=1), axis=0, return_index=True, return_inverse=True)
        found = [self._places.get(key.tobytes(), UNKNOWN) for key in bits]
        new = [i for i, place in enumerate(found) if place == UNKNOWN]
        space = self
        if new:
            sets = (on[rows[first[new]]] > 0).astype(np.int8)
            order = sorted(range(len(new)), key=lambda i: self._named(sets[i]))
            for place, i in enumerate(order, start=len(self.members)):
                found[new[i]] = place
            space = replace(self, members=np.concatenate([self.members, sets[order]]))
        ids[rows] = np.array(found, dtype=np.int32)[number.reshape(-1)]
        return space, ids

    def sets_of(self, ids: np.ndarray) -> np.ndarray:
        """(n, classes) int8: 1 for classes that are on, 0 for those that are off, -1 in rows without a set."""
        none = np.full((1, self.members.shape[1]), NO_LABEL, dtype=np.int8)
        on: np.ndarray = np.concatenate([self.members, none])[ids]
        return on

    def find(self, label: Any) -> int:
        known = self._places.get(self._bits(label))
        if known is None:
            raise LabelError(f"Expected a set of labels that some row has, found {label!r}. Known sets: {listing(self.names)}.")
        return known

    def interned(self, label: Any) -> tuple[LabelSpace, int]:
        on = np.unpackbits(np.frombuffer(self._bits(label), dtype=np.uint8), count=len(self.one.names)).astype(np.int8)
        space, [number] = self.with_sets(on[None, :])
        return space, int(number)

    def _bits(self, label: Any) -> bytes:
        """A set as a caller writes it, a list of names or the name of a set that some row has, as the key of `_places`."""
        if isinstance(label, str) and label in self._numbers:
            return np.packbits(self.members[self._numbers[label]] > 0).tobytes()
        on = np.zeros(len(self.one.names), dtype=bool)
        on[[self.one.find(name) for name in ([label] if isinstance(label, str) else label)]] = True
        return np.packbits(on).tobytes()

    def with_class(self, name: str) -> LabelSets:
        if self.vector is not None:
            raise LabelError(
                f"Expected lists of label names to add {name!r} to, found 0/1 vectors, in which it has no place. Turn them into "
                "lists of names first."
            )
        wider = np.concatenate([self.members, np.zeros((len(self.members), 1), dtype=np.int8)], axis=1)
        return replace(self, one=self.one.with_class(name), members=wider)

    # the caller's column

    def ids_in(self, column: pd.Series) -> np.ndarray:
        known: dict[Any, int] = {}  # few sets stand in many rows
        ids = np.empty(len(column), dtype=np.int32)
        for row, value in enumerate(column):
            key = tuple(value) if isinstance(value, (list, tuple)) else None
            if key is None or key not in known:
                ids[row] = self.id_of(value)
                known[key] = int(ids[row])
            else:
                ids[row] = known[key]
        return ids

    def id_of(self, value: Any) -> int:
        try:
            held = _as_list(value, None, 0)
        except LabelError:
            return UNKNOWN
        if held is None:
            return NO_LABEL
        if self.vector is not None:
            if len(held) != len(self.one.names):
                return UNKNOWN
            held = [place for place, on in enumerate(held) if on]
        ids = [self.one.id_of(label) for label in held]
        on = np.zeros(len(self.one.names), dtype=bool)
        if min(ids, default=0) < 0:
            return UNKNOWN
        on[ids] = True
        return self._places.get(np.packbits(on).tobytes(), UNKNOWN)

    def value_of(self, label: int) -> Any:
        row = self.members[label]
        if self.vector is None:
            return [self.one.values[j] for j in np.flatnonzero(row)]
        place = np.argsort(np.array(self.one.values))  # class → place in the vector, turned round
        return row[place].astype(self.vector).tolist()

    def column_of(self, ids: np.ndarray, *, like: pd.Series) -> pd.Series:
        values = [*(self.value_of(label) for label in range(len(self.members)))]
        written = pd.Series([None if i < 0 else [*values[i]] for i in ids.tolist()], index=like.index, dtype=object)
        return written.astype(like.dtype) if isinstance(like.dtype, pd.ArrowDtype) else written

    def check_writable(self, label: int, column: pd.Series) -> None:
        without = [self.one.names[j] for j in np.flatnonzero(self.members[label]) if self.one.values[j] is None]
        if without:
            raise LabelError(f"Expected labels that the column can hold, found {listing(without)}.")

    def takes_names(self, column: pd.Series) -> bool:
        return self.vector is None and all(isinstance(value, str) for value in self.one.values)

    # the journal

    def written(self, label: int) -> str:
        return json.dumps(sorted(self.one.names[j] for j in np.flatnonzero(self.members[label])), ensure_ascii=False)

    def read_back(self, written: str) -> tuple[LabelSpace, int]:
        try:
            names = json.loads(written)
            return self.interned(names) if isinstance(names, list) else (self, UNKNOWN)
        except (ValueError, TypeError, LabelError):
            return self, UNKNOWN

    def learned(self, written: str) -> tuple[LabelSpace, int]:
        names = json.loads(written) if written.startswith("[") else [written]
        space: LabelSpace = self
        for name in names:
            if name not in self.one.names:
                space = space.with_class(name)
        return space.interned(names)

    # the model

    def losses(self, log_probs: np.ndarray, ids: np.ndarray) -> np.ndarray:
        return set_losses(log_probs, self.sets_of(ids)[:, : log_probs.shape[1]])

    def predicted(self, log_probs: np.ndarray) -> tuple[LabelSpace, np.ndarray]:
        return self.with_sets(predicted_sets(log_probs))

    def suggestions(self, log_probs: np.ndarray, *, most: int) -> list[list[tuple[int, float]]]:
        return [[] for _ in log_probs]

    def facts(self, log_probs: np.ndarray, ids: np.ndarray, *, like: pd.Series) -> dict[str, Any]:
        worst = worst_labels(log_probs, self.sets_of(ids), self.classes)
        return {"worst_label": pd.Series(worst, index=like.index, dtype="str")}

    def agreement(self, ids: np.ndarray, predicted: np.ndarray) -> dict[str, float | None]:
        """`accuracy`: the share of rows whose whole set is predicted; `micro_f1`: F1 over all labels of all rows."""
        given, guessed = self.sets_of(ids) > 0, self.sets_of(predicted) > 0
        both, either = int((given & guessed).sum()), int(given.sum() + guessed.sum())
        return {**super().agreement(ids, predicted), "micro_f1": round(2 * both / either, 4) if either else None}

    def by_name(self, ids: np.ndarray) -> Sequence[Any]:
        on = self.sets_of(ids)
        return [None if row[0] < 0 else [self.one.names[j] for j in np.flatnonzero(row)] for row in on]

    def only_class(self, ids: np.ndarray) -> np.ndarray:
        return only_label(self.sets_of(ids))

    # saved Scores

    def stored(self, ids: np.ndarray) -> tuple[pa.Array, dict[str, Any]]:
        on = self.sets_of(ids)
        column = pa.FixedSizeListArray.from_arrays(pa.array(on.reshape(-1)), on.shape[1])
        _, stored = self.one.stored(ids[:0])
        return column, {**stored, "vector": self.vector.__name__ if self.vector else None}

    @classmethod
    def restored(cls, column: pa.Array, stored: Mapping[str, Any]) -> AlignedLabels:
        one = OneLabel.restored(pa.array([], pa.int32()), stored).space
        on = np.asarray(column.flatten()).reshape(-1, len(one.names))
        space, ids = cls.of(one, _VECTORS.get(str(stored["vector"]))).with_sets(on)
        return AlignedLabels(space, ids)


def holds_label_sets(column: pd.Series) -> bool:
    """Whether a column holds lists, arrays or sets rather than single values.

    >>> holds_label_sets(pd.Series([None, ["joy", "anger"]])), holds_label_sets(pd.Series(["joy"]))
    (True, False)
    """
    if isinstance(column.dtype, pd.ArrowDtype):
        kind = column.dtype.pyarrow_dtype
        return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))
    return column.dtype == object and any(isinstance(value, _MANY) and getattr(value, "ndim", 1) for value in column)


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
        read_vectors = _read_vectors(sets, next(iter(kinds & {bool, float}), int), label_names)
        return replace(read_vectors, column=column.name)
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
    return GivenLabelSets(replace(read, codes=np.arange(len(read.names), dtype=np.int32)), on, missing, column=column.name)


def align_label_sets(
    given: GivenLabelSets,
    model_names: Sequence[object],
    *,
    label_map: Mapping[Any, str | None] | None = None,
    called: str = "model",
) -> AlignedLabels:
    """The given sets in the order of the model's labels, matched by name as `align_labels` does.

    A row that holds something that means no label (None in the `label_map`) has no set.
    """
    each = given.each
    if given.vector is not None and len(each.names) != len(model_names):
        raise LabelError(
            f"Expected 0/1 vectors of {len(model_names)} numbers, one for each label of the model, found vectors of "
            f"{len(each.names)}. Pass lists of label names instead."
        )
    if given.vector is not None and each.bare_ids and label_map is None:  # places, also where the model's names are numbers
        names = tuple(map(str, model_names))
        labels = AlignedLabels(OneLabel(names, each.values, {}, names), each.codes, believed=False)
    else:
        labels = each.align(model_names, label_map=label_map, called=called)
    to_model = labels.ids.tolist()
    if given.vector is not None and len(set(to_model)) < len(model_names):
        raise LabelError(
            "Expected another label of the model for each place of the 0/1 vectors, found two places that mean the same one. "
            "Give every place a label of its own in `label_map`."
        )
    on = np.zeros((len(given.on), len(model_names)), dtype=np.int8)
    missing = given.missing.copy()
    for i, j in enumerate(to_model):
        if j == NO_LABEL:
            missing |= given.on[:, i]
        else:
            on[:, j] |= given.on[:, i]
    return _interned(LabelSets.of(labels.space, given.vector), on, missing, believed=labels.believed)


def _interned(space: LabelSets, on: np.ndarray, missing: np.ndarray, *, believed: bool = True) -> AlignedLabels:
    on = on.astype(np.int8)
    on[missing] = NO_LABEL
    space, ids = space.with_sets(on)
    return AlignedLabels(space, ids, believed)


def predicted_sets(log_probs: np.ndarray) -> np.ndarray:
    """(n, classes) int8: 1 for labels with a probability above one half, else 0; -1 for rows that were not judged."""
    judged = np.isfinite(log_probs).all(axis=1)
    return np.where(judged[:, None], log_probs > np.float32(-np.log(2)), -1).astype(np.int8)


def worst_labels(log_probs: np.ndarray, on: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """(n,) object: the label of highest loss with the sign of what the model would do with it, None where there is no loss."""
    each = binary_losses(log_probs, on)
    said = np.array([*(f"+{name}" for name in names), *(f"-{name}" for name in names), None], dtype=object)
    label = np.nan_to_num(each, nan=-1.0).argmax(axis=1)
    doubted = on[np.arange(len(on)), label] > 0
    known = np.isfinite(each).all(axis=1)
    worst: np.ndarray = said[np.where(known, label + doubted * len(names), 2 * len(names))]
    return worst


def only_label(on: np.ndarray) -> np.ndarray:
    """(n,) int32: the label of rows with exactly one, else -1. `on`: (n, n_labels), 1 where a label is on."""
    if not on.shape[1]:
        return np.full(len(on), NO_LABEL, dtype=np.int32)
    return np.where((on > 0).sum(axis=1) == 1, on.argmax(axis=1), NO_LABEL).astype(np.int32)


def _as_list(value: Any, column: pd.Series | None, row: int) -> list[Any] | None:
    if isinstance(value, np.ndarray) and value.ndim == 1:
        return list(value.tolist())
    if isinstance(value, (list, tuple, set, frozenset)):
        return [label.item() if isinstance(label, np.generic) else label for label in value]
    if pd.api.types.is_scalar(value) and is_missing(value):
        return None
    name = None if column is None else column.name
    raise LabelError(
        f"Expected a list of labels in every row of column {name!r}, found {value!r} ({type(value).__name__}) in "
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
    aliases = {place: place for place in places}
    each = GivenLabel(np.arange(width, dtype=np.int32), names, places, label_names is None, int, aliases)
    return GivenLabelSets(each, on, missing, kind)


def _check_label(label: Any, column: pd.Series, row: int) -> None:
    if (isinstance(label, str) and look(label)) or (isinstance(label, int) and not isinstance(label, bool) and label >= 0):
        return
    raise LabelError(
        f"Expected lists of label names (str), of ids (int from 0 up), or 0/1 vectors of one length, found {label!r} "
        f"({type(label).__name__}) in a list of column {column.name!r}, row {row}. Take it out or convert it."
    )
