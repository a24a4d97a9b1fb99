"""Decisions, and the labels as they now stand: apply, undo, redo."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import islice
from typing import NamedTuple
from uuid import uuid4

import numpy as np

from loss_widget.data.labels import NO_LABEL
from loss_widget.errors import StaleDecision, listing
from loss_widget.review.query import VERDICTS

KINDS = ("relabel", "keep", "unsure", "remove", "clear", "note", "undo", "redo")
_CODE = {verdict: code for code, verdict in enumerate(VERDICTS)}


def now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


@dataclass(frozen=True)
class Decision:
    """One act of a reviewer, on one row or many; undone and done again as a whole.

    `kind`: one of `KINDS`. `rows`: positions in the source (none for undo and redo). `label`: the id given by a relabel.
    `note`: the text of a note. `at`: UTC, ISO 8601. `op_id` makes it idempotent: the same one is never applied twice.
    """

    kind: str
    rows: tuple[int, ...] = ()
    label: int | None = None
    note: str | None = None
    reviewer: str = ""
    at: str = field(default_factory=now)
    op_id: str = field(default_factory=lambda: uuid4().hex)


class Taken(NamedTuple):
    """What became of a decision: the rows it touched, whether its `op_id` was known already, the stale rows left alone, and the
    kind of act that was done, undone or done again."""

    rows: np.ndarray
    duplicate: bool
    left_alone: tuple[int, ...] = ()
    act: str = ""


@dataclass(frozen=True)
class _State:
    """What a decision found before it changed its rows."""

    decision: Decision
    rows: np.ndarray
    verdicts: np.ndarray
    labels: np.ndarray
    notes: dict[int, str]
    stamps: dict[int, tuple[str, str]]


class Decisions:
    """Verdicts, labels and notes of n rows, and the history that led to them. Knows neither texts nor disks.

    `verdicts`: (n,) int8 codes of `VERDICTS`. `labels`: (n,) int32 ids as they now stand. A label differs from the given one only
    under relabel; keep, unsure and remove put the given one back; relabelling to the given one clears the verdict.
    """

    def __init__(self, given: np.ndarray) -> None:
        self.given = given
        self.labels = given.copy()
        self.verdicts = np.zeros(len(given), dtype=np.int8)
        self.notes: dict[int, str] = {}
        self.stamps: dict[int, tuple[str, str]] = {}  # row → (reviewed_at, reviewer), latest review last
        self.counts = np.zeros(len(VERDICTS), dtype=np.int64)
        self.counts[0] = len(given)
        self._history: list[_State] = []
        self._done: list[int] = []
        self._undone: list[int] = []

    @property
    def revision(self) -> int:
        """How many acts have been taken, undo and redo among them."""
        return len(self._history)

    @property
    def can_undo(self) -> bool:
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

    def subject_of(self, decision: Decision) -> Decision | None:
        """The decision whose rows are touched: itself, or the one that an undo or redo turns to (None: nothing to turn to)."""
        stack = {"undo": self._done, "redo": self._undone}.get(decision.kind)
        if stack is None:
            return decision
        return self._history[stack[-1]].decision if stack else None

    def changes_anything(self, decision: Decision) -> bool:
        subject = self.subject_of(decision)
        if subject is None or subject is not decision:
            return subject is not None
        rows = np.asarray(decision.rows, dtype=np.int64)
        if decision.kind == "note":
            return any(self.notes.get(row, "") != (decision.note or "") for row in decision.rows)
        verdicts, labels = self._outcome(decision, rows)
        return bool((self.verdicts[rows] != verdicts).any() or (self.labels[rows] != labels).any())

    def apply(self, decision: Decision) -> np.ndarray:
        """Take the decision and return the rows that it touched. An undo with nothing to undo touches none."""
        if decision.kind == "undo":
            return self._turn_back(decision, self._done, self._undone)
        if decision.kind == "redo":
            return self._turn_back(decision, self._undone, self._done)
        rows = np.asarray(decision.rows, dtype=np.int64)
        self._done.append(self._remember(decision, rows))
        self._undone.clear()
        self._set(decision, rows)
        return rows

    def last(self, n: int, *, without: np.ndarray) -> Iterator[int]:
        """The rows reviewed last, the latest first, some left out."""
        left_out = set(without.tolist())
        return islice((row for row in reversed(self.stamps) if row not in left_out), n)

    def verdicts_at(self, revision: int | None) -> np.ndarray:
        """(n,) int8: the verdicts as they stood when `revision` acts had been taken."""
        if revision is None or revision >= self.revision:
            return self.verdicts
        verdicts = self.verdicts.copy()
        for state in reversed(self._history[max(revision, 0) :]):
            verdicts[state.rows] = state.verdicts
        return verdicts

    def touched_since(self, revision: int) -> np.ndarray:
        """The rows, in order, that acts after that revision were on."""
        touched = [state.rows for state in self._history[max(revision, 0) :]]
        return np.unique(np.concatenate(touched)) if touched else np.empty(0, dtype=np.int64)

    def _turn_back(self, decision: Decision, source: list[int], target: list[int]) -> np.ndarray:
        if not source:
            return np.empty(0, dtype=np.int64)
        state = self._history[source.pop()]
        target.append(self._remember(state.decision, state.rows))
        if decision.kind == "undo":
            self._restore(state)
        else:
            self._set(state.decision, state.rows)
        return state.rows

    def _remember(self, decision: Decision, rows: np.ndarray) -> int:
        listed = rows.tolist()
        self._history.append(
            _State(
                decision=decision,
                rows=rows,
                verdicts=self.verdicts[rows],
                labels=self.labels[rows],
                notes={row: self.notes.get(row, "") for row in listed},
                stamps={row: self.stamps[row] for row in listed if row in self.stamps},
            )
        )
        return len(self._history) - 1

    def _outcome(self, decision: Decision, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        given = self.given[rows]
        if decision.kind == "relabel":
            assert decision.label is not None
            differs = given != decision.label
            return np.where(differs, _CODE["relabel"], 0).astype(np.int8), np.where(differs, decision.label, given)
        code = _CODE["" if decision.kind == "clear" else decision.kind]
        return np.full(len(rows), code, dtype=np.int8), given

    def _set(self, decision: Decision, rows: np.ndarray) -> None:
        if decision.kind == "note":
            for row in rows.tolist():
                self._note(row, decision.note or "")
            return
        verdicts, labels = self._outcome(decision, rows)
        self._write(rows, verdicts, labels)
        for row, verdict in zip(rows.tolist(), verdicts.tolist(), strict=True):
            self.stamps.pop(row, None)
            if verdict:
                self.stamps[row] = (decision.at, decision.reviewer)

    def _restore(self, state: _State) -> None:
        self._write(state.rows, state.verdicts, state.labels)
        for row in state.rows.tolist():
            self._note(row, state.notes[row])
            self.stamps.pop(row, None)
            if row in state.stamps:
                self.stamps[row] = state.stamps[row]

    def _write(self, rows: np.ndarray, verdicts: np.ndarray, labels: np.ndarray) -> None:
        self.counts -= np.bincount(self.verdicts[rows], minlength=len(VERDICTS))
        self.counts += np.bincount(verdicts, minlength=len(VERDICTS))
        self.verdicts[rows] = verdicts
        self.labels[rows] = labels

    def _note(self, row: int, note: str) -> None:
        if note:
            self.notes[row] = note
        else:
            self.notes.pop(row, None)


@dataclass(frozen=True)
class SpotCheck:
    """A sample: the first `size` rows of a draw, by `seed`, among those not reviewed when `revision` acts had been taken."""

    size: int
    seed: int
    revision: int


def stale_rows(decision: Decision, expected: Sequence[int | None] | None, labels: np.ndarray) -> dict[int, None]:
    """The rows, in order, whose label (n,) is not the expected one; none where nothing is expected."""
    seen = [] if expected is None else zip(decision.rows, expected, strict=True)
    return {row: None for row, label in seen if labels[row] != (NO_LABEL if label is None else label)}


def outdated(rows: Iterable[int]) -> StaleDecision:
    """The refusal of a decision on rows that have another label than was seen."""
    return StaleDecision(
        f"Expected the label that was on screen, found that row {listing(rows)} has another one by now. Look again."
    )
