"""Labels reach the frame before the next cell runs: a `pre_run_cell` hook, and the barrier that closes its race.

From ipykernel 7 on, clicks are handled on a subshell's thread beside the user's cells. A click that was sent before a cell
lies in that thread's event loop when the cell starts, but may not have been handled. So the hook first waits until the loop
has turned with nothing to do.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
import warnings
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from loss_widget.errors import LossWidgetError
from loss_widget.review import ReviewSession

_QUIET_TURNS = 20  # turns of the loop, not milliseconds: a starved CPU makes them longer, never too few
_TIMEOUT_S = 2.0


class CellBoundary:
    """Flushes a session into its frame on the main thread before each cell, after the clicks that came before the cell."""

    def __init__(self, session: ReviewSession) -> None:
        self._session = session
        self._loop: asyncio.AbstractEventLoop | None = None
        self._handled = 0
        self._handling = 0
        self._shell = _ipython()
        self._hook = _weak_hook(self)
        if self._shell is not None:
            self._shell.events.register("pre_run_cell", self._hook)

    @contextmanager
    def handling(self) -> Iterator[None]:
        """Around each message handler; notes whose event loop it runs on."""
        if threading.current_thread() is not threading.main_thread():
            try:
                self._loop = asyncio.get_running_loop()
            except RuntimeError:
                self._loop = None
        self._handling += 1
        try:
            yield
        finally:
            self._handled += 1
            self._handling -= 1

    def flush(self) -> None:
        """Main thread only, and never while holding the session's lock: the handlers need it to finish."""
        self._drain()
        try:
            self._session.flush()
        except LossWidgetError as error:
            warnings.warn(str(error), stacklevel=2)

    def close(self) -> None:
        if self._shell is not None:
            self._shell.events.unregister("pre_run_cell", self._hook)
            self._shell = None

    def _drain(self) -> None:
        for loop in {self._loop, *_subshell_loops()}:
            if loop is not None and loop.is_running():
                self._drain_loop(loop)

    def _drain_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        drained = self._drained()
        try:
            asyncio.run_coroutine_threadsafe(drained, loop).result(timeout=_TIMEOUT_S)
        except (TimeoutError, concurrent.futures.TimeoutError):  # two classes before Python 3.11
            warnings.warn(
                "Some clicks of just now may not be in the DataFrame yet: the grid's messages are still coming.", stacklevel=3
            )
        except RuntimeError:  # the loop was closed between the check and the call
            drained.close()

    async def _drained(self) -> None:
        still = 0
        while still < _QUIET_TURNS:
            handled = self._handled
            await asyncio.sleep(0)
            still = still + 1 if self._handled == handled and not self._handling else 0


def _subshell_loops() -> list[asyncio.AbstractEventLoop]:
    """The loops of ipykernel's subshells: a grid's first click may be the first message that one of them gets."""
    return [
        loop
        for thread in threading.enumerate()
        if thread.name.startswith("subshell-")
        if (loop := getattr(getattr(thread, "io_loop", None), "asyncio_loop", None)) is not None
    ]


def _ipython() -> Any:
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return None
    return get_ipython()  # type: ignore[no-untyped-call]


def _weak_hook(boundary: CellBoundary) -> Any:
    reference = weakref.ref(boundary)

    def before_cell(*_: Any) -> None:
        alive = reference()
        if alive is not None:
            alive.flush()

    return before_cell
