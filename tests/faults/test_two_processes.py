"""Two processes on one journal, and a clock that goes back: nobody loses a decision that was answered."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from faults import Child, Figures, refusal, tries
from reviewer import ROWS, Reviewer, open_review, state_after, state_of

from loss_widget.errors import JournalInUse, ReadOnly
from loss_widget.review.journal.journal import read_journal

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning"),
    pytest.mark.timeout(3600),
]


def decide_first(tell: Callable[[object], None]) -> None:
    """Open a review that nobody has begun, and begin it as soon as the gate is open."""
    session = open_review("j.sqlite")
    tell("ready")
    while not Path("gate").exists():
        os.sched_yield()
    error = refusal(lambda: session.keep(os.getpid() % ROWS))
    assert error is None or isinstance(error, (JournalInUse, ReadOnly)), error
    tell(error is None)


def test_of_processes_that_begin_a_review_at_once_one_does_and_the_others_are_told(figures: Figures) -> None:
    for _ in range(tries(5, 100)):
        children = [Child(decide_first) for _ in range(3)]
        for child in children:
            assert child.hear() == "ready"
        Path("gate").touch()
        told = [child.end() for child in children]
        began = [child.pid % ROWS for child, [saved] in zip(children, told, strict=True) if saved]
        with open_review("j.sqlite") as session:
            assert sorted(session.changes["row"]) == sorted(began)
        assert began
        for left in (Path("gate"), Path("j.sqlite")):
            left.unlink()
        assert not list(Path().iterdir())
    figures.add("three processes begin one review at once", tries=tries(5, 100), lost=0)


def test_who_reads_while_another_decides_sees_whole_decisions_and_holds_nobody_up(figures: Figures) -> None:
    acts = tries(150, 2000)

    def decide(tell: Callable[[object], None]) -> None:
        session, reviewer = open_review("j.sqlite"), Reviewer(5)
        for _ in range(acts):
            session = reviewer.act(session)
        session.close()

    child, seen, reads = Child(decide), 0, 0
    end = time.monotonic() + 600
    while not Path("j.sqlite").exists():
        assert time.monotonic() < end
    while os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        now = len(read_journal(Path("j.sqlite")).decisions)
        assert now >= seen
        seen, reads = now, reads + 1
    child.end()
    with open_review("j.sqlite") as session:
        assert state_of(session) == state_after(5, acts)
    figures.add("looks at a journal while another process decides", tries=reads, torn=0)


def test_a_clock_that_goes_back_changes_no_order(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = itertools.count(59, -1)
    monkeypatch.setattr("loss_widget.review.decisions.now", lambda: f"2026-01-01T00:00:{next(seconds) % 60:02}.000+00:00")
    with open_review("j.sqlite") as session:
        for row in range(20):
            session.relabel(row, "meh")
            session.keep(row)
        session.undo()
        before = state_of(session)
    with open_review("j.sqlite") as again:
        assert state_of(again) == before
        again.redo()
        assert again.summary()["keep"] == 20
