"""`loss-widget review` writes a notebook with the grid and opens it."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pandas as pd
import pytest
from installed_command import Run
from nbclient import NotebookClient

import loss_widget as lw

GRID = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def scores(folder: Path) -> Path:
    (folder / "runs").mkdir()
    return lw.example().save(folder / "runs" / "first.parquet")


def test_the_notebook_shows_the_grid_and_takes_the_decisions_away(loss_widget: Run, scores: Path) -> None:
    done = loss_widget("review", "runs/first.parquet", "--reviewer", "anna", "--no-launch")
    assert done.stdout == "runs/first-review.ipynb\n"

    notebook = nbformat.read("runs/first-review.ipynb", as_version=4)
    nbformat.validate(notebook)
    notebook.cells.insert(1, nbformat.v4.new_code_cell("widget.relabel(392, 'card_arrival')"))
    NotebookClient(notebook, timeout=200, resources={"metadata": {"path": str(scores.parent)}}).execute()
    assert GRID in notebook.cells[0].outputs[-1]["data"]
    assert pd.read_parquet("runs/first-corrected.parquet")["label"][392] == "card_arrival"
    assert pd.read_parquet("runs/first-changes.parquet")["reviewer"].tolist() == ["anna"]


def test_a_notebook_that_is_there_is_opened_as_it_is(loss_widget: Run, scores: Path) -> None:
    mine = scores.with_name("first-review.ipynb")
    mine.write_text("mine")
    assert "as it is" in loss_widget("review", scores, "--no-launch").stderr
    assert mine.read_text() == "mine"


def test_jupyterlab_gets_the_notebook_and_its_own_options(loss_widget: Run, scores: Path) -> None:
    done = loss_widget("review", scores, "--", "--version")
    assert done.stdout.splitlines()[-1].startswith("4.")


def test_a_file_that_holds_no_scores_is_refused(loss_widget: Run, folder: Path) -> None:
    lw.example().frame.to_parquet(folder / "data.parquet")
    done = loss_widget("review", "data.parquet", "--no-launch", code=1)
    assert "Error: " in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / "data-review.ipynb").exists()
