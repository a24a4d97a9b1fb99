"""A model on one device: its engines, chosen by the first rows that it reads, and its passes in either precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from loss_widget.scoring.engine.batches import Padding
from loss_widget.scoring.engine.choose import Activation, choose_engine, rough_engine
from loss_widget.scoring.engine.forward import Engine, ForwardPass, OnBatch
from loss_widget.scoring.engine.parallel_batches import ParallelBatches
from loss_widget.scoring.engine.stock import StockEngine, read_logits, read_mean_pooled
from loss_widget.scoring.engine.tokens import Tokens
from loss_widget.scoring.text_reader import autotune_on


@dataclass(frozen=True)
class ForwardSettings:
    """How a model is to be read. Picklable.

    `activation`: from logits to log-probabilities; where `pooled`, from means of last hidden states to embeddings. `known_as`: a
    hash of all that is known of the model, by which the result of a self-check is remembered. `engine`: see `choose.ENGINES`.
    `token_budget`, `threads`: as of `Scorer`.
    """

    activation: Activation
    padding: Padding
    known_as: str
    engine: str = "auto"
    token_budget: int | None = None
    threads: int | None = None
    pooled: bool = False


class OneDevice:
    """A borrowed model where it now is. Memory that ran out once stays in mind for the next rows of that precision."""

    def __init__(self, model: Any, settings: ForwardSettings) -> None:
        self._model = model
        self._settings = settings
        activation, read = settings.activation, read_mean_pooled if settings.pooled else read_logits
        self._stock = StockEngine(model, lambda output, mask: activation(read(output, mask)), padding=settings.padding)
        self._exact: Engine | None = None
        self._why_stock = ""
        self._passes: dict[str, ForwardPass] = {}

    def prepare(self, tokens: Tokens, precision: str) -> None:
        """Choose the engine by the first rows that are to be read, or a fair sample of them; later ones do not change it."""
        import torch

        if precision not in self._passes:
            settings, engine = self._settings, self._exact_engine(tokens)
            if precision == "bfloat16":
                engine = rough_engine(engine, self._model, self._stock, settings.activation)
            lanes, threads = None, settings.threads
            if engine.side_by_side and engine.device.type == "cpu":
                lanes = ParallelBatches.of(threads or torch.get_num_threads())
                threads = lanes.threads
            pace = autotune_on(engine.device, token_budget=settings.token_budget, threads=threads)
            self._passes[precision] = ForwardPass(engine, pace, lanes)

    def run(self, tokens: Tokens, rows: np.ndarray, precision: str, on_batch: OnBatch) -> None:
        """Read `rows` of `tokens` in "float32" or "bfloat16", as `ForwardPass.run`."""
        self.prepare(tokens, precision)
        self._passes[precision].run(tokens, rows, on_batch)

    def report(self, precision: str) -> dict[str, Any]:
        """How it went in that precision, for the provenance; nothing where no row was read."""
        if precision not in self._passes:
            return {}
        why = {"why_stock": self._why_stock} if self._why_stock else {}
        return {**self._passes[precision].report(), **why}

    def _exact_engine(self, tokens: Tokens) -> Engine:
        if self._exact is None:
            settings = self._settings
            self._exact, self._why_stock = choose_engine(
                self._stock, self._model, tokens, settings.activation, known_as=settings.known_as, asked=settings.engine
            )
        return self._exact
