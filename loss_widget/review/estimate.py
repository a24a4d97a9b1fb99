"""How many errors are left, and whether to go on: what a random sample of the rows not reviewed yet says.

A model alone cannot say it: summing up its doubts gave 3 to 22 times too many errors on real human noise. So nothing is said
before a spot check was made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, floor, sqrt

import numpy as np

from loss_widget.review.decisions import Decisions
from loss_widget.review.query import VERDICTS

NEEDED = 20
"""So many rows of the spot check must be judged right or wrong before it says anything."""

FEW = 0.01
"""A lower share of errors among the rest, and the time is better spent elsewhere."""

_Z = 1.959963984540054  # 95 %
_KEEP = VERDICTS.index("keep")
_WRONG = (VERDICTS.index("relabel"), VERDICTS.index("remove"))


def is_wrong(verdicts: np.ndarray) -> np.ndarray:
    """(n,) bool: relabelled or removed."""
    return np.isin(verdicts, _WRONG)


def wilson_interval(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share, from `hits` among `of` random draws (Wilson 1927; of = 0: all is possible).

    >>> [round(end, 3) for end in wilson_interval(0, 300)], [round(end, 3) for end in wilson_interval(9, 30)]
    ([0.0, 0.013], [0.167, 0.479])
    """
    if of == 0:
        return 0.0, 1.0
    share, z2 = hits / of, _Z * _Z
    middle, half = (
        (share + z2 / (2 * of)) / (1 + z2 / of),
        _Z / (1 + z2 / of) * sqrt(share * (1 - share) / of + z2 / (4 * of * of)),
    )
    return (0.0 if hits == 0 else middle - half), (1.0 if hits == of else middle + half)


def draw_order(keys: np.ndarray, seed: int) -> np.ndarray:
    """(n,) int64: the rows in a random order that `seed` and the content `keys` (n,) uint64 decide, not the order of the data.

    So a review that is resumed on re-ordered data draws the same texts. Equal texts are distinguished by their order.
    """
    by_key = np.argsort(keys, kind="stable")
    first = np.searchsorted(keys[by_key], keys[by_key], side="left")
    twin = np.empty(len(keys), dtype=np.uint64)
    twin[by_key] = (np.arange(len(keys)) - first).astype(np.uint64)
    return np.argsort(_mixed(_mixed(keys ^ _mixed(np.full(1, seed, np.uint64))) + twin), kind="stable")


@dataclass(frozen=True)
class ErrorsLeft:
    """What a spot check says so far.

    `drawn`: rows in the sample. `judged`: how many of them, from the first on without a gap, are reviewed; only these count,
    since a sample that is judged in order of loss is none. `wrong` of them are wrong, `kept` are right, the rest is unsure.
    `population`: labelled rows that were not reviewed at the draw; `found`: those of them found wrong since; `unreviewed`: those
    still not reviewed. From NEEDED rows on that are wrong or right: `error_rate` of the population with its 95 % Wilson interval,
    and `errors_left` = rate x population - found; until then None. `str()` says it in sentences, and whether to go on.
    """

    drawn: int
    judged: int
    wrong: int
    kept: int
    population: int
    found: int
    unreviewed: int
    error_rate: float | None = None
    error_rate_interval: tuple[float, float] | None = None
    errors_left: float | None = None
    errors_left_interval: tuple[float, float] | None = None

    @property
    def needed(self) -> int:
        """How many more rows must be judged wrong or right before there is an estimate."""
        return max(min(NEEDED, self.population) - self.wrong - self.kept, 0)

    def __str__(self) -> str:
        following = f" Number {self.judged + 1:,} of {self.drawn:,} is next." if self.judged < self.drawn else ""
        if self.errors_left is None or self.errors_left_interval is None:
            short = " Draw more rows: unsure ones do not count." if self.judged + self.needed > self.drawn else ""
            return f"Spot check: {self.needed:,} more to judge before it says anything.{following}{short}"
        low, high = self.errors_left_interval
        count = round(self.errors_left)
        between = f"{floor(low):,} to {ceil(high):,}" if low >= 1 else f"at most {ceil(high):,}"
        return (
            f"About {count:,} {'error' if count == 1 else 'errors'} left among {self.unreviewed:,} rows not reviewed; "
            f"with 95 % confidence {between}. {self._advice(low, high)}{following}"
        )

    def _advice(self, low: float, high: float) -> str:
        few = FEW * self.unreviewed
        if high <= few:
            return f"At most {100 * FEW:.0f} % of the rest is wrong: you can stop here."
        if low > few:
            return "Go on: there is more to find."
        return f"It may be less than {100 * FEW:.0f} % of the rest: spot-check more rows to know, or go on."


def errors_left(verdicts: np.ndarray, drawn: np.ndarray, population: np.ndarray) -> ErrorsLeft:
    """The estimate from the verdicts (n,) as they stand, the `drawn` rows in their order, and the `population` (n,) bool."""
    of_drawn = verdicts[drawn]
    gaps = np.flatnonzero(of_drawn == 0)
    judged = of_drawn[: gaps[0]] if len(gaps) else of_drawn
    wrong, kept = int(is_wrong(judged).sum()), int((judged == _KEEP).sum())
    size, found = int(np.count_nonzero(population)), int(np.count_nonzero(is_wrong(verdicts) & population))
    most = int(np.count_nonzero(population & (verdicts == 0)))
    estimate = ErrorsLeft(len(drawn), len(judged), wrong, kept, size, found, most)
    if estimate.needed:
        return estimate
    rate = wrong / (wrong + kept) if wrong + kept else 0.0
    low, high = wilson_interval(wrong, wrong + kept)

    def left(share: float) -> float:
        return float(np.clip(share * size - found, 0, most))

    return replace(
        estimate,
        error_rate=rate,
        error_rate_interval=(low, high),
        errors_left=left(rate),
        errors_left_interval=(left(low), left(high)),
    )


def _mixed(values: np.ndarray) -> np.ndarray:
    """splitmix64's finaliser (Steele, Lea and Flood 2014): every bit of the input changes half of the output."""
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


_POINTS = 200


_BANDS = (0.0, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, float("inf"))


_KEEP = VERDICTS.index("keep")


@dataclass(frozen=True)
class LossBand:
    """Rows with low <= loss < high (nats): how many there are, are reviewed, were wrong, were right."""

    low: float
    high: float
    rows: int
    reviewed: int
    wrong: int
    keep: int

    @property
    def precision(self) -> float | None:
        """wrong / (wrong + keep), None before the first."""
        return self.wrong / (self.wrong + self.keep) if self.wrong + self.keep else None


@dataclass(frozen=True)
class Progress:
    """What a reviewer needs to decide whether to go on.

    `curve`: (reviewed, wrong) from (0, 0) on, in the order of the reviews, at most some 200 points. `bands`: highest loss first.
    `errors_left`: None before a spot check was drawn.
    """

    curve: list[tuple[int, int]]
    bands: list[LossBand]
    errors_left: ErrorsLeft | None


def found_curve(decisions: Decisions, *, points: int = _POINTS) -> list[tuple[int, int]]:
    """(rows reviewed, errors found among them), thinned; the first and the last point are always there."""
    order = np.fromiter(decisions.stamps, dtype=np.int64, count=len(decisions.stamps))
    found = np.concatenate([[0], np.cumsum(is_wrong(decisions.verdicts[order]))])
    shown = np.unique(np.linspace(0, len(order), min(points, len(order) + 1)).round().astype(np.int64))
    return list(zip(shown.tolist(), found[shown].tolist(), strict=True))


def loss_bands(loss: np.ndarray, decisions: Decisions) -> list[LossBand]:
    """The rows by loss, in bands that double; rows without a loss are in none."""
    known = loss[np.isfinite(loss)]
    edges = np.array(_BANDS, dtype=np.float32)
    rows = np.diff(np.searchsorted(np.sort(known), edges))
    reviewed = np.flatnonzero(decisions.verdicts)
    reviewed = reviewed[np.isfinite(loss[reviewed])]
    verdicts, band = decisions.verdicts[reviewed], np.digitize(loss[reviewed], edges) - 1

    def count(chosen: np.ndarray) -> list[int]:
        counted: list[int] = np.bincount(band[chosen].clip(min=0), minlength=len(rows))[: len(rows)].tolist()
        return counted

    of_band = zip(rows.tolist(), count(verdicts > 0), count(is_wrong(verdicts)), count(verdicts == _KEEP), strict=True)
    bands = [LossBand(low, high, *counts) for low, high, counts in zip(_BANDS[:-1], _BANDS[1:], of_band, strict=True)]
    return bands[::-1]
