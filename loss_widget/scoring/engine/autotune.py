"""How fast a pass goes with so many threads and tokens a batch, and which to go on with."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import NamedTuple

SECONDS_BETWEEN_LOOKS = 5.0
"""After so long everything is timed again; each time twice as long."""


class Setting(NamedTuple):
    """Torch threads and tokens a batch."""

    threads: int
    token_budget: int


class Autotune:
    """Times batches and chooses: first between all of torch's threads and one, then between the token budgets.

    On a busy machine OpenMP's threads wait for each other in a spin: two threads on two busy cores were seen to be three times
    slower than one. How many tokens fill the cache depends on the processor and the model. Results depend on neither.
    `threads`: use so many and do not look. `budgets`: the one to begin with first; where there is one only, it is kept.
    """

    def __init__(self, *, threads: int | None = None, budgets: tuple[int, ...]) -> None:
        import torch

        self._threads = [threads] if threads is not None else sorted({torch.get_num_threads(), 1}, reverse=True)
        self._budgets = list(budgets)
        self._seconds: dict[Setting, float] = {}  # a token
        self._looked_at = time.perf_counter()
        self._wait = SECONDS_BETWEEN_LOOKS
        self._threads_now = 0

    def next_setting(self) -> Setting:
        """One that has not been timed lately, else the fastest known."""
        if time.perf_counter() - self._looked_at > self._wait:
            self._looked_at, self._wait = time.perf_counter(), 2 * self._wait
            self._seconds.clear()
        by_threads = [Setting(threads, self._budgets[0]) for threads in self._threads]
        untimed = [setting for setting in by_threads if setting not in self._seconds]
        if untimed:
            return untimed[0]
        threads = min(by_threads, key=self._seconds.__getitem__).threads
        by_budget = [Setting(threads, budget) for budget in self._budgets]
        untimed = [setting for setting in by_budget if setting not in self._seconds]
        return untimed[0] if untimed else min(by_budget, key=self._seconds.__getitem__)

    @contextlib.contextmanager
    def timing(self, setting: Setting, tokens: int) -> Iterator[None]:
        """Around one batch of `tokens`: sets the threads before it and learns from how long it takes."""
        import torch

        if setting.threads != self._threads_now:
            torch.set_num_threads(setting.threads)
            self._threads_now = setting.threads
        started = time.perf_counter()
        yield
        self.learn(setting, (time.perf_counter() - started) / max(1, tokens))

    def learn(self, setting: Setting, seconds_a_token: float) -> None:
        """Keep how long a token took."""
        before = self._seconds.get(setting, seconds_a_token)
        self._seconds[setting] = (before + seconds_a_token) / 2

    def limit(self, token_budget: int) -> None:
        """From now on no more than this budget: there was no memory for more."""
        self._budgets = [budget for budget in self._budgets if budget <= token_budget] or [token_budget]
        self._seconds.clear()
