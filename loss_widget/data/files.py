"""Any labelled data as a pandas DataFrame: a file, a Dataset, a Table, a list of dicts."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from loss_widget.errors import DataError, listing, near_miss

READABLE = (".csv", ".tsv", ".jsonl", ".parquet")


_NA_WORDS = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "<NA>", "None"]


def read_frame(data: Any, *, text: Sequence[str], label: str) -> tuple[pd.DataFrame, list[str] | None]:
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


def _read_file(path: Path, *, text: Sequence[str], label: str) -> pd.DataFrame:
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


def read_delimited(path: Path, *, text: Sequence[str], label: str) -> pd.DataFrame:
    """A .csv or .tsv in which a text "null" or a label "NA" stays what it says."""
    sep = "\t" if path.suffix.lower() == ".tsv" else ","
    header = pd.read_csv(path, sep=sep, nrows=0).columns
    verbatim = set(text)
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
