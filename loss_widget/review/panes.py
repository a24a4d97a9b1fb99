"""What there is to look at: a histogram of the losses, a confusion matrix, and counts for filters.

Each answers under all filters of a query but its own, so that what is chosen in it stays visible among what could be chosen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from loss_widget.review.estimate import is_wrong
from loss_widget.review.query import VERDICTS, Query
from loss_widget.review.review_state import Review
from loss_widget.review.text.quirks import QUIRKS

_BINS = 50
_MOST_CELLS = 300
_DENSE = 2_000  # labels: above this a matrix of all pairs is larger than the list of those that occur
_KEPT = 32

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class LossHistogram:
    """`rows[i]` rows, `reviewed[i]` of them reviewed, have edges[i] <= loss < edges[i + 1] (the last bin: <=); nats.

    The edges depend on the data alone, not on the query; the last bin holds the tail. `missing`: rows without a loss.
    """

    edges: list[float]
    rows: list[int]
    reviewed: list[int]
    missing: int


@dataclass(frozen=True)
class Cell:
    """Rows with this given and this predicted label (names), and how many of the reviewed ones were relabelled or removed."""

    given: str
    predicted: str
    rows: int
    reviewed: int
    wrong: int
    given_id: int
    predicted_id: int


@dataclass(frozen=True)
class Confusion:
    """`cells`: the largest where the labels differ, at most 300 of `total`, which have `rows` rows. `diagonal`: the
    same where they agree."""

    cells: list[Cell]
    total: int
    rows: int
    diagonal: list[Cell]


@dataclass(frozen=True)
class Facets:
    """How many rows there would be if a filter were set: `rows` under the query as it is, one count per verdict, disagreements,
    and one per quirk (added to those chosen). `pending`: quirks that are being looked for; ask again later.
    """

    rows: int
    verdicts: dict[str, int]
    disagreements: int
    quirks: dict[str, int]
    pending: list[str]


class Panes:
    """What the panes show of a review; answers are kept until the next decision. The caller holds the session's lock."""

    def __init__(self) -> None:
        self._edges: np.ndarray | None = None
        self._bin: np.ndarray | None = None
        self._kept: dict[tuple[str, Query, int], object] = {}

    def histogram(self, review: Review, query: Query) -> LossHistogram:
        """See `ReviewSession.loss_histogram`."""
        return self._once("histogram", review, replace(query, loss_range=None), self._histogram)

    def confusion(self, review: Review, query: Query) -> Confusion:
        """See `ReviewSession.confusion`."""
        return self._once("confusion", review, replace(query, given=None, predicted=None), _confusion)

    def facets(self, review: Review, query: Query) -> Facets:
        """See `ReviewSession.facets`."""
        pending = review.table.quirks.left()
        if pending:
            return _facets(review, query, pending)
        return self._once("facets", review, query, lambda review, query: _facets(review, query, []))

    def _histogram(self, review: Review, query: Query) -> LossHistogram:
        edges, bins = self._bins(review.table.loss)
        n = len(edges) - 1
        mask = _mask(review, query)
        reviewed = np.flatnonzero(review.decisions.verdicts)
        rows = np.bincount(bins if mask is None else bins[mask], minlength=n + 1)
        done = np.bincount(bins[reviewed if mask is None else reviewed[mask[reviewed]]], minlength=n + 1)
        return LossHistogram(edges.tolist(), rows[:n].tolist(), done[:n].tolist(), int(rows[n]))

    def _bins(self, loss: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The edges, and (n,) uint8: the bin of each row, the last one for rows without a loss."""
        if self._edges is None or self._bin is None:
            self._edges = _edges(loss[np.isfinite(loss)])
            found = np.searchsorted(self._edges, loss, side="right") - 1
            self._bin = np.where(np.isfinite(loss), found.clip(0, len(self._edges) - 2), len(self._edges) - 1).astype(np.uint8)
        return self._edges, self._bin

    def _once(self, what: str, review: Review, query: Query, answer: Callable[[Review, Query], Answer]) -> Answer:
        """The answer of this revision, worked out once for each filter, whatever the page."""
        if query.spot_check:  # a draw changes it, and is no act
            return answer(review, query)
        revision = review.decisions.revision
        key = (what, replace(query, offset=0, limit=1, sort="row", descending=True), revision)
        if key not in self._kept:
            if len(self._kept) >= _KEPT or any(known[2] != revision for known in self._kept):
                self._kept.clear()
            self._kept[key] = answer(review, query)
        kept: Answer = self._kept[key]  # type: ignore[assignment]
        return kept


def _mask(review: Review, query: Query) -> np.ndarray | None:
    return review.table.mask(query, review.at(query.as_of))


def _confusion(review: Review, query: Query) -> Confusion:
    table, mask = review.table, _mask(review, query)
    names, width = review.space.names, len(review.space.names)
    verdicts = review.decisions.verdicts
    both = (table.given >= 0) & (table.predicted >= 0)
    both = both if mask is None else both & mask
    pair = table.given[both].astype(np.int64) * width + table.predicted[both]
    if width <= _DENSE:
        counts = np.bincount(pair, minlength=width * width)
        pairs = np.flatnonzero(counts)
        counts = counts[pairs]
    else:
        pairs, counts = np.unique(pair, return_counts=True)
    seen = np.flatnonzero(verdicts)
    seen = seen[both[seen]]
    place = np.searchsorted(pairs, table.given[seen].astype(np.int64) * width + table.predicted[seen])
    reviewed = np.bincount(place, minlength=len(pairs))
    wrong = np.bincount(place[is_wrong(verdicts[seen])], minlength=len(pairs))
    same = pairs // max(width, 1) == pairs % max(width, 1)

    def cells(chosen: np.ndarray) -> list[Cell]:
        largest = chosen[np.argsort(-counts[chosen], kind="stable")][:_MOST_CELLS]
        columns = (pairs // width, pairs % width, counts, reviewed, wrong)
        found = zip(*(column[largest].tolist() for column in columns), strict=True)
        return [Cell(names[i], names[j], n, done, bad, given_id=i, predicted_id=j) for i, j, n, done, bad in found]

    differ = np.flatnonzero(~same)
    return Confusion(cells(differ), len(differ), int(counts[differ].sum()), cells(np.flatnonzero(same)))


def _facets(review: Review, query: Query, pending: list[str]) -> Facets:
    table, standing = review.table, review.at(query.as_of)
    by_verdict = table.mask(replace(query, verdict=None), standing)
    verdicts = standing.verdicts
    counts = np.bincount(verdicts if by_verdict is None else verdicts[by_verdict], minlength=len(VERDICTS))
    disagreements = table.count(replace(query, disagreements=True), standing)
    mask = table.mask(query, standing)
    found = [quirk for quirk in QUIRKS if quirk not in pending]
    hits = {q: table.quirks.mask(q) if mask is None else table.quirks.mask(q) & mask for q in found}
    return Facets(
        rows=len(table) if mask is None else int(np.count_nonzero(mask)),
        verdicts=dict(zip(VERDICTS, counts.tolist(), strict=True)),
        disagreements=disagreements,
        quirks={quirk: int(np.count_nonzero(rows)) for quirk, rows in hits.items()},
        pending=pending,
    )


def _edges(losses: np.ndarray) -> np.ndarray:
    """Bins of equal, round width up to where the tail begins (one loss in a thousand), the last one as long as the tail."""
    if not len(losses):
        return np.array([0.0, 1.0])
    low, high = min(float(losses.min()), 0.0), float(losses.max())
    k = min(len(losses) - 1, int(len(losses) * 0.999))
    tail = float(np.partition(losses, k)[k])
    width = _round_up((max(tail, 0.01) - low) / _BINS)
    first = np.floor(low / width) * width
    edges = first + width * np.arange(int(np.ceil((tail - first) / width)) + 1)
    edges = edges if len(edges) > 1 else np.array([first, first + width])
    edges[-1] = max(edges[-1], high)
    return np.round(edges, 6)


def _round_up(width: float) -> float:
    """The next of 1, 2, 2.5, 5 times a power of ten."""
    power = 10.0 ** np.floor(np.log10(width))
    return float(next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= width * (1 - 1e-9)))
