"""Label columns that would be read as something else than they were meant: each is refused with code that mends it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence

import pandas as pd

from loss_widget.errors import LabelError

_IN_BRACKETS = re.compile(r"\s*[\[({].*[\])}]\s*", re.DOTALL)
_WITHOUT_COMMAS = re.compile(r"""['"]\s+['"]""")  # ['joy' 'anger'], as NumPy writes arrays
_NUMBERS = re.compile(r"\s*\[\s*-?\d+\.?(\s+-?\d+\.?)*\s*\]\s*")
_ID = re.compile(r"0|[1-9][0-9]*")
_SEPARATORS = (", ", ",", "; ", ";", "|")


def check_label_column(column: pd.Series, label_names: Sequence[object] | None) -> None:
    """`LabelError` for bytes, for lists that were written as text, and for several labels that are joined in one text."""
    if isinstance(column.dtype, pd.CategoricalDtype) or column.dtype.kind not in "O":
        return
    row = next((row for row, value in enumerate(column) if isinstance(value, (bytes, bytearray))), None)
    if row is not None:
        raise LabelError(
            f"Expected labels that are names (str) or ids (int), found {column.iloc[row]!r} (bytes) in column {column.name!r}, "
            f"row {row}. Make text of them by `data[label] = data[label].str.decode('utf-8')`."
        )
    if pd.api.types.infer_dtype(column, skipna=True) not in ("string", "empty"):
        return
    values = [value for value in column.dropna().unique().tolist() if value]
    if label_names is not None and {str(name) for name in label_names}.issuperset(values):
        return
    code = how_to_split(values)
    if code:
        shown = max(values, key=len)
        alone = (
            ""
            if _IN_BRACKETS.fullmatch(shown)
            else " If that is one label, say so by `data[label] = data[label].astype('category')`."
        )
        raise LabelError(
            f"Column {column.name!r} holds several labels a row, written as one text, such as {shown[:60]!r}. Make lists of them "
            f"by `data[label] = {code}` and judge them with a multi-label model.{alone}"
        )


def advice_on_ids(values: Sequence[object], *, missing: bool) -> str:
    """What to say of labels that a model does not know and that are ids, written as text; "" for any others."""
    if not values or not all(isinstance(value, str) and _ID.fullmatch(value) for value in values):
        return ""
    whole = "pd.to_numeric(data[label]).astype('Int64')" if missing else "data[label].astype(int)"
    return f" If these are ids, make numbers of them by `data[label] = {whole}`."


def how_to_split(values: Sequence[str]) -> str:
    """The code that makes lists of `data[label]`, where its `values` are lists that were written as text; else ""."""
    if not values:
        return ""
    column = "data[label].replace('', None)"
    if all(map(_IN_BRACKETS.fullmatch, values)):
        return _how_to_read(values, column)
    for separator in _SEPARATORS:
        joined = [value for value in values if separator in value]
        parts = {part for value in joined for part in value.split(separator)}
        ids = all(map(_ID.fullmatch, parts))
        if joined and "" not in parts and parts <= set(values) and len(joined) >= (1 if ids else 2):
            split = f"{column}.str.split({separator!r})"
            return f"{split}.map(lambda ids: [int(i) for i in ids], na_action='ignore')" if ids else split
    return ""


def _how_to_read(values: Sequence[str], column: str) -> str:
    if all(map(_NUMBERS.fullmatch, values)):
        return f"{column}.str.findall(r'-?\\d+').map(lambda ids: [int(i) for i in ids], na_action='ignore')"
    if any(map(_WITHOUT_COMMAS.search, values)):
        return f"""{column}.str.findall(r"'([^']*)'")"""
    if _all_read(values, ast.literal_eval):
        return f"{column}.map(ast.literal_eval, na_action='ignore')"
    if _all_read(values, json.loads):
        return f"{column}.map(json.loads, na_action='ignore')"
    return f"{column}.str.strip('[](){{}} ').str.split(r'\\s*[,;]\\s*', regex=True)"


def _all_read(values: Sequence[str], read: object) -> bool:
    try:
        return all(isinstance(read(value), (list, tuple, set)) for value in values)  # type: ignore[operator]
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False
