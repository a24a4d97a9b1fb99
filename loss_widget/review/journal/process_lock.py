"""Who holds a journal: one process at a time, known by name; the lock dies with its process."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import stat
import sys
from datetime import UTC, datetime
from pathlib import Path

from loss_widget.errors import JournalError, JournalInUse

_LONGEST_CARD = 1000
_LOCKED_BYTE = 1 << 30  # on Windows nobody can read a locked byte, so it is not one of the card's


class ProcessLock:
    """An advisory lock on `<journal>.lock`, a file with a card in it that says which process holds it.

    `acquire` raises `JournalInUse` with that card, `JournalError` where the name is taken by something that is not a card of
    ours (it may be a symlink to anything), and `OSError` where no lock can be made. A forked child does not hold the lock and
    cannot release it.
    """

    def __init__(self, journal: Path) -> None:
        self._path = journal.with_name(journal.name + ".lock")
        self._journal = journal
        self._fd: int | None = None
        self._pid = 0

    @property
    def is_held(self) -> bool:
        """Whether this process holds the lock."""
        return self._fd is not None and self._pid == os.getpid()

    def acquire(self) -> None:
        while not self.is_held:
            fd = self._open()
            try:
                self._lock(fd)
                if self._is_still_there(fd):
                    self._write_card(fd)
                    self._fd, self._pid = fd, os.getpid()
            finally:
                if self._fd != fd:
                    os.close(fd)

    def release(self) -> None:
        if self._fd is None:
            return
        fd, self._fd = self._fd, None
        if self._pid != os.getpid():
            os.close(fd)  # the parent's lock stays: it is on what was opened, which the parent has open, too
        elif sys.platform == "win32":  # an open file cannot be removed there
            os.close(fd)
            with contextlib.suppress(OSError):
                self._path.unlink()
        else:  # the other way round another process could lock the file that is about to be removed
            with contextlib.suppress(OSError):
                self._path.unlink()
            os.close(fd)

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
        try:
            if not hasattr(os, "O_NOFOLLOW") and self._path.is_symlink():
                raise OSError(errno.ELOOP, "is a link")
            fd = os.open(self._path, flags, 0o600)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
                raise self._not_ours() from None
            raise
        if not stat.S_ISREG(os.fstat(fd).st_mode) or not _is_card(_read(fd)):
            os.close(fd)
            raise self._not_ours()
        return fd

    def _lock(self, fd: int) -> None:
        try:
            if sys.platform == "win32":
                import msvcrt

                os.lseek(fd, _LOCKED_BYTE, os.SEEK_SET)
                msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES, errno.EWOULDBLOCK, errno.EDEADLK):
                raise JournalInUse(self._held_by(_read(fd))) from None
            raise  # a file system that knows no locks

    def _is_still_there(self, fd: int) -> bool:
        """False if the holder before us removed the file between our open and our lock."""
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(fd))
        except FileNotFoundError:
            return False

    @staticmethod
    def _write_card(fd: int) -> None:
        since = datetime.now(UTC).isoformat(timespec="milliseconds")
        card = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since})
        with contextlib.suppress(OSError):  # the lock holds without its card: the disk may be full
            os.ftruncate(fd, 0)
            os.lseek(fd, 0, os.SEEK_SET)
            os.write(fd, card.encode())

    def _held_by(self, card: bytes) -> str:
        try:
            read = json.loads(card)
            holder = f"process {read['pid']} on {read['host']}, since {read['since']}"
        except (ValueError, KeyError):
            holder = "another process"
        return (
            f"Expected a journal that is free, found {self._journal} held by {holder}. Close that widget (`widget.close()`) "
            "or shut that kernel down, or pass `journal=` another path, or `journal=None` for a review that is not saved."
        )

    def _not_ours(self) -> JournalError:
        return JournalError(
            f"{self._path} is in the way: loss_widget writes there which process has the journal open, and what it found is not "
            "such a file. Move it away, or pass `journal=` another path."
        )


def _read(fd: int) -> bytes:
    os.lseek(fd, 0, os.SEEK_SET)
    return os.read(fd, _LONGEST_CARD + 1)


def _is_card(content: bytes) -> bool:
    """Whether a file may be overwritten: it is empty, or it holds a card and nothing else."""
    if not content:
        return True
    try:
        card = json.loads(content) if len(content) <= _LONGEST_CARD else None
    except ValueError:
        return False
    return isinstance(card, dict) and card.keys() == {"pid", "host", "since"}
