"""Columns of text that are numbers: read as numbers only where those say the same, digit for digit."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from loss_widget.data.arrow import noted

_INTEGER = r"^(0|-?[1-9][0-9]{0,18})?$"
_DECIMAL = r"^(-?[0-9]+\.[0-9]+(e[+-][0-9]+)?|-?[1-9]e[+-][0-9]+)?$"
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_FIRST = 100  # rows that tell whether a column may be one of numbers


def column_of_cells(cells: pa.ChunkedArray) -> pd.Series:
    """Cells of a delimited file as numbers where every one is written as Python writes that number, "" for none; else as text.

    >>> column_of_cells(pa.chunked_array([["7", "", "12"]])).tolist()
    [7, <NA>, 12]
    >>> column_of_cells(pa.chunked_array([["07", "12"]])).tolist(), column_of_cells(pa.chunked_array([["1.50"]])).tolist()
    (['07', '12'], ['1.50'])
    """
    empty = pc.equal(cells, "")
    if not pc.all(empty).as_py():
        values = pc.if_else(empty, None, cells)
        if _all_match(cells, _INTEGER):
            try:
                whole = values.cast(pa.int64())
            except pa.ArrowInvalid:  # beyond 64 bits
                return cells.to_pandas()
            return pd.Series(pd.Int64Dtype().__from_arrow__(whole)) if values.null_count else whole.to_pandas()
        if _all_match(cells, _DECIMAL):
            numbers = values.cast(pa.float64()).to_pandas()
            written = pd.Series(np.where(numbers.isna(), "", numbers.to_numpy().astype(str)))
            if (written.to_numpy() == cells.to_pandas().to_numpy()).all():
                return numbers
    return cells.to_pandas()


def numeric_names(frame: pd.DataFrame) -> list[Any]:
    """The columns to sort by number, each the only one of its name: numbers, and of a frame that was read from text or JSON also
    those whose first values say nothing but numbers."""
    textual = noted(frame, "delimited") is not None or noted(frame, "jsonl") is not None
    names: list[Any] = frame.columns.tolist()
    once = Counter(names)
    return [
        name
        for place, (name, dtype) in enumerate(zip(names, frame.dtypes, strict=True))
        if once[name] == 1
        and (_is_numeric(dtype) or (textual and _is_textual(dtype) and numbers_of(frame.iloc[:_FIRST, place]) is not None))
    ]


def numbers_of(column: pd.Series) -> np.ndarray | None:
    """(n,) float64 of a column of numbers, or of values that say nothing but numbers; NaN where missing. Else None."""
    if _is_numeric(column.dtype):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    if not _is_textual(column.dtype):
        return None
    values = [None if value == "" else value for value in column.dropna()]
    if all(value is None for value in values) or not all(map(_is_number, values)):
        return None
    numbers = np.full(len(column), np.nan)
    numbers[column.notna().to_numpy()] = [np.nan if value is None else float(value) for value in values]
    return numbers


def _is_numeric(dtype: Any) -> bool:
    return dtype.kind == "m" or (bool(pd.api.types.is_numeric_dtype(dtype)) and dtype.kind not in "bc")


def _is_textual(dtype: Any) -> bool:
    return isinstance(dtype, pd.StringDtype) or (isinstance(dtype, np.dtype) and dtype.kind == "O")


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        return _NUMBER.fullmatch(value) is not None
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))


def _all_match(cells: pa.ChunkedArray, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(cells, pattern)).as_py())
