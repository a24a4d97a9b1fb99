"""Any labelled data as a pandas DataFrame, read so that nothing changes that nobody decided on."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from loss_widget.data.arrow import frame_of_table, note, noted
from loss_widget.data.atomic_file import recover
from loss_widget.data.columns import text_names
from loss_widget.data.delimited.format import Format
from loss_widget.data.delimited.parse import by_pandas, parse
from loss_widget.data.json_lines import frame_of_records, read_lines
from loss_widget.data.numerals import column_of_cells
from loss_widget.errors import DataError, listing, near_miss

READABLE = (".csv", ".tsv", ".jsonl", ".parquet")


def read(path: str | os.PathLike[str], *, text: str | Sequence[str] = "text") -> pd.DataFrame:
    """The DataFrame of a `.csv`, `.tsv`, `.jsonl` or `.parquet` file, or a saved `datasets` directory, as `lw.score` reads it.

    No type is guessed. In a delimited file a column is one of numbers only where each cell is written as Python writes that
    number ("7", "0.5", and nothing for none); else it holds the cells as they are: "007", "1.50", "true", "NA", dates. `text`
    columns are always text. JSON and Parquet keep the types that they have. What pandas has no place for (quotes, line ends, the
    Arrow schema) waits in `.attrs`, so that `widget.export` writes an untouched row as it was. Raises `DataError`.

    >>> _ = Path("codes.csv").write_text("code,text,label\\n007,fine,1\\n")
    >>> read("codes.csv").values.tolist()
    [['007', 'fine', 1]]
    """
    return read_file(Path(path), text=text_names(text))


def read_frame(data: Any, *, text: Sequence[str], label: str) -> tuple[pd.DataFrame, list[str] | None]:
    """A pandas DataFrame of any labelled data, and the label names where the data knows them (`ClassLabel`)."""
    module = type(data).__module__.split(".")[0]
    if isinstance(data, pd.DataFrame):
        return data, None
    if isinstance(data, (str, os.PathLike)):
        path = Path(data).expanduser()
        if path.is_dir() and _is_dataset(path):
            return _read_dataset(_load_dataset(path), label=label)
        return read_file(path, text=text), None
    if module == "datasets":
        return _read_dataset(data, label=label)
    if isinstance(data, pa.Table):
        return frame_of_table(data), None
    if module == "polars":
        return frame_of_table((data.collect() if hasattr(data, "collect") else data).to_arrow()), None
    if isinstance(data, Sequence) and all(isinstance(row, Mapping) for row in data):
        return frame_of_records(data), None
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
    table = data.with_format("arrow")[:]
    return frame_of_table(table.replace_schema_metadata(data.features.arrow_schema.metadata)), names


def read_file(path: Path, *, text: Sequence[str]) -> pd.DataFrame:
    """The frame of a file or of a saved dataset, the columns `text` as text; see `read`."""
    path = path.expanduser()
    if not path.suffix:
        recover(path)
    if path.is_dir():
        if _is_dataset(path):
            return _read_dataset(_load_dataset(path), label="")[0]
        inside = sorted(p.name for p in path.iterdir() if p.suffix in READABLE)
        hint = f"It holds {listing(inside, most=5)}." if inside else "It holds none."
        raise DataError(f"Expected a file ({', '.join(READABLE)}), found a directory: {path}. {hint}")
    suffix = path.suffix.lower()
    if suffix not in READABLE:
        raise DataError(f"Expected a file that ends in {', '.join(READABLE)}, found {path.name!r}. Read it with pandas first.")
    if not path.exists():
        siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        raise DataError(f"Expected a file at {path}, found none{near_miss(path.name, siblings)} Check the path.")
    try:
        if suffix == ".parquet":
            return frame_of_table(pq.read_table(path, partitioning=None))
        data = path.read_bytes()
        if _is_wide(data):
            at = data.index(b"\0")
            raise UnicodeDecodeError("utf-8", data, at, at + 1, "a zero byte")
        if suffix == ".jsonl":
            return read_lines(data, name=path.name)
        return _read_delimited(data, path, text=text)
    except DataError:
        raise
    except UnicodeDecodeError as error:
        raise DataError(_advice_on_encoding(data, path, error)) from error
    except (OSError, ValueError, TypeError, AttributeError, pa.ArrowException) as error:
        raise DataError(
            f"Expected {suffix} data in {path}, found a file that cannot be read as such: {str(error).strip()}. "
            "Check how it was written, or read it with pandas and pass the DataFrame."
        ) from error


def _read_delimited(data: bytes, path: Path, *, text: Sequence[str]) -> pd.DataFrame:
    read = parse(data, name=path.name, suffix=path.suffix.lower())
    if read.warning:
        warnings.warn(f"{path.name}: {read.warning}", stacklevel=6)
    verbatim = set(text)
    columns = [
        cells.to_pandas() if name in verbatim else column_of_cells(cells)
        for name, cells in zip(read.header, read.columns, strict=True)
    ]
    frame = pd.concat(columns, axis=1) if columns else pd.DataFrame()
    frame.columns = pd.Index(read.header)
    return note(frame, "delimited", read.format.as_note())


def advice_on_header(frame: pd.DataFrame, *, texts: int) -> str:
    """What to say of a delimited file whose first line is a row like the others; "" where it looks like a header, or was none."""
    form = Format.of_note(noted(frame, "delimited"))
    if form is None or frame.empty:
        return ""
    header = [str(name) for name in frame.columns]
    cells = [frame.iloc[:, place].astype(str) for place in range(len(header))]
    repeated = [place for place, name in enumerate(header) if name and cells[place].eq(name).any()]
    number = any(re.fullmatch(r"-?[0-9]+([.,][0-9]+)*", name) for name in header)
    if not repeated and not number:
        return ""
    names = [f"column_{place}" for place in range(len(header))]
    by_length = sorted(range(len(header)), key=lambda place: -cells[place].str.len().mean())
    for place, name in zip(by_length, ["text"] if texts == 1 else ["text_1", "text_2"], strict=False):
        names[place] = name
    candidates = [place for place in repeated if not names[place].startswith("text")]
    if candidates:
        names[min(candidates, key=lambda place: cells[place].nunique())] = "label"
    more = {} if form.quotes else {"quoting": 3}
    return (
        f"The file seems to have no header: its first line is a row, {listing(header, most=5)}. Read it with "
        f"`{by_pandas(form, header=None, names=names, **more)}`, each name in the place of its column, and pass `data`."
    )


def _advice_on_encoding(data: bytes, path: Path, error: UnicodeDecodeError) -> str:
    """Which encoding a file that is not UTF-8 can be read in, with a look at what it then says."""
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
    for guess in () if encoding else ("utf-16-le", "utf-16-be") if _is_wide(data) else ("cp1252", "latin-1"):
        try:
            data.decode(guess)
        except UnicodeDecodeError:
            continue
        encoding = guess
        break
    start = data.rfind(b"\n", 0, error.start) + 1
    line = data[start:].decode(encoding, "replace") if "16" not in encoding else data[:200].decode(encoding, "replace")
    call = f"pd.read_json(path, lines=True, dtype=False, encoding={encoding!r})"
    if path.suffix.lower() != ".jsonl":
        sep = ", sep='\\t'" if path.suffix.lower() == ".tsv" else ""
        call = f"pd.read_csv(path{sep}, encoding={encoding!r}, dtype='str', keep_default_na=False)"
    return (
        f"Expected {path.name} to be UTF-8, found bytes of another encoding ({error.reason} at byte {error.start:,}). Save it as "
        f"UTF-8; or, if {encoding} is right, which reads {line.splitlines()[0][:60]!r}, read it with `data = {call}` and pass "
        "`data`."
    )


def _is_wide(data: bytes) -> bool:
    """Whether characters take two bytes or more, as in UTF-16."""
    start = data[:1_000]
    return start.count(0) * 4 > len(start)


def _is_dataset(path: Path) -> bool:
    return (path / "dataset_info.json").exists() or (path / "dataset_dict.json").exists()


def _load_dataset(path: Path) -> Any:
    import datasets

    return datasets.load_from_disk(str(path))
