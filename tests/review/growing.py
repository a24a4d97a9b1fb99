"""How much work or memory something takes, counted and not timed: the same on any machine."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType
from typing import Any

import pyarrow as pa


def operations(work: Callable[[], Any]) -> int:
    """How many operations of Python run in the package's own code, in this thread."""
    count = 0

    def look(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if "loss_widget" not in frame.f_code.co_filename or "tests" in frame.f_code.co_filename:
            return None
        if event == "call":
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
        else:
            count += 1
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def peak_bytes(work: Callable[[], Any]) -> int:
    """The most memory of Python, NumPy and Arrow that was held at a time beyond what was held before; threads included."""
    pool = pa.system_memory_pool()
    before_pool = pa.default_memory_pool()
    pa.set_memory_pool(pool)
    arrow_before, peak_before = pool.bytes_allocated(), pool.max_memory() or 0
    tracemalloc.start()
    try:
        work()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        pa.set_memory_pool(before_pool)
    risen = max(0, (pool.max_memory() or 0) - max(peak_before, arrow_before))
    return peak + risen


def held_bytes(make: Callable[[], Any]) -> int:
    """Memory of Python and NumPy that is still held once `make` has returned."""
    tracemalloc.start()
    try:
        kept = make()
        held, _ = tracemalloc.get_traced_memory()
        del kept
    finally:
        tracemalloc.stop()
    return held
