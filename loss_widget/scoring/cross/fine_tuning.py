"""Fine-tuning for cross_score(train="full"): for each fold a classifier that learns from the others, by transformers' Trainer."""

from __future__ import annotations

import contextlib
import copy
import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from loss_widget.data.examples import Examples
from loss_widget.data.label_space import NO_LABEL, AlignedLabels
from loss_widget.data.texts import Texts
from loss_widget.errors import InputError, ModelError
from loss_widget.scoring.scorer import Scorer
from loss_widget.scoring.text_pass import TextPass
from loss_widget.scoring.text_reader import TextReader

_WARM_UP = 0.1


@dataclass(frozen=True)
class Training:
    """How a classifier is fine-tuned: AdamW, linear decay after a tenth of warm-up, as the BERT paper has it."""

    epochs: int = 3
    learning_rate: float = 5e-5
    batch_size: int = 16
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InputError(f"Expected {name} to be a whole number of at least 1, found {value!r}.")
        if not 0 < self.learning_rate < 1:
            raise InputError(f"Expected learning_rate between 0 and 1, found {self.learning_rate!r}. Usual are 2e-5 to 5e-5.")


def fine_tuned(
    reader: TextReader,
    base: Any,
    examples: Examples,
    labels: AlignedLabels,
    fold_of: np.ndarray,
    *,
    training: Training,
    progress: bool,
) -> TextPass:
    """All rows, each judged by a classifier that was fine-tuned on the other folds from the weights of `base`.

    `fold_of`: (n,) integers. `base` stays as it is, and so do the random numbers of Python, numpy and torch.
    """
    _check_padding(reader.tokenizer)
    result = TextPass.empty(len(examples), len(labels.names))
    for fold in np.unique(fold_of).tolist():
        held_out = np.flatnonzero(fold_of == fold)
        others = np.flatnonzero((fold_of != fold) & (labels.codes != NO_LABEL))
        with _random_numbers_kept():
            classifier = _fresh_classifier(base, labels.names, reader.tokenizer, seed=training.seed)
            _train(classifier, reader, _Rows(reader, examples, labels.codes, others), training, progress=progress)
        judge = Scorer(
            classifier,
            tokenizer=reader.tokenizer,
            max_length=reader.max_length,
            device=reader.device,
            token_budget=reader.token_budget,
            threads=reader.threads,
        )
        read = judge(examples.contents.take(held_out), progress=progress)
        result.log_probs[held_out] = read.log_probs
        result.tokens[held_out] = read.tokens
        result.truncated[held_out] = read.truncated
        result.unknown_tokens[held_out] = read.unknown_tokens
        result.notes.update({int(held_out[row]): note for row, note in read.notes.items()})
    return result


class _Rows:
    """Some labelled rows as what a Trainer takes: tokenized when they are asked for, so that no tokens are kept."""

    def __init__(self, reader: TextReader, examples: Examples, codes: np.ndarray, rows: np.ndarray) -> None:
        self._reader, self._codes, self._rows = reader, codes, rows
        self._texts = Texts.of(examples.contents).columns

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, i: int) -> dict[str, Any]:
        row = int(self._rows[i])
        texts = [column[row].as_py() or "" for column in self._texts]
        tokens = self._reader.tokenizer(*texts, truncation=True, max_length=self._reader.max_length)
        return {**tokens, "labels": int(self._codes[row])}


def _check_padding(tokenizer: Any) -> None:
    """Batches are filled up with the end token where there is none for padding; the tokenizer is the reader's own."""
    if tokenizer.pad_token_id is None:
        if tokenizer.eos_token is None:
            raise ModelError(
                "Expected a tokenizer with a token for padding or for the end of a text, found neither. "
                "Set `tokenizer.pad_token`."
            )
        tokenizer.pad_token = tokenizer.eos_token


def _fresh_classifier(base: Any, names: Sequence[str], tokenizer: Any, *, seed: int) -> Any:
    """A classifier of the architecture and the weights of `base`, with a new head for these labels."""
    import transformers

    config = copy.deepcopy(base.config)
    config.id2label, config.label2id = dict(enumerate(names)), {name: i for i, name in enumerate(names)}
    config.problem_type = "single_label_classification"
    if getattr(config, "pad_token_id", None) is None:
        config.pad_token_id = tokenizer.pad_token_id
    transformers.set_seed(seed)
    try:
        classifier = transformers.AutoModelForSequenceClassification.from_config(config)
    except ValueError as error:
        raise ModelError(
            f"Expected an encoder that transformers has a sequence classifier for, found {type(base).__name__}. "
            'Use `train="head"`.'
        ) from error
    missing = classifier.base_model.load_state_dict(base.state_dict(), strict=False).missing_keys
    lost = [key for key in missing if "pooler" not in key and "position_ids" not in key]
    if lost:
        raise ModelError(f'Expected the weights of its encoder in the model, found none of {lost[:3]}. Use `train="head"`.')
    return classifier.float()


def _train(classifier: Any, reader: TextReader, rows: _Rows, training: Training, *, progress: bool) -> None:
    from transformers import DataCollatorWithPadding, PrinterCallback, Trainer, TrainingArguments

    steps = training.epochs * -(-len(rows) // training.batch_size)
    on_cpu = reader.device.type == "cpu"
    with tempfile.TemporaryDirectory() as folder:
        try:
            arguments = TrainingArguments(
                output_dir=folder,
                num_train_epochs=training.epochs,
                learning_rate=training.learning_rate,
                per_device_train_batch_size=training.batch_size,
                warmup_steps=int(_WARM_UP * steps),
                seed=training.seed,
                use_cpu=on_cpu,
                dataloader_pin_memory=not on_cpu,
                save_strategy="no",
                logging_strategy="no",
                report_to=[],
                disable_tqdm=not progress,
            )
        except ImportError as error:
            raise ModelError(
                'Expected the package accelerate for train="full", found none. Install it (`pip install "loss-widget[train]"`), '
                'or use `train="head"`.'
            ) from error
        trainer = Trainer(
            model=classifier,
            args=arguments,
            train_dataset=rows,
            data_collator=DataCollatorWithPadding(reader.tokenizer),
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()


@contextlib.contextmanager
def _random_numbers_kept() -> Iterator[None]:
    import torch

    python, numpy = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng():
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
