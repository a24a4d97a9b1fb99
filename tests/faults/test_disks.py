"""Disks that are full, folders and files that may not be written, files that others lock: each is called what it is."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import stat
from pathlib import Path

import pytest
from faults import Figures, limit_files, obey_permissions, refusal, small_disk, told_by_a_child
from reviewer import Reviewer, open_review, state_of

import loss_widget as lw
from loss_widget.errors import JournalError, JournalInUse, ReadOnly

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")


def make_review(path: Path, *, end: str = "closed") -> list[list[object]]:
    """A journal that is closed, or was killed: in the middle of a write, or in the WAL mode of versions before."""
    with open_review(path) as session:
        session.relabel([1, 2], "meh")
        session.keep(3)
        state = state_of(session)
    if end != "closed":
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute("PRAGMA cache_size=1")
            if end == "killed in WAL mode":
                db.execute("PRAGMA journal_mode=WAL")
                db.execute("INSERT INTO labels VALUES ('one more', '0')")
            else:
                db.execute("BEGIN IMMEDIATE")
                db.executemany("INSERT INTO labels VALUES (?, '')", ((f"label {i}",) for i in range(3000)))
            half = {file: file.read_bytes() for file in path.parent.iterdir() if not file.name.endswith("-shm")}
        for file, content in half.items():
            file.write_bytes(content)
    return state


@pytest.mark.parametrize("end", ["closed", "killed", "killed in WAL mode"])
@pytest.mark.parametrize("forbidden", ["the folder", "the file", "both"])
def test_a_journal_that_may_not_be_written_opens_read_only(forbidden: str, end: str) -> None:
    folder = Path("given")
    folder.mkdir()
    before = make_review(folder / "j.sqlite", end=end)
    if forbidden != "the folder":
        for file in folder.iterdir():
            file.chmod(0o444)
    if forbidden != "the file":
        folder.chmod(0o555)

    def look() -> tuple[object, ...]:
        obey_permissions()
        with open_review(folder / "j.sqlite") as session:
            with contextlib.suppress(ReadOnly):
                session.keep(5)
                raise AssertionError("a decision was taken that cannot be saved")
            applied = lw.apply_changes(session.df, folder / "j.sqlite")
            return state_of(session), session.read_only, len(applied)

    state, why, rows = told_by_a_child(look)
    assert (state, rows) == (before, len(before))
    assert re.search(r"j\.sqlite cannot be written: you may not write in the (folder|file)", str(why))
    folder.chmod(0o755)
    (folder / "j.sqlite").chmod(0o644)
    with open_review(folder / "j.sqlite") as session:
        assert state_of(session) == before


def test_auto_goes_on_with_a_journal_that_may_not_be_written() -> None:
    folder = Path(".loss_widget")
    folder.mkdir()
    before = make_review(folder / "j.sqlite")
    folder.chmod(0o555)

    def look() -> tuple[object, ...]:
        obey_permissions()
        session = open_review("auto")
        return state_of(session), session.read_only

    state, why = told_by_a_child(look)
    folder.chmod(0o755)
    assert state == before
    assert "cannot be written" in str(why)


@pytest.mark.parametrize("where", ["j.sqlite", "new/j.sqlite"])
def test_a_first_decision_in_a_folder_that_may_not_be_written_says_so(where: str) -> None:
    Path("given").mkdir(mode=0o555)

    def decide() -> list[str]:
        obey_permissions()
        session = open_review(Path("given") / where)
        said = []
        for _ in range(2):
            with pytest.raises(JournalError, match="you may not write in the folder") as caught:
                session.keep(1)
            said.append(type(caught.value).__name__)
        assert (session.read_only, session.summary()["reviewed"]) == ("", 0)
        return said

    assert told_by_a_child(decide) == ["CannotWrite", "CannotWrite"]


def fill(folder: Path, *, but: int = 0) -> Path:
    """A file that takes all room of this disk, but so many bytes."""
    filler = folder / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    if but:
        os.truncate(filler, filler.stat().st_size - but)
    return filler


@pytest.mark.parametrize("room", [0, 4096, 8192, 16384, 32768])
def test_a_full_disk_is_called_so_and_a_decision_is_saved_once_there_is_room(room: int, tmp_path: Path, figures: Figures) -> None:
    with small_disk(tmp_path / "disk", 400) as made:
        if not made:  # a quota instead
            told_by_a_child(lambda: decide_within_limits())
            return
        path = tmp_path / "disk" / "j.sqlite"
        session, refused = open_review(path), 0
        filler = fill(path.parent, but=room)
        for row in range(60):
            before = state_of(session)
            error = refusal(lambda row=row: session.note(row, "as long as a note can be " * 40))
            if error:
                assert type(error) is JournalError
                assert "No room on the disk" in str(error)
                assert state_of(session) == before
                refused += 1
        assert refused
        filler.unlink()
        session.keep(7)
        after = state_of(session)
        session.close()
        with open_review(path) as again:
            assert state_of(again) == after
        assert [file.name for file in path.parent.iterdir()] == ["j.sqlite"]
    figures.add("decisions on a full disk", tries=refused, torn=0)


def decide_within_limits() -> None:
    """A quota on a file's size: the error is not one of a full disk, but the review goes on and stays whole."""
    limit_files(64)
    session, refused = open_review("limited.sqlite"), 0
    for row in range(60):
        before = state_of(session)
        error = refusal(lambda row=row: session.note(row, "as long as a note can be " * 80))
        if error:
            assert type(error) is JournalError
            assert state_of(session) == before
            refused += 1
    assert refused
    after = state_of(session)
    session.close()
    with open_review("limited.sqlite") as again:
        assert state_of(again) == after


def test_a_file_that_may_not_grow_takes_no_more_decisions_and_keeps_those_it_has() -> None:
    told_by_a_child(decide_within_limits)


@pytest.mark.parametrize("how", ["EXCLUSIVE", "IMMEDIATE"])
def test_a_journal_that_another_program_has_locked_is_called_so(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loss_widget.review.journal.sqlite_file._WAIT_S", 0.05)
    before = make_review(Path("j.sqlite"))
    with contextlib.closing(sqlite3.connect("j.sqlite", isolation_level=None)) as viewer:
        viewer.execute(f"BEGIN {how}")
        with pytest.raises(JournalInUse, match=r"Another program has the journal .*j\.sqlite open and locked"):
            open_review("j.sqlite")
        viewer.execute("ROLLBACK")
        session = open_review("j.sqlite")
        assert state_of(session) == before
        viewer.execute(f"BEGIN {how}")
        with pytest.raises(JournalInUse, match="Nothing has changed"):
            session.keep(9)
        assert state_of(session) == before
        viewer.execute("ROLLBACK")
        session.keep(9)
        session.close()
    assert not Path("j.sqlite.lock").exists()


def test_a_viewer_that_only_reads_does_not_hold_decisions_up() -> None:
    with open_review("j.sqlite") as session:
        session.keep(1)
        with contextlib.closing(sqlite3.connect("j.sqlite", isolation_level=None)) as viewer:
            assert viewer.execute("SELECT count(*) FROM decided").fetchone() == (1,)
            session.keep(2)
            assert viewer.execute("SELECT count(*) FROM decided").fetchone() == (2,)


def test_a_journal_is_its_owners_and_stays_as_open_as_it_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Notes are nobody else's business on a shared machine; who wants to share them says so with `chmod`."""
    before = os.umask(0o022)
    try:
        with open_review("j.sqlite") as session:
            session.keep(1)
            assert {file.name: stat.filemode(file.stat().st_mode) for file in Path().glob("j.sqlite*")} == dict.fromkeys(
                ("j.sqlite", "j.sqlite-journal", "j.sqlite.lock"), "-rw-------"
            )
            Path("j.sqlite").chmod(0o640)
            Path("j.sqlite").unlink()
            with pytest.warns(UserWarning, match="was deleted"):
                session.keep(2)
        assert stat.filemode(Path("j.sqlite").stat().st_mode) == "-rw-------"
        Path("j.sqlite").chmod(0o640)
        for row in (3, 4):
            with open_review("j.sqlite") as session:
                session.keep(row)
                if row == 4:
                    Path("j.sqlite").unlink()
                    with pytest.warns(UserWarning, match="was deleted"):
                        session.keep(5)
            assert stat.filemode(Path("j.sqlite").stat().st_mode) == "-rw-r-----"
    finally:
        os.umask(before)


def test_a_reviewer_on_a_network_drive_without_locks_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    def no_locks(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    session, reviewer = open_review("j.sqlite"), Reviewer(0)
    with pytest.raises(JournalError, match="No locks available"):
        reviewer.act(session)
    assert not isinstance(session.read_only, JournalInUse)
