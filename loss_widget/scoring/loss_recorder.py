"""LossRecorder: losses and margins of every training example over the epochs of one training run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from loss_widget.data.examples import read_examples
from loss_widget.data.label_space import NO_LABEL
from loss_widget.data.losses import logit_margins, losses
from loss_widget.errors import DataError, InputError, ModelError
from loss_widget.scores.scores import DYNAMICS_COLUMNS, SCORE_COLUMNS, Scores, callers_columns
from loss_widget.scoring.extras import need
from loss_widget.scoring.heads import align
from loss_widget.scoring.score import ScoringPlan
from loss_widget.scoring.scorer import Scorer
from loss_widget.scoring.text_pass import TextPass

need("torch", "transformers")  # before the base class is looked for
from transformers import TrainerCallback  # noqa: E402


class LossRecorder(TrainerCallback):
    """A `transformers.TrainerCallback` that judges every training example after each epoch of one training run.

    What a model learns late and forgets again is often labelled wrongly, and shows although the model has seen the label:

        recorder = lw.LossRecorder(train)  # the same rows, as text
        Trainer(model, arguments, train_dataset=tokenized, …, callbacks=[recorder]).train()
        lw.LossWidget(recorder.scores())

    `data`, `text`, `label`, `label_names` and `label_map` as in `lw.score`; `tokenizer` defaults to the Trainer's own. An epoch
    takes one pass over the rows longer, in evaluation mode (without dropout) and float32, with the model as the epoch left it.
    `losses` and `margins`: (epochs, n) float32, as they come; NaN for rows without a label. Training again begins anew.

    The margin is the logit of the row's label less the highest other one. Its mean over the epochs is the area under the margin
    (AUM) of Pleiss et al. (2020), "Identifying mislabeled data using the area under the margin ranking", taken at the end of each
    epoch; `correctness` is that of Swayamdipta et al. (2020), "Dataset cartography".
    """

    def __init__(
        self,
        data: Any,
        *,
        text: str | Sequence[str] = "text",
        label: str = "label",
        tokenizer: Any = None,
        label_names: Sequence[str] | None = None,
        label_map: Mapping[Any, str | None] | None = None,
        max_length: int | None = None,
        progress: bool = True,
    ) -> None:
        self._examples = read_examples(data, text=text, label=label, label_names=label_names)
        callers_columns(self._examples.frame, (*SCORE_COLUMNS, *DYNAMICS_COLUMNS))
        self._label_map = label_map
        self._tokenizer = tokenizer
        self._max_length = max_length
        self._progress = progress
        self._judge: _Judge | None = None

    @property
    def losses(self) -> np.ndarray:
        """(epochs, n) float32, nats."""
        return np.stack(self._recorded().losses)

    @property
    def margins(self) -> np.ndarray:
        """(epochs, n) float32, in logits."""
        return np.stack(self._recorded().margins)

    def scores(self) -> Scores:
        """Scores after the last epoch, with four more columns in `frame`, over all epochs so far.

        `aum`: mean margin (logits; low where the label is doubted); `mean_loss` and `loss_std` (nats); `correctness`: the share
        of epochs after which the model agreed with the label. `InputError` before the first epoch has ended.
        """
        return self._recorded().scores()

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """All that can be refused is refused before the first step."""
        if state.is_world_process_zero:
            model = kwargs["model"]
            tokenizer = self._tokenizer if self._tokenizer is not None else kwargs.get("processing_class")
            scorer = Scorer(model, tokenizer=tokenizer, max_length=self._max_length, device=model.device)
            if scorer.multi_label:
                raise ModelError(
                    "Expected a classifier of one label a row to record, found a multi-label one. Leave the recorder out, and "
                    "judge the rows with `lw.score` after training."
                )
            labels = align(self._examples.given, scorer.label_names, multi_label=False, label_map=self._label_map)
            self._judge = _Judge(ScoringPlan(self._examples, labels, scorer, in_sample=True))

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Judge every example with the model as it now is."""
        if self._judge is not None:
            self._judge.read(progress=self._progress)

    def _recorded(self) -> _Judge:
        if self._judge is None or not self._judge.losses:
            raise InputError(
                "Expected an epoch that has ended, found none. Hand the recorder to a Trainer, as in "
                "`Trainer(…, callbacks=[recorder])`, and train."
            )
        return self._judge


class _Judge:
    """The model in training, and what it made of the rows after each epoch."""

    def __init__(self, plan: ScoringPlan) -> None:
        if not (plan.labels.codes != NO_LABEL).any():
            raise DataError("Expected labels to record the losses of, found none. Check the label column.")
        self._plan = plan
        self._last: TextPass | None = None
        self.losses: list[np.ndarray] = []
        self.margins: list[np.ndarray] = []

    def read(self, *, progress: bool) -> None:
        """Judge every row with the model as it now is."""
        examples, codes = self._plan.examples, self._plan.labels.codes
        self._last = self._plan.scorer(examples.contents, progress=progress)
        self.losses.append(losses(self._last.log_probs, codes))
        self.margins.append(logit_margins(self._last.log_probs, codes))

    def scores(self) -> Scores:
        """Scores after the last epoch, with the columns over all of them."""
        assert self._last is not None
        epochs = {"epochs": len(self.losses)}
        scores = self._plan.scores_of(replace(self._last, provenance={**self._last.provenance, **epochs}))
        margins = np.stack(self.margins)
        agreed = np.where(np.isnan(margins), np.nan, margins >= 0)
        values = (margins.mean(axis=0), np.mean(self.losses, axis=0), np.std(self.losses, axis=0), agreed.mean(axis=0))
        for name, value in zip(DYNAMICS_COLUMNS, values, strict=True):
            scores.frame[name] = pd.Series(value.astype(np.float32), index=scores.frame.index)
        scores.columns = (*scores.columns, *DYNAMICS_COLUMNS)
        return scores
