"""Values of the caller's further columns, as they were when the review was opened."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from loss_widget.data.columns import column_position
from loss_widget.errors import InputError

_MOST_CHARACTERS = 500


class Columns:
    """Values of some columns of `frame` as they were when the review was opened; pages are read from other threads than pandas'.

    `ColumnError` for a name that the frame does not have once.
    """

    def __init__(self, frame: pd.DataFrame, names: Sequence[str]) -> None:
        if isinstance(names, str):
            raise InputError(f"Expected columns as a list of names, found {names!r}. Write `columns=[{names!r}]`.")
        self.names = tuple(names)
        self._values = [_copied(frame.iloc[:, column_position(frame, name, argument="`columns=`")]) for name in self.names]

    def values_of(self, rows: np.ndarray) -> list[tuple[str, ...]]:
        """For each row one text a column, "" where the value is missing, at most 500 characters."""
        if not self.names:
            return [()] * len(rows)
        shown = [[_as_text(value) for value in _at(values, rows)] for values in self._values]
        return list(zip(*shown, strict=True))


def _copied(column: pd.Series) -> pa.ChunkedArray | np.ndarray:
    """Strings and numbers as Arrow holds them, anything else as objects."""
    try:
        values = pa.array(column, from_pandas=True)
    except (pa.ArrowException, UnicodeEncodeError, ValueError, TypeError, OverflowError):
        return np.array([*column, None], dtype=object)[:-1]
    return values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values])


def _at(values: pa.ChunkedArray | np.ndarray, rows: np.ndarray) -> list[object]:
    if isinstance(values, np.ndarray):
        return [values[row] for row in rows.tolist()]
    return [values[row].as_py() for row in rows.tolist()]


def _as_text(value: object) -> str:
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value):
        return ""
    text = f"{value:.6g}" if isinstance(value, float) and not (value.is_integer() and abs(value) < 1e15) else str(value)
    text = text.removesuffix(".0") if isinstance(value, float) else text
    return text[:_MOST_CHARACTERS].encode("utf-8", "replace").decode("utf-8")
