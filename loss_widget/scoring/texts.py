"""The texts to judge, or pairs of them, as Arrow strings: sliced, taken, hashed, never copied whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loss_widget.errors import InputError

TextColumn = Any
"""Texts as a caller hands them in: a list, a pandas Series, or an Arrow array."""


@dataclass(frozen=True)
class Texts:
    """n texts, or n pairs: `first` and `second` (None: no pairs) are large_string, "" where a text was missing."""

    first: pa.ChunkedArray
    second: pa.ChunkedArray | None = None

    @classmethod
    def of(cls, texts: TextColumn, pair_texts: TextColumn | None = None) -> Texts:
        """None and NaN become "", other objects their `str`, lone surrogates "?"."""
        if isinstance(texts, (str, bytes)):
            raise InputError("Expected a list of texts, found one text. Put it in a list: `[text]`.")
        first = _strings(texts)
        if not len(first):
            raise InputError("Expected at least one text, found none.")
        second = None if pair_texts is None else _strings(pair_texts)
        if second is not None and len(second) != len(first):
            raise InputError(f"Expected as many second texts as first ones ({len(first)}), found {len(second)}.")
        return cls(first, second)

    def __len__(self) -> int:
        return len(self.first)

    def take(self, rows: np.ndarray) -> Texts:
        """The texts of those rows, in that order; a slice without a copy where rows follow each other."""
        if len(rows) and rows[-1] - rows[0] == len(rows) - 1 and (np.diff(rows) == 1).all():
            return self.slice(int(rows[0]), int(rows[-1]) + 1)
        at = pa.array(rows)
        return Texts(self.first.take(at), None if self.second is None else self.second.take(at))

    def slice(self, start: int, stop: int) -> Texts:
        """Texts `start` to `stop`, the latter not included."""
        count = stop - start
        return Texts(self.first.slice(start, count), None if self.second is None else self.second.slice(start, count))

    def sizes(self) -> np.ndarray:
        """(n,) int64, bytes of each text, or of both of a pair."""
        sizes: np.ndarray = sum(pc.binary_length(c).to_numpy() for c in (self.first, self.second) if c is not None)
        return sizes

    def chunks(self, *, rows: int, size: int) -> Iterator[tuple[int, int]]:
        """(start, stop) of consecutive parts of at most so many rows and, but for single texts, so many bytes."""
        ends = np.cumsum(self.sizes())
        start = 0
        while start < len(self):
            before = ends[start - 1] if start else 0
            stop = min(start + rows, max(start + 1, int(np.searchsorted(ends, before + size, side="right"))))
            yield start, min(stop, len(self))
            start = stop

    def lists(self) -> tuple[list[str], list[str] | None]:
        """As Python strings, the way tokenizers want them."""
        return self.first.to_pylist(), None if self.second is None else self.second.to_pylist()

    def digest(self) -> str:
        """SHA-256 of all texts in their order, however Arrow has cut them into chunks."""
        digest = hashlib.sha256()
        for column in (self.first, self.second):
            if column is not None:
                lengths = pc.binary_length(column).to_numpy()
                digest.update(np.ascontiguousarray(lengths, dtype="<i8").data)
                for chunk in column.chunks:
                    _, offsets, characters = chunk.buffers()
                    ends = np.frombuffer(offsets, dtype="<i8")[chunk.offset : chunk.offset + len(chunk) + 1]
                    if characters is not None:
                        digest.update(memoryview(characters)[ends[0] : ends[-1]])
        return digest.hexdigest()


def _strings(texts: TextColumn) -> pa.ChunkedArray:
    if isinstance(texts, pa.Array):
        texts = pa.chunked_array([texts])
    if isinstance(texts, pa.ChunkedArray):
        if not pa.types.is_large_string(texts.type):
            texts = texts.cast(pa.large_string())
        return pc.fill_null(texts, "") if texts.null_count else texts
    return pa.chunked_array([pa.array([_string(text) for text in texts], type=pa.large_string())])


def _string(value: Any) -> str:
    if value is None or (isinstance(value, float) and value != value):
        return ""
    text = value if isinstance(value, str) else str(value)
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
