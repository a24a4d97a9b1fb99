"""`kill -9` at any moment: the same call does only what is left, and the numbers are those of a run that was never stopped."""

from __future__ import annotations

import contextlib
import os
import pkgutil
import random
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_models import TEXTS, tiny

from loss_widget.scoring import Scorer, TextPass

MANY = [f"{text} {i}" for i in range(12) for text in TEXTS]

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes"),
    pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning"),
]


@pytest.fixture(autouse=True)
def _every_batch_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loss_widget.scoring.checkpoint.SECONDS_BETWEEN_WRITES", 0.0)


def run(path: Path | None, **more: Any) -> TextPass:
    model, tokenizer = tiny("bert")
    return Scorer(model, tokenizer=tokenizer, token_budget=150)(MANY, checkpoint=path, **more)


def is_killed(program: Callable[[], Any], *, after_seconds: float | None = None) -> bool:
    """Whether a forked copy of this process ends by `kill -9` in `program`; False where it comes to its end before."""
    child = os.fork()
    if not child:
        try:
            program()
        except BaseException:
            os._exit(1)
        os._exit(0)
    if after_seconds is not None:
        time.sleep(after_seconds)
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def killing_at(call: int, function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, in place of whose call number `call` its process is killed."""
    calls = iter(range(1, call))

    def counted(*args: Any, **named: Any) -> Any:
        if next(calls, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **named)

    return counted


def finished_rows(path: Path) -> int:
    if not path.exists():
        return 0
    with contextlib.closing(sqlite3.connect(path)) as file:
        try:
            return sum(len(rows) // 8 for (rows,) in file.execute("SELECT rows FROM finished"))
        except sqlite3.OperationalError:  # killed before there were tables
            return 0


def check_that_the_same_call_finishes(path: Path) -> None:
    before, read = finished_rows(path), []
    resumed = run(path, on_rows=lambda rows, _: read.extend(rows.tolist()))
    assert resumed.provenance["resumed_rows"] == before == len(MANY) - len(read)
    assert finished_rows(path) == len(MANY)
    plain = run(None)
    np.testing.assert_allclose(resumed.log_probs, plain.log_probs, atol=1e-5, rtol=0)
    for name in ("tokens", "truncated", "unknown_tokens"):
        np.testing.assert_array_equal(getattr(resumed, name), getattr(plain, name))
    assert resumed.notes == plain.notes


@pytest.mark.parametrize(
    ("moment", "call", "rows_are_kept"),
    [
        ("loss_widget.scoring.engine.tokens._unknown_per_row", 1, False),
        ("loss_widget.scoring.engine.choose.PackedEngine.read", 1, False),  # the self-check
        ("loss_widget.scoring.engine.choose.PackedEngine.read", 13, True),
        ("loss_widget.scoring.engine.forward._fetched", 7, True),
        ("loss_widget.scoring.checkpoint.Checkpoint.add", 1, False),
        ("loss_widget.scoring.checkpoint.json.dumps", 4, True),
        ("loss_widget.scoring.checkpoint.Checkpoint.__exit__", 1, True),
    ],
)
def test_a_run_killed_at_this_moment_resumes(
    moment: str, call: int, rows_are_kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loss_widget.scoring.engine.choose._checked", {})
    with monkeypatch.context() as armed:
        armed.setattr(moment, killing_at(call, pkgutil.resolve_name(moment)))
        assert is_killed(lambda: run(tmp_path / "c"))
    assert (finished_rows(tmp_path / "c") > 0) == rows_are_kept
    check_that_the_same_call_finishes(tmp_path / "c")


@pytest.mark.parametrize("statement", range(1, 25, 3))
def test_a_run_killed_in_the_middle_of_a_write_resumes(statement: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = sqlite3.connect

    def traced(*args: Any, **named: Any) -> sqlite3.Connection:
        file = connect(*args, **named)
        file.set_trace_callback(killing_at(statement, lambda said: None))
        return file

    with monkeypatch.context() as armed:
        armed.setattr("loss_widget.scoring.checkpoint.sqlite3.connect", traced)
        assert is_killed(lambda: run(tmp_path / "c"))
    check_that_the_same_call_finishes(tmp_path / "c")


def test_a_run_killed_again_and_again_gets_to_its_end(tmp_path: Path) -> None:
    started = time.perf_counter()
    run(None)
    whole = time.perf_counter() - started
    moments = random.Random(0)
    kills, rows = 0, 0
    for _ in range(12):
        kills += is_killed(lambda: run(tmp_path / "c"), after_seconds=moments.uniform(0.1, 0.9) * whole)
        assert finished_rows(tmp_path / "c") >= rows
        rows = finished_rows(tmp_path / "c")
    assert kills
    check_that_the_same_call_finishes(tmp_path / "c")
