"""Probabilities from elsewhere: checked, with errors that name the likely cause, and made log-probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from loss_widget.data.losses import SMALLEST
from loss_widget.errors import ProbabilityError, listing

TOLERANCE = 1e-3
"""How far the probabilities of a row may be from summing to 1."""

_COLUMN_TOLERANCE = 0.01  # sums over a whole batch of numbers that a file may have rounded


def log_probs_of(array: np.ndarray, *, rows: int, labels: int | None) -> np.ndarray:
    """(n, n_labels) float32 log-probabilities of an array of probabilities, or `ProbabilityError` with the likely cause."""
    if len(array) != rows:
        raise ProbabilityError(f"Expected probabilities for {rows} rows, found {len(array)}. Pass one row for each example.")
    if labels is not None and array.shape[1] != labels:
        raise ProbabilityError(
            f"Expected {labels} probabilities a row, one for each label, found {array.shape[1]}. Check `label_names`."
        )
    bad = ~np.isfinite(array).all(axis=1)
    if bad.any():
        raise ProbabilityError(
            f"Expected finite probabilities, found {int(bad.sum())} rows with NaN or infinity, "
            f"the first is row {int(bad.argmax())}. Drop those rows or score them again."
        )
    sums = array.sum(axis=1)
    negative = np.asarray((array < -TOLERANCE).any(axis=1))
    if negative.any() and (np.abs(sums - 1) <= TOLERANCE).all():
        row, column = np.argwhere(array < -TOLERANCE)[0].tolist()
        raise ProbabilityError(
            f"Expected probabilities of 0 or more, found {int(negative.sum())} of {rows} rows with a negative one; row {row} "
            f"holds {array[row, column]:.4g} in column {column}. The rows do sum to 1: clip them at 0 and divide by the "
            "new sums, or apply a softmax over the last axis if they are logits."
        )
    off = (np.abs(sums - 1) > TOLERANCE) | negative
    if off.any():
        row = int(off.argmax())
        said = f"sums to {sums[row]:.4g}" + (f" and goes down to {array[row].min():.4g}" if negative[row] else "")
        raise ProbabilityError(
            f"Expected the probabilities of each row to be 0 or more and to sum to 1, found {int(off.sum())} of {rows} rows that "
            f"do not; row {row} {said}. {_likely_cause(array)}"
        )
    return np.log(np.maximum(array, SMALLEST)).astype(np.float32)


def as_matrix(probs: Any) -> np.ndarray:
    """(n, n_labels) float64 of an array, a tensor, or a column of lists; `ProbabilityError` for any other shape."""
    values = probs.detach().cpu() if hasattr(probs, "detach") else probs  # a torch tensor, also one that requires grad
    try:
        values = _stacked(values)
        if np.iscomplexobj(values):
            raise TypeError("the numbers are complex")
        matrix = values.astype(np.float64, copy=False)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise ProbabilityError(
            f"Expected probabilities as an array of numbers (rows, labels), found {type(probs).__name__} that cannot be read as "
            f"one: {error}. Pass `np.asarray(probs, dtype=float)`."
        ) from error
    if matrix.ndim == 1 or (matrix.ndim == 2 and matrix.shape[1] == 1):
        raise ProbabilityError(
            f"Expected probabilities of shape (rows, labels), found shape {matrix.shape}, one number a row. If it is that of the "
            "second label, pass both: `probs = np.column_stack([1 - np.ravel(probs), np.ravel(probs)])`."
        )
    if matrix.ndim != 2:
        raise ProbabilityError(f"Expected probabilities of shape (rows, labels), found shape {matrix.shape}.")
    return matrix


def by_index(probs: Any, index: pd.Index) -> Any:
    """Probabilities in a DataFrame or a Series, with their rows in the order of `index`; `ProbabilityError` where that is not
    clear. Everything else is handed back as it is: it goes by position."""
    if not isinstance(probs, (pd.DataFrame, pd.Series)) or probs.index.equals(index):
        return probs
    by_position = "pass `probs.to_numpy()` if they stand in the order of the data"
    if len(probs) != len(index):
        return probs  # refused by the number of rows
    if not (probs.index.is_unique and index.is_unique) or len(probs.index.difference(index)):
        raise ProbabilityError(
            f"Expected probabilities with the index of the data, found another one ({_some(probs.index)}; the data has "
            f"{_some(index)}). Set it, or {by_position}."
        )
    if isinstance(probs.index, pd.RangeIndex):  # it may be that nobody chose it
        raise ProbabilityError(
            f"Expected probabilities whose index says which row they belong to, found 0, 1, 2, … beside data in another order "
            f"({_some(index)}). Pass `probs.loc[frame.index]` if they belong to each other by index, or {by_position}."
        )
    return probs.loc[index]


def _some(index: pd.Index) -> str:
    return listing(index[:3], most=3) + (", …" if len(index) > 3 else "")


def by_name(probs: Any, label_names: Sequence[str] | None) -> tuple[Any, Sequence[str] | None]:
    """A frame of probabilities with its columns in the order of `label_names`, which it names itself where there are none.

    What `pipeline(..., top_k=None)` returns, a list of {label, score} for each row, has names, too. Columns that are not all
    strings say nothing about labels; everything else is handed back as it is.
    """
    probs = _from_pipeline(probs)
    columns = list(getattr(probs, "columns", ()))
    if not columns or not all(isinstance(column, str) for column in columns):
        return probs, label_names
    names = columns if label_names is None else [str(name) for name in label_names]
    if len(set(columns)) < len(columns) or set(columns) != set(names):
        raise ProbabilityError(
            f"Expected one column of probabilities for each label, named {listing(names)}, found {listing(columns)}. Rename the "
            "columns, or pass `probs.to_numpy()` if they stand in the order of `label_names`."
        )
    return probs[names], label_names if label_names is not None else names


def _from_pipeline(probs: Any) -> Any:
    """Lists of {label, score} as a frame with a column for each label."""
    rows = list(probs) if isinstance(probs, (list, tuple, pd.Series)) else []

    def is_said(row: Any) -> bool:
        return (
            isinstance(row, (list, tuple))
            and len(row) > 0
            and all(isinstance(s, Mapping) and {"label", "score"} <= s.keys() for s in row)
        )

    if not rows or not all(map(is_said, rows)):
        return probs
    said = pd.DataFrame([{str(s["label"]): s["score"] for s in row} for row in rows])
    if said.isna().to_numpy().any():
        raise ProbabilityError(
            "Expected a score for every label in every row, found rows that lack some. Call the pipeline with `top_k=None`."
        )
    return said


def _stacked(probs: Any) -> np.ndarray:
    values = probs.to_numpy() if hasattr(probs, "to_numpy") else probs
    if hasattr(values, "__array__") and not isinstance(values, np.ndarray):
        values = np.asarray(values)
    if isinstance(values, np.ndarray) and values.dtype != object:
        return values
    if isinstance(values, np.ndarray) and values.ndim == 2:
        return values.astype(np.float64)
    widths = {len(row) if hasattr(row, "__len__") else 0 for row in values}
    if len(widths) > 1 or 0 in widths:
        raise ProbabilityError(
            f"Expected one list of probabilities a row, all of one length, found the lengths {sorted(widths)[:5]}."
        )
    return np.array([np.asarray(row, dtype=np.float64) for row in values])


def _likely_cause(array: np.ndarray) -> str:
    if (array >= 0).all() and array.max() <= 1 + TOLERANCE and (whole := _columns_sum_to_one(array)):
        return (
            f"Each column sums to {whole}: the softmax was taken over the batch (axis 0), not over the labels. "
            "Take it over the last axis: `softmax(logits, dim=-1)`."
        )
    if (array <= TOLERANCE).all() and np.abs(np.exp(array).sum(axis=1) - 1).max() < TOLERANCE * 10:
        return "They are log-probabilities: pass `np.exp(probs)`."
    if (array < 0).any() or (array > 1 + TOLERANCE).any():
        if (array >= 0).all() and np.abs(array.sum(axis=1) - 100).max() < 1:
            return "They are percentages: pass `probs / 100`."
        return "They look like logits: apply a softmax over the last axis first."
    return (
        "They look like independent (multi-label) probabilities, a softmax over the wrong axis, or a label is missing; rows must "
        "be whole distributions."
    )


def _columns_sum_to_one(array: np.ndarray) -> str:
    """Where the columns sum to 1, in words: over batches of so many rows, the last one short or cut off; "" for nowhere.

    Rows that were sorted since keep only the sum over all batches, a whole number.
    """
    so_far = array.cumsum(axis=0)
    ends = np.flatnonzero(np.abs(so_far - 1).max(axis=1) < _COLUMN_TOLERANCE)
    off, size = min(((_off_in_batches(array, size), size) for size in (ends + 1).tolist()), default=(np.inf, 0))
    if off < _COLUMN_TOLERANCE:
        return "1" if size == len(array) else f"1 in every {size} rows"
    batches = np.rint(so_far[-1].mean())
    off = float(np.abs(so_far[-1] - batches).max())
    return f"{batches:.0f}" if batches >= 1 and off < max(TOLERANCE * batches, _COLUMN_TOLERANCE) else ""


def _off_in_batches(array: np.ndarray, size: int) -> float:
    """How far from 1 a column sums in batches of `size` rows, at most; the short batch at the end may have been cut off."""
    full = len(array) // size * size
    sums = array[:full].reshape(-1, size, array.shape[1]).sum(axis=1)  # (batches, labels)
    return float(np.abs(sums - 1).max())
