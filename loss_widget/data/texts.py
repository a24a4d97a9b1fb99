"""Texts, or pairs of them, as Arrow strings: sliced, taken, hashed, never copied whole."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from loss_widget.data.columns import column_position, text_names
from loss_widget.data.contents import ContentColumns, Contents, content_kind
from loss_widget.errors import ColumnError, InputError

TextColumn = Any
"""Texts as a caller hands them in: a list, a pandas Series, or an Arrow array."""


@dataclass(frozen=True)
class Texts(Contents):
    """n texts, or n pairs of them: one column, or two, of large_string, "" where a text was missing."""

    columns: tuple[pa.ChunkedArray, ...]

    @classmethod
    def of(cls, texts: TextColumn | Contents, pair_texts: TextColumn | None = None) -> Texts:
        """Texts as they come, or what can be read of other contents. None and NaN become "", other objects their `str`, lone
        surrogates "?"."""
        if isinstance(texts, Contents):
            if not texts.words:
                raise InputError(f"Expected texts, found {type(texts).__name__}, in which there is nothing to read.")
            return texts if isinstance(texts, Texts) else cls(texts.words)
        if isinstance(texts, (str, bytes)):
            raise InputError("Expected a list of texts, found one text. Put it in a list: `[text]`.")
        first = _strings(texts)
        if not len(first):
            raise InputError("Expected at least one text, found none.")
        if pair_texts is None:
            return cls((first,))
        second = _strings(pair_texts)
        if len(second) != len(first):
            raise InputError(f"Expected as many second texts as first ones ({len(first)}), found {len(second)}.")
        return cls((first, second))

    def __len__(self) -> int:
        return len(self.columns[0])

    @property
    def words(self) -> tuple[pa.ChunkedArray, ...]:
        return self.columns

    def take(self, rows: np.ndarray) -> Texts:
        """The texts of those rows, in that order; a slice without a copy where rows follow each other."""
        if len(rows) and rows[-1] - rows[0] == len(rows) - 1 and (np.diff(rows) == 1).all():
            return self.slice(int(rows[0]), int(rows[-1]) + 1)
        at = pa.array(rows)
        return Texts(tuple(column.take(at) for column in self.columns))

    def slice(self, start: int, stop: int) -> Texts:
        """Texts `start` to `stop`, the latter not included."""
        return Texts(tuple(column.slice(start, stop - start) for column in self.columns))

    def keys(self) -> np.ndarray:
        """(n,) uint64: BLAKE2b of each row's text (both texts of a pair), the same in every process and on every machine."""
        keys = []
        for start, stop in self.chunks(rows=_KEYS_AT_ONCE, size=_BYTES_AT_ONCE):
            *before, last = (c.slice(start, stop - start).cast(pa.large_binary()).to_pylist() for c in self.columns)
            for column in reversed(before):  # the length tells where one text ends and the next begins
                last = [b"%d:%b%b" % (len(a.decode()), a, b) for a, b in zip(column, last, strict=True)]
            keys.append(b"".join(hashlib.blake2b(text, digest_size=8).digest() for text in last))
        return np.frombuffer(b"".join(keys), dtype="<u8")

    def same_rows(self, other: Contents) -> np.ndarray:
        same = np.ones(len(self), dtype=bool)
        for mine, theirs in zip(self.words, other.words, strict=True):
            if not mine.equals(theirs):
                same &= pc.equal(mine, theirs).to_numpy()
        return same

    def encode(self, rows: np.ndarray, *, most: int | None) -> list[dict[str, Any]]:
        """`text`, `pair` (None: there is none), and `text_cut`: whether there is more of them."""
        first, *second = (take(column, rows).to_pylist() for column in self.columns)
        pairs = second[0] if second else [None] * len(rows)
        return [
            {
                "text": text[:most],
                "pair": None if pair is None else pair[:most],
                "text_cut": most is not None and max(len(text), len(pair or "")) > most,
            }
            for text, pair in zip(first, pairs, strict=True)
        ]

    def sizes(self) -> np.ndarray:
        """(n,) int64, bytes of each text, or of both of a pair."""
        sizes: np.ndarray = sum(pc.binary_length(column).to_numpy() for column in self.columns)
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
        first, *second = (column.to_pylist() for column in self.columns)
        return first, second[0] if second else None

    def digest(self) -> str:
        """SHA-256 of all texts in their order, however Arrow has cut them into chunks."""
        digest = hashlib.sha256()
        for column in self.columns:
            lengths = pc.binary_length(column).to_numpy()
            digest.update(np.ascontiguousarray(lengths, dtype="<i8").data)
            for chunk in column.chunks:
                _, offsets, characters = chunk.buffers()
                ends = np.frombuffer(offsets, dtype="<i8")[chunk.offset : chunk.offset + len(chunk) + 1]
                if characters is not None:
                    digest.update(memoryview(characters)[ends[0] : ends[-1]])
        return digest.hexdigest()


@content_kind
@dataclass(frozen=True)
class TextColumns(ContentColumns):
    """One column of texts, or two of pairs of them."""

    kind = "text"

    def read(self, frame: pd.DataFrame) -> tuple[Texts, dict[int, str]]:
        columns, notes = zip(*(read_texts(frame, name) for name in self.names), strict=True)
        return Texts(columns), {row: note for said in reversed(notes) for row, note in said.items()}


def content_columns(given: str | Sequence[str] | ContentColumns) -> ContentColumns:
    """The columns that a `text=` argument means: the one place that asks which kind of content it is."""
    return given if isinstance(given, ContentColumns) else TextColumns(text_names(given))


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


_KEYS_AT_ONCE, _BYTES_AT_ONCE = 4_096, 8 << 20


def read_texts(frame: pd.DataFrame, name: str) -> tuple[pa.ChunkedArray, dict[int, str]]:
    """A text column as Arrow strings, "" where missing, and what was odd about single rows, in words."""
    column = frame.iloc[:, column_position(frame, name)]
    notes: dict[int, str] = {}
    if isinstance(column.dtype, pd.ArrowDtype) and (pa.types.is_nested(kind := column.dtype.pyarrow_dtype) or _is_bytes(kind)):
        column = column.astype(object)
    if column.dtype == object:
        column = _coerced(column, notes)
    try:
        array = pa.array(column, from_pandas=True)
        texts = array.cast(pa.large_string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        raise ColumnError(f"Expected text in column {name!r}, found {column.dtype}. Convert it with `.astype(str)`.") from error
    kind = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        notes.update(dict.fromkeys(range(len(column)), f"{name} held {column.dtype}, read as text"))
    if texts.null_count:
        rows = np.flatnonzero(texts.is_null().to_numpy(zero_copy_only=False))
        notes.update({int(row): f"{name} was missing" for row in rows})
        texts = pc.fill_null(texts, "")
    return texts if isinstance(texts, pa.ChunkedArray) else pa.chunked_array([texts]), notes


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _coerced(column: pd.Series, notes: dict[int, str]) -> pd.Series:
    """Python objects as strings that UTF-8 can hold; every row that had to be changed is noted."""
    if pd.api.types.infer_dtype(column, skipna=True) in ("string", "empty"):
        try:
            pa.array(column, type=pa.large_string(), from_pandas=True)
            return column
        except UnicodeEncodeError:
            pass
    values: list[str | None] = []
    for row, value in enumerate(column):
        if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
            values.append(None)
            continue
        if not isinstance(value, (str, bytes)) and not pd.api.types.is_scalar(value):
            raise ColumnError(_no_text(column.name, row, value))
        try:
            read = value if isinstance(value, str) else value.decode() if isinstance(value, bytes) else str(value)
        except UnicodeDecodeError as error:
            raise ColumnError(
                f"Expected text in column {column.name!r}, found bytes in row {row} that are not UTF-8: {value[:20]!r}. Decode "
                f"them: `data[{column.name!r}] = data[{column.name!r}].str.decode('latin-1')`, or whichever encoding it is."
            ) from error
        if not isinstance(value, str):
            notes[row] = f"{column.name} held a {type(value).__name__}, read as text"
        safe = read.encode("utf-8", "replace").decode("utf-8")
        if safe != read:
            notes[row] = f"{column.name} held characters that no text can hold, replaced by ?"
        values.append(safe)
    return pd.Series(values, index=column.index, name=column.name, dtype=object)


def _no_text(name: object, row: int, value: Any) -> str:
    """What to say of a list or a dict in a column of texts, with the code that takes the text out of it."""
    shown = f"Expected text in column {name!r}, found a {type(value).__name__} in row {row}: {str(value)[:60]!r}."
    column = f"data[{name!r}]"
    if isinstance(value, dict) and any(isinstance(part, str) for part in value.values()):
        key = max((key for key, part in value.items() if isinstance(part, str)), key=lambda key: len(value[key]))
        return (
            f"{shown} Take the text out of it: `{column} = {column}.map(lambda value: value.get({key!r}), na_action='ignore')`."
        )
    if isinstance(value, (list, tuple, np.ndarray)) and len(value):
        if all(isinstance(part, str) for part in value):
            return f"{shown} Join it: `{column} = {column}.map(' '.join, na_action='ignore')`."
        if all(isinstance(part, dict) and isinstance(part.get("content"), str) for part in value):
            join = "lambda turns: '\\n'.join(turn['content'] for turn in turns)"
            return f"{shown} Join its turns: `{column} = {column}.map({join}, na_action='ignore')`."
    return f"{shown} Make text of it, or name another column with `text=`."


_THREADS = 2
_PART_ROWS, _PART_BYTES = 2_048, 1 << 20  # what is worked on at once stays in the cache, however long the texts are


def over_parts(
    texts: pa.ChunkedArray | pa.Array,
    work: Callable[[pa.Array], np.ndarray],
    *,
    rows: int | None = _PART_ROWS,
    size: int = _PART_BYTES,
) -> np.ndarray:
    """`work` on every part of at most so many texts and bytes, in order, the results joined; a longer text is one by itself."""
    chunks = texts.chunks if isinstance(texts, pa.ChunkedArray) else [texts]
    parts = [part for chunk in chunks for part in _parts(chunk, rows or len(chunk), size)] or [pa.array([], texts.type)]
    if len(parts) <= _THREADS:
        return np.concatenate([work(part) for part in parts])
    with ThreadPoolExecutor(_THREADS) as pool:
        return np.concatenate(list(pool.map(work, parts)))


def _parts(chunk: pa.Array, rows: int, size: int) -> Iterator[pa.Array]:
    ends, _ = letters_of(chunk)
    start = 0
    while start < len(chunk):
        stop = min(start + rows, int(np.searchsorted(ends, ends[start] + size, side="right")) - 1)
        stop = max(stop, start + 1)
        yield chunk.slice(start, stop - start)
        start = stop


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
