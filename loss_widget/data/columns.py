"""Finding a column in a frame, and naming those that no file can hold."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pyarrow as pa

from loss_widget.errors import ColumnError, listing, near_miss


def text_names(text: str | Sequence[str]) -> tuple[str, ...]:
    """The name of one text column, or of a pair of them for sentence-pair models."""
    if isinstance(text, str):
        return (text,)
    if not isinstance(text, Sequence):
        raise ColumnError(
            f"Expected text as the name of a column or a pair of names, found {text!r}. Rename the column if need be."
        )
    pair = tuple(text)
    if len(pair) not in (1, 2):
        raise ColumnError(f"Expected one text column or a pair of them, found {len(pair)}: {listing(pair)}.")
    return pair


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
