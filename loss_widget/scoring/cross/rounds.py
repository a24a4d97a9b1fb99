"""Out-of-fold probabilities from embeddings, in rounds: labels that look wrong in one are not learned from in the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from loss_widget.data.losses import log_softmax
from loss_widget.scoring.cross.discriminant import Discriminant
from loss_widget.scoring.cross.judges import Neighbours, Rows, in_threads, kernel_features, linear_features
from loss_widget.scoring.cross.noise import suspicious, wrong_share

SHARES_OF_NEIGHBOURS = (0.0, 0.15, 0.3, 0.5)
MOST_LEFT_OUT = 0.3
_SAMPLE_ROWS, _SAMPLE_NUMBERS = 20_000, 5_000_000


@dataclass(frozen=True)
class Judgement:
    """`log_probs` (n, labels) float32, NaN where a row has no embedding; `left_out` (n,) bool; `how` for the provenance."""

    log_probs: np.ndarray
    left_out: np.ndarray
    how: dict[str, Any]


def judge_in_rounds(embeddings: np.ndarray, rows: Rows, *, rounds: int, neighbours: bool, seed: int) -> Judgement:
    """Each row judged by what the other folds teach: two discriminants and, if that agrees with more labels, its neighbours.

    After each round but the last, the surer half of what seem to be wrong labels (`wrong_share`), those with the least probable
    ones, is left out of what is learned from; all rows are judged in every round.
    """
    labelled = np.flatnonzero(rows.labelled)
    left_out = np.zeros(len(embeddings), dtype=bool)
    log_probs = np.full((len(embeddings), rows.labels), np.nan, dtype=np.float32)
    if not len(labelled):
        return Judgement(log_probs, left_out, {"rounds": 0})
    panel = _Panel(embeddings, rows, neighbours=neighbours, seed=seed)
    codes, folds = rows.codes[labelled], rows.fold_of[labelled]
    for round_ in range(rounds):
        panel.fit(left_out)
        if round_ < rounds - 1:
            own = panel.own_probs(labelled)
            share = min(MOST_LEFT_OUT, wrong_share(own, labels=rows.labels)) / 2
            left_out = np.zeros(len(embeddings), dtype=bool)
            left_out[labelled] = suspicious(own, codes, folds, share=share, labels=rows.labels)
    judged = np.flatnonzero(rows.judged)
    log_probs[judged] = panel.log_probs(judged)
    how = {"rounds": rounds, "left_out": int(left_out.sum()), "neighbours": panel.share_of_neighbours}
    return Judgement(log_probs, left_out, {**how, "how": _in_words(how, rows=len(labelled))})


def pooled(parts: Sequence[np.ndarray], shares: Sequence[float]) -> np.ndarray:
    """(rows, labels) float32 log-probabilities, p ∝ ∏ pᵢ^shareᵢ (a logarithmic opinion pool, Genest and Zidek 1986)."""
    used = [(part, share) for part, share in zip(parts, shares, strict=True) if share]  # 0 times -inf is NaN
    return log_softmax(np.asarray(sum(np.float32(share) * part for part, share in used)))


class _Panel:
    """The judges, and how much each of them has a say."""

    def __init__(self, embeddings: np.ndarray, rows: Rows, *, neighbours: bool, seed: int) -> None:
        self._rows = rows
        labelled = np.flatnonzero(rows.labelled)
        most = int(np.clip(_SAMPLE_NUMBERS // rows.labels, 500, _SAMPLE_ROWS))
        self._sample = np.sort(np.random.default_rng([seed, 1]).permutation(labelled)[:most])
        kinds = (linear_features(embeddings, rows), kernel_features(embeddings, rows, seed=seed))
        self._discriminants = [Discriminant(features, rows, self._sample) for features in kinds]
        self._neighbours = Neighbours(embeddings, rows, seed=seed) if neighbours else None
        self.share_of_neighbours = 0.0

    def fit(self, left_out: np.ndarray) -> None:
        """All learn from all labelled rows but those `left_out`; in the first round it shows who has how much of a say."""
        first = not left_out.any()
        for discriminant in self._discriminants:
            discriminant.fit(left_out)
        if self._neighbours is not None:
            self._neighbours.fit(left_out)
            if first:
                parts = self._parts(self._sample)
                self.share_of_neighbours = max(SHARES_OF_NEIGHBOURS, key=lambda share: self._agreement(parts, share))

    def log_probs(self, rows: np.ndarray) -> np.ndarray:
        """(rows, labels) float32, finite: a label that the other folds do not have gets 1 / (rows + labels) of them."""
        found = np.empty((len(rows), self._rows.labels), dtype=np.float32)

        def keep(fold: int, at: np.ndarray, logs: np.ndarray) -> None:
            learned_from = int((self._rows.labelled & (self._rows.fold_of != fold)).sum())
            found[at] = _over_all_labels(logs, learned_from=learned_from)

        self._judge(rows, keep)
        return found

    def own_probs(self, rows: np.ndarray) -> np.ndarray:
        """(rows,) float64: the probabilities of the given labels."""
        own = np.empty(len(rows))

        def keep(fold: int, at: np.ndarray, logs: np.ndarray) -> None:
            own[at] = np.exp(logs[np.arange(len(at)), self._rows.codes[rows[at]]])

        self._judge(rows, keep)
        return own

    def _judge(self, rows: np.ndarray, keep: Callable[[int, np.ndarray, np.ndarray], None]) -> None:
        """`keep(fold, places in rows, log-probabilities)`, block by block."""
        share = self.share_of_neighbours

        def judge(block: tuple[int, np.ndarray]) -> None:
            fold, at = block
            keep(fold, at, pooled(self._parts(rows[at]), (1 - share, share)))

        in_threads(judge, self._rows.blocks(rows), self._rows.threads)

    def _parts(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(rows, labels) each: what the discriminants say together, and what the neighbours say."""
        both = [discriminant.log_probs(rows) for discriminant in self._discriminants]
        own = pooled(both, (0.5, 0.5))
        return own, self._neighbours.log_probs(rows) if self._neighbours is not None else own

    def _agreement(self, parts: tuple[np.ndarray, np.ndarray], share: float) -> float:
        """The part of the sample whose given label is the most probable one where neighbours have such a share."""
        return float((pooled(parts, (1 - share, share)).argmax(axis=1) == self._rows.codes[self._sample]).mean())


def _over_all_labels(logs: np.ndarray, *, learned_from: int) -> np.ndarray:
    """Labels that are at -inf in all rows get what one unseen row would."""
    unknown = np.asarray(np.isneginf(logs).all(axis=0))
    smallest = 1.0 / (learned_from + len(unknown))
    logs = np.maximum(logs, np.log(np.finfo(np.float32).tiny))
    if unknown.any():
        logs[:, ~unknown] += np.log1p(-smallest * unknown.sum())
        logs[:, unknown] = np.log(smallest)
    return logs


def _in_words(how: dict[str, Any], *, rows: int) -> str:
    count, out, share = how["rounds"], how["left_out"], how["neighbours"]
    judges = "Linear discriminants on the embeddings" + (f" (and, for {share:.0%}, their nearest neighbours)" if share else "")
    said = f"{judges} judged every row without having learned from it"
    if count == 1:
        return f"{said}."
    if not out:
        return f"{said}, in {count} rounds: no label looked wrong enough to be left out of what they learn from."
    return (
        f"{said}, in {count} rounds: {out:,} rows ({out / rows:.1%}) whose labels looked wrong were not learned from in the last."
    )
