"""ReviewTable: every row as arrays, and the rows that a Query asks for, in order."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa

from loss_widget.data.contents import Contents
from loss_widget.data.label_space import LabelSpace
from loss_widget.data.numerals import numbers_of, numeric_names
from loss_widget.data.texts import take
from loss_widget.errors import ColumnError, InputError, listing, near_miss
from loss_widget.review.query import VERDICTS, Query
from loss_widget.review.text.quirks import Quirks
from loss_widget.review.text.search import find

_WALK = 20_000
_KEPT = 4
_OWN_SORTS = ("loss", "margin", "adjusted", "row", "duplicates")

Key = TypeVar("Key")

NO_ROWS = np.empty(0, dtype=np.int64)


class Standing(NamedTuple):
    """What a query asks of a review beside its table: `verdicts` (n,) int8 codes, the labels that there are, and the rows of the
    spot check in the order of the draw."""

    verdicts: np.ndarray
    space: LabelSpace
    drawn: np.ndarray = NO_ROWS


class ReviewTable:
    """The unchanging side of a review: n rows with contents, given and predicted labels, losses and, if known, log-probabilities.

    `given`, `predicted`: (n,) int32, -1 for none. `loss`: (n,) float32, nats, NaN where there is none. `log_probs`: (n, n_labels)
    float32 or None. `keys`: (n,) uint64 content keys. `frame` is only read: for sorting by its numeric columns, and once for
    `tokens` and `unknown_tokens` (n,) int32, -1 where not known, and `truncated` (n,) bool, each None where there is none.
    """

    def __init__(
        self,
        *,
        frame: pd.DataFrame,
        contents: Contents,
        keys: np.ndarray,
        given: np.ndarray,
        predicted: np.ndarray,
        loss: np.ndarray,
        label_prob: np.ndarray,
        predicted_prob: np.ndarray,
        log_probs: np.ndarray | None,
        score_notes: pa.ChunkedArray | None,
    ) -> None:
        self.frame = frame
        self.contents = contents
        self.keys = keys
        self.given = given
        self.predicted = predicted
        self.loss = loss
        self.label_prob = label_prob
        self.predicted_prob = predicted_prob
        self.log_probs = log_probs
        self._score_notes = score_notes
        self.tokens = _counts(frame, "tokens")
        self.unknown_tokens = _counts(frame, "unknown_tokens")
        self.truncated = _flags(frame, "truncated")
        self._begin()

    def _begin(self) -> None:
        """Nothing has been asked yet."""
        self.quirks = Quirks(
            self.contents,
            keys=self.keys,
            given=self.given,
            tokens=self.tokens,
            truncated=self.truncated,
            unknown_tokens=self.unknown_tokens,
        )
        self._orders: dict[tuple[str | tuple[str, ...], bool], np.ndarray] = {}
        self._ranks: dict[tuple[str | tuple[str, ...], bool], np.ndarray] = {}
        self._searches: OrderedDict[tuple[str, bool], np.ndarray] = OrderedDict()
        self._kept_rows: OrderedDict[Query, np.ndarray] = OrderedDict()

    def __len__(self) -> int:
        return len(self.given)

    def with_given(self, rows: np.ndarray, ids: np.ndarray, space: LabelSpace) -> ReviewTable:
        """The table in which some rows were given other labels, with their losses where those are known."""
        table = copy.copy(self)
        table.given, table.loss, table.label_prob = self.given.copy(), self.loss.copy(), self.label_prob.copy()
        table.given[rows] = ids
        if self.log_probs is not None:
            table.loss[rows] = self.loss_of(rows, ids, space)
            table.label_prob[rows] = np.exp(-table.loss[rows])
        table._begin()
        return table

    def slice(self, query: Query, standing: Standing) -> tuple[np.ndarray, int | None]:
        """The row numbers of one page, and how many the whole filter has (None: not counted yet)."""
        start, stop = query.offset, query.offset + query.limit
        if query.search and _search_key(query) not in self._searches and _rows_key(query) not in self._kept_rows:
            rows = self.rows(replace(query, search=None), standing)
            if len(rows) > _WALK:
                walked = rows[:_WALK]  # a common term fills the page long before all texts are read
                hits = walked[self._matches(query, walked)]
                if len(hits) >= stop:
                    return hits[start:stop], None
        rows = self.rows(query, standing)
        return rows[start:stop], len(rows)

    def rows(self, query: Query, standing: Standing) -> np.ndarray:
        """All row numbers of the filter, in order; kept for the last few filters, so that a page is a slice."""

        def find_rows() -> np.ndarray:
            if not query.search:
                return self._candidates(query, standing)
            rows = self.rows(replace(query, search=None), standing)
            if len(rows) <= _WALK and _search_key(query) not in self._searches:
                return rows[self._matches(query, rows)]
            return rows[self._search(query)[rows]]

        key = _rows_key(query)
        return find_rows() if key is None else _latest(self._kept_rows, key, find_rows)

    def count(self, query: Query, standing: Standing) -> int:
        """How many rows the whole filter has."""
        mask = self.mask(query, standing)
        return len(self) if mask is None else int(np.count_nonzero(mask))

    def mask(self, query: Query, standing: Standing) -> np.ndarray | None:
        """(n,) bool: the rows that pass every filter, the search too; None where all do."""
        mask = self._mask(query, standing)
        if query.spot_check:
            sample = np.zeros(len(self), dtype=bool)
            sample[standing.drawn] = True
            mask = sample if mask is None else sample & mask
        if query.search:
            found = self._search(query)
            mask = found if mask is None else found & mask
        return mask

    def order(self, sort: str | tuple[str, ...], descending: bool, space: LabelSpace) -> np.ndarray:
        """(n,) row numbers, computed once; NaN last, equal values by row number."""
        key = (sort, descending)
        if key not in self._orders:
            names = (sort,) if isinstance(sort, str) else sort
            self._orders[key] = order_of([self._sort_values(name, space) for name in names], descending=descending)
        return self._orders[key]

    def same_text(self, row: int) -> np.ndarray:
        """The rows, in order, whose text is the same."""
        return np.flatnonzero(self.keys == self.keys[row])

    def score_notes_of(self, rows: np.ndarray) -> list[str]:
        return [""] * len(rows) if self._score_notes is None else take(self._score_notes, rows).to_pylist()

    def loss_of(self, rows: np.ndarray, label_ids: np.ndarray, space: LabelSpace) -> np.ndarray:
        """(len(rows),) float32, nats: the loss the rows would have with these labels; NaN where that is not known."""
        if self.log_probs is None:
            return np.where(label_ids == self.given[rows], self.loss[rows], np.nan).astype(np.float32)
        return space.losses(self.log_probs[rows], label_ids)

    def sorts(self, space: LabelSpace) -> list[str]:
        """What rows can be sorted by."""
        model = space.measures if self.log_probs is not None else ()
        return ["loss", *model, "row", "duplicates", *(c for c in self.numeric_columns() if c not in _OWN_SORTS)]

    def numeric_columns(self) -> list[str]:
        return [name for name in numeric_names(self.frame) if isinstance(name, str)]

    def margin_of(self, rows: np.ndarray, space: LabelSpace) -> np.ndarray:
        """(len(rows),) float32: see `losses.margins`; NaN where there is none."""
        margin = space.measures.get("margin")
        if self.log_probs is None or margin is None:
            return np.full(len(rows), np.nan, dtype=np.float32)
        return margin(self.log_probs[rows], self.given[rows])

    def _candidates(self, query: Query, standing: Standing) -> np.ndarray:
        mask = self._mask(query, standing)
        if query.spot_check:
            return standing.drawn if mask is None else standing.drawn[mask[standing.drawn]]
        order = self.order(query.sort, query.descending, standing.space)
        if mask is None:
            return order
        rows = np.flatnonzero(mask)
        if len(rows) * 8 > len(order):
            return order[mask[order]]
        return order[np.sort(self._rank(query, standing.space)[rows])]

    def _rank(self, query: Query, space: LabelSpace) -> np.ndarray:
        key = (query.sort, query.descending)
        if key not in self._ranks:
            rank = np.empty(len(self), dtype=np.int32)
            rank[self.order(*key, space)] = np.arange(len(self), dtype=np.int32)
            self._ranks[key] = rank
        return self._ranks[key]

    def _mask(self, query: Query, standing: Standing) -> np.ndarray | None:
        """(n,) bool: the rows that pass the filters by values; None where all do."""
        conditions = []
        if query.given is not None:
            conditions.append(self.given == standing.space.find(query.given))
        if query.predicted is not None:
            conditions.append(self.predicted == standing.space.find(query.predicted))
        if query.verdict is not None:
            conditions.append(standing.verdicts == VERDICTS.index(query.verdict))
        if query.disagreements:
            conditions.append((self.given != self.predicted) & (self.given >= 0) & (self.predicted >= 0))
        if query.loss_range is not None:
            low, high = query.loss_range
            conditions.append((self.loss >= np.float32(low)) & (self.loss <= np.float32(high)))
        if query.unlabelled is not None:
            conditions.append((self.given < 0) == query.unlabelled)
        conditions += [self.quirks.mask(quirk) for quirk in query.quirk or ()]
        return np.logical_and.reduce(conditions) if conditions else None

    def _search(self, query: Query) -> np.ndarray:
        return _latest(self._searches, _search_key(query), lambda: self._matches(query, None))

    def _matches(self, query: Query, rows: np.ndarray | None) -> np.ndarray:
        """(len(rows) or n,) bool: which texts hold what is searched for."""
        hits = np.zeros(len(self) if rows is None else len(rows), dtype=bool)
        for words in self.contents.words:
            hits |= find(words if rows is None else take(words, rows), query.search or "", regex=query.search_regex)
        return hits

    def _sort_values(self, name: str, space: LabelSpace) -> np.ndarray:
        if name == "loss":
            return self.loss
        if name == "row":
            return np.arange(len(self), dtype=np.int32)
        if name in ("margin", "adjusted"):
            if self.log_probs is None or name not in space.measures:
                raise InputError(f"Expected probabilities for sorting by {name!r}, found none. Pass `probs=` or a Scores.")
            return space.measures[name](self.log_probs, self.given)
        if name == "duplicates":
            return self._by_group()
        known = list(dict.fromkeys([*_OWN_SORTS, *self.numeric_columns()]))
        if name not in known:
            raise ColumnError(f"Expected to sort by one of {listing(known)}, found {name!r}{near_miss(name, known)}")
        numbers = numbers_of(self.frame[name])
        if numbers is None:
            raise ColumnError(
                f"Expected numbers in column {name!r} to sort by, found other text among them. Sort by another column."
            )
        return numbers

    def _by_group(self) -> np.ndarray:
        """(n,) float64: a number for each group of rows of the same words, the higher the higher their highest loss."""
        groups = self.quirks.same_words
        highest = np.full(len(self), -np.inf, dtype=np.float32)
        np.maximum.at(highest, groups, np.nan_to_num(self.loss, nan=-np.inf))
        order = np.lexsort((-np.arange(len(self)), highest))
        rank = np.empty(len(self))
        rank[order] = np.arange(len(self))
        return rank[groups]


def _counts(frame: pd.DataFrame, name: str) -> np.ndarray | None:
    """A column of counts as (n,) int32, -1 where missing; None where there is no such column of numbers, or nothing in it."""
    column = frame[name] if list(frame.columns).count(name) == 1 else None
    if column is None or not pd.api.types.is_numeric_dtype(column.dtype) or column.isna().all():
        return None
    return np.nan_to_num(column.to_numpy(dtype=np.float64, na_value=np.nan), nan=-1).astype(np.int32)


def _flags(frame: pd.DataFrame, name: str) -> np.ndarray | None:
    """A column of truth values as (n,) bool, False where missing; None where there is no such column, or nothing in it."""
    column = frame[name] if list(frame.columns).count(name) == 1 else None
    if column is None or not pd.api.types.is_bool_dtype(column.dtype) or column.isna().all():
        return None
    return column.fillna(False).to_numpy(dtype=bool)


def _search_key(query: Query) -> tuple[str, bool]:
    return query.search or "", query.search_regex


def _rows_key(query: Query) -> Query | None:
    """What the rows of a query hang on, whatever the page; None where they may be others the next time."""
    of_now = query.verdict is not None and query.as_of is None
    if query.spot_check or of_now:
        return None
    return replace(query, offset=0, limit=1, as_of=None if query.verdict is None else query.as_of)


def _latest(kept: OrderedDict[Key, np.ndarray], key: Key, make: Callable[[], np.ndarray]) -> np.ndarray:
    """The array of this key, made if need be; the last few are kept."""
    if key not in kept:
        kept[key] = make()
        if len(kept) > _KEPT:
            kept.popitem(last=False)
    kept.move_to_end(key)
    return kept[key]


def order_of(columns: list[np.ndarray], *, descending: bool) -> np.ndarray:
    """(n,) int32 row numbers, by the first column, where that is equal by the second, and so on; NaN last.

    >>> order_of([np.array([0.5, np.nan, 2.0, 0.5], dtype=np.float32)], descending=True).tolist()
    [2, 0, 3, 1]
    """
    signed = [-column if descending else column for column in columns]
    if len(signed) > 1:
        return np.lexsort(signed[::-1]).astype(np.int32)
    [values] = signed
    return _by_float32(values) if values.dtype == np.float32 else np.argsort(values, kind="stable").astype(np.int32)


def _by_float32(values: np.ndarray) -> np.ndarray:
    """A stable argsort in half the time: value and row number are sorted as one word, which NumPy does by vector instructions."""
    bits = (values + np.float32(0)).view(np.int32)  # -0.0 becomes 0.0, which it is equal to
    ordered = (bits ^ (bits >> 31 | np.int32(-(2**31)))).view(np.uint32)  # floats compare like these
    ordered[np.isnan(values)] = np.iinfo(np.uint32).max
    words = ordered.astype(np.uint64) << np.uint64(32)
    words |= np.arange(len(values), dtype=np.uint64)
    words.sort()
    return words.astype(np.uint32).view(np.int32)
