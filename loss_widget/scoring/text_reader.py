"""A model and its tokenizer, ready to read texts window by window; and the bar that shows how far it is."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from typing import Any

import numpy as np

from loss_widget.data.texts import Texts
from loss_widget.errors import InputError
from loss_widget.scoring import models
from loss_widget.scoring.engine.autotune import Autotune
from loss_widget.scoring.engine.forward import borrowed
from loss_widget.scoring.engine.model_lock import locked_model
from loss_widget.scoring.engine.stock import padding_for
from loss_widget.scoring.engine.tokens import Tokens, check_fits, tokenize

CPU_TOKENS = (2_048, 1_024, 4_096)
"""Tokens a batch on a CPU, to choose from by timing: the activations must stay in its cache; 8k are 1.6 times slower."""

GPU_TOKENS = (32_768,)

WINDOW_ROWS = 32_768
"""Rows whose tokens are held at a time. Sorting by length within them pads under 1 % more than sorting all."""


_SHORT = 16
_DIFFICULT = (
    "Straße, 12,5 % of İstanbul’s ﬁne",
    " two  spaces\tand a line\n",
    "שלום 日本語 🎉",
    "<s> [CLS] </s>",
    "",
    "a b " * 20,
)
"""Each in another way: letters, spaces, scripts, special tokens, nothing; most are cut at `_SHORT` tokens."""


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
        models.check_weights(model)
        self.model = model
        self.tokenizer = models.tokenizer_of(tokenizer, model)
        self.max_length = models.longest_input(model, self.tokenizer, max_length)
        self.device = models.device_for(model, device)
        self.token_budget = token_budget
        self.threads = threads

    @contextlib.contextmanager
    def lent(self) -> Iterator[Any]:
        """The model ready to compute on the reader's device; afterwards it is as it was."""
        with locked_model(self.model), borrowed(self.model, device=self.device) as model:
            yield model

    def padding(self) -> Any:
        """How this model wants its batches filled up."""
        return padding_for(self.model, self.tokenizer)

    def pace(self) -> Autotune:
        """The token budgets and threads to choose from."""
        return autotune_on(self.device, token_budget=self.token_budget, threads=self.threads)

    def windows(
        self, texts: Texts, rows: np.ndarray | None = None, *, between: Callable[[], None] = lambda: None
    ) -> Iterator[Tokens]:
        """The tokens of `rows` (default: all), some 32,768 rows at a time, in order, with the rows' numbers.

        On a GPU the next window is tokenized while the model reads this one. `between` is called between chunks of texts; what it
        raises ends the reading.
        """
        rows = np.arange(len(texts)) if rows is None else rows
        parts = [rows[start : start + WINDOW_ROWS] for start in range(0, len(rows), WINDOW_ROWS)]
        if self.device.type == "cpu" or len(parts) < 2:
            yield from (self._window(texts, part, between) for part in parts)
            return
        with ThreadPoolExecutor(1) as ahead:
            coming = ahead.submit(self._window, texts, parts[0], between)
            for part in [*parts[1:], None]:
                here = coming.result()
                if part is not None:
                    coming = ahead.submit(self._window, texts, part, between)
                yield here

    def tokenizer_digest(self) -> str:
        """SHA-256 of what a tokenizer says of itself, and of the tokens that it makes of a few difficult texts."""
        backend = getattr(self.tokenizer, "backend_tokenizer", None)
        described: Any = sorted(self.tokenizer.get_vocab().items())
        if backend is not None and hasattr(backend, "to_str"):
            described = {k: v for k, v in json.loads(backend.to_str()).items() if k not in ("truncation", "padding")}
        tokens = tokenize(self.tokenizer, Texts.of(_DIFFICULT), max_length=_SHORT, types=self._keeps_types)
        whole = json.dumps([type(self.tokenizer).__name__, described, tokens.digest()], sort_keys=True)
        return sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()

    def provenance(self, *, rows: int, seconds: float, weights: str) -> dict[str, Any]:
        """Where numbers came from, without paths and texts."""
        return {
            "model": models.model_name(self.model),
            "weights_sha256": weights,
            "max_length": self.max_length,
            "device": str(self.device),
            "rows": rows,
            "seconds": round(seconds, 3),
            "versions": models.package_versions(),
        }

    @property
    def _keeps_types(self) -> bool:
        return "token_type_ids" in getattr(self.tokenizer, "model_input_names", ())

    def _window(self, texts: Texts, rows: np.ndarray, between: Callable[[], None]) -> Tokens:
        chosen = texts.take(rows)
        tokens = tokenize(self.tokenizer, chosen, max_length=self.max_length, types=self._keeps_types, between=between)
        check_fits(tokens, models.vocabulary_size(self.model))
        kinds = getattr(self.model.config, "type_vocab_size", None)
        if tokens.types is not None and kinds and int(tokens.types.max()) >= kinds:
            tokens.types.fill(0)  # RoBERTa has one kind only and tells the texts of a pair apart by </s></s>
        return replace(tokens, numbers=rows)


def autotune_on(device: Any, *, token_budget: int | None, threads: int | None) -> Autotune:
    """The token budgets and threads to choose from on that device."""
    import torch

    on_cpu = device.type == "cpu"
    budgets = (token_budget,) if token_budget else CPU_TOKENS if on_cpu else GPU_TOKENS
    return Autotune(threads=threads if on_cpu else torch.get_num_threads(), budgets=budgets)
