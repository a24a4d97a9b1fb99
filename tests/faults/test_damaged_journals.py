"""A byte that changed, or a file that was cut: the journal is called damaged, or holds what it held. Never anything else."""

from __future__ import annotations

import contextlib
import random
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults import Figures, refusal, tries
from reviewer import Reviewer, open_review

from loss_widget.errors import JournalDamaged, JournalError
from loss_widget.review.journal.journal import read_journal
from loss_widget.review.journal.written import Written

pytestmark = pytest.mark.timeout(7200)

FIRST_VERSION = Path(__file__).parents[1] / "review/journal/version_1.sql"


def make_closed(folder: Path) -> list[Written]:
    """A journal as it lies there after a review, and what it may be found to hold."""
    session, reviewer = open_review(folder / "j.sqlite"), Reviewer(1)
    for _ in range(40):
        session = reviewer.act(session)
    session.close()
    return [read_journal(folder / "j.sqlite")]


def make_killed(folder: Path) -> list[Written]:
    """One whose process was killed in the middle of a write: without that write, or with it."""
    before = make_closed(folder)
    with open_review(folder / "j.sqlite") as session:
        session.note(1, "the last word")
    after = read_journal(folder / "j.sqlite")
    with contextlib.closing(sqlite3.connect(folder / "j.sqlite", isolation_level=None)) as db:
        db.execute("PRAGMA cache_size=1")
        db.execute("BEGIN IMMEDIATE")
        db.execute("UPDATE decisions SET note = note || ' of all'")
        db.execute("UPDATE subjects SET given = given || '!'")
        db.executemany("INSERT INTO labels VALUES (?, '')", ((f"label {i}",) for i in range(2000)))
        half = {name: (folder / name).read_bytes() for name in ("j.sqlite", "j.sqlite-journal")}
        db.execute("ROLLBACK")
    for name, content in half.items():
        (folder / name).write_bytes(content)
    return [*before, after]


def make_first_version(folder: Path) -> list[Written]:
    """One that was killed in WAL mode, in which versions before wrote."""
    with contextlib.closing(sqlite3.connect(folder / "w.sqlite", isolation_level=None)) as db:
        db.execute("PRAGMA application_id=1282372467")
        db.execute("PRAGMA journal_mode=WAL")
        db.executescript(FIRST_VERSION.read_text())
        for end in ("", "-wal"):
            shutil.copy(folder / f"w.sqlite{end}", folder / f"j.sqlite{end}")
    return [read_journal(folder / "j.sqlite")]


KINDS = {"closed": make_closed, "killed": make_killed, "first version": make_first_version}


def damages(content: bytes, step: int) -> Iterator[bytes]:
    for place in range(random.Random(step).randrange(step), len(content), step):
        yield content[:place] + bytes([content[place] ^ (1 << place % 8)]) + content[place + 1 :]
        yield content[:place]


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_journal_is_called_so_or_holds_what_it_held(kind: str, tmp_path: Path, figures: Figures) -> None:
    (tmp_path / "whole").mkdir()
    may_hold = KINDS[kind](tmp_path / "whole")
    for shared in (tmp_path / "whole").glob("*-shm"):
        shared.unlink()
    whole = {path.name: path.read_bytes() for path in (tmp_path / "whole").glob("j.sqlite*")}
    counts = {"flips and cuts": 0, "told": 0, "unharmed": 0, "wrong": 0}
    for name, content in whole.items():
        for damaged in damages(content, tries(max(len(content) // 60, 1), 1 if len(content) < 60_000 else 5)):
            for file, bytes_ in {**whole, name: damaged}.items():
                Path(file).write_bytes(bytes_)
            counts["flips and cuts"] += 1
            try:
                found = read_journal(Path("j.sqlite")) if Path("j.sqlite").stat().st_size else None
            except JournalError:
                counts["told"] += 1
            else:
                same = found in may_hold or (found is None and not damaged)
                counts["unharmed" if same else "wrong"] += 1
                if kind != "first version":  # it had no sums, and a -wal that is cut looks like a shorter one
                    assert same, (name, len(damaged))
            for left in Path().glob("j.sqlite*"):
                left.unlink()
    figures.add(f"a byte flipped, or the file cut, at every place ({kind})", **counts)


def test_a_review_of_a_damaged_journal_does_not_begin(tmp_path: Path) -> None:
    """Through the session, in a few places: the error, and the file as it was."""
    make_closed(tmp_path)
    content = (tmp_path / "j.sqlite").read_bytes()
    told = 0
    for damaged in damages(content, len(content) // tries(40, 400)):
        Path("damaged.sqlite").write_bytes(damaged)
        error = refusal(lambda: open_review("damaged.sqlite").close())
        if error:
            assert isinstance(error, JournalDamaged)
            assert "damaged.sqlite" in str(error)
            assert Path("damaged.sqlite").read_bytes() == damaged
            told += 1
        assert not Path("damaged.sqlite.lock").exists()
    assert told
