"""Journalled decisions found again in data that may have been re-scored, re-ordered, cut down or partly corrected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from loss_widget.data.labels import NO_LABEL
from loss_widget.review.decisions import Decision, Decisions
from loss_widget.review.journal.written import JournalledDecision, Subject


@dataclass(frozen=True)
class FinalState:
    """What a journalled row was left with: the code of its verdict, and its label by name."""

    verdict: int
    label: str | None


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
        state.apply(as_decision(written, ids, place))
    names_or_none = [*names, None]
    return {number: FinalState(int(state.verdicts[i]), names_or_none[state.labels[i]]) for number, i in place.items()}


def as_decision(written: JournalledDecision, ids: Mapping[str, int], place: Mapping[int, int]) -> Decision:
    """A journalled decision on the rows where its subjects stand; those without a place are left out."""
    rows = tuple(sorted(place[s] for s in written.subjects if s in place))
    label = None if written.label is None else ids.get(written.label, NO_LABEL)
    return Decision(written.kind, rows, label, written.note, written.reviewer, written.at, written.op_id)


def match_subjects(
    subjects: Mapping[int, Subject],
    final: Mapping[int, FinalState],
    *,
    keys: np.ndarray,
    given: np.ndarray,
    label_names: Sequence[str],
) -> dict[int, int]:
    """{subject: row}. Rows are matched by content key; equal texts by label (the old or the new one), then by order.

    A subject whose text is not here, or whose row now has neither label, gets no row.
    """
    wanted = np.unique(np.fromiter((s.key for s in subjects.values()), dtype=np.uint64, count=len(subjects)))
    rows_of_key: dict[int, list[int]] = defaultdict(list)
    for row in np.flatnonzero(np.isin(keys, wanted)).tolist():
        rows_of_key[int(keys[row])].append(row)
    groups: dict[tuple[int, str | None], list[int]] = defaultdict(list)
    for number, subject in subjects.items():
        groups[(subject.key, subject.given)].append(number)

    def name_of(row: int) -> str | None:
        return label_names[given[row]] if given[row] >= 0 else None

    free = {key: {row: name_of(row) for row in rows} for key, rows in rows_of_key.items()}
    place: dict[int, int] = {}
    for (key, old), numbers in groups.items():  # rows that still have their old label
        bucket = [row for row, name in free.get(key, {}).items() if name == old]
        moved = max(subjects[n].twins for n in numbers) - len(bucket)  # so many of the equal rows were corrected since
        waiting = sorted(numbers, key=lambda n: subjects[n].twin)
        corrected = [n for n in waiting if final[n].label != old and final[n].label in free.get(key, {}).values()][
            : max(moved, 0)
        ]
        for number in (n for n in waiting if n not in corrected):
            left = [row for row in bucket if row in free[key]]
            if left:
                whole = len(bucket) == subjects[number].twins
                own = bucket[subjects[number].twin] if whole else left[0]
                row = place[number] = own if own in left else left[0]
                del free[key][row]
    for number, subject in subjects.items():  # rows that have their new label already
        if number not in place:
            found = next((r for r, name in free.get(subject.key, {}).items() if name == final[number].label), None)
            if found is not None:
                place[number] = found
                del free[subject.key][found]
    return place
