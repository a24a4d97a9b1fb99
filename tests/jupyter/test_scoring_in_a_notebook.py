"""Scoring in a real kernel: the stop button, and cells beside a run in the background."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kernel import Kernel

MODEL = Path(__file__).parents[2] / "notebooks" / "models" / "banking77-tiny-bert"
ROWS = 1_500
SETUP = f"""
import os, time
import loss_widget as lw
from transformers import AutoModelForSequenceClassification, logging
logging.set_verbosity_error()
logging.disable_progress_bar()

data = [{{"text": f"My card number {{i}} has not arrived. " * 9, "label": "card_arrival"}} for i in range({ROWS})]
model = AutoModelForSequenceClassification.from_pretrained({str(MODEL)!r})
read = model.forward

def slowly(*inputs, **named):
    with open("batches", "a") as batches:
        batches.write("+")
    time.sleep(0.1)
    return read(*inputs, **named)

model.forward = slowly
"""
BATCH = 0.1


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Kernel, Path]]:
    folder = tmp_path_factory.mktemp("kernel")
    with Kernel(folder) as running:
        running.ask(SETUP)
        yield running, folder


def wait_for_batches(path: Path, batches: int) -> int:
    """Until so many more have begun; how many there are."""
    before = path.stat().st_size if path.exists() else 0
    end = time.monotonic() + 120
    while (now := path.stat().st_size if path.exists() else 0) < before + batches:
        assert time.monotonic() < end
        time.sleep(BATCH / 10)
    return now


def test_the_stop_button_stops_within_a_batch_and_the_cell_resumes(kernel: tuple[Kernel, Path]) -> None:
    running, folder = kernel
    score = "scores = lw.score(data, model, checkpoint='checkpoint')"
    cell = running.start(score)
    begun = wait_for_batches(folder / "batches", 15)
    running.interrupt()
    assert running.finish(cell)["error"] == "KeyboardInterrupt"
    assert (folder / "batches").stat().st_size <= begun + 2
    running.ask(score)
    assert 0 < int(running.ask("print(scores.provenance['resumed_rows'])")) < ROWS
    assert running.ask("print(len(scores), scores.frame['loss'].notna().all(), model.training)") == f"{ROWS} True False"


def test_cells_run_beside_a_run_in_the_background(kernel: tuple[Kernel, Path]) -> None:
    running, folder = kernel
    started = running.run("run = lw.start_scoring(4 * data, model)")
    assert "application/vnd.jupyter.widget-view+json" in started["shown"]  # the bar, in the cell that started it
    wait_for_batches(folder / "batches", 8)
    assert running.ask("print(run.running, run)").startswith("True ScoringRun")
    waited = []
    for _ in range(5):
        asked = time.monotonic()
        seen = running.run("so_far = run.scores_so_far()\nprint(so_far.losses.shape)")
        waited.append(time.monotonic() - asked)
        assert seen["printed"].strip() == f"({4 * ROWS},)"
        assert not seen["shown"]
        assert seen["of others"] <= {"comm_msg", "status"}  # the bar's updates
    assert running.ask("print(run.running)") == "True"
    assert sorted(waited)[len(waited) // 2] < 10 * BATCH
    cell = running.start("open('waiting', 'w').close()\nrun.result()")
    while not (folder / "waiting").exists():
        time.sleep(BATCH / 10)
    running.interrupt()
    assert running.finish(cell)["error"] == "KeyboardInterrupt"
    assert running.ask("print(run.running)\nrun.cancel()\nprint(run.running)") == "True\nFalse"
    assert running.run("run.result()")["error"] == "ScoringCancelled"
