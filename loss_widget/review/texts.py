"""A column of texts by parts: some rows of it, and work on all of it on a few threads (Arrow and NumPy let go of the GIL)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa

_THREADS = 2
_PART = 2_048  # rows: what is worked on at once stays in the cache


def over_parts(texts: pa.ChunkedArray | pa.Array, work: Callable[[pa.Array], np.ndarray], *, rows: int = _PART) -> np.ndarray:
    """`work` on every part of at most `rows` texts, in order, the results joined."""
    chunks = texts.chunks if isinstance(texts, pa.ChunkedArray) else [texts]
    parts = [chunk.slice(i, rows) for chunk in chunks for i in range(0, len(chunk), rows)] or [pa.array([], texts.type)]
    if len(parts) <= _THREADS:
        return np.concatenate([work(part) for part in parts])
    with ThreadPoolExecutor(_THREADS) as pool:
        return np.concatenate(list(pool.map(work, parts)))


def take(texts: pa.ChunkedArray, rows: np.ndarray) -> pa.Array:
    """The texts of some rows, chunk by chunk: `ChunkedArray.take` joins the whole column first (measured: 23 ms for 100 rows)."""
    if texts.num_chunks == 1:
        return texts.chunk(0).take(pa.array(rows))
    starts = np.cumsum([0] + [len(chunk) for chunk in texts.chunks])
    chunk_of = np.searchsorted(starts, rows, side="right") - 1
    order = np.argsort(chunk_of, kind="stable")
    parts = [texts.chunk(int(c)).take(pa.array(rows[order][chunk_of[order] == c] - starts[c])) for c in np.unique(chunk_of)]
    back = np.empty(len(rows), dtype=np.int64)
    back[order] = np.arange(len(rows))
    joined = pa.concat_arrays(parts) if parts else pa.array([], type=texts.type)
    return joined.take(pa.array(back))


def letters_of(part: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Where each text of an Arrow array begins (n + 1,), and the UTF-8 bytes of all of them; nothing is copied."""
    width = np.int64 if pa.types.is_large_string(part.type) else np.int32
    _, offsets, data = part.buffers()
    ends = np.frombuffer(offsets, dtype=width, count=len(part) + 1 + part.offset)[part.offset :]
    letters = np.frombuffer(data, dtype=np.uint8) if data is not None else np.empty(0, dtype=np.uint8)
    return ends - ends[0], letters[ends[0] : ends[-1]]
