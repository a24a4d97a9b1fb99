"""precision="fast": what a reviewer reaches is exact and in its exact order, and the provenance says how far that goes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from loss_widget.errors import InputError
from loss_widget.scoring import Scorer, precision, score
from loss_widget.scoring.engine.stock import StockEngine
from loss_widget.scoring.precision import REACHED_AT_LEAST, rows_to_read


@pytest.fixture
def bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    """bfloat16 first, however few rows: every processor can compute in it; those without it in hardware do it slowly."""
    monkeypatch.setattr("loss_widget.scoring.scorer.why_exact", lambda *_: "")


def judged(frame: pd.DataFrame, classifier: Any, folder: Path, **options: Any) -> Any:
    return score(frame, classifier, tokenizer=str(folder), progress=False, **options)


@pytest.mark.usefixtures("bfloat16")
@pytest.mark.parametrize("engine", ["stock", "packed"])
def test_the_highest_losses_are_exact_and_in_order(
    engine: str, banking_test: pd.DataFrame, classifier: Any, classifier_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Scorer.__init__, "__kwdefaults__", {**Scorer.__init__.__kwdefaults__, "engine": engine})
    frame = banking_test.iloc[:600]
    exact = judged(frame, classifier, classifier_folder)
    fast = judged(frame, classifier, classifier_folder, precision="fast")
    made = fast.provenance
    assert made["precision"].startswith("fast")
    assert made["engine"] == engine
    assert 0 < made["greatest_difference"] < 0.5
    sure = exact.losses >= made["float32_from_loss"] - 1e-6
    assert REACHED_AT_LEAST <= sure.sum() <= made["float32_rows"] < 400
    np.testing.assert_allclose(fast.losses[sure], exact.losses[sure], atol=1e-5, rtol=0)
    assert fast.top(REACHED_AT_LEAST).index.tolist() == exact.top(REACHED_AT_LEAST).index.tolist()
    np.testing.assert_allclose(fast.losses, exact.losses, atol=1.0, rtol=0)


@pytest.mark.usefixtures("bfloat16")
def test_a_stopped_run_resumes_in_both_precisions(
    banking_test: pd.DataFrame, classifier: Any, classifier_folder: Path, tmp_path: Path
) -> None:
    frame = banking_test.iloc[:300]
    whole = judged(frame, classifier, classifier_folder, precision="fast")
    for stop_at in (120, 330):  # in the bfloat16 pass, and in the float32 one after it
        seen = [0]

        def stop(rows: np.ndarray, values: np.ndarray, seen: list[int] = seen, stop_at: int = stop_at) -> None:
            seen[0] += len(rows)
            if seen[0] >= stop_at:
                raise KeyboardInterrupt

        codes = np.array([classifier.config.label2id[name] for name in frame["label"]])
        scorer = Scorer(classifier, tokenizer=str(classifier_folder), precision="fast", token_budget=300)

        def loss_of(rows: np.ndarray, log_probs: np.ndarray, codes: np.ndarray = codes) -> np.ndarray:
            return -log_probs[np.arange(len(rows)), codes[rows]]

        with pytest.raises(KeyboardInterrupt):
            scorer(frame["text"], loss_of=loss_of, checkpoint=tmp_path / "c", on_rows=stop)
    resumed = judged(frame, classifier, classifier_folder, precision="fast", checkpoint=tmp_path / "c")
    assert resumed.provenance["resumed_rows"] == len(frame)
    assert resumed.provenance["float32_rows"] == pytest.approx(whole.provenance["float32_rows"], abs=20)
    np.testing.assert_allclose(resumed.top(100)["loss"], whole.top(100)["loss"], atol=1e-5, rtol=0)


@pytest.mark.usefixtures("bfloat16")
def test_rows_without_an_answer_in_bfloat16_are_read_in_float32(
    banking_test: pd.DataFrame, classifier: Any, classifier_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = banking_test.iloc[:300]
    exact = judged(frame, classifier, classifier_folder)
    lowest = int(np.argmin(exact.losses))
    read = StockEngine.read

    def overflowing(self: Any, tokens: Any, batch: np.ndarray) -> Any:
        values = read(self, tokens, batch)
        half = str(next(iter(self._model.parameters())).dtype) == "torch.bfloat16"
        answer = torch.full((77,), torch.nan) if half else torch.from_numpy(exact.log_probs[lowest])
        values[torch.from_numpy(tokens.numbers_of(batch) == lowest)] = answer
        return values

    monkeypatch.setattr(StockEngine, "read", overflowing)
    monkeypatch.setattr(Scorer.__init__, "__kwdefaults__", {**Scorer.__init__.__kwdefaults__, "engine": "stock"})
    fast = judged(frame, classifier, classifier_folder, precision="fast")
    assert fast.losses[lowest] == pytest.approx(exact.losses[lowest], abs=1e-6)
    assert fast.frame["score_note"].iloc[lowest] == ""


def test_hardware_without_bfloat16_computes_in_float32_and_says_so(
    banking_test: pd.DataFrame, classifier: Any, classifier_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loss_widget.scoring.precision.has_bfloat16", lambda device: False)
    fast = judged(banking_test.iloc[:20], classifier, classifier_folder, precision="fast")
    assert fast.provenance["precision"] == "exact (float32): cpu has no bfloat16 in hardware"


@pytest.mark.parametrize(("rows", "said"), [(327, "exact (float32): so few rows are as fast"), (328, "fast (bfloat16; float32")])
def test_rows_of_which_most_would_be_read_twice_are_read_in_float32_alone(
    rows: int, said: str, banking_test: pd.DataFrame, classifier: Any, classifier_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loss_widget.scoring.precision.has_bfloat16", lambda device: True)
    fast = judged(banking_test.iloc[:rows], classifier, classifier_folder, precision="fast")
    assert fast.provenance["precision"].startswith(said)


def test_which_losses_are_to_be_exact_must_be_said(classifier: Any, classifier_folder: Path) -> None:
    with pytest.raises(InputError, match="Expected loss_of"):
        Scorer(classifier, tokenizer=str(classifier_folder), precision="fast")(["where is my card"])


@given(
    st.integers(1, 3_000),
    st.floats(0.0, 0.5),
    st.floats(0.0, 0.3),
    st.randoms(use_true_random=False),
)
def test_rows_are_read_until_no_other_can_be_among_the_highest(n: int, error: float, missing: float, random: Any) -> None:
    draw = np.random.default_rng(random.randrange(2**32))
    true = draw.exponential(size=n)
    true[draw.random(n) < missing] = np.nan
    rough = true + draw.uniform(-error, error, size=n)
    exact = np.full(n, np.nan)
    rounds = 0
    while len(rows := rows_to_read(rough, exact)):
        assert np.isnan(exact[rows]).all()
        exact[rows] = true[rows]
        rounds += 1
    assert rounds <= 12
    reach = min(np.isfinite(true).sum(), max(REACHED_AT_LEAST, int(np.ceil(precision.REACHED_SHARE * np.isfinite(true).sum()))))
    highest = np.argsort(-np.nan_to_num(true, nan=-np.inf), kind="stable")[:reach]
    seen = precision.greatest_difference(rough, exact)
    safe = [row for row in highest if abs(rough[row] - true[row]) <= 2 * seen]
    assert np.isfinite(exact[safe]).all()
