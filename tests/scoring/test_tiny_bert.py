"""The shipped classifier is what its script makes: the same accuracy, and on the same machine the same weights."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from transformers import AutoModelForSequenceClassification

from loss_widget.scoring import score

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.mark.timeout(1_200)
def test_training_it_again_finds_the_same_accuracy(tmp_path: Path, classifier_folder: Path, banking_test: pd.DataFrame) -> None:
    run = subprocess.run(
        [sys.executable, str(NOTEBOOKS / "train_tiny_bert.py"), "--out", str(tmp_path)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    said = json.loads(run.stdout.strip().splitlines()[-1])
    shipped = score(banking_test, classifier_folder, progress=False).provenance["accuracy"]
    again = score(banking_test, tmp_path, progress=False).provenance["accuracy"]
    assert shipped >= 0.84
    assert again == pytest.approx(shipped, abs=0.01)
    assert said["test_accuracy"] == pytest.approx(again, abs=1e-3)
    assert (tmp_path / "tokenizer.json").read_text() == (classifier_folder / "tokenizer.json").read_text()


def test_it_is_small_and_knows_its_labels(classifier_folder: Path, banking_test: pd.DataFrame) -> None:
    assert sum(p.stat().st_size for p in classifier_folder.iterdir()) < 3_000_000
    config = AutoModelForSequenceClassification.from_pretrained(classifier_folder).config
    assert sorted(config.id2label.values()) == sorted(banking_test["label"].unique())
    tokenizer = json.loads((classifier_folder / "tokenizer_config.json").read_text())
    assert tokenizer["tokenizer_class"] == "PreTrainedTokenizerFast"
    assert "CC BY 4.0" in (classifier_folder / "README.md").read_text()
