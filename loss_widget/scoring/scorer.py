"""Scorer: a classifier as a picklable callable, texts in and log-probabilities out."""

from __future__ import annotations

import contextlib
import os
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from loss_widget.data.contents import Contents
from loss_widget.data.texts import TextColumn, Texts
from loss_widget.errors import InputError
from loss_widget.scoring import models
from loss_widget.scoring.checkpoint import Checkpoint
from loss_widget.scoring.devices.one import ForwardSettings, OneDevice
from loss_widget.scoring.devices.several import SeveralDevices, are_worth_it
from loss_widget.scoring.engine.autocast import without_autocast
from loss_widget.scoring.engine.choose import ENGINES
from loss_widget.scoring.engine.model_lock import locked_model
from loss_widget.scoring.heads import is_multi_label, label_names_of, log_sigmoid, log_softmax
from loss_widget.scoring.precision import why_exact
from loss_widget.scoring.text_pass import Forward, LossOf, OnRows, PassOverTexts, TextPass
from loss_widget.scoring.text_reader import TextReader

PRECISIONS = ("exact", "fast")


class Scorer(TextReader):
    """A classifier as a picklable callable: texts in, log-probabilities out. `lw.score` uses it and so can any other runner.

    `token_budget`: tokens a batch with their padding (default: 1,024 to 4,096 on a CPU, whichever is fastest; 32,768 on a GPU);
    `threads`: torch threads while it runs (default: all of them; the stock engine takes one where that is faster at the moment);
    `engine`: "stock" reads the transformers model as it is, "packed" its weights without padding (`ModelError` where that is not
    possible), "auto" packs where a self-check finds the same numbers. `device`: several of them, as ["cuda:0", "cuda:1"], share
    out the rows, a process with a copy of the model on each. With `device=None`, a model on the CPU and several GPUs these are
    all used, unless there is too little work to start processes for. The other arguments are those of `lw.score`.

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
        self.devices = models.devices_for(classifier, device)
        self._named = isinstance(device, (list, tuple))
        super().__init__(
            classifier,
            tokenizer=tokenizer,
            max_length=max_length,
            device=self.devices[0] if len(self.devices) > 1 else device,
            token_budget=token_budget,
            threads=threads,
        )

    def __call__(
        self,
        texts: TextColumn | Contents,
        pair_texts: TextColumn | None = None,
        *,
        loss_of: LossOf | None = None,
        progress: bool = False,
        checkpoint: str | os.PathLike[str] | None = None,
        on_rows: OnRows | None = None,
        on_start: Callable[[PassOverTexts], None] | None = None,
    ) -> TextPass:
        """Judge `texts` (or pairs of them). `on_rows(rows, log_probs)` is called after each batch, longest texts first.

        `loss_of(rows, log_probs)` → (rows,) losses: `precision="fast"` reads the highest ones again in float32. `on_start` is
        handed the pass before it begins, to watch or cancel it from another thread.
        """
        started = time.perf_counter()
        columns = Texts.of(texts, pair_texts)
        why = ""
        if self.precision == "fast":
            if loss_of is None:
                raise InputError('Expected loss_of with precision="fast", found none: which losses are to be exact? Pass it.')
            why = why_exact(len(columns), self.devices)
        fast = self.precision == "fast" and not why
        weights = models.weights_hash(self.model)
        with contextlib.ExitStack() as stack:
            saved = None
            if checkpoint is not None:
                key = self._fingerprint(columns, weights, "fast" if fast else "float32")
                saved = stack.enter_context(Checkpoint(checkpoint, key=key, rows=len(columns), labels=len(self.label_names)))
            run = PassOverTexts(
                self,
                columns,
                labels=len(self.label_names),
                weights=weights,
                saved=saved,
                on_rows=on_rows,
            )
            if on_start is not None:
                on_start(run)
            forward = stack.enter_context(self._forward(run, weights))
            report = run.fast(forward, loss_of, progress=progress) if fast and loss_of else run.exact(forward, progress=progress)
        if why:
            report["precision"] += f": {why}"
        if "computed_in" in report:
            warnings.warn(
                f"This model computes in {report['computed_in']} in its own code, so these are no losses in float32. Take the "
                "autocast or the cast out of its forward method for exact ones.",
                stacklevel=4,
            )
        seconds = time.perf_counter() - started
        return replace(run.result, provenance={**self.provenance(rows=len(columns), seconds=seconds, weights=weights), **report})

    @contextlib.contextmanager
    def _forward(self, run: PassOverTexts, weights: str) -> Iterator[Forward]:
        settings = ForwardSettings(
            log_sigmoid if self.multi_label else log_softmax,
            self.padding(),
            f"{weights} {self.build_digest(settings=True)}",
            engine=self.engine,
            token_budget=self.token_budget,
            threads=self.threads,
        )
        if len(self.devices) > 1 and (self._named or are_worth_it(self.model, run.progress.rows)):
            with (
                locked_model(self.model),
                without_autocast(self.model),
                SeveralDevices(self.model, settings, self.devices, check=run.check_cancelled) as several,
            ):
                yield several
        else:
            with self.lent() as model:
                yield OneDevice(model, settings)

    def _fingerprint(self, texts: Texts, weights: str, precision: str) -> dict[str, str]:
        return {
            "weights": weights,
            "model's build (config, modules, hooks)": self.build_digest(),
            "max_length": str(self.max_length),
            "texts": texts.digest(),
            "precision": precision,
            "label names": "\n".join(self.label_names),
            "kind of model": "multi-label" if self.multi_label else "one label a row",
        }

    def build_digest(self, *, settings: bool = False) -> str:
        """See `models.build_digest`; the same whether or not a Trainer prepared the model for half precision."""
        with without_autocast(self.model):
            return models.build_digest(self.model, settings=settings)
