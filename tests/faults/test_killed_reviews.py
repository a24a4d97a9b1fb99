"""A review that is killed or interrupted at any moment: what was answered is there, and memory is what is on disk."""

from __future__ import annotations

import contextlib
import os
import pkgutil
import random
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from faults import Child, Figures, killing_at, tries
from reviewer import Reviewer, open_review, state_after, state_of

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning"),
    pytest.mark.timeout(3600),
]


def review(seed: int, tell: Callable[[object], None], acts: int = 200) -> None:
    session, reviewer = open_review("j.sqlite"), Reviewer(seed)
    for act in range(acts):
        session = reviewer.act(session)
        tell(act + 1)


def check_that_all_is_there(seed: int, answered: int) -> None:
    """The review as after the last act that was answered, or after one more, which was on its way."""
    with open_review("j.sqlite") as again:
        found = state_of(again)
    assert found in (state_after(seed, answered), state_after(seed, answered + 1))
    assert not list(Path().glob("j.sqlite-*"))


def test_a_review_killed_at_any_moment_has_every_act_that_was_answered(figures: Figures) -> None:
    moments, kills, acts = random.Random(0), 0, 0
    for seed in range(tries(25, 600)):
        for old in Path().glob("*j.sqlite*"):
            old.unlink()
        child = Child(lambda tell, seed=seed: review(seed, tell))
        timer = threading.Timer(moments.uniform(0.0, 0.4), child.kill)
        timer.start()
        answered = len(child.end())
        timer.cancel()
        kills += child.was_killed
        acts += answered
        check_that_all_is_there(seed, answered)
    assert kills
    figures.add("kill -9 at a random moment of a review", tries=kills, acts=acts, lost=0)


@pytest.mark.parametrize("statement", range(1, 60, tries(4, 1)))
def test_a_review_killed_in_the_middle_of_a_write_opens_again(statement: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal while it is made, and its first decisions."""
    connect = sqlite3.connect

    def traced(*args: object, **named: object) -> sqlite3.Connection:
        db = connect(*args, **named)
        db.set_trace_callback(killing_at(statement, lambda said: None))
        return db

    with monkeypatch.context() as armed:
        armed.setattr("loss_widget.review.journal.sqlite_file.sqlite3.connect", traced)
        answered = len(Child(lambda tell: review(3, tell, acts=12)).end())
    check_that_all_is_there(3, answered)


@pytest.mark.parametrize("call", [1, 2])
@pytest.mark.parametrize("step", ["os.link", "os.open", "os.stat", "_check", "_put", "_sync_folder"])
def test_a_journal_killed_while_it_is_made_is_there_whole_or_not_at_all(
    step: str, call: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "loss_widget.review.journal.journal" if step == "_check" else "loss_widget.review.journal.sqlite_file"
    with monkeypatch.context() as armed:
        armed.setattr(f"{module}.{step}", killing_at(call, pkgutil.resolve_name(f"{module}.{step}")))
        answered = len(Child(lambda tell: review(0, tell, acts=3)).end())
    check_that_all_is_there(0, answered)
    with open_review("j.sqlite") as session:
        session.note(0, "goes on")
    assert [path.name for path in Path().iterdir()] == ["j.sqlite"]


def test_a_write_of_the_first_version_killed_while_it_made_the_journal_is_begun_again() -> None:
    """It wrote the tables into the file itself; its process was killed with half of the first page on disk."""
    with contextlib.closing(sqlite3.connect("half.sqlite", isolation_level=None)) as db:
        db.execute("BEGIN")
        db.execute("CREATE TABLE subjects (x)")
        db.execute("PRAGMA application_id=1282372467")
        db.execute("PRAGMA cache_size=1")
        db.execute("PRAGMA cache_spill=1")
        db.execute("CREATE TABLE filler (x)")
        db.executemany("INSERT INTO filler VALUES (?)", [("x" * 3000,)] * 40)
        for end in ("", "-journal"):
            Path(f"j.sqlite{end}").write_bytes(Path(f"half.sqlite{end}").read_bytes())
        db.execute("ROLLBACK")
    assert Path("j.sqlite-journal").stat().st_size
    with open_review("j.sqlite") as session:
        session.keep(1)
    with open_review("j.sqlite") as again:
        assert again.summary()["keep"] == 1


class Interrupted(BaseException):
    """As KeyboardInterrupt, but pytest does not stop for it."""


@pytest.mark.parametrize("kind", ["SIGINT", "SIGALRM"])
def test_an_interrupted_review_has_in_memory_what_it_has_on_disk(kind: str, figures: Figures) -> None:
    moments, number, interrupts = random.Random(1), getattr(signal, kind), 0

    def raise_(*_: object) -> None:
        raise Interrupted

    before = signal.signal(number, raise_)
    try:
        for seed in range(tries(40, 400)):
            path = f"{kind}-{seed}.sqlite"
            session, reviewer = open_review(path), Reviewer(seed)
            for _ in range(8):
                timer = threading.Timer(moments.uniform(0, 0.006), os.kill, (os.getpid(), number))
                with contextlib.suppress(Interrupted):
                    try:
                        timer.start()
                        session = reviewer.act(session)
                        timer.join()
                        time.sleep(0)
                    except Interrupted:
                        interrupts += 1
                        raise
                    finally:
                        timer.join()
                if session.read_only:  # superseded by one that was interrupted before we got it
                    session = open_review(path)
            in_memory = state_of(session)
            session.close()
            with open_review(path) as again:
                assert state_of(again) == in_memory
    finally:
        signal.signal(number, before)
    assert interrupts
    figures.add("Ctrl-C at a random moment of a decision", tries=interrupts, torn=0)
