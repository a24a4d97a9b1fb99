"""Scoring beside the cells: watched, cancelled, and opened in a grid before it is through."""

from __future__ import annotations

import contextlib
import inspect
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tiny_models import LABELS, TEXTS, tiny

import loss_widget as lw
from loss_widget.errors import ColumnError, InputError, LabelMismatch, LossWidgetError, ModelError, ScoringCancelled
from loss_widget.scoring import Scorer, ScoringRun, score, start_scoring

MANY = [f"{text} {i}" for i in range(25) for text in TEXTS]


def labelled(texts: list[str] = MANY) -> pd.DataFrame:
    return pd.DataFrame({"text": texts, "label": [LABELS[i % 3] for i in range(len(texts))]})


class Gate:
    """A model whose batches wait: `open()` lets them all through, `step(n)` so many."""

    def __init__(self) -> None:
        self.model, self.tokenizer = tiny("albert")  # read by the stock engine, through `forward`
        self.batches = 0
        self._through = threading.Semaphore(0)
        self._waiting = threading.Semaphore(0)
        original = self.model.forward

        def forward(*inputs: Any, **named: Any) -> Any:
            self._waiting.release()
            assert self._through.acquire(timeout=60)
            self.batches += 1
            return original(*inputs, **named)

        self.model.forward = forward

    def start(self, data: Any = None, **options: Any) -> ScoringRun:
        data = labelled() if data is None else data
        return start_scoring(data, self.model, tokenizer=self.tokenizer, **{"progress": False, **options})

    def step(self, batches: int) -> None:
        """Let so many through, and return when the next one waits."""
        for _ in range(batches):
            assert self._waiting.acquire(timeout=60)
            self._through.release()
        assert self._waiting.acquire(timeout=60)
        self._waiting.release()

    def open(self) -> None:
        self._through.release(100_000)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    monkeypatch.setattr("loss_widget.scoring.text_reader.CPU_TOKENS", (200,))
    gate = Gate()
    yield gate
    gate.open()
    for thread in threading.enumerate():
        if thread.name == "loss_widget scoring":
            thread.join(60)
            assert not thread.is_alive()


def until_some_are_scored(gate: Gate, run: ScoringRun) -> None:
    """Through the engine's self-check, and some batches of the pass."""
    while not 0 < run.progress.done < run.progress.rows:
        gate.step(1)


def test_it_takes_what_score_takes() -> None:
    ours, theirs = inspect.signature(start_scoring), inspect.signature(score)
    assert ours.parameters == theirs.parameters
    assert lw.start_scoring is start_scoring
    assert lw.ScoringRun is ScoringRun


@pytest.mark.parametrize("precision", ["exact", "fast"])
def test_the_result_is_that_of_score(precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loss_widget.scoring.scorer.why_exact", lambda *_: "")
    monkeypatch.setattr("loss_widget.scoring.text_reader.CPU_TOKENS", (200,))
    model, tokenizer = tiny("bert")
    quiet = {"tokenizer": tokenizer, "progress": False, "precision": precision, "in_sample": False}
    expected = score(labelled(), model, **quiet)
    run = start_scoring(labelled(), model, **quiet)
    found = run.result(60)
    pd.testing.assert_frame_equal(found.frame, expected.frame)
    np.testing.assert_array_equal(found.log_probs, expected.log_probs)
    assert {**found.provenance, "seconds": 0, "created": 0} == {**expected.provenance, "seconds": 0, "created": 0}
    assert run.result() is found
    assert run.scores_so_far() is found
    assert run.done
    assert not run.running
    assert run.progress.share == 1.0
    assert run.progress.seconds_left == 0.0


def test_it_returns_at_once_and_tells_how_far_it_is(gate: Gate) -> None:
    run = gate.start()
    assert run.running
    assert not run.done
    until_some_are_scored(gate, run)
    progress = run.progress
    assert 0 < progress.share < 1
    assert progress.rows_per_second > 0
    assert progress.seconds_left is not None
    assert f"{progress.done} of {len(MANY)} rows" in repr(run)
    with pytest.raises(TimeoutError, match=rf"within 0.01 s.* of {len(MANY)} rows"):
        run.result(timeout=0.01)
    gate.open()
    run.result(60)
    assert repr(run).startswith(f"ScoringRun: finished, {len(MANY)} rows")


def test_long_texts_count_for_more_in_the_share(gate: Gate) -> None:
    run = gate.start()
    until_some_are_scored(gate, run)
    assert run.progress.share > run.progress.done / run.progress.rows  # longest first


def test_what_cannot_be_used_is_refused_before_it_returns(gate: Gate, tmp_path: Path) -> None:
    with pytest.raises(ColumnError, match="column 'lable'"):
        gate.start(label="lable")
    with pytest.raises(LabelMismatch):
        gate.start(labelled().assign(label="nonsense"))
    with pytest.raises(InputError, match="max_length"):
        gate.start(max_length=0)
    with pytest.raises(ModelError, match=r"config\.json"):
        start_scoring(labelled(), tmp_path)


def test_rows_still_to_come_have_no_loss_and_say_so(gate: Gate) -> None:
    run = gate.start()
    before = run.scores_so_far()
    assert len(before) == len(MANY)
    assert (before.frame["score_note"] == "not scored yet").all()
    until_some_are_scored(gate, run)
    some = run.scores_so_far()
    gate.open()
    whole = run.result(60)
    scored = np.isfinite(some.losses)
    assert 0 < scored.sum() < len(MANY)
    assert some.provenance["rows_not_scored_yet"] == (~scored).sum()
    np.testing.assert_array_equal(some.log_probs[scored], whole.log_probs[scored])
    assert (some.frame["score_note"][~scored] == "not scored yet").all()
    assert not (some.frame["score_note"][scored] == "not scored yet").any()
    assert some.frame.loc[~scored, ["tokens", "truncated", "unknown_tokens", "loss"]].isna().all().all()
    assert (some.frame["tokens"][scored] == whole.frame["tokens"][scored]).all()
    np.testing.assert_array_equal(some.keys, whole.keys)
    assert some.frame["text"].tolist() == MANY


def test_a_snapshot_never_holds_half_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loss_widget.scoring.scorer.why_exact", lambda *_: "")
    model, tokenizer = tiny("bert")
    run = start_scoring(labelled(MANY * 10), model, tokenizer=tokenizer, progress=False, precision="fast")
    seen = 0
    while run.running:
        so_far = run.scores_so_far()
        judged = np.isfinite(so_far.log_probs)
        assert (judged.all(axis=1) == judged.any(axis=1)).all()
        np.testing.assert_allclose(np.exp(so_far.log_probs[judged.all(axis=1)]).sum(axis=1), 1, atol=1e-5)
        seen += 1
    run.result()
    assert seen


def test_cancelling_stops_within_a_batch_and_keeps_the_checkpoint(gate: Gate, tmp_path: Path) -> None:
    run = gate.start(checkpoint=tmp_path / "c")
    until_some_are_scored(gate, run)
    batches, done = gate.batches, run.progress.done
    cancelling = threading.Thread(target=run.cancel)
    cancelling.start()
    assert run._cancelled.wait(60)
    gate.open()
    cancelling.join(60)
    assert run.done
    assert gate.batches == batches + 1
    run.cancel()
    with pytest.raises(ScoringCancelled, match="with a `checkpoint` it goes on"):
        run.result()
    assert issubclass(ScoringCancelled, LossWidgetError)
    assert "cancelled" in repr(run)
    kept = np.isfinite(run.scores_so_far().losses).sum()
    assert kept == run.progress.done > done
    again = gate.start(checkpoint=tmp_path / "c")
    assert again.result(60).provenance["resumed_rows"] == kept


def test_cancelling_stops_the_tokenizer_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loss_widget.scoring.engine.tokens.ROWS_AT_ONCE", 8)
    model, tokenizer = tiny("bert")
    scorer, passes, chunks = Scorer(model, tokenizer=tokenizer), [], []

    def chunk_read(check: Callable[[], None]) -> Callable[[], None]:
        def between() -> None:
            chunks.append(1)
            if len(chunks) == 3:
                passes[0].cancel()
            check()

        return between

    windows = Scorer.windows
    monkeypatch.setattr(
        Scorer, "windows", lambda self, texts, rows, *, between: windows(self, texts, rows, between=chunk_read(between))
    )
    with pytest.raises(ScoringCancelled):
        scorer(MANY, on_start=passes.append)
    assert len(chunks) == 3


def test_an_error_of_the_run_comes_out_of_result(gate: Gate) -> None:
    def refuse(*inputs: Any, **named: Any) -> Any:
        raise IndexError("index out of range in self")

    gate.model.forward = refuse
    run = gate.start()
    for _ in range(2):
        with pytest.raises(ModelError, match="index out of range"):
            run.result(60)
    assert "ended by ModelError" in repr(run)
    assert run.scores_so_far().frame["score_note"].eq("not scored yet").all()


def test_a_model_is_lent_to_one_run_at_a_time(gate: Gate) -> None:
    gate.model.train()
    run = gate.start()
    for second in (gate.start, lambda: score(labelled(), gate.model, tokenizer=gate.tokenizer, progress=False)):
        with pytest.raises(ModelError, match=r"nothing else is reading.*run\.cancel"):
            second()
    with pytest.raises(ModelError, match="nothing else is reading"):  # a part of it is it
        lw.cross_score(labelled(), gate.model.base_model, tokenizer=gate.tokenizer, progress=False)
    gate.open()
    run.result(60)
    assert gate.model.training
    gate.start().result(60)


@pytest.mark.parametrize("end", ["cancelled", "failed"])
def test_the_model_comes_back_as_it_was_also_when_the_run_is(gate: Gate, end: str) -> None:
    gate.model.train()
    if end == "failed":
        gate.model.config.id2label = {**gate.model.config.id2label, 3: "fourth"}
    run = gate.start()
    gate.open()
    if end == "cancelled":
        run.cancel()
    else:
        with pytest.raises(ModelError, match="Expected 4 outputs"):
            run.result(60)
    assert all(module.training for module in gate.model.modules())
    gate.model.config.id2label.pop(3, None)
    assert len(score(labelled(), gate.model, tokenizer=gate.tokenizer, progress=False)) == len(MANY)


def test_cells_keep_their_number_of_torch_threads(gate: Gate) -> None:
    import torch

    before = torch.get_num_threads()
    run = gate.start()
    until_some_are_scored(gate, run)
    assert torch.get_num_threads() == before
    gate.open()
    run.result(60)
    assert torch.get_num_threads() == before


def test_a_review_begun_on_the_first_rows_goes_on_with_all(gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = gate.start()
    until_some_are_scored(gate, run)
    with lw.LossWidget(run.scores_so_far()) as early:
        top = early.page(lw.Query()).rows[0].row
        other = next(name for name in LABELS if name != early.df["label"][top])
        early.relabel(top, other)
        waiting = int(np.flatnonzero(early.df["loss"].isna())[0])
        early.keep(waiting)
    gate.open()
    with lw.LossWidget(run.result(60)) as whole:
        assert whole.df["label"][top] == other
        assert whole.changes.set_index("row")["verdict"].to_dict() == {top: "relabel", waiting: "keep"}
        assert len(whole.unmatched) == 0
        assert not whole.df["loss"].isna().any()


def test_the_bar_is_drawn_seldom_and_ends_full(capsys: pytest.CaptureFixture[str]) -> None:
    model, tokenizer = tiny("bert")
    run = start_scoring(labelled(MANY * 4), model, tokenizer=tokenizer)
    run.result(60)
    drawn = capsys.readouterr().err.split("\r")
    assert "100%" in drawn[-1]
    assert f"{len(MANY) * 4:,} of {len(MANY) * 4:,} rows" in drawn[-1]
    assert len(drawn) < 10 + 2 * run.progress.seconds / 0.5


def test_a_run_that_is_going_does_not_harm_the_end_of_the_process(tmp_path: Path, classifier_folder: Path) -> None:
    program = f"""
import time
import loss_widget as lw
data = [{{"text": f"My card {{i}} has not arrived " * 8, "label": "card_arrival"}} for i in range(4_000)]
run = lw.start_scoring(data, {str(classifier_folder)!r}, checkpoint={str(tmp_path / "c")!r}, progress=False)
while not run.progress.done:
    time.sleep(0.01)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=os.environ, check=False)
    assert (ended.returncode, "Traceback" in ended.stderr) == (0, False), ended.stderr
    with contextlib.closing(sqlite3.connect(tmp_path / "c")) as kept:
        assert kept.execute("SELECT count(*) FROM finished").fetchone()[0] > 0
