"""How many threads to compute with: all cores, or one where other work holds them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

SECONDS_BETWEEN_LOOKS = 5.0


class ThreadChoice:
    """Times batches with all of torch's threads and with one, and goes on with the faster; looks again every few seconds.

    On a busy machine OpenMP's threads wait for each other in a spin: two threads on two busy cores were seen to be three times
    slower than one. Numbers do not depend on it. `fixed`: use this many and do not look.
    """

    def __init__(self, fixed: int | None = None) -> None:
        import torch

        before = torch.get_num_threads()
        self.candidates = [fixed] if fixed is not None else sorted({before, 1}, reverse=True)
        self._pace: dict[int, float] = {}  # seconds a token, by threads
        self._looked_at = time.perf_counter()
        self._now = 0

    @contextlib.contextmanager
    def timing(self, tokens: int) -> Iterator[None]:
        """Around one batch: sets the threads before it and learns from how long it takes."""
        import torch

        threads = self.next_threads()
        if threads != self._now:
            torch.set_num_threads(threads)
            self._now = threads
        started = time.perf_counter()
        yield
        self.learn(threads, (time.perf_counter() - started) / max(1, tokens))

    def next_threads(self) -> int:
        """The fastest number of threads known, or one that has not been timed lately."""
        if time.perf_counter() - self._looked_at > SECONDS_BETWEEN_LOOKS:
            self._looked_at = time.perf_counter()
            self._pace.clear()
        untimed = [n for n in self.candidates if n not in self._pace]
        return untimed[0] if untimed else min(self.candidates, key=self._pace.__getitem__)

    def learn(self, threads: int, seconds_a_token: float) -> None:
        """Keep how long a token took with so many threads."""
        before = self._pace.get(threads, seconds_a_token)
        self._pace[threads] = (before + seconds_a_token) / 2
