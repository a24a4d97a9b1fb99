"""Label columns as class names and ids, and the model's names matched with the data's.

A label has three faces: its *name* (what a person reads), its *id* (a column of the log-probabilities) and its *value* (what
stands in the user's column: a name, an integer, a category). This module is the only one that translates between them.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from loss_widget.errors import LabelError, LabelMismatch, listing, near_miss

NO_LABEL = -1
"""The id of a row without a label."""

_PLACEHOLDER = re.compile(r"label_\d+", re.IGNORECASE)


@dataclass(frozen=True)
class GivenLabels:
    """A label column, read once.

    `codes`: (n,) int32, index into `names`, -1 where the label is missing. `values[i]`: `names[i]` as the column writes it.
    `bare_ids`: the column holds integers whose names are not known.
    """

    codes: np.ndarray
    names: tuple[str, ...]
    values: tuple[Any, ...]
    bare_ids: bool = False


@dataclass(frozen=True)
class AlignedLabels:
    """The same labels in the order of a model's output columns.

    `values[i]`: how the column writes `names[i]`; `aliases`: every value that occurs in it, with its id. `believed`: the names
    matched, so that a far better permutation of them only warns.
    """

    codes: np.ndarray
    names: tuple[str, ...]
    values: tuple[Any, ...]
    aliases: Mapping[Any, int] = field(default_factory=dict)
    believed: bool = True

    def id_of(self, name: str) -> int:
        return label_id(name, self.names)


def label_id(name: object, names: Sequence[str]) -> int:
    """The id of a label name; `LabelError` names near misses."""
    try:
        return names.index(name)  # type: ignore[arg-type]
    except ValueError:
        raise LabelError(
            f"Expected one of the {len(names)} label names, found {name!r}{near_miss(name, names)} "
            f"Known labels: {listing(names)}. A new one is added with `add_label`."
        ) from None


def read_labels(column: pd.Series, *, label_names: Sequence[str] | None = None) -> GivenLabels:
    """The labels of a column of ids, names or categories. None, NaN, -1, -100 and "" are missing."""
    names = None if label_names is None else _checked_names(label_names)
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _read_categories(column, names)
    codes, uniques = pd.factorize(column, use_na_sentinel=True)
    found = [u.item() if isinstance(u, np.generic) else u for u in uniques]
    labels = [u for u in found if not _is_missing(u)]
    for value in labels:
        if not isinstance(value, (str, bool, int)) and not (isinstance(value, float) and value.is_integer()):
            row = int(np.flatnonzero(codes == found.index(value))[0])
            raise LabelError(
                f"Expected labels that are names (str) or ids (int), found {value!r} ({type(value).__name__}) in column "
                f"{column.name!r}, row {row}. Convert the column first, for example with `.astype(str)`."
            )
    are_ids = all(not isinstance(v, str) for v in labels)
    if not are_ids and any(not isinstance(v, str) for v in labels):
        raise LabelError(
            f"Expected one kind of label in column {column.name!r}, found names and numbers: {listing(labels)}. "
            "Write them all as names or all as ids."
        )
    if are_ids and labels:
        return _read_ids(codes, found, column, names)
    return _read_names(codes, found, names)


def align_labels(given: GivenLabels, model_names: Sequence[str], *, label_map: Mapping[Any, str] | None = None) -> AlignedLabels:
    """The given labels in the model's order, matched by name (case and surrounding space aside).

    Raises `LabelMismatch` where the names do not fit; `label_map` {name or id in the data: name in the model} settles it.
    """
    model_names = [str(n) for n in model_names]
    folded = {_fold(n): i for i, n in enumerate(model_names)}
    mapped = _mapped_names(given, model_names, label_map)
    if given.bare_ids and label_map is None:
        ids = [int(name) for name in given.names]
        if any(i >= len(model_names) or i < 0 for i in ids):
            raise LabelMismatch(
                f"Expected label ids from 0 to {len(model_names) - 1}, the model's number of labels, found "
                f"{listing(i for i in ids if not 0 <= i < len(model_names))}.\n{_both(given.names, model_names)}\n"
                "Pass a model trained on these labels, or `label_map={id in the data: name in the model}`."
            )
        to_model, believed = ids, False
    else:
        targets = [mapped.get(i, name) for i, name in enumerate(given.names)]
        unknown = [t for t in targets if _fold(t) not in folded]
        if unknown:
            placeholder = all(_PLACEHOLDER.fullmatch(n) for n in model_names)
            found = "the model only has placeholder names" if placeholder else f"it does not know {listing(unknown)}"
            raise LabelMismatch(
                f"Expected every label of the data among the model's labels, found that {found}.\n"
                f"{_both(given.names, model_names)}\n"
                "Pass `label_map={name or id in the data: name in the model}`, or set `model.config.id2label`."
            )
        to_model, believed = [folded[_fold(t)] for t in targets], True
    return _in_model_order(given, model_names, to_model, believed)


def _read_categories(column: pd.Series, names: tuple[str, ...] | None) -> GivenLabels:
    values = [v.item() if isinstance(v, np.generic) else v for v in column.cat.categories]
    codes = column.cat.codes.to_numpy().astype(np.int32)
    ids = all(isinstance(v, int) and not isinstance(v, bool) for v in values) and bool(values)
    if ids and names is not None:
        plain = pd.Series(column.astype("Int64"), name=column.name)
        return read_labels(plain, label_names=names)
    keep = [i for i, v in enumerate(values) if not _is_missing(v)]
    renumber = np.full(len(values) + 1, NO_LABEL, dtype=np.int32)
    renumber[keep] = np.arange(len(keep), dtype=np.int32)
    kept = tuple(values[i] for i in keep)
    return GivenLabels(renumber[codes], tuple(str(v) for v in kept), kept, bare_ids=ids)


def _read_ids(codes: np.ndarray, found: list[Any], column: pd.Series, names: tuple[str, ...] | None) -> GivenLabels:
    kind = next(type(v) for v in found if not _is_missing(v))
    present = sorted({int(v) for v in found if not _is_missing(v)})
    if present and present[0] < 0:
        row = int(np.flatnonzero(codes == [int(v) for v in found].index(present[0]))[0])
        raise LabelError(
            f"Expected label ids from 0 up (-1 and -100 mean no label), found {present[0]} in column {column.name!r}, row {row}."
        )
    if names is not None and present and present[-1] >= len(names):
        raise LabelError(
            f"Expected label ids below {len(names)}, the number of label names, found {present[-1]} in column {column.name!r}. "
            "Pass a name for every id."
        )
    ids = list(range(len(names))) if names is not None else present
    position = {label: i for i, label in enumerate(ids)}
    table = [NO_LABEL if _is_missing(v) else position[int(v)] for v in found]
    shown = names if names is not None else tuple(str(i) for i in ids)
    if kind is bool and names is None:
        return GivenLabels(_recode(codes, table), tuple(str(bool(i)) for i in ids), tuple(bool(i) for i in ids))
    return GivenLabels(_recode(codes, table), shown, tuple(kind(i) for i in ids), bare_ids=names is None)


def _read_names(codes: np.ndarray, found: list[Any], names: tuple[str, ...] | None) -> GivenLabels:
    present = [v for v in found if not _is_missing(v)]
    order = tuple(sorted(present)) if names is None else names
    position = {name: i for i, name in enumerate(order)}
    unknown = [v for v in present if v not in position]
    if unknown:
        raise LabelError(
            f"Expected labels among label_names, found {listing(unknown)}{near_miss(unknown[0], order)} "
            f"Given names: {listing(order)}."
        )
    table = [NO_LABEL if _is_missing(v) else position[v] for v in found]
    return GivenLabels(_recode(codes, table), order, order)


def _recode(codes: np.ndarray, table: list[int]) -> np.ndarray:
    return np.array([*table, NO_LABEL], dtype=np.int32)[codes]  # factorize's -1 reaches the last entry


def _in_model_order(given: GivenLabels, model_names: list[str], to_model: list[int], believed: bool) -> AlignedLabels:
    names, values = list(model_names), _unseen_values(given, model_names, to_model)
    for i, j in reversed(list(enumerate(to_model))):  # where several values mean one label, the first is written
        values[j] = given.values[i]
        if not given.bare_ids and to_model.count(j) == 1:
            names[j] = given.names[i]
    if len(set(names)) < len(names):
        names = list(model_names)
    aliases = dict(zip(given.values, to_model, strict=True))
    return AlignedLabels(_recode(given.codes, to_model), tuple(names), tuple(values), aliases, believed)


def _unseen_values(given: GivenLabels, model_names: list[str], to_model: list[int]) -> list[Any]:
    """How the column would write the model's labels that do not occur in it; None where it has no room for more."""
    kind = type(given.values[0]) if given.values else str
    if kind is str:
        return list(model_names)
    if given.bare_ids and to_model == [int(name) for name in given.names]:
        return [kind(j) for j in range(len(model_names))]
    if kind is bool:
        return [None] * len(model_names)
    free = (kind(i) for i in itertools.count() if kind(i) not in given.values)
    return [None if j in to_model else next(free) for j in range(len(model_names))]


def _mapped_names(given: GivenLabels, model_names: list[str], label_map: Mapping[Any, str] | None) -> dict[int, str]:
    if label_map is None:
        return {}
    mapped: dict[int, str] = {}
    known = {_fold(n) for n in model_names}
    for key, target in label_map.items():
        if _fold(target) not in known:
            raise LabelMismatch(
                f"Expected label_map to lead to names of the model, found {target!r}{near_miss(target, model_names)}\n"
                f"{_both(given.names, model_names)}"
            )
        if key in given.names:
            mapped[given.names.index(key)] = target
        elif key in given.values:
            mapped[given.values.index(key)] = target
    return mapped


def _checked_names(label_names: Sequence[str]) -> tuple[str, ...]:
    names = tuple(str(n) for n in label_names)
    twice = [n for n in dict.fromkeys(names) if names.count(n) > 1]
    if isinstance(label_names, str) or twice or not names:
        found = f"{listing(twice)} twice" if twice else repr(label_names)
        raise LabelError(f"Expected label_names to be a list of different names in the order of their ids, found {found}.")
    return names


def _is_missing(value: Any) -> bool:
    if isinstance(value, str):
        return value == ""
    return value is None or bool(pd.isna(value)) or (not isinstance(value, bool) and value in (-1, -100))


def _fold(name: object) -> str:
    return str(name).strip().casefold()


def _both(data_names: Sequence[str], model_names: Sequence[str]) -> str:
    return f"  data : {listing(data_names, most=30)}\n  model: {listing(model_names, most=30)}"
