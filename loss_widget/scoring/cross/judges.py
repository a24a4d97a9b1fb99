"""Who judges a row without having learned from it: discriminants over two kinds of features, and the nearest rows."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from loss_widget.scores.nearest import BLOCK_NUMBERS, nearest

BLOCK_ROWS = 4_096
LANDMARKS = 1_024
VOTERS, MOST_AMONG = 30, 20_000
"""So many neighbours vote; where there are more rows, they are looked for among so many drawn ones."""

_SHARPNESS = 10.0
_NOBODY = -2.0
_SMALLEST_EIGENVALUE = 1e-6

Features = Callable[[np.ndarray], np.ndarray]
"""rows (n,) → their features (n, d) float32."""


@dataclass(frozen=True)
class Rows:
    """What there is to learn from: `codes` (n,) label ids, -1 for none; `fold_of` (n,); `judged` (n,) bool: has an embedding.

    `labels`: how many there are. `threads`: how many may work at once; the numbers do not depend on it.
    """

    codes: np.ndarray
    fold_of: np.ndarray
    judged: np.ndarray
    labels: int
    threads: int = 1

    @property
    def labelled(self) -> np.ndarray:
        """(n,) bool: rows that can be learned from."""
        return self.judged & (self.codes >= 0)

    @property
    def folds(self) -> list[int]:
        """The folds that there are."""
        return np.unique(self.fold_of).tolist()

    def blocks(self, rows: np.ndarray, size: int = BLOCK_ROWS) -> list[tuple[int, np.ndarray]]:
        """(fold, places in `rows`): blocks of one fold each."""
        folds = self.fold_of[rows]
        parts = ((fold, np.flatnonzero(folds == fold)) for fold in self.folds)
        return [(fold, at[start : start + size]) for fold, at in parts for start in range(0, len(at), size)]


class Neighbours:
    """The votes of the 30 nearest rows of other folds.

    Nearer ones count for more; one vote more is divided by how frequent the labels are.
    """

    def __init__(self, embeddings: np.ndarray, rows: Rows, *, seed: int) -> None:
        self._rows = rows
        labelled = np.flatnonzero(rows.labelled)
        if len(labelled) > MOST_AMONG:
            labelled = np.sort(np.random.default_rng([seed, 2]).permutation(labelled)[:MOST_AMONG])
        self._cosines = np.full((len(embeddings), VOTERS), _NOBODY, dtype=np.float32)
        self._nearest = np.zeros((len(embeddings), VOTERS), dtype=np.int64)
        among = {fold: labelled[rows.fold_of[labelled] != fold] for fold in rows.folds}
        vectors = {fold: embeddings[here] for fold, here in among.items()}

        def find(block: tuple[int, np.ndarray]) -> None:
            fold, at = block
            cosines, found = nearest(embeddings[at], vectors[fold], VOTERS)
            self._cosines[at, : cosines.shape[1]] = cosines
            self._nearest[at, : cosines.shape[1]] = among[fold][found]

        judged = np.flatnonzero(rows.judged)
        blocks = rows.blocks(judged, max(64, BLOCK_NUMBERS // max(1, len(labelled))))
        in_threads(find, [(fold, judged[at]) for fold, at in blocks], rows.threads)
        self.fit(np.zeros(len(embeddings), dtype=bool))

    def fit(self, left_out: np.ndarray) -> None:
        """Those left out have no vote."""
        self._votes = ~left_out
        kept = self._rows.labelled & ~left_out
        self._counts = {
            fold: np.bincount(self._rows.codes[kept & (self._rows.fold_of != fold)], minlength=self._rows.labels)
            for fold in self._rows.folds
        }

    def log_probs(self, rows: np.ndarray) -> np.ndarray:
        """(rows, labels) float32."""
        found = np.empty((len(rows), self._rows.labels), dtype=np.float32)
        for fold, at in self._rows.blocks(rows):
            cosines, voters = self._cosines[rows[at]], self._nearest[rows[at]]
            weights = np.exp(_SHARPNESS * (cosines - cosines[:, :1])) * self._votes[voters] * (cosines > _NOBODY)
            places = np.arange(len(at))[:, None] * self._rows.labels + self._rows.codes[voters]
            votes = np.bincount(places.ravel(), weights.ravel(), minlength=len(at) * self._rows.labels)
            counts = self._counts[fold] if self._counts[fold].any() else np.ones(self._rows.labels)
            votes = votes.reshape(len(at), -1) + counts / counts.sum()
            with np.errstate(divide="ignore"):
                found[at] = np.log(votes / votes.sum(axis=1, keepdims=True))
        return found


def linear_features(embeddings: np.ndarray, rows: Rows) -> Features:
    """The embeddings themselves, centred."""
    centre = embeddings[rows.judged].mean(axis=0, dtype=np.float64).astype(np.float32)
    return lambda picked: embeddings[picked] - centre


def kernel_features(embeddings: np.ndarray, rows: Rows, *, seed: int) -> Features:
    """How near a row is to each of 1,024 drawn ones, exp(cosine - 1), whitened (Williams and Seeger 2001, "Using the Nyström
    method"): a discriminant over them sees what embeddings have together, not only one by one."""
    judged = np.flatnonzero(rows.judged)
    drawn = np.random.default_rng([seed, 3]).permutation(judged)[: min(LANDMARKS, max(1, len(judged) // 2))]
    landmarks = embeddings[np.sort(drawn)]
    values, vectors = np.linalg.eigh(np.exp(landmarks @ landmarks.T - 1).astype(np.float64))
    kept = values > _SMALLEST_EIGENVALUE * values[-1]
    whiten = (vectors[:, kept] / np.sqrt(values[kept])).astype(np.float32)

    def raw(picked: np.ndarray) -> np.ndarray:
        near = embeddings[picked] @ landmarks.T
        near -= 1
        features: np.ndarray = np.exp(near, out=near) @ whiten
        return features

    centre = raw(np.sort(drawn)).mean(axis=0, dtype=np.float64).astype(np.float32)
    return lambda picked: raw(picked) - centre


def in_threads(work: Callable[[tuple[int, np.ndarray]], None], parts: list[tuple[int, np.ndarray]], threads: int) -> None:
    """`work` for each of `parts`, some at once where that is allowed; what one raises is raised."""
    if threads == 1 or len(parts) < 2:
        for part in parts:
            work(part)
        return
    with ThreadPoolExecutor(threads, "loss_widget judge") as pool:
        list(pool.map(work, parts))
