"""What the grid and the kernel say to each other, field by field: the one declaration of every message (verbs.py: of every verb).

`python js/write_messages.py` writes js/src/messages.ts and verbs.ts from these files; a test holds that they are current. So they
have only what TypeScript has too: constants, names for types, and TypedDicts. Sentences below a field become its comment there.
"""

from __future__ import annotations

from typing import Literal, TypedDict

VERSION = 1
"""Of the messages; a request of another version is refused."""

MOST_ROWS = 200
"""The longest page, and how many row states the answer to a decision holds."""

MOST_AT_ONCE = 100_000
"""The most rows in one decision of the grid."""

MOST_TEXT = 2_000
"""Characters of a text in a row, and of a search."""

MOST_PROBABILITIES = 150
"""Labels with a probability in a row: the most likely ones."""

MOST_COLUMN_TEXT = 200
"""Characters of a further column in a row."""

MOST_DUPLICATES = 50
"""Duplicates in an answer."""

Verdict = Literal["", "relabel", "keep", "unsure", "remove"]
"""What a reviewer says of a row; "": nothing yet."""

OpKind = Literal["relabel", "keep", "unsure", "remove", "clear", "note", "undo", "redo"]

Interval = tuple[float, float]
"""From, to."""


class Made(TypedDict):
    """Where the scores came from; every field is null and the model empty where only losses were handed in."""

    model: str
    in_sample: bool | None
    folds: int | None
    engine: str | None
    precision: str | None
    device: str | None
    created: str | None


class Sort(TypedDict):
    """A sort order to choose."""

    value: str
    name: str
    descending: bool
    """What comes first when this order is chosen."""


class Summary(TypedDict):
    """How far the review is."""

    rows: int
    reviewed: int
    relabel: int
    keep: int
    unsure: int
    remove: int
    wrong: int
    """Relabelled or removed."""
    precision: float | None
    """Of the rows that are wrong or kept, how many are wrong."""
    precision_last_50: float | None
    """The same among the last 50 reviewed, without those of a spot check."""
    judged_last_50: int
    """How many of those are wrong or kept."""
    errors_left: float | None
    """null until a spot check says something."""
    errors_left_interval: Interval | None
    unmatched: int
    """Rows that were reviewed and are not in this data."""
    can_undo: bool
    can_redo: bool


class Snapshot(TypedDict):
    """What the model's `snapshot` trait holds: no text of the data, because notebooks save traits."""

    version: int
    review: str
    """The same for the same rows on the same journal, whichever kernel and widget hold them."""
    content: str
    """What rows show ("text"): a kind of loss_widget/data/contents.py."""
    labels: str
    """What a label is ("one", "set"): a kind of loss_widget/data/label_space.py."""
    label_names: list[str]
    label_values: list[str | float | bool]
    """The labels as the label column writes them."""
    rows: int
    revision: int
    page_size: int
    read_only: str
    """Why nothing can be decided; empty where it can."""
    has_probs: bool
    has_predictions: bool
    sorts: list[Sort]
    text_columns: list[str]
    columns: list[str]
    """Further columns of the frame: the names of each row's `columns`."""
    quirks: dict[str, str]
    """The data issues of a row and what they mean, in the order of showing."""
    takes_new_labels: bool
    provenance: str
    made: Made
    summary: Summary
    """As it was when the widget was made."""


class Filter(TypedDict):
    """Which rows, in which order. The offset and the frozen order are added for each page."""

    sort: str
    descending: bool
    given: str | None
    predicted: str | None
    verdict: Verdict | None
    """null: any."""
    disagreements: bool
    loss_range: tuple[float | None, float | None] | None
    """Both ends included; null: an open end, because JSON has no infinity."""
    search: str | None
    search_regex: bool
    unlabelled: bool | None
    quirk: list[str] | None
    """Rows with all of these quirks."""
    spot_check: bool
    """Only the rows of the spot check, in the order of the draw whatever `sort` says."""


class Query(Filter):
    """A page of a filter."""

    offset: int
    limit: int
    as_of: int | None
    """The revision whose order is frozen; null: now."""


class RowState(TypedDict):
    """What a decision can change in a row."""

    row: int
    label: int | None
    verdict: Verdict
    note: str
    loss_after: float | None


class Row(RowState):
    """One example. Label ids are positions in `label_names` of the snapshot."""

    key: str
    """The hash of its text, as in `widget.changes`."""
    text: str
    pair: str | None
    text_cut: bool
    """Whether `text` or `pair` is only the beginning."""
    given: int | None
    predicted: int | None
    loss: float | None
    label_prob: float | None
    predicted_prob: float | None
    probabilities: list[tuple[int, float]] | None
    """Label and probability, most likely first, at most `MOST_PROBABILITIES`; null without probabilities."""
    note_of_score: str
    margin: float | None
    """Probability of the given label less that of the most likely other one."""
    tokens: int | None
    unknown_tokens: int | None
    truncated: bool | None
    quirks: list[str]
    columns: list[str]
    """One text for each of the snapshot's `columns`, cut at `MOST_COLUMN_TEXT` characters."""


ProblemKind = Literal["input", "stale", "read_only", "journal", "internal"]


class Problem(TypedDict):
    """Why something was refused."""

    kind: ProblemKind
    message: str


_From = TypedDict("_From", {"from": list[int | None] | None})


class Op(_From):
    """A decision. `from` has the label that each row has as the browser believes; where it has another, the op is stale."""

    op_id: str
    kind: OpKind
    rows: list[int]
    label: int | None
    note: str | None


class QueryOp(Op):
    """A verdict on every row of a query; `rows` is empty. Its `as_of` and `count` are what a preview said."""

    query: Query
    count: int


class OpTaken(TypedDict):
    """The answer to an op that was taken: it is saved."""

    op_id: str
    ok: Literal[True]
    duplicate: bool
    """Whether the kernel had seen this op id before."""
    rows: list[RowState]
    """The first `MOST_ROWS` rows of the op, those left alone last. With more, the page on screen must be asked for again."""
    touched: int
    left_alone: int
    """Rows that were changed since they were seen."""
    revision: int
    said: str
    """What happened, in a sentence."""


class OpRefused(TypedDict):
    """The answer to an op that was refused: nothing has changed."""

    op_id: str
    ok: Literal[False]
    error: Problem
    rows: list[RowState]
    """The true states."""


OpResult = OpTaken | OpRefused


class LossHistogram(TypedDict):
    """edges[i] <= loss < edges[i + 1]; the last bin holds the tail. The edges do not depend on the filter."""

    edges: list[float]
    rows: list[int]
    reviewed: list[int]
    missing: int
    """Rows without a loss."""


class Cell(TypedDict):
    """A pair of a given and a predicted label."""

    given: int
    predicted: int
    rows: int
    reviewed: int
    wrong: int


class Confusion(TypedDict):
    """The confusion matrix: the largest cells where the labels differ, and those where they agree."""

    cells: list[Cell]
    total: int
    """Cells where the labels differ, of which `cells` has at most 300."""
    rows: int
    """Rows in all cells where the labels differ."""
    diagonal: list[Cell]


class Facets(TypedDict):
    """How many rows there would be with each filter set."""

    rows: int
    verdicts: dict[Verdict, int]
    disagreements: int
    quirks: dict[str, int]
    pending: list[str]
    """Quirks that are still being looked for: ask again."""


class ErrorsLeft(TypedDict):
    """What a spot check says so far; the last four numbers are null until `needed` is 0."""

    drawn: int
    judged: int
    wrong: int
    kept: int
    needed: int
    population: int
    found: int
    unreviewed: int
    error_rate: float | None
    error_rate_interval: Interval | None
    errors_left: float | None
    errors_left_interval: Interval | None
    said: str
    """All of it in sentences."""


class LossBand(TypedDict):
    """low <= loss < high; high null: no end."""

    low: float
    high: float | None
    rows: int
    reviewed: int
    wrong: int
    keep: int
    precision: float | None


class Progress(TypedDict):
    """Errors found against rows reviewed, precision by loss, and what a spot check says."""

    curve: list[tuple[int, int]]
    """Rows reviewed, and how many of them are wrong."""
    bands: list[LossBand]
    """Highest loss first."""
    errors_left: ErrorsLeft | None


class Preview(TypedDict):
    """What a decision on many rows would be on."""

    total: int
    verdicts: dict[Verdict, int]
    revision: int
    rows: list[Row]
    """The first ten."""


class PageResult(TypedDict):
    """A slice of the rows of a filter."""

    offset: int
    total: int | None
    """null: not counted yet, ask `count`."""
    revision: int
    """The frozen order that this page is a slice of."""
    quirks_known: bool
    """false: some quirks were not looked for yet; ask `facets` until none is pending, and then this page again."""
    rows: list[Row]
