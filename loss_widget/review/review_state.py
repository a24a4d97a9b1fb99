"""Review: a table, the decisions on it and the caller's label column, as they now stand; and how a journal keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from loss_widget.data.label_space import NO_LABEL, UNKNOWN, LabelSpace
from loss_widget.errors import LabelError
from loss_widget.review.decisions import Decision, Decisions, SpotCheck
from loss_widget.review.estimate import ErrorsLeft, draw_order, errors_left
from loss_widget.review.further_columns import Columns
from loss_widget.review.journal.journal import Journal
from loss_widget.review.journal.matching import apply_written, final_states, match_subjects
from loss_widget.review.journal.written import Subject, Written
from loss_widget.review.label_column import LabelColumn
from loss_widget.review.table import NO_ROWS, ReviewTable, Standing

_FEW = 64
_UNMATCHED = ("key", "old_label", "new_label", "twin")


@dataclass(frozen=True)
class Sample:
    """The rows drawn for a spot check, in the order of the draw, and the rows (n,) bool that they were drawn from."""

    check: SpotCheck
    drawn: np.ndarray
    population: np.ndarray


@dataclass
class Review:
    """All that a review is. Its parts are swapped whole by the session, under its lock; functions read it and leave it as it is.

    `score_columns`: what stands in the frame beside the caller's columns. `subjects`: the journal's number of each row that it
    knows; `names`: what the journal calls labels that are written otherwise here. `unmatched`: journalled decisions that found
    no row here.
    """

    table: ReviewTable
    column: LabelColumn
    columns: Columns
    score_columns: tuple[str, ...] = ()
    decisions: Decisions = field(init=False)
    sample: Sample | None = None
    sample_is_saved: bool = True
    subjects: dict[int, int] = field(default_factory=dict)
    names: Mapping[str | None, str] = field(default_factory=dict)
    unmatched: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(_UNMATCHED)))

    def __post_init__(self) -> None:
        self.decisions = Decisions(self.table.given)

    @property
    def space(self) -> LabelSpace:
        """All labels that a row can be given."""
        return self.column.space

    @property
    def drawn(self) -> np.ndarray:
        """The rows of the spot check."""
        return NO_ROWS if self.sample is None else self.sample.drawn

    def at(self, revision: int | None) -> Standing:
        """What a query asks of it, as of a revision (None: now)."""
        return Standing(self.decisions.verdicts_at(revision), self.space, self.drawn)

    def errors_left(self) -> ErrorsLeft | None:
        """What the spot check says, None before one was drawn."""
        sample = self.sample
        return None if sample is None else errors_left(self.decisions.verdicts, sample.drawn, sample.population)

    def loss_of(self, rows: np.ndarray, ids: np.ndarray) -> np.ndarray:
        """(len(rows),) float32, nats: the loss that rows would have with these labels."""
        return self.table.loss_of(rows, ids, self.space)

    # what changes it

    def add_class(self, name: str) -> None:
        """A label that the data did not know; `LabelError` where the column has no room for it."""
        self.column.check_takes(name)
        self.column.translate_by(self.space.with_class(name))

    def intern(self, label: Any) -> int:
        """The id of a label as a caller writes it; `LabelError` where it is made of names that there are not."""
        space, number = self.space.interned(label)
        if space is not self.space:
            self.column.translate_by(space)
        return number

    def draw(self, size: int, *, anew: bool) -> None:
        """Draw a spot check of `size` rows, or enlarge the one that there is; it is on disk with the next decision."""
        if self.sample is None or anew:
            check = SpotCheck(size, seed=self.decisions.revision, revision=self.decisions.revision)
        elif self.sample.check.size >= size:
            return
        else:
            check = replace(self.sample.check, size=size)
        self.sample, self.sample_is_saved = sample_of(self.table, self.decisions, check), False


def sample_of(table: ReviewTable, decisions: Decisions, check: SpotCheck) -> Sample:
    """The rows that a spot check is on."""
    population = (decisions.verdicts_at(check.revision) == 0) & (table.given >= 0)
    order = draw_order(table.keys, check.seed)
    return Sample(check, order[population[order]][: check.size], population)


def resume(review: Review, journal: Written) -> None:
    """Take the journal's decisions again, on the rows where they belong now."""
    subjects, written = journal.subjects, journal.decisions
    review.names = journal.names
    ids, strange = _translate(review, journal)
    lost = {s for decision in written if decision.label in strange for s in decision.subjects}
    final = final_states(subjects, written)
    here = {number: subject for number, subject in subjects.items() if number not in lost}
    names = [review.space.written(label) for label in range(len(review.space.names))]
    place = match_subjects(here, final, keys=review.table.keys, given=review.table.given, label_names=names)
    review.subjects = {row: number for number, row in place.items()}
    old = {row: NO_LABEL if (given := subjects[n].given) is None else ids[given] for n, row in place.items()}
    _restore_given(review, old)
    review.decisions = Decisions(review.table.given)
    for decision in written:
        apply_written(review.decisions, decision, ids, place)
    if journal.spot_check is not None:
        review.sample = sample_of(review.table, review.decisions, journal.spot_check)
    rows = np.array(sorted(place.values()), dtype=np.int64)
    review.column.resume(rows, review.table.given[rows], review.decisions.labels[rows])
    lost_rows = [n for n in subjects if n not in place and final[n].says_something]
    missing = [(f"{(s := subjects[n]).key:016x}", s.given, final[n].label, s.twin) for n in lost_rows]
    review.unmatched = pd.DataFrame(missing, columns=list(_UNMATCHED))


def write_down(review: Review, decision: Decision, journal: Journal | None) -> None:
    """Put a decision on disk, before it is applied."""
    if journal is None:
        return
    new = [row for row in decision.rows if row not in review.subjects]
    known = [review.subjects[row] for row in decision.rows if row in review.subjects]
    names, space = review.names, review.space
    described = [replace(s, given=names.get(s.given, s.given)) for s in _describe(review, new)]
    given = {int(label) for label in review.table.given[new] if label != NO_LABEL}
    named = given if decision.label is None else given | {decision.label}
    there = {label: names.get(space.written(label), space.written(label)) for label in sorted(named)}
    numbers = journal.append(
        decision,
        label=None if decision.label is None else there[decision.label],
        known=known,
        new=described,
        values={name: space.value_of(label) for label, name in there.items()},
        label_column=str(review.column.label),
        spot_check=None if review.sample_is_saved or review.sample is None else review.sample.check,
    )
    review.sample_is_saved = True
    review.subjects.update(zip(new, numbers, strict=True))


def _translate(review: Review, journal: Written) -> tuple[dict[str, int], set[str]]:
    """The id of every label that the journal names (`UNKNOWN`: there is none), and the decided ones that cannot be here.

    Labels that the review had added come back, where the column can hold them.
    """
    decided = dict.fromkeys(d.label for d in journal.decisions if d.label is not None)
    ids: dict[str, int] = {}
    for name in dict.fromkeys([*decided, *(s.given for s in journal.subjects.values() if s.given is not None)]):
        space, ids[name] = review.space.read_back(name)
        if ids[name] == UNKNOWN and name in decided:
            try:
                review.column.check_takes(name)
                space, ids[name] = review.space.learned(name)
            except LabelError:
                continue
        if space is not review.space:
            review.column.translate_by(space)
    return ids, {name for name in decided if ids[name] == UNKNOWN}


def _restore_given(review: Review, wanted: Mapping[int, int]) -> None:
    """Rows that came with their new label get their old one back as the given label, with its loss where that is known."""
    table = review.table
    old = {row: max(label, NO_LABEL) for row, label in wanted.items()}
    moved = np.array([row for row, given in old.items() if given != table.given[row]], dtype=np.int64)
    if len(moved):
        review.table = table.with_given(moved, np.array([old[row] for row in moved.tolist()], dtype=np.int32), review.space)


def _describe(review: Review, rows: list[int]) -> list[Subject]:
    table, space = review.table, review.space
    described = []
    for row, place in zip(rows, places_of(table, rows), strict=True):
        given = int(table.given[row])
        described.append(Subject(int(table.keys[row]), space.written(given) if given >= 0 else None, *place))
    return described


def places_of(table: ReviewTable, rows: list[int]) -> list[tuple[int, int, int, int]]:
    """Each row's number among the rows of the same text and given label, and how many those are; then of the same text."""
    if len(rows) <= _FEW:
        places = []
        for row in rows:
            same = table.same_text(row)
            twins = same[table.given[same] == table.given[row]]
            places.append((int(np.searchsorted(twins, row)), len(twins), int(np.searchsorted(same, row)), len(same)))
        return places
    here = np.flatnonzero(np.isin(table.keys, table.keys[rows]))
    numbers = (*_numbered(here, table.keys[here], table.given[here]), *_numbered(here, table.keys[here]))
    at = np.searchsorted(here, rows)
    return list(zip(*(part[at].tolist() for part in numbers), strict=True))


def _numbered(rows: np.ndarray, *of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each of these rows: which of those that are alike in `of` it is, and how many they are."""
    order = np.lexsort((rows, *reversed(of)))
    starts = np.append(True, np.any([part[order][1:] != part[order][:-1] for part in of], axis=0))
    first = np.flatnonzero(starts)
    group = np.cumsum(starts) - 1
    number, size = np.empty_like(rows), np.empty_like(rows)
    number[order] = np.arange(len(rows)) - first[group]
    size[order] = np.diff(np.append(first, len(rows)))[group]
    return number, size
