"""Which file in a folder is the journal of this data."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np

from loss_widget.errors import JournalError
from loss_widget.review.journal import sqlite_file
from loss_widget.review.journal.journal import check_header
from loss_widget.review.journal.sqlite_file import in_words


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
        with in_words(path):
            return np.empty(0, dtype=np.uint64) if check_header(path) else sqlite_file.read(path, _keys_in)
    except JournalError:
        return np.empty(0, dtype=np.uint64)


def _keys_in(db: sqlite3.Connection) -> np.ndarray:
    return np.array([key for (key,) in db.execute("SELECT key FROM subjects")], dtype=np.int64).astype(np.uint64)
