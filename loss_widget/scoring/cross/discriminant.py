"""A linear discriminant over some features, fitted out of fold in closed form: no iterations, the same numbers every time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loss_widget.data.losses import log_softmax
from loss_widget.scoring.cross.judges import BLOCK_ROWS, Features, Rows

SHRINKAGES = (0.03, 0.1, 0.01, 0.3, 0.003, 1.0, 3.0)
"""What is added to the diagonal of the labels' common covariance, in units of its mean; of equally good ones the first."""

_RIDGE = 1e-6


class Discriminant:
    """Linear discriminant analysis with a shrunk covariance (Friedman 1989, "Regularized discriminant analysis"), out of fold.

    All that it needs of a fold are sums over its rows: of features, of their products, and counts, for each label. Those of the
    other folds add up, and those of rows to be left out are taken off again, so that a second fit costs next to nothing. The
    shrinkage is the one that agrees with most of the given labels of the `sample` in the first fit.

    Each fit but the first is averaged with those before it. The weights of a label are a mean over its rows, which a wrong label
    moves little; without doubtful rows the covariance comes out too small, and the mean of both fits was the better judge.
    """

    def __init__(self, features: Features, rows: Rows, sample: np.ndarray) -> None:
        self.shrinkage = np.nan
        self._features = features
        self._rows = rows
        self._sample = sample
        self._width = features(sample[:1]).shape[1]
        self._sums = {fold: self._summed((rows.fold_of == fold) & rows.labelled) for fold in rows.folds}
        self._fits: dict[int, list[_Fit]] = {fold: [] for fold in rows.folds}

    def fit(self, left_out: np.ndarray) -> None:
        """Learn from all labelled rows but those `left_out`, (n,) bool."""
        kept = self._sums
        if left_out.any():
            kept = {fold: sums.less(self._summed((self._rows.fold_of == fold) & left_out)) for fold, sums in kept.items()}
        everything = _Sums.of(list(kept.values()))
        for fold, sums in kept.items():
            self._fits[fold].append(_Fit(everything.less(sums)))
        if np.isnan(self.shrinkage):
            self.shrinkage = max(SHRINKAGES, key=self._agreement)
        for fits in self._fits.values():
            fits[-1].shrink(self.shrinkage)

    def log_probs(self, rows: np.ndarray) -> np.ndarray:
        """(rows, labels) float32; -inf for labels that the other folds do not have."""
        found = np.full((len(rows), self._rows.labels), -np.inf, dtype=np.float32)
        for fold, at in self._rows.blocks(rows):
            fits = self._fits[fold]
            known = fits[0].known
            if len(known):
                weights = np.mean([fit.weights for fit in fits], axis=0, dtype=np.float32)
                offsets = np.mean([fit.offsets for fit in fits], axis=0, dtype=np.float32)
                found[at[:, None], known] = log_softmax(self._features(rows[at]) @ weights + offsets)
            else:
                found[at] = -np.log(self._rows.labels)  # nothing to learn from
        return found

    def _agreement(self, shrinkage: float) -> float:
        """The share of the sample whose given label is the most probable one."""
        agreed = 0
        for fits in self._fits.values():
            fits[-1].shrink(shrinkage)
        for fold, at in self._rows.blocks(self._sample):
            fit, rows = self._fits[fold][-1], self._sample[at]
            if len(fit.known):
                scores = self._features(rows) @ fit.weights + fit.offsets
                agreed += int((fit.known[scores.argmax(axis=1)] == self._rows.codes[rows]).sum())
        return agreed / max(1, len(self._sample))

    def _summed(self, which: np.ndarray) -> _Sums:
        """The sums over those rows, (n,) bool."""
        rows = np.flatnonzero(which)
        sums = _Sums(np.zeros((self._width,) * 2), np.zeros((self._rows.labels, self._width)), np.zeros(self._rows.labels))
        for start in range(0, len(rows), BLOCK_ROWS):
            block = rows[start : start + BLOCK_ROWS]
            order = np.argsort(self._rows.codes[block], kind="stable")
            features, codes = self._features(block[order]), self._rows.codes[block[order]]
            known, first = np.unique(codes, return_index=True)
            sums.products += features.T @ features
            sums.by_label[known] += np.add.reduceat(features, first, axis=0, dtype=np.float64)
            sums.counts[known] += np.diff(np.append(first, len(block)))
        return sums


@dataclass
class _Sums:
    """Over some rows: of the features' `products` (d, d), of the features `by_label` (labels, d), and `counts` (labels,)."""

    products: np.ndarray
    by_label: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, parts: list[_Sums]) -> _Sums:
        return cls(*(np.sum([getattr(part, name) for part in parts], axis=0) for name in ("products", "by_label", "counts")))

    def less(self, other: _Sums) -> _Sums:
        return _Sums(self.products - other.products, self.by_label - other.by_label, self.counts - other.counts)


class _Fit:
    """The discriminant of one fold, from the sums over the others: log-odds of the `known` labels are x `weights` + `offsets`."""

    def __init__(self, sums: _Sums) -> None:
        self.known = np.flatnonzero(sums.counts)
        counts = sums.counts[self.known]
        self._means = sums.by_label[self.known] / counts[:, None]  # (known, d)
        within = sums.products - (self._means * counts[:, None]).T @ self._means
        self._covariance = within / max(1.0, counts.sum() - len(counts))
        self._smallest = _RIDGE * max(np.trace(sums.products) / max(1.0, counts.sum()), _RIDGE)
        self._prior = np.log((counts + 1.0) / (counts.sum() + len(counts)))

    def shrink(self, shrinkage: float) -> None:
        """Solve for the weights with so much shrinkage."""
        from scipy.linalg import cho_factor, cho_solve

        shrunk = self._covariance.copy()
        shrunk[np.diag_indices_from(shrunk)] += max(shrinkage * np.diagonal(shrunk).mean(), self._smallest)
        weights = cho_solve(cho_factor(shrunk, lower=True, overwrite_a=True, check_finite=False), self._means.T)
        self.weights = weights.astype(np.float32)  # (d, known)
        self.offsets = (self._prior - 0.5 * (self._means.T * weights).sum(axis=0)).astype(np.float32)
