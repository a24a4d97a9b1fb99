"""What the grid can ask, and what is answered: each verb with its arguments and its result. See messages.py."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from loss_widget.widget.messages import (
    Confusion,
    ErrorsLeft,
    Facets,
    LossHistogram,
    Op,
    OpResult,
    PageResult,
    Preview,
    Progress,
    Query,
    QueryOp,
    Row,
    Summary,
)


class Total(TypedDict):
    total: int


class Text(TypedDict):
    text: str
    pair: str | None


class Exported(TypedDict):
    path: str
    rows: int


class Duplicates(TypedDict):
    """The other rows with the same words, at most `MOST_DUPLICATES` of `total`."""

    total: int
    rows: list[Row]


class Decided(TypedDict):
    results: list[OpResult]
    summary: Summary


class SpotChecked(TypedDict):
    errors_left: ErrorsLeft
    summary: Summary


class LabelAdded(TypedDict):
    label: int
    label_names: list[str]


class Nothing(TypedDict):
    pass


class ExportTo(TypedDict):
    """A new file in the kernel's working directory."""

    name: NotRequired[str]
    """Without separators, with an ending that can be written; else `corrected.parquet`."""


class OfQuery(TypedDict):
    query: Query


class OfRow(TypedDict):
    row: int


class OfRows(TypedDict):
    rows: list[int]


class Ops(TypedDict):
    ops: list[Op | QueryOp]


class Draw(TypedDict):
    """Draw so many rows at random, or enlarge the existing sample to them; `anew` forgets it."""

    rows: int
    anew: bool


class Name(TypedDict):
    name: str


class Verbs:
    """What can be asked: each verb with its arguments and its result."""

    page: tuple[OfQuery, PageResult]
    count: tuple[OfQuery, Total]
    decide: tuple[Ops, Decided]
    text: tuple[OfRow, Text]
    summary: tuple[Nothing, Summary]
    export: tuple[ExportTo, Exported]
    histogram: tuple[OfQuery, LossHistogram]
    confusion: tuple[OfQuery, Confusion]
    facets: tuple[OfQuery, Facets]
    duplicates: tuple[OfRow, Duplicates]
    preview: tuple[OfQuery | OfRows, Preview]
    progress: tuple[Nothing, Progress]
    spot_check: tuple[Draw, SpotChecked]
    add_label: tuple[Name, LabelAdded]
