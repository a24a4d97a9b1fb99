"""A damaged checkpoint is refused in words and left alone; no error of SQLite's or NumPy's reaches the caller."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from loss_widget.errors import InputError
from loss_widget.scoring.checkpoint import Checkpoint

KEY = {"texts": "a", "weights": "b"}
ROWS, LABELS = 400, 3


def opened(path: Path) -> Checkpoint:
    return Checkpoint(path, key=KEY, rows=ROWS, labels=LABELS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with opened(tmp_path / "run.checkpoint") as checkpoint:
        checkpoint.add(np.arange(ROWS - 1), np.zeros((ROWS - 1, LABELS), dtype=np.float32), {3: "cut"}, "float32")
    return tmp_path / "run.checkpoint"


def resumed(path: Path) -> tuple[np.ndarray, dict[int, str]]:
    notes: dict[int, str] = {}
    with opened(path) as checkpoint:
        return checkpoint.load_into(np.empty((ROWS, LABELS), dtype=np.float32), notes, "float32"), notes


def sql(statement: str, *values: object) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        file = sqlite3.connect(path)
        with file:
            file.execute(statement, values)
        file.close()

    return change


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:4100])


def overwritten(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\x07" * (len(whole) - 4096))


def test_a_whole_one_is_read_back(path: Path) -> None:
    done, notes = resumed(path)
    assert (done.sum(), notes) == (ROWS - 1, {3: "cut"})


@pytest.mark.parametrize(
    "damage",
    [
        cut_short,
        overwritten,
        sql("DROP TABLE finished"),
        sql("DROP TABLE made_from"),
        sql("UPDATE finished SET rows = ?", b"123"),
        sql("UPDATE finished SET rows = ?", np.arange(5000, 5000 + ROWS - 1).tobytes()),
        sql("UPDATE finished SET rows = ?", (-np.arange(ROWS - 1)).tobytes()),
        sql("UPDATE finished SET log_probs = ?", b"12345678"),
        sql("UPDATE finished SET log_probs = NULL"),
        sql("UPDATE finished SET notes = ?", "{"),
        sql("UPDATE finished SET notes = ?", "[1]"),
    ],
)
def test_damage_is_refused_and_left_alone(path: Path, damage: Callable[[Path], None]) -> None:
    damage(path)
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"damaged one.*delete the file") as refusal:
        resumed(path)
    assert refusal.value.__cause__ is not None
    assert path.read_bytes() == before


def test_a_file_that_another_program_holds_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, **k, timeout=0))
    other = connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(InputError, match=r"can be read and written.*locked"):
        opened(path)
    other.close()


def test_a_write_that_fails_says_that_the_rest_is_safe(path: Path) -> None:
    checkpoint = opened(path)
    other = sqlite3.connect(path, isolation_level=None)
    checkpoint._file.execute("PRAGMA busy_timeout = 0")
    other.execute("BEGIN IMMEDIATE")
    checkpoint.add(np.array([ROWS - 1]), np.zeros((1, LABELS), dtype=np.float32), {}, "float32")
    with pytest.raises(InputError, match=r"locked.*the same call resumes"):
        checkpoint.flush()
    other.close()
    checkpoint.flush()
    checkpoint.__exit__()
    assert resumed(path)[0].all()
