"""Several devices at once: one process each, which share out the rows of a window, longest first."""

from __future__ import annotations

import contextlib
import math
import os
import pickle
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from loss_widget.errors import ModelError
from loss_widget.scoring.devices.one import ForwardSettings
from loss_widget.scoring.engine.batches import by_length
from loss_widget.scoring.engine.forward import OnBatch
from loss_widget.scoring.engine.tokens import Tokens
from loss_widget.scoring.text_reader import CPU_TOKENS, GPU_TOKENS

WORTH_PROCESSES = 2e12
"""Weights × rows that are worth a process each: its start takes some 5 to 10 s, a GPU that many in no less."""

_BATCHES_A_PART = 4
_PARTS_AHEAD = 2
_SAMPLE_ROWS = 256
_SECONDS_BETWEEN_CHECKS = 0.2


class SeveralDevices:
    """Copies of a model in processes of their own, used as `OneDevice` is. A context manager: at its end no process is left.

    The processes start with the first rows. They do not hear Ctrl-C and end with this process, however that ends. `check` is
    called while they work, five times a second; what it or `on_batch` raises ends the pass at once.
    """

    def __init__(
        self, model: Any, settings: ForwardSettings, devices: Sequence[Any], *, check: Callable[[], None] = lambda: None
    ) -> None:
        self._model = model
        self._settings = settings
        self._devices = list(devices)
        self._check = check
        self._workers: list[_Worker] = []
        self._answers: queue.SimpleQueue[tuple[_Worker, Any]] = queue.SimpleQueue()
        self._reports: dict[str, dict[_Worker, dict[str, Any]]] = {}
        self._folder = contextlib.ExitStack()

    def __enter__(self) -> SeveralDevices:
        return self

    def __exit__(self, *exception: object) -> None:
        for worker in self._workers:
            worker.end()
        self._workers = []
        self._folder.close()

    def run(self, tokens: Tokens, rows: np.ndarray, precision: str, on_batch: OnBatch) -> None:
        """Read `rows` of `tokens` in "float32" or "bfloat16"; `on_batch` is called here, in this thread.

        `ModelError` names a device whose process ended or failed.
        """
        order = by_length(tokens.lengths, rows)
        window = by_length(tokens.lengths, np.arange(len(tokens)))
        sample = _only(tokens, window[np.unique(np.linspace(0, len(window) - 1, min(_SAMPLE_ROWS, len(window))).astype(int))])
        parts = self._parts(tokens.lengths[order])
        if not self._workers:
            self._start()

        def hand_out(worker: _Worker) -> None:
            if (part := next(parts, None)) is not None:
                worker.ask((precision, _only(tokens, order[part]), None if precision in worker.prepared else sample))
                worker.prepared.add(precision)

        for _ in range(_PARTS_AHEAD):
            for worker in self._workers:
                hand_out(worker)
        while any(worker.open_parts for worker in self._workers):
            worker, (kind, *said) = self._next_answer()
            if kind == "batch":
                on_batch(*said)
            elif kind == "part":
                worker.open_parts -= 1
                self._reports.setdefault(precision, {})[worker] = said[0]
                hand_out(worker)
            elif kind == "refused":
                raise ModelError(said[0])
            else:
                raise ModelError(worker.why_it_ended(said[0] if said else ""))

    def report(self, precision: str) -> dict[str, Any]:
        """As of `OneDevice`: what the first process to finish a part says, but for what is summed or named of all."""
        reports = list(self._reports.get(precision, {}).values())
        if not reports:
            return {}
        return {
            **reports[0],
            **{name: ", ".join(sorted({report[name] for report in reports})) for name in ("engine", "batching")},
            "out_of_memory": sum(report["out_of_memory"] for report in reports),
            "device": ", ".join(map(str, self._devices)),
        }

    def _parts(self, lengths: np.ndarray) -> Any:
        """Slices of rows of those descending lengths: ever smaller ones, so that all devices end at about the same time."""
        ends = np.cumsum(lengths)
        most = max(CPU_TOKENS if all(d.type == "cpu" for d in self._devices) else GPU_TOKENS)
        least = _BATCHES_A_PART * (self._settings.token_budget or most)
        start = 0
        while start < len(lengths):
            before = ends[start - 1] if start else 0
            tokens = max(least, (ends[-1] - before) / (_PARTS_AHEAD * len(self._devices)))
            stop = max(start + 1, int(np.searchsorted(ends, before + tokens, side="right")))
            yield slice(start, stop)
            start = stop

    def _start(self) -> None:
        import torch

        folder = Path(self._folder.enter_context(tempfile.TemporaryDirectory(prefix="loss_widget-", ignore_cleanup_errors=True)))
        threads = max(1, (self._settings.threads or torch.get_num_threads()) // len(self._devices))
        settings = replace(self._settings, threads=threads if self._settings.threads else None)
        try:
            torch.save((self._model, settings, threads), folder / "model.pt")
        except (pickle.PicklingError, AttributeError, TypeError, RuntimeError, OSError) as error:
            raise ModelError(
                f"Expected a model that can be handed to a process for each device, found: {error}. "
                f'Name one device, as `device="{self._devices[0]}"`; or move what is defined in the notebook into a module.'
            ) from error
        for number, device in enumerate(self._devices):
            self._workers.append(_Worker(device, folder, number, self._answers))

    def _next_answer(self) -> tuple[_Worker, Any]:
        while True:
            self._check()
            with contextlib.suppress(queue.Empty):
                return self._answers.get(timeout=_SECONDS_BETWEEN_CHECKS)


def are_worth_it(model: Any, rows: int) -> bool:
    """Whether reading so many rows takes longer than starting processes for it."""
    return math.fsum(p.numel() for p in model.parameters()) * rows >= WORTH_PROCESSES


def _only(tokens: Tokens, rows: np.ndarray) -> Tokens:
    """Some rows of `tokens` alone, which keep their numbers in the data."""
    return Tokens(
        tokens.ids_of(rows),
        tokens.types_of(rows),
        np.concatenate([[0], np.cumsum(tokens.lengths[rows])]),
        tokens.truncated[rows],
        tokens.unknown[rows],
        {place: tokens.notes[row] for place, row in enumerate(rows.tolist()) if row in tokens.notes},
        tokens.numbers_of(rows),
    )


class _Worker:
    """One device's process, and the thread that listens to it: `devices.process` is what runs there."""

    def __init__(self, device: Any, folder: Path, number: int, answers: queue.SimpleQueue[tuple[_Worker, Any]]) -> None:
        self.device = device
        self.open_parts = 0
        self.prepared: set[str] = set()
        self._said = folder / f"stderr-{number}.txt"
        # -c and not multiprocessing: that would run the caller's script again where it has no `if __name__ == "__main__"`.
        command = [sys.executable, "-c", "from loss_widget.scoring.devices.process import main; main()"]
        path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
        with open(self._said, "wb") as stderr:
            self._process = subprocess.Popen(
                [*command, str(device), str(folder / "model.pt")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env={**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"},
                start_new_session=True,  # notebooks and terminals send Ctrl-C to the whole group
            )
        self._thread = threading.Thread(target=self._listen, args=(answers,), name=f"loss_widget {device}", daemon=True)
        self._thread.start()

    def ask(self, question: Any) -> None:
        """Hand out one more part; where the process has ended, that is among the answers."""
        self.open_parts += 1
        with contextlib.suppress(OSError):
            pickle.dump(question, self._process.stdin, protocol=5)  # type: ignore[arg-type]
            self._process.stdin.flush()  # type: ignore[union-attr]

    def why_it_ended(self, traceback: str) -> str:
        """The message of an error, once the process has ended or said that it failed."""
        if traceback:
            how = f"it failed: {traceback.strip().splitlines()[-1]}"
        else:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=10)
            how = f"it ended with exit code {self._process.returncode}"
            last = self._said.read_text(errors="replace").strip().splitlines()[-1:]
            how += f" ({last[0]})" if last else ""
        return (
            f"Expected the process for {self.device} to read its rows, found that {how}. Make the same call again (with a "
            "`checkpoint` it goes on from there), with fewer devices where memory is short."
        )

    def end(self) -> None:
        """Kill the process and wait until it is gone."""
        self._process.kill()
        self._process.wait()
        self._thread.join()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):  # what nobody will read any more
                pipe.close()  # type: ignore[union-attr]

    def _listen(self, answers: queue.SimpleQueue[tuple[_Worker, Any]]) -> None:
        while True:
            try:
                answer = pickle.load(self._process.stdout)  # type: ignore[arg-type]
            except Exception:  # the end of the pipe, anywhere in an answer
                answers.put((self, ("ended",)))
                return
            answers.put((self, answer))
