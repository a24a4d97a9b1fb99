"""Scores on disk: one Parquet file with the frame, the log-probabilities, the content keys and the provenance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from loss_widget.data.arrow import is_dtype_name
from loss_widget.data.atomic_file import replacing
from loss_widget.data.columns import unstorable
from loss_widget.data.contents import restored_columns, stored_columns
from loss_widget.data.label_space import kind_called
from loss_widget.data.texts import content_columns
from loss_widget.errors import DataError, ExportError, listing, near_miss
from loss_widget.scores.state import ScoresState

META = b"loss_widget"
OWN = ("__given_id__", "__key__", "__log_probs__")


def write_scores(scores: ScoresState, path: Path) -> Path:
    """Everything that makes Scores, in one file."""
    table, layout = table_of(scores.frame)
    return write_table(scores, table, layout, path)


def write_table(scores: ScoresState, table: pa.Table, layout: dict[str, Any], path: Path) -> Path:
    """Write `table`, which holds the frame of `scores` as Arrow, with what else makes it a file of Scores."""
    given, labels = scores.labels.space.stored(scores.labels.ids)
    flat = pa.array(scores.log_probs.reshape(-1))
    for name, column in zip(
        OWN,
        (
            given,
            pa.array(scores.keys),
            pa.FixedSizeListArray.from_arrays(flat, scores.log_probs.shape[1]),
        ),
        strict=True,
    ):
        table = table.append_column(name, column)
    meta = {
        "version": 1,
        "content": stored_columns(scores.shown),
        "label": scores.label,
        "label_kind": scores.labels.space.kind,
        **labels,
        "columns": scores.columns,
        "provenance": scores.provenance,
        "attrs": scores.frame.attrs,
        "layout": layout,
    }
    try:
        written = json.dumps(meta, default=str).encode()
    except (TypeError, ValueError) as error:
        raise ExportError(
            f"Expected `scores.frame.attrs` and `scores.provenance` to be dicts with names as keys, found: {error}. Nothing was "
            "written; change or clear them."
        ) from error
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), META: written})
    try:
        with replacing(path, overwrite=True) as temporary:
            pq.write_table(table, temporary)
    except (OSError, pa.ArrowException) as error:
        raise ExportError(
            f"Expected to be able to write {path}, found: {error}. Nothing was written; choose another folder or name."
        ) from error
    return path


def read_scores(path: Path) -> ScoresState:
    """What `write_scores` wrote."""
    return state_of(*read_table(path))


def read_table(path: Path, columns: list[str] | None = None) -> tuple[pa.Table, dict[str, Any]]:
    """A file of Scores as Arrow (all `columns` or some), and its metadata."""
    if not path.exists():
        siblings = [other.name for other in path.parent.glob("*.parquet")]
        raise DataError(f"Expected Scores saved at {path}, found no such file{near_miss(path.name, siblings)} Check the path.")
    try:
        table = pq.read_table(path, columns=columns, partitioning=None)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"Expected a Parquet file written by Scores.save at {path}, found: {error}") from error
    written = (table.schema.metadata or {}).get(META)
    if written is None or not all(name in table.column_names for name in columns or OWN):
        raise DataError(
            f"Expected a file written by Scores.save, found another Parquet file: {path}. Use `lw.score` or `Scores.from_probs`."
        )
    return table, json.loads(written)


def state_of(table: pa.Table, meta: dict[str, Any]) -> ScoresState:
    """What a table and metadata hold, as `read_table` gives them."""
    given, keys, stored = (table.column(name).combine_chunks() for name in OWN)
    frame = frame_of(table.drop_columns(list(OWN)), meta.get("layout", {}))
    frame.attrs.update(meta["attrs"])
    shown = restored_columns(meta["content"]) if "content" in meta else content_columns(meta["text"])
    kind = meta.get("label_kind") or ("set" if pa.types.is_fixed_size_list(given.type) else "one")
    labels = kind_called(kind).restored(given, meta)
    return ScoresState(
        frame=frame,
        shown=shown,
        label=meta["label"],
        contents=shown.read(frame)[0],
        labels=labels,
        log_probs=_values(stored).reshape(len(frame), -1),
        keys=np.asarray(keys),
        columns=tuple(meta["columns"]),
        provenance=meta["provenance"],
    )


def table_of(frame: pd.DataFrame) -> tuple[pa.Table, dict[str, Any]]:
    """The frame as Arrow, and what Arrow does not keep of it: odd index names, categories of numbers, nested Arrow types."""
    taken = [name for name in OWN if name in frame.columns]
    if taken:
        raise ExportError(f"Expected the column names {listing(taken)} to be free, found them in the frame. Rename them first.")
    layout: dict[str, Any] = {"categories": {}, "nested": [], "lists": _columns_of_lists(frame)}
    frame = frame.copy(deep=False)
    frame.attrs = {}  # they go with our own metadata
    if not all(isinstance(name, str) for name in frame.columns):
        layout["columns"] = frame.columns.tolist()
        frame.columns = pd.Index([str(name) for name in frame.columns], name=frame.columns.name)
    if any(name is not None and not isinstance(name, str) for name in frame.index.names):
        layout["index_names"] = list(frame.index.names)
        frame.index = frame.index.set_names([None] * frame.index.nlevels)
    for position, dtype in enumerate(frame.dtypes):
        if isinstance(dtype, pd.CategoricalDtype) and dtype.categories.dtype.kind in "iufb":
            kind = str(dtype.categories.dtype)
            layout["categories"][str(position)] = [dtype.categories.tolist(), kind, bool(dtype.ordered)]
    try:
        table = pa.Table.from_pandas(frame)
        written = json.loads(table.schema.metadata[b"pandas"])
        for position, column in enumerate(written["columns"][: frame.shape[1]]):
            if isinstance(frame.dtypes.iloc[position], pd.ArrowDtype) and not is_dtype_name(column["numpy_type"]):
                column["numpy_type"] = "object"
                layout["nested"].append(position)
        table = table.replace_schema_metadata({**table.schema.metadata, b"pandas": json.dumps(written).encode()})
        frame_of(table.slice(0, 1), layout)
    except (pa.ArrowException, ValueError, TypeError, OverflowError, NotImplementedError) as error:
        found = unstorable(frame) or _unreadable(frame) or error
        raise ExportError(
            f"Expected columns that Parquet can hold, found {found}. Nothing was written; change or drop it in `scores.frame`."
        ) from error
    return table, layout


def frame_of(table: pa.Table, layout: dict[str, Any]) -> pd.DataFrame:
    """The frame that `table_of` made a table and a layout of."""
    frame = table.to_pandas()
    for position in layout.get("nested", ()):
        frame.isetitem(position, pd.Series(pd.arrays.ArrowExtensionArray(table.column(position)), index=frame.index))
    for position in layout.get("lists", ()):  # Arrow gives arrays back
        lists = [value if value is None else value.tolist() for value in frame.iloc[:, position]]
        frame.isetitem(position, pd.Series(lists, index=frame.index, dtype=object))
    for position, (values, kind, ordered) in layout.get("categories", {}).items():
        dtype = pd.CategoricalDtype(pd.Index(values, dtype=kind), ordered=ordered)
        frame.isetitem(int(position), frame.iloc[:, int(position)].astype(dtype))
    if "index_names" in layout:
        frame.index = frame.index.set_names(_names(layout["index_names"]))
    if "columns" in layout:
        frame.columns = pd.Index(_names(layout["columns"]), name=frame.columns.name, tupleize_cols=False)
    return frame


def _columns_of_lists(frame: pd.DataFrame) -> list[int]:
    """The columns of Python lists of single values."""

    def flat(value: Any) -> bool:
        return value is None or (isinstance(value, list) and not any(isinstance(v, (list, dict, np.ndarray)) for v in value))

    objects = (position for position, dtype in enumerate(frame.dtypes) if pd.api.types.is_object_dtype(dtype))
    columns = ((position, frame.iloc[:, position]) for position in objects)
    return [position for position, column in columns if column.map(flat).all() and not column.isna().all()]


def _names(stored: list[Any]) -> list[Any]:
    return [tuple(name) if isinstance(name, list) else name for name in stored]  # JSON has no tuples


def _unreadable(frame: pd.DataFrame) -> str:
    """The column that Arrow takes but does not give back, with the reason."""
    for position, name in enumerate(frame.columns):
        try:
            pa.Table.from_pandas(frame.iloc[:1, [position]], preserve_index=False).to_pandas()
        except (pa.ArrowException, ValueError, TypeError, NotImplementedError) as error:
            return f"column {name!r} of {frame.dtypes.iloc[position]}, which cannot be read back ({error})"
    return ""


def _values(column: pa.ChunkedArray | pa.FixedSizeListArray) -> np.ndarray:
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    return np.concatenate([np.asarray(chunk.flatten()) for chunk in chunks])
