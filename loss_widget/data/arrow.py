"""Arrow tables as DataFrames and back, so that no value and no column type changes on the way.

pandas has no place for some of what Arrow can say: integers beside nulls, NaN beside null, the width of a dictionary's codes,
metadata of a schema. What it has no place for waits in `DataFrame.attrs` for the way back.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from loss_widget.data.columns import CannotHold, array_of

NOTE = "loss_widget"
"""The key of `DataFrame.attrs` under which the format of a frame's source is noted; it never leaves with a file."""

_PANDAS, _ATTRS, _DTYPES = b"pandas", b"PANDAS_ATTRS", b"loss_widget.dtypes"


def noted(frame: pd.DataFrame, name: str) -> Any:
    """What is noted of the frame's source under this name."""
    try:
        notes = json.loads(frame.attrs.get(NOTE, "{}"))
    except (TypeError, ValueError):  # somebody else's
        return None
    return notes.get(name) if isinstance(notes, Mapping) else None


def note(frame: pd.DataFrame, name: str, value: Any) -> pd.DataFrame:
    """The frame, with a note on its source: a string, for pandas copies attrs deeply with every step."""
    frame.attrs[NOTE] = json.dumps({name: value})
    return frame


def own_attrs(frame: pd.DataFrame) -> dict[Any, Any]:
    """The attrs of the frame without our note."""
    return {key: value for key, value in frame.attrs.items() if key != NOTE}


def frame_of_table(table: pa.Table) -> pd.DataFrame:
    """A DataFrame of the same values; `table_of_frame` makes the same table of it again."""
    metadata = table.schema.metadata or {}
    stored = (table.schema.pandas_metadata or {}) if _PANDAS in metadata else {}
    in_index = {name for name in stored.get("index_columns", ()) if isinstance(name, str)}
    by_pandas = {c.get("field_name") for c in stored.get("columns", ()) if _is_extension(c.get("numpy_type"))}
    objects = {c.get("field_name") for c in stored.get("columns", ()) if c.get("numpy_type") == "object"}
    columns = [j for j, name in enumerate(table.column_names) if name not in in_index]
    plain, nameless = _with_names_that_pandas_knows(table)
    odd = {}
    for j in columns:
        name, column = table.column_names[j], table.column(j)
        kept = _objects(column) if name in objects and _is_scalar(column.type) else _kept(column)
        if name in nameless:
            odd[j] = _as_arrow(column)
        elif name not in by_pandas and kept is not None:
            odd[j] = kept
    for j in odd:
        plain = plain.set_column(j, table.field(j).name, pa.nulls(len(table)))
    frame = plain.to_pandas()
    for place, j in enumerate(columns):
        if j in odd:
            frame.isetitem(place, _series(odd[j], frame.index))
    for name, forgotten in json.loads(metadata.get(_DTYPES, b"{}")).items():
        place, column = frame.columns.get_loc(name), table.column(name)
        if forgotten == "object":
            values = _objects(column)
        elif forgotten == "arrow":
            values = _as_arrow(column)
        else:
            categories, dtype, ordered = forgotten
            values = frame.iloc[:, place].astype(pd.CategoricalDtype(pd.Index(categories, dtype=dtype), ordered))
        frame.isetitem(place, _series(values, frame.index))
    frame.attrs = json.loads(metadata[_ATTRS]) if _ATTRS in metadata else dict(frame.attrs)
    schema = table.schema.with_metadata({k: v for k, v in metadata.items() if k not in (_PANDAS, _ATTRS, _DTYPES)})
    schema = pa.schema([schema.field(j) for j in columns], schema.metadata)
    nans = [table.column_names[j] for j in columns if _has_nan(table.column(j))]
    packed = base64.b64encode(schema.serialize().to_pybytes()).decode()
    return note(frame, "arrow", {"schema": packed, "pandas": _PANDAS in metadata, "nans": nans})


def table_of_frame(frame: pd.DataFrame, *, index: bool) -> pa.Table:
    """The frame as Arrow, each column in the type it came in where its values still fit; with `index`, pandas finds it again.

    `CannotHold` names the column, or the entry of `attrs`, that has no place.
    """
    names = [str(name) for name in frame.columns]
    twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if twice is not None:
        raise CannotHold(f"several columns named {twice!r}; name them anew by `df.columns = [...]`")
    source = noted(frame, "arrow") or {}
    schema = _schema(source.get("schema"))
    known = {} if schema is None else {field.name: field for field in schema}
    arrays, fields, dtypes = [], [], {}
    for place, name in enumerate(names):
        column = frame.iloc[:, place]
        array, field = _array_and_field(column, name, known.get(name), nan=name in source.get("nans", ()))
        arrays.append(array)
        fields.append(field)
        if (forgotten := _what_parquet_forgets(column.dtype, array.type)) is not None:
            dtypes[name] = forgotten
    metadata = dict(schema.metadata or {}) if schema is not None else {}
    if index or schema is None or source.get("pandas") or not all(isinstance(name, str) for name in frame.columns):
        inner = _index_and_metadata(frame, index=index)
        arrays += inner.columns
        fields += list(inner.schema)
        metadata[_PANDAS] = inner.schema.metadata[_PANDAS]
    if attrs := own_attrs(frame):
        metadata[_ATTRS] = _as_json(attrs)
    if dtypes:
        metadata[_DTYPES] = json.dumps(dtypes).encode()
    return pa.table(arrays, pa.schema(fields, metadata or None))


def _kept(column: pa.ChunkedArray) -> Any:
    """The values of a column that `to_pandas` would change, in a form that keeps them; None where it changes nothing."""
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return _NULLABLE[str(kind)].__from_arrow__(column) if column.null_count else None
    if pa.types.is_floating(kind):
        return _as_arrow(column) if column.null_count and _has_nan(column, beside_null=True) else None
    if pa.types.is_struct(kind):
        return _objects(column)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        inner = kind.value_type
        simple = pa.types.is_primitive(inner) or pa.types.is_string(inner) or pa.types.is_large_string(inner)
        return None if simple and not pc.list_flatten(column).null_count else _objects(column)
    if any(test(kind) for test in _AS_THEY_ARE):
        return None
    return _as_arrow(column)


def _is_scalar(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))


def _objects(column: pa.ChunkedArray) -> np.ndarray:
    objects = np.empty(len(column), dtype=object)
    objects[:] = column.to_pylist()
    return objects


def _series(values: Any, index: pd.Index) -> pd.Series:
    return pd.Series(values, index=index, dtype=object if isinstance(values, np.ndarray) else None)  # else pandas infers strings


def _as_arrow(column: pa.ChunkedArray) -> Any:
    return pd.arrays.ArrowExtensionArray(column)


def _has_nan(column: pa.ChunkedArray, *, beside_null: bool = False) -> bool:
    if not pa.types.is_floating(column.type) or (column.null_count and not beside_null):
        return False
    return bool(pc.any(pc.is_nan(column)).as_py())


def _array_and_field(column: pd.Series, name: str, field: pa.Field | None, *, nan: bool) -> tuple[pa.Array, pa.Field]:
    if field is None:
        array = array_of(column, name)
        return array, pa.field(name, array.type)
    try:
        array = _in_type(column, field.type, nan=nan)
    except (pa.ArrowException, ValueError, TypeError, OverflowError):  # it holds something new
        array = array_of(column, name)
        return array, pa.field(name, array.type)
    return array, field if field.nullable or not array.null_count else field.with_nullable(True)


def _in_type(column: pd.Series, kind: pa.DataType, *, nan: bool) -> pa.Array:
    if pa.types.is_dictionary(kind):
        plain = pa.array(column)
        plain = plain.dictionary_encode() if not pa.types.is_dictionary(plain.type) else plain
        values = plain.dictionary.cast(kind.value_type)
        return pa.DictionaryArray.from_arrays(plain.indices.cast(kind.index_type), values, ordered=kind.ordered)
    array = pa.array(column, from_pandas=not nan) if _is_typed(column) else pa.array(column, type=kind, from_pandas=True)
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    return array if array.type == kind else array.cast(kind)


def _is_typed(column: pd.Series) -> bool:
    return column.dtype != object


def _index_and_metadata(frame: pd.DataFrame, *, index: bool) -> pa.Table:
    """The index as columns (none without `index`), with the metadata by which pandas finds it, and its own dtypes, again."""
    try:
        levels = pa.Table.from_pandas(_without_attrs(frame[[]] if not frame.columns.empty else frame), preserve_index=index)
        first = pa.Table.from_pandas(_without_attrs(frame.head(1)), preserve_index=index)
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise CannotHold(f"an index or columns that Arrow has no place for ({str(error).rstrip('.')})") from error
    first, _ = _with_names_that_pandas_knows(first)
    names = first.column_names[len(first.column_names) - levels.num_columns :]  # an index named like a column has another name
    return levels.rename_columns(names).replace_schema_metadata(first.schema.metadata)


def _without_attrs(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.copy(deep=False)
    frame.attrs = {}
    return frame


def _as_json(attrs: Mapping[Any, Any]) -> bytes:
    for key, value in attrs.items():
        try:
            json.dumps({key: value})
        except (TypeError, ValueError) as error:
            raise CannotHold(
                f"`attrs[{key!r}]` of {type(value).__name__} ({error}), which travels with the data; take it out by "
                f"`del df.attrs[{key!r}]`"
            ) from error
    return json.dumps(dict(attrs)).encode()


def _schema(packed: Any) -> pa.Schema | None:
    if not isinstance(packed, str):
        return None
    schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(packed)))
    return schema if len(set(schema.names)) == len(schema.names) else None


def _what_parquet_forgets(dtype: Any, kind: pa.DataType) -> Any:
    """What tells a dtype that neither Parquet nor pandas' metadata does: categories of numbers, Arrow's strings, str objects."""
    if isinstance(dtype, np.dtype) and dtype.kind == "O":
        return "object" if pa.types.is_string(kind) or pa.types.is_large_string(kind) else None
    if isinstance(dtype, pd.CategoricalDtype) and dtype.categories.dtype.kind in "iufb":
        return [dtype.categories.tolist(), str(dtype.categories.dtype), bool(dtype.ordered)]
    is_arrow = isinstance(dtype, pd.ArrowDtype) and (str(dtype) == "string[pyarrow]" or pa.types.is_dictionary(kind))
    return "arrow" if is_arrow else None


def is_dtype_name(name: object) -> bool:
    """Whether pandas can make a dtype of this name; of Arrow's dictionaries, lists and structs it writes names that it cannot."""
    try:
        pd.api.types.pandas_dtype(name)
    except (TypeError, ValueError, NotImplementedError):
        return False
    return True


def _with_names_that_pandas_knows(table: pa.Table) -> tuple[pa.Table, set[str]]:
    """The table without names of dtypes that pandas wrote and cannot read, and the columns that had them."""
    metadata = table.schema.metadata or {}
    if _PANDAS not in metadata:
        return table, set()
    stored = json.loads(metadata[_PANDAS])
    nameless = [c for c in stored["columns"] if not is_dtype_name(c.get("numpy_type"))]
    for column in nameless:
        column["numpy_type"] = "object"
    written = {**metadata, _PANDAS: json.dumps(stored).encode()}
    return table.replace_schema_metadata(written), {column.get("field_name") for column in nameless}


def _is_extension(dtype: Any) -> bool:
    """Whether pandas makes a dtype of its own of this name."""
    try:
        return isinstance(pd.api.types.pandas_dtype(dtype), pd.api.extensions.ExtensionDtype)
    except (TypeError, ValueError):
        return False


_NULLABLE: dict[str, Any] = {
    "bool": pd.BooleanDtype(),
    **{f"int{bits}": getattr(pd, f"Int{bits}Dtype")() for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": getattr(pd, f"UInt{bits}Dtype")() for bits in (8, 16, 32, 64)},
}

_AS_THEY_ARE = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_fixed_size_binary,
    pa.types.is_dictionary,
    pa.types.is_timestamp,
    pa.types.is_duration,
    pa.types.is_date32,
    pa.types.is_decimal,
    pa.types.is_null,
    lambda kind: pa.types.is_time(kind) and kind.unit != "ns",
    lambda kind: isinstance(kind, pa.BaseExtensionType),  # pandas' own, those of datasets
)
