"""Decisions on disk, safe against a crash: append and replay. Holds labels, verdicts, notes and hashes of texts, never texts."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from loss_widget.errors import JournalDamaged, JournalError
from loss_widget.review.decisions import Decision, SpotCheck
from loss_widget.review.journal.process_lock import ProcessLock

T = TypeVar("T")

APPLICATION_ID = 0x4C6F7373  # "Loss", in the file's header
VERSION = 1

_SCHEMA = """
CREATE TABLE subjects (subject INTEGER PRIMARY KEY, key INTEGER NOT NULL, given TEXT, twin INTEGER NOT NULL,
                       twins INTEGER NOT NULL);
CREATE INDEX subjects_by_key ON subjects (key);
CREATE TABLE decisions (seq INTEGER PRIMARY KEY, op_id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, label TEXT, note TEXT,
                        reviewer TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE decided (seq INTEGER NOT NULL REFERENCES decisions, subject INTEGER NOT NULL REFERENCES subjects,
                      PRIMARY KEY (seq, subject)) WITHOUT ROWID;
CREATE TABLE labels (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
# A table of its own, made when it is needed: journals of before have none, and whoever does not know it goes on without.
_SPOT_CHECKS = """
CREATE TABLE IF NOT EXISTS spot_checks (number INTEGER PRIMARY KEY, size INTEGER NOT NULL, seed INTEGER NOT NULL,
                                        revision INTEGER NOT NULL)
"""


@dataclass(frozen=True)
class Subject:
    """A reviewed row as the journal knows it: content key, given label, and its place among equal rows (`twin` of `twins`)."""

    key: int
    given: str | None
    twin: int
    twins: int


@dataclass(frozen=True)
class JournalledDecision:
    """A decision as it was written: its rows are subjects, its label a name."""

    kind: str
    subjects: tuple[int, ...]
    label: str | None
    note: str | None
    reviewer: str
    at: str
    op_id: str


@dataclass(frozen=True)
class Written:
    """All that a journal holds: reviewed rows by number, decisions in order, the column's labels, and the last spot check."""

    subjects: dict[int, Subject]
    decisions: list[JournalledDecision]
    values: dict[str, Any]
    spot_check: SpotCheck | None = None


class Journal:
    """One SQLite file: `append` returns when the decision is on disk, and in the file itself.

    Opening a file that is no journal, or a broken one, raises `JournalDamaged` and leaves it untouched. One process at a time.

    Not in WAL mode: there the last decisions live in a file beside it, which is safe only as long as this process holds POSIX
    locks, and any `open` and `close` of the file in this process drops those (https://www.sqlite.org/howtocorrupt.html, 2.2): a
    cell that copies or hashes the journal is enough. With a rollback journal nothing is held and nothing lies beside the file
    between two decisions.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = ProcessLock(path)
        is_new = check_header(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except OSError as error:
            raise JournalError(
                f"Expected to write the journal {path}, found: {error}. Pass `journal=` a path that can be written, or "
                "`journal=None`."
            ) from error
        try:
            self._db = _connect(path, "rwc")
            if is_new:
                self._create()
            self._check()
            self._make_durable()
        except sqlite3.DatabaseError as error:
            self.close()
            raise JournalDamaged(_damaged(path, str(error))) from error
        except BaseException:
            self.close()
            raise

    def read(self) -> Written:
        return _read(self._db)

    def append(
        self,
        decision: Decision,
        *,
        label: str | None,
        known: Sequence[int],
        new: Sequence[Subject],
        values: Mapping[str, Any],
        spot_check: SpotCheck | None = None,
    ) -> list[int]:
        """Write one decision durably; `known` are subjects met before, `new` ones get numbers, which are returned.

        `values`: how the label column writes the names that occur in it. `spot_check`: one drawn since the last decision.
        """
        if not self._lock.is_held:
            raise JournalError(
                f"{self.path} belongs to the process that opened it, and this one is a copy (a fork) of that. Nothing was saved: "
                "decide there, or pass another `journal=` here."
            )
        try:
            self._bring_back()
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT OR IGNORE INTO labels VALUES (?, ?)", ((n, json.dumps(v)) for n, v in values.items()))
            first = self._db.execute("SELECT coalesce(max(subject), 0) + 1 FROM subjects").fetchone()[0] if new else 0
            numbers = list(range(first, first + len(new)))
            self._db.executemany(
                "INSERT INTO subjects VALUES (?, ?, ?, ?, ?)",
                ((n, _signed(s.key), s.given, s.twin, s.twins) for n, s in zip(numbers, new, strict=True)),
            )
            seq = self._db.execute(
                "INSERT INTO decisions (op_id, kind, label, note, reviewer, at) VALUES (?, ?, ?, ?, ?, ?)",
                (decision.op_id, decision.kind, label, decision.note, decision.reviewer, decision.at),
            ).lastrowid
            self._db.executemany("INSERT INTO decided VALUES (?, ?)", ((seq, s) for s in (*known, *numbers)))
            if spot_check is not None:
                self._db.execute(_SPOT_CHECKS)
                drawn = (spot_check.size, spot_check.seed, spot_check.revision)
                self._db.execute("INSERT INTO spot_checks (size, seed, revision) VALUES (?, ?, ?)", drawn)
            self._db.execute("COMMIT")
            self._bring_back()
        except BaseException as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            if not isinstance(error, (sqlite3.Error, OSError)):
                raise
            raise JournalError(
                f"Expected to save the decision in {self.path}, found: {error}. Nothing has changed; free disk space "
                "or pass another `journal=` path."
            ) from error
        return numbers

    def close(self) -> None:
        if hasattr(self, "_db") and self._lock.is_held:  # in a forked child its transactions are the parent's
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("PRAGMA journal_mode=DELETE")  # which removes the empty rollback journal
            self._db.close()
        self._lock.release()

    def _make_durable(self) -> None:
        mode = self._db.execute("PRAGMA journal_mode=TRUNCATE").fetchone()[0]
        if mode != "truncate":  # a journal of an older version is in WAL mode and cannot leave it while others read
            raise sqlite3.OperationalError("another program has it open: close it there")
        self._db.execute("PRAGMA synchronous=FULL")
        self._inode = self.path.stat().st_ino

    def _bring_back(self) -> None:
        """A file that was deleted or replaced under us: SQLite would go on writing into nothing."""
        if self.path.exists() and self.path.stat().st_ino == self._inode:
            return
        if self.path.exists():
            raise JournalError(
                f"Expected the journal that this review began in, found that another file took its place: {self.path}."
            )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock.release()
        self._lock.acquire()
        anew = _connect(self.path, "rwc")
        self._db.backup(anew)
        self._db.close()
        self._db = anew
        self._make_durable()
        warnings.warn(
            f"The journal {self.path} was deleted; it has been written again, with every decision so far.", stacklevel=2
        )

    def _create(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        for statement in filter(str.strip, _SCHEMA.split(";")):
            self._db.execute(statement)
        self._db.execute(f"PRAGMA application_id={APPLICATION_ID}")
        self._db.execute(f"PRAGMA user_version={VERSION}")
        self._db.execute("COMMIT")

    def _check(self) -> None:
        found = self._db.execute("PRAGMA quick_check").fetchone()[0]
        if found != "ok":
            raise JournalDamaged(_damaged(self.path, found))


def check_header(path: Path) -> bool:
    """True if there is no journal yet; `JournalDamaged` for a file that is none of ours. Only reads."""
    if path.is_dir():
        raise JournalError(f"Expected the journal to be a file, found a directory: {path}. Pass a file in it.")
    try:
        if not path.stat().st_size:
            return True
    except (FileNotFoundError, NotADirectoryError):
        return True
    try:
        application, version = _header(path)
    except sqlite3.DatabaseError as error:
        raise JournalDamaged(_damaged(path, f"it is not a SQLite file that can be read ({error})")) from error
    if application != APPLICATION_ID:
        raise JournalDamaged(_damaged(path, "it is a SQLite file of another program"))
    if version > VERSION:
        raise JournalError(
            f"Expected a journal of version {VERSION}, found version {version}: {path}. It was written by a newer loss_widget: "
            "upgrade."
        )
    return False


def read_journal(path: Path) -> Written:
    """What a journal holds, whoever writes in it at the moment; `JournalDamaged` where it cannot be read."""
    check_header(path)
    try:
        return _read_with(path, _read)
    except sqlite3.DatabaseError as error:
        raise JournalDamaged(_damaged(path, str(error))) from error


def _connect(path: Path, how: str) -> sqlite3.Connection:
    """The only door to a journal. Nothing opens one but SQLite, which keeps its locks through that.

    `how`: "rwc" to write in it, "ro" to read without ever changing it, "immutable" to look at a file that nobody writes in.
    """
    mode = "ro&immutable=1" if how == "immutable" else how
    uri = f"{path.resolve().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)


def _header(path: Path) -> tuple[int, int]:
    """The application and the version that are written in a SQLite file."""

    def ask(db: sqlite3.Connection) -> tuple[int, int]:
        return (
            int(db.execute("PRAGMA application_id").fetchone()[0]),
            int(db.execute("PRAGMA user_version").fetchone()[0]),
        )

    try:
        with contextlib.closing(_connect(path, "immutable")) as db:  # a file of another program gets no lock and no -shm from us
            return ask(db)
    except sqlite3.DatabaseError:  # while a decision is being written, a reader without locks may see half of it
        return _read_with(path, ask)


def _read_with(path: Path, ask: Callable[[sqlite3.Connection], T]) -> T:
    """What `ask` finds in a file that anybody may be writing in."""
    beside = [path.with_name(f"{path.name}-{end}") for end in ("wal", "journal")]
    before = path.stat()
    if not any(file.exists() for file in beside):  # nobody has it open: no lock is needed, and no -shm is left beside it
        with contextlib.closing(_connect(path, "immutable")) as db:
            found = ask(db)
        after = path.stat()
        if (after.st_mtime_ns, after.st_size) == (before.st_mtime_ns, before.st_size) and not any(f.exists() for f in beside):
            return found
    try:
        with contextlib.closing(_connect(path, "ro")) as db:
            return ask(db)
    except sqlite3.OperationalError:
        if not beside[1].exists():
            raise
    # Its process was killed in the middle of a write: only who may write can undo that.
    lock = ProcessLock(path)
    lock.acquire()
    try:
        with contextlib.closing(_connect(path, "rw")) as db:
            return ask(db)
    finally:
        lock.release()


def _read(db: sqlite3.Connection) -> Written:
    rows = db.execute("SELECT subject, key, given, twin, twins FROM subjects ORDER BY subject")
    subjects = {s: Subject(key % 2**64, given, twin, twins) for s, key, given, twin, twins in rows}
    decided: dict[int, list[int]] = {}
    for seq, subject in db.execute("SELECT seq, subject FROM decided ORDER BY seq, subject"):
        decided.setdefault(seq, []).append(subject)
    written = db.execute("SELECT seq, kind, label, note, reviewer, at, op_id FROM decisions ORDER BY seq")
    decisions = [JournalledDecision(kind, tuple(decided.get(seq, ())), *rest) for seq, kind, *rest in written]
    values = {name: json.loads(value) for name, value in db.execute("SELECT name, value FROM labels")}
    return Written(subjects, decisions, values, _last_spot_check(db))


def _last_spot_check(db: sqlite3.Connection) -> SpotCheck | None:
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'spot_checks'").fetchone():
        return None
    drawn = db.execute("SELECT size, seed, revision FROM spot_checks ORDER BY number DESC LIMIT 1").fetchone()
    return None if drawn is None else SpotCheck(*drawn)


def find_journal(folder: Path, keys: np.ndarray) -> Path | None:
    """The journal in `folder` of which most reviewed rows are in this data (ties: the newest), or None.

    A few texts in common do not make one review of two data sets: a tenth of the reviewed rows, or of the data, must be.
    """
    best: tuple[int, float] = (0, 0.0)
    found = None
    paths = sorted(folder.glob("*.sqlite"))
    here = np.sort(keys) if paths else keys
    for path in paths:
        reviewed = np.unique(reviewed_keys(path))
        hits = int((here[np.searchsorted(here, reviewed).clip(max=len(here) - 1)] == reviewed).sum())
        if hits * 10 >= min(len(reviewed), len(keys)) and hits and (hits, path.stat().st_mtime) > best:
            best, found = (hits, path.stat().st_mtime), path
    return found


def reviewed_keys(path: Path) -> np.ndarray:
    """(k,) uint64: the content keys that a journal has decisions on; none where it cannot be read."""
    try:
        return np.empty(0, dtype=np.uint64) if check_header(path) else _read_with(path, _keys_in)
    except (sqlite3.Error, JournalError):
        return np.empty(0, dtype=np.uint64)


def _keys_in(db: sqlite3.Connection) -> np.ndarray:
    return np.array([key for (key,) in db.execute("SELECT key FROM subjects")], dtype=np.int64).astype(np.uint64)


def _signed(key: int) -> int:
    return key - 2**64 if key >= 2**63 else key


def _damaged(path: Path, why: str) -> str:
    return (
        f"Expected a journal of loss_widget at {path}, found that {why}. It was left as it is: move it away, or pass `journal=` "
        "another path."
    )
