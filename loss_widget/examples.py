"""Any labelled data as Examples: the caller's frame, its texts, its given labels, and a content key for each row."""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from loss_widget.errors import ColumnError, DataError, LabelError, listing, near_miss
from loss_widget.label_sets import holds_label_sets, read_label_sets
from loss_widget.labels import GivenLabels, read_labels

TextColumns = str | tuple[str, str]
READABLE = (".csv", ".tsv", ".jsonl", ".parquet")
_KEYS_AT_ONCE = 4_096
_NA_WORDS = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "<NA>", "None"]


@dataclass(frozen=True)
class Examples:
    """Labelled rows, read once.

    `frame`: the caller's columns, index and order. `texts`, `pair_texts`: (n,) large_string, "" where missing (then named in
    `text_notes`). `given`: the label column. `keys`: (n,) uint64, a hash of each row's text that survives re-ordering.
    """

    frame: pd.DataFrame
    text: TextColumns
    label: str
    texts: pa.ChunkedArray
    pair_texts: pa.ChunkedArray | None
    given: GivenLabels
    keys: np.ndarray
    text_notes: Mapping[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.frame)


def read_examples(
    data: Any,
    *,
    text: str | Sequence[str] = "text",
    label: str = "label",
    label_names: Sequence[str] | None = None,
    label_sets: bool = False,
) -> Examples:
    """Examples of a pandas or polars DataFrame, a pyarrow Table, a `datasets.Dataset`, a list of dicts, or a file.

    `label_sets`: a label column of lists is read as `GivenLabelSets`; else it is refused. Raises `DataError` for anything else or
    for no rows, `ColumnError` for a column that is not there. `data` is not modified.
    """
    columns = text_columns(text)
    frame, names = read_frame(data, text=columns, label=label)
    if not len(frame):
        raise DataError(
            "Expected a dataset with at least one row, found an empty one. Check the filter or the file it came from."
        )
    for name in (*as_tuple(columns), label):
        column_position(frame, name)
    told = label_names is not None
    read = read_label_sets if label_sets and holds_label_sets(frame[label]) else _read_given
    given = read(frame[label], label_names=label_names if told else names, by_position=not told)
    texts, notes = read_texts(frame, as_tuple(columns)[0])
    pair_texts = None
    if isinstance(columns, tuple):
        pair_texts, pair_notes = read_texts(frame, columns[1])
        notes = {**pair_notes, **notes}
    return Examples(frame, columns, label, texts, pair_texts, given, content_keys(texts, pair_texts), notes)


def _read_given(column: pd.Series, *, label_names: Sequence[str] | None, by_position: bool) -> GivenLabels:
    try:
        return read_labels(column, label_names=label_names, by_position=by_position)
    except (TypeError, pa.ArrowException) as error:  # lists, arrays and dicts are no labels
        row = next((i for i, v in enumerate(column) if not pd.api.types.is_scalar(v)), 0)
        raise LabelError(
            f"Expected one label a row, a name (str) or an id (int), found {column.iloc[row]!r} "
            f"({type(column.iloc[row]).__name__}) in column {column.name!r}, row {row}. Take one label of each, for example with "
            "`.str[0]`; or judge them all by `lw.score` with a multi-label model."
        ) from error


def text_columns(text: str | Sequence[str]) -> TextColumns:
    """One text column, or a pair of them for sentence-pair models."""
    if isinstance(text, str):
        return text
    if not isinstance(text, Sequence):
        raise ColumnError(
            f"Expected text as the name of a column or a pair of names, found {text!r}. Rename the column if need be."
        )
    pair = tuple(text)
    if len(pair) == 1:
        return str(pair[0])
    if len(pair) != 2:
        raise ColumnError(f"Expected one text column or a pair of them, found {len(pair)}: {listing(pair)}.")
    return pair


def as_tuple(columns: TextColumns) -> tuple[str, ...]:
    return (columns,) if isinstance(columns, str) else columns


def column_position(frame: pd.DataFrame, name: str, *, argument: str = "`text=` or `label=`") -> int:
    """Where a column stands; `ColumnError` names near misses, ambiguous names, and the `argument` that should name another."""
    if name not in frame.columns:
        raise ColumnError(
            f"Expected a column {name!r}, found {listing(frame.columns)}{near_miss(name, frame.columns)} "
            f"Say which column it is with {argument}."
        )
    position = frame.columns.get_loc(name)
    if not isinstance(position, int):
        raise ColumnError(f"Expected one column {name!r}, found several of that name. Rename all but one of them.")
    return position


def read_frame(data: Any, *, text: TextColumns, label: str) -> tuple[pd.DataFrame, list[str] | None]:
    """A pandas DataFrame of any labelled data, and the label names where the data knows them (`ClassLabel`)."""
    module = type(data).__module__.split(".")[0]
    if isinstance(data, pd.DataFrame):
        return data, None
    if isinstance(data, (str, os.PathLike)):
        return _read_file(Path(data), text=text, label=label), None
    if module == "datasets":
        return _read_dataset(data, label=label)
    if isinstance(data, pa.Table):
        return data.to_pandas(), None
    if module == "polars":
        frame = data.collect() if hasattr(data, "collect") else data
        return frame.to_pandas(), None
    if isinstance(data, Sequence) and all(isinstance(row, Mapping) for row in data):
        return pd.DataFrame(list(data)), None
    raise DataError(
        "Expected a pandas or polars DataFrame, a pyarrow Table, a datasets.Dataset, a list of dicts, or a path to "
        f"{', '.join(READABLE)}, found {type(data).__name__}."
    )


def read_texts(frame: pd.DataFrame, name: str) -> tuple[pa.ChunkedArray, dict[int, str]]:
    """A text column as Arrow strings, "" where missing, and what was odd about single rows, in words."""
    column = frame.iloc[:, column_position(frame, name)]
    notes: dict[int, str] = {}
    if column.dtype == object:
        column = _coerced(column, notes)
    try:
        array = pa.array(column, from_pandas=True)
        texts = array.cast(pa.large_string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        raise ColumnError(f"Expected text in column {name!r}, found {column.dtype}. Convert it with `.astype(str)`.") from error
    kind = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        notes.update(dict.fromkeys(range(len(column)), f"{name} held {column.dtype}, read as text"))
    if texts.null_count:
        rows = np.flatnonzero(texts.is_null().to_numpy(zero_copy_only=False))
        notes.update({int(row): f"{name} was missing" for row in rows})
        texts = pc.fill_null(texts, "")
    return texts if isinstance(texts, pa.ChunkedArray) else pa.chunked_array([texts]), notes


def content_keys(texts: pa.ChunkedArray, pair_texts: pa.ChunkedArray | None = None) -> np.ndarray:
    """(n,) uint64: BLAKE2b of each row's text (both texts of a pair), the same in every process and on every machine."""

    def digest(text: bytes) -> bytes:
        return hashlib.blake2b(text, digest_size=8).digest()

    def bytes_of(column: pa.ChunkedArray, start: int) -> list[bytes]:
        return column.slice(start, _KEYS_AT_ONCE).cast(pa.large_binary()).to_pylist()

    keys = []
    for start in range(0, len(texts), _KEYS_AT_ONCE):
        first = bytes_of(texts, start)
        if pair_texts is not None:
            second = bytes_of(pair_texts, start)
            first = [b"%d:%b%b" % (len(a.decode()), a, b) for a, b in zip(first, second, strict=True)]
        keys.append(b"".join(map(digest, first)))
    return np.frombuffer(b"".join(keys), dtype="<u8")


def unstorable(frame: pd.DataFrame, *, only_text: bool = False) -> str:
    """What Arrow cannot hold of a frame, column by column with the remedy; "" where it can hold all. `only_text`: as UTF-8."""
    said = []
    for position, name in enumerate(frame.columns):
        try:
            pa.array(frame.iloc[:, position], from_pandas=True)
        except UnicodeEncodeError:
            fix = f"df[{name!r}] = df[{name!r}].str.encode('utf-8', 'replace').str.decode('utf-8')"
            said.append(f"column {name!r} with lone surrogates, which no file can hold; replace them by `{fix}`")
        except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
            if not only_text:
                reason = str(error.args[0] if error.args else error).rstrip(".")
                said.append(f"column {name!r}: {reason}; convert it by `df[{name!r}] = df[{name!r}].astype(str)`")
    return "; ".join(said)


def _coerced(column: pd.Series, notes: dict[int, str]) -> pd.Series:
    """Python objects as strings that UTF-8 can hold; every row that had to be changed is noted."""
    if pd.api.types.infer_dtype(column, skipna=True) in ("string", "empty"):
        try:
            pa.array(column, type=pa.large_string(), from_pandas=True)
            return column
        except UnicodeEncodeError:
            pass
    values: list[str | None] = []
    for row, value in enumerate(column):
        if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
            values.append(None)
            continue
        read = value if isinstance(value, str) else str(value)
        if not isinstance(value, str):
            notes[row] = f"{column.name} held a {type(value).__name__}, read as text"
        safe = read.encode("utf-8", "replace").decode("utf-8")
        if safe != read:
            notes[row] = f"{column.name} held characters that no text can hold, replaced by ?"
        values.append(safe)
    return pd.Series(values, index=column.index, name=column.name, dtype=object)


def _read_dataset(data: Any, *, label: str) -> tuple[pd.DataFrame, list[str] | None]:
    if isinstance(data, Mapping):
        splits = listing(data)
        raise DataError(
            f"Expected one split, found a {type(data).__name__} with the splits {splits}. "
            f"Choose one, for example data[{next(iter(data), 'train')!r}]."
        )
    if not hasattr(data, "to_pandas") or not hasattr(data, "num_rows"):
        raise DataError(
            f"Expected a datasets.Dataset, found {type(data).__name__}, which has no fixed rows. "
            "Load it without `streaming=True`."
        )
    kind = data.features.get(label)
    names = getattr(getattr(kind, "feature", kind), "names", None)  # also of a list of ClassLabels
    return data.with_format(None).to_pandas(), names


def _read_file(path: Path, *, text: TextColumns, label: str) -> pd.DataFrame:
    path = path.expanduser()
    if path.is_dir():
        inside = sorted(p.name for p in path.iterdir() if p.suffix in READABLE)
        hint = f"It holds {listing(inside, most=5)}." if inside else "It holds none."
        raise DataError(f"Expected a file ({', '.join(READABLE)}), found a directory: {path}. {hint}")
    if path.suffix.lower() not in READABLE:
        raise DataError(f"Expected a file that ends in {', '.join(READABLE)}, found {path.name!r}. Read it with pandas first.")
    if not path.exists():
        siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        raise DataError(f"Expected a file at {path}, found none{near_miss(path.name, siblings)} Check the path.")
    try:
        if path.suffix.lower() == ".parquet":
            return pd.read_parquet(path)
        if path.suffix.lower() == ".jsonl":
            return pd.read_json(path, lines=True, dtype=False)
        return read_delimited(path, text=text, label=label)
    except DataError:
        raise
    except UnicodeDecodeError as error:
        raise DataError(
            f"Expected {path.name} to be UTF-8, found bytes of another encoding: {error}. Save it as UTF-8, or read it: "
            "`pd.read_csv(path, encoding='utf-16')`."
        ) from error
    except (OSError, ValueError, TypeError, AttributeError, pa.ArrowException) as error:
        raise DataError(
            f"Expected {path.suffix.lower()} data in {path}, found a file that cannot be read as such: {str(error).strip()}. "
            "Check how it was written, or read it with pandas and pass the DataFrame."
        ) from error


def read_delimited(path: Path, *, text: TextColumns, label: str) -> pd.DataFrame:
    """A .csv or .tsv in which a text "null" or a label "NA" stays what it says."""
    sep = "\t" if path.suffix.lower() == ".tsv" else ","
    header = pd.read_csv(path, sep=sep, nrows=0).columns
    verbatim = set(as_tuple(text))
    missing = {c: [""] if c == label else _NA_WORDS for c in header if c not in verbatim}
    try:
        frame = pd.read_csv(
            path,
            sep=sep,
            keep_default_na=False,
            na_values=missing,
            dtype={c: str for c in header if c in verbatim},
        )
    except pd.errors.ParserError as error:
        raise DataError(_too_many_fields(path, sep, len(header)) or f"Expected rows in {path}, found: {error}") from error
    if not isinstance(frame.index, pd.RangeIndex):  # pandas takes the first fields of too long rows for an index
        raise DataError(_too_many_fields(path, sep, len(header)))
    return frame


def _too_many_fields(path: Path, sep: str, columns: int) -> str:
    """What to say of the first record with more fields than the header; "" where there is none."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        records = csv.reader(file, delimiter=sep)
        for record in records:
            if len(record) > columns:
                end = " The last one is empty: the line ends with a separator." if record[-1] == "" else ""
                return (
                    f"Expected {columns} fields in every line of {path}, as in its header, found {len(record)} in line "
                    f"{records.line_num}: {listing(record, most=5)}.{end} Put fields that hold a {sep!r} in double quotes, and "
                    "give the header a name for every column."
                )
    return ""
