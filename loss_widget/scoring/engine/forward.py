"""The pass itself: batches of tokens through a model that is left as it was found, one row of numbers for each example."""

from __future__ import annotations

import contextlib
import copy
import itertools
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from typing import Any, Protocol

import numpy as np

from loss_widget.errors import ModelError
from loss_widget.scoring.engine.autocast import without_autocast
from loss_widget.scoring.engine.autotune import Autotune, Setting
from loss_widget.scoring.engine.batches import by_length, first_batch
from loss_widget.scoring.engine.float32 import insist, whole_float32
from loss_widget.scoring.engine.memory import is_out_of_memory
from loss_widget.scoring.engine.parallel_batches import ParallelBatches
from loss_widget.scoring.engine.tokens import Tokens

OnBatch = Callable[[np.ndarray, np.ndarray, "dict[int, str]"], None]
"""(rows, their numbers, what was odd about them in words), after every batch."""


class Engine(Protocol):
    """What reads a batch: `stock.StockEngine` or `packed.PackedEngine`."""

    name: str
    batching: str
    device: Any
    narrowest: str
    """The type that numbers pass through, where it is narrower than asked for; "" else."""
    side_by_side: bool
    """Whether several threads may read at once."""

    def read(self, tokens: Tokens, batch: np.ndarray) -> Any:
        """(batch, numbers) float32 tensor on the engine's device for those rows of `tokens`, longest first."""


@contextlib.contextmanager
def borrowed(model: Any, *, device: Any) -> Iterator[Any]:
    """The model in evaluation mode on `device` in float32, without gradients; afterwards it is as it was.

    Half-precision weights are read through a float32 copy: their own losses depend on the shape of the batch. float32 is whole
    float32, whatever torch was set to, here or by a Trainer that prepared the model. Those settings and torch's number of threads
    are put back, too.
    """
    import torch

    modes = [(module, module.training) for module in model.modules()]
    parameters = [p for p in model.parameters() if p.is_floating_point()]
    home = parameters[0].device if parameters else torch.device("cpu")
    half = any(t.is_floating_point() and t.dtype.itemsize < 4 for t in itertools.chain(model.parameters(), model.buffers()))
    spread = bool(getattr(model, "hf_device_map", None))
    threads_before = torch.get_num_threads()
    with without_autocast(model):
        working = copy.deepcopy(model).float() if half else model
        try:
            if not spread and device != home:
                working.to(device)
            working.eval()
            with torch.no_grad(), torch.autocast(device.type, enabled=False), whole_float32():
                yield working
        finally:
            if working is model and not spread and device != home:
                model.to(home)
            for module, training in modes:
                module.training = training
            torch.set_num_threads(threads_before)


class ForwardPass:
    """Rows of tokens through an engine, longest first, in batches of the pace's choice, some of them side by side.

    Out of memory halves the batch. Rows that fail or are not finite in company are read again alone. On CUDA a batch is fetched
    while the next is computed.
    """

    def __init__(self, engine: Engine, pace: Autotune, lanes: ParallelBatches | None = None) -> None:
        self.engine = engine
        self.pace = pace
        self.out_of_memory = 0
        self._lanes = lanes or ParallelBatches(ahead=1 if engine.device.type == "cuda" else 0)

    def run(self, tokens: Tokens, rows: np.ndarray, on_batch: OnBatch) -> None:
        """Read `rows` of `tokens`; NaN where there is no answer. `on_batch` gets the rows' numbers in the data."""
        order = by_length(tokens.lengths, rows)
        started: deque[tuple[np.ndarray, Future[Any]]] = deque()
        with self._lanes.open():
            while len(order) or started:
                if len(order):
                    setting = self.pace.next_setting()
                    batch = self._next_batch(tokens, order, setting)
                    started.append((batch, self._lanes.start(partial(self._timed, tokens, batch, setting))))
                    order = order[len(batch) :]
                if len(started) > self._lanes.ahead or not len(order):
                    batch, answer = started.popleft()
                    try:
                        found = answer.result()
                    except Exception as error:
                        if not is_out_of_memory(error):
                            raise
                        self._halve(tokens, batch, error)
                        order = by_length(tokens.lengths, np.concatenate([batch, order]))
                        continue
                    on_batch(tokens.numbers_of(batch), *self._checked(tokens, batch, found))

    def report(self) -> dict[str, Any]:
        """How the pass went, for the provenance."""
        narrowest = {"computed_in": self.engine.narrowest} if self.engine.narrowest else {}
        return {
            **narrowest,
            "engine": self.engine.name,
            "batching": self.engine.batching,
            "token_budget": self.pace.next_setting().token_budget,
            "out_of_memory": self.out_of_memory,
        }

    def _next_batch(self, tokens: Tokens, order: np.ndarray, setting: Setting) -> np.ndarray:
        return first_batch(
            order,
            tokens.lengths,
            token_budget=1 if self.engine.batching == "one by one" else setting.token_budget,
            equal=self.engine.batching == "equal lengths",
        )

    def _timed(self, tokens: Tokens, batch: np.ndarray, setting: Setting) -> Any:
        insist()
        with self.pace.timing(setting, int(tokens.lengths[batch].sum())):
            return self._read(tokens, batch)

    def _read(self, tokens: Tokens, batch: np.ndarray) -> Any:
        """(batch, numbers), a tensor or an array; a batch that fails is read row by row."""
        try:
            return self.engine.read(tokens, batch)
        except Exception as error:
            if isinstance(error, ModelError) or is_out_of_memory(error):
                raise
            if len(batch) == 1:
                row = tokens.numbers_of(batch)[0]
                raise ModelError(
                    f"Expected the model to read row {row} ({tokens.lengths[batch[0]]} tokens), found that it failed: "
                    f"{type(error).__name__}: {error}. Check that model and tokenizer belong together."
                ) from error
            return np.concatenate([_fetched(self._read(tokens, batch[i : i + 1])) for i in range(len(batch))])

    def _checked(self, tokens: Tokens, batch: np.ndarray, found: Any) -> tuple[np.ndarray, dict[int, str]]:
        values = _fetched(found)
        numbers = tokens.numbers_of(batch).tolist()
        notes = {n: tokens.notes[row] for n, row in zip(numbers, batch.tolist(), strict=True) if row in tokens.notes}
        for i in np.flatnonzero(~np.isfinite(values).all(axis=1)):
            if len(batch) > 1:
                values[i] = _fetched(self._read(tokens, batch[i : i + 1]))[0]
            if not np.isfinite(values[i]).all():
                values[i] = np.nan
                notes[numbers[i]] = "the model gave no finite answer, also when the row was read alone"
        return values, notes

    def _halve(self, tokens: Tokens, batch: np.ndarray, error: Exception) -> None:
        if len(batch) == 1:
            raise ModelError(
                f"Expected room for one row of {tokens.lengths[batch[0]]} tokens, found too little memory for it. "
                "Pass a smaller `max_length`, or another `device`."
            ) from error
        self.pace.limit((len(batch) // 2) * int(tokens.lengths[batch].max()))
        self.out_of_memory += 1
        if self.engine.device.type == "cuda":
            import torch

            torch.cuda.empty_cache()


def _fetched(found: Any) -> np.ndarray:
    return found if isinstance(found, np.ndarray) else np.array(found.cpu().numpy(), dtype=np.float32)
