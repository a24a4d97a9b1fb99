"""Any labelled data as Examples: the caller's frame, what its rows show, its given labels, and a content key for each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from loss_widget.data.columns import column_position
from loss_widget.data.contents import ContentColumns, Contents
from loss_widget.data.files import read_frame
from loss_widget.data.label_sets import holds_label_sets, read_label_sets
from loss_widget.data.labels import GivenLabels, read_labels
from loss_widget.data.texts import content_columns
from loss_widget.errors import DataError, LabelError


@dataclass(frozen=True)
class Examples:
    """Labelled rows, read once.

    `frame`: the caller's columns, index and order. `contents`: what the rows show, of the columns `shown` (`notes` says what was
    odd). `given`: the label column. `keys`: (n,) uint64, a hash of each row's contents that survives re-ordering.
    """

    frame: pd.DataFrame
    shown: ContentColumns
    label: str
    contents: Contents
    given: GivenLabels
    keys: np.ndarray
    notes: Mapping[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.frame)


def read_examples(
    data: Any,
    *,
    text: str | Sequence[str] | ContentColumns = "text",
    label: str = "label",
    label_names: Sequence[str] | None = None,
    label_sets: bool = False,
) -> Examples:
    """Examples of a pandas or polars DataFrame, a pyarrow Table, a `datasets.Dataset`, a list of dicts, or a file.

    `label_sets`: a label column of lists is read as `GivenLabelSets`; else it is refused. Raises `DataError` for anything else or
    for no rows, `ColumnError` for a column that is not there. `data` is not modified.
    """
    shown = content_columns(text)
    frame, names = read_frame(data, text=shown.names, label=label)
    if not len(frame):
        raise DataError(
            "Expected a dataset with at least one row, found an empty one. Check the filter or the file it came from."
        )
    for name in (*shown.names, label):
        column_position(frame, name)
    told = label_names is not None
    read = read_label_sets if label_sets and holds_label_sets(frame[label]) else _read_given
    given = read(frame[label], label_names=label_names if told else names, by_position=not told)
    contents, notes = shown.read(frame)
    return Examples(frame, shown, label, contents, given, contents.keys(), notes)


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
