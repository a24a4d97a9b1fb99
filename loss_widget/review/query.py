"""Query and Page: what may be asked of the rows under review, and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from loss_widget.errors import InputError, listing, near_miss
from loss_widget.review.text.quirks import QUIRKS

VERDICTS = ("", "relabel", "keep", "unsure", "remove")
"""What a reviewer can say of a row; "" is nothing yet. The position is the code in arrays."""


@dataclass(frozen=True)
class Query:
    """Which rows, in which order. Filters combine; rows of equal rank keep the order of the data; NaN comes last.

    `sort`: "loss", "margin" (normalised margin, below 0 where the model disagrees: ask for `descending=False`), "adjusted"
    (class-adjusted loss), "row", "duplicates" (rows of the same words stand together, the group with the highest loss first), a
    numeric column, or a tuple of these. `given`, `predicted`: label names. `verdict`: one of
    `VERDICTS`, "" for rows not reviewed yet. `disagreements`: only rows whose given label is not the model's. `loss_range`: nats,
    both ends included. `search`: text as it stands, case aside; with `search_regex` an RE2 pattern. `unlabelled`: only rows
    without a given label (True), only rows with one (False). `quirk`: rows with this oddity, one of `QUIRKS`, or with all of
    several. `spot_check`: only the rows drawn by `ReviewSession.spot_check`, in the order of the draw whatever `sort` says.
    `as_of`: the `revision` of an earlier page, to go on in its order.
    """

    sort: str | tuple[str, ...] = "loss"
    descending: bool = True
    given: str | None = None
    predicted: str | None = None
    verdict: str | None = None
    disagreements: bool = False
    loss_range: tuple[float, float] | None = None
    search: str | None = None
    search_regex: bool = False
    unlabelled: bool | None = None
    quirk: str | tuple[str, ...] | None = None
    spot_check: bool = False
    offset: int = 0
    limit: int = 20
    as_of: int | None = None

    def __post_init__(self) -> None:
        if self.verdict is not None and self.verdict not in VERDICTS:
            raise InputError(
                f"Expected a verdict among {listing(VERDICTS)}, found {self.verdict!r}{near_miss(self.verdict, VERDICTS[1:])}"
            )
        object.__setattr__(self, "sort", _sort_names(self.sort))
        object.__setattr__(self, "quirk", _quirk_names(self.quirk))
        object.__setattr__(self, "offset", _whole_number("offset", self.offset, least=0))
        object.__setattr__(self, "limit", _whole_number("limit", self.limit, least=1))
        if self.as_of is not None:
            object.__setattr__(self, "as_of", _whole_number("as_of", self.as_of, least=0))
        if self.loss_range is not None:
            object.__setattr__(self, "loss_range", _loss_range(self.loss_range))
        if self.search is not None:
            _check_search(self.search)


def _sort_names(sort: Any) -> str | tuple[str, ...]:
    if isinstance(sort, str):
        return sort
    names = tuple(sort) if isinstance(sort, (tuple, list)) else ()
    if not names or not all(isinstance(name, str) for name in names):
        raise InputError(
            f"Expected sort as the name of a column, or a tuple of at least one name, found {sort!r}. Use 'loss', 'margin', "
            "'adjusted', 'row' or a numeric column."
        )
    return names


def _quirk_names(quirk: Any) -> tuple[str, ...] | None:
    if quirk is None:
        return None
    names = (quirk,) if isinstance(quirk, str) else tuple(quirk) if isinstance(quirk, (tuple, list)) else (quirk,)
    for name in names:
        if name not in QUIRKS:
            raise InputError(f"Expected a quirk among {listing(QUIRKS)}, found {name!r}{near_miss(name, QUIRKS)}")
    return names or None


def _whole_number(name: str, value: Any, *, least: int) -> int:
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < least:
        raise InputError(f"Expected {name} to be an integer of at least {least}, found {value!r}.")
    return int(value)


def _loss_range(bounds: Any) -> tuple[float, float]:
    try:
        low, high = (float(bound) for bound in bounds)
    except (TypeError, ValueError):
        low = high = float("nan")
    if not low <= high:
        raise InputError(
            f"Expected loss_range as two numbers (low, high) in nats, found {bounds!r}. Leave an end open with float('inf')."
        )
    return low, high


def _check_search(search: Any) -> None:
    if not isinstance(search, str):
        raise InputError(f"Expected search to be text, found {search!r} ({type(search).__name__}). Pass a str.")
    try:
        search.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"Expected search to be text that UTF-8 can hold, found the lone surrogate {search[error.start]!r}. Leave it out."
        ) from error


class LabelIds(NamedTuple):
    """A row's labels as ids of the review's `LabelSpace`, -1 for none."""

    given: int
    label: int
    predicted: int


@dataclass(frozen=True)
class RowState:
    """What a decision can change in one row, and its given label. Labels are ids, None for no label; `loss_after` is in nats."""

    row: int
    given: int | None
    label: int | None
    verdict: str
    note: str
    loss_after: float


@dataclass(frozen=True)
class PageRow:
    """One row as a reviewer sees it; labels are names, None where there is none; `loss` (nats) is the given label's.

    `key`: the hash of its text, as in `.changes`. `ids`: its labels as the review numbers them.
    `margin`: probability of the given label less that of the best other one, NaN where not known. `top`: the most probable labels
    with their probabilities, six at most; `ranked`: the same by their ids, as many as were asked for. `tokens`, `unknown_tokens`,
    `truncated`: as in Scores, None where not known. `quirks`: see `QUIRKS`. `columns`: the values of further columns that were
    asked for, as text.
    """

    row: int
    key: str
    text: str
    pair_text: str | None
    given_label: str | None
    label: str | None
    predicted_label: str | None
    loss: float
    loss_after: float
    label_prob: float
    predicted_prob: float
    verdict: str
    note: str
    score_note: str
    ids: LabelIds
    margin: float = float("nan")
    top: tuple[tuple[str, float], ...] = ()
    ranked: Sequence[tuple[int, float]] = ()
    tokens: int | None = None
    unknown_tokens: int | None = None
    truncated: bool | None = None
    quirks: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """A slice of the rows that a Query asks for. Pages of one `revision` are slices of one frozen order."""

    rows: list[PageRow]
    offset: int
    revision: int
    counted: int | None
    """Rows of the whole filter, None where they are not counted yet: a text search shows its first page long before."""
    _count: Callable[[], int] = field(repr=False, compare=False)

    @property
    def total(self) -> int:
        """Rows of the whole filter, counted now if need be."""
        if self.counted is None:
            object.__setattr__(self, "counted", self._count())
        return int(self.counted or 0)

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Preview:
    """What a decision on many rows would be on: how many, how many of them have which verdict already, and the first ten.

    `revision`: pass it as the query's `as_of` to decide on these rows and no others.
    """

    total: int
    verdicts: dict[str, int]
    revision: int
    rows: list[PageRow]

    @property
    def reviewed(self) -> int:
        return self.total - self.verdicts[""]
