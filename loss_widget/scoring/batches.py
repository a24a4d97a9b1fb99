"""Texts as ragged token ids, and the length-sorted, token-budget batches they are read in."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from loss_widget.errors import ModelError
from loss_widget.scoring.texts import Texts

ROWS_AT_ONCE = 4_096


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


@dataclass(frozen=True)
class Padding:
    """How rows are filled up to the longest of their batch.

    `token_id` None: this model knows no padding token, so that any id that does not occur in the batch will do.
    """

    token_id: int | None
    type_id: int = 0
    left: bool = False


def tokenize(tokenizer: Any, texts: Texts, *, max_length: int, types: bool) -> Tokens:
    """All rows through the tokenizer in batches of 4,096, truncated at `max_length` tokens, never padded.

    `types`: keep the segment ids.
    """
    flat: list[np.ndarray] = []
    type_ids: list[np.ndarray] = []
    lengths: list[np.ndarray] = []
    truncated: list[np.ndarray] = []
    for start in range(0, len(texts), ROWS_AT_ONCE):
        chunk, pairs = texts.slice(start, min(start + ROWS_AT_ONCE, len(texts))).lists()
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
    ids_of_all = np.concatenate(flat)
    tokens = Tokens(
        ids_of_all,
        np.concatenate(type_ids) if types else None,
        starts,
        np.concatenate(truncated),
        _unknown_per_row(tokenizer, ids_of_all, starts),
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
    ids, types = tokens.ids_of(rows), tokens.types_of(rows)
    fill = padding.token_id if padding.token_id is not None else absent_id(ids)
    batch = {"input_ids": np.full(real.shape, fill, dtype=np.int64), "attention_mask": real.astype(np.int64)}
    batch["input_ids"][real] = ids
    if types is not None:
        batch["token_type_ids"] = np.full(real.shape, padding.type_id, dtype=np.int64)
        batch["token_type_ids"][real] = types
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
