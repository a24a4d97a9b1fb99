"""Any labelled data as Examples: the caller's frame, what its rows show, its given labels, and a content key for each row."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from loss_widget.data.columns import column_position
from loss_widget.data.contents import ContentColumns, Contents
from loss_widget.data.files import advice_on_header, read_frame
from loss_widget.data.label_advice import check_label_column
from loss_widget.data.label_space import GivenLabels, kind_of
from loss_widget.data.texts import content_columns
from loss_widget.errors import ColumnError, DataError, InputError


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
    head: str | None = "softmax",
) -> Examples:
    """Examples of a pandas or polars DataFrame, a pyarrow Table, a `datasets.Dataset`, a list of dicts, or a file.

    `head`: what makes the probabilities that are to judge the labels ("softmax", "sigmoid"), where that is known already: labels
    that it cannot judge are refused. Raises `DataError` for anything else or for no rows, `ColumnError` for a column that is not
    there, `LabelError` for labels that are none. `data` is not modified.
    """
    shown = content_columns(text)
    frame, names = read_frame(data, text=shown.names, label=label)
    if not len(frame):
        raise DataError(
            "Expected a dataset with at least one row, found an empty one. Check the filter or the file it came from."
        )
    with _advice_for_a_file(data):
        return _examples_of(frame, names, shown, label, label_names=label_names, head=head)


def _examples_of(
    frame: pd.DataFrame,
    names: Sequence[str] | None,
    shown: ContentColumns,
    label: str,
    *,
    label_names: Sequence[str] | None,
    head: str | None,
) -> Examples:
    for name in (*shown.names, label):
        try:
            column_position(frame, name)
        except ColumnError as error:
            hint = advice_on_header(frame, texts=len(shown.names))
            raise DataError(hint) if hint else error from None
    is_told = label_names is not None
    column = frame.iloc[:, column_position(frame, label)]
    check_label_column(column, label_names)
    given = kind_of(column).read(column, label_names=label_names if is_told else names, by_position=not is_told)
    contents, notes = shown.read(frame)
    given = given if head is None else given.for_head(head)
    return Examples(frame, shown, label, contents, given, contents.keys(), notes)


@contextmanager
def _advice_for_a_file(data: Any) -> Iterator[None]:
    """Advice on `data[...]` begins with reading the file, where `data` is the path of one."""
    try:
        yield
    except InputError as error:
        if isinstance(data, (str, os.PathLike)) and "`data[" in str(error):
            raise type(error)(f"{error} Of a file, `data` is `data = lw.read({os.fspath(data)!r})`.") from error
        raise
