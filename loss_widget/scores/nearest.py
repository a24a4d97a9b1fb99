"""The nearest rows by cosine, exactly: blocked matrix products of bounded memory."""

from __future__ import annotations

import numpy as np

BLOCK_NUMBERS = 16_000_000
"""Similarities held at a time, 64 MB of them."""

_CHUNK = 64


def nearest(queries: np.ndarray, among: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """(queries, n) float32 cosines and (queries, n) int64 rows of `among`, nearest first; equal ones in the order of `among`.

    `queries` (q, width), `among` (m, width): rows of unit length. Where `among` has fewer than `n` rows, as many columns.

    >>> cosines, rows = nearest(np.eye(2, dtype=np.float32), np.array([[0.6, 0.8], [1, 0]], dtype=np.float32), n=1)
    >>> rows.ravel().tolist(), cosines.ravel().astype(float).round(2).tolist()
    ([1, 0], [1.0, 0.8])
    """
    n = min(n, len(among))
    cosines, rows = np.empty((len(queries), n), dtype=np.float32), np.empty((len(queries), n), dtype=np.int64)
    step = max(1, BLOCK_NUMBERS // max(1, len(among)))
    for start in range(0, len(queries), step):
        block = slice(start, start + step)
        cosines[block], rows[block] = _highest(queries[block] @ among.T, n)
    return cosines, rows


def _highest(values: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The `n` highest of each row, sorted, and where they stand.

    In two steps, twice as fast as one: they are all in the `n` chunks whose own highest are highest.
    """
    count, width = values.shape
    if width > 4 * n * _CHUNK:
        whole = width // _CHUNK * _CHUNK
        chunks = values[:, :whole].reshape(count, -1, _CHUNK)
        picked = np.sort(np.argpartition(-chunks.max(axis=2), n - 1, axis=1)[:, :n], axis=1)
        columns = (picked[:, :, None] * _CHUNK + np.arange(_CHUNK)).reshape(count, -1)
        columns = np.concatenate([columns, np.broadcast_to(np.arange(whole, width), (count, width - whole))], axis=1)
        values = np.take_along_axis(values, columns, axis=1)
    else:
        columns = np.broadcast_to(np.arange(width), (count, width))
    found = np.argpartition(-values, n - 1, axis=1)[:, :n] if n < values.shape[1] else np.argsort(-values, axis=1)
    found = np.sort(found, axis=1)
    order = np.argsort(-np.take_along_axis(values, found, axis=1), axis=1, kind="stable")
    found = np.take_along_axis(found, order, axis=1)
    return np.take_along_axis(values, found, axis=1), np.take_along_axis(columns, found, axis=1)
