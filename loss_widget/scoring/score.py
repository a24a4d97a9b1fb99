"""score(): a fine-tuned classifier over labelled examples → Scores; ScoringPlan: that call, once it is checked."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from loss_widget.data.examples import Examples, read_examples
from loss_widget.data.label_space import AlignedLabels
from loss_widget.scores.label_order import check_permutation
from loss_widget.scores.scores import SCORE_COLUMNS, Scores, callers_columns
from loss_widget.scoring.heads import align
from loss_widget.scoring.scorer import Scorer
from loss_widget.scoring.text_pass import OnRows, PassOverTexts, TextPass

_EARLY_ROWS, _EARLY_ROWS_A_LABEL = (500, 2_000), 20


def score(
    data: Any,
    model: Any,
    *,
    text: str | Sequence[str] = "text",
    label: str = "label",
    tokenizer: Any = None,
    label_names: Sequence[str] | None = None,
    label_map: Mapping[Any, str | None] | None = None,
    max_length: int | None = None,
    device: Any = None,
    precision: str = "exact",
    progress: bool = True,
    checkpoint: str | os.PathLike[str] | None = None,
    in_sample: bool | None = None,
) -> Scores:
    """Every labelled example judged by a fine-tuned classifier: its loss in nats, -log p(given label).

    `data`: a pandas or polars DataFrame, pyarrow Table, `datasets.Dataset`, list of dicts, or a path to .csv, .tsv, .jsonl or
    .parquet. `model`: a `PreTrainedModel`, or a name or path for `AutoModelForSequenceClassification`; it is left exactly as
    found. `tokenizer` defaults to the model's own. `text`: a column, or a pair of columns. `label_names`: names of integer
    labels, in the order of the ids. `label_map`: {name or id in the data: name in the model, or None for what means no label}.
    `max_length`: tokens to truncate at (default and most: what the model can read). `device`: default where the model is, or a
    GPU if there is one, or all of several (a process each); or those that a list names, as ["cuda:0", "cuda:1"].
    `precision="fast"`: bfloat16 where the hardware has it, and float32 again for the highest losses, 5 % of the rows and 100 at
    least; `provenance` says from which loss on. They are exact and in their exact order. Under 328 rows all are float32.
    `checkpoint`: a file for finished work; the same call resumes from it. `in_sample`: whether the model was trained on these
    rows, for the record.

    Of a multi-label model (`config.problem_type` "multi_label_classification") `label` holds a list of names or ids a row, or a
    0/1 vector, and what comes back are `MultiLabelScores`: the loss is the mean of the labels' binary cross-entropies.

    Losses are float32 and equal those of a plain pass row by row within 1e-4, whatever the batches. Raises `DataError`,
    `ColumnError`, `LabelMismatch` or `ModelError`, each saying what to do.

    >>> data = [{"text": "My card has not arrived", "label": "card_arrival"}, {"text": "Top up failed", "label": "age_limit"}]
    >>> scores = score(data, "notebooks/models/banking77-tiny-bert", progress=False)
    >>> scores.top(1)["label"].item()
    'age_limit'
    """
    plan = ScoringPlan.of(
        data,
        model,
        text=text,
        label=label,
        tokenizer=tokenizer,
        label_names=label_names,
        label_map=label_map,
        max_length=max_length,
        device=device,
        precision=precision,
        in_sample=in_sample,
    )
    return plan.run(progress=progress, checkpoint=checkpoint)


@dataclass(frozen=True)
class ScoringPlan:
    """A call of `score` once it is checked: the examples, their labels in the model's order, and who is to judge them."""

    examples: Examples
    labels: AlignedLabels
    scorer: Scorer
    in_sample: bool | None = None

    @classmethod
    def of(
        cls,
        data: Any,
        model: Any,
        *,
        text: str | Sequence[str],
        label: str,
        label_names: Sequence[str] | None,
        label_map: Mapping[Any, str | None] | None,
        in_sample: bool | None,
        **scorer: Any,
    ) -> ScoringPlan:
        """Reads the data, loads the model and matches their labels: all that can be refused before the wait. As `score`."""
        examples = read_examples(data, text=text, label=label, label_names=label_names, head=None)
        judge = Scorer(model, **scorer)
        labels = align(examples.given, judge.label_names, multi_label=judge.multi_label, label_map=label_map)
        callers_columns(examples.frame, (*SCORE_COLUMNS, *labels.space.score_columns))
        return cls(examples, labels, judge, in_sample)

    def run(
        self,
        *,
        progress: bool = False,
        checkpoint: str | os.PathLike[str] | None = None,
        on_rows: OnRows | None = None,
        on_start: Callable[[PassOverTexts], None] | None = None,
    ) -> Scores:
        """All examples judged. `on_rows`, `on_start`: as of `Scorer`."""
        early = None if self.labels.believed else _EarlyCheck(self.labels)

        def on_batch(rows: np.ndarray, log_probs: np.ndarray) -> None:
            for look in (early, on_rows):
                if look is not None:
                    look(rows, log_probs)

        read = self.scorer(
            self.examples.contents,
            loss_of=self.labels.losses,
            progress=progress,
            checkpoint=checkpoint,
            on_rows=on_batch,
            on_start=on_start,
        )
        check_permutation(self.labels, read.log_probs)
        return self.scores_of(read)

    def scores_of(self, read: TextPass) -> Scores:
        """The Scores that a pass over the examples makes."""
        return Scores.from_pass(
            self.examples,
            self.labels,
            read.log_probs,
            tokens=read.tokens,
            truncated=read.truncated,
            unknown_tokens=read.unknown_tokens,
            notes=read.notes,
            provenance={**read.provenance, "in_sample": self.in_sample},
        )


class _EarlyCheck:
    """Looks at the first rows judged, 500 to 2,000 by the number of labels, so that a wrong order is reported before the wait."""

    def __init__(self, labels: AlignedLabels) -> None:
        self._labels = labels
        self._seen: list[tuple[np.ndarray, np.ndarray]] = []
        self._rows = 0
        self._enough = int(np.clip(_EARLY_ROWS_A_LABEL * len(labels.names), *_EARLY_ROWS))

    def __call__(self, rows: np.ndarray, log_probs: np.ndarray) -> None:
        if self._rows >= self._enough:
            return
        self._seen.append((rows, log_probs))
        self._rows += len(rows)
        if self._rows >= self._enough:
            ids = self._labels.ids[np.concatenate([rows for rows, _ in self._seen])]
            check_permutation(replace(self._labels, ids=ids), np.concatenate([values for _, values in self._seen]))
            self._seen.clear()
