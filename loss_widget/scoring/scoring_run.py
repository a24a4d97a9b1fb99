"""start_scoring(): lw.score beside the cells; ScoringRun: how far it is, what it has so far, what came of it."""

from __future__ import annotations

import atexit
import contextlib
import contextvars
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from loss_widget.errors import ScoringCancelled
from loss_widget.scores.scores import Scores
from loss_widget.scoring.engine.model_lock import locked_model
from loss_widget.scoring.progress import Progress, ProgressBar
from loss_widget.scoring.score import ScoringPlan
from loss_widget.scoring.text_pass import PassOverTexts, TextPass

NOT_YET = "not scored yet"


def start_scoring(
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
) -> ScoringRun:
    """`lw.score` in a thread of its own: it returns at once, and cells run beside it.

    Takes what `lw.score` takes. Data, labels and model are read and matched before it returns, so that what cannot be used
    raises here; what goes wrong later raises from `.result()`. Until the run is over the model belongs to it: it is in evaluation
    mode (and on `device`), so do not train, move or change it; a second run on it raises `ModelError`. Your own cells keep their
    number of torch threads, but share the processor.

    >>> data = [{"text": "My card has not arrived", "label": "card_arrival"}, {"text": "Top up failed", "label": "age_limit"}]
    >>> run = start_scoring(data, "notebooks/models/banking77-tiny-bert", progress=False)
    >>> len(run.scores_so_far())
    2
    >>> run.result().top(1)["label"].item()
    'age_limit'
    >>> run
    ScoringRun: finished, 2 rows
      next: run.result()
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
    return ScoringRun(plan, checkpoint=checkpoint, progress=progress)


class ScoringRun:
    """A pass in a thread of its own, made by `lw.start_scoring`. Every member may be used at any time, from any thread."""

    def __init__(self, plan: ScoringPlan, *, checkpoint: str | os.PathLike[str] | None = None, progress: bool = False) -> None:
        self._plan = plan
        self._checkpoint = checkpoint
        self._pass: PassOverTexts | None = None
        self._progress = Progress(rows=len(plan.examples))
        self._read = TextPass.empty(len(plan.examples), len(plan.scorer.label_names))
        self._result: Scores | None = None
        self._error: BaseException | None = None
        self._cancelled = threading.Event()
        self._over = threading.Event()
        self._model_is_ours = contextlib.ExitStack()
        # The context tells ipykernel which cell the thread's warnings belong to.
        context = contextvars.copy_context()
        context.run(self._model_is_ours.enter_context, locked_model(plan.scorer.model))
        self._bar = ProgressBar(len(plan.examples)) if progress else None  # here, for the output of the cell that starts it
        self._thread = threading.Thread(target=context.run, args=(self._work,), name="loss_widget scoring", daemon=True)
        atexit.register(self.cancel)  # a thread in the middle of a batch would crash the interpreter's end
        self._thread.start()

    @property
    def progress(self) -> Progress:
        """How far it is, as of its last batch; `print(run.progress)` says it in words."""
        running = self._pass
        return self._progress if running is None else running.progress

    @property
    def running(self) -> bool:
        """Whether it still works."""
        return not self._over.is_set()

    @property
    def done(self) -> bool:
        """Whether it is over: finished, cancelled, or ended by an error."""
        return self._over.is_set()

    def cancel(self) -> None:
        """Stop it, and return once it has: within a batch. What is finished stays in the checkpoint. Again, it does nothing."""
        self._cancelled.set()
        running = self._pass
        if running is not None:
            running.cancel()
        self._thread.join()

    def result(self, timeout: float | None = None) -> Scores:
        """The Scores, once it has finished; always the same object.

        Raises what ended the run, `ScoringCancelled` where that was `.cancel()`, and `TimeoutError` after `timeout` seconds. The
        run goes on after that, and after a Ctrl-C here.
        """
        if not self._over.wait(timeout):
            raise TimeoutError(f"Expected the run to be over within {timeout:g} s, found it at {self.progress}. Wait longer.")
        if self._result is None:
            assert self._error is not None
            raise self._error
        return self._result

    def scores_so_far(self) -> Scores:
        """Scores of all rows as they are now: those still to come have no loss and the note "not scored yet".

        Positions and content keys are those of the data, so that a review begun on these goes on with `.result()`. Also after
        `.cancel()` or an error; once it has finished, the result itself.
        """
        if self._result is not None:
            return self._result
        running = self._pass
        read = self._read if running is None else running.so_far()
        answered = np.isfinite(read.log_probs).all(axis=1)
        answered[list(read.notes)] = True
        waiting = ~answered
        return self._plan.scores_of(
            replace(
                read,
                log_probs=np.where(waiting[:, None], np.float32(np.nan), read.log_probs),
                tokens=pd.arrays.IntegerArray(read.tokens, waiting),
                truncated=pd.arrays.BooleanArray(read.truncated, waiting),
                unknown_tokens=pd.arrays.IntegerArray(read.unknown_tokens, waiting),
                notes={**read.notes, **dict.fromkeys(np.flatnonzero(waiting).tolist(), NOT_YET)},
                provenance={**read.provenance, "rows_not_scored_yet": int(waiting.sum())},
            )
        )

    def __repr__(self) -> str:
        if self.running:
            return f"ScoringRun: {self.progress}\n  next: run.scores_so_far(), run.result(), run.cancel()"
        if self._result is not None:
            return f"ScoringRun: finished, {len(self._result):,} rows\n  next: run.result()"
        if isinstance(self._error, ScoringCancelled):
            return f"ScoringRun: cancelled at {self.progress.done:,} of {self.progress.rows:,} rows\n  next: run.scores_so_far()"
        return (
            f"ScoringRun: ended by {type(self._error).__name__} at {self.progress.done:,} of {self.progress.rows:,} rows: "
            f"{self._error}\n  next: run.scores_so_far()"
        )

    def _work(self) -> None:
        last_words = ""
        try:
            self._result = self._plan.run(checkpoint=self._checkpoint, on_start=self._follow, on_rows=self._draw)
        except BaseException as error:
            self._error = error
            last_words = "cancelled" if isinstance(error, ScoringCancelled) else f"{type(error).__name__}: see run.result()"
        finally:
            self._model_is_ours.close()
            if self._pass is not None:
                self._progress, self._read, self._pass = self._pass.progress, self._pass.result, None
            if self._bar is not None:
                self._bar.close(last_words)
            self._over.set()
            atexit.unregister(self.cancel)

    def _follow(self, running: PassOverTexts) -> None:
        self._pass = running
        if self._cancelled.is_set():
            running.cancel()

    def _draw(self, rows: np.ndarray, log_probs: np.ndarray) -> None:
        if self._bar is not None:
            self._bar.show(self.progress)
