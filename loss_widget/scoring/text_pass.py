"""One pass over all texts: windows, engines, precision and checkpoint brought together; what came of it as a TextPass."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from loss_widget.data.texts import Texts
from loss_widget.errors import ModelError, ScoringCancelled
from loss_widget.scoring.checkpoint import Checkpoint
from loss_widget.scoring.engine.batches import by_length
from loss_widget.scoring.engine.forward import OnBatch
from loss_widget.scoring.engine.tokens import Tokens
from loss_widget.scoring.precision import exact_from, greatest_difference, rows_to_read
from loss_widget.scoring.progress import Advance, Progress, progress_bar
from loss_widget.scoring.text_reader import TextReader

OnRows = Callable[[np.ndarray, np.ndarray], None]
"""(rows, their log-probabilities), after every batch; what it raises ends the pass."""

_COMPARED_ROWS = 8

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


class Forward(Protocol):
    """Who reads the tokens: `devices.one.OneDevice`, or `devices.several.SeveralDevices` of them."""

    def run(self, tokens: Tokens, rows: np.ndarray, precision: str, on_batch: OnBatch) -> None:
        """Read `rows` of `tokens` in "float32" or "bfloat16"; `on_batch` gets the rows' numbers in the data."""

    def report(self, precision: str) -> dict[str, Any]:
        """How it went in that precision, for the provenance; nothing where no row was read."""


class PassOverTexts:
    """Reads all of `texts` and fills `result` in; other threads may watch and cancel it.

    `reader`: makes the tokens. `weights`: its model's hash. `saved`: finished rows of an earlier run, and where to keep those of
    this one.
    """

    def __init__(
        self,
        reader: TextReader,
        texts: Texts,
        *,
        labels: int,
        weights: str,
        saved: Checkpoint | None = None,
        on_rows: OnRows | None = None,
    ) -> None:
        self.result = TextPass.empty(len(texts), labels)
        self.progress = Progress(rows=len(texts))
        self._writing = threading.Lock()  # of `result`
        self._cancelled = threading.Event()
        self._reader = reader
        self._texts = texts
        self._weights = weights
        self._saved = saved
        self._on_rows = on_rows

    def exact(self, forward: Forward, *, progress: bool) -> dict[str, Any]:
        """Read every row in float32; returns what the provenance says of it."""
        done = self._load("float32")
        resumed = int(done.sum())
        with self._counting(len(done), resumed, shown=progress) as advance:
            self._read(forward, None, done, "float32", advance, exact=done)
        return {**_report(forward, "float32", "exact (float32)"), "resumed_rows": resumed}

    def fast(self, forward: Forward, loss_of: LossOf, *, progress: bool) -> dict[str, Any]:
        """Read every row in bfloat16 and the highest losses again in float32; returns what the provenance says of it."""
        everything = np.arange(len(self._texts))
        rough_done = self._load("bfloat16")
        rough = loss_of(everything, self.result.log_probs)
        done = self._load("float32")
        exact = np.where(done, loss_of(everything, self.result.log_probs), np.nan)
        fresh = ~(rough_done | done)
        resumed = int((~fresh).sum())
        with self._counting(len(fresh), resumed, shown=progress) as advance:
            self._read(forward, None, ~fresh, "bfloat16", advance, exact=done)
        rough[fresh] = loss_of(everything[fresh], self.result.log_probs[fresh])
        for row in np.flatnonzero(~np.isfinite(self.result.log_probs).all(axis=1)):
            rough[row] = np.inf  # no answer in bfloat16: float32 has the last word
            with self._writing:
                self.result.notes.pop(int(row), None)
        while len(rows := rows_to_read(rough, exact)):
            with self._counting(len(rows), shown=progress, what="float32") as advance:
                self._read(forward, rows, done, "float32", advance)
            exact[rows] = loss_of(rows, self.result.log_probs[rows])
            exact[rows[~np.isfinite(exact[rows])]] = -np.inf  # read, and without an answer
        return {
            **_report(forward, "bfloat16", "fast (bfloat16; float32 for the highest losses)"),
            "float32_rows": int((~np.isnan(exact)).sum()),
            "float32_from_loss": max(0.0, exact_from(rough, exact)),
            "greatest_difference": greatest_difference(rough, exact),
            "resumed_rows": resumed,
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

    def check_cancelled(self) -> None:
        """Raise `ScoringCancelled` once it is cancelled."""
        if self._cancelled.is_set():
            raise ScoringCancelled(
                f"Expected the run to finish, found it cancelled at {self.progress.done:,} of {self.progress.rows:,} rows. "
                "Make the same call again; with a `checkpoint` it goes on from there."
            )

    def _read(
        self,
        forward: Forward,
        rows: np.ndarray | None,
        skip: np.ndarray,
        precision: str,
        advance: Advance,
        *,
        exact: np.ndarray | None = None,
    ) -> None:
        """Read `rows` (None: all) but for those to `skip` (n,) bool; what the tokenizer says is kept of all of them.

        `exact` (n,) bool, with all rows: those that are finished in float32. A checkpoint's are compared before it is added to,
        and a fresh one gets some of all lengths first, to be compared later.
        """
        for number, tokens in enumerate(self._reader.windows(self._texts, rows, between=self.check_cancelled)):
            with self._writing:
                self.result.keep_facts(tokens)
            numbers = tokens.numbers_of(np.arange(len(tokens)))
            if exact is not None and self._saved is not None:
                self._saved.check_tokens(number, tokens.digest())
                if not number:
                    self._compare(forward, tokens, _some(tokens, exact[numbers]))
                    first, pace = _some(tokens, ~exact[numbers]), len(tokens) / len(tokens.flat)
                    forward.run(tokens, first, "float32", self._on_batch("float32", advance, pace))
                    exact[numbers[first]] = skip[numbers[first]] = True
            here = np.flatnonzero(~skip[numbers])
            if len(here):
                pace = len(here) / tokens.lengths[here].sum()
                forward.run(tokens, here, precision, self._on_batch(precision, advance, pace))

    def _compare(self, forward: Forward, tokens: Tokens, rows: np.ndarray) -> None:
        """Read rows that the checkpoint holds again, and refuse it where the model says something else of them now.

        A hook, an adapter, a patched forward, an autocast: no list of all that changes a forward pass is complete.
        """
        assert self._saved is not None
        again: dict[int, np.ndarray] = {}

        def on_batch(rows: np.ndarray, values: np.ndarray, notes: dict[int, str]) -> None:
            again.update(zip(rows.tolist(), values, strict=True))
            self.check_cancelled()

        if len(rows):
            forward.run(tokens, rows, "float32", on_batch)
            numbers = sorted(again)
            self._saved.check_numbers(self.result.log_probs[numbers], np.stack([again[row] for row in numbers]))

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
            self.check_cancelled()

        return on_batch

    def _load(self, precision: str) -> np.ndarray:
        """(n,) bool: the rows that an earlier run has read in that precision, now filled in."""
        if self._saved is None:
            return np.zeros(len(self._texts), dtype=bool)
        with self._writing:
            return self._saved.load_into(self.result.log_probs, self.result.notes, precision)


def _some(tokens: Tokens, among: np.ndarray) -> np.ndarray:
    """Eight rows of all lengths among those (rows,) bool, or all where they are fewer."""
    order = by_length(tokens.lengths, np.flatnonzero(among))
    return order[np.unique(np.linspace(0, len(order) - 1, min(_COMPARED_ROWS, len(order))).astype(int))]


def _report(forward: Forward, precision: str, said: str) -> dict[str, Any]:
    """How the rows were read in that precision, and what to say of it."""
    report = forward.report(precision) or {"engine": "none: every row was finished before"}
    narrow = report.get("computed_in")
    return {**report, "precision": f"{narrow}: the model's own code computes in it" if narrow else said}
