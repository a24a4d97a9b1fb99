"""One label a row: a column of names, ids or categories, matched with a model's names."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from loss_widget.data.label_advice import advice_on_ids
from loss_widget.data.label_space import NO_LABEL, UNKNOWN, AlignedLabels, GivenLabels, LabelSpace, label_kind
from loss_widget.data.losses import adjusted_losses, losses, margins
from loss_widget.errors import LabelError, LabelMismatch, listing, near_miss

_PLACEHOLDER = re.compile(r"label_\d+", re.IGNORECASE)
_NUMBER = re.compile("0|-?[1-9][0-9]*")
_WHOLE_FLOAT = re.compile(r"(-?[0-9]+)\.0+")
_UNSEEN = dict.fromkeys(map(ord, "\u00ad\u200b\u200e\u200f\u2060\ufeff"))
_REMEDY = {
    "model": "Pass `label_map={name or id in the data: name in the model}`, with None for a value that means no label; or set "
    "`model.config.id2label`.",
    "label_names": "Pass `label_names=` spelled as in the data, in the order of the columns of probs.",
    "label_map": "Give each of them a name in `label_map={name or id in the data: name}`, or None if it means no label.",
}


@dataclass(frozen=True)
class GivenLabel(GivenLabels):
    """A column of one label a row, read once.

    `codes`: (n,) int32, index into `names`, -1 where the label is missing. `values[i]`: `names[i]` as the column writes it.
    `aliases`: every value of the column that is a label, with its code; several may look alike. `counts`: how often each occurs.
    `bare_ids`: the column holds integers whose names are not known. `kind`: the type of its values, also where no label occurs.
    `minus_ones`: the rows that hold the number -1, which means no label unless a model has one of that name.
    """

    head = "softmax"

    codes: np.ndarray
    names: tuple[str, ...]
    values: tuple[Any, ...]
    bare_ids: bool = False
    kind: type = str
    aliases: Mapping[Any, int] = field(default_factory=dict)
    counts: Mapping[Any, int] = field(default_factory=dict)
    minus_ones: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    @property
    def missing(self) -> np.ndarray:
        return self.codes == NO_LABEL

    def align(
        self, names: Sequence[object], *, label_map: Mapping[Any, str | None] | None = None, called: str = "model"
    ) -> AlignedLabels:
        return align_labels(self, names, label_map=label_map, called=called)

    def of_columns(self, width: int, label_names: Sequence[str] | None, column: pd.Series) -> AlignedLabels:
        is_categorical = isinstance(column.dtype, pd.CategoricalDtype)
        if label_names is not None:
            names = checked_names(label_names)
        elif self.kind is str and not is_categorical:
            return super().of_columns(width, None, column)
        elif self.bare_ids and not (is_categorical and len(self.names) == width):
            names = tuple(str(i) for i in range(width))
        else:
            names = self.names
        given = read_labels(column, label_names=names) if self.bare_ids else self
        return given.align(names, called="label_names")

    def as_they_are(self) -> AlignedLabels:
        aliases = {**dict(zip(self.values, range(len(self.values)), strict=True)), **self.aliases}
        return AlignedLabels(OneLabel(self.names, self.values, aliases, self.names), self.codes)

    def with_predicted(
        self, column: pd.Series, guesses: pd.Series, *, label_names: Sequence[str] | None
    ) -> tuple[AlignedLabels, np.ndarray]:
        guessed = read_labels(guesses)
        of_another_sort = len(self.names) and len(guessed.names) and (guessed.kind is str) != (self.kind is str)
        if label_names is not None or of_another_sort:  # such as ids given and names predicted
            own = self.as_they_are()
            return own, _ids_of_predicted(own.space, guesses, guessed)
        if isinstance(column.dtype, pd.CategoricalDtype):
            categories = [*column.cat.categories, *(v for v in guesses.dropna().unique() if v not in column.cat.categories)]
            both = pd.Series(pd.Categorical([*column, *guesses], categories=categories), name=column.name)
        else:
            both = pd.concat([column.astype(object), guesses.astype(object)], ignore_index=True).rename(column.name)
        read = read_labels(both)
        kind, n = self.kind if len(self.names) else read.kind, len(column)
        values = read.values if kind in (str, read.kind) else tuple(kind(value) for value in read.values)
        labels = replace(read, values=values, kind=kind).as_they_are()
        return AlignedLabels(labels.space, labels.ids[:n]), labels.ids[n:]

    def refusal(self, head: str) -> str:
        row = int(np.flatnonzero(~self.missing)[0])
        return (
            f"Expected a list of labels a row, or a 0/1 vector, since this is a multi-label model, found single labels, the "
            f"first is {self.values[self.codes[row]]!r} in row {row}. Put them in lists by "
            "`data[label] = data[label].map(lambda name: [name], na_action='ignore')`; split texts such as 'joy,anger' by "
            "`data[label] = data[label].str.split(',')`."
        )


@label_kind
@dataclass(frozen=True)
class OneLabel(LabelSpace):
    """Each row has one of the names.

    `values[i]`: how the column writes `names[i]`, None where it has no way to. `aliases`: every value that is known to stand for
    a label, with its id (`NO_LABEL`: it means none).
    """

    kind = "one"
    head = "softmax"

    names: tuple[str, ...]
    values: tuple[Any, ...]
    aliases: Mapping[Any, int]
    classes: tuple[str, ...]

    @classmethod
    def reads(cls, column: pd.Series) -> bool:
        return True

    @classmethod
    def read(cls, column: pd.Series, *, label_names: Sequence[object] | None, by_position: bool) -> GivenLabel:
        return read_labels(column, label_names=label_names, by_position=by_position)

    @classmethod
    def none(cls, rows: int) -> GivenLabel:
        return GivenLabel(np.full(rows, NO_LABEL, dtype=np.int32), (), ())

    def find(self, label: Any) -> int:
        if isinstance(label, str) and label not in self._numbers:
            alike = [i for i, name in enumerate(self.names) if look(name) == look(label)]
            if len(alike) == 1:
                return alike[0]
        return super().find(label)

    def with_class(self, name: str) -> OneLabel:
        label = len(self.names)
        return replace(self, names=(*self.names, name), values=(*self.values, name), aliases={name: label, **self.aliases})

    def id_of(self, value: Any) -> int:
        if value is None or value is pd.NA or (isinstance(value, float) and value != value):
            return NO_LABEL
        value = value.item() if isinstance(value, np.generic) else value
        try:
            if value in self.aliases:
                return self.aliases[value]
            if value in self._ids:
                return self._ids[value]
            return NO_LABEL if is_missing(value) else UNKNOWN
        except (TypeError, ValueError):  # a list, an array
            return UNKNOWN

    @cached_property
    def _ids(self) -> dict[Any, int]:
        return {value: i for i, value in reversed([*enumerate(self.values)]) if value is not None}

    def value_of(self, label: int) -> Any:
        return self.values[label]

    def ids_in(self, column: pd.Series) -> np.ndarray:
        codes, found = _factorized(column)
        return _recode(codes, [self.id_of(value) for value in found])

    def column_of(self, ids: np.ndarray, *, like: pd.Series) -> pd.Series:
        shown = [name if value is None else value for value, name in zip(self.values, self.names, strict=True)]
        if isinstance(like.dtype, pd.CategoricalDtype):
            categories = list(dict.fromkeys([*like.cat.categories, *shown]))
            place = {value: i for i, value in enumerate(categories)}
            position = np.array([*(place[value] for value in shown), NO_LABEL])
            dtype = pd.CategoricalDtype(categories, ordered=like.cat.ordered)
            return pd.Series(pd.Categorical.from_codes(position[ids], dtype=dtype), index=like.index)
        table = np.empty(len(shown) + 1, dtype=object)
        table[:-1], table[-1] = shown, None
        written = table[ids]
        if any(self.values[i] is None for i in np.unique(ids[ids >= 0]).tolist()):  # the column has no way to write it
            return pd.Series(written, index=like.index, dtype=object)
        holds_missing = not (pd.api.types.is_integer_dtype(like.dtype) or pd.api.types.is_bool_dtype(like.dtype)) or isinstance(
            like.dtype, pd.api.extensions.ExtensionDtype
        )
        if holds_missing or (ids >= 0).all():
            return pd.Series(written, index=like.index, dtype=like.dtype)
        return pd.Series(written, index=like.index).convert_dtypes()

    def check_writable(self, label: int, column: pd.Series) -> None:
        value, dtype = self.values[label], column.dtype
        whole = isinstance(dtype, np.dtype) and dtype.kind in "iu"
        name_in_numbers = isinstance(value, str) and pd.api.types.is_numeric_dtype(dtype)
        if value is None or name_in_numbers or (whole and not np.iinfo(dtype).min <= value <= np.iinfo(dtype).max):
            raise LabelError(
                f"Expected a label that a column of {dtype} can hold, found {'one too many' if value is None else repr(value)}. "
                "Widen the label column first."
            )

    def takes_names(self, column: pd.Series) -> bool:
        of_names = not self.values or all(isinstance(value, str) for value in self.values)
        return of_names and not pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)

    def class_names(self) -> list[str] | None:
        ids = [v for v in self.values if isinstance(v, int) and not isinstance(v, bool)]
        if (
            len(ids) != len(self.names)
            or sorted(ids) != list(range(len(ids)))
            or all(n == str(i) for n, i in zip(self.names, ids, strict=True))
        ):
            return None
        return [name for _, name in sorted(zip(ids, self.names, strict=True))]

    def losses(self, log_probs: np.ndarray, ids: np.ndarray) -> np.ndarray:
        return losses(log_probs, ids)

    def predicted(self, log_probs: np.ndarray) -> tuple[LabelSpace, np.ndarray]:
        best = log_probs.argmax(axis=1).astype(np.int32)  # of a row with NaN the NaN, so that nothing need be copied
        best[~np.isfinite(log_probs[np.arange(len(best)), best])] = NO_LABEL
        return self, best

    def suggestions(self, log_probs: np.ndarray, *, most: int) -> list[list[tuple[int, float]]]:
        order = np.argsort(-log_probs, axis=1, kind="stable")[:, :most]
        probs = np.exp(np.take_along_axis(log_probs, order, axis=1)).tolist()
        return [
            [(label, p) for label, p in zip(labels, of_row, strict=True) if p == p]
            for labels, of_row in zip(order.tolist(), probs, strict=True)
        ]

    @property
    def measures(self) -> Mapping[str, Callable[[np.ndarray, np.ndarray], np.ndarray]]:
        return {"margin": margins, "adjusted": adjusted_losses}

    def stored(self, ids: np.ndarray) -> tuple[pa.Array, dict[str, Any]]:
        return pa.array(ids), {
            "label_names": self.names,
            "label_values": self.values,
            "label_aliases": list(self.aliases.items()),
        }

    @classmethod
    def restored(cls, column: pa.Array, stored: Mapping[str, Any]) -> AlignedLabels:
        names = tuple(stored["label_names"])
        return AlignedLabels(cls(names, tuple(stored["label_values"]), dict(stored["label_aliases"]), names), np.asarray(column))


def _ids_of_predicted(space: LabelSpace, guesses: pd.Series, guessed: GivenLabel) -> np.ndarray:
    """(n,) int32: predicted labels, written as the label column writes them or by their names."""
    find = _finder(space.names)
    ids = []
    for name, value in zip(guessed.names, guessed.values, strict=True):
        known = space.id_of(value)
        alike = [known] if known >= 0 else find(name)
        if not alike and guessed.bare_ids and value < len(space.names):  # the names are given, their places predicted
            alike = [int(value)]
        if len(alike) != 1:
            raise LabelError(
                f"Expected predicted labels among the given ones or their names, found {value!r} in column {guesses.name!r}"
                f"{near_miss(name, space.names)} Known labels: {listing(space.names)}. Pass all of them as `label_names=`."
            )
        ids += alike
    return _recode(guessed.codes, ids)


def look(name: str) -> str:
    """A name as it looks on a screen: nothing invisible in it, single spaces, none around it, letters and accents as one.

    >>> look(" card\u00a0 arrival\u200b") == look("card arrival")
    True
    """
    if not name.isascii():
        name = unicodedata.normalize("NFC", name).translate(_UNSEEN)
    return " ".join(name.split())


def read_labels(column: pd.Series, *, label_names: Sequence[object] | None = None, by_position: bool = False) -> GivenLabel:
    """The labels of a column of ids, names or categories. None, NaN, -1, -100 and "" are missing.

    An id is the position of its name in `label_names`; but where all names are numbers ("1" to "5") and every id is one of them,
    it means that name, unless `by_position`.
    """
    names = None if label_names is None else checked_names(label_names)
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _read_categories(column, names)
    codes, found = _factorized(column)
    labels = [u for u in found if not is_missing(u)]
    for value in labels:
        if not isinstance(value, (str, bool, int)) and not (isinstance(value, float) and value.is_integer()):
            raise _no_label(value, column, row=int(np.flatnonzero(codes == found.index(value))[0]))
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
    given: GivenLabel, model_names: Sequence[object], *, label_map: Mapping[Any, str | None] | None = None, called: str = "model"
) -> AlignedLabels:
    """The given labels in the model's order, matched by name: as spelled, else case and surrounding space aside.

    Raises `LabelMismatch` where the names do not fit; `label_map` {name or id in the data: name in the model} settles it, also
    for labels that do not occur; None as the name in the model says that it means no label. `called`: what an error calls the
    names ("model", "label_names" or "label_map").
    """
    names = [str(n) for n in model_names]
    if given.bare_ids and label_map is None:
        return _align_ids(given, names)
    find = _finder(names)
    if given.kind is bool:
        given = _occurring(given, lambda name: bool(find(name)))
    mapped, unseen = _mapped_names(given, label_map or {})
    targets = [mapped.get(i, name) for i, name in enumerate(given.names)]
    shown = _both(given.names, names, called)
    for target in (label_map or {}).values():
        if target is not None and not find(target):
            raise LabelMismatch(
                f"Expected label_map to lead to names of the {called}, found {target!r}{near_miss(target, names)}\n{shown}"
            )
    unknown = [t for t in targets if t is not None and not find(t)]
    if unknown:
        owner = {"model": "the model's labels"}.get(called, called)
        lacking = (
            f"that {'it does' if called == 'model' else 'they do'} not know {listing(unknown)}{_near_miss_of(unknown, names)}"
        )
        if all(_PLACEHOLDER.fullmatch(n) for n in names):
            lacking = f"that {'the model only has' if called == 'model' else 'they are only'} placeholder names."
        advice = advice_on_ids(given.values, missing=bool((given.codes == NO_LABEL).any()))
        if not advice and called == "label_names":
            value = given.values[targets.index(unknown[0])] if unknown[0] in targets else unknown[0]
            advice = f" If {value!r} means no label, take it out by `data[label] = data[label].mask(data[label] == {value!r})`."
        raise LabelMismatch(
            f"Expected every label of the data among {owner}, found {lacking}\n{shown}\n{_REMEDY[called]}{advice}"
        )
    for target in (*targets, *unseen.values()):
        if target is not None and len(find(target)) > 1:
            alike = listing(names[j] for j in find(target))
            raise LabelMismatch(
                f"Expected one label for {target!r}, found {alike}, which are alike but for case and space.\n{shown}\n"
                "Spell the labels of the data exactly as one of them."
            )

    def place(target: str | None) -> int:
        return NO_LABEL if target is None else find(target)[0]

    to_model = [place(t) for t in targets]
    return _in_model_order(given, names, to_model, {value: place(t) for value, t in unseen.items()})


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
    """Whether a single value means no label: None, NaN, -1, -100, or a text in which there is nothing to see."""
    if isinstance(value, str):
        return not look(value)
    return value is None or bool(pd.isna(value)) or (not isinstance(value, bool) and value in (-1, -100))


def _factorized(column: pd.Series) -> tuple[np.ndarray, list[Any]]:
    """The distinct values of a column as Python has them, and (n,) their numbers, -1 for what pandas calls missing."""
    if isinstance(column.dtype, pd.ArrowDtype) and pa.types.is_dictionary(column.dtype.pyarrow_dtype):
        column = column.astype(pd.ArrowDtype(column.dtype.pyarrow_dtype.value_type))
    try:
        codes, found = pd.factorize(column, use_na_sentinel=True)
    except (TypeError, pa.ArrowException) as error:  # lists, arrays and dicts are no labels
        row = next((i for i, v in enumerate(column) if not pd.api.types.is_scalar(v)), 0)
        raise _no_label(column.iloc[row], column, row=row) from error
    return codes, [value.item() if isinstance(value, np.generic) else value for value in found]


def _no_label(value: Any, column: pd.Series, *, row: int) -> LabelError:
    """The refusal of what is no label, with what turns this one into one."""
    name = column.name
    if isinstance(value, (bytes, bytearray)):
        advice = f"Decode them: `data[{name!r}].str.decode('utf-8')`."
    elif hasattr(value, "detach") or isinstance(value, np.ndarray):
        taken = "item" if value.ndim == 0 else "tolist"
        advice = (
            f"Take the {'int' if taken == 'item' else 'list'} out of it: `data[{name!r}].map(lambda label: label.{taken}())`."
        )
    elif isinstance(value, float):
        advice = f"Make classes of such numbers first, for example `(data[{name!r}] > 0.5).astype(int)`."
    elif isinstance(value, Mapping):
        advice = (
            f"Take the label out of it, for example `data[{name!r}].map(lambda label: label[{next(iter(value), 'name')!r}])`."
        )
    else:
        advice = f"Convert the column first: `data[{name!r}].map(str)`."
    return LabelError(
        f"Expected one label a row, a name (str) or an id (int), found {value!r} ({type(value).__name__}) in column {name!r}, "
        f"row {row}. {advice}"
    )


def _read_categories(column: pd.Series, names: tuple[str, ...] | None) -> GivenLabel:
    values = [v.item() if isinstance(v, np.generic) else v for v in column.cat.categories]
    codes = column.cat.codes.to_numpy().astype(np.int32)
    keep = [i for i, v in enumerate(values) if not is_missing(v)]
    kept = tuple(values[i] for i in keep)
    ids = all(isinstance(v, int) and not isinstance(v, bool) for v in values) and bool(values)
    if names is not None and not (ids and _names_in_order(kept, names)):
        return read_labels(column.astype("Int64" if ids else object), label_names=names)
    counts = dict(zip(values, np.bincount(codes[codes >= 0], minlength=len(values)).tolist(), strict=True))
    kind = _kind_of(values, object)
    if kind is str and names is None:
        spelled, place = _spellings(kept, counts)
        table = [place.get(v, NO_LABEL) for v in values]
        return GivenLabel(_recode(codes, table), spelled, spelled, aliases=place, counts=counts)
    renumber = [keep.index(i) if i in keep else NO_LABEL for i in range(len(values))]
    shown = tuple(str(v) for v in kept) if names is None else names
    aliases = dict(zip(kept, range(len(kept)), strict=True))
    return GivenLabel(_recode(codes, renumber), shown, kept, ids and names is None, kind, aliases, counts)


def _spellings(values: Sequence[str], counts: Mapping[str, int]) -> tuple[tuple[str, ...], dict[str, int]]:
    """One spelling for all that look alike, the most frequent, in the order of the values; and which of them each value is.

    "1.0" is "1" where both occur: a file of whole numbers, read as floats in part.
    """
    plain = {look(value) for value in values}
    groups: dict[str, list[str]] = {}
    for value in values:
        whole = _WHOLE_FLOAT.fullmatch(look(value))
        groups.setdefault(whole[1] if whole and whole[1] in plain else look(value), []).append(value)
    spelled = tuple(max(alike, key=lambda value: (counts.get(value, 0), value == seen)) for seen, alike in groups.items())
    return spelled, {value: i for i, alike in enumerate(groups.values()) for value in alike}


def _names_in_order(categories: Sequence[Any], names: Sequence[str]) -> bool:
    """Whether integer categories such as 1, 2, 3 can only mean the names in their order: as many, but no positions from 0."""
    return len(categories) == len(names) and not set(_ids_of(names, categories)).issuperset(categories)


def _read_ids(
    codes: np.ndarray, found: list[Any], column: pd.Series, names: tuple[str, ...] | None, *, kind: type, by_position: bool
) -> GivenLabel:
    numbers = {} if names is None or by_position or kind is bool else {n.strip() for n in names}
    minus_one_is_one = "-1" in numbers and all(_NUMBER.fullmatch(n) for n in numbers)

    def means_none(value: Any) -> bool:
        return is_missing(value) and not (minus_one_is_one and value == -1)

    present = sorted({int(v) for v in found if not means_none(v)})
    if present and present[0] < 0 and not minus_one_is_one:
        row = int(np.flatnonzero(codes == [int(v) for v in found].index(present[0]))[0])
        raise LabelError(
            f"Expected label ids from 0 up (-1 and -100 mean no label), found {present[0]} in column {column.name!r}, row {row}."
        )
    if kind is bool:
        ids = [0, 1]
    else:
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
    if kind is bool and names is not None:
        places = _places_of_booleans(names)
        values: tuple[Any, ...] = tuple(
            {0: False, 1: True}.get(places.index(i) if i in places else -1) for i in range(len(names))
        )
        position = dict(enumerate(places))
    else:
        values, position = tuple(kind(i) for i in ids), {label: i for i, label in enumerate(ids)}
    table = [NO_LABEL if means_none(v) else position[int(v)] for v in found]
    shown = names if names is not None else tuple(str(v) for v in values) if kind is bool else tuple(str(i) for i in ids)
    counts = dict(zip(found, np.bincount(codes[codes >= 0], minlength=len(found)).tolist(), strict=True))
    aliases = {value: i for i, value in enumerate(values) if value is not None}
    minus_ones = np.flatnonzero(codes == found.index(-1)) if -1 in found and kind is not bool else np.empty(0, dtype=np.int64)
    bare = names is None and kind is not bool
    return GivenLabel(_recode(codes, table), shown, values, bare, kind, aliases, counts, minus_ones)


def _places_of_booleans(names: Sequence[str]) -> list[int]:
    """Where False and True stand among the names: by name, else first and second."""
    folded = [_fold(name) for name in names]
    return [folded.index("false"), folded.index("true")] if {"false", "true"} <= set(folded) else [0, 1]


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


def _read_names(codes: np.ndarray, found: list[Any], names: tuple[str, ...] | None) -> GivenLabel:
    counts = dict(zip(found, np.bincount(codes[codes >= 0], minlength=len(found)).tolist(), strict=True))
    present = [v for v in found if not is_missing(v)]
    if names is None:
        spelled, place = _spellings(sorted(present), counts)
        table = [place.get(v, NO_LABEL) for v in found]
        return GivenLabel(_recode(codes, table), spelled, spelled, aliases=place, counts=counts)
    exact = {name: i for i, name in enumerate(names)}
    seen = Counter(map(look, names))
    alike = {look(name): i for i, name in enumerate(names) if seen[look(name)] == 1}
    position = {v: exact.get(v, alike.get(look(v), NO_LABEL)) for v in present}
    unknown = [v for v in present if position[v] == NO_LABEL]
    if unknown:
        raise LabelError(
            f"Expected labels among label_names, found {listing(unknown)}{near_miss(unknown[0], names)} "
            f"Given names: {listing(names)}."
        )
    written = list(names)
    for i in set(position.values()):
        written[i] = max((v for v in present if position[v] == i), key=lambda v: (counts[v], v == names[i]))
    table = [position.get(v, NO_LABEL) for v in found]
    return GivenLabel(_recode(codes, table), names, tuple(written), aliases={**exact, **position}, counts=counts)


def _recode(codes: np.ndarray, table: list[int]) -> np.ndarray:
    return np.array([*table, NO_LABEL], dtype=np.int32)[codes]  # factorize's -1 reaches the last entry


def _align_ids(given: GivenLabel, model_names: list[str]) -> AlignedLabels:
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
    codes = _recode(given.codes, to_model)
    if -1 in ids_of_model:
        codes[given.minus_ones] = ids_of_model.index(-1)
        aliases[given.kind(-1)] = ids_of_model.index(-1)
    return AlignedLabels(OneLabel(tuple(model_names), tuple(values), aliases, tuple(model_names)), codes, believed=False)


def _in_model_order(given: GivenLabel, model_names: list[str], to_model: list[int], unseen: Mapping[Any, int]) -> AlignedLabels:
    """`to_model`: the label of the model that each name means. `unseen`: the same for values that only the label_map has."""
    names, values = list(model_names), _free_values(given, to_model, unseen, model_names)
    spellings: dict[int, list[Any]] = {}
    aliases: dict[Any, int] = {}
    for value, j in (*((value, to_model[code]) for value, code in given.aliases.items()), *unseen.items()):
        aliases[value] = j
        spellings.setdefault(j, []).append(value)
    shown = {j: i for i, j in reversed([*enumerate(to_model)])}
    meant = Counter([*to_model, *(j for j in unseen.values() if j not in to_model)])
    for j, alike in spellings.items():
        if j == NO_LABEL:
            continue
        most = max((value for value in alike), key=lambda value: (given.counts.get(value, 0), value == model_names[j]))
        values[j] = most
        if not given.bare_ids and meant[j] == 1 and (j in shown or given.kind in (str, bool)):
            names[j] = given.names[shown[j]] if j in shown else str(most)
    if len(set(names)) < len(names):
        names = list(model_names)
    space = OneLabel(tuple(names), tuple(values), aliases, tuple(names))
    return AlignedLabels(space, _recode(given.codes, to_model))


def _free_values(given: GivenLabel, to_model: list[int], unseen: Mapping[Any, int], model_names: list[str]) -> list[Any]:
    """How the column would write labels that only the model knows; None where it has no room for more."""
    if given.kind is str:
        return list(model_names)
    if given.kind is bool:
        return _other_boolean(given, to_model, unseen, len(model_names))
    taken = {*given.values, *unseen}
    free = (given.kind(i) for i in itertools.count() if i not in taken)
    named = {*to_model, *unseen.values()}
    return [None if j in named else next(free) for j in range(len(model_names))]


def _occurring(given: GivenLabel, is_known: Callable[[str], bool]) -> GivenLabel:
    """The labels without those that neither occur nor are known to the model."""
    occurs = np.bincount(given.codes[given.codes >= 0], minlength=len(given.names)) > 0
    kept = [i for i, name in enumerate(given.names) if occurs[i] or is_known(name)]
    place = {i: new for new, i in enumerate(kept)}
    return replace(
        given,
        codes=_recode(given.codes, [place.get(i, NO_LABEL) for i in range(len(given.names))]),
        names=tuple(given.names[i] for i in kept),
        values=tuple(given.values[i] for i in kept),
        aliases={value: place[i] for value, i in given.aliases.items() if i in place},
    )


def _other_boolean(given: GivenLabel, to_model: list[int], unseen: Mapping[Any, int], labels: int) -> list[Any]:
    """Of two labels, one of which is True or False, the other is the other."""
    values: list[Any] = [None] * labels
    known = [(value, j) for value, j in zip(given.values, to_model, strict=True) if j != NO_LABEL and value is not None]
    if labels == 2 and len(known) == 1 and not unseen:
        [(value, j)] = known
        values[1 - j] = not value
    return values


def _mapped_names(given: GivenLabel, label_map: Mapping[Any, str | None]) -> tuple[dict[int, str | None], dict[Any, str | None]]:
    """What a label_map says of the labels in the data, by code, and of others, by the value that the column would hold."""
    mapped: dict[int, str | None] = {}
    unseen: dict[Any, str | None] = {}
    for key, target in label_map.items():
        if key in given.names:
            mapped[given.names.index(key)] = target
        elif key in given.values:
            mapped[given.values.index(key)] = target
        elif key in given.aliases:
            mapped[given.aliases[key]] = target
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
    return look(str(name)).casefold()


def _near_miss_of(unknown: Sequence[str], known: Sequence[str]) -> str:
    misses = ((name, near_miss(name, known)) for name in unknown[:12])
    name, miss = next(((n, m) for n, m in misses if m != "."), ("", "."))
    return miss if len(unknown) == 1 or miss == "." else f"{miss[:-1]} for {name!r}?"


def _both(data_names: Sequence[str], names: Sequence[str], called: str) -> str:
    width = max(len(called), len("data"))
    return f"  {'data':{width}}: {listing(data_names, most=30)}\n  {called:{width}}: {listing(names, most=30)}"
