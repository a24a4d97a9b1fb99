"""One pass over all texts: windows, engines, precision and checkpoint brought together; what came of it as a TextPass."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from loss_widget.errors import ModelError, ScoringCancelled
from loss_widget.scoring.checkpoint import Checkpoint
from loss_widget.scoring.engines import Activation, choose_engine, rough_engine
from loss_widget.scoring.forward import Engine, ForwardPass, OnBatch
from loss_widget.scoring.precision import exact_from, greatest_difference, rows_to_read
from loss_widget.scoring.progress import Advance, Progress, progress_bar
from loss_widget.scoring.reader import TextReader
from loss_widget.scoring.stock import StockEngine, read_logits
from loss_widget.scoring.texts import Texts
from loss_widget.scoring.tokens import Tokens

OnRows = Callable[[np.ndarray, np.ndarray], None]
"""(rows, their log-probabilities), after every batch; what it raises ends the pass."""

LossOf = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(rows, their log-probabilities) → their losses (rows,)."""


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
    notes: dict[int, str] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def empty(cls, rows: int, labels: int) -> TextPass:
        """Nothing read yet."""
        return cls(
            np.full((rows, labels), np.nan, dtype=np.float32),
            np.zeros(rows, dtype=np.int32),
            np.zeros(rows, dtype=bool),
            np.zeros(rows, dtype=np.int32),
        )

    def keep_facts(self, tokens: Tokens) -> None:
        """Fill in what the tokenizer says of some rows."""
        self.tokens[tokens.numbers] = tokens.lengths
        self.truncated[tokens.numbers] = tokens.truncated
        self.unknown_tokens[tokens.numbers] = tokens.unknown


class PassOverTexts:
    """Reads all of `texts` with a borrowed model and fills `result` in; other threads may watch and cancel it.

    `reader`: whose model `model` is. `activation`: from logits to log-probabilities. `weights`: the model's hash. `engine`: see
    `engines.ENGINES`. `saved`: finished rows of an earlier run, and where to keep those of this one.
    """

    def __init__(
        self,
        reader: TextReader,
        model: Any,
        texts: Texts,
        *,
        labels: int,
        activation: Activation,
        weights: str,
        engine: str = "auto",
        saved: Checkpoint | None = None,
        on_rows: OnRows | None = None,
    ) -> None:
        self.result = TextPass.empty(len(texts), labels)
        self.progress = Progress(rows=len(texts))
        self._writing = threading.Lock()  # of `result`
        self._cancelled = threading.Event()
        self._reader = reader
        self._model = model
        self._texts = texts
        self._activation = activation
        self._weights = weights
        self._asked = engine
        self._saved = saved
        self._on_rows = on_rows
        self._stock = StockEngine(model, lambda output, mask: activation(read_logits(output, mask)), padding=reader.padding())
        self._engine: Engine | None = None
        self._why_stock = ""

    def exact(self, *, progress: bool) -> dict[str, Any]:
        """Read every row in float32; returns what the provenance says of it."""
        done = self._load("float32")
        with self._counting(len(done), int(done.sum()), shown=progress) as advance:
            forward = self._read(self._exact_engine, None, done, "float32", advance)
        return {**self._report(forward), "precision": "exact (float32)", "resumed_rows": int(done.sum())}

    def fast(self, loss_of: LossOf, *, progress: bool) -> dict[str, Any]:
        """Read every row in bfloat16 and the highest losses again in float32; returns what the provenance says of it."""
        everything = np.arange(len(self._texts))
        rough_done = self._load("bfloat16")
        rough = loss_of(everything, self.result.log_probs)
        done = self._load("float32")
        exact = np.where(done, loss_of(everything, self.result.log_probs), np.nan)
        fresh = ~(rough_done | done)
        with self._counting(len(fresh), int((~fresh).sum()), shown=progress) as advance:
            forward = self._read(self._rough_engine, None, ~fresh, "bfloat16", advance)
        rough[fresh] = loss_of(everything[fresh], self.result.log_probs[fresh])
        for row in np.flatnonzero(~np.isfinite(self.result.log_probs).all(axis=1)):
            rough[row] = np.inf  # no answer in bfloat16: float32 has the last word
            with self._writing:
                self.result.notes.pop(int(row), None)
        while len(rows := rows_to_read(rough, exact)):
            with self._counting(len(rows), shown=progress, what="float32") as advance:
                self._read(self._exact_engine, rows, done, "float32", advance)
            exact[rows] = loss_of(rows, self.result.log_probs[rows])
            exact[rows[~np.isfinite(exact[rows])]] = -np.inf  # read, and without an answer
        return {
            **self._report(forward),
            "precision": "fast (bfloat16; float32 for the highest losses)",
            "float32_rows": int((~np.isnan(exact)).sum()),
            "float32_from_loss": max(0.0, exact_from(rough, exact)),
            "greatest_difference": greatest_difference(rough, exact),
            "resumed_rows": int((rough_done | done).sum()),
        }

    def cancel(self) -> None:
        """End it with `ScoringCancelled` after this batch, or these texts through the tokenizer."""
        self._cancelled.set()

    def so_far(self) -> TextPass:
        """A copy of `result` as it now is, whole rows only."""
        with self._writing:
            copies = {name: value.copy() for name, value in vars(self.result).items() if name != "provenance"}
        made = self._reader.provenance(rows=len(self._texts), seconds=self.progress.seconds, weights=self._weights)
        return TextPass(**copies, provenance=made)

    @contextlib.contextmanager
    def _counting(self, rows: int, resumed: int = 0, *, shown: bool, what: str = "scoring") -> Iterator[Advance]:
        """Keeps `progress`, and draws a bar of it if that is to be shown."""
        self.progress = Progress(rows=rows, done=resumed, resumed=resumed, what=what)
        started = time.perf_counter()
        with progress_bar(rows - resumed, shown=shown, what=what) as draw:

            def advance(done: int, work: float) -> None:
                self.progress = self.progress.after(done, work, seconds=time.perf_counter() - started)
                draw(done, work)

            yield advance

    def _check_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise ScoringCancelled(
                f"Expected the run to finish, found it cancelled at {self.progress.done:,} of {self.progress.rows:,} rows. "
                "Make the same call again; with a `checkpoint` it goes on from there."
            )

    def _read(
        self,
        make_engine: Callable[[Tokens], Engine],
        rows: np.ndarray | None,
        skip: np.ndarray,
        precision: str,
        advance: Advance,
    ) -> ForwardPass | None:
        """Read `rows` (None: all) but for those to `skip` (n,) bool; what the tokenizer says is kept of all of them."""
        forward = None
        for tokens in self._reader.windows(self._texts, rows, between=self._check_cancelled):
            with self._writing:
                self.result.keep_facts(tokens)
            here = np.flatnonzero(~skip[tokens.numbers])
            if len(here):
                forward = forward or ForwardPass(make_engine(tokens), self._reader.pace())
                forward.run(tokens, here, self._on_batch(precision, advance, len(here) / tokens.lengths[here].sum()))
        return forward

    def _on_batch(self, precision: str, advance: Advance, rows_a_token: float) -> OnBatch:
        log_probs = self.result.log_probs

        def on_batch(rows: np.ndarray, values: np.ndarray, notes: dict[int, str]) -> None:
            if values.shape[1] != log_probs.shape[1]:
                raise ModelError(
                    f"Expected {log_probs.shape[1]} outputs, one for each name in `config.id2label`, found {values.shape[1]}. "
                    "Set `model.config.id2label` to the names of the outputs."
                )
            with self._writing:
                log_probs[rows] = values
                self.result.notes.update(notes)
            if self._saved is not None:
                self._saved.add(rows, values, notes, precision)
            advance(len(rows), float(self.result.tokens[rows].sum()) * rows_a_token)
            if self._on_rows is not None:
                self._on_rows(rows, values)
            self._check_cancelled()

        return on_batch

    def _load(self, precision: str) -> np.ndarray:
        """(n,) bool: the rows that an earlier run has read in that precision, now filled in."""
        if self._saved is None:
            return np.zeros(len(self._texts), dtype=bool)
        with self._writing:
            return self._saved.load_into(self.result.log_probs, self.result.notes, precision)

    def _exact_engine(self, tokens: Tokens) -> Engine:
        if self._engine is None:
            self._engine, self._why_stock = choose_engine(
                self._stock, self._model, tokens, self._activation, weights=self._weights, asked=self._asked
            )
        return self._engine

    def _rough_engine(self, tokens: Tokens) -> Engine:
        return rough_engine(self._exact_engine(tokens), self._model, self._stock, self._activation)

    def _report(self, forward: ForwardPass | None) -> dict[str, Any]:
        if forward is None:
            return {"engine": "none: every row was finished before"}
        return {**forward.report(), **({"why_stock": self._why_stock} if self._why_stock else {})}
