"""Decisions on disk: durable before the answer, never overwritten, one owner at a time."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from small import TEXTS, make_frame, make_scores

import loss_widget as lw
from loss_widget.errors import JournalDamaged, JournalError, JournalInUse, ReadOnly
from loss_widget.review.journal import choice
from loss_widget.review.journal.journal import APPLICATION_ID, Journal


def test_a_review_without_decisions_leaves_no_file(scores):
    lw.ReviewSession(scores).close()
    assert list(Path().iterdir()) == []


def test_auto_makes_a_journal_with_the_first_decision_and_finds_it_again(scores):
    session = lw.ReviewSession(scores)
    session.relabel(1, "bad")
    assert session.journal is not None
    assert session.journal.parent == Path(".loss_widget").resolve()
    session.close()
    again = lw.ReviewSession(make_scores())
    assert again.journal == session.journal
    assert again.df["label"].iloc[1] == "bad"


def test_auto_takes_the_journal_that_knows_most_of_the_rows(scores):
    for name, rows in (("one", [0]), ("many", [0, 1, 2, 3])):
        with lw.ReviewSession(make_scores(), journal=f".loss_widget/{name}.sqlite") as session:
            session.keep(rows)
    (Path(".loss_widget") / "broken.sqlite").write_bytes(b"no database")
    assert lw.ReviewSession(scores).journal == Path(".loss_widget/many.sqlite").resolve()
    other = make_frame().assign(text=[f"new {i}" for i in range(12)], loss=1.0)
    with pytest.warns(UserWarning, match=r"A new review begins here.*broken\.sqlite"):
        session = lw.ReviewSession(other)
    assert session.journal is not None
    assert not session.journal.exists()


def test_the_journal_holds_no_text(scores):
    with lw.ReviewSession(scores, journal="j.sqlite") as session:
        session.relabel(range(12), "bad")
    held = Path("j.sqlite").read_bytes()
    assert not any(text.encode() in held for text in TEXTS if len(text) > 3)


def test_a_journal_that_was_deleted_is_written_again_whole(scores):
    session = lw.ReviewSession(scores)
    session.relabel(1, "bad")
    shutil.rmtree(".loss_widget")
    with pytest.warns(UserWarning, match="was deleted; it has been written again"):
        session.keep(2)
    session.remove(3)
    session.close()
    assert lw.ReviewSession(make_scores()).changes["row"].tolist() == [1, 2, 3]


def test_a_journal_that_was_replaced_is_not_written_to(scores):
    session = lw.ReviewSession(scores, journal="j.sqlite")
    session.keep(1)
    Path("j.sqlite").rename("moved.sqlite")
    Path("j.sqlite").write_text("mine")
    with pytest.raises(JournalError, match="another file took its place"):
        session.keep(2)
    assert Path("j.sqlite").read_text() == "mine"


def test_a_few_texts_in_common_do_not_make_one_review_of_two_data_sets():
    def rows(name: str) -> pd.DataFrame:
        return pd.DataFrame({"text": ["ok", *(f"{name} {i}" for i in range(50))], "label": "good", "loss": 1.0})

    with lw.ReviewSession(rows("train")) as session:
        session.keep(range(30))
    assert lw.ReviewSession(rows("test")).summary()["reviewed"] == 0
    assert lw.ReviewSession(rows("train").iloc[:2]).summary()["reviewed"] == 2


def test_a_read_only_session_looks_without_laying_hands_on_the_journal(scores):
    session = lw.ReviewSession(scores, journal="j.sqlite")
    session.keep(1)
    looking = lw.ReviewSession(make_scores(), journal="j.sqlite", read_only=True)
    assert looking.summary()["keep"] == 1
    session.keep(2)
    with pytest.raises(ReadOnly):
        looking.keep(3)


@pytest.mark.parametrize("damage", ["foreign", "text", "torn", "scribbled"])
def test_a_damaged_or_foreign_file_is_named_and_never_overwritten(scores, damage):
    path = Path("j.sqlite")
    if damage == "foreign":
        with sqlite3.connect(path) as db:
            db.execute("CREATE TABLE mine (x)")
        db.close()
    elif damage == "text":
        path.write_text("dear diary")
    else:
        with lw.ReviewSession(make_scores(), journal=path) as session:
            for row in range(12):
                session.note(row, "words " * 200)
        content = path.read_bytes()
        middle = len(content) // 2
        path.write_bytes(content[:middle] if damage == "torn" else content[:4096] + os.urandom(len(content) - 4096))
    before = path.read_bytes()
    with pytest.raises(JournalDamaged, match=r"j\.sqlite.*left as it is"):
        lw.ReviewSession(scores, journal=path)
    assert path.read_bytes() == before
    assert not Path("j.sqlite.lock").exists()


def test_a_journal_of_a_newer_version_is_left_alone(scores):
    with lw.ReviewSession(make_scores(), journal="j.sqlite") as session:
        session.keep(1)
    with sqlite3.connect("j.sqlite") as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(JournalError, match="version 99"):
        lw.ReviewSession(scores, journal="j.sqlite")


def test_a_directory_is_no_journal(scores):
    Path("folder").mkdir()
    with pytest.raises(JournalError, match="a directory"):
        lw.ReviewSession(scores, journal="folder")


def test_a_decision_that_cannot_be_saved_changes_nothing(scores):
    Path("blocked").write_text("a file where a folder should be")
    session = lw.ReviewSession(scores, journal="blocked/j.sqlite")
    with pytest.raises(JournalError, match="blocked"):
        session.relabel(1, "bad")
    assert scores.frame["label"].iloc[1] == "good"
    assert session.summary()["reviewed"] == 0


def test_an_append_that_fails_leaves_the_review_as_it_was(scores):
    session = lw.ReviewSession(scores, journal="j.sqlite")
    session.keep(0)
    journal = session._ownership.journal
    assert journal is not None
    journal._db.execute("PRAGMA query_only=ON")
    with pytest.raises(JournalError, match="Nothing has changed"):
        session.relabel(1, "bad")
    assert (scores.frame["label"].iloc[1], session.revision) == ("good", 1)
    journal._db.execute("PRAGMA query_only=OFF")
    session.relabel(1, "bad")
    assert scores.frame["label"].iloc[1] == "bad"


def test_the_newer_session_takes_over_and_the_older_turns_read_only(scores):
    older = lw.ReviewSession(scores, journal="j.sqlite")
    told = []
    older.on_read_only(told.append)
    older.keep(0)
    newer = lw.ReviewSession(scores, journal="j.sqlite")
    assert newer.summary()["keep"] == 1
    with pytest.raises(ReadOnly, match="newer widget"):
        older.keep(1)
    assert told == [older.read_only]
    newer.keep(1)
    older.close()
    newer.keep(2)
    assert newer.summary()["keep"] == 3


def test_a_session_that_made_its_journal_late_is_superseded_too(scores):
    older = lw.ReviewSession(scores, journal="j.sqlite")
    newer = lw.ReviewSession(scores, journal="j.sqlite")
    with pytest.raises(ReadOnly):
        older.keep(1)
    newer.keep(0)


def test_a_cell_run_twice_before_the_first_decision_makes_one_review(scores):
    older, newer = lw.ReviewSession(scores), lw.ReviewSession(scores)
    newer.keep(0)
    with pytest.raises(ReadOnly):
        older.keep(1)
    assert len(list(Path(".loss_widget").glob("*.sqlite"))) == 1


HOLDER = """
import sys
sys.path.insert(0, {folder!r})
from small import make_scores
import loss_widget as lw
session = lw.ReviewSession(make_scores(), journal="j.sqlite")
session.keep(0)
{then}
print("ready", flush=True)
sys.stdin.read()
"""


def holder(then: str = "") -> subprocess.Popen[str]:
    code = HOLDER.format(folder=str(Path(__file__).parents[1]), then=then)
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_another_process_is_told_who_holds_the_journal(scores):
    with holder() as process:
        with pytest.raises(JournalInUse, match=f"process {process.pid} on "):
            lw.ReviewSession(scores, journal="j.sqlite")
        process.communicate("")
    session = lw.ReviewSession(scores, journal="j.sqlite")
    assert session.summary()["keep"] == 1


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a system with SIGKILL")
def test_a_decision_survives_a_crash():
    with holder("for row in range(1, 12): session.relabel(row, 'bad')") as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    frame = lw.ReviewSession(make_scores(), journal="j.sqlite").df
    assert set(frame["label"].iloc[1:]) == {"bad"}


def test_a_copy_of_the_file_alone_is_the_whole_journal(scores):
    with lw.ReviewSession(scores, journal="j.sqlite") as session:
        session.relabel([0, 3], "meh")
    shutil.copy("j.sqlite", "copy.sqlite")
    assert lw.ReviewSession(make_scores(), journal="copy.sqlite").summary()["relabel"] == 2


def test_the_file_says_whose_it_is():
    journal = Journal(Path("j.sqlite"))
    journal.close()
    assert Path("j.sqlite").read_bytes()[68:72] == b"Loss"


def test_between_two_decisions_everything_is_in_the_one_file(scores):
    session = lw.ReviewSession(scores, journal="j.sqlite")
    for row in range(12):
        session.keep(row)
        shutil.copy("j.sqlite", "copy.sqlite")
        with lw.ReviewSession(make_scores(), journal="copy.sqlite", read_only=True) as looking:
            assert looking.summary()["keep"] == row + 1
    session.close()
    assert sorted(path.name for path in Path().iterdir()) == ["copy.sqlite", "j.sqlite"]


@pytest.mark.parametrize("end", ["closed", "killed"])
def test_a_journal_of_the_first_version_opens_and_goes_on(scores, end):
    """It was in WAL mode, knew no sums, and left its last decisions in a file beside it when it was killed."""
    with contextlib.closing(sqlite3.connect("writing.sqlite", isolation_level=None)) as db:
        db.execute(f"PRAGMA application_id={APPLICATION_ID}")
        db.execute("PRAGMA journal_mode=WAL")
        db.executescript((Path(__file__).parent / "version_1.sql").read_text())
        for name in ("writing.sqlite", "writing.sqlite-wal"):
            shutil.copy(name, name.replace("writing", "killed"))
    shutil.copy("writing.sqlite", "closed.sqlite")
    path = f"{end}.sqlite"
    looking = lw.ReviewSession(make_scores(), journal=path, read_only=True)
    assert looking.changes[["row", "verdict", "new_label"]].values.tolist() == [
        [0, "relabel", "meh"],
        [1, "keep", "good"],
        [2, "keep", "meh"],
        [3, "relabel", "meh"],
        [7, "remove", "bad"],
        [8, "unsure", "meh"],
        [9, "relabel", "new"],
    ]
    assert (looking.page(lw.Query(sort="row", descending=False)).rows[5].note, looking.summary()["reviewed"]) == ("odd", 7)
    with lw.ReviewSession(make_scores(), journal=path) as session:
        session.relabel([3, 4], "bad")
        session.undo()
        session.keep(5)
    with lw.ReviewSession(scores, journal=path) as session:
        assert session.changes["row"].tolist() == [0, 1, 2, 3, 5, 7, 8, 9]
    assert [p.name for p in Path().glob(f"{end}*")] == [path]


def test_a_reader_undoes_a_write_that_was_killed_in_the_middle(scores):
    """The state that `kill -9` leaves while a decision is being written: pages in the file, what was there before beside it."""
    with lw.ReviewSession(scores, journal="j.sqlite") as session:
        session.keep(0)
        with contextlib.closing(sqlite3.connect("j.sqlite", isolation_level=None)) as db:
            db.execute("PRAGMA cache_size=1")
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT INTO labels VALUES (?, '')", ((f"label {i}",) for i in range(9000)))
            for name in ("j.sqlite", "j.sqlite-journal"):
                shutil.copy(name, name.replace("j.", "killed."))
            db.execute("ROLLBACK")
    assert Path("killed.sqlite-journal").stat().st_size
    changes = lw.apply_changes(make_frame(), "killed.sqlite", drop_removed=True)
    assert len(changes) == 12
    assert lw.ReviewSession(make_scores(), journal="killed.sqlite").summary()["keep"] == 1


def test_auto_reads_each_journal_of_a_folder_once_and_again_when_it_has_changed(scores, monkeypatch):
    with lw.ReviewSession(make_scores(), journal=".loss_widget/1.sqlite") as session:
        session.keep([0, 1])
    for number in range(2, 6):
        shutil.copy(".loss_widget/1.sqlite", f".loss_widget/{number}.sqlite")
    read, keys_in = [], choice._keys_in
    monkeypatch.setattr(choice, "_keys_in", lambda path: read.append(path.stem) or keys_in(path))
    other = make_frame().assign(text=[f"new {i}" for i in range(12)], loss=1.0)
    for _ in range(2):
        lw.ReviewSession(other)
    assert read == ["1", "2", "3", "4", "5"]
    with lw.ReviewSession(make_scores(), journal=".loss_widget/3.sqlite") as session:
        session.keep([2, 3, 4])
    assert lw.ReviewSession(scores).journal == Path(".loss_widget/3.sqlite").resolve()
    assert read[5:] == ["3"]
