"""JSON lines and lists of dicts as DataFrames, value by value, and back.

A column gets a dtype of numbers, booleans or strings where all its values are of that one kind; else it holds the values as they
are: 1 beside 1.0, lists, objects, integers of any size.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from loss_widget.data.arrow import note, noted
from loss_widget.data.columns import CannotHold
from loss_widget.errors import DataError

_BOM = b"\xef\xbb\xbf"
_ABSENT = object()
_NULL, _NO_KEY, _NAN = 0, 1, 2


def read_lines(data: bytes, *, name: str) -> pd.DataFrame:
    """The frame of a file in UTF-8 with one JSON object a line; `DataError` names the line that is none."""
    bom, text = data.startswith(_BOM), data.removeprefix(_BOM).decode()
    if text.lstrip().startswith("["):
        raise DataError(
            f"Expected a JSON object in each line of {name}, found one array. Read it with "
            "`data = json.loads(pathlib.Path(path).read_bytes())` and pass the list."
        )
    body = text.rstrip("\r\n")
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = [(number, line) for number, line in enumerate(body.split(newline), start=1) if line.strip()]
    rows = [_object(line, number, name) for number, line in lines]
    frame, missing = _frame_and_missing(rows)
    style = _style_of([line for _, line in lines])
    rest = {"newline": newline, "bom": bom, "tail": text[len(body) :], "rows": len(rows), "missing": missing}
    return note(frame, "jsonl", {**style, **rest})


def frame_of_records(rows: Sequence[Mapping[Any, Any]]) -> pd.DataFrame:
    """A DataFrame of dicts, None where a key is not there."""
    return _frame_and_missing(rows)[0]


def write_lines(frame: pd.DataFrame, path: Path, *, row_numbers: np.ndarray | None = None) -> None:
    """One JSON object a row; `CannotHold` names the column of what JSON has no word for. As it came where it came as JSON lines.

    `row_numbers`: (n,) where the rows stood in the file that the frame was read from, where that is known.
    """
    names = [name if isinstance(name, str) else json.loads(json.dumps(str(name))) for name in frame.columns]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise CannotHold(f"several columns named {twice!r}; name them anew by `df.columns = [...]`")
    source = noted(frame, "jsonl") or {}
    if row_numbers is None and source.get("rows") == len(frame):
        row_numbers = np.arange(len(frame))
    columns = [_values(frame.iloc[:, place], name) for place, name in enumerate(names)]
    for name, values in zip(names, columns, strict=True):
        _put_missing(values, source.get("missing", {}).get(name), row_numbers)
    style = {key: bool(source.get(key)) for key in _CHOICES}
    newline = source.get("newline", "\n")
    with open(path, "w", encoding="utf-8-sig" if source.get("bom") else "utf-8", newline="") as file:
        for number, row in enumerate(zip(*columns, strict=True)):
            file.write(newline if number else "")
            file.write(_line({name: value for name, value in zip(names, row, strict=True) if value is not _ABSENT}, style))
        file.write(source.get("tail", "\n") if len(frame) else "")


def _object(line: str, number: int, name: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise DataError(
            f"Expected a JSON object in each line of {name}, which cannot be read as such in line {number}: {error}. Check how "
            "it was written."
        ) from error
    if not isinstance(row, dict):
        raise DataError(
            f"Expected a JSON object in each line of {name}, which cannot be read as such in line {number}: found "
            f"{line.strip()[:40]!r}. Check how it was written."
        )
    return row


def _frame_and_missing(rows: Sequence[Mapping[Any, Any]]) -> tuple[pd.DataFrame, dict[str, str]]:
    """The frame, and by column what stood where it is missing: null (not noted), no key, or NaN."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns, missing = {}, {}
    for name in names:
        values = [row.get(name, _ABSENT) for row in rows]
        if packed := _packed_missing(values):
            missing[name] = packed
        columns[name] = _column([None if value is _ABSENT else value for value in values])
    return pd.DataFrame(columns, index=pd.RangeIndex(len(rows)), columns=names), missing


def _column(values: list[Any]) -> Any:
    kinds = {type(value) for value in values if value is not None}
    whole = None not in values if len(kinds) == 1 and kinds <= {int, bool} else False
    if kinds == {bool}:
        return np.array(values, dtype=bool) if whole else pd.array(values, dtype="boolean")
    if kinds == {int}:
        if all(-(2**63) <= value < 2**63 for value in values if value is not None):
            return np.array(values, dtype=np.int64) if whole else pd.array(values, dtype="Int64")
    elif kinds == {float}:
        return np.array([np.nan if value is None else value for value in values])
    elif kinds == {str}:
        try:
            return pd.Series(values, dtype="str")
        except UnicodeEncodeError:  # a lone surrogate
            pass
    elif not kinds <= {bool, int, float, str, list, dict}:
        return pd.Series(values)  # what Python holds and JSON does not, such as dates: pandas knows them
    return pd.Series([*values, None], dtype=object).iloc[:-1]


def _packed_missing(values: list[Any]) -> str:
    kinds = [
        _NO_KEY if value is _ABSENT else _NULL if value is None else _NAN
        for value in values
        if value is None or value is _ABSENT or value != value
    ]
    places = [i for i, value in enumerate(values) if value is None or value is _ABSENT or value != value]
    if not any(kinds):
        return ""
    marks = np.zeros(len(values), dtype=np.uint8)
    marks[places] = kinds
    return base64.b64encode(zlib.compress(marks.tobytes())).decode()


def _put_missing(values: list[Any], packed: Any, row_numbers: np.ndarray | None) -> None:
    """Where a value is missing, what stood there in the source."""
    if not packed or row_numbers is None:
        return
    marks = np.frombuffer(zlib.decompress(base64.b64decode(packed)), dtype=np.uint8)[row_numbers]
    for row in np.flatnonzero(marks).tolist():
        if values[row] is None:
            values[row] = _ABSENT if marks[row] == _NO_KEY else float("nan")


def _values(column: pd.Series, name: str) -> list[Any]:
    """The values of a column as the json module takes them, None where one is missing."""
    missing = column.isna().to_numpy(dtype=bool)
    values = column.astype(object).tolist() if column.dtype != object else column.tolist()
    if isinstance(column.dtype, pd.StringDtype) or pd.api.types.is_integer_dtype(column.dtype):
        return [None if gone else value for value, gone in zip(values, missing.tolist(), strict=True)]
    return [None if gone else _plain(value, name) for value, gone in zip(values, missing.tolist(), strict=True)]


def _plain(value: Any, name: str) -> Any:
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        if value in (float("inf"), float("-inf")):
            raise CannotHold(f"column {name!r} with infinity, which JSON has no word for; write .csv or .parquet")
        return None if value != value else value
    if isinstance(value, np.generic):
        return _plain(value.item(), name) if not isinstance(value.item(), np.generic) else str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(inner, name) for key, inner in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(inner, name) for inner in value]
    if value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, (timedelta, pd.Period, pd.Interval)):
        return str(value)
    fix = f"df[{name!r}] = df[{name!r}]." + ("str.decode('utf-8')" if isinstance(value, bytes) else "astype(str)")
    raise CannotHold(f"column {name!r} of {type(value).__name__}, which JSON has no word for; convert it by `{fix}`")


def _line(row: dict[str, Any], style: Mapping[str, bool]) -> str:
    separators = (",", ":") if style["compact"] else (", ", ": ")
    line = json.dumps(row, ensure_ascii=style["ascii"], separators=separators)
    return line.replace("/", "\\/") if style["slash"] else line


def _style_of(lines: Sequence[str]) -> dict[str, bool]:
    """How a writer of JSON chose where it has a choice, by the first lines that show it."""
    shown = {key: next(filter(None, map(test, lines)), "") for key, test in _CHOICES.items()}
    return {
        "compact": shown["compact"] == '":',
        "ascii": shown["ascii"].startswith("\\"),
        "slash": shown["slash"].count("\\") % 2 == 1,
    }


def _found(pattern: str) -> Callable[[str], str]:
    compiled = re.compile(pattern)
    return lambda line: found.group() if (found := compiled.search(line)) else ""


_CHOICES = {"compact": _found('": ?'), "ascii": _found(r"\\u(?!00[01][0-9a-fA-F])|[^\x00-\x7f]"), "slash": _found(r"(?<!\\)\\*/")}
