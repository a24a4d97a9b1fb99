"""For the scoring tests: tiny models of many architectures, and the project's own small classifier."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)  # tiny models: threads only wait for each other


@pytest.fixture(scope="session")
def classifier_folder() -> Path:
    return NOTEBOOKS / "models" / "banking77-tiny-bert"


@pytest.fixture(scope="session")
def classifier(classifier_folder: Path) -> Any:
    from transformers import AutoModelForSequenceClassification

    return AutoModelForSequenceClassification.from_pretrained(classifier_folder)


@pytest.fixture(scope="session")
def banking_test() -> pd.DataFrame:
    return pd.read_csv(NOTEBOOKS / "data" / "banking77" / "test.csv").rename(columns={"category": "label"})


@pytest.fixture(scope="session")
def banking_train() -> pd.DataFrame:
    return pd.read_csv(NOTEBOOKS / "data" / "banking77" / "train.csv").rename(columns={"category": "label"})
