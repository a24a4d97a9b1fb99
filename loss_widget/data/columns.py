"""Finding a column in a frame, and naming those that no file can hold."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from loss_widget.errors import ColumnError, listing, near_miss


class CannotHold(ValueError):
    """A value that a kind of file cannot hold, in words that end "Expected data that … can hold, found"."""


def text_names(text: str | Sequence[str]) -> tuple[str, ...]:
    """The name of one text column, or of a pair of them for sentence-pair models."""
    if isinstance(text, str):
        return (text,)
    if not isinstance(text, Sequence) or not all(isinstance(name, str) for name in text):
        raise ColumnError(
            f"Expected text as the name of a column or a pair of names, found {_kind(text)}. {_by_name(text, 'text')}"
        )
    pair = tuple(text)
    if len(pair) not in (1, 2):
        raise ColumnError(f"Expected one text column or a pair of them, found {len(pair)}: {listing(pair)}.")
    return pair


def column_position(frame: pd.DataFrame, name: str, *, argument: str = "`text=` or `label=`") -> int:
    """Where a column stands; `ColumnError` names near misses, ambiguous names, and the `argument` that should name another."""
    if not isinstance(name, Hashable):
        raise ColumnError(f"Expected the name of a column, found {_kind(name)}. {_by_name(name, 'label')}")
    if name not in frame.columns:
        raise ColumnError(
            f"Expected a column {name!r}, found {listing(frame.columns)}{near_miss(name, frame.columns)} "
            f"Say which column it is with {argument}."
        )
    position = frame.columns.get_loc(name)
    if not isinstance(position, int):
        raise ColumnError(f"Expected one column {name!r}, found several of that name. Rename all but one of them.")
    return position


def put_values(frame: pd.DataFrame, position: int, rows: Sequence[int], values: Sequence[Any]) -> None:
    """Write values into rows of a column and leave every other row, the dtype and the frame itself as they are.

    Categories are added where they are missing. `TypeError` or `ValueError` for values that the dtype cannot hold.
    """
    dtype = frame.dtypes.iloc[position]  # a Series that is held would make pandas copy the column before it writes
    if isinstance(dtype, pd.CategoricalDtype):
        new = [v for v in dict.fromkeys(values) if not pd.isna(v) and v not in dtype.categories]
        if new:
            frame.isetitem(position, frame.iloc[:, position].cat.add_categories(new))
            dtype = frame.dtypes.iloc[position]
    if isinstance(dtype, pd.ArrowDtype) and pa.types.is_dictionary(dtype.pyarrow_dtype):
        # pandas 3.1 moves other rows when it writes single cells of such a column.
        cells = frame.iloc[:, position].tolist()
        for row, value in zip(rows, values, strict=True):
            cells[row] = value
        frame.isetitem(position, pd.Series(pd.array(cells, dtype=dtype), index=frame.index))
    elif isinstance(dtype, pd.api.extensions.ExtensionDtype):
        frame.iloc[list(rows), position] = pd.array(list(values), dtype=dtype)
    else:
        frame.iloc[list(rows), position] = np.fromiter(values, dtype=dtype, count=len(values))


def _kind(value: object) -> str:
    """A value in few words: a Series, an array or a list is not printed."""
    return f"{value!r}" if isinstance(value, (int, float, str, tuple)) else f"a {type(value).__name__}"


def _by_name(value: object, argument: str) -> str:
    if isinstance(value, int):
        return f"Name the columns first by `data = data.rename(columns=str)`, then pass `{argument}={str(value)!r}`."
    name = getattr(value, "name", None)
    return f"Pass the column's name: `{argument}={(name if isinstance(name, str) else argument)!r}`."


def array_of(values: Any, name: object, kind: pa.DataType | None = None) -> pa.Array:
    """Values of a column as one Arrow array; `CannotHold` names the column and a remedy."""
    try:
        array = pa.array(values, type=kind, from_pandas=True)
    except UnicodeEncodeError as error:
        raise CannotHold(_surrogates(name)) from error
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise CannotHold(_no_kind(name, error)) from error
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def unstorable(frame: pd.DataFrame, *, only_text: bool = False) -> str:
    """What Arrow cannot hold of a frame, column by column with the remedy; "" where it can hold all. `only_text`: as UTF-8."""
    said = []
    for position, name in enumerate(frame.columns):
        try:
            pa.array(frame.iloc[:, position], from_pandas=True)
        except UnicodeEncodeError:
            said.append(_surrogates(name))
        except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
            if not only_text:
                said.append(_no_kind(name, error))
    return "; ".join(said)


def _surrogates(name: object) -> str:
    fix = f"df[{name!r}] = df[{name!r}].str.encode('utf-8', 'replace').str.decode('utf-8')"
    return f"column {name!r} with lone surrogates, which no file can hold; replace them by `{fix}`"


def _no_kind(name: object, error: Exception) -> str:
    reason = str(error.args[0] if error.args else error).rstrip(".")
    return f"column {name!r}: {reason}; convert it by `df[{name!r}] = df[{name!r}].astype(str)`"
