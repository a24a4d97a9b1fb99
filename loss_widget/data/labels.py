"""Label columns as class names and ids, and the model's names matched with the data's.

A label has three faces: its *name* (what a person reads), its *id* (a column of the log-probabilities) and its *value* (what
stands in the user's column: a name, an integer, a category). This module is the only one that translates between them.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from loss_widget.errors import LabelError, LabelMismatch, listing, near_miss

NO_LABEL = -1
"""The id of a row without a label."""

_PLACEHOLDER = re.compile(r"label_\d+", re.IGNORECASE)
_NUMBER = re.compile("0|[1-9][0-9]*")
_REMEDY = {
    "model": "Pass `label_map={name or id in the data: name in the model}`, or set `model.config.id2label`.",
    "label_names": "Pass `label_names=` spelled as in the data, in the order of the columns of probs.",
    "label_map": "Give each of them a name in `label_map={name or id in the data: name}`.",
}


@dataclass(frozen=True)
class GivenLabels:
    """A label column, read once.

    `codes`: (n,) int32, index into `names`, -1 where the label is missing. `values[i]`: `names[i]` as the column writes it.
    `bare_ids`: the column holds integers whose names are not known. `kind`: the type of its values, also where no label occurs.
    """

    codes: np.ndarray
    names: tuple[str, ...]
    values: tuple[Any, ...]
    bare_ids: bool = False
    kind: type = str


@dataclass(frozen=True)
class AlignedLabels:
    """The same labels in the order of a model's output columns.

    `values[i]`: how the column writes `names[i]`; `aliases`: every value that occurs in it or in the label_map, with its id.
    `believed`: the names matched, so that a far better permutation of them only warns.
    """

    codes: np.ndarray
    names: tuple[str, ...]
    values: tuple[Any, ...]
    aliases: Mapping[Any, int] = field(default_factory=dict)
    believed: bool = True

    @property
    def missing(self) -> np.ndarray:
        """(n,) bool: rows without a label."""
        return self.codes == NO_LABEL


def label_id(name: object, names: Sequence[str], *, otherwise: str = "") -> int:
    """The id of a label name; `LabelError` names near misses, and `otherwise` ends it."""
    try:
        return names.index(name)  # type: ignore[arg-type]
    except ValueError:
        raise LabelError(
            f"Expected one of the {len(names)} label names, found {name!r}{near_miss(name, names)} "
            f"Known labels: {listing(names)}.{otherwise}"
        ) from None


def read_labels(column: pd.Series, *, label_names: Sequence[object] | None = None, by_position: bool = False) -> GivenLabels:
    """The labels of a column of ids, names or categories. None, NaN, -1, -100 and "" are missing.

    An id is the position of its name in `label_names`; but where all names are numbers ("1" to "5") and every id is one of them,
    it means that name, unless `by_position`.
    """
    names = None if label_names is None else checked_names(label_names)
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _read_categories(column, names)
    codes, uniques = pd.factorize(column, use_na_sentinel=True)
    found = [u.item() if isinstance(u, np.generic) else u for u in uniques]
    labels = [u for u in found if not is_missing(u)]
    for value in labels:
        if not isinstance(value, (str, bool, int)) and not (isinstance(value, float) and value.is_integer()):
            row = int(np.flatnonzero(codes == found.index(value))[0])
            raise LabelError(
                f"Expected labels that are names (str) or ids (int), found {value!r} ({type(value).__name__}) in column "
                f"{column.name!r}, row {row}. Convert the column first, for example with `.astype(str)`."
            )
    if len({isinstance(v, str) for v in labels}) > 1:
        raise LabelError(
            f"Expected one kind of label in column {column.name!r}, found names and numbers: {listing(labels)}. "
            "Write them all as names or all as ids."
        )
    kind = _kind_of(labels or found, column.dtype)
    if kind is str:
        return _read_names(codes, found, names)
    return _read_ids(codes, found, column, names, kind=kind, by_position=by_position or kind is bool)


def align_labels(
    given: GivenLabels, model_names: Sequence[object], *, label_map: Mapping[Any, str] | None = None, called: str = "model"
) -> AlignedLabels:
    """The given labels in the model's order, matched by name: as spelled, else case and surrounding space aside.

    Raises `LabelMismatch` where the names do not fit; `label_map` {name or id in the data: name in the model} settles it, also
    for labels that do not occur. `called`: what an error calls the names ("model", "label_names" or "label_map").
    """
    names = [str(n) for n in model_names]
    if given.bare_ids and label_map is None:
        return _align_ids(given, names)
    find = _finder(names)
    mapped, unseen = _mapped_names(given, label_map or {})
    targets = [mapped.get(i, name) for i, name in enumerate(given.names)]
    shown = _both(given.names, names, called)
    for target in (label_map or {}).values():
        if not find(target):
            raise LabelMismatch(
                f"Expected label_map to lead to names of the {called}, found {target!r}{near_miss(target, names)}\n{shown}"
            )
    unknown = [t for t in targets if not find(t)]
    if unknown:
        owner = {"model": "the model's labels"}.get(called, called)
        lacking = (
            f"that {'it does' if called == 'model' else 'they do'} not know {listing(unknown)}{_near_miss_of(unknown, names)}"
        )
        if all(_PLACEHOLDER.fullmatch(n) for n in names):
            lacking = f"that {'the model only has' if called == 'model' else 'they are only'} placeholder names."
        raise LabelMismatch(f"Expected every label of the data among {owner}, found {lacking}\n{shown}\n{_REMEDY[called]}")
    for target in (*targets, *unseen.values()):
        if len(find(target)) > 1:
            alike = listing(names[j] for j in find(target))
            raise LabelMismatch(
                f"Expected one label for {target!r}, found {alike}, which are alike but for case and space.\n{shown}\n"
                "Spell the labels of the data exactly as one of them."
            )
    to_model = [find(t)[0] for t in targets]
    return _in_model_order(given, names, to_model, {value: find(t)[0] for value, t in unseen.items()})


def checked_names(label_names: Sequence[object]) -> tuple[str, ...]:
    """Label names as text; `LabelError` unless they are a list of different names."""
    in_order = not isinstance(label_names, (str, Mapping, set, frozenset))
    names = tuple(str(n) for n in label_names) if in_order else ()
    twice = [n for n in dict.fromkeys(names) if names.count(n) > 1]
    if twice or not names:
        found = f"{listing(twice)} twice" if twice else repr(label_names)
        raise LabelError(f"Expected label_names to be a list of different names in the order of their ids, found {found}.")
    return names


def is_missing(value: Any) -> bool:
    """Whether a single value means no label: None, NaN, -1, -100 or ""."""
    if isinstance(value, str):
        return value == ""
    return value is None or bool(pd.isna(value)) or (not isinstance(value, bool) and value in (-1, -100))


def _read_categories(column: pd.Series, names: tuple[str, ...] | None) -> GivenLabels:
    values = [v.item() if isinstance(v, np.generic) else v for v in column.cat.categories]
    codes = column.cat.codes.to_numpy().astype(np.int32)
    keep = [i for i, v in enumerate(values) if not is_missing(v)]
    kept = tuple(values[i] for i in keep)
    ids = all(isinstance(v, int) and not isinstance(v, bool) for v in values) and bool(values)
    if names is not None and not (ids and _names_in_order(kept, names)):
        return read_labels(column.astype("Int64" if ids else object), label_names=names)
    renumber = np.full(len(values) + 1, NO_LABEL, dtype=np.int32)
    renumber[keep] = np.arange(len(keep), dtype=np.int32)
    shown = tuple(str(v) for v in kept) if names is None else names
    return GivenLabels(renumber[codes], shown, kept, bare_ids=ids and names is None, kind=_kind_of(values, object))


def _names_in_order(categories: Sequence[Any], names: Sequence[str]) -> bool:
    """Whether integer categories such as 1, 2, 3 can only mean the names in their order: as many, but no positions from 0."""
    return len(categories) == len(names) and not set(_ids_of(names, categories)).issuperset(categories)


def _read_ids(
    codes: np.ndarray, found: list[Any], column: pd.Series, names: tuple[str, ...] | None, *, kind: type, by_position: bool
) -> GivenLabels:
    present = sorted({int(v) for v in found if not is_missing(v)})
    if present and present[0] < 0:
        row = int(np.flatnonzero(codes == [int(v) for v in found].index(present[0]))[0])
        raise LabelError(
            f"Expected label ids from 0 up (-1 and -100 mean no label), found {present[0]} in column {column.name!r}, row {row}."
        )
    ids = present if names is None else list(range(len(names))) if by_position else _ids_of(names, present)
    if not set(ids).issuperset(present):
        advice = "Pass a name for every id."
        if _starts_at_one(present, len(ids)):
            advice = (
                f"They start at 1. Pass ids from 0, `data[{column.name!r}] - 1`, or the names themselves, "
                f"`data[{column.name!r}].map(dict(enumerate(label_names, start=1)))`."
            )
        outside = listing(i for i in present if i not in ids)
        raise LabelError(
            f"Expected label ids from 0 to {len(ids) - 1} for {len(ids)} labels, found {outside} in column {column.name!r}. "
            f"{advice}"
        )
    position = {label: i for i, label in enumerate(ids)}
    table = [NO_LABEL if is_missing(v) else position[int(v)] for v in found]
    values = tuple(kind(i) for i in ids)
    shown = names if names is not None else tuple(str(v) for v in (values if kind is bool else ids))
    return GivenLabels(_recode(codes, table), shown, values, bare_ids=names is None and kind is not bool, kind=kind)


def _ids_of(names: Sequence[str], present: Sequence[int]) -> list[int]:
    """The id of each name: the number that it is, where all are numbers and every id present is one of them, else its place."""
    if all(_NUMBER.fullmatch(n.strip()) for n in names):
        numbers = [int(n) for n in names]
        if set(numbers).issuperset(present):
            return numbers
    return list(range(len(names)))


def _starts_at_one(ids: Sequence[int], n_labels: int) -> bool:
    return bool(ids) and min(ids) >= 1 and max(ids) == n_labels


def _kind_of(values: Sequence[Any], dtype: Any) -> type:
    """The type of a column's values, by its dtype where none occurs."""
    for test, kind in (
        (pd.api.types.is_bool_dtype, bool),
        (pd.api.types.is_integer_dtype, int),
        (pd.api.types.is_float_dtype, float),
    ):
        if test(dtype):
            return kind
    return next((type(v) for v in values if isinstance(v, (str, int, float))), str)


def _read_names(codes: np.ndarray, found: list[Any], names: tuple[str, ...] | None) -> GivenLabels:
    present = [v for v in found if not is_missing(v)]
    order = tuple(sorted(present)) if names is None else names
    position = {name: i for i, name in enumerate(order)}
    unknown = [v for v in present if v not in position]
    if unknown:
        raise LabelError(
            f"Expected labels among label_names, found {listing(unknown)}{near_miss(unknown[0], order)} "
            f"Given names: {listing(order)}."
        )
    table = [NO_LABEL if is_missing(v) else position[v] for v in found]
    return GivenLabels(_recode(codes, table), order, order)


def _recode(codes: np.ndarray, table: list[int]) -> np.ndarray:
    return np.array([*table, NO_LABEL], dtype=np.int32)[codes]  # factorize's -1 reaches the last entry


def _align_ids(given: GivenLabels, model_names: list[str]) -> AlignedLabels:
    ids = [int(name) for name in given.names]
    ids_of_model = _ids_of(model_names, ids)
    outside = [i for i in ids if i not in ids_of_model]
    if outside:
        advice = "Pass a model trained on these labels, or `label_map={id in the data: name in the model}`."
        if _starts_at_one(ids, len(model_names)):
            advice = "They start at 1: pass ids from 0, or `label_map=dict(enumerate([...], start=1))` with names of the model."
        raise LabelMismatch(
            f"Expected label ids from 0 to {len(model_names) - 1}, the model's number of labels, found {listing(outside)}.\n"
            f"{_both(given.names, model_names, 'model')}\n{advice}"
        )
    values = [given.kind(i) for i in ids_of_model]
    to_model = [ids_of_model.index(i) for i in ids]
    aliases = dict(zip(given.values, to_model, strict=True))
    return AlignedLabels(_recode(given.codes, to_model), tuple(model_names), tuple(values), aliases, believed=False)


def _in_model_order(given: GivenLabels, model_names: list[str], to_model: list[int], unseen: Mapping[Any, int]) -> AlignedLabels:
    """`unseen`: values of the label_map that do not occur, with the label of the model that they mean."""
    names, values = list(model_names), _free_values(given, to_model, unseen, model_names)
    written = [*zip(given.values, given.names, to_model, strict=True), *((v, str(v), j) for v, j in unseen.items())]
    meant = [j for _, _, j in written[: len(to_model)]] + [j for j in unseen.values() if j not in to_model]
    for value, name, j in reversed(written):  # where several values mean one label, the first is written
        values[j] = value
        if not given.bare_ids and meant.count(j) == 1 and (j in to_model or given.kind in (str, bool)):
            names[j] = name
    if len(set(names)) < len(names):
        names = list(model_names)
    aliases = {value: j for value, _, j in written}
    return AlignedLabels(_recode(given.codes, to_model), tuple(names), tuple(values), aliases)


def _free_values(given: GivenLabels, to_model: list[int], unseen: Mapping[Any, int], model_names: list[str]) -> list[Any]:
    """How the column would write labels that only the model knows; None where it has no room for more."""
    if given.kind is str:
        return list(model_names)
    if given.kind is bool:
        return [None] * len(model_names)
    taken = {*given.values, *unseen}
    free = (given.kind(i) for i in itertools.count() if i not in taken)
    named = {*to_model, *unseen.values()}
    return [None if j in named else next(free) for j in range(len(model_names))]


def _mapped_names(given: GivenLabels, label_map: Mapping[Any, str]) -> tuple[dict[int, str], dict[Any, str]]:
    """What a label_map says of the labels in the data, by code, and of others, by the value that the column would hold."""
    mapped: dict[int, str] = {}
    unseen: dict[Any, str] = {}
    for key, target in label_map.items():
        if key in given.names:
            mapped[given.names.index(key)] = target
        elif key in given.values:
            mapped[given.values.index(key)] = target
        elif (value := _as_value(key, given.kind)) is not None:
            unseen.setdefault(value, target)
    return mapped, unseen


def _as_value(key: Any, kind: type) -> Any:
    """A key of a label_map as the column would write it; None where it cannot."""
    key = key.item() if isinstance(key, np.generic) else key
    if is_missing(key) or kind in (str, bool):
        return key if isinstance(key, kind) and not is_missing(key) else None
    if isinstance(key, str) and _NUMBER.fullmatch(key):
        return kind(int(key))
    return kind(int(key)) if isinstance(key, (int, float)) and key >= 0 and int(key) == key else None


def _finder(names: Sequence[str]) -> Callable[[object], list[int]]:
    """Where a name stands: as spelled if there is such a name, else wherever it is alike but for case and space."""
    exact: dict[str, list[int]] = {}
    folded: dict[str, list[int]] = {}
    for i, name in enumerate(names):
        exact.setdefault(name, []).append(i)
        folded.setdefault(_fold(name), []).append(i)
    return lambda name: exact.get(str(name)) or folded.get(_fold(name), [])


def _fold(name: object) -> str:
    return str(name).strip().casefold()


def _near_miss_of(unknown: Sequence[str], known: Sequence[str]) -> str:
    misses = ((name, near_miss(name, known)) for name in unknown[:12])
    name, miss = next(((n, m) for n, m in misses if m != "."), ("", "."))
    return miss if len(unknown) == 1 or miss == "." else f"{miss[:-1]} for {name!r}?"


def _both(data_names: Sequence[str], names: Sequence[str], called: str) -> str:
    width = max(len(called), len("data"))
    return f"  {'data':{width}}: {listing(data_names, most=30)}\n  {called:{width}}: {listing(names, most=30)}"


def label_column_of(ids: np.ndarray, values: Sequence[Any], *, like: pd.Series) -> pd.Series:
    """Label ids (-1: none) written as the label column `like` writes them: same index, same dtype wherever it can hold them."""
    if isinstance(like.dtype, pd.CategoricalDtype):
        categories = [*like.cat.categories, *(v for v in values if v not in like.cat.categories)]
        position = np.array([categories.index(v) for v in values] + [NO_LABEL])
        dtype = pd.CategoricalDtype(categories, ordered=like.cat.ordered)
        return pd.Series(pd.Categorical.from_codes(position[ids], dtype=dtype), index=like.index)
    table = np.empty(len(values) + 1, dtype=object)
    table[:-1], table[-1] = list(values), None
    written = table[ids]
    holds_missing = not (pd.api.types.is_integer_dtype(like.dtype) or pd.api.types.is_bool_dtype(like.dtype)) or isinstance(
        like.dtype, pd.api.extensions.ExtensionDtype
    )
    if holds_missing or (ids >= 0).all():
        return pd.Series(written, index=like.index, dtype=like.dtype)
    return pd.Series(written, index=like.index).convert_dtypes()
