"""Texts as ragged token ids, and the length-sorted, token-budget batches they are read in."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from loss_widget.errors import InputError, ModelError

ROWS_AT_ONCE = 4_096
Texts = Any
"""A sequence of texts: a list, or an Arrow array."""


@dataclass(frozen=True)
class Tokens:
    """Token ids of n rows without padding: those of row i are `flat[starts[i]:starts[i + 1]]`.

    `flat` int32 (total,); `types` int8 (total,) or None: segment ids of models that take them; `starts` int64 (n + 1,);
    `truncated` bool (n,); `unknown` int32 (n,): unknown tokens a row; `notes`: what was odd about a row, in words.
    """

    flat: np.ndarray
    types: np.ndarray | None
    starts: np.ndarray
    truncated: np.ndarray
    unknown: np.ndarray
    notes: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> np.ndarray:
        """(n,) int64, tokens a row."""
        return np.diff(self.starts)

    def digest(self) -> str:
        """SHA-256 of what the model will read: texts, tokenizer and truncation all show in it."""
        digest = hashlib.sha256()
        for array in (self.starts, self.flat, self.types):
            if array is not None:
                digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


@dataclass(frozen=True)
class Padding:
    """How rows are filled up to the longest of their batch.

    `token_id` None: this model knows no padding token, so that any id that does not occur in the batch will do.
    """

    token_id: int | None
    type_id: int = 0
    left: bool = False


def tokenize(tokenizer: Any, texts: Texts, pair_texts: Texts | None, *, max_length: int, types: bool) -> Tokens:
    """All rows through the tokenizer in batches of 4,096, truncated at `max_length` tokens, never padded.

    None becomes "", other objects their `str`, lone surrogates "?". `types`: keep the segment ids.
    """
    flat: list[np.ndarray] = []
    type_ids: list[np.ndarray] = []
    lengths: list[np.ndarray] = []
    truncated: list[np.ndarray] = []
    for chunk, pairs in _chunks(texts, pair_texts):
        encoded = tokenizer(
            chunk,
            pairs,
            truncation=True,
            max_length=max_length,
            padding=False,
            return_attention_mask=False,
            return_token_type_ids=types,
        )
        ids = encoded["input_ids"]
        lengths.append(np.fromiter(map(len, ids), dtype=np.int64, count=len(ids)))
        flat.append(_joined(ids, np.int32))
        if types:
            type_ids.append(_joined(encoded["token_type_ids"], np.int8))
        truncated.append(_cut(tokenizer, encoded, lengths[-1], chunk, pairs, max_length))
    starts = np.concatenate([[0], np.cumsum(np.concatenate(lengths))]).astype(np.int64)
    tokens = Tokens(
        np.concatenate(flat),
        np.concatenate(type_ids) if types else None,
        starts,
        np.concatenate(truncated),
        _unknown_per_row(tokenizer, np.concatenate(flat), starts),
    )
    return _with_a_token_in_every_row(tokens, tokenizer)


def by_length(lengths: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """`rows`, longest first, equal lengths in the order given: padding is least and memory runs out early or never."""
    return rows[np.argsort(-lengths[rows], kind="stable")]


def batch_at(position: int, order: np.ndarray, lengths: np.ndarray, *, token_budget: int, equal: bool = False) -> np.ndarray:
    """The rows of the batch that starts at `position` of `order`: as many as fit `token_budget` tokens with their padding.

    `equal`: only rows as long as the first, so that there is no padding.

    >>> batch_at(0, np.array([2, 0, 1]), np.array([5, 3, 9]), token_budget=18).tolist()
    [2, 0]
    """
    longest = int(lengths[order[position]])
    rows = order[position : position + max(1, token_budget // max(1, longest))]
    return rows[lengths[rows] == longest] if equal else rows


def padded(tokens: Tokens, rows: np.ndarray, padding: Padding) -> dict[str, np.ndarray]:
    """`input_ids`, `attention_mask` and, where kept, `token_type_ids` of some rows: int64 (batch, longest)."""
    lengths = tokens.lengths[rows]
    columns = np.arange(lengths.max())[None, :]
    longest = lengths.max()
    real = columns >= (longest - lengths)[:, None] if padding.left else columns < lengths[:, None]  # (batch, longest)
    pieces = [slice(tokens.starts[row], tokens.starts[row + 1]) for row in rows]
    ids = np.concatenate([tokens.flat[piece] for piece in pieces])
    fill = padding.token_id if padding.token_id is not None else absent_id(ids)
    batch = {"input_ids": np.full(real.shape, fill, dtype=np.int64), "attention_mask": real.astype(np.int64)}
    batch["input_ids"][real] = ids
    if tokens.types is not None:
        batch["token_type_ids"] = np.full(real.shape, padding.type_id, dtype=np.int64)
        batch["token_type_ids"][real] = np.concatenate([tokens.types[piece] for piece in pieces])
    return batch


def absent_id(ids: np.ndarray) -> int:
    """The smallest token id that does not occur in `ids`.

    >>> absent_id(np.array([0, 1, 3]))
    2
    """
    seen = np.unique(ids)
    gaps = np.flatnonzero(seen != np.arange(len(seen)))
    return int(gaps[0]) if len(gaps) else len(seen)


def check_fits(tokens: Tokens, vocabulary: int | None) -> None:
    """Raise `ModelError` for token ids that the model has no embedding for (on a GPU they would end the process)."""
    if vocabulary is not None and len(tokens.flat) and int(tokens.flat.max()) >= vocabulary:
        raise ModelError(
            f"Expected token ids below {vocabulary}, the rows of the model's embedding, found {int(tokens.flat.max())}: "
            "the tokenizer belongs to another model. Pass the one that this model was trained with as `tokenizer=`."
        )


def _chunks(texts: Texts, pair_texts: Texts | None) -> Iterator[tuple[list[str], list[str] | None]]:
    if isinstance(texts, (str, bytes)):
        raise InputError("Expected a list of texts, found one text. Put it in a list: `[text]`.")
    texts, pair_texts = _by_position(texts), _by_position(pair_texts)
    if not len(texts):
        raise InputError("Expected at least one text, found none.")
    if pair_texts is not None and len(pair_texts) != len(texts):
        raise InputError(f"Expected as many second texts as first ones ({len(texts)}), found {len(pair_texts)}.")
    for start in range(0, len(texts), ROWS_AT_ONCE):
        end = min(start + ROWS_AT_ONCE, len(texts))
        yield _strings(texts, start, end), None if pair_texts is None else _strings(pair_texts, start, end)


def _by_position(texts: Texts | None) -> Texts | None:
    """A pandas Series counts by its index, so that anything but a list and Arrow is made a list."""
    return texts if texts is None or isinstance(texts, (list, tuple, pa.ChunkedArray, pa.Array)) else list(texts)


def _strings(texts: Texts, start: int, end: int) -> list[str]:
    if isinstance(texts, (pa.ChunkedArray, pa.Array)):
        return [value or "" for value in texts.slice(start, end - start).to_pylist()]
    return [_string(texts[i]) for i in range(start, end)]


def _string(value: Any) -> str:
    if value is None or (isinstance(value, float) and value != value):
        return ""
    text = value if isinstance(value, str) else str(value)
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


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
    seen = np.concatenate([[0], np.cumsum(flat == unknown)])
    counts: np.ndarray = seen[starts[1:]] - seen[starts[:-1]]
    return counts.astype(np.int32)


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
