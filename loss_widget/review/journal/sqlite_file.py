"""The one door to a journal's file: every connection, how a new file comes to be, and what went wrong, in words.

Nothing else opens a journal, not even to look at its first bytes. A process that opens and closes a file drops all POSIX locks
that it holds on it, those of SQLite among them (https://www.sqlite.org/howtocorrupt.html, 2.2); SQLite itself knows that and
keeps its own. A journal may have been sent by anybody: its schema is compared with ours before anything in it is run.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import shutil
import sqlite3
import stat
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from loss_widget.errors import JournalDamaged, JournalError, JournalInUse
from loss_widget.review.journal.process_lock import ProcessLock

T = TypeVar("T")
Ask = Callable[[sqlite3.Connection], T]

BESIDE = ("-journal", "-wal", "-shm")
_WAIT_S = 5.0


class CannotWrite(JournalError):
    """A journal that can be read and not written: its file, folder or disk does not allow it."""


@contextlib.contextmanager
def in_words(path: Path, *, nothing_changed: bool = False) -> Iterator[None]:
    """Whatever goes wrong with the file at `path` is raised as the JournalError that says what it is."""
    try:
        yield
    except JournalError:
        raise
    except Exception as error:
        raise _explained(path, error, nothing_changed=nothing_changed) from error


def is_there(path: Path) -> bool:
    """Whether there is a file of ours or anybody's with something in it; `JournalError` for what cannot be a journal."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    if stat.S_ISDIR(found.st_mode):
        raise JournalError(f"Expected the journal to be a file, found a directory: {path}. Pass a file in it.")
    if not stat.S_ISREG(found.st_mode):
        raise JournalDamaged(damaged(path, "it is no ordinary file"))
    return found.st_size > 0


def connect(path: Path, how: str) -> sqlite3.Connection:
    """A connection that trusts nothing in the file: "rw", "ro", or "immutable" for a file that nobody writes in."""
    mode = "ro&immutable=1" if how == "immutable" else how
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False, timeout=_WAIT_S
    )
    try:
        db.execute("PRAGMA trusted_schema=OFF")
        db.execute("PRAGMA cell_size_check=ON")
    except BaseException:
        db.close()
        raise
    return db


def look(path: Path, ask: Ask[T]) -> T:
    """What `ask` finds in the file's header, without a lock: it may be another program's."""
    try:
        with contextlib.closing(connect(path, "immutable")) as db:
            return ask(db)
    except sqlite3.DatabaseError:  # a reader without locks may see half of what is just being written
        return read(path, ask)


def read(path: Path, ask: Ask[T]) -> T:
    """What `ask` finds in a file that anybody may be writing in, or was killed writing in; the file itself stays as it is."""
    before = _version(path)
    if not _beside(path):  # nobody has it open: no lock is needed, a folder that cannot be written is none in the way
        try:
            with contextlib.closing(connect(path, "immutable")) as db:
                found = ask(db)
            if _version(path) == before and not _beside(path):
                return found
        except Exception:  # half of what was just being written, or damage
            if _version(path) == before and not _beside(path):
                raise
    try:
        with contextlib.closing(connect(path, "ro")) as db:
            db.execute("BEGIN")  # all that is read is of one moment
            return ask(db)
    except sqlite3.OperationalError as error:
        if not _beside(path) or not any(sign in str(error) for sign in (_READ_ONLY, _CANNOT_OPEN, _FAILED)):
            raise
    return _read_after_a_crash(path, ask)


def make(path: Path, fill: Callable[[sqlite3.Connection], None], *, mode: int = 0o600) -> None:
    """A new file, filled by `fill`, that is there whole or not at all. Whoever calls holds the journal's lock."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)  # of a process that was killed here
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR, mode))
        with contextlib.closing(connect(temporary, "rw")) as db:
            db.execute("PRAGMA journal_mode=MEMORY")
            db.execute("PRAGMA synchronous=FULL")
            fill(db)
        if not is_there(path):
            _set_aside_leftovers(path)
        _put(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def check_schema(db: sqlite3.Connection, known: Mapping[str, str], needed: Mapping[str, str]) -> None:
    """`ValueError` unless all tables of `needed` are there, and nothing in the file but those of `known`, as written there.

    Other tables are let be, for they are never read. Triggers and views would run what somebody else wrote, and so might
    columns and indexes that are not ours.
    """
    found = {
        name: (kind, table, sql) for kind, name, table, sql in db.execute("SELECT type, name, tbl_name, sql FROM sqlite_master")
    }
    for name, (kind, table, sql) in found.items():
        if name in known:
            if _plain(sql) != _plain(known[name]):
                raise ValueError(f"its {kind} {name!r} is not one that loss_widget makes")
        elif kind in ("trigger", "view") or (kind == "index" and table in known and not name.startswith("sqlite_autoindex_")):
            raise ValueError(f"it holds a {kind} {name!r}, which loss_widget never makes")
    missing = [name for name in needed if name not in found]
    if missing:
        raise ValueError(f"it has no {missing[0]!r}")


def damaged(path: Path, why: str) -> str:
    return (
        f"Expected a journal of loss_widget at {path}, found that {why}. It was left as it is: move it away, or pass `journal=` "
        "another path."
    )


_READ_ONLY, _CANNOT_OPEN, _FAILED = "readonly database", "unable to open database file", "disk I/O error"
_ELSEWHERE = "pass `journal=` another path, or `journal=None` for a review that is not saved."


def _explained(path: Path, error: Exception, *, nothing_changed: bool) -> JournalError:
    said = " ".join(str(error).split())
    then = " Nothing has changed." if nothing_changed else ""
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.ENOSPC, errno.EDQUOT) or "disk is full" in said:
        return JournalError(f"No room on the disk for the journal {path}.{then} Free some, or {_ELSEWHERE}")
    if " locked" in said:
        return JournalInUse(
            f"Another program has the journal {path} open and locked, such as a database viewer or a backup.{then} "
            f"Close it there and run this cell again, or {_ELSEWHERE}"
        )
    if number in (errno.EACCES, errno.EPERM, errno.EROFS) or _READ_ONLY in said or _CANNOT_OPEN in said:
        return CannotWrite(f"The journal {path} cannot be written: {_what_forbids(path, said)}.{then} Allow it, or {_ELSEWHERE}")
    if isinstance(error, OSError) or _FAILED in said:
        return JournalError(f"The journal {path} could not be read or written: {said}.{then} Try again, or {_ELSEWHERE}")
    if nothing_changed and not isinstance(error, sqlite3.Error):
        return JournalError(f"The decision cannot be written in the journal {path}: {said}.{then}")
    return JournalDamaged(damaged(path, said or repr(error)))


def _what_forbids(path: Path, said: str) -> str:
    existing = next((folder for folder in path.parents if folder.exists()), path.parent)
    if not existing.is_dir():
        return f"{existing} is not a folder"
    if not os.access(existing, os.W_OK):
        return f"you may not write in the folder {existing}"
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        return "you may not write in the file"
    return said


def _version(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size


def _beside(path: Path) -> list[Path]:
    """The files that SQLite has put beside a file which is open, or whose process was killed."""
    return [Path(file) for end in BESIDE[:2] if os.path.exists(file := f"{path}{end}")]


def _read_after_a_crash(path: Path, ask: Ask[T]) -> T:
    """A write that was killed in the middle has to be undone before anybody can read. Whoever may write does that for good."""
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        lock = ProcessLock(path)
        with contextlib.suppress(OSError):
            lock.acquire()
        if lock.is_held:
            try:
                with contextlib.closing(connect(path, "rw")) as db:
                    return ask(db)
            finally:
                lock.release()
    with tempfile.TemporaryDirectory() as folder:
        for file in (path, *_beside(path)):
            shutil.copyfile(file, Path(folder) / file.name)
        with contextlib.closing(connect(Path(folder) / path.name, "rw")) as db:
            return ask(db)


def _set_aside_leftovers(path: Path) -> None:
    """SQLite would take what is left beside a file that is gone for a part of the new one."""
    for end in BESIDE:
        left = path.with_name(path.name + end)
        if end != "-wal" or not left.exists() or not left.stat().st_size:
            left.unlink(missing_ok=True)  # it says how to undo a write in a file that is gone
            continue
        aside = next(p for n in range(1, 1000) if not (p := left.with_name(f"{left.name}.old-{n}")).exists())
        left.rename(aside)
        warnings.warn(f"{left.name} was left over from a journal that is gone; it was renamed to {aside}.", stacklevel=2)


def _put(temporary: Path, path: Path) -> None:
    if path.exists() and not is_there(path):
        os.replace(temporary, path)  # an empty file, such as `tempfile` makes
        return
    try:
        os.link(temporary, path)  # fails where the path exists, unlike a rename
    except FileExistsError:
        raise JournalInUse(f"Another process has just made the journal {path}. Run this cell again.") from None
    except OSError:  # a file system without hard links
        os.rename(temporary, path)


def _sync_folder(folder: Path) -> None:
    """A new name is on disk once its folder is (on Windows a folder cannot be opened)."""
    with contextlib.suppress(OSError):
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


@functools.lru_cache(maxsize=1000)
def _plain(sql: str | None) -> str:
    return " ".join((sql or "").replace("IF NOT EXISTS ", "").split())
