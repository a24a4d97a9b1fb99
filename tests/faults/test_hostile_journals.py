"""Files that somebody sent: whatever stands where a journal is expected, nothing of it runs, hangs or is written to."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from reviewer import make_frame, open_review, state_of

import loss_widget as lw
from loss_widget.errors import JournalDamaged, JournalError
from loss_widget.review.journal.journal import read_journal

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"


@pytest.fixture(autouse=True)
def in_good_time() -> Iterator[None]:
    """What hangs in SQLite hears no Ctrl-C: the process ends instead of the test run."""
    signal.setitimer(signal.ITIMER_REAL, 60)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)


def changed(*statements: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with open_review(path) as session:
            session.relabel(range(5, 10), "meh")
            session.keep([1, 2])
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
            for statement in statements:
                db.execute(statement)

    return make


def rewritten(table: str, sql: str, then: str = "") -> Callable[[Path], None]:
    """A table of ours with another schema, its rows as they were."""
    return changed(
        "PRAGMA writable_schema=ON", f"UPDATE sqlite_master SET sql = '{sql}' WHERE name = '{table}'", *([then] if then else [])
    )


def foreign(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("CREATE TABLE mine (x)")
        held = {name: Path(name).read_bytes() for name in (f"{path}", f"{path}-wal")}
    for name, content in held.items():
        Path(name).write_bytes(content)


MARK = "UPDATE decisions SET label = 'bad'"
NEVER_A_JOURNAL: dict[str, Callable[[Path], object]] = {
    "a trigger": changed(f"CREATE TRIGGER t AFTER INSERT ON decisions BEGIN {MARK}; END"),
    "a trigger under one of our names": changed(
        "DROP TABLE sums", f"CREATE TRIGGER sums AFTER INSERT ON decided BEGIN {MARK}; END"
    ),
    "a view in place of a table": changed("DROP TABLE labels", "CREATE VIEW labels AS SELECT 'a' AS name, '1' AS value"),
    "an endless view": changed("DROP TABLE subjects", f"CREATE VIEW subjects AS {ENDLESS} SELECT i AS subject, i AS key FROM n"),
    "an endless view beside": changed(f"CREATE VIEW v AS {ENDLESS} SELECT i FROM n"),
    "a generated column": changed("DROP TABLE labels", "CREATE TABLE labels (name TEXT, value TEXT AS (upper(name)))"),
    "an endless check": changed("DROP TABLE sums", "CREATE TABLE sums (seq, sum CHECK (length(hex(zeroblob(1e9)))))"),
    "an index that computes": changed("CREATE INDEX i ON decided (hex(zeroblob(1000000)))"),
    "a default": rewritten("labels", "CREATE TABLE labels (name TEXT PRIMARY KEY, value TEXT NOT NULL DEFAULT (random()))"),
    "a schema that is none": rewritten("labels", "CREATE TABLE labels (("),
    "no tables": changed(*(f"DROP TABLE {name}" for name in ("decided", "decisions", "subjects", "labels"))),
    "a database of another program": foreign,
    "a pipe": os.mkfifo,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "another device": lambda path: path.symlink_to("/dev/full"),
    "a text": lambda path: path.write_text("dear diary"),
    "one byte": lambda path: path.write_bytes(b"S"),
    "a header and nothing else": lambda path: path.write_bytes(b"SQLite format 3\0".ljust(100, b"\0")),
    "a large file of nothing": lambda path: (path.touch(), os.truncate(path, 10**10)),
}


@pytest.mark.parametrize("kind", NEVER_A_JOURNAL)
def test_what_is_no_journal_of_ours_is_called_so_and_left_as_it_is(kind: str) -> None:
    path = Path(".loss_widget/j.sqlite")
    path.parent.mkdir()
    NEVER_A_JOURNAL[kind](path)
    before = {file.name: file.lstat().st_mtime_ns for file in path.parent.iterdir()}
    for use in (
        lambda: open_review(path),
        lambda: lw.ReviewSession(make_frame(), journal=path, read_only=True),
        lambda: lw.apply_changes(make_frame(), path),
        lambda: read_journal(path),
    ):
        with pytest.raises(lw.errors.LossWidgetError) as caught:
            use()
        assert isinstance(caught.value, JournalDamaged) or "pipe" in kind or "device" in kind
        assert "j.sqlite" in str(caught.value) or "/dev/" in str(caught.value)
    assert {file.name: file.lstat().st_mtime_ns for file in path.parent.iterdir()} == before


@pytest.mark.parametrize("kind", ["a directory", "a link to itself", "a link to nothing", "a file in a file", "a name too long"])
def test_a_path_that_can_hold_no_journal_is_called_so(kind: str) -> None:
    path = Path("j.sqlite")
    if kind == "a directory":
        path.mkdir()
    elif kind == "a link to itself":
        path.symlink_to("j.sqlite")
    elif kind == "a link to nothing":
        path.symlink_to("none/there.sqlite")
    elif kind == "a file in a file":
        Path("file").write_text("a file")
        path = Path("file/j.sqlite")
    else:
        path = Path("j" * 300)
    if kind == "a link to nothing":
        with open_review(path) as session:
            session.keep(1)
        assert Path("none/there.sqlite").exists()
        return
    with pytest.raises(JournalError, match=str(path)[:8]):
        open_review(path).keep(1)


def test_tables_of_a_later_version_are_let_be() -> None:
    changed("CREATE TABLE opinions (x)", "CREATE INDEX by_x ON opinions (x)", "ANALYZE")(Path("j.sqlite"))
    with open_review("j.sqlite") as session:
        assert session.summary()["keep"] == 2
        session.keep(3)
    with open_review("j.sqlite") as session:
        assert session.summary()["keep"] == 3


def test_a_name_beside_the_journal_that_is_taken_is_left_alone() -> None:
    """SQLite writes `-journal` through a link, and `.new` is where a journal is made."""
    Path("thesis.txt").write_text("five years of work")
    for name in ("j.sqlite-journal", "j.sqlite-wal", ".j.sqlite.new"):
        Path(name).symlink_to("thesis.txt")
    with contextlib.suppress(JournalError), open_review("j.sqlite") as session:
        session.keep(1)
        session.keep(2)
    assert Path("thesis.txt").read_text() == "five years of work"


def test_rows_that_hurt_are_called_damage(tmp_path: Path) -> None:
    """Values that no version writes, with sums dropped so that nothing else notices."""
    hurting = [
        "UPDATE decisions SET kind = 'explode'",
        "UPDATE decisions SET label = NULL",
        "UPDATE decisions SET label = x'ff'",
        "UPDATE decisions SET op_id = x'00' WHERE seq = 1",
        "UPDATE decisions SET at = x'00'",
        "UPDATE subjects SET twin = 'many'",
        "UPDATE subjects SET key = 1e300",
        "UPDATE labels SET value = '{}'",
        "UPDATE labels SET value = 'NaN or so'",
        f"UPDATE labels SET value = '{'[' * 100_000}'",
        "UPDATE labels SET value = '[[1]]'",
        "UPDATE decided SET subject = 99 WHERE subject = 1",
        "DELETE FROM subjects",
        "DELETE FROM decisions",
        "INSERT INTO spot_checks VALUES (1, 'x', 2, 3)",
        "INSERT INTO spot_checks VALUES (1, 5, -1, 0)",
        "INSERT INTO spot_checks VALUES (1, 5, 0, 99)",
        "UPDATE decisions SET note = CAST(x'ff' AS TEXT)",
        "UPDATE decisions SET at = 'yesterday'",
        "UPDATE decisions SET at = '9999-12-12T12:12:12.123+00:00'",
    ]
    for number, statement in enumerate(hurting):
        path = Path(f"{number}.sqlite")
        changed("DROP TABLE sums", "DROP TABLE other_sums", statement)(path)
        with pytest.raises(JournalDamaged, match=f"{number}.sqlite"):
            open_review(path)
        with pytest.raises(JournalDamaged, match=f"{number}.sqlite"):
            lw.apply_changes(make_frame(), path)


def test_values_that_are_odd_and_harmless_open() -> None:
    odd = [
        "UPDATE subjects SET twin = -5, twins = 0",
        "UPDATE subjects SET twins = 9223372036854775807, twin = 9223372036854775807",
        "INSERT INTO spot_checks VALUES (1, 9223372036854775807, 9223372036854775807, 0)",
    ]
    for number, statement in enumerate(odd):
        path = Path(f"{number}.sqlite")
        changed("DROP TABLE sums", "DROP TABLE other_sums", statement)(path)
        with contextlib.suppress(JournalDamaged), open_review(path) as session:
            state_of(session)
            assert [session.summary(), session.progress(), session.changes, session.corrected(audit=True)]
            session.undo()
            session.keep(4)
