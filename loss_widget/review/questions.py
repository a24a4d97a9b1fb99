"""Questions: all that may be asked of a review. Nothing here changes it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from loss_widget.data.labels import NO_LABEL
from loss_widget.review import outcome
from loss_widget.review.arguments import as_query, check_rows, positions
from loss_widget.review.estimate import Progress, found_curve, loss_bands
from loss_widget.review.label_column import LabelColumn
from loss_widget.review.panes import Confusion, Facets, LossHistogram, Navigators
from loss_widget.review.query import VERDICTS, Page, PageRow, Preview, Query, RowState
from loss_widget.review.review_state import ReviewState
from loss_widget.review.rows import Columns, page_rows, row_states
from loss_widget.review.table import ReviewTable


class Questions:
    """Pages, counts, navigators and progress of a review, under the one lock that its owner shares."""

    def __init__(self, table: ReviewTable, labels: LabelColumn, *, columns: Sequence[str]) -> None:
        self.lock = threading.RLock()
        self._table, self._labels = table, labels
        self._columns = Columns(labels.frame, columns)
        self._state = ReviewState(table, labels)
        self._navigators = Navigators(
            table,
            verdicts_at=lambda revision: self._state.decisions.verdicts_at(revision),
            drawn=lambda: self._state.drawn,
        )

    def __len__(self) -> int:
        return len(self._table)

    @property
    def label_names(self) -> list[str]:
        """All labels that a row can be given, in the order of their ids."""
        return list(self._table.label_names)

    @property
    def label_values(self) -> list[Any]:
        """The labels as the label column writes them, in the order of `label_names`."""
        return list(self._labels.values)

    @property
    def revision(self) -> int:
        """How many acts have been taken, undo and redo among them."""
        return self._state.decisions.revision

    @property
    def text_columns(self) -> tuple[str, ...]:
        """The one text column, or the two of sentence pairs."""
        return self._labels.shown.names

    @property
    def has_probabilities(self) -> bool:
        """Whether every label's probability is known, or only the loss of the given one."""
        return self._table.log_probs is not None

    @property
    def has_predictions(self) -> bool:
        """Whether a model's label of any row is known."""
        return self.has_probabilities or bool((self._table.predicted != NO_LABEL).any())

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the further columns that rows carry."""
        return self._columns.names

    def page(self, query: Query | None = None) -> Page:
        """The rows that `query` asks for; see `lw.Query`."""
        query = as_query(query)
        with self.lock:
            frozen, revision = self._frozen(query)
            rows, total = self._table.slice(frozen, self._state.decisions.verdicts_at(revision), self._state.drawn)
            return Page(self.states(rows), query.offset, revision, total, lambda: self.count(frozen))

    def count(self, query: Query | None = None) -> int:
        """How many rows the whole filter of `query` has."""
        query = as_query(query)
        with self.lock:
            return self._table.count(query, self._state.decisions.verdicts_at(query.as_of), self._state.drawn)

    def rows_of(self, query: Query | None = None) -> np.ndarray:
        """(total,) integers: the positions of all rows of `query`, in its order; offset and limit aside.

        >>> import pandas as pd
        >>> from loss_widget.review import ReviewSession
        >>> frame = pd.DataFrame({"text": ["fine", "awful", "bad"], "label": ["good"] * 3, "loss": [0.1, 4.2, 3.1]})
        >>> session = ReviewSession(frame, journal=None)
        >>> session.keep(session.rows_of(Query(loss_range=(1, 9))))
        >>> session.changes["row"].tolist()
        [1, 2]
        """
        query = as_query(query)
        with self.lock:
            frozen, revision = self._frozen(query)
            verdicts = self._state.decisions.verdicts_at(revision)
            return np.array(self._table.rows(frozen, verdicts, self._state.drawn), dtype=np.int64)

    def preview(self, chosen: Query | int | Iterable[int]) -> Preview:
        """What a decision on all rows of a query, or on rows by position, would be on."""
        with self.lock:
            rows = self.rows_of(chosen) if isinstance(chosen, Query) else np.array(positions(chosen, len(self)), dtype=np.int64)
            check_rows(rows[(rows < 0) | (rows >= len(self))].tolist(), len(self))
            counts = np.bincount(self._state.decisions.verdicts[rows], minlength=len(VERDICTS)).tolist()
            verdicts = dict(zip(VERDICTS, counts, strict=True))
            return Preview(len(rows), verdicts, self.revision, self.states(rows[:10]))

    def states(self, rows: np.ndarray) -> list[PageRow]:
        """How single rows stand now."""
        with self.lock:
            return page_rows(self._table, self._state.decisions, rows, self._columns)

    def row_states(self, rows: np.ndarray) -> list[RowState]:
        """What decisions have made of single rows, by now; much faster than `states`, which has their texts and all else."""
        with self.lock:
            return row_states(self._table, self._state.decisions, rows)

    def twins(self, row: int) -> np.ndarray:
        """The positions of the other rows of the same words (but for case, spacing and sentence punctuation), in order."""
        check_rows(positions(row, len(self)), len(self))
        return self._table.quirks.twins(row)

    def loss_histogram(self, query: Query | None = None) -> LossHistogram:
        """How many rows of `query`, its `loss_range` aside, have which loss, and how many of them are reviewed."""
        with self.lock:
            return self._navigators.histogram(as_query(query), self.revision)

    def confusion(self, query: Query | None = None) -> Confusion:
        """Given against predicted labels under `query`, its `given` and `predicted` aside; the largest cells first."""
        with self.lock:
            return self._navigators.confusion(as_query(query), self.revision)

    def facets(self, query: Query | None = None) -> Facets:
        """How many rows of `query` there would be with each verdict, with disagreements only, with each quirk."""
        self._table.quirks.find()  # before the lock is taken: pages need not wait
        with self.lock:
            return self._navigators.facets(as_query(query), self.revision)

    @property
    def quirks_known(self) -> bool:
        """Whether pages tell every quirk: in a table of many rows `facets` has them looked for, beside all else."""
        return self._table.quirks.complete

    def probabilities(self, rows: np.ndarray) -> np.ndarray | None:
        """(len(rows), n_labels) float32 of some rows; None where only losses are known."""
        return None if self._table.log_probs is None else np.exp(self._table.log_probs[rows])

    def sorts(self) -> list[str]:
        """What pages can be sorted by."""
        return self._table.sorts()

    def summary(self) -> dict[str, Any]:
        """How far the review is: `rows`, `reviewed`, one count per verdict, `wrong` (relabel + remove), `precision`
        (wrong / (wrong + keep), None before the first), `precision_last_50` (the same among the last 50 reviewed, without those
        drawn for a spot check, which says nothing of the order), `judged_last_50` (how many of these are wrong or kept),
        `errors_left` and `errors_left_interval` (95 %; None until a spot check says something, see `spot_check`), and
        `unmatched` (how many rows were reviewed that are not in this data)."""
        with self.lock:
            state = self._state
            return outcome.summary(state.decisions, state.errors_left(), state.drawn, unmatched=len(state.unmatched))

    def progress(self) -> Progress:
        """Errors found against rows reviewed, precision by loss, and what the spot check says."""
        with self.lock:
            decisions = self._state.decisions
            return Progress(found_curve(decisions), loss_bands(self._table.loss, decisions), self._state.errors_left())

    def _frozen(self, query: Query) -> tuple[Query, int]:
        """The query as of a revision that there is, and that revision."""
        revision = self.revision if query.as_of is None else min(query.as_of, self.revision)
        return replace(query, as_of=revision), revision
