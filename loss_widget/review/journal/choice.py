"""Which file in a folder is the journal of this data."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import warnings
from itertools import count
from pathlib import Path

import numpy as np

from loss_widget.errors import JournalError
from loss_widget.review.journal import sqlite_file
from loss_widget.review.journal.identity import ReviewedData, common_rows, why_another
from loss_widget.review.journal.journal import check_identity, check_schema, read_journal
from loss_widget.review.journal.sqlite_file import in_words
from loss_widget.review.journal.written import Written

_MOST_NAMED = 3


def choose_journal(folder: Path, data: ReviewedData) -> Path:
    """The journal in `folder` of which most reviewed rows are in this data (ties: the newest), else the name of a new one.

    A new review that begins beside a journal which cannot be read, or which would be of this data but for its labels, warns.
    """
    candidates: list[tuple[int, float, Path]] = []
    beside: list[str] = []
    paths = sorted(folder.glob("*.sqlite"))
    sorted_keys = np.sort(data.keys) if paths else data.keys
    for path in paths:
        try:
            hits = common_rows(reviewed_keys(path), sorted_keys)
            if hits:
                candidates.append((hits, path.stat().st_mtime, path))
        except (JournalError, OSError) as error:
            beside.append(str(error))
    for _, _, path in sorted(candidates, reverse=True):
        try:
            why = why_another(written := read_journal(path), data)
        except JournalError as error:
            beside.append(str(error))
            continue
        if not why:
            return path
        if not _is_the_other_column(written, data):
            beside.append(f"{path} holds a review of these texts, but it {why}.")
    if beside:
        more = f" … and {len(beside) - _MOST_NAMED} more." if len(beside) > _MOST_NAMED else ""
        warnings.warn(f"A new review begins here. {' '.join(beside[:_MOST_NAMED])}{more}", stacklevel=2)
    return _new_path(folder, data)


def reviewed_keys(path: Path) -> np.ndarray:
    """(k,) uint64: the content keys that a journal has decisions on; `JournalError` where it cannot be read.

    Read once by this process, and again when the file has changed: a folder may hold thousands.
    """
    with in_words(path):
        found = path.stat()
        version = (found.st_ino, found.st_size, found.st_mtime_ns)
        if _known.get(path, (None,))[0] != version:
            _known[path] = (version, _keys_in(path))
        return _known[path][1]


_known: dict[Path, tuple[tuple[int, int, int], np.ndarray]] = {}


def _keys_in(path: Path) -> np.ndarray:
    def ask(db: sqlite3.Connection) -> np.ndarray:
        check_identity(path, db)
        check_schema(db)
        return np.array([key for (key,) in db.execute("SELECT key FROM subjects")], dtype=np.int64).astype(np.uint64)

    return sqlite_file.read(path, ask) if sqlite_file.is_there(path) else np.empty(0, dtype=np.uint64)


def _is_the_other_column(written: Written, data: ReviewedData) -> bool:
    """Whether the journal's column stands beside this one: then nobody needs a warning that they are two."""
    return written.label_column != data.label_column and written.label_column in data.columns


def _new_path(folder: Path, data: ReviewedData) -> Path:
    """A name made of the data, so that a cell run twice before the first decision means one review, not two."""
    labels = json.dumps([data.label_column, sorted(data.label_names)]).encode()
    fingerprint = hashlib.blake2b(data.keys.tobytes() + labels, digest_size=6).hexdigest()
    for number in count(1):
        path = folder / f"review-{fingerprint}{'' if number == 1 else f'-{number}'}.sqlite"
        if not path.exists():
            return path
    raise AssertionError("unreachable: count() does not end")
