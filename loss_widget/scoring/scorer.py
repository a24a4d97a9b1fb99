"""score(): a fine-tuned classifier over labelled examples → Scores; Scorer: the callable behind it."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from loss_widget.errors import InputError, ModelError
from loss_widget.examples import read_examples
from loss_widget.labels import AlignedLabels, align_labels
from loss_widget.scores import Scores, callers_columns
from loss_widget.scoring import models
from loss_widget.scoring.batches import Texts, Tokens
from loss_widget.scoring.checkpoint import Checkpoint
from loss_widget.scoring.forward import read_log_probs
from loss_widget.scoring.label_order import check_permutation
from loss_widget.scoring.reader import TextReader, progress_bar
from loss_widget.scoring.tasks import label_names_of

_EARLY_ROWS, _EARLY_ROWS_A_LABEL = (500, 2_000), 20
OnRows = Callable[[np.ndarray, np.ndarray], None]


@dataclass(frozen=True)
class TextPass:
    """What a model said about n texts.

    `log_probs` (n, labels) float32, NaN rows where there was no finite answer; `tokens` int32, `truncated` bool, `unknown_tokens`
    int32, each (n,); `notes` by row, in words; `provenance`: how it was computed.
    """

    log_probs: np.ndarray
    tokens: np.ndarray
    truncated: np.ndarray
    unknown_tokens: np.ndarray
    notes: Mapping[int, str]
    provenance: Mapping[str, Any] = field(default_factory=dict)


class Scorer(TextReader):
    """A classifier as a picklable callable: texts in, log-probabilities out. `lw.score` uses it and so can any other runner.

    `token_budget`: tokens a batch with their padding (default 2,048 on a CPU, 32,768 on a GPU); `threads`: torch threads while it
    runs (default: all of them or one, whichever is faster at the moment). The other arguments are those of `lw.score`.

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
    ) -> None:
        if precision == "fast":
            raise ModelError(
                'Expected precision="exact" (float32), found "fast", which is not available in this version. Leave it out.'
            )
        if precision != "exact":
            raise InputError(f'Expected precision "exact", found {precision!r}.')
        classifier = models.load_classifier(model)
        self.label_names = label_names_of(classifier)
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
        texts: Texts,
        pair_texts: Texts | None = None,
        *,
        progress: bool = False,
        checkpoint: str | os.PathLike[str] | None = None,
        on_rows: OnRows | None = None,
    ) -> TextPass:
        """Judge `texts` (or pairs of them). `on_rows(rows, log_probs)` is called after each batch, longest texts first."""
        started = time.perf_counter()
        tokens = self.tokens(texts, pair_texts)
        weights = models.weights_hash(self.model)
        log_probs = np.full((len(tokens), len(self.label_names)), np.nan, dtype=np.float32)
        notes: dict[int, str] = {}
        with contextlib.ExitStack() as stack:
            done = np.zeros(len(tokens), dtype=bool)
            saved = None
            if checkpoint is not None:
                key = self._fingerprint(tokens, weights)
                saved = stack.enter_context(Checkpoint(checkpoint, key=key, rows=len(tokens), labels=len(self.label_names)))
                done = saved.load_into(log_probs, notes)
            advance = stack.enter_context(progress_bar(tokens.lengths, done=done, shown=progress))

            def on_batch(rows: np.ndarray, values: np.ndarray, said: dict[int, str]) -> None:
                if values.shape[1] != log_probs.shape[1]:
                    raise ModelError(
                        f"Expected {log_probs.shape[1]} outputs, one for each name in `config.id2label`, found "
                        f"{values.shape[1]}. Set `model.config.id2label` to the names of the outputs."
                    )
                log_probs[rows] = values
                notes.update(said)
                if saved is not None:
                    saved.add(rows, values, said)
                advance(rows)
                if on_rows is not None:
                    on_rows(rows, values)

            report = self.read(tokens, np.flatnonzero(~done), read_log_probs, on_batch)
        provenance = self.provenance(report, rows=len(tokens), seconds=time.perf_counter() - started, weights=weights)
        return TextPass(
            log_probs,
            tokens.lengths.astype(np.int32),
            tokens.truncated,
            tokens.unknown,
            notes,
            {**provenance, "precision": "exact (float32)", "engine": "stock", "resumed_rows": int(done.sum())},
        )

    def _fingerprint(self, tokens: Tokens, weights: str) -> dict[str, str]:
        return {
            "weights": weights,
            "max_length": str(self.max_length),
            "texts or tokenizer": tokens.digest(),
            "precision": "float32",
            "label names": "\n".join(self.label_names),
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
    `checkpoint`: a file for finished work; the same call resumes from it. `in_sample`: whether the model was trained on these
    rows, for the record.

    Losses are float32 and equal those of a plain pass row by row within 1e-4, whatever the batches. Raises `DataError`,
    `ColumnError`, `LabelMismatch` or `ModelError`, each saying what to do.

    >>> data = [{"text": "My card has not arrived", "label": "card_arrival"}, {"text": "Top up failed", "label": "age_limit"}]
    >>> scores = score(data, "notebooks/models/banking77-tiny-bert", progress=False)
    >>> scores.top(1)["label"].item()
    'age_limit'
    """
    examples = read_examples(data, text=text, label=label, label_names=label_names)
    callers_columns(examples.frame)  # a name that is taken is told before the wait
    scorer = Scorer(model, tokenizer=tokenizer, max_length=max_length, device=device, precision=precision)
    labels = align_labels(examples.given, scorer.label_names, label_map=label_map)
    early = None if labels.believed else _EarlyCheck(labels)
    result = scorer(examples.texts, examples.pair_texts, progress=progress, checkpoint=checkpoint, on_rows=early)
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
            "accuracy": accuracy(result.log_probs, labels.codes),
        },
    )


def accuracy(log_probs: np.ndarray, label_ids: np.ndarray) -> float | None:
    """The share of labelled and judged rows whose most probable label is the given one; None where there are none."""
    usable = (label_ids >= 0) & np.isfinite(log_probs).all(axis=1)
    if not usable.any():
        return None
    return round(float((log_probs[usable].argmax(axis=1) == label_ids[usable]).mean()), 4)


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
