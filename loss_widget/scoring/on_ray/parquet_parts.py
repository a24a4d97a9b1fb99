"""Rows of Parquet files as parts: slices in the order of the data that any machine can read on its own."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads
import pyarrow.parquet as pq

from loss_widget.data.files import read_frame
from loss_widget.errors import DataError, ExportError, near_miss
from loss_widget.scores.parquet_file import frame_of, table_of
from loss_widget.scores.scores import callers_columns

_BATCH_ROWS = 4_096
_FEWEST_ROWS, _MOST_ROWS, _PARTS = 256, 16_384, 64
_NO_ROWS = "Expected a dataset with at least one row, found an empty one. Check the filter or the file it came from."


@dataclass(frozen=True)
class Part:
    """`rows` rows of the data from `first_row` on: those of a fragment (row groups of one file) after the first `skip`."""

    fragment: Any
    skip: int
    rows: int
    first_row: int


@dataclass(frozen=True)
class ParquetRows:
    """Rows of Parquet files under one schema. `layout`: what Arrow does not keep of the frame that they came from."""

    fragments: Sequence[Any]
    schema: pa.Schema
    rows: int
    layout: dict[str, Any] = field(default_factory=dict)

    def parts(self, rows_per_part: int | None = None) -> list[Part]:
        """Slices of at most so many rows (default: a 64th of the data, between 256 and 16,384), each of one file."""
        size = rows_per_part or int(np.clip(-(-self.rows // _PARTS), _FEWEST_ROWS, _MOST_ROWS))
        parts, first_row = [], 0
        for fragment in self.fragments:
            groups = fragment.row_groups
            starts = np.cumsum([0, *(group.num_rows for group in groups)])
            for start in range(0, int(starts[-1]), size):
                end = min(start + size, int(starts[-1]))
                first, last = np.searchsorted(starts, start, side="right") - 1, np.searchsorted(starts, end) - 1
                chosen = fragment.subset(row_group_ids=[groups[i].id for i in range(first, last + 1)])
                parts.append(Part(chosen, start - int(starts[first]), end - start, first_row + start))
            first_row += int(starts[-1])
        return parts

    def read(self, part: Part) -> pa.Table:
        """The rows of a part, read in small batches: a row group may be far larger."""
        batches, skip, left = [], part.skip, part.rows
        for batch in _batches(part.fragment, self.schema):
            taken = batch.slice(skip, left)
            skip = max(0, skip - len(batch))
            left -= len(taken)
            batches.append(taken)
            if not left:
                break
        return pa.Table.from_batches(batches, schema=self.schema)

    def distinct(self, column: str) -> pa.Array:
        """The values of a column, null as the last where some are missing; of a dictionary also those that do not occur."""
        found = []
        for fragment in self.fragments:
            for batch in _batches(fragment, self.schema, columns=[column]):
                values = batch.column(0)
                if isinstance(values, pa.DictionaryArray):
                    found += [values.dictionary, pa.nulls(min(1, values.null_count), values.dictionary.type)]
                else:
                    found.append(pc.unique(values))
        values = pc.unique(pa.chunked_array(found))
        return pa.concat_arrays([values.drop_null(), pa.nulls(values.null_count, values.type)])

    def column_of(self, name: str, values: pa.Array) -> pd.Series:
        """`values` as pandas reads them from that column: same dtype, categories among them."""
        type_ = self.schema.field(name).type
        if pa.types.is_dictionary(type_):
            known = values.drop_null()
            codes = pa.array([*range(len(known)), *[None] * values.null_count], pa.int32())
            values = pa.DictionaryArray.from_arrays(codes, known, ordered=type_.ordered)
        categories = self.layout.get("categories", {}).get(str(self.schema.names.index(name)))
        column = pa.table({name: values}).replace_schema_metadata(self.schema.metadata)
        return frame_of(column, {"categories": {"0": categories}} if categories else {})[name]


def parquet_files(data: Any) -> list[Path] | None:
    """The Parquet files meant by a path or a list of paths, those of a directory sorted; None for data of another kind."""
    given = [data] if isinstance(data, (str, os.PathLike)) else data
    if not isinstance(given, (list, tuple)) or not given or not all(isinstance(p, (str, os.PathLike)) for p in given):
        return None
    paths = [Path(path).expanduser() for path in given]
    if len(paths) == 1 and not paths[0].is_dir() and paths[0].suffix.lower() != ".parquet":
        return None
    for path in paths:
        if not path.exists():
            siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
            raise DataError(f"Expected Parquet at {path}, found nothing{near_miss(path.name, siblings)} Check the path.")
    return paths


def open_parquet(paths: Sequence[Path], *, layout: dict[str, Any] | None = None) -> ParquetRows:
    """Rows of files and directories (also of `key=value` folders, as pyarrow writes them) in the order of their names."""
    datasets = []
    for path in paths:
        try:
            partitioning = pads.HivePartitioning.discover(infer_dictionary=True) if path.is_dir() else None
            datasets.append(pads.dataset(str(path), format="parquet", partitioning=partitioning))
            fragments = [f for d in datasets for f in sorted(d.get_fragments(), key=lambda fragment: fragment.path)]
            schema = pa.unify_schemas([datasets[0].schema, *_schemas(datasets)], promote_options="permissive")
        except (OSError, pa.ArrowException) as error:
            raise DataError(
                f"Expected Parquet files with the same columns at {path}, found: {error}. Check how they were written."
            ) from error
    rows = sum(group.num_rows for fragment in fragments for group in fragment.row_groups)
    if not rows:
        raise DataError(_NO_ROWS)
    return ParquetRows(fragments, schema, rows, layout or {})


def fingerprint(paths: Sequence[Path]) -> str:
    """SHA-256 over the names, sizes and times of the files: another one where data changed."""
    files = [f for path in paths for f in (sorted(path.rglob("*.parquet")) if path.is_dir() else [path])]
    stats = [(str(f), s.st_size, s.st_mtime_ns) for f in files for s in [f.stat()]]
    return hashlib.sha256(repr(stats).encode()).hexdigest()


def tables_of(data: Any, *, text: Sequence[str], label: str) -> tuple[Iterable[pa.Table], dict[str, Any], list[str] | None]:
    """Data in memory as Arrow tables, one after the other; the layout of its frame; the label names that it knows (`ClassLabel`).

    A `datasets.Dataset` is streamed from its files.
    """
    if isinstance(data, pa.Table):
        return [data], {}, None
    if type(data).__module__.split(".")[0] == "datasets" and hasattr(data, "num_rows") and not isinstance(data, Mapping):
        return data.with_format("arrow").iter(_MOST_ROWS), {}, getattr(data.features.get(label), "names", None)
    frame, names = read_frame(data, text=text, label=label)
    table, layout = table_of(callers_columns(frame))
    return [table], layout, names


def stage(tables: Iterable[pa.Table], folder: Path) -> Path:
    """One Parquet file of all the tables, where workers can read it; its name is the SHA-256 of its content."""
    folder.mkdir(exist_ok=True)
    path, written = folder / "rows.parquet", None
    try:
        for table in tables:
            written = written or pq.ParquetWriter(path, table.schema)
            written.write_table(table.cast(written.schema), row_group_size=_MOST_ROWS)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise ExportError(
            f"Expected to be able to write the rows into {folder} for the workers to read, found: {error}. Choose another `out`, "
            "or convert the column."
        ) from error
    finally:
        if written is not None:
            written.close()
    if written is None:
        raise DataError(_NO_ROWS)
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return path.rename(folder / f"{digest}.parquet")


def _schemas(datasets: Iterable[Any]) -> Iterator[pa.Schema]:
    for dataset in datasets:
        yield dataset.schema
        for fragment in dataset.get_fragments():
            yield fragment.physical_schema


def _batches(fragment: Any, schema: pa.Schema, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
    return fragment.to_batches(schema=schema, columns=columns, batch_size=_BATCH_ROWS, batch_readahead=2, use_threads=False)
