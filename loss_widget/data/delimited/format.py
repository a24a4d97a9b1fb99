"""How a delimited file is written: its delimiter, line ends and quotes; and cells written in that way."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from loss_widget.data.columns import CannotHold, array_of

_ALL = "all"
_AT_ONCE = 16_384  # rows that are written at once
_MISSING, _NO_DELIMITER, _NO_QUOTE = "\x03", "\x01", "\x02"


@dataclass(frozen=True)
class Format:
    """What a file of the same values can differ in.

    `sep_line`: Excel's line before the header that tells the delimiter. `quotes`: whether double quotes are quotes, else they are
    characters like any other. `tail`: the line ends after the last row. `quoted`: of a file of `rows` rows that was read, by
    column the cells that stand in quotes without need or without quotes in spite of one within: "all" in quotes, or a packed
    bitmap, the header's cell first. None: no file was read.
    """

    suffix: str = ".csv"
    delimiter: str = ","
    newline: str = "\n"
    quotes: bool = True
    bom: bool = False
    sep_line: str = ""
    tail: str = "\n"
    rows: int = 0
    quoted: Mapping[str, str] | None = None

    def as_note(self) -> dict[str, Any]:
        """As plain values, for `DataFrame.attrs`."""
        return asdict(self)

    @classmethod
    def of_note(cls, note: Any, *, suffix: str | None = None) -> Format | None:
        """The format noted of a file (of this suffix); None where there is none, or nothing that was written by `as_note`."""
        if not isinstance(note, Mapping) or set(note) != set(cls.__dataclass_fields__) or suffix not in (None, note["suffix"]):
            return None
        return cls(**note)


def write_cells(
    header: Sequence[str],
    columns: Sequence[pa.Array],
    path: Path,
    form: Format,
    *,
    row_numbers: np.ndarray | None = None,
) -> None:
    """Write a header and columns of strings to `path`, "" for null; a column that holds both "" and null has the "" in quotes.

    `row_numbers`: (n,) where the rows stood in the file whose format this is, where that is known.
    """
    rows = len(columns[0]) if columns else 0
    form = _able(header, columns, form)
    masks: list[np.ndarray | str | None] = [None] * len(header)
    if form.quoted is None:
        masks = [_empty(column) if column.null_count else None for column in columns]
    elif row_numbers is not None or rows == form.rows:
        places = np.arange(rows) if row_numbers is None else row_numbers
        masks = [_unpacked(form.quoted.get(name, ""), places, form.rows) for name in header]
    columns = [pc.fill_null(column, "") for column in columns]
    if form.quotes and header and masks[0] is None and re.match("\ufeff|sep=", header[0], re.IGNORECASE):
        masks[0] = np.arange(rows + 1) == 0  # else the file would begin with what is no cell
    newline, bom = form.newline.encode(), b"\xef\xbb\xbf" if form.bom else b""
    with open(path, "wb") as file:
        file.write(bom + form.sep_line.encode())
        top = [pa.array([name], pa.large_string()) for name in header]
        file.write(_lines(top, [_part(mask, 0, 1) for mask in masks], form).encode())
        for start in range(0, rows, _AT_ONCE):
            part = [column.slice(start, _AT_ONCE) for column in columns]
            odd = [_part(mask, 1 + start, 1 + start + _AT_ONCE) for mask in masks]
            file.write(newline + _lines(part, odd, form).encode())
        file.write(form.tail.encode())


def cells_of(column: pd.Series, name: str) -> pa.Array:
    """A column as the strings that stand for its values in a delimited file, null where a value is missing.

    `CannotHold` for lists, bytes and other values whose text does not say what they are.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        categories = cells_of(pd.Series(column.cat.categories), name)
        codes = pa.array(column.cat.codes.to_numpy(), mask=(column.cat.codes == -1).to_numpy())
        return categories.take(codes.cast(pa.int64()))
    if isinstance(column.dtype, pd.ArrowDtype) and _is_unwritable(column.dtype.pyarrow_dtype):
        raise CannotHold(_no_text(name, column.dtype.pyarrow_dtype, column.dropna().iloc[0] if column.notna().any() else None))
    if column.dtype == object or isinstance(column.dtype, pd.StringDtype) or _is_arrow_text(column.dtype):
        return array_of(_texts(column, name), name, pa.large_string())
    written = column.to_csv(
        None, index=False, header=False, sep=_NO_DELIMITER, quotechar=_NO_QUOTE, na_rep=_MISSING, lineterminator="\n"
    )
    cells = pa.array(written.split("\n")[:-1], pa.large_string())
    return pc.if_else(pc.equal(cells, _MISSING), None, cells) if column.isna().any() else cells


def packed_quotes(quoted: np.ndarray, columns: Sequence[pa.ChunkedArray], form: Format) -> dict[str, str]:
    """`Format.quoted` of `columns`, their names as first cells; `quoted`: (n, columns) bool, the cells that stand in quotes."""
    packed = {}
    for j, column in enumerate(columns):
        odd = quoted[:, j] ^ _matches(column, f'[{re.escape(form.delimiter)}"\r\n]')
        if odd.any():
            bits = base64.b64encode(zlib.compress(np.packbits(odd).tobytes())).decode()
            packed[column[0].as_py()] = _ALL if quoted[:, j].all() else bits
    return packed


def _unpacked(packed: str, row_numbers: np.ndarray, rows: int) -> np.ndarray | str | None:
    """(n + 1,) bool, the cells of these rows that are against the rule, the header first; "all", or None for none."""
    if packed in ("", _ALL):
        return packed or None
    bits = np.frombuffer(zlib.decompress(base64.b64decode(packed)), dtype=np.uint8)
    return np.unpackbits(bits, count=rows + 1).astype(bool)[np.append(0, row_numbers + 1)]


def _lines(columns: Sequence[pa.Array], odd: Sequence[np.ndarray | str | None], form: Format) -> str:
    written = [_quoted(cells, mask, form, alone=len(columns) == 1) for cells, mask in zip(columns, odd, strict=True)]
    lines = pc.binary_join_element_wise(*written, _text(form.delimiter)) if len(written) > 1 else written[0]
    return form.newline.join(lines.to_pylist())


def _quoted(cells: pa.Array, odd: np.ndarray | str | None, form: Format, *, alone: bool) -> pa.Array:
    if not form.quotes:
        return cells
    delimiter = re.escape(form.delimiter)
    mask = _matches(cells, f'[{delimiter}"\r\n]')
    if isinstance(odd, str):
        mask[:] = True
    elif odd is not None:
        mask = (mask ^ odd) | _matches(cells, f'[{delimiter}\r\n]|^"')
    if alone:  # a line without anything is no row
        mask = mask | pc.equal(cells, "").to_numpy(zero_copy_only=False)
    if not mask.any():
        return cells
    quote = _text('"')
    in_quotes = pc.binary_join_element_wise(quote, pc.replace_substring(cells, '"', '""'), quote, _text(""))
    return pc.if_else(pa.array(mask), in_quotes, cells)


def _text(value: str) -> pa.Scalar:
    return pa.scalar(value, pa.large_string())


def _able(header: Sequence[str], columns: Sequence[pa.Array], form: Format) -> Format:
    """The format, with quotes where cells cannot be written without."""
    names = pa.array(header, pa.large_string())
    if not form.quotes:
        pattern = f"[{re.escape(form.delimiter)}\r\n]"
        if any(pc.any(pc.match_substring_regex(cells, pattern)).as_py() for cells in (names, *columns)):
            return Format(form.suffix, form.delimiter, form.newline, bom=form.bom, tail=form.tail, quoted={})
    elif form.quoted is None:  # texts of several lines that look like rows shall not be taken for them
        rowlike = f"[^\r\n]*{re.escape(form.delimiter)}[^\r\n]*[\r\n]|[\r\n][^\r\n]*{re.escape(form.delimiter)}"
        if any(pc.any(pc.match_substring_regex(cells, rowlike)).as_py() for cells in columns):
            return replace(form, quoted=dict.fromkeys(header, _ALL), rows=len(columns[0]))
    return form


def _empty(column: pa.Array) -> np.ndarray | None:
    """(n + 1,) bool: the cells that are "", the header's first."""
    hits = pc.fill_null(pc.equal(column, ""), False).to_numpy(zero_copy_only=False)
    return np.concatenate([[False], hits]) if hits.any() else None


def _part(mask: np.ndarray | str | None, start: int, stop: int) -> np.ndarray | str | None:
    return mask[start:stop] if isinstance(mask, np.ndarray) else mask


def _matches(cells: pa.Array | pa.ChunkedArray, pattern: str) -> np.ndarray:
    """(n,) bool"""
    hits: np.ndarray = pc.match_substring_regex(cells, pattern).to_numpy(zero_copy_only=False).astype(bool)
    return hits


def _texts(column: pd.Series, name: str) -> list[str | None] | pd.Series:
    if pd.api.types.infer_dtype(column, skipna=True) in ("string", "empty"):
        return column
    return list(_each_text(column, name))


def _each_text(column: pd.Series, name: str) -> Iterator[str | None]:
    for value in column:
        if isinstance(value, str):
            yield value
        elif isinstance(value, (bytes, bytearray)) or not pd.api.types.is_scalar(value):
            raise CannotHold(_no_text(name, type(value).__name__, value))
        else:
            yield None if pd.isna(value) else str(value)


def _is_arrow_text(dtype: Any) -> bool:
    kind = dtype.pyarrow_dtype if isinstance(dtype, pd.ArrowDtype) else pa.null()
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_unwritable(kind: pa.DataType) -> bool:
    return bool(pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _no_text(name: str, kind: object, value: Any) -> str:
    """What to say of a column of lists, bytes or objects, with a way to make text of them."""
    if isinstance(value, (bytes, bytearray)):
        remedy = f"df[{name!r}] = df[{name!r}].str.decode('utf-8')"
    elif isinstance(value, (list, tuple)) and all(isinstance(part, str) for part in value):
        remedy = f"df[{name!r}] = df[{name!r}].str.join(', ')"
    else:
        remedy = f"df[{name!r}] = df[{name!r}].astype(str)"
    return f"column {name!r} of {kind}, which would come back as text; write .jsonl or .parquet, or make text of it by `{remedy}`"
