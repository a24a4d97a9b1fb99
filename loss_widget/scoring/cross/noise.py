"""How many of the given labels are wrong, and how well probabilities fit the rest."""

from __future__ import annotations

import numpy as np

FEWEST, MOST = 1e-4, 0.5
_STEPS = 8


def wrong_share(own: np.ndarray, *, labels: int) -> float:
    """The share of labels that are best explained as drawn blindly from all `labels`, by maximum likelihood.

    `own` (n,): the probabilities of the given labels, from models that did not see them. Each label is taken to come from the
    model with probability 1 - share, else from anywhere: -mean log((1 - share) p + share / labels) is convex in the share.

    >>> own = np.array([0.99] * 95 + [0.001] * 5)
    >>> round(wrong_share(own, labels=4), 2)
    0.06
    """
    share, towards = 0.05, 1.0 / labels - own
    for _ in range(_STEPS):  # Newton's
        slope = towards / np.maximum(own + share * towards, np.finfo(np.float64).tiny)
        curvature = float((slope * slope).sum())
        share = float(np.clip(share + slope.sum() / curvature, FEWEST, MOST)) if curvature else FEWEST
    return share


def suspicious(own: np.ndarray, codes: np.ndarray, fold_of: np.ndarray, *, share: float, labels: int) -> np.ndarray:
    """(n,) bool: the `share` of the rows with the lowest probability of their label, but of no label too many.

    A label loses three times the common share at most, and never more than half of what any fold could learn it from.
    """
    n = len(own)
    cells = np.bincount(codes * (fold_of.max() + 1) + fold_of, minlength=labels * (fold_of.max() + 1)).reshape(labels, -1)
    counts = cells.sum(axis=1)
    limits = np.floor(np.minimum(3 * share * counts, (counts - cells.max(axis=1)) / 2))
    order = np.argsort(own, kind="stable")
    of_label = order[np.argsort(codes[order], kind="stable")]
    rank = np.empty(n, dtype=np.int64)
    rank[of_label] = np.arange(n) - np.repeat(np.cumsum(counts) - counts, counts)
    first = np.zeros(n, dtype=bool)
    first[order[: round(share * n)]] = True
    found: np.ndarray = first & (rank < limits[codes])
    return found
