"""`loss-widget score` judges what `lw.score` and `lw.cross_score` judge."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from installed_command import NOTEBOOKS, SCRIPT, Run

import loss_widget as lw

MODEL = NOTEBOOKS / "models" / "banking77-tiny-bert"


@pytest.fixture
def data(folder: Path) -> Path:
    rows = pd.read_csv(NOTEBOOKS / "data" / "banking77" / "test.csv").iloc[::40]
    rows.to_csv(folder / "data.csv", index=False)
    return folder / "data.csv"


def test_it_saves_the_scores_of_a_model_and_prints_their_path_alone(loss_widget: Run, data: Path) -> None:
    done = loss_widget("score", data, "--model", MODEL, "--label", "category", "--not-in-sample", "--out", "scores.parquet")
    assert done.stdout == "scores.parquet\n"
    assert "scoring" in done.stderr
    assert "77 labels" in done.stderr

    saved = lw.Scores.load("scores.parquet")
    np.testing.assert_array_equal(saved.losses, lw.score(data, MODEL, label="category", progress=False).losses)
    assert saved.provenance["in_sample"] is False


def test_it_judges_out_of_fold_with_an_encoder(loss_widget: Run, data: Path) -> None:
    with_labels = pd.read_csv(data)
    with_labels["category"] = with_labels["category"].str[0].mask(lambda first: first > "d", "z")
    with_labels.to_csv(data, index=False)
    loss_widget("score", data, "--encoder", MODEL, "--label", "category", "--folds", 3, "--out", "scores.parquet")
    provenance = lw.Scores.load("scores.parquet").provenance
    assert (provenance["folds"], provenance["in_sample"]) == (3, False)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT for one process on Windows")
def test_ctrl_c_leaves_a_checkpoint_and_no_scores(loss_widget: Run, folder: Path, data: Path) -> None:
    pd.concat([pd.read_csv(data)] * 400).to_csv(folder / "long.csv", index=False)
    command = [SCRIPT, "score", "long.csv", "--model", MODEL, "--label", "category", "--checkpoint", "work", "--out", "s.parquet"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE) as running:
        assert running.stderr is not None
        said = b""
        while b"rows/s" not in said:
            said += running.stderr.read1()
        running.send_signal(signal.SIGINT)
        said += running.stderr.read()
    assert running.returncode == 130, said
    assert b"Traceback" not in said
    assert Path("work").exists()
    assert not Path("s.parquet").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--out", "s.parquet"], 2, "either --model (a fine-tuned classifier) or --encoder"),
        (["--model", "m", "--encoder", "e", "--out", "s.parquet"], 2, "either --model"),
        (["--encoder", "e", "--precision", "fast", "--out", "s.parquet"], 2, "--precision goes with --model"),
        (["--model", "m", "--map", "a", "--out", "s.parquet"], 2, "write it as DATA=MODEL"),
        (["--model", "m", "--out", "s.csv"], 2, "scores are a .parquet file"),
        (["--model", "m", "--out", "data.csv.parquet"], 1, "is there already"),
        (["--model", "m", "--out", "nowhere/s.parquet"], 1, "There is no folder nowhere"),
        (["--model", MODEL, "--out", "s.parquet"], 1, "`--label`"),
    ],
    ids=["neither", "both", "option of the other", "map", "ending", "taken", "folder", "column"],
)
def test_what_cannot_be_done_is_refused_before_the_work(
    loss_widget: Run, data: Path, arguments: list[str], code: int, said: str
) -> None:
    data.with_name("data.csv.parquet").write_bytes(b"mine")
    done = loss_widget("score", data, *arguments, code=code)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert data.with_name("data.csv.parquet").read_bytes() == b"mine"
    assert not Path("s.parquet").exists()
