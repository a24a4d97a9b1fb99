"""A model and its tokenizer, ready to read texts; and the bar that shows how far it is."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from loss_widget.errors import InputError
from loss_widget.scoring import models
from loss_widget.scoring.batches import Texts, Tokens, check_fits, tokenize
from loss_widget.scoring.forward import ForwardPass, OnBatch, PassReport, Read, borrowed, padding_for

CPU_TOKENS = 2_048
"""Tokens a batch on a CPU: the activations stay in its cache; 8k are 1.6 times slower."""

GPU_TOKENS = 32_768


class TextReader:
    """A model and its tokenizer, ready to read texts in length-sorted batches. Picklable."""

    def __init__(
        self,
        model: Any,
        *,
        tokenizer: Any = None,
        max_length: int | None = None,
        device: Any = None,
        token_budget: int | None = None,
        threads: int | None = None,
    ) -> None:
        for name, value in (("token_budget", token_budget), ("threads", threads)):
            if value is not None and (not isinstance(value, int) or value < 1):
                raise InputError(f"Expected {name} to be a whole number of at least 1, found {value!r}.")
        self.model = model
        self.tokenizer = models.tokenizer_of(tokenizer, model)
        self.max_length = models.longest_input(model, self.tokenizer, max_length)
        self.device = models.device_for(model, device)
        self.token_budget = token_budget or (CPU_TOKENS if self.device.type == "cpu" else GPU_TOKENS)
        self.threads = threads

    def tokens(self, texts: Texts, pair_texts: Texts | None = None) -> Tokens:
        """The texts as the model will read them; `ModelError` where the tokenizer belongs to another model."""
        tokens = tokenize(self.tokenizer, texts, pair_texts, max_length=self.max_length, types=self._keeps_types())
        check_fits(tokens, models.vocabulary_size(self.model))
        kinds = getattr(self.model.config, "type_vocab_size", None)
        if tokens.types is not None and kinds and int(tokens.types.max()) >= kinds:
            tokens.types.fill(0)  # RoBERTa has one kind only and tells the texts of a pair apart by </s></s>
        return tokens

    def read(self, tokens: Tokens, rows: np.ndarray, read: Read, on_batch: OnBatch) -> PassReport:
        """Pass `rows` through the model; `on_batch(rows, values, notes)` after each batch."""
        with borrowed(self.model, device=self.device) as model:
            forward = ForwardPass(
                model,
                tokens,
                read,
                padding=padding_for(model, self.tokenizer),
                token_budget=self.token_budget,
                threads=self.threads,
            )
            return forward.run(rows, on_batch)

    def provenance(self, report: PassReport, *, rows: int, seconds: float, weights: str) -> dict[str, Any]:
        """Where numbers came from, without paths and texts."""
        return {
            "model": models.model_name(self.model),
            "weights_sha256": weights,
            "max_length": self.max_length,
            "precision": "float32",
            "device": str(self.device),
            "rows": rows,
            "seconds": round(seconds, 3),
            "batching": report.batching,
            "token_budget": report.token_budget,
            "out_of_memory": report.out_of_memory,
            "versions": models.package_versions(),
        }

    def _keeps_types(self) -> bool:
        return "token_type_ids" in getattr(self.tokenizer, "model_input_names", ())


@contextlib.contextmanager
def progress_bar(
    lengths: np.ndarray, *, done: np.ndarray, shown: bool, what: str = "scoring"
) -> Iterator[Callable[[np.ndarray], None]]:
    """A bar that counts tokens, since long texts come first and rows would mislead, and says rows and rows a second."""
    total, started = int((~done).sum()), time.perf_counter()
    if not shown or not total:
        yield lambda rows: None
        return
    from tqdm.auto import tqdm

    layout = "{desc}: {percentage:3.0f}%|{bar}| {remaining} left{postfix}"
    with tqdm(total=int(lengths[~done].sum()), desc=what, bar_format=layout) as bar:
        count = 0

        def advance(rows: np.ndarray) -> None:
            nonlocal count
            count += len(rows)
            rate = count / max(1e-9, time.perf_counter() - started)
            bar.set_postfix_str(f"{count:,} of {total:,} rows, {rate:,.0f} rows/s", refresh=False)
            bar.update(int(lengths[rows].sum()))

        yield advance
