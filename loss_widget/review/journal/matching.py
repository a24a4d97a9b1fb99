"""Journalled decisions found again in data that may have been re-scored, re-ordered, cut down or partly corrected."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from loss_widget.data.label_space import NO_LABEL
from loss_widget.review.decisions import Decision, Decisions
from loss_widget.review.journal.written import JournalledDecision, Subject


@dataclass(frozen=True)
class FinalState:
    """What a journalled row was left with: the code of its verdict, its label by name, and its note."""

    verdict: int
    label: str | None
    note: str = ""

    @property
    def says_something(self) -> bool:
        """False where all that was decided was taken back."""
        return bool(self.verdict or self.note)


def final_states(subjects: Mapping[int, Subject], decisions: Sequence[JournalledDecision]) -> dict[int, FinalState]:
    """The verdict and label that each journalled row was left with."""
    names = list(
        dict.fromkeys(n for n in (*(s.given for s in subjects.values()), *(d.label for d in decisions)) if n is not None)
    )
    ids = {name: i for i, name in enumerate(names)}
    place = {number: i for i, number in enumerate(subjects)}
    given = [NO_LABEL if s.given is None else ids[s.given] for s in subjects.values()]
    state = Decisions(np.array(given, dtype=np.int32))
    for written in decisions:
        apply_written(state, written, ids, place)
    names_or_none = [*names, None]
    return {
        number: FinalState(int(state.verdicts[i]), names_or_none[state.labels[i]], state.notes.get(i, ""))
        for number, i in place.items()
    }


def apply_written(state: Decisions, written: JournalledDecision, ids: Mapping[str, int], place: Mapping[int, int]) -> None:
    """Take a journalled decision on the rows where its subjects stand; those without a place are not in this data."""
    rows = tuple(sorted(place[s] for s in written.subjects if s in place))
    label = None if written.label is None else ids.get(written.label, NO_LABEL)
    w = written
    decision = Decision(w.kind, rows, label, w.note, w.reviewer, w.at, w.op_id, w.turns_to)
    state.apply(decision, elsewhere=len(written.subjects) - len(rows))


def match_subjects(
    subjects: Mapping[int, Subject],
    final: Mapping[int, FinalState],
    *,
    keys: np.ndarray,
    given: np.ndarray,
    label_names: Sequence[str],
) -> dict[int, int]:
    """{subject: row}. Rows are matched by content key; equal texts by label (the old or the new one), then by order.

    A subject whose text is not here, or whose row now has neither label, gets no row; nor does one of equal texts that fits as
    well to a row not corrected yet as another does to the same row corrected already, where nothing tells which it is.
    """
    wanted = np.unique(np.fromiter((s.key for s in subjects.values()), dtype=np.uint64, count=len(subjects)))
    rows_of_key: dict[int, list[int]] = defaultdict(list)
    for row in np.flatnonzero(np.isin(keys, wanted)).tolist():
        rows_of_key[int(keys[row])].append(row)
    reviewed: dict[int, list[_Reviewed]] = defaultdict(list)
    for number, subject in subjects.items():
        if subject.key in rows_of_key:
            reviewed[subject.key].append(_Reviewed(number, subject, final[number].label))
    here = [
        _SameText(sorted(reviewed[key], key=_in_order), {r: label_names[i] if (i := int(given[r])) >= 0 else None for r in rows})
        for key, rows in rows_of_key.items()
    ]
    is_corrected = _is_corrected(here)
    return {number: row for text in here for number, row in text.rows_of(is_corrected).items()}


@dataclass(frozen=True)
class _Reviewed:
    """A subject with its number and the label that it was left with."""

    number: int
    subject: Subject
    new: str | None

    @property
    def old(self) -> str | None:
        return self.subject.given

    @property
    def changed(self) -> bool:
        return self.old != self.new


def _in_order(reviewed: _Reviewed) -> tuple[int, int, int]:
    s = reviewed.subject
    return (s.twin if s.place is None else s.place, s.twin, reviewed.number)


@dataclass(frozen=True)
class _SameText:
    """The rows of one text, {row: label}, and the reviewed ones among those that it had, in their order."""

    reviewed: list[_Reviewed]
    labels: Mapping[int, str | None]

    def rows_of(self, is_corrected: bool | None) -> dict[int, int]:
        in_place, old, new = self.in_place(), self.uncorrected(), self.corrected()
        if old and new and is_corrected is not None:  # labels that went round among equal rows
            all_alike = new if is_corrected else old
            return in_place if in_place and self._labels_at(in_place) == self._labels_at(all_alike) else all_alike
        return in_place or old or new or self.partly(is_corrected)

    def in_place(self) -> dict[int, int] | None:
        """All rows are here and in their order, whichever of them were corrected."""
        rows = list(self.labels)
        found: dict[int, int] = {}
        corrected = []
        for r in self.reviewed:
            place, places = r.subject.place, r.subject.places
            if place is None or places != len(rows) or not 0 <= place < len(rows):
                return None
            found[r.number] = rows[place]
            stands = self.labels[rows[place]]
            if stands not in (r.old, r.new):
                return None
            if stands != r.old:
                corrected.append(r)
        return found if self._counts_are_right(corrected) and len(set(found.values())) == len(found) else None

    def uncorrected(self) -> dict[int, int] | None:
        """All rows are here with their old labels, in any order."""
        return self._all([(r, r.old) for r in self.reviewed]) if self._counts_are_right([]) else None

    def corrected(self) -> dict[int, int] | None:
        """All rows are here with their new labels, in any order."""
        changed = [r for r in self.reviewed if r.changed]
        return self._all([(r, r.new) for r in self.reviewed]) if self._counts_are_right(changed) else None

    def partly(self, is_corrected: bool | None) -> dict[int, int]:
        """Some rows are not here, or more are: those of their old labels first, unless most were corrected."""
        old, new = ({r.old for r in self.reviewed if r.changed}, {r.new for r in self.reviewed if r.changed})
        doubtful = (old & new) if is_corrected is None else set()
        free, found = _Free(self.labels), dict[int, int]()
        for use_new in (True, False) if is_corrected else (False, True):
            for r in self.reviewed:
                label = r.new if use_new else r.old
                if r.number not in found and not (r.changed and label in doubtful):
                    row = free.take(r, label)
                    if row is not None:
                        found[r.number] = row
        return found

    def _all(self, wanted: Iterable[tuple[_Reviewed, str | None]]) -> dict[int, int] | None:
        free, found = _Free(self.labels), dict[int, int]()
        for r, label in wanted:
            row = free.take(r, label)
            if row is None:
                return None
            found[r.number] = row
        return found

    def _labels_at(self, place: Mapping[int, int]) -> dict[int, str | None]:
        return {number: self.labels[row] for number, row in place.items()}

    @cached_property
    def _counts(self) -> Counter[str | None]:
        return Counter(self.labels.values())

    def _counts_are_right(self, corrected: Iterable[_Reviewed]) -> bool:
        """Whether so many rows have each label as there must be if these are corrected already and the others are not."""
        change = Counter[str | None]()
        for r in corrected:
            change[r.old] -= 1
            change[r.new] += 1
        were = {(r.old, r.subject.twins) for r in self.reviewed}
        return all(self._counts[label] == n + change[label] for label, n in were) and all(
            self._counts[label] >= n for label, n in change.items()
        )


class _Free:
    """Rows that are not taken yet, by label."""

    def __init__(self, labels: Mapping[int, str | None]) -> None:
        self._all: dict[str | None, list[int]] = defaultdict(list)
        for row, label in labels.items():
            self._all[label].append(row)
        self._free = {label: dict.fromkeys(rows) for label, rows in self._all.items()}

    def take(self, reviewed: _Reviewed, label: str | None) -> int | None:
        """A row of this label: that in the old place among those of its label, where all of them are here; else the first."""
        free = self._free.get(label)
        if not free:
            return None
        rows, s = self._all[label], reviewed.subject
        own = rows[s.twin] if label == s.given and len(rows) == s.twins and 0 <= s.twin < s.twins else None
        row = own if own in free else next(iter(free))
        del free[row]
        return row


def _is_corrected(here: Iterable[_SameText]) -> bool | None:
    """Whether most of the relabelled rows, as far as is known, have their new labels already; None: unknown."""
    balance = 0
    for text in here:
        changed = sum(r.changed for r in text.reviewed)
        old, new = (text.uncorrected(), text.corrected()) if changed else (None, None)
        balance += changed * ((new is not None) - (old is not None))
    return None if not balance else balance > 0
