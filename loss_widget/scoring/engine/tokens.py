"""Texts as ragged token ids."""

from __future__ import annotations

import functools
import hashlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from loss_widget.data.texts import Texts
from loss_widget.errors import ModelError

ROWS_AT_ONCE, BYTES_AT_ONCE = 512, 1_000_000
"""What a tokenizer gets at a time, as fast as more; its own bookkeeping takes some 140 bytes a token."""

_SAMPLE_ROWS, _LONG = 64, 10_000


@dataclass(frozen=True)
class Tokens:
    """Token ids of n rows without padding: those of row i are `flat[starts[i]:starts[i + 1]]`.

    `flat` int32 (total,); `types` int8 (total,) or None: segment ids of models that take them; `starts` int64 (n + 1,);
    `truncated` bool (n,); `unknown` int32 (n,): unknown tokens a row; `notes`: what was odd about a row, in words; `numbers`
    (n,) the rows' numbers in the data where these are only some of it.
    """

    flat: np.ndarray
    types: np.ndarray | None
    starts: np.ndarray
    truncated: np.ndarray
    unknown: np.ndarray
    notes: dict[int, str] = field(default_factory=dict)
    numbers: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.starts) - 1

    @functools.cached_property
    def lengths(self) -> np.ndarray:
        """(n,) int64, tokens a row."""
        return np.diff(self.starts)

    def digest(self) -> str:
        """SHA-256 of what the model reads of all rows."""
        digest = hashlib.sha256(self.lengths.astype("<i8").data)
        for column in (self.flat.astype("<i4"), self.types):
            if column is not None and column.any():  # segments that are all 0 are the same as none
                digest.update(column.data)
        return digest.hexdigest()

    def numbers_of(self, rows: np.ndarray) -> np.ndarray:
        """The numbers in the data of some rows."""
        return rows if self.numbers is None else self.numbers[rows]

    def ids_of(self, rows: np.ndarray) -> np.ndarray:
        """int32, the token ids of some rows, one after the other."""
        return self.flat[self._places(rows)]

    def types_of(self, rows: np.ndarray) -> np.ndarray | None:
        """int8, their segment ids likewise; None where they are not kept."""
        return None if self.types is None else self.types[self._places(rows)]

    def _places(self, rows: np.ndarray) -> np.ndarray:
        lengths = self.lengths[rows]
        before = np.cumsum(lengths) - lengths
        places: np.ndarray = np.repeat(self.starts[rows] - before, lengths) + np.arange(lengths.sum())
        return places


def tokenize(tokenizer: Any, texts: Texts, *, max_length: int, types: bool, between: Callable[[], None] = lambda: None) -> Tokens:
    """All rows through the tokenizer in chunks, truncated at `max_length` tokens, never padded.

    `types`: keep the segment ids, unless they are all 0 for single texts. `between` is called after each chunk.
    """
    chunks = []
    for chunk in _encoded(tokenizer, texts, max_length=max_length, types=types):
        chunks.append(chunk)
        between()
    lengths, flat, type_ids, truncated = (list(column) for column in zip(*chunks, strict=True))
    starts = np.concatenate([[0], np.cumsum(np.concatenate(lengths))]).astype(np.int64)
    ids = np.concatenate(flat)
    tokens = Tokens(
        ids,
        np.concatenate(type_ids) if type_ids[0] is not None else None,
        starts,
        np.concatenate(truncated),
        _unknown_per_row(tokenizer, ids, starts),
    )
    return _with_a_token_in_every_row(tokens, tokenizer)


def check_fits(tokens: Tokens, vocabulary: int | None) -> None:
    """Raise `ModelError` for token ids that the model has no embedding for (on a GPU they would end the process)."""
    if vocabulary is not None and len(tokens.flat) and int(tokens.flat.max()) >= vocabulary:
        raise ModelError(
            f"Expected token ids below {vocabulary}, the rows of the model's embedding, found {int(tokens.flat.max())}: "
            "the tokenizer belongs to another model. Pass the one that this model was trained with as `tokenizer=`."
        )


class _Encoded(NamedTuple):
    """Some rows: `lengths` (rows,), `ids` and `types` (tokens,), `truncated` (rows,)."""

    lengths: np.ndarray
    ids: np.ndarray
    types: np.ndarray | None
    truncated: np.ndarray


def _encoded(tokenizer: Any, texts: Texts, *, max_length: int, types: bool) -> Iterator[_Encoded]:
    """The rows chunk by chunk: by the tokenizer's Rust core where a sample comes out as from the tokenizer itself."""
    options: dict[str, Any] = {"truncation": True, "max_length": max_length, "padding": False, "return_attention_mask": False}

    def whole(first: list[str], second: list[str] | None) -> _Encoded:
        encoded = tokenizer(first, second, return_token_type_ids=types, **options)
        rows = encoded["input_ids"]
        lengths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
        kinds = _joined(encoded["token_type_ids"], np.int8) if types else None
        return _Encoded(lengths, _joined(rows, np.int32), kinds, _cut(tokenizer, encoded, lengths, first, second, max_length))

    first, second = texts.take(np.argsort(texts.sizes() > _LONG, kind="stable")[:_SAMPLE_ROWS]).lists()
    sample = whole(first, second)  # leaves the core's truncation and padding as they have to be
    needs_types = types and (second is not None or bool(np.any(sample.types)))
    encode = _core(tokenizer, max_length=max_length, types=needs_types)
    if encode is None or not _equal(encode(first, second), sample):
        encode = whole
    for start, stop in texts.chunks(rows=ROWS_AT_ONCE, size=BYTES_AT_ONCE):
        yield encode(*texts.slice(start, stop).lists())


_Encode = Callable[[list[str], "list[str] | None"], _Encoded]


def _core(tokenizer: Any, *, max_length: int, types: bool) -> _Encode | None:
    """The tokenizer's Rust core alone: no offsets, and no lists of what nobody reads. A quarter faster."""
    encode_batch = getattr(getattr(tokenizer, "backend_tokenizer", None), "encode_batch_fast", None)
    if encode_batch is None:
        return None

    def encode(first: list[str], second: list[str] | None) -> _Encoded:
        encodings = encode_batch(first if second is None else list(zip(first, second, strict=True)))
        rows = [encoding.ids for encoding in encodings]
        lengths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
        truncated = np.zeros(len(rows), dtype=bool)
        full = np.flatnonzero(lengths >= max_length)
        truncated[full] = [len(encodings[i].overflowing) > 0 for i in full]
        kinds = _joined([encoding.type_ids for encoding in encodings], np.int8) if types else None
        return _Encoded(lengths, _joined(rows, np.int32), kinds, truncated)

    return encode


def _equal(found: _Encoded, wanted: _Encoded) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(found, wanted, strict=True) if a is not None and b is not None)


def _joined(rows: list[list[int]], dtype: Any) -> np.ndarray:
    return np.fromiter(itertools.chain.from_iterable(rows), dtype=dtype)


def _cut(
    tokenizer: Any, encoded: Any, lengths: np.ndarray, texts: list[str], pairs: list[str] | None, max_length: int
) -> np.ndarray:
    """(n,) bool: rows that lost tokens. Only rows of full length can have."""
    cut = np.zeros(len(lengths), dtype=bool)
    full = np.flatnonzero(lengths >= max_length)
    encodings = getattr(encoded, "encodings", None)
    if encodings is not None:
        cut[full] = [len(encodings[i].overflowing) > 0 for i in full]
    else:
        for i in full:
            whole = tokenizer(texts[i], None if pairs is None else pairs[i], truncation=False, verbose=False)
            cut[i] = len(whole["input_ids"]) > lengths[i]
    return cut


def _unknown_per_row(tokenizer: Any, flat: np.ndarray, starts: np.ndarray) -> np.ndarray:
    unknown = getattr(tokenizer, "unk_token_id", None)
    shared = {getattr(tokenizer, name, None) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    if unknown is None or unknown in shared:  # GPT-2 writes its end-of-text token for all four
        return np.zeros(len(starts) - 1, dtype=np.int32)
    rows = np.searchsorted(starts, np.flatnonzero(flat == unknown), side="right") - 1
    return np.bincount(rows, minlength=len(starts) - 1).astype(np.int32)


def _with_a_token_in_every_row(tokens: Tokens, tokenizer: Any) -> Tokens:
    """Tokenizers without special tokens make nothing of an empty text; a model needs one token at least."""
    empty = np.flatnonzero(tokens.lengths == 0)
    if not len(empty):
        return tokens
    names = ("bos_token", "eos_token", "cls_token", "pad_token", "unk_token")
    known = ((n, getattr(tokenizer, f"{n}_id", None)) for n in names)
    stand_in, token = next(((n, i) for n, i in known if i is not None), ("token 0", 0))
    at = tokens.starts[empty]
    starts = tokens.starts + np.concatenate([[0], np.cumsum(tokens.lengths == 0)])
    types = None if tokens.types is None else np.insert(tokens.types, at, 0)
    notes = {int(row): f"empty text, read as the tokenizer's {stand_in}" for row in empty}
    return Tokens(np.insert(tokens.flat, at, token), types, starts, tokens.truncated, tokens.unknown, notes)
