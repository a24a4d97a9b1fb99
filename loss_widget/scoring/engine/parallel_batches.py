"""Batches side by side: each on a thread of its own, where an engine can be called from several at once."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

MOST_LANES = 4
"""Python's own part of a batch is up to a tenth of it, and only one lane at a time can be in Python."""


class ParallelBatches:
    """`start(work)` → a Future of it; with one lane it is done by then, in the caller's thread.

    torch's operators on several threads each end at a barrier. Two lanes of one thread were as fast as two threads in float32 and
    1.2 to 1.45 times as fast in bfloat16, whose operators are short; and they never wait in a spin for a core that others hold.
    `threads`: torch threads of each lane; `ahead`: how many works to start before the first is waited for.
    """

    def __init__(self, lanes: int = 1, *, threads: int = 1, ahead: int = 0) -> None:
        self.threads = threads
        self.ahead = ahead
        self._lanes = lanes
        self._pool: ThreadPoolExecutor | None = None

    @classmethod
    def of(cls, threads: int) -> ParallelBatches:
        """As many lanes as there is use for, over so many threads of torch."""
        lanes = min(threads, MOST_LANES)
        return cls(lanes, threads=threads // lanes, ahead=lanes if lanes > 1 else 0)

    @contextlib.contextmanager
    def open(self) -> Iterator[None]:
        """While they may be used; at the end only what has begun is waited for."""
        if self._lanes == 1:
            yield
            return
        with ThreadPoolExecutor(self._lanes, "loss_widget lane", initializer=self._prepare) as self._pool:
            try:
                yield
            finally:
                self._pool.shutdown(wait=True, cancel_futures=True)
                self._pool = None

    def start(self, work: Callable[[], T]) -> Future[T]:
        """Do it, or have it done."""
        if self._pool is not None:
            return self._pool.submit(work)
        done: Future[T] = Future()
        try:
            done.set_result(work())
        except Exception as error:
            done.set_exception(error)
        return done

    def _prepare(self) -> None:
        import torch

        torch.set_num_threads(self.threads)
        torch.set_grad_enabled(False)
