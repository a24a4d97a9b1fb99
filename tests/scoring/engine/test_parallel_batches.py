"""The packed engine reads batches side by side, on threads of their own, and nothing else changes."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import TEXTS, plain_log_probs, tiny

from loss_widget.errors import ScoringCancelled
from loss_widget.scoring import Scorer
from loss_widget.scoring.engine import choose
from loss_widget.scoring.engine.parallel_batches import MOST_LANES, ParallelBatches

MANY = TEXTS * 12


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names of the threads that read packed batches."""
    read, names = choose.PackedEngine.read, set[str]()

    def noting(self: Any, tokens: Any, batch: np.ndarray) -> Any:
        names.add(threading.current_thread().name)
        return read(self, tokens, batch)

    monkeypatch.setattr(choose.PackedEngine, "read", noting)
    return names


@pytest.mark.parametrize("engine", ["packed", "stock"])
@pytest.mark.parametrize("threads", [1, 2, 3, 9])
def test_the_numbers_are_those_of_the_plain_pass(readers: set[str], threads: int, engine: str) -> None:
    model, tokenizer = tiny("bert")
    before = torch.get_num_threads(), torch.is_grad_enabled()
    seen: list[int] = []
    scorer = Scorer(model, tokenizer=tokenizer, threads=threads, token_budget=60, engine=engine)
    found = scorer(MANY, on_rows=lambda rows, _: seen.extend(rows.tolist()))
    np.testing.assert_allclose(found.log_probs, plain_log_probs(model, tokenizer, MANY), atol=1e-5, rtol=0)
    assert found.provenance["engine"] == engine
    assert sorted(seen) == list(range(len(MANY)))
    assert (np.diff(found.tokens[seen]) <= 0).all(), "longest first"
    lanes = {name for name in readers if name.startswith("loss_widget lane")}
    assert bool(lanes) == (engine == "packed" and threads > 1)
    assert (torch.get_num_threads(), torch.is_grad_enabled()) == before


def test_out_of_memory_in_a_lane_halves_the_batch_and_loses_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    model, tokenizer = tiny("bert")
    read = choose.PackedEngine.read

    def too_many(self: Any, tokens: Any, batch: np.ndarray) -> Any:
        if len(batch) > 8:
            raise torch.OutOfMemoryError("too much")
        return read(self, tokens, batch)

    monkeypatch.setattr(choose.PackedEngine, "read", too_many)
    seen: list[int] = []
    found = Scorer(model, tokenizer=tokenizer, threads=3)(MANY, on_rows=lambda rows, _: seen.extend(rows.tolist()))
    assert found.provenance["engine"] == "packed"
    assert found.provenance["out_of_memory"] >= 1
    assert sorted(seen) == list(range(len(MANY)))
    np.testing.assert_allclose(found.log_probs, plain_log_probs(model, tokenizer, MANY), atol=1e-5, rtol=0)


def test_a_cancelled_run_reads_no_batch_that_had_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    model, tokenizer = tiny("bert")
    read, begun, passes = choose.PackedEngine.read, [], []
    monkeypatch.setattr(choose, "_self_check", lambda *_: "")
    monkeypatch.setattr(
        choose.PackedEngine, "read", lambda self, tokens, batch: begun.append(len(batch)) or read(self, tokens, batch)
    )
    scorer = Scorer(model, tokenizer=tokenizer, threads=2, token_budget=20)
    with pytest.raises(ScoringCancelled):
        scorer(MANY, on_start=passes.append, on_rows=lambda *_: passes[0].cancel())
    assert len(begun) <= 4
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("loss_widget lane")]


def test_works_run_at_once_in_lanes_of_their_own() -> None:
    lanes, together = ParallelBatches.of(2), threading.Barrier(2, timeout=20)
    with lanes.open():
        started = [lanes.start(together.wait) for _ in range(2)]
        assert sorted(one.result() for one in started) == [0, 1]


def test_threads_are_shared_out_to_a_few_lanes() -> None:
    lanes = ParallelBatches.of(4 * MOST_LANES)
    with lanes.open():
        assert lanes.start(torch.get_num_threads).result() == lanes.threads == 4
        assert not lanes.start(torch.is_grad_enabled).result()
    assert ParallelBatches.of(1).start(threading.current_thread).result() is threading.current_thread()


def test_what_a_work_raises_comes_with_its_answer() -> None:
    for lanes in (ParallelBatches.of(1), ParallelBatches.of(2)):
        with lanes.open():
            answer = lanes.start(lambda: 1 // 0)
            with pytest.raises(ZeroDivisionError):
                answer.result()
