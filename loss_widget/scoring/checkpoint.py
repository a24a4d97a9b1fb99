"""Finished rows of a pass on disk: a killed run goes on where it was, and never mixes two runs."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from loss_widget.errors import InputError
from loss_widget.scoring.engine.stock import TOLERANCE, rows_agree

SECONDS_BETWEEN_WRITES = 5.0
_APPLICATION = 0x4C575343  # "LWSC" in the header of our files
_FORMAT = 3


class Checkpoint:
    """One SQLite file of finished log-probabilities, keyed by what they were computed from. Use it as a context manager.

    `key`: what the numbers depend on, by name, so that a refusal can say what differs. Labels are not among it: log-probabilities
    do not depend on them. What no key can tell is measured: `check_tokens` and `check_numbers` refuse a file where a tokenizer
    makes other tokens of the same texts, or a model other numbers of the same tokens. Every write is a transaction: the file is
    whole whenever the process ends.
    """

    def __init__(self, path: str | os.PathLike[str], *, key: Mapping[str, str], rows: int, labels: int) -> None:
        self.path = Path(path).expanduser()
        self._shape = (rows, labels)
        self._key = dict(key)
        self._pending: dict[str, list[tuple[np.ndarray, np.ndarray, dict[int, str]]]] = {}
        self._written_at = time.monotonic()
        self._tokens: dict[int, str] = {}
        self._file = self._open()

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            self.flush()
        finally:
            self._file.close()

    def load_into(self, log_probs: np.ndarray, notes: dict[int, str], precision: str) -> np.ndarray:
        """Fill in the rows finished in that precision; returns (rows,) bool, True where one is. `InputError`: a damaged file."""
        done = np.zeros(self._shape[0], dtype=bool)
        try:
            finished = self._file.execute("SELECT rows, log_probs, notes FROM finished WHERE precision = ?", (precision,))
            for rows_blob, values_blob, said in finished:
                rows = np.frombuffer(rows_blob, dtype="<i8")
                if len(rows) and not (rows.min() >= 0 and rows.max() < len(done)):
                    raise ValueError(f"row numbers from {rows.min()} to {rows.max()}, of {len(done)} rows")
                log_probs[rows] = np.frombuffer(values_blob, dtype="<f4").reshape(len(rows), self._shape[1])
                done[rows] = True
                notes.update({int(row): note for row, note in json.loads(said).items()})
        except (sqlite3.Error, ValueError, TypeError, AttributeError) as error:
            raise InputError(self._damaged(error)) from error
        return done

    def add(self, rows: np.ndarray, log_probs: np.ndarray, notes: dict[int, str], precision: str) -> None:
        """Keep a batch finished in "float32" or "bfloat16"; written every few seconds and at the end."""
        self._pending.setdefault(precision, []).append((rows, log_probs, notes))
        if time.monotonic() - self._written_at >= SECONDS_BETWEEN_WRITES:
            self.flush()

    def check_tokens(self, window: int, digest: str) -> None:
        """Refuse where the texts of this window were other tokens before; those of a new window are written with its rows."""
        if self._tokens.setdefault(window, digest) != digest:
            raise InputError(self._other("tokenizer (it makes other tokens of these texts)"))

    def check_numbers(self, before: np.ndarray, now: np.ndarray) -> None:
        """Refuse where these log-probabilities of finished rows (rows, labels) are not what the model says of them `now`."""
        same = (np.isfinite(before) == np.isfinite(now)).all(axis=1) & rows_agree(now, before, within=TOLERANCE)
        if not same.all():
            found = f"forward pass (log-probabilities that differ by {np.nanmax(np.abs(now - before)):.2g}"
            raise InputError(self._other(f"{found}; look for hooks, adapters and patched methods)"))

    def flush(self) -> None:
        """Write what is pending, durably."""
        for precision, batches in self._pending.items():
            rows = np.concatenate([batch[0] for batch in batches]).astype("<i8")
            values = np.concatenate([batch[1] for batch in batches]).astype("<f4")
            notes = {row: note for batch in batches for row, note in batch[2].items()}
            try:
                with self._file:
                    finished = (precision, rows.tobytes(), values.tobytes(), json.dumps(notes))
                    self._file.executemany("INSERT OR IGNORE INTO tokens VALUES (?, ?)", self._tokens.items())
                    self._file.execute("INSERT INTO finished VALUES (?, ?, ?, ?)", finished)
            except sqlite3.Error as error:
                raise InputError(
                    f"Expected to write finished rows into the checkpoint {self.path}, found: {error}. What was written before "
                    "is kept: make room or free the file, and the same call resumes."
                ) from error
        self._pending.clear()
        self._written_at = time.monotonic()

    def _open(self) -> sqlite3.Connection:
        if self.path.is_dir() or not self.path.parent.is_dir():
            found = "a directory" if self.path.is_dir() else f"no folder {self.path.parent}"
            raise InputError(
                f"Expected checkpoint to be a file's path, found {found}: {self.path}. Name a file in an existing folder."
            )
        try:
            fresh = not self.path.exists() or self.path.stat().st_size == 0
            file = sqlite3.connect(self.path, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise InputError(self._unusable(error)) from error
        try:
            if fresh:
                self._create(file)
            else:
                self._check(file)
        except sqlite3.Error as error:
            file.close()
            raise InputError(self._unusable(error)) from error
        except BaseException:
            file.close()
            raise
        return file

    def _create(self, file: sqlite3.Connection) -> None:
        with file:
            file.execute("BEGIN IMMEDIATE")
            file.execute(f"PRAGMA application_id = {_APPLICATION}")
            file.execute(f"PRAGMA user_version = {_FORMAT}")
            file.execute("CREATE TABLE made_from (name TEXT PRIMARY KEY, value TEXT)")
            file.execute("CREATE TABLE tokens (window INTEGER PRIMARY KEY, digest TEXT)")
            file.execute("CREATE TABLE finished (precision TEXT, rows BLOB, log_probs BLOB, notes TEXT)")
            file.executemany("INSERT INTO made_from VALUES (?, ?)", self._key.items())

    def _check(self, file: sqlite3.Connection) -> None:
        try:
            ours = file.execute("PRAGMA application_id").fetchone()[0] == _APPLICATION
            version = file.execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            with open(self.path, "rb") as raw:
                header = raw.read(72)
            ours = header[:15] == b"SQLite format 3" and header[68:] == _APPLICATION.to_bytes(4, "big")
            raise InputError(self._damaged(error) if ours else self._foreign()) from error
        if not ours:
            raise InputError(self._foreign())
        if version != _FORMAT:
            raise InputError(
                f"{self.path} is a checkpoint of another version of loss_widget. Nothing was changed; delete the file to score "
                "anew, or name another one."
            )
        try:
            before = dict(file.execute("SELECT name, value FROM made_from"))
            self._tokens = dict(file.execute("SELECT window, digest FROM tokens"))
        except (sqlite3.DatabaseError, ValueError) as error:
            raise InputError(self._damaged(error)) from error
        if before != self._key:
            differing = [name for name in self._key if before.get(name) != self._key[name]]
            raise InputError(self._other(", ".join(differing)))

    def _other(self, differing: str) -> str:
        return (
            f"Expected a checkpoint of this very run in {self.path}, found one made with another value of: {differing}. "
            "What is in it was not changed; delete the file to score anew, or name another one."
        )

    def _damaged(self, error: Exception) -> str:
        return (
            f"Expected a whole checkpoint in {self.path}, found a damaged one: {error}. Nothing was changed; delete the file to "
            "score anew, or name another one."
        )

    def _unusable(self, error: Exception) -> str:
        return f"Expected a checkpoint that can be read and written at {self.path}, found: {error}. Name another file."

    def _foreign(self) -> str:
        return f"Expected a checkpoint of ours in {self.path}, found another kind of file. Nothing was changed; name another one."
