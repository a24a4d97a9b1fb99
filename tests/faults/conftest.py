"""For the tests of faults: a folder of their own, and figures of what was tried."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "review"))

from faults import Figures


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """Journals of "auto" go to the working directory."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    """Counts of one test, for docs/reliability.md; kept where `make torture` asks for them."""
    return Figures(os.environ.get("LOSS_WIDGET_FIGURES"))
