"""The lock of a journal: it harms no file that is not its own, and dies with the process that took it, not with a child."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
from pathlib import Path

import pytest
from small import make_scores

import loss_widget as lw
from loss_widget.errors import JournalError, JournalInUse
from loss_widget.review.journal.process_lock import ProcessLock

LOCK = Path("j.sqlite.lock")
CARD = json.dumps({"pid": 1, "host": "elsewhere", "since": "2020-01-01"})


def make_link_to_a_file():
    Path("thesis.txt").write_text("five years of work")
    LOCK.symlink_to("thesis.txt")


def make_link_to_a_card():
    Path("card").write_text(CARD)
    LOCK.symlink_to("card")


def make_second_name():
    Path("thesis.txt").write_text("five years of work")
    os.link("thesis.txt", LOCK)


WAYS = {
    "a link to a file": make_link_to_a_file,
    "a link to a card": make_link_to_a_card,
    "a link to nothing": lambda: LOCK.symlink_to("not there"),
    "a second name of a file": make_second_name,
    "a file": lambda: LOCK.write_text("mine"),
    "JSON": lambda: LOCK.write_text('{"pid": 1}'),
    "a directory": LOCK.mkdir,
    "a pipe": lambda: os.mkfifo(LOCK),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_stands_where_the_lock_goes_is_left_as_it_is(scores, way):
    WAYS[way]()
    before = {path: path.read_bytes() for path in Path().iterdir() if path.is_file()}
    session = lw.ReviewSession(scores, journal="j.sqlite")
    with pytest.raises(JournalError, match=r"j\.sqlite\.lock is in the way"):
        session.keep(0)
    assert {path: path.read_bytes() for path in Path().iterdir() if path.is_file()} == before
    assert not Path("not there").exists()


@pytest.mark.parametrize("left", ["", CARD])
def test_the_lock_of_a_process_that_died_is_taken_over(scores, left):
    LOCK.write_text(left)
    with lw.ReviewSession(scores, journal="j.sqlite") as session:
        session.keep(0)
        assert json.loads(LOCK.read_text())["pid"] == os.getpid()
    assert not LOCK.exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_forked_child_that_closes_leaves_the_lock_with_its_parent(scores):
    session = lw.ReviewSession(scores, journal="j.sqlite")
    session.keep(0)
    child = os.fork()
    if not child:
        with contextlib.suppress(JournalError):
            session.keep(1)
            os._exit(1)
        session.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert LOCK.exists()
    assert Path("j.sqlite-journal").exists()
    with multiprocessing.get_context("spawn").Pool(1) as another:
        with pytest.raises(JournalInUse, match=f"process {os.getpid()} on "):
            another.apply(open_it)
        session.keep(1)
        session.close()
        assert another.apply(open_it) == 2


def open_it() -> int:
    with lw.ReviewSession(make_scores(), journal="j.sqlite") as session:
        return session.summary()["keep"]


def test_a_lock_without_room_for_its_card_holds(monkeypatch):
    lock, another = ProcessLock(Path("j.sqlite")), ProcessLock(Path("j.sqlite"))

    def full(fd: int, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "write", full)
        lock.acquire()
    with pytest.raises(JournalInUse, match="another process"):
        another.acquire()
    lock.release()
    another.acquire()
    another.release()
