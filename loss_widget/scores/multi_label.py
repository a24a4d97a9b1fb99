"""MultiLabelScores: what a multi-label model thinks of every row's set of labels."""

from __future__ import annotations

import numpy as np
import pandas as pd

from loss_widget.data.label_sets import LabelSets, predicted_sets, worst_labels
from loss_widget.data.losses import binary_losses
from loss_widget.scores.scores import Scores


class MultiLabelScores(Scores, label_kind="set"):
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
    >>> examples = read_examples([{"text": "At last!", "label": ["joy"]}], head="sigmoid")
    >>> labels = examples.given.align(["joy", "anger"])
    >>> scores = Scores.from_pass(examples, labels, np.log([[0.9, 0.8]]))
    >>> scores.top()[["label", "predicted_label", "worst_label"]].values.tolist()
    [[['joy'], ['joy', 'anger'], '+anger']]
    >>> scores.label_losses.round(3)
    array([[0.105, 1.609]], dtype=float32)
    """

    @property
    def given_sets(self) -> np.ndarray:
        """(n_rows, n_labels) int8: the sets that were judged, 1 for labels that are on, else 0; -1 for rows without a set."""
        space = self.labels.space
        assert isinstance(space, LabelSets)
        return space.sets_of(self.labels.ids)

    @property
    def label_losses(self) -> np.ndarray:
        """(n_rows, n_labels) float32, nats: the binary cross-entropy of each label, NaN where there is none."""
        return binary_losses(self.log_probs, self.given_sets)

    @property
    def predicted_sets(self) -> np.ndarray:
        """(n_rows, n_labels) int8: 1 for labels with a probability above one half, else 0; -1 for rows that were not judged."""
        return predicted_sets(self.log_probs)

    @property
    def worst_label(self) -> pd.Series:
        """The label of highest loss in each row that was scored, "+joy" where joy is missing, "-joy" where it is doubted."""
        worst = worst_labels(self.log_probs, self.given_sets, self.label_names)
        return pd.Series(worst, index=self._index, name="worst_label")
