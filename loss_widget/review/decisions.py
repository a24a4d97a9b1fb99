"""Decisions, and the labels as they now stand: apply, undo, redo."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from typing import NamedTuple
from uuid import uuid4

import numpy as np

from loss_widget.data.label_space import NO_LABEL
from loss_widget.errors import StaleDecision, listing
from loss_widget.review.query import VERDICTS

KINDS = ("relabel", "keep", "unsure", "remove", "clear", "note", "undo", "redo")
_CODE = {verdict: code for code, verdict in enumerate(VERDICTS)}


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True)
class Decision:
    """One act of a reviewer, on one row or many; undone and done again as a whole.

    `kind`: one of `KINDS`. `rows`: positions in the source (none for undo and redo). `label`: the id given by a relabel.
    `note`: the text of a note. `at`: UTC, ISO 8601. `op_id` makes it idempotent: the same one is never applied twice.
    `turns_to`: the `op_id` of the act that an undo or redo is of, on `rows` alone; None: the last one, as a whole.
    """

    kind: str
    rows: tuple[int, ...] = ()
    label: int | None = None
    note: str | None = None
    reviewer: str = ""
    at: str = field(default_factory=now)
    op_id: str = field(default_factory=lambda: uuid4().hex)
    turns_to: str | None = None


class Taken(NamedTuple):
    """What became of a decision: the rows it touched, whether its `op_id` was known already, the stale rows left alone, and the
    kind of act that was done, undone or done again."""

    rows: np.ndarray
    duplicate: bool
    left_alone: tuple[int, ...] = ()
    act: str = ""


@dataclass(frozen=True)
class _State:
    """What a decision found before it changed its rows. `elsewhere`: on how many rows that are not in this data it was, too."""

    decision: Decision
    rows: np.ndarray
    verdicts: np.ndarray
    labels: np.ndarray
    notes: dict[int, str]
    stamps: dict[int, tuple[str, str]]
    elsewhere: int

    def split(self, rows: np.ndarray, elsewhere: int) -> tuple[_State, _State | None]:
        """The same act on some of its rows, and on the others, if there are any."""
        mine = np.isin(self.rows, rows)
        rest = self._on(~mine, self.elsewhere - elsewhere)
        return self._on(mine, elsewhere), rest if len(rest.rows) or rest.elsewhere > 0 else None

    def _on(self, mine: np.ndarray, elsewhere: int) -> _State:
        return replace(self, rows=self.rows[mine], verdicts=self.verdicts[mine], labels=self.labels[mine], elsewhere=elsewhere)


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
        self._done: list[_State] = []
        self._undone: list[_State] = []
        self._stacks = {"undo": self._done, "redo": self._undone}

    @property
    def revision(self) -> int:
        """How many acts have been taken, undo and redo among them."""
        return len(self._history)

    @property
    def can_undo(self) -> bool:
        return self.turned_to_by("undo") is not None

    @property
    def can_redo(self) -> bool:
        return self.turned_to_by("redo") is not None

    def turned_to_by(self, kind: str) -> Decision | None:
        """The act that an undo or redo made here turns to: the last one that is on rows of this data."""
        state = self._last_here(kind)
        return None if state is None else state.decision

    def aimed(self, decision: Decision) -> Decision:
        """An undo or redo made here, with its act and rows where that is not the last act as a whole.

        For nothing is undone unseen, on rows that are not in this data. Other decisions come back as they are.
        """
        if decision.kind not in self._stacks or decision.turns_to is not None:
            return decision
        state = self._last_here(decision.kind)
        if state is None or (state is self._stacks[decision.kind][-1] and not state.elsewhere):
            return decision
        return replace(decision, turns_to=state.decision.op_id, rows=tuple(state.rows.tolist()))

    def _last_here(self, kind: str) -> _State | None:
        return next((state for state in reversed(self._stacks[kind]) if len(state.rows)), None)

    def subject_of(self, decision: Decision) -> Decision | None:
        """The decision whose rows are touched: itself, or that which an undo or redo made here turns to (None: there is none)."""
        return self.turned_to_by(decision.kind) if decision.kind in self._stacks else decision

    def changes_anything(self, decision: Decision) -> bool:
        subject = self.subject_of(decision)
        if subject is None or subject is not decision:
            return subject is not None
        rows = np.asarray(decision.rows, dtype=np.int64)
        if decision.kind == "note":
            return any(self.notes.get(row, "") != (decision.note or "") for row in decision.rows)
        verdicts, labels = self._outcome(decision, rows)
        return bool((self.verdicts[rows] != verdicts).any() or (self.labels[rows] != labels).any())

    def apply(self, decision: Decision, *, elsewhere: int = 0) -> np.ndarray:
        """Take the decision and return the rows that it touched. An undo with nothing to undo touches none.

        `elsewhere`: on how many rows that are not in this data it was, too.
        """
        if decision.kind in self._stacks:
            return self._turn_back(decision, elsewhere)
        rows = np.asarray(decision.rows, dtype=np.int64)
        self._done.append(self._remember(decision, rows, elsewhere))
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

    def _turn_back(self, decision: Decision, elsewhere: int) -> np.ndarray:
        source, target = (self._done, self._undone) if decision.kind == "undo" else (self._undone, self._done)
        rows = np.asarray(decision.rows, dtype=np.int64)
        at = self._place_of(decision.turns_to, rows, source)
        if at is None:
            return np.empty(0, dtype=np.int64)
        state, rest = (source[at], None) if decision.turns_to is None else source[at].split(rows, elsewhere)
        source[at : at + 1] = [] if rest is None else [rest]
        target.append(self._remember(state.decision, state.rows, state.elsewhere))
        if decision.kind == "undo":
            self._restore(state)
        else:
            self._set(state.decision, state.rows)
        return state.rows

    @staticmethod
    def _place_of(op_id: str | None, rows: np.ndarray, stack: list[_State]) -> int | None:
        """The last act, or that part of the given act which has these rows."""
        for at in reversed(range(len(stack))):
            if op_id is None or (stack[at].decision.op_id == op_id and np.isin(rows, stack[at].rows).all()):
                return at
        return None

    def _remember(self, decision: Decision, rows: np.ndarray, elsewhere: int) -> _State:
        listed = rows.tolist()
        state = _State(
            decision=decision,
            rows=rows,
            verdicts=self.verdicts[rows],
            labels=self.labels[rows],
            notes={row: self.notes.get(row, "") for row in listed},
            stamps={row: self.stamps[row] for row in listed if row in self.stamps},
            elsewhere=elsewhere,
        )
        self._history.append(state)
        return state

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
    changed = list(rows)
    which = f"row {changed[0]} has" if len(changed) == 1 else f"rows {listing(changed)} have"
    return StaleDecision(f"Expected the label that was on screen, found that {which} another one by now. Look again.")
