"""lw.example(): judged rows that ship with the package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import loss_widget as lw

ROOT = Path(__file__).parents[2]


def test_the_example_is_every_row_of_its_intents_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "notebooks")
    import make_example

    scores = lw.example()
    pd.testing.assert_frame_equal(scores.frame[["text", "label"]], make_example.rows_of_the_example())
    assert scores.label_names == sorted(make_example.INTENTS)


def test_the_example_says_where_its_probabilities_come_from() -> None:
    scores = lw.example()
    assert "5 folds, out-of-fold" in repr(scores)
    assert scores.provenance["in_sample"] is False
    assert scores.provenance["model"] == "all-MiniLM-L6-v2"
    np.testing.assert_allclose(scores.probs.sum(axis=1), 1, atol=1e-5)
    assert 0.8 < scores.provenance["accuracy"] < 1


def test_each_call_gives_an_example_of_its_own() -> None:
    first = lw.example()
    with lw.LossWidget(first, journal=None) as widget:
        widget.relabel(0, "card_swallowed")
    assert first.frame["label"][0] == "card_swallowed"
    assert lw.example().frame["label"][0] != "card_swallowed"


def test_the_example_needs_neither_torch_nor_a_download() -> None:
    script = (
        "import sys, loss_widget as lw; lw.LossWidget(lw.example(), journal=None); "
        "print(sorted({'torch', 'transformers', 'datasets', 'sklearn'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip() == "[]"
