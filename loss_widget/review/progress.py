"""How the review goes: errors found against rows reviewed, and how often a row of some loss was really wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loss_widget.review.decisions import Decisions
from loss_widget.review.estimate import ErrorsLeft, is_wrong
from loss_widget.review.query import VERDICTS

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
    bands = [LossBand(low, high, *told) for low, high, told in zip(_BANDS[:-1], _BANDS[1:], of_band, strict=True)]
    return bands[::-1]
