"""Delimited text (.csv, .tsv): every cell exactly as it stands in the file, and how the file was written.

Nothing is guessed about values. What is guessed about the format (the delimiter, whether double quotes are quotes) is only
believed where every line of the file agrees with it; else `DataError` names the line that does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.csv

from loss_widget.data.delimited.format import Format, packed_quotes
from loss_widget.data.delimited.shape import Shape
from loss_widget.errors import DataError, listing

_BOM = b"\xef\xbb\xbf"
_SEP_LINE = re.compile(rb'"?sep=(.)"?\r?\n', re.IGNORECASE)
_DELIMITERS = (",", ";", "\t", "|")
_BLOCK = 2**31 - 2**16  # bytes that Arrow takes at once: no record is longer


@dataclass(frozen=True)
class Delimited:
    """A file's header, its columns as Arrow strings without nulls, its format, and what to tell of it."""

    header: list[str]
    columns: list[pa.ChunkedArray]
    format: Format
    warning: str = ""


class _Problem(Exception):
    """What speaks against a format, in words."""


@dataclass(frozen=True)
class _Record:
    """One record of a file: its fields, which of them stood in quotes, the text it was read from, and its first line."""

    fields: list[str]
    quoted: list[bool]
    raw: str
    line: int


def parse(data: bytes, *, name: str, suffix: str) -> Delimited:
    """The cells of a file in UTF-8, one row a record; `DataError` where its lines do not agree. `name`: what errors call it."""
    bom, data = data.startswith(_BOM), data.removeprefix(_BOM)
    own = "\t" if suffix == ".tsv" else ","
    said = _SEP_LINE.match(data)
    if said:
        own, data = said.group(1).decode("utf-8", "replace"), data[said.end() :]
    data, tail = _without_tail(data)
    if not data.strip():
        raise DataError(f"No columns to parse: {name} is empty. Check how it was written.")
    problems, single = [], None
    for delimiter in [own, *(d for d in _DELIMITERS if d != own and not said)]:
        form = Format(suffix, delimiter, bom=bom, sep_line=said.group().decode() if said else "", tail=tail, quoted={})
        try:
            found = _read(data, form, first_line=2 if said else 1)
        except _Problem as problem:
            problems.append(str(problem))
            continue
        if len(found.header) > 1:
            return found
        single = single or (found if delimiter == own else None)
    if single is not None:
        return single
    raise DataError(f"{name}: {problems[0]}")


def _without_tail(data: bytes) -> tuple[bytes, str]:
    """The file up to the end of its last row, and the line ends after it."""
    body = data.rstrip(b"\r\n")
    return body, data[len(body) :].decode()


def _read(data: bytes, form: Format, *, first_line: int) -> Delimited:
    shape = Shape(data, form.delimiter)
    if shape.is_strict:
        return _read_at_once(data, shape, form, first_line)
    try:
        return _read_one_by_one(data, shape, form, first_line)
    except _Problem as problem:
        if not shape.is_literal(form):
            raise _Problem(f"{problem}{_advice_on_quotes(data, shape, form)}") from None
    form = replace(form, quotes=False)
    return (_read_one_by_one if shape.lone_returns else _read_at_once)(data, shape, form, first_line)


def _read_at_once(data: bytes, shape: Shape, form: Format, first_line: int) -> Delimited:
    """By Arrow: files that every reader would read alike, or whose quotes are characters like any other."""
    width = _width(data, shape, form)
    names = [str(j) for j in range(width)]
    try:
        table = pa.csv.read_csv(
            pa.py_buffer(data),
            read_options=pa.csv.ReadOptions(column_names=names, block_size=min(max(len(data), 1_024), _BLOCK)),
            parse_options=pa.csv.ParseOptions(
                delimiter=form.delimiter, quote_char='"' if form.quotes else False, newlines_in_values=form.quotes
            ),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.large_string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        for record in _records(data.decode(), form, shape.end, first_line):
            _check_width(record, width, form)
        raise _Problem(f"{error}. Check how it was written.") from error
    quoted = shape.quoted(len(table), width) if form.quotes else None
    spread = shape.spread_records() if form.quotes and len(shape.inner_ends) else []
    return _delimited(table.columns, quoted, spread, shape, form, first_line)


def _width(data: bytes, shape: Shape, form: Format) -> int:
    """How many fields the first line that is not blank has."""
    start = 0
    for end in [*(shape.record_ends if form.quotes else shape.line_ends).tolist(), len(data)]:
        record = next(_records(data[start:end].decode().removesuffix("\r"), form, shape.end, 1), None)
        if record is not None:
            return len(record.fields)
        start = end + 1
    return 1


def _read_one_by_one(data: bytes, shape: Shape, form: Format, first_line: int) -> Delimited:
    """Record by record: files with quotes within fields, or with carriage returns that end no line."""
    records, width = [], 0
    for record in _records(data.decode(), form, shape.end, first_line):
        width = width or len(record.fields)
        _check_width(record, width, form)
        records.append(record)
    columns = [pa.chunked_array([pa.array([record.fields[j] for record in records], pa.large_string())]) for j in range(width)]
    quoted = np.array([record.quoted for record in records], dtype=bool)
    spread = [(record.line - first_line, record.raw) for record in records if shape.end in record.raw]
    return _delimited(columns, quoted, spread, shape, form, first_line)


def _delimited(
    columns: Sequence[pa.ChunkedArray],
    quoted: np.ndarray | None,
    spread: list[tuple[int, str]],
    shape: Shape,
    form: Format,
    first_line: int,
) -> Delimited:
    """`columns`: with the header as their first cell. `spread`: records of several lines, by line from 0."""
    rowlike = [(line + first_line, rows) for line, raw in spread if (rows := _as_rows(raw, len(columns), form))]
    _check_not_swallowed(rowlike, columns, quoted, form)
    warning = ""
    if rowlike and all(all(row) for _, rows in rowlike for row in rows) and shape.is_literal(form):
        warning = f"{_spans(*rowlike[0])} It was read as one text. {_if_stray(form)}"
    newline = shape.newline or ("\r\n" if form.tail.startswith("\r\n") else form.tail[:1] or "\n")
    form = replace(form, newline=newline, rows=len(columns[0]) - 1)
    if quoted is not None and len(shape.quotes):
        form = replace(form, quoted=packed_quotes(quoted, columns, form))
    header, cells = [column[0].as_py() for column in columns], [column.slice(1) for column in columns]
    return Delimited(header, cells, form, warning)


def _as_rows(raw: str, width: int, form: Format) -> list[list[str]]:
    """The lines of a record as rows of their own, quotes taken for characters; empty where they are none."""
    rows = [line.split(form.delimiter) for line in re.split("\r\n|\n|\r", raw)]
    return rows if width > 1 and all(len(row) == width for row in rows) else []


def _check_not_swallowed(
    rowlike: list[tuple[int, list[list[str]]]], columns: Sequence[pa.ChunkedArray], quoted: np.ndarray | None, form: Format
) -> None:
    """`_Problem` where the lines of one text look like rows, down to values that stand in other rows: a quote is stray."""
    if not rowlike:
        return
    bare = np.ones((len(columns[0]), len(columns)), dtype=bool) if quoted is None else ~quoted
    for j, column in enumerate(columns):
        known = set(column.filter(pa.array(bare[:, j])).slice(int(bare[0, j])).unique().to_pylist()) - {""}
        for line, rows in rowlike:
            if known.issuperset(row[j] for row in rows):
                values = listing((row[j] for row in rows), most=4)
                raise _Problem(
                    f"{_spans(line, rows)} They hold {values} in column {column[0].as_py()!r}, as other rows do. "
                    f"{_if_stray(form)} If the text does have several lines, read it with `{by_pandas(form)}`. Then pass `data`."
                )


def _spans(line: int, rows: list[list[str]]) -> str:
    last = line + len(rows) - 1
    return (
        f"Expected a row a line, found a double quote in line {line} that is closed in line {last}, and each of these lines "
        "could be a row."
    )


def _if_stray(form: Format) -> str:
    return f"If quotes are part of the texts, read it with `{by_pandas(form, quoting=3)}`."


def by_pandas(form: Format, **more: object) -> str:
    """The call of pandas that reads a file of this format without guessing types."""
    sep = {} if form.delimiter == "," else {"sep": form.delimiter}
    skip = {"skiprows": 1} if form.sep_line else {}
    options = {**sep, **skip, **more, "dtype": "str", "keep_default_na": False}
    return f"data = pd.read_csv(path, {', '.join(f'{name}={value!r}' for name, value in options.items())})"


def _advice_on_quotes(data: bytes, shape: Shape, form: Format) -> str:
    if rb"\"" in data:
        return f" If backslashes stand before quotes, read it with `{by_pandas(form, escapechar=chr(92))}` and pass `data`."
    widths = shape.delimiters_in_lines()
    if (widths == widths[0]).all():
        return f" {_if_stray(form)} Then pass `data`."
    return ' Write "" for a quote within a text, and close each quote that opens one.'


def _records(text: str, form: Format, end: str, line: int) -> Iterator[_Record]:
    """The records of a text; a quote means something where a field begins with it, and is closed before the field ends."""
    plain = re.compile(f"[{re.escape(form.delimiter)}{end}]")
    fields: list[str] = []
    quoted: list[bool] = []
    start = at = 0
    first = line
    while at <= len(text):
        if form.quotes and text.startswith('"', at):
            stop = _closing(text, at, first)
            value, at = text[at + 1 : stop].replace('""', '"'), stop + 1
            quoted.append(True)
        else:
            found = plain.search(text, at)
            stop = found.start() if found else len(text)
            value, at = text[at:stop], stop
            quoted.append(False)
            if end == "\n" and value.endswith("\r") and text[stop : stop + 1] == "\n":
                value = value[:-1]
        fields.append(value)
        if text.startswith(form.delimiter, at):
            at += len(form.delimiter)
            continue
        if end == "\n" and text.startswith("\r\n", at):
            at += 1
        if at < len(text) and not text.startswith(end, at):
            raise _Problem(
                f"Expected {form.delimiter!r} or the end of the line after the quote that closes a field, found "
                f"{text[at : at + 20]!r} in the row that begins in line {first}."
            )
        raw = text[start:at]
        if fields != [""] or quoted[0]:
            yield _Record(fields, quoted, raw, first)
        first += raw.count(end) + 1
        at += 1
        start, fields, quoted = at, [], []
        if at >= len(text):
            return


def _closing(text: str, at: int, line: int) -> int:
    """Where the quote stands that closes the field which begins with one."""
    stop = at + 1
    while True:
        stop = text.find('"', stop)
        if stop < 0:
            raise _Problem(
                f"Expected every double quote that opens a field to be closed, found one in line {line} that never is: "
                f"{text[at : at + 30]!r}."
            )
        if not text.startswith('""', stop):
            return stop
        stop += 2


def _check_width(record: _Record, width: int, form: Format) -> None:
    found = len(record.fields)
    if found == width:
        return
    end = " The last one is empty: the line ends with a separator." if found > width and record.fields[-1] == "" else ""
    remedy = f"Put fields that hold a {form.delimiter!r} in double quotes, and give the header a name for every column."
    if found < width:
        remedy = "Put fields that hold a line end in double quotes, and write a separator for every column, also of empty ones."
    raise _Problem(
        f"Expected {width} fields in every line, as in its header, found {found} in line {record.line}: "
        f"{listing(record.fields, most=5)}.{end} {remedy}"
    )
