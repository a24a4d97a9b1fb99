"""Who holds a journal: one process at a time, known by name; the lock dies with its process."""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path

from loss_widget.errors import JournalInUse
from loss_widget.review.decisions import now


class ProcessLock:
    """An advisory lock on `<journal>.lock`. `JournalInUse` tells which process holds it."""

    def __init__(self, journal: Path) -> None:
        self._path = journal.with_name(journal.name + ".lock")
        self._journal = journal
        self._fd: int | None = None

    def acquire(self) -> None:
        while self._fd is None:
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
            if not _try_lock(fd):
                os.close(fd)
                raise JournalInUse(self._who())
            try:
                current = os.stat(self._path).st_ino == os.fstat(fd).st_ino
            except FileNotFoundError:
                current = False
            if current:
                self._fd = fd
            else:
                os.close(fd)  # the holder before us removed the file between our open and our lock
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, self._card().encode(), 0) if hasattr(os, "pwrite") else os.write(self._fd, self._card().encode())

    def release(self) -> None:
        if self._fd is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._fd)
            self._fd = None

    @staticmethod
    def _card() -> str:
        return json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": now()})

    def _who(self) -> str:
        try:
            card = json.loads(self._path.read_text())
            holder = f"process {card['pid']} on {card['host']}, since {card['since']}"
        except (OSError, ValueError, KeyError):
            holder = "another process"
        return (
            f"Expected a journal that is free, found {self._journal} held by {holder}. Close that widget (`widget.close()`) "
            "or shut that kernel down, or pass `journal=` another path, or `journal=None` for a review that is not saved."
        )


def _try_lock(fd: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
