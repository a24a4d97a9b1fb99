"""ReviewState: the decisions taken on a table, the rows drawn for a spot check, and the journal's names for the rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from loss_widget.data.labels import NO_LABEL, label_id
from loss_widget.errors import LabelError
from loss_widget.review.decisions import Decision, Decisions, SpotCheck
from loss_widget.review.estimate import ErrorsLeft, draw_order, errors_left
from loss_widget.review.journal.journal import Journal
from loss_widget.review.journal.matching import apply_written, final_states, match_subjects
from loss_widget.review.journal.written import JournalledDecision, Subject, Written
from loss_widget.review.label_column import LabelColumn
from loss_widget.review.table import NO_ROWS, ReviewTable

_FEW = 64


class ReviewState:
    """Decisions joined with the table they are on. The caller holds the session's lock."""

    def __init__(self, table: ReviewTable, labels: LabelColumn) -> None:
        self._table = table
        self._labels = labels
        self.decisions = Decisions(table.given)
        self.op_ids: set[str] = set()
        self.unmatched = pd.DataFrame(columns=["key", "old_label", "new_label", "twin"])
        self._subjects: dict[int, int] = {}  # row → its number in the journal
        self._names: Mapping[str | None, str] = {}  # name → what the journal calls it, where that is another
        self.spot_check: SpotCheck | None = None
        self.drawn = self._population = NO_ROWS
        self._spot_check_saved = True

    def resume(self, journal: Written) -> None:
        """Take the journal's decisions again, on the rows where they belong now."""
        subjects, written = journal.subjects, journal.decisions
        self.op_ids = {decision.op_id for decision in written}
        self._names = journal.names
        strange = self._learn_labels(written)
        lost = {s for decision in written if decision.label in strange for s in decision.subjects}
        names = self._table.label_names
        final = final_states(subjects, written)
        here = {number: subject for number, subject in subjects.items() if number not in lost}
        place = match_subjects(here, final, keys=self._table.keys, given=self._table.given, label_names=names)
        self._subjects = {row: number for number, row in place.items()}
        self._restore_given({row: subjects[number].given for number, row in place.items()})
        ids = {name: i for i, name in enumerate(names)}
        self.decisions = Decisions(self._table.given)
        for decision in written:
            apply_written(self.decisions, decision, ids, place)
        if journal.spot_check is not None:
            self._draw(journal.spot_check)
        rows = np.array(sorted(place.values()), dtype=np.int64)
        self._labels.resume(rows, self._table.given[rows], self.decisions.labels[rows])
        lost_rows = [n for n in subjects if n not in place and final[n].says_something]
        missing = [(f"{(s := subjects[n]).key:016x}", s.given, final[n].label, s.twin) for n in lost_rows]
        self.unmatched = pd.DataFrame(missing, columns=self.unmatched.columns)

    def write(self, decision: Decision, journal: Journal | None) -> None:
        """Put a decision on disk before it is applied."""
        if journal is None:
            return
        label = None if decision.label is None else self._table.label_names[decision.label]
        new = [row for row in decision.rows if row not in self._subjects]
        known = [self._subjects[row] for row in decision.rows if row in self._subjects]
        described = self._describe(new)
        named = {name for name in (label, *(s.given for s in described)) if name is not None}
        values = {self._names.get(n, n): self._labels.value_of(label_id(n, self._table.label_names)) for n in named}
        spot_check = None if self._spot_check_saved else self.spot_check
        numbers = journal.append(
            decision,
            label=self._names.get(label, label),
            known=known,
            new=[replace(s, given=self._names.get(s.given, s.given)) for s in described] if self._names else described,
            values=values,
            label_column=str(self._labels.label),
            spot_check=spot_check,
        )
        self._spot_check_saved = True
        self._subjects.update(zip(new, numbers, strict=True))

    def draw(self, size: int, *, anew: bool) -> None:
        """Draw a spot check of `size` rows, or let the one that there is grow to them; on disk with the next decision."""
        check = self.spot_check
        if check is None or anew:
            check = SpotCheck(size, seed=self.decisions.revision, revision=self.decisions.revision)
        elif check.size >= size:
            return
        self._draw(replace(check, size=size))
        self._spot_check_saved = False

    def errors_left(self) -> ErrorsLeft | None:
        """What the spot check says, None before one was drawn."""
        return None if self.spot_check is None else errors_left(self.decisions.verdicts, self.drawn, self._population)

    def _draw(self, check: SpotCheck) -> None:
        self.spot_check = check
        self._population = (self.decisions.verdicts_at(check.revision) == 0) & (self._table.given >= 0)
        order = draw_order(self._table.keys, check.seed)
        self.drawn = order[self._population[order]][: check.size]

    def add_label(self, name: str) -> None:
        self._labels.add(self._labels.can_hold_new(name))
        self._table.label_names.append(name)

    def _learn_labels(self, written: list[JournalledDecision]) -> set[str]:
        """Labels that the review had added come back; those that this column cannot hold are returned."""
        strange = set()
        for name in dict.fromkeys(d.label for d in written if d.label is not None):
            if name not in self._table.label_names:
                try:
                    self.add_label(name)
                except LabelError:
                    strange.add(name)
        return strange

    def _restore_given(self, old: dict[int, str | None]) -> None:
        """Rows that came with their new label get their old one back as the given label, with its loss where that is known."""
        table, ids = self._table, {name: i for i, name in enumerate(self._table.label_names)}
        wanted = {row: ids.get(name, NO_LABEL) if name is not None else NO_LABEL for row, name in old.items()}
        moved = np.array([row for row, given in wanted.items() if given != table.given[row]], dtype=np.int64)
        table.given[moved] = [wanted[row] for row in moved.tolist()]
        if table.log_probs is not None and len(moved):
            table.loss[moved] = table.loss_of(moved, table.given[moved])
            table.label_prob[moved] = np.exp(-table.loss[moved])

    def _describe(self, rows: list[int]) -> list[Subject]:
        names, table = self._table.label_names, self._table
        described = []
        for row, place in zip(rows, self._places(rows), strict=True):
            given = int(table.given[row])
            described.append(Subject(int(table.keys[row]), names[given] if given >= 0 else None, *place))
        return described

    def _places(self, rows: list[int]) -> list[tuple[int, int, int, int]]:
        """Each row's number among the rows of the same text and given label, and how many those are; then of the same text."""
        table = self._table
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
