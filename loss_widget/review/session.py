"""ReviewSession: the one owner of a review. One lock, one truth; every change is on disk before it is made."""

from __future__ import annotations

import hashlib
import threading
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pandas as pd

from loss_widget.data.export import as_dataset, has_own_index, push_dataset, write_frame
from loss_widget.data.labels import look
from loss_widget.errors import InputError, LabelError, LossWidgetError, ReadOnly, StaleDecision
from loss_widget.review import outcome, questions
from loss_widget.review.arguments import as_query, check_rows, plain_text, positions
from loss_widget.review.decisions import Decision, Taken, outdated, stale_rows
from loss_widget.review.estimate import ErrorsLeft, Progress
from loss_widget.review.journal.identity import ReviewedData
from loss_widget.review.journal.ownership import JournalOwnership
from loss_widget.review.open_source import open_source
from loss_widget.review.panes import Confusion, Facets, LossHistogram, Panes
from loss_widget.review.query import Page, PageRow, Preview, Query, RowState
from loss_widget.review.review_state import resume, write_down
from loss_widget.review.rows import page_rows, row_states
from loss_widget.review.table import NO_ROWS
from loss_widget.review.uninterrupted import uninterrupted

_RANKED = 6
_CLOSED = "This review was closed."


class ReviewSession:
    """A review without a screen: pages of rows, decisions on them, undo and redo, a journal, and the corrected labels.

    `source`: Scores, or a DataFrame with a loss column or with `probs`. The other arguments are those of `lw.LossWidget`.

    >>> frame = pd.DataFrame({"text": ["fine", "awful"], "label": ["good", "good"], "loss": [0.1, 4.2]})
    >>> session = ReviewSession(frame, label_names=["bad", "good"], journal=None)
    >>> session.relabel(1, "bad")
    >>> frame.label.tolist()
    ['good', 'bad']
    """

    def __init__(
        self,
        source: Any,
        *,
        text: str | Sequence[str] | None = None,
        label: str | None = None,
        loss: str = "loss",
        predicted: str = "predicted_label",
        probs: Any = None,
        label_names: Sequence[str] | None = None,
        columns: Sequence[str] = (),
        journal: str | Path | None = "auto",
        copy: bool = False,
        reviewer: str | None = None,
        read_only: bool = False,
    ) -> None:
        self.lock = threading.RLock()
        self._review = open_source(
            source,
            text=text,
            label=label,
            loss=loss,
            predicted=predicted,
            probs=probs,
            label_names=label_names,
            columns=columns,
            copy=copy,
        )
        self._panes = Panes()
        self.source = source
        self.reviewer = plain_text(reviewer or "", "reviewer")
        not_yet = self._review.space.read_only
        self.read_only = not_yet or ("This review was opened read-only." if read_only else "")
        self._on_change: list[Callable[[Decision], None]] = []
        self._on_read_only: list[Callable[[str], None]] = []
        self._seen: dict[str, np.ndarray] = {}  # op_id → the rows it touched
        data = ReviewedData.of(self._review.table, self._review.column)
        self._ownership = JournalOwnership(None if not_yet else journal, data, owner=self)
        written = self._ownership.look() if self.read_only else self._ownership.claim()
        self.read_only = self.read_only or self._ownership.read_only
        if written is not None:
            resume(self._review, written)
            self._seen.update((decision.op_id, NO_ROWS) for decision in written.decisions)
        self._flush_if_main()

    # what is there

    def __len__(self) -> int:
        return len(self._review.table)

    @property
    def label_names(self) -> list[str]:
        """All labels that a row can be given, in the order of their ids."""
        return list(self._review.space.names)

    @property
    def label_values(self) -> list[Any]:
        """The labels as the label column writes them, in the order of `label_names`."""
        space = self._review.space
        return [space.value_of(label) for label in range(len(space.names))]

    @property
    def content_kind(self) -> str:
        """What rows show ("text"): see `data.contents`."""
        return self._review.column.shown.kind

    @property
    def label_kind(self) -> str:
        """What a label is ("one", "set"): see `data.label_space`."""
        return self._review.space.kind

    @property
    def revision(self) -> int:
        """How many acts have been taken, undo and redo among them."""
        return self._review.decisions.revision

    @property
    def text_columns(self) -> tuple[str, ...]:
        """The one text column, or the two of sentence pairs."""
        return self._review.column.shown.names

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the further columns that rows carry."""
        return self._review.columns.names

    @property
    def has_probabilities(self) -> bool:
        """Whether every label's probability is known, or only the loss of the given one."""
        return questions.has_probabilities(self._review)

    @property
    def has_predictions(self) -> bool:
        """Whether a model's label of any row is known."""
        return questions.has_predictions(self._review)

    @property
    def df(self) -> pd.DataFrame:
        """The frame handed in (of Scores: `scores.frame`), with the labels as they now stand."""
        self.flush()
        return self._review.column.frame

    @property
    def can_undo(self) -> bool:
        """Whether `undo` finds an act to take back."""
        return self._review.decisions.can_undo and not self.read_only

    @property
    def can_redo(self) -> bool:
        """Whether `redo` finds an act that was undone last."""
        return self._review.decisions.can_redo and not self.read_only

    @property
    def takes_new_labels(self) -> bool:
        """Whether `add_label` finds room in the label column."""
        return self._review.column.takes_names and not self.read_only

    @property
    def unmatched(self) -> pd.DataFrame:
        """Journalled decisions that found no row here: `key`, `old_label`, `new_label` (names), `twin`."""
        return self._review.unmatched

    @property
    def journal(self) -> Path | None:
        """The journal's file, made with the first decision; None where the review is not saved."""
        return self._ownership.path

    @cached_property
    def fingerprint(self) -> str:
        """The same for the same rows in the same order on the same journal; says nothing of either."""
        review = f"{self.journal} {self._review.column.label}".encode()
        return hashlib.blake2b(review + self._review.table.keys.tobytes(), digest_size=8).hexdigest()

    def __repr__(self) -> str:
        counts = self.summary()
        return f"ReviewSession: {counts['rows']:,} rows, {counts['reviewed']:,} reviewed, {counts['wrong']:,} of them wrong"

    # what may be asked

    def page(self, query: Query | None = None) -> Page:
        """The rows that `query` asks for; see `lw.Query`."""
        return self.ranked_page(query, ranked=_RANKED)

    def ranked_page(self, query: Query | None, *, ranked: int) -> Page:
        """`page`, in which each row has its `ranked` most probable classes."""
        query = as_query(query)
        with self.lock:
            return questions.page(self._review, query, ranked=ranked, count=self.count)

    def count(self, query: Query | None = None) -> int:
        """How many rows the whole filter of `query` has."""
        query = as_query(query)
        with self.lock:
            return questions.count(self._review, query)

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
            return questions.rows_of(self._review, query)

    def preview(self, chosen: Query | int | Iterable[int], *, ranked: int = _RANKED) -> Preview:
        """What a decision on all rows of a query, or on rows by position, would be on."""
        with self.lock:
            return questions.preview(self._review, chosen, ranked=ranked)

    def states(self, rows: np.ndarray, *, ranked: int = _RANKED) -> list[PageRow]:
        """How single rows stand now."""
        with self.lock:
            return page_rows(self._review, rows, ranked=ranked)

    def row_states(self, rows: np.ndarray) -> list[RowState]:
        """What decisions have made of single rows, by now; much faster than `states`, which has their texts and all else."""
        with self.lock:
            return row_states(self._review, rows)

    def contents(self, rows: np.ndarray, *, most: int | None) -> list[dict[str, Any]]:
        """What the grid draws of some rows; see `Contents.encode`."""
        return self._review.table.contents.encode(rows, most=most)

    def twins(self, row: int) -> np.ndarray:
        """The positions of the other rows of the same words (but for case, spacing and sentence punctuation), in order."""
        return questions.twins(self._review, row)

    def loss_histogram(self, query: Query | None = None) -> LossHistogram:
        """How many rows of `query`, its `loss_range` aside, have which loss, and how many of them are reviewed."""
        with self.lock:
            return self._panes.histogram(self._review, as_query(query))

    def confusion(self, query: Query | None = None) -> Confusion:
        """Given against predicted labels under `query`, its `given` and `predicted` aside; the largest cells first."""
        with self.lock:
            return self._panes.confusion(self._review, as_query(query))

    def facets(self, query: Query | None = None) -> Facets:
        """How many rows of `query` there would be with each verdict, with disagreements only, with each quirk."""
        self._review.table.quirks.find()  # before the lock is taken: pages need not wait
        with self.lock:
            return self._panes.facets(self._review, as_query(query))

    @property
    def quirks_known(self) -> bool:
        """Whether pages tell every quirk: in a table of many rows `facets` has them looked for, beside all else."""
        return self._review.table.quirks.complete

    def sorts(self) -> list[str]:
        """What pages can be sorted by."""
        return self._review.table.sorts(self._review.space)

    def summary(self) -> dict[str, Any]:
        """How far the review is: `rows`, `reviewed`, one count per verdict, `wrong` (relabel + remove), `precision`
        (wrong / (wrong + keep), None before the first), `precision_last_50` (the same among the last 50 reviewed, without those
        drawn for a spot check, which says nothing of the order), `judged_last_50` (how many of these are wrong or kept),
        `errors_left` and `errors_left_interval` (95 %; None until a spot check says something, see `spot_check`), and
        `unmatched` (how many rows were reviewed that are not in this data)."""
        with self.lock:
            return outcome.summary(self._review)

    def progress(self) -> Progress:
        """Errors found against rows reviewed, precision by loss, and what the spot check says."""
        with self.lock:
            return questions.progress(self._review)

    # what a reviewer can do

    def relabel(self, rows: int | Iterable[int], label: str | Sequence[str]) -> None:
        """Give the rows (positions in the source) this label, a name; to their given label clears the verdict.

        Where rows have sets of labels, `label` is a list of names, the whole set.
        """
        with self.lock:
            if self.read_only:  # before an unknown name is refused
                raise ReadOnly(self.read_only)
            try:
                known = self._review.intern(label)
            except LabelError as error:
                raise LabelError(f"{error} A new one is added with `add_label`.") from None
            self._act(self._decision("relabel", rows, label=known))

    def keep(self, rows: int | Iterable[int]) -> None:
        """The given label is right."""
        self._act(self._decision("keep", rows))

    def unsure(self, rows: int | Iterable[int]) -> None:
        """Neither right nor clearly wrong; the given label stays."""
        self._act(self._decision("unsure", rows))

    def remove(self, rows: int | Iterable[int]) -> None:
        """The rows shall not be in the corrected data; `.df` keeps them."""
        self._act(self._decision("remove", rows))

    def clear(self, rows: int | Iterable[int]) -> None:
        """Take the verdict back: not reviewed, the given label."""
        self._act(self._decision("clear", rows))

    def note(self, row: int, text: str) -> None:
        """Write a note on a row; "" deletes it. A note alone is no review."""
        self._act(self._decision("note", row, note=plain_text(text, "a note")))

    def undo(self) -> None:
        """Take back the last act, on all of its rows that are in this data. Nothing happens where there is none."""
        self._act(Decision("undo", reviewer=self.reviewer))

    def redo(self) -> None:
        """Do again what was undone last."""
        self._act(Decision("redo", reviewer=self.reviewer))

    def spot_check(self, rows: int = 100, *, anew: bool = False) -> ErrorsLeft:
        """Draw `rows` labelled rows at random among those not reviewed, to be judged in `Query(spot_check=True)`; or let the
        draw that there is grow to so many. `anew` forgets it. The draw is seeded, and on disk with the next decision.

        Once 20 of them are judged wrong or right, `summary` and `progress` say how many errors are left.
        """
        if not isinstance(rows, (int, np.integer)) or isinstance(rows, bool) or rows < 1:
            raise InputError(f"Expected a number of rows to draw, at least 1, found {rows!r}.")
        with self.lock:
            if self.read_only:
                raise ReadOnly(self.read_only)
            self._review.draw(min(int(rows), len(self)), anew=anew)
            left = self._review.errors_left()
            assert left is not None
            return left

    def decide(self, decision: Decision, *, expected: Sequence[int | None] | None = None, leave_stale: bool = False) -> Taken:
        """Check, write to the journal, apply. Returns the rows touched, and whether this `op_id` had been taken before.

        `expected`: the label id that each row is thought to have; `StaleDecision` where it has another, or with `leave_stale`
        such rows are skipped and reported, unless all are stale. `ReadOnly` after `close` or when a newer session took the
        journal over. When this raises, nothing has changed. The frame gets the labels at the next `flush`.
        """
        with self.lock:
            if decision.op_id in self._seen:
                return Taken(self._seen[decision.op_id], True)
            if self.read_only:
                raise ReadOnly(self.read_only)
            self._check(decision)
            stale = stale_rows(decision, expected, self._review.decisions.labels)
            if stale and (not leave_stale or len(stale) == len(decision.rows)):
                raise outdated(stale)
            if stale:
                decision = replace(decision, rows=tuple(row for row in decision.rows if row not in stale))
            if not self._review.decisions.changes_anything(decision):
                self._seen[decision.op_id] = np.asarray(decision.rows, dtype=np.int64)
                return Taken(self._seen[decision.op_id], False, tuple(stale))
            subject = self._review.decisions.subject_of(decision) or decision
            decision = self._review.decisions.aimed(decision)
            with uninterrupted():
                rows = self._save_and_apply(decision)
            decision = replace(decision, rows=tuple(rows.tolist()))
        for callback in list(self._on_change):
            try:
                callback(decision)
            except Exception as error:  # the decision stands, whatever a listener does
                warnings.warn(f"A callback of on_change failed: {error!r}", stacklevel=2)
        return Taken(rows, False, tuple(stale), subject.kind)

    def decide_on_all(self, decision: Decision, query: Query, *, count: int | None = None) -> Taken:
        """`decide` on every row of `query` as it was at its `as_of`, one undo step; rows decided on since are left alone.

        `count`: how many rows that is thought to be, as a `preview` said; `StaleDecision` where it is not.
        """
        query = as_query(query)
        with self.lock:
            rows = self.rows_of(query) if decision.op_id not in self._seen else NO_ROWS
            if decision.op_id not in self._seen and count is not None and count != len(rows):
                raise StaleDecision(
                    f"Expected {count:,} rows as in the preview, found {len(rows):,} by now. Nothing was decided; look again."
                )
            touched = self._review.decisions.touched_since(self.revision if query.as_of is None else query.as_of)
            is_stale = np.isin(rows, touched)
            taken = self.decide(replace(decision, rows=tuple(rows[~is_stale].tolist())))
            return taken._replace(left_alone=tuple(rows[is_stale].tolist()))

    def add_label(self, name: str) -> None:
        """A class that the data did not know; `LabelError` where the label column holds ids and so has no room for a name."""
        with self.lock:
            if self.read_only:
                raise ReadOnly(self.read_only)
            if not isinstance(name, str) or not name.strip():
                raise InputError(f"Expected a label name, found {name!r}.")
            alike = [known for known in self._review.space.all_classes if look(known).casefold() == look(name).casefold()]
            if alike and name not in alike:
                raise InputError(f"Expected a label that is new, found {name!r} beside {alike[0]!r}. Use that one.")
            if not alike:
                self._review.add_class(plain_text(name, "the label's name"))

    def on_change(self, callback: Callable[[Decision], None]) -> None:
        """Call `callback(decision)` after each act; `decision.rows` are the rows touched (by an undo, too), `decision.label` is
        an index into `label_names`. It may run on the thread of a message handler; keep it short."""
        if not callable(callback):
            raise InputError(f"Expected a function to call with each decision, found {callback!r}.")
        self._on_change.append(callback)

    def on_read_only(self, callback: Callable[[str], None]) -> None:
        """Call `callback(why)` when a newer session takes this review over."""
        self._on_read_only.append(callback)

    def flush(self) -> None:
        """Write the labels that wait into the frame, on this thread."""
        with self.lock:
            self._review.column.flush()

    # what comes out

    @property
    def changes(self) -> pd.DataFrame:
        """One row per reviewed row, in the order of the data: `row`, `index`, `key`, `verdict`, `old_label`, `new_label` (in the
        label column's own representation), `loss_before`, `loss_after` (nats), `note`, `reviewed_at` (UTC), `reviewer`."""
        with self.lock:
            return outcome.changes(self._review)

    def corrected(
        self, *, drop_removed: bool = True, only_reviewed: bool = False, audit: bool = False, scores: bool = False
    ) -> pd.DataFrame:
        """A new frame with the caller's own columns and the labels as they now stand.

        `drop_removed`: without the rows marked remove. `only_reviewed`: only rows with a verdict. `audit`: plus `original_label`,
        `verdict`, `note`, `reviewed_at`, `reviewer`. `scores`: plus the model's columns.
        """
        with self.lock:
            return outcome.corrected(
                self._review, drop_removed=drop_removed, only_reviewed=only_reviewed, audit=audit, scores=scores
            )

    def export(
        self,
        path: str | Path,
        *,
        overwrite: bool = False,
        excel_safe: bool = False,
        drop_removed: bool = True,
        only_reviewed: bool = False,
        audit: bool = False,
        scores: bool = False,
    ) -> Path:
        """Write `corrected(...)` to `.csv`, `.tsv`, `.jsonl`, `.parquet`, or (no suffix) a `datasets` directory; return the path.

        Atomic; see `export.write_frame`. `excel_safe`: for files that people open in a spreadsheet.
        """
        return write_frame(
            self.corrected(drop_removed=drop_removed, only_reviewed=only_reviewed, audit=audit, scores=scores),
            path,
            overwrite=overwrite,
            excel_safe=excel_safe,
            label=self._review.column.label,
            class_names=self._review.space.class_names(),
            index=has_own_index(self._review.column.frame),
        )

    def export_changes(self, path: str | Path, *, texts: bool = False, overwrite: bool = False, excel_safe: bool = False) -> Path:
        """Write `.changes` to a file that `lw.apply_changes` reads; `texts`: with the texts, for somebody who reads them."""
        frame = outcome.readable(self.changes, self._review.table.contents if texts else None)
        return write_frame(frame, path, overwrite=overwrite, excel_safe=excel_safe, index=False)

    def to_dataset(
        self, *, drop_removed: bool = True, only_reviewed: bool = False, audit: bool = False, scores: bool = False
    ) -> Any:
        """`corrected(...)` as a `datasets.Dataset`; integer labels with known names become a `ClassLabel`, its order kept."""
        return as_dataset(
            self.corrected(drop_removed=drop_removed, only_reviewed=only_reviewed, audit=audit, scores=scores),
            label=self._review.column.label,
            class_names=self._review.space.class_names(),
            index=has_own_index(self._review.column.frame),
        )

    def push_to_hub(
        self,
        repo_id: str,
        *,
        private: bool = True,
        dry_run: bool = False,
        drop_removed: bool = True,
        only_reviewed: bool = False,
        audit: bool = False,
        scores: bool = False,
        **options: Any,
    ) -> str:
        """`to_dataset(...)` pushed to the Hugging Face hub, private by default; see `export.push_dataset`."""
        dataset = self.to_dataset(drop_removed=drop_removed, only_reviewed=only_reviewed, audit=audit, scores=scores)
        return push_dataset(dataset, repo_id, private=private, dry_run=dry_run, **options)

    def close(self) -> None:
        """Write what waits, let the journal go and take no more decisions."""
        with self.lock:
            if self.read_only != _CLOSED:
                try:
                    self._review.column.flush()
                except LossWidgetError as error:
                    warnings.warn(str(error), stacklevel=2)
                if not self.read_only:
                    self._ownership.close()
                self.read_only = _CLOSED

    def __enter__(self) -> ReviewSession:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # how

    def _act(self, decision: Decision) -> None:
        self.decide(decision)
        self._flush_if_main()

    def _decision(self, kind: str, rows: int | Iterable[int], *, label: int | None = None, note: str | None = None) -> Decision:
        return Decision(kind, positions(rows, len(self)), label, note, self.reviewer)

    def _save_and_apply(self, decision: Decision) -> np.ndarray:
        write_down(self._review, decision, self._ownership.open_or_make())
        try:
            rows = self._review.decisions.apply(decision)
            self._seen[decision.op_id] = rows
            turned_back = decision.kind in ("undo", "redo")
            self._review.column.want(rows, self._review.decisions.labels[rows], turned_back=turned_back)
            return rows
        except BaseException as error:  # such as a MemoryError: what is on disk is more than what is here
            self.superseded(f"The last decision is saved but could not be shown ({error!r}): run this cell again.")
            raise

    def _check(self, decision: Decision) -> None:
        check_rows(decision.rows, len(self))
        if decision.label is not None:
            if not 0 <= decision.label < len(self._review.space.names):
                raise InputError(f"Expected a label id below {len(self._review.space.names)}, found {decision.label}.")
            self._review.column.check_writable(decision.label)
        plain_text(decision.note or "", "a note")

    def _flush_if_main(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self.flush()

    def superseded(self, by: str) -> None:
        """A newer session on the same journal goes on; this one is read-only from now."""
        with self.lock:
            self.read_only = by
        for callback in list(self._on_read_only):
            callback(by)
