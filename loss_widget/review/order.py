"""Rows in order: by one column or several, NaN last, equal values by row number."""

from __future__ import annotations

import numpy as np


def order_of(columns: list[np.ndarray], *, descending: bool) -> np.ndarray:
    """(n,) int32 row numbers, by the first column, where that is equal by the second, and so on; NaN last.

    >>> order_of([np.array([0.5, np.nan, 2.0, 0.5], dtype=np.float32)], descending=True).tolist()
    [2, 0, 3, 1]
    """
    signed = [-column if descending else column for column in columns]
    if len(signed) > 1:
        return np.lexsort(signed[::-1]).astype(np.int32)
    [values] = signed
    return _by_float32(values) if values.dtype == np.float32 else np.argsort(values, kind="stable").astype(np.int32)


def _by_float32(values: np.ndarray) -> np.ndarray:
    """A stable argsort in half the time: value and row number are sorted as one word, which NumPy does by vector instructions."""
    bits = (values + np.float32(0)).view(np.int32)  # -0.0 becomes 0.0, which it is equal to
    ordered = (bits ^ (bits >> 31 | np.int32(-(2**31)))).view(np.uint32)  # floats compare like these
    ordered[np.isnan(values)] = np.iinfo(np.uint32).max
    words = ordered.astype(np.uint64) << np.uint64(32)
    words |= np.arange(len(values), dtype=np.uint64)
    words.sort()
    return words.astype(np.uint32).view(np.int32)
