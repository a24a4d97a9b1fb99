"""MultiLabelScores: what a multi-label model thinks of every row's set of labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from loss_widget.data.label_sets import AlignedLabelSets
from loss_widget.data.labels import AlignedLabels
from loss_widget.scores.probabilities import binary_losses, losses, set_losses
from loss_widget.scores.scores import SCORE_COLUMNS, Scores


class MultiLabelScores(Scores):
    """A multi-label model's judgement of every row: each label is a question of its own, on or off.

    Made by `lw.score` where `config.problem_type` is "multi_label_classification". `log_probs` (n_rows, n_labels) float32 are
    log-sigmoids: the log-probability that a label is on. `given_sets` (n_rows, n_labels) int8 are the sets that were judged: 1 is
    on, 0 off, -1 a row without a set; `given_ids` is the label of rows with exactly one, else -1.

    Read as in `Scores`, but for: `loss`, the mean of the row's binary cross-entropies (nats); `predicted_label`, the labels above
    one half, written as the label column writes its sets (lists of names, lists of ids, 0/1 vectors); `label_prob`, exp(-loss),
    the geometric mean of the probabilities that each label is as given; `predicted_prob`, the same for the predicted set, so that
    the two are equal where the sets are. `worst_label` names the label of highest loss and what the model would do with it:
    "+joy" (joy is missing) or "-anger" (anger is doubted); a column, so that it can be counted and filtered by.

    >>> from loss_widget.data.examples import read_examples
    >>> from loss_widget.data.label_sets import align_label_sets
    >>> examples = read_examples([{"text": "At last!", "label": ["joy"]}], label_sets=True)
    >>> labels = align_label_sets(examples.given, ["joy", "anger"])
    >>> scores = Scores.from_pass(examples, labels, np.log([[0.9, 0.8]]))
    >>> scores.top()[["label", "predicted_label", "worst_label"]].values.tolist()
    [[['joy'], ['joy', 'anger'], '+anger']]
    >>> scores.label_losses.round(3)
    array([[0.105, 1.609]], dtype=float32)
    """

    columns: tuple[str, ...] = (*SCORE_COLUMNS, "worst_label")

    def __init__(self, *, labels: AlignedLabelSets, **made: Any) -> None:
        super().__init__(labels=labels, **made)
        self.given_sets = labels.on
        self.vector = labels.vector

    @property
    def label_losses(self) -> np.ndarray:
        """(n_rows, n_labels) float32, nats: the binary cross-entropy of each label, NaN where there is none."""
        return binary_losses(self.log_probs, self.given_sets)

    @property
    def losses(self) -> np.ndarray:
        """(n_rows,) float32, nats: the mean of the row's `label_losses`."""
        return set_losses(self.log_probs, self.given_sets)

    @property
    def predicted_sets(self) -> np.ndarray:
        """(n_rows, n_labels) int8: 1 for labels with a probability above one half, else 0; -1 for rows that were not judged."""
        return _predicted(self.log_probs)

    @property
    def worst_label(self) -> pd.Series:
        """The label of highest loss in each row that was scored, "+joy" where joy is missing, "-joy" where it is doubted."""
        return pd.Series(_worst(self.log_probs, self.given_sets, self.label_names), index=self._index, name="worst_label")

    @staticmethod
    def _judgement(log_probs: np.ndarray, judged: np.ndarray, labels: Any, *, like: pd.Series) -> dict[str, Any]:
        loss = set_losses(log_probs, labels.on)
        predicted = _predicted(log_probs)
        return {
            "predicted_label": labels.written(predicted, like=like),
            "loss": loss,
            "label_prob": np.exp(-loss),
            "predicted_prob": np.exp(-set_losses(log_probs, predicted)),
            "worst_label": pd.Series(_worst(log_probs, labels.on, labels.names), index=like.index, dtype="str"),
        }

    def _judgement_by_name(self, rows: np.ndarray) -> dict[str, Any]:
        loss = self.losses[rows]
        predicted = self.predicted_sets[rows]
        return {
            self.label: self._names_of(self.given_sets[rows]),
            "predicted_label": self._names_of(predicted),
            "loss": loss,
            "label_prob": np.exp(-loss),
            "predicted_prob": np.exp(-set_losses(self.log_probs[rows], predicted)),
            "worst_label": self.worst_label.to_numpy()[rows],
        }

    def _names_of(self, sets: np.ndarray) -> list[list[str] | None]:
        return [None if row[0] < 0 else [self.label_names[j] for j in np.flatnonzero(row)] for row in sets]

    def _agreement(self) -> dict[str, float | None]:
        """`accuracy`: the share of rows whose whole set is predicted; `micro_f1`: F1 over all labels of all rows."""
        predicted = self.predicted_sets
        usable = (self.given_sets[:, 0] >= 0) & (predicted[:, 0] >= 0)
        given, told = self.given_sets[usable] > 0, predicted[usable] > 0
        both, either = int((given & told).sum()), int(given.sum() + told.sum())
        exact = round(float((given == told).all(axis=1).mean()), 4) if len(given) else None
        return {"accuracy": exact, "micro_f1": round(2 * both / either, 4) if either else None}


def _predicted(log_probs: np.ndarray) -> np.ndarray:
    judged = np.isfinite(log_probs).all(axis=1)
    return np.where(judged[:, None], log_probs > np.float32(-np.log(2)), -1).astype(np.int8)


def _worst(log_probs: np.ndarray, on: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """(n,) object: the label of highest loss with the sign of what the model would do with it, None where there is no loss."""
    each = binary_losses(log_probs, on)
    told = np.array([*(f"+{name}" for name in names), *(f"-{name}" for name in names), None], dtype=object)
    label = np.nan_to_num(each, nan=-1.0).argmax(axis=1)
    doubted = on[np.arange(len(on)), label] > 0
    known = np.isfinite(each).all(axis=1)
    worst: np.ndarray = told[np.where(known, label + doubted * len(names), 2 * len(names))]
    return worst


def loss_of(labels: AlignedLabels) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """(rows, their log-probabilities) → (rows,) float32, nats: the losses of those rows, for these labels."""
    if isinstance(labels, AlignedLabelSets):
        on = labels.on
        return lambda rows, log_probs: set_losses(log_probs, on[rows])
    return lambda rows, log_probs: losses(log_probs, labels.codes[rows])
