"""For the tests of reviews: a folder of their own, and a small review."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

from loss_widget.scores.scores import Scores

sys.path.insert(0, str(Path(__file__).parent))

from small import make_frame, make_scores


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """Journals of "auto" go to the working directory."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def frame() -> pd.DataFrame:
    return make_frame()


@pytest.fixture
def scores() -> Scores:
    return make_scores()
