"""A few steps that Ctrl-C must not come between."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Signals that come while the block runs reach their handlers when it has ended, also if it raised.

    Python runs all handlers on the main thread, between two bytecodes, and that of Ctrl-C raises there; on other threads there
    is nothing to hold back. Only handlers in Python are put aside, and only for the block.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[tuple[int, Any]] = []
    handlers = {number: handler for number in _SIGNALS if callable(handler := signal.getsignal(number))}
    try:
        for number in handlers:
            signal.signal(number, lambda *signal_and_frame: came.append(signal_and_frame))
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number, frame in came:
            handlers[number](number, frame)


_NAMES = ("SIGALRM", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGBREAK", "SIGINT")
_SIGNALS = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
"""Ctrl-C comes last: its handler may raise as soon as it is back, and the others must be back by then."""
