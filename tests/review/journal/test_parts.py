"""A review that goes on in parts of its data: what is not there is not touched, nor undone."""

from __future__ import annotations

import itertools
import sqlite3

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

import loss_widget as lw
from loss_widget.review.journal.journal import VERSION

NAMES = ["a", "b", "c"]
N = 6
number = itertools.count()


def open_part(rows: list[int], journal: str) -> lw.ReviewSession:
    frame = pd.DataFrame({"text": [f"text {i}" for i in range(N)], "label": ["a", "b"] * (N // 2), "loss": 1.0})
    return lw.ReviewSession(frame.iloc[rows].reset_index(drop=True), journal=journal, label_names=NAMES)


def state_of(session: lw.ReviewSession) -> list[tuple[str, str, str]]:
    rows = session.page(lw.Query(sort="row", descending=False)).rows
    return [(row.verdict, row.label, row.note) for row in rows]


parts = st.lists(st.integers(0, N - 1), min_size=1, max_size=N, unique=True).map(sorted)
acts = st.lists(
    st.tuples(
        st.sampled_from(["relabel", "relabel all", "keep", "remove all", "note", "clear", "undo", "undo", "redo"]),
        st.integers(0, N - 1),
        st.sampled_from(NAMES),
    ),
    min_size=1,
    max_size=5,
)


def act(session: lw.ReviewSession, kind: str, row: int, name: str) -> None:
    rows = range(len(session)) if kind.endswith("all") else row % len(session)
    verb = kind.split()[0]
    if verb in ("undo", "redo"):
        getattr(session, verb)()
    elif verb in ("relabel", "note"):
        getattr(session, verb)(rows, name)
    else:
        getattr(session, verb)(rows)


@given(st.lists(st.tuples(parts, acts), min_size=1, max_size=4))
@settings(max_examples=30)
def test_what_is_done_and_undone_in_a_part_touches_that_part_alone(segments):
    journal = f"parts-{next(number)}.sqlite"
    with open_part(list(range(N)), journal) as whole:
        whole.remove([1, 4])
        whole.relabel([0, 2, 3], "c")
        before = state_of(whole)
    for rows, acts in segments:
        with open_part(rows, journal) as part:
            assert state_of(part) == [before[row] for row in rows]
            for one in acts:
                act(part, *one)
            after = state_of(part)
        with open_part(list(range(N)), journal) as whole:
            expected = list(before)
            for row, state in zip(rows, after, strict=True):
                expected[row] = state
            assert state_of(whole) == expected
        before = expected
    rows = segments[0][0]
    with open_part(rows, journal) as part:
        undone = 0
        while part.can_undo:
            part.undo()
            undone += 1
        assert {(verdict, note) for verdict, _, note in state_of(part)} == {("", "")}
        for _ in range(undone):
            part.redo()
        assert state_of(part) == [before[row] for row in rows]
    with open_part(list(range(N)), journal) as whole:
        assert state_of(whole) == before


def test_an_act_that_is_partly_here_is_undone_here_and_stays_elsewhere():
    with open_part([0, 1, 2], "j.sqlite") as session:
        session.remove([0, 2])
        session.keep(1)
    with open_part([1, 2, 3], "j.sqlite") as part:
        part.undo()
        part.undo()
        assert (part.summary()["reviewed"], part.can_undo, part.can_redo) == (0, False, True)
    with open_part([0, 1, 2], "j.sqlite") as whole:
        assert whole.changes["row"].tolist() == [0]
        whole.redo()
        whole.redo()
        assert whole.changes["verdict"].tolist() == ["remove", "keep", "remove"]


def version_of(journal: str) -> int:
    db = sqlite3.connect(journal)
    version = db.execute("PRAGMA user_version").fetchone()[0]
    db.close()
    return int(version)


def test_an_older_version_reads_what_it_would_not_misread_and_is_told_of_the_rest():
    with open_part([0, 1, 2], "j.sqlite") as session:
        session.keep(0)
        session.remove(2)
        session.undo()
        session.redo()
    assert version_of("j.sqlite") == 1
    with open_part([0], "j.sqlite") as part:
        part.undo()
    assert version_of("j.sqlite") == VERSION > 1


def test_the_summary_says_how_many_reviewed_rows_are_not_here():
    with open_part(list(range(N)), "j.sqlite") as session:
        session.keep([0, 1, 2])
        session.note(4, "later")
        session.remove(5)
        session.undo()
        assert session.summary()["unmatched"] == 0
    with open_part([2, 3], "j.sqlite") as part:
        assert part.summary()["unmatched"] == len(part.unmatched) == 3
