"""score(): a fine-tuned classifier over labelled examples → Scores; Scorer: the callable behind it."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from loss_widget.errors import InputError
from loss_widget.examples import read_examples
from loss_widget.labels import AlignedLabels
from loss_widget.scores import Scores, callers_columns, loss_of, scores_for
from loss_widget.scoring import models
from loss_widget.scoring.checkpoint import Checkpoint
from loss_widget.scoring.engines import ENGINES
from loss_widget.scoring.label_order import check_permutation
from loss_widget.scoring.passes import LossOf, OnRows, PassOverTexts, TextPass
from loss_widget.scoring.precision import has_bfloat16
from loss_widget.scoring.reader import TextReader
from loss_widget.scoring.tasks import align, is_multi_label, label_names_of, log_sigmoid, log_softmax
from loss_widget.scoring.texts import TextColumn, Texts

PRECISIONS = ("exact", "fast")
_EARLY_ROWS, _EARLY_ROWS_A_LABEL = (500, 2_000), 20


class Scorer(TextReader):
    """A classifier as a picklable callable: texts in, log-probabilities out. `lw.score` uses it and so can any other runner.

    `token_budget`: tokens a batch with their padding (default: 1,024 to 4,096 on a CPU, whichever is fastest; 32,768 on a GPU);
    `threads`: torch threads while it runs (default: all of them or one, whichever is faster at the moment); `engine`: "stock"
    reads the transformers model as it is, "packed" its weights without padding (`ModelError` where that is not possible), "auto"
    packs where a self-check finds the same numbers. The other arguments are those of `lw.score`.

    >>> scorer = Scorer("notebooks/models/banking77-tiny-bert")
    >>> scorer(["I am still waiting on my card?", None]).log_probs.shape
    (2, 77)
    """

    def __init__(
        self,
        model: Any,
        *,
        tokenizer: Any = None,
        max_length: int | None = None,
        device: Any = None,
        precision: str = "exact",
        token_budget: int | None = None,
        threads: int | None = None,
        engine: str = "auto",
    ) -> None:
        for name, value, known in (("precision", precision, PRECISIONS), ("engine", engine, ENGINES)):
            if value not in known:
                raise InputError(f"Expected {name} to be one of {', '.join(map(repr, known))}, found {value!r}.")
        classifier = models.load_classifier(model)
        self.label_names = label_names_of(classifier)
        self.multi_label = is_multi_label(classifier)
        self.precision = precision
        self.engine = engine
        super().__init__(
            classifier,
            tokenizer=tokenizer,
            max_length=max_length,
            device=device,
            token_budget=token_budget,
            threads=threads,
        )

    def __call__(
        self,
        texts: TextColumn,
        pair_texts: TextColumn | None = None,
        *,
        loss_of: LossOf | None = None,
        progress: bool = False,
        checkpoint: str | os.PathLike[str] | None = None,
        on_rows: OnRows | None = None,
    ) -> TextPass:
        """Judge `texts` (or pairs of them). `on_rows(rows, log_probs)` is called after each batch, longest texts first.

        `loss_of(rows, log_probs)` → (rows,) losses: `precision="fast"` reads the highest ones again in float32.
        """
        started = time.perf_counter()
        fast = self.precision == "fast" and has_bfloat16(self.device)
        if self.precision == "fast" and loss_of is None:
            raise InputError('Expected loss_of with precision="fast", found none: which losses are to be exact? Pass it.')
        columns = Texts.of(texts, pair_texts)
        weights = models.weights_hash(self.model)
        with contextlib.ExitStack() as stack:
            saved = None
            if checkpoint is not None:
                key = self._fingerprint(columns, weights, "fast" if fast else "float32")
                saved = stack.enter_context(Checkpoint(checkpoint, key=key, rows=len(columns), labels=len(self.label_names)))
            run = PassOverTexts(
                self,
                stack.enter_context(self.lent()),
                columns,
                labels=len(self.label_names),
                activation=log_sigmoid if self.multi_label else log_softmax,
                weights=weights,
                engine=self.engine,
                saved=saved,
                on_rows=on_rows,
            )
            report = run.fast(loss_of, progress=progress) if fast and loss_of else run.exact(progress=progress)
        if self.precision == "fast" and not fast:
            report["precision"] += f": {self.device} has no bfloat16 in hardware"
        seconds = time.perf_counter() - started
        return replace(run.result, provenance={**self.provenance(rows=len(columns), seconds=seconds, weights=weights), **report})

    def _fingerprint(self, texts: Texts, weights: str, precision: str) -> dict[str, str]:
        return {
            "weights": weights,
            "max_length": str(self.max_length),
            "texts": texts.digest(),
            "tokenizer": self.tokenizer_digest(),
            "precision": precision,
            "label names": "\n".join(self.label_names),
            "kind of model": "multi-label" if self.multi_label else "one label a row",
        }


def score(
    data: Any,
    model: Any,
    *,
    text: str | Sequence[str] = "text",
    label: str = "label",
    tokenizer: Any = None,
    label_names: Sequence[str] | None = None,
    label_map: Mapping[Any, str] | None = None,
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
    labels, in the order of the ids. `label_map`: {name or id in the data: name in the model}. `max_length`: tokens to truncate
    at (default and most: what the model can read). `device`: default where the model is, or a GPU if there is one.
    `precision="fast"`: bfloat16 where the hardware has it, and float32 again for the highest losses, 5 % of the rows and 100 at
    least; `provenance` says from which loss on. They are then exact and in their exact order.
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
    examples = read_examples(data, text=text, label=label, label_names=label_names, label_sets=True)
    scorer = Scorer(model, tokenizer=tokenizer, max_length=max_length, device=device, precision=precision)
    labels = align(examples.given, scorer.label_names, multi_label=scorer.multi_label, label_map=label_map)
    callers_columns(examples.frame, scores_for(labels).columns)  # a name that is taken is told before the wait
    early = None if labels.believed else _EarlyCheck(labels)
    result = scorer(
        examples.texts,
        examples.pair_texts,
        loss_of=loss_of(labels),
        progress=progress,
        checkpoint=checkpoint,
        on_rows=early,
    )
    check_permutation(labels, result.log_probs)
    return Scores.from_pass(
        examples,
        labels,
        result.log_probs,
        tokens=result.tokens,
        truncated=result.truncated,
        unknown_tokens=result.unknown_tokens,
        notes=result.notes,
        provenance={
            **result.provenance,
            "in_sample": in_sample,
        },
    )


class _EarlyCheck:
    """Looks at the first rows judged, 500 to 2,000 by the number of labels, so that a wrong order is told before the wait."""

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
            codes = self._labels.codes[np.concatenate([rows for rows, _ in self._seen])]
            check_permutation(replace(self._labels, codes=codes), np.concatenate([values for _, values in self._seen]))
            self._seen.clear()
