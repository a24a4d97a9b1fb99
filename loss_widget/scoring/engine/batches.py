"""The length-sorted, token-budget batches that tokens are read in, and how they are padded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loss_widget.scoring.engine.tokens import Tokens


@dataclass(frozen=True)
class Padding:
    """How rows are filled up to the longest of their batch.

    `token_id` None: this model knows no padding token, so that any id that does not occur in the batch will do.
    """

    token_id: int | None
    type_id: int = 0
    left: bool = False


def by_length(lengths: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """`rows`, longest first, equal lengths in the order given: padding is least and memory runs out early or never."""
    return rows[np.argsort(-lengths[rows], kind="stable")]


def first_batch(order: np.ndarray, lengths: np.ndarray, *, token_budget: int, equal: bool = False) -> np.ndarray:
    """The first rows of `order`, longest first: as many as fit `token_budget` tokens with their padding.

    `equal`: only rows as long as the first, so that there is no padding.

    >>> first_batch(np.array([2, 0, 1]), np.array([5, 3, 9]), token_budget=18).tolist()
    [2, 0]
    """
    longest = int(lengths[order[0]])
    rows = order[: max(1, token_budget // max(1, longest))]
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
