"""The corrected data on its way out: a file, or a `datasets.Dataset`."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from loss_widget.data.arrow import noted, table_of_frame
from loss_widget.data.atomic_file import replacing
from loss_widget.data.columns import CannotHold, unstorable
from loss_widget.data.delimited.format import Format, cells_of, write_cells
from loss_widget.data.json_lines import write_lines
from loss_widget.errors import ExportError, listing

WRITABLE = (".csv", ".tsv", ".jsonl", ".parquet")
_FORMULA = r"^[=+\-@\t\r\n＝＋－＠]"
_NUMBER = r"^[+-]?([0-9]+([.,][0-9]+)*|[.,][0-9]+)([eE][+-]?[0-9]+)?%?$"

Write = Callable[[Path], Any]


def write_frame(
    frame: pd.DataFrame,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    excel_safe: bool = False,
    label: str = "label",
    class_names: Sequence[str] | None = None,
    index: bool | None = None,
) -> Path:
    """Write a frame to `.csv`, `.tsv`, `.jsonl`, `.parquet`, or (no suffix) a directory as a `datasets` dataset; return the path.

    Atomic, and an existing path raises `ExportError` unless `overwrite`. The index is written unless it is a plain range 0, 1,
    2, …, or as `index` says: an unnamed one as a column "index", in Parquet as pandas' own index. A frame that was read from a
    file of the same kind is written the way that file was: its delimiter, quotes and line ends, its Arrow schema. What the kind
    of file cannot hold is named before anything is written. `attrs` travel with Parquet, and with nothing else.
    """
    index = has_own_index(frame) if index is None else index
    path = Path(path).expanduser()
    suffix = path.suffix.lower()
    if suffix not in (*WRITABLE, ""):
        raise ExportError(f"Expected a path that ends in {', '.join(WRITABLE)} or in nothing (a directory), found {path.name!r}.")
    if suffix and path.is_dir():
        raise ExportError(f"Expected a path for a file, found a directory: {path}. Give the file a name in it.")
    if not suffix and path.is_dir() and overwrite and not _is_dataset(path) and any(path.iterdir()):
        raise ExportError(f"Expected a dataset to overwrite, found a directory with other files: {path}. Choose another path.")
    try:
        said, write = _ready(frame, suffix, index=index, excel_safe=excel_safe, label=label, class_names=class_names)
        with replacing(path, overwrite=overwrite) as temporary:
            write(temporary)
    except OSError as error:
        raise ExportError(
            f"Expected to be able to write {path}, found: {error}. Nothing was written; choose another folder or name."
        ) from error
    except (ValueError, TypeError, OverflowError, pa.ArrowException) as error:
        found = _cannot_hold(error, frame, suffix)
        raise ExportError(f"Expected data that {suffix or 'a dataset'} can hold, found {found}. Nothing was written.") from error
    if said:
        warnings.warn(said, stacklevel=3)
    return path


def _ready(
    frame: pd.DataFrame, suffix: str, *, index: bool, excel_safe: bool, label: str, class_names: Sequence[str] | None
) -> tuple[str, Write]:
    """Everything made ready to be written, so that only the disk can fail: what to warn of, and the last step."""
    if suffix == ".parquet":  # it alone knows what an index is
        table = table_of_frame(frame, index=index)
        return _lost_categories(table), lambda path: pq.write_table(table, path)
    flat = _with_index(frame, index)
    if suffix in (".csv", ".tsv"):
        return _ready_delimited(flat, frame, suffix, excel_safe=excel_safe)
    if suffix == ".jsonl":
        rows = _rows_in_source(frame, (noted(frame, "jsonl") or {}).get("rows"))
        return "", lambda path: write_lines(flat, path, row_numbers=rows)
    dataset = as_dataset(frame, label=label, class_names=class_names, index=index)
    return "", lambda path: dataset.save_to_disk(str(path))


def _ready_delimited(flat: pd.DataFrame, frame: pd.DataFrame, suffix: str, *, excel_safe: bool) -> tuple[str, Write]:
    source = Format.of_note(noted(frame, "delimited"), suffix=suffix)
    form = source or Format(suffix, "\t" if suffix == ".tsv" else ",")
    header = ["" if name is None else str(name) for name in flat.columns]
    columns = [cells_of(flat.iloc[:, place], name) for place, name in enumerate(header)]
    texts = [place for place, dtype in enumerate(flat.dtypes) if not _is_number(dtype)]
    said = ""
    if excel_safe:
        form = replace(form, bom=True)
        header = _defused(pa.array(header, pa.large_string())).to_pylist()
        columns = [_defused(cells) if place in texts else cells for place, cells in enumerate(columns)]
    elif risky := sum(_formulas(columns[place]) for place in texts) + _formulas(pa.array(header, pa.large_string())):
        said = (
            f"{risky} cells start with =, +, -, @, a tab or a line end, and a spreadsheet would run them as formulas. They "
            "are written as they are; pass `excel_safe=True` for files that people open in one, or write .parquet or .jsonl."
        )
    rows = _rows_in_source(frame, form.rows) if source else None
    return said, lambda path: write_cells(header, columns, path, form, row_numbers=rows)


def _rows_in_source(frame: pd.DataFrame, rows: Any) -> np.ndarray | None:
    """Where the rows stood in the file of so many rows that the frame was read from; None where its index does not say."""
    index = frame.index
    if not isinstance(rows, int) or index.nlevels > 1 or not pd.api.types.is_integer_dtype(index.dtype) or not index.is_unique:
        return None
    numbers = index.to_numpy(dtype=np.int64)
    return numbers if ((numbers >= 0) & (numbers < rows)).all() else None


def _lost_categories(table: pa.Table) -> str:
    """What to say where Parquet gives numbers back for categories."""
    lost = [f.name for f in table.schema if pa.types.is_dictionary(f.type) and not _is_text(f.type.value_type)]
    return f"Parquet holds the categories of {listing(lost)} as plain values; `lw.read` makes categories of them." if lost else ""


def _cannot_hold(error: Exception, frame: pd.DataFrame, suffix: str) -> str:
    if isinstance(error, CannotHold):
        return str(error)
    return unstorable(frame, only_text=suffix not in (".parquet", "")) or str(error).rstrip(".")


def as_dataset(frame: pd.DataFrame, *, label: str, class_names: Sequence[str] | None, index: bool) -> Any:
    """A frame as a `datasets.Dataset`; with `class_names` the integer column `label` becomes a `ClassLabel` in that order."""
    import datasets

    try:
        table = table_of_frame(_with_index(frame, index), index=False)
        known = datasets.Features.from_arrow_schema(table.schema) if b"huggingface" in (table.schema.metadata or {}) else {}
        features = datasets.Features.from_arrow_schema(pa.schema(list(table.schema)))
        kinds = datasets.Features(known).arrow_schema
        features.update({name: known[name] for name in known if name in features and _same(kinds, table.schema, name)})
        if class_names is not None:
            features[label] = datasets.ClassLabel(names=list(class_names))
        return datasets.Dataset(table.cast(features.arrow_schema))
    except (ValueError, TypeError, OverflowError, pa.ArrowException) as error:
        raise ExportError(
            f"Expected data that a dataset can hold, found {_cannot_hold(error, frame, '')}. Nothing was written."
        ) from error


def push_dataset(dataset: Any, repo_id: str, *, private: bool = True, dry_run: bool = False, **options: Any) -> str:
    """Push a `datasets.Dataset` to the Hugging Face hub and return its address; with `dry_run` say what would be pushed.

    A new dataset is made private; into one that is public already nothing is pushed unless `private=False`. `options` are those
    of `Dataset.push_to_hub` (`split`, `commit_message`, `token`, …). `ExportError` where nothing was pushed.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RepositoryNotFoundError

    columns = ", ".join(dataset.column_names)
    said = f"{len(dataset):,} rows ({columns}) to the {'private' if private else 'public'} dataset {repo_id}"
    if dry_run:
        return f"Would push {said}"
    try:
        api = HfApi(token=options.get("token"))
        try:
            is_public = not api.repo_info(repo_id, repo_type="dataset").private
        except RepositoryNotFoundError:
            is_public = False
        if private and is_public:
            raise ExportError(
                f"Expected a private dataset or none at {repo_id}, found a public one. Nothing was pushed: choose another name, "
                "or pass `private=False`."
            )
        pushed = dataset.push_to_hub(repo_id, private=private, **options)
    except (HfHubHTTPError, HFValidationError, OSError, ValueError, RuntimeError) as error:
        raise ExportError(
            f"Expected to push {said}, found: {str(error).strip().splitlines()[0]} Check the name, and that you are logged in "
            "with the right to write (`hf auth login`)."
        ) from error
    return str(pushed.repo_url)


def has_own_index(frame: pd.DataFrame) -> bool:
    """Whether the index says more than the position of a row: anything but an unnamed 0, 1, 2, …"""
    index = frame.index
    return not isinstance(index, pd.RangeIndex) or index.name is not None or index.start != 0 or index.step != 1


def _with_index(frame: pd.DataFrame, index: bool) -> pd.DataFrame:
    """The index as the first columns, "index" where it has no name; without `index` it is dropped."""
    taken = [name for name in frame.index.names if name is not None and name in frame.columns] if index else []
    if taken:
        raise ExportError(
            f"Expected an index with a name of its own, found {listing(taken)}, which is a column too. Nothing is written: name "
            "it anew (`df.index.name = 'id'`), or write .parquet."
        )
    return frame.reset_index(drop=not index)


def _is_formula(cells: pa.Array) -> pa.Array:
    """Which cells a spreadsheet would run; a number with a sign is none."""
    begins = pc.match_substring_regex(cells, _FORMULA)
    return pc.fill_null(pc.and_(begins, pc.invert(pc.match_substring_regex(cells, _NUMBER))), False)


def _formulas(cells: pa.Array) -> int:
    return pc.sum(_is_formula(cells)).as_py() or 0


def _defused(cells: pa.Array) -> pa.Array:
    marked = pc.binary_join_element_wise(pa.scalar("'", pa.large_string()), cells, pa.scalar("", pa.large_string()))
    return pc.if_else(_is_formula(cells), marked, cells)


def _is_number(dtype: Any) -> bool:
    return bool(pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_datetime64_any_dtype(dtype))


def _same(schema: pa.Schema, other: pa.Schema, name: str) -> bool:
    return bool(schema.field(name).type == other.field(name).type)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_dataset(path: Path) -> bool:
    return (path / "dataset_info.json").exists() or (path / "state.json").exists()
