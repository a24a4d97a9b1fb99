"""Decisions on disk, safe against a crash: append and replay. Holds labels, verdicts, notes and hashes of texts, never texts."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sqlite3
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from loss_widget.errors import JournalDamaged, JournalError
from loss_widget.review.decisions import Decision, SpotCheck
from loss_widget.review.journal import sqlite_file
from loss_widget.review.journal.process_lock import ProcessLock
from loss_widget.review.journal.sqlite_file import damaged, in_words
from loss_widget.review.journal.written import (
    LATER_TABLES,
    TABLES,
    JournalledDecision,
    Subject,
    Written,
    read_written,
    sum_of,
    sum_of_decision,
)

APPLICATION_ID = 0x4C6F7373  # "Loss", in the file's header
FIRST_VERSION, VERSION = 1, 2
"""A file says the first version unless it holds what that version would misread: an undo of another act than the last one."""


class Journal:
    """One SQLite file: `append` returns when the decision is on disk, and in the file itself.

    Opening a file that is no journal, or a broken one, raises `JournalDamaged` and leaves it untouched. One process at a time.

    Not in WAL mode: there the last decisions live in a file beside it, which is safe only as long as this process holds POSIX
    locks, and a cell that copies or hashes the journal drops those (see `sqlite_file`). With a rollback journal nothing is held
    and nothing lies beside the file between two decisions.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = ProcessLock(path)
        self._db: sqlite3.Connection | None = None
        try:
            with in_words(path):
                check_header(path)
                path.parent.mkdir(parents=True, exist_ok=True)
                self._lock.acquire()
                if check_header(path):
                    sqlite_file.make(path, _fill)
                self._open()
        except BaseException:
            self.close()
            raise

    @property
    def is_ours(self) -> bool:
        """Whether this process opened it; not so in a forked child."""
        return self._lock.is_held

    def read(self) -> Written:
        with in_words(self.path):
            return read_written(self._open_db)

    def append(
        self,
        decision: Decision,
        *,
        label: str | None,
        known: Sequence[int],
        new: Sequence[Subject],
        values: Mapping[str, Any],
        label_column: str,
        spot_check: SpotCheck | None = None,
    ) -> list[int]:
        """Write one decision durably; `known` are subjects met before, `new` ones get numbers, which are returned.

        `values`: how the column `label_column` writes the names that occur. `spot_check`: one drawn since the last decision.
        A decision that is there already, by its `op_id`, is not written twice.
        """
        if not self.is_ours:
            raise JournalError(
                f"{self.path} belongs to the process that opened it, and this one is a copy (a fork) of that. Nothing was saved: "
                "decide there, or pass another `journal=` here."
            )
        with in_words(self.path, nothing_changed=True):
            self._bring_back()
            with _transaction(self._open_db) as db:
                numbers = _saved(db, decision.op_id, known)
                if numbers is None:
                    numbers = _numbered(db, len(new))
                    journalled = JournalledDecision(
                        decision.kind,
                        tuple(sorted([*known, *numbers])),
                        label,
                        decision.note,
                        decision.reviewer,
                        decision.at,
                        decision.op_id,
                        decision.turns_to,
                    )
                    _write(db, journalled, dict(zip(numbers, new, strict=True)))
                    _describe(db, values, label_column, spot_check)
            self._bring_back()
        return numbers

    def close(self) -> None:
        if self._db is not None and self.is_ours:  # in a forked child its transactions are the parent's
            with contextlib.suppress(Exception):  # a damaged file raises more than errors of SQLite's
                self._db.execute("PRAGMA journal_mode=DELETE")  # which removes the empty rollback journal
            self._db.close()
            self._db = None
        self._lock.release()

    @property
    def _open_db(self) -> sqlite3.Connection:
        if self._db is None:
            raise JournalError(f"Expected an open journal, found {self.path} closed. Open the review again.")
        return self._db

    def _open(self) -> None:
        if not os.access(self.path, os.W_OK):  # SQLite would find out at the first decision
            raise PermissionError(errno.EACCES, "not writable")
        db = self._db = sqlite_file.connect(self.path, "rw")
        with _transaction(db):  # says now whether it is locked, and undoes what was killed in the middle
            if not db.execute("SELECT 1 FROM sqlite_master").fetchone():  # of older versions, killed while they made it
                _fill(db)
        _check(db)
        if db.execute("PRAGMA journal_mode=TRUNCATE").fetchone() != ("truncate",):
            # Older versions used WAL mode, and nobody can leave it while others have the file open.
            raise sqlite3.OperationalError("database is locked")
        db.execute("PRAGMA synchronous=FULL")
        self._file = os.stat(self.path)

    def _bring_back(self) -> None:
        """A file that was deleted or replaced under us: SQLite would go on writing into nothing."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            if os.path.samestat(os.stat(self.path), self._file):
                return
            raise JournalError(
                f"Expected the journal that this review began in, found that another file took its place: {self.path}. "
                "Move that away, and the review is written again there."
            )
        gone = self._open_db
        self._lock.release()  # its file is gone, too, or another process's
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock.acquire()
        sqlite_file.make(self.path, gone.backup, mode=self._file.st_mode & 0o777)
        self._open()
        gone.close()
        warnings.warn(
            f"The journal {self.path} was deleted; it has been written again, with every decision so far.", stacklevel=2
        )


def check_header(path: Path) -> bool:
    """True if there is no journal yet; `JournalDamaged` for a file that is none of ours. Only reads."""
    with in_words(path):
        if not sqlite_file.is_there(path):
            return True
        return sqlite_file.look(path, lambda db: check_identity(path, db))


def check_identity(path: Path, db: sqlite3.Connection) -> bool:
    """`JournalDamaged` for a file of another program, `JournalError` for one of a newer version; True if none was made."""
    application, version = (int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("application_id", "user_version"))
    if application != APPLICATION_ID:
        if not sqlite_file.is_there(path):  # making it was killed, and is undone just now
            return True
        raise JournalDamaged(damaged(path, "it is a SQLite file of another program"))
    if version > VERSION:
        raise JournalError(
            f"Expected a journal of version {VERSION} at most, found version {version}: {path}. "
            "It was written by a newer loss_widget: upgrade."
        )
    return False


def read_journal(path: Path) -> Written:
    """What a journal holds, whoever writes in it at the moment; `JournalDamaged` where it cannot be read."""
    path = Path(os.path.realpath(path))
    check_header(path)

    def ask(db: sqlite3.Connection) -> Written:
        _check(db)
        return read_written(db)

    with in_words(path):
        return sqlite_file.read(path, ask)


def check_schema(db: sqlite3.Connection) -> None:
    """`ValueError` for a file that holds anything but what loss_widget puts there."""
    sqlite_file.check_schema(db, TABLES | LATER_TABLES, needed=TABLES)


def _check(db: sqlite3.Connection) -> None:
    check_schema(db)
    found = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise ValueError(found)


@contextlib.contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All or nothing; on disk when it ends."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _fill(db: sqlite3.Connection) -> None:
    with contextlib.nullcontext() if db.in_transaction else _transaction(db):
        for statement in (TABLES | LATER_TABLES).values():
            db.execute(statement)
        db.execute(f"PRAGMA application_id={APPLICATION_ID}")
        db.execute(f"PRAGMA user_version={FIRST_VERSION}")


def _saved(db: sqlite3.Connection, op_id: str, known: Sequence[int]) -> list[int] | None:
    """The numbers that the new subjects of this decision got, if it is there already."""
    rows = db.execute("SELECT seq FROM decisions WHERE op_id = ?", (op_id,)).fetchall()
    if not rows:
        return None
    subjects = db.execute("SELECT subject FROM decided WHERE seq = ? ORDER BY subject", rows[0])
    return [subject for (subject,) in subjects if subject not in set(known)]


def _numbered(db: sqlite3.Connection, n: int) -> list[int]:
    first = db.execute("SELECT coalesce(max(subject), 0) + 1 FROM subjects").fetchone()[0] if n else 0
    return list(range(first, first + n))


def _write(db: sqlite3.Connection, decision: JournalledDecision, new: Mapping[int, Subject]) -> None:
    for statement in LATER_TABLES.values():
        db.execute(statement)
    db.executemany(
        "INSERT INTO subjects VALUES (?, ?, ?, ?, ?)", ((n, _signed(s.key), s.given, s.twin, s.twins) for n, s in new.items())
    )
    db.executemany("INSERT INTO places VALUES (?, ?, ?)", ((n, s.place, s.places) for n, s in new.items()))
    d = decision
    seq = db.execute(
        "INSERT INTO decisions (op_id, kind, label, note, reviewer, at) VALUES (?, ?, ?, ?, ?, ?)",
        (d.op_id, d.kind, d.label, d.note, d.reviewer, d.at),
    ).lastrowid
    db.executemany("INSERT INTO decided VALUES (?, ?)", ((seq, subject) for subject in d.subjects))
    if d.turns_to is not None:
        db.execute("INSERT INTO turned VALUES (?, ?)", (seq, d.turns_to))
        db.execute(f"PRAGMA user_version={VERSION}")
    before = db.execute("SELECT sum FROM sums ORDER BY seq DESC LIMIT 1").fetchone() or ("",)
    db.execute("INSERT INTO sums VALUES (?, ?)", (seq, sum_of_decision(d, new, *before)))


def _describe(db: sqlite3.Connection, values: Mapping[str, Any], label_column: str, spot_check: SpotCheck | None) -> None:
    """What decisions are about; what is known already stays as it is."""
    for name, value in values.items():
        if not db.execute("SELECT 1 FROM labels WHERE name = ?", (name,)).fetchone():
            db.execute("INSERT INTO labels VALUES (?, ?)", (name, json.dumps(value)))
            db.execute("INSERT INTO other_sums VALUES (?, ?)", (f"label {name}", sum_of(value)))
    if not db.execute("SELECT 1 FROM about WHERE what = 'label column'").fetchone():
        db.execute("INSERT INTO about VALUES ('label column', ?)", (label_column,))
        db.execute("INSERT INTO other_sums VALUES ('about label column', ?)", (sum_of(label_column),))
    if spot_check is not None:
        drawn = (spot_check.size, spot_check.seed, spot_check.revision)
        number = db.execute("INSERT INTO spot_checks (size, seed, revision) VALUES (?, ?, ?)", drawn).lastrowid
        db.execute("INSERT INTO other_sums VALUES (?, ?)", (f"spot check {number}", sum_of(drawn)))


def _signed(key: int) -> int:
    return key - 2**64 if key >= 2**63 else key
