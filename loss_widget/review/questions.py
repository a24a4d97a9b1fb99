"""Questions: what may be asked of a review. Nothing here changes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from loss_widget.data.label_space import NO_LABEL
from loss_widget.review.arguments import check_rows, positions
from loss_widget.review.estimate import Progress, found_curve, loss_bands
from loss_widget.review.query import VERDICTS, Page, Preview, Query
from loss_widget.review.review_state import Review
from loss_widget.review.rows import page_rows


def has_probabilities(review: Review) -> bool:
    """Whether every class's probability is known, or only the loss of the given label."""
    return review.table.log_probs is not None and review.space.suggests


def has_predictions(review: Review) -> bool:
    """Whether a model's label of any row is known."""
    return has_probabilities(review) or bool((review.table.predicted != NO_LABEL).any())


def page(review: Review, query: Query, *, ranked: int, count: Callable[[Query], int]) -> Page:
    """The rows that `query` asks for; see `lw.Query`. `count`: asked for the total where it is not known yet."""
    frozen, revision = as_of(review, query)
    rows, total = review.table.slice(frozen, review.at(revision))
    return Page(page_rows(review, rows, ranked=ranked), query.offset, revision, total, lambda: count(frozen))


def count(review: Review, query: Query) -> int:
    """How many rows the whole filter has."""
    return review.table.count(query, review.at(query.as_of))


def rows_of(review: Review, query: Query) -> np.ndarray:
    """(total,) integers: the positions of all rows of `query`, in its order."""
    frozen, revision = as_of(review, query)
    return np.array(review.table.rows(frozen, review.at(revision)), dtype=np.int64)


def preview(review: Review, chosen: Query | int | Iterable[int], *, ranked: int) -> Preview:
    """What a decision on all rows of a query, or on rows by position, would be on."""
    n = len(review.table)
    rows = rows_of(review, chosen) if isinstance(chosen, Query) else np.array(positions(chosen, n), dtype=np.int64)
    check_rows(rows[(rows < 0) | (rows >= n)].tolist(), n)
    counts = np.bincount(review.decisions.verdicts[rows], minlength=len(VERDICTS)).tolist()
    shown = page_rows(review, rows[:10], ranked=ranked)
    return Preview(len(rows), dict(zip(VERDICTS, counts, strict=True)), review.decisions.revision, shown)


def twins(review: Review, row: int) -> np.ndarray:
    """The positions of the other rows of the same words, in order."""
    check_rows(positions(row, len(review.table)), len(review.table))
    return review.table.quirks.twins(row)


def progress(review: Review) -> Progress:
    """Errors found against rows reviewed, precision by loss, and what the spot check says."""
    decisions = review.decisions
    return Progress(found_curve(decisions), loss_bands(review.table.loss, decisions), review.errors_left())


def as_of(review: Review, query: Query) -> tuple[Query, int]:
    """The query as of a revision that there is, and that revision."""
    now = review.decisions.revision
    revision = now if query.as_of is None else min(query.as_of, now)
    return replace(query, as_of=revision), revision
