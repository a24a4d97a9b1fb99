"""ReviewSession: the one owner of a review. One lock, one truth; every change is on disk before it is made."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pandas as pd

from loss_widget.errors import InputError, LossWidgetError, ReadOnly, StaleDecision, listing
from loss_widget.examples import as_tuple
from loss_widget.export import as_dataset, has_own_index, write_frame
from loss_widget.labels import NO_LABEL, label_id
from loss_widget.review import outcome
from loss_widget.review.decisions import Decision
from loss_widget.review.query import Page, PageRow, Query
from loss_widget.review.record import Record
from loss_widget.review.rows import page_rows
from loss_widget.review.shelf import JournalShelf
from loss_widget.review.source import open_source

_CLOSED = "This review was closed."
_NO_ROWS = np.empty(0, dtype=np.int64)


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
        journal: str | Path | None = "auto",
        copy: bool = False,
        reviewer: str | None = None,
        read_only: bool = False,
    ) -> None:
        self.lock = threading.RLock()
        self._table, self._labels = open_source(
            source, text=text, label=label, loss=loss, predicted=predicted, probs=probs, label_names=label_names, copy=copy
        )
        self.source = source
        self.reviewer = _plain_text(reviewer or "", "reviewer")
        self.read_only = "This review was opened read-only." if read_only else ""
        self._on_change: list[Callable[[Decision], None]] = []
        self._on_read_only: list[Callable[[str], None]] = []
        self._seen: dict[str, np.ndarray] = {}  # op_id → the rows it touched
        self._record = Record(self._table, self._labels)
        self._shelf = JournalShelf(journal, self._table.keys, owner=self)
        written = self._shelf.look() if read_only else self._shelf.claim()
        if written is not None:
            self._record.resume(written)
            self._seen.update(dict.fromkeys(self._record.op_ids, _NO_ROWS))
        self._flush_if_main()

    # what is there

    @property
    def df(self) -> pd.DataFrame:
        """The frame handed in (of Scores: `scores.frame`), with the labels as they now stand."""
        self.flush()
        return self._labels.frame

    @property
    def label_names(self) -> list[str]:
        return list(self._table.label_names)

    @property
    def revision(self) -> int:
        """How many acts have been taken, undo and redo among them."""
        return self._record.decisions.revision

    @property
    def text_columns(self) -> tuple[str, ...]:
        return as_tuple(self._labels.text)

    @property
    def can_undo(self) -> bool:
        return self._record.decisions.can_undo and not self.read_only

    @property
    def can_redo(self) -> bool:
        return self._record.decisions.can_redo and not self.read_only

    @property
    def has_probabilities(self) -> bool:
        return self._table.log_probs is not None

    @property
    def unmatched(self) -> pd.DataFrame:
        """Journalled decisions that found no row here: `key`, `old_label`, `new_label` (names), `twin`."""
        return self._record.unmatched

    @property
    def journal(self) -> Path | None:
        """The journal's file, made with the first decision; None where the review is not saved."""
        return self._shelf.path

    def __len__(self) -> int:
        return len(self._table)

    def __repr__(self) -> str:
        told = self.summary()
        return f"ReviewSession: {told['rows']:,} rows, {told['reviewed']:,} reviewed, {told['wrong']:,} of them wrong"

    def page(self, query: Query | None = None) -> Page:
        """The rows that `query` asks for; see `lw.Query`."""
        query = query or Query()
        if not isinstance(query, Query):
            raise InputError(f"Expected an `lw.Query`, found {query!r}. Write it as `Query(sort={query!r})`, for example.")
        with self.lock:
            revision = self.revision if query.as_of is None else min(query.as_of, self.revision)
            frozen = replace(query, as_of=revision)
            rows, total = self._table.slice(frozen, self._record.decisions.verdicts_at(revision))
            return Page(
                page_rows(self._table, self._record.decisions, rows), query.offset, revision, total, lambda: self.count(frozen)
            )

    def count(self, query: Query) -> int:
        """How many rows the whole filter of `query` has."""
        with self.lock:
            return self._table.count(query, self._record.decisions.verdicts_at(query.as_of))

    def states(self, rows: np.ndarray) -> list[PageRow]:
        """How single rows stand now."""
        with self.lock:
            return page_rows(self._table, self._record.decisions, rows)

    def probabilities(self, rows: np.ndarray) -> np.ndarray | None:
        """(len(rows), n_labels) float32 of some rows; None where only losses are known."""
        return None if self._table.log_probs is None else np.exp(self._table.log_probs[rows])

    def sorts(self) -> list[str]:
        """What pages can be sorted by."""
        model = ["margin", "adjusted"] if self.has_probabilities else []
        own = [c for c in self._table.numeric_columns() if c not in ("loss", "margin", "adjusted", "row")]
        return ["loss", *model, "row", *own]

    def summary(self) -> dict[str, Any]:
        """How far the review is: `rows`, `reviewed`, one count per verdict, `wrong` (relabel + remove), `precision`
        (wrong / (wrong + keep), None before the first) and `precision_last_50` (the same among the last 50 reviewed)."""
        with self.lock:
            return outcome.summary(self._record.decisions)

    # what a reviewer can do

    def relabel(self, rows: int | Iterable[int], label: str) -> None:
        """Give the rows (positions in the source) this label, a name; to their given label clears the verdict."""
        with self.lock:
            self._act(self._decision("relabel", rows, label=label_id(label, self._table.label_names)))

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
        self._act(self._decision("note", row, note=_plain_text(text, "a note")))

    def undo(self) -> None:
        """Take back the last act, on however many rows it was. Nothing happens where there is none."""
        self._act(Decision("undo", reviewer=self.reviewer))

    def redo(self) -> None:
        """Do again what was undone last."""
        self._act(Decision("redo", reviewer=self.reviewer))

    def decide(self, decision: Decision, *, expected: Sequence[int | None] | None = None) -> tuple[np.ndarray, bool]:
        """Check, write to the journal, apply. Returns the rows touched, and whether this `op_id` had been taken before.

        `expected`: the label id that each row is thought to have; `StaleDecision` where it has another. `ReadOnly` after `close`
        or when a newer session took the journal over. When this raises, nothing has changed. The frame gets the labels at the
        next `flush`.
        """
        with self.lock:
            if decision.op_id in self._seen:
                return self._seen[decision.op_id], True
            if self.read_only:
                raise ReadOnly(self.read_only)
            self._check(decision, expected)
            if not self._record.decisions.changes_anything(decision):
                self._seen[decision.op_id] = np.asarray(decision.rows, dtype=np.int64)
                return self._seen[decision.op_id], False
            self._record.write(decision, self._shelf.open_or_make())
            rows = self._record.decisions.apply(decision)
            self._seen[decision.op_id] = rows
            self._labels.want(rows, self._record.decisions.labels[rows])
            decision = replace(decision, rows=tuple(rows.tolist()))
        for callback in list(self._on_change):
            try:
                callback(decision)
            except Exception as error:  # the decision stands, whatever a listener does
                warnings.warn(f"A callback of on_change failed: {error!r}", stacklevel=2)
        return rows, False

    def add_label(self, name: str) -> None:
        """A class that the data did not know; `LabelError` where the label column holds ids and so has no room for a name."""
        with self.lock:
            if self.read_only:
                raise ReadOnly(self.read_only)
            if not isinstance(name, str) or not name.strip():
                raise InputError(f"Expected a label name, found {name!r}.")
            alike = [known for known in self._table.label_names if known.strip().casefold() == name.strip().casefold()]
            if alike and name not in alike:
                raise InputError(f"Expected a label that is new, found {name!r} beside {alike[0]!r}. Use that one.")
            if not alike:
                self._record.add_label(_plain_text(name, "the label's name"))

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
            self._labels.flush()

    # what comes out

    @property
    def changes(self) -> pd.DataFrame:
        """One row per reviewed row, in the order of the data: `row`, `index`, `key`, `verdict`, `old_label`, `new_label` (in the
        label column's own representation), `loss_before`, `loss_after` (nats), `note`, `reviewed_at` (UTC), `reviewer`."""
        with self.lock:
            return outcome.changes(self._table, self._labels, self._record.decisions)

    def corrected(
        self, *, drop_removed: bool = True, only_reviewed: bool = False, audit: bool = False, scores: bool = False
    ) -> pd.DataFrame:
        """A new frame with the caller's own columns and the labels as they now stand.

        `drop_removed`: without the rows marked remove. `only_reviewed`: only rows with a verdict. `audit`: plus `original_label`,
        `verdict`, `note`, `reviewed_at`, `reviewer`. `scores`: plus the model's columns.
        """
        with self.lock:
            return outcome.corrected(
                self.source,
                self._table,
                self._labels,
                self._record.decisions,
                drop_removed=drop_removed,
                only_reviewed=only_reviewed,
                audit=audit,
                scores=scores,
            )

    def export(self, path: str | Path, *, overwrite: bool = False, excel_safe: bool = False, **as_corrected: bool) -> Path:
        """Write `corrected(...)` to `.csv`, `.tsv`, `.jsonl`, `.parquet`, or (no suffix) a `datasets` directory; return the path.

        Atomic; an existing path raises `ExportError` unless `overwrite`. The index is written unless it is a plain range.
        `excel_safe` puts a ' before cells that a spreadsheet would run as a formula.
        """
        return write_frame(
            self.corrected(**as_corrected),
            path,
            overwrite=overwrite,
            excel_safe=excel_safe,
            label=self._labels.label,
            class_names=self._labels.class_names(self._table.label_names),
            index=has_own_index(self._labels.frame),
        )

    def to_dataset(self, **as_corrected: bool) -> Any:
        """`corrected(...)` as a `datasets.Dataset`; integer labels with known names become a `ClassLabel`, its order kept."""
        return as_dataset(
            self.corrected(**as_corrected),
            label=self._labels.label,
            class_names=self._labels.class_names(self._table.label_names),
            index=has_own_index(self._labels.frame),
        )

    def close(self) -> None:
        """Write what waits, let the journal go and take no more decisions."""
        with self.lock:
            if self.read_only != _CLOSED:
                try:
                    self._labels.flush()
                except LossWidgetError as error:
                    warnings.warn(str(error), stacklevel=2)
                if not self.read_only:
                    self._shelf.close()
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
        return Decision(kind, _positions(rows, len(self)), label, note, self.reviewer)

    def _check(self, decision: Decision, expected: Sequence[int | None] | None) -> None:
        rows = decision.rows
        beyond = [row for row in rows if not 0 <= row < len(self)]
        if beyond:
            raise InputError(f"Expected rows from 0 to {len(self) - 1}, positions in the source, found {listing(beyond)}.")
        if decision.label is not None and not 0 <= decision.label < len(self._table.label_names):
            raise InputError(f"Expected a label id below {len(self._table.label_names)}, found {decision.label}.")
        if decision.label is not None:
            self._labels.check_writable(decision.label)
        _plain_text(decision.note or "", "a note")
        if expected is not None:
            labels = self._record.decisions.labels
            stale = [
                row for row, label in zip(rows, expected, strict=True) if labels[row] != (NO_LABEL if label is None else label)
            ]
            if stale:
                raise StaleDecision(
                    f"Expected the label that was on screen, found that row {listing(stale)} has another one by now. Look again."
                )

    def _flush_if_main(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self.flush()

    def superseded(self, by: str) -> None:
        """A newer session on the same journal goes on; this one is read-only from now."""
        with self.lock:
            self.read_only = by
        for callback in list(self._on_read_only):
            callback(by)


def _positions(rows: Any, n: int) -> tuple[int, ...]:
    """Rows as positions: an integer, integers, or a boolean mask of all n rows."""
    listed = [rows] if isinstance(rows, (int, np.integer)) else rows
    if isinstance(listed, (str, bytes)) or not isinstance(listed, Iterable):
        raise InputError(f"Expected rows as positions in the source, an integer or a list of them, found {rows!r}.")
    array = listed if isinstance(listed, range) else list(listed)
    if array and all(isinstance(row, (bool, np.bool_)) for row in array):
        if len(array) != n:
            raise InputError(f"Expected a mask of all {n} rows or a list of positions, found {len(array)} truth values.")
        return tuple(np.flatnonzero(array).tolist())
    wrong = [row for row in array if not isinstance(row, (int, np.integer)) or isinstance(row, bool)]
    if wrong:
        raise InputError(f"Expected rows as positions in the source, integers, found {listing(wrong)}.")
    return tuple(dict.fromkeys(int(row) for row in array))


def _plain_text(text: str, what: str) -> str:
    try:
        text.encode("utf-8")
    except (AttributeError, UnicodeEncodeError):
        raise InputError(f"Expected {what} to be a text, found {text!r}, which UTF-8 cannot hold.") from None
    return text
