"""Texts are read window by window: the numbers do not show it, and memory does not grow with the rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_models import PAIRS, TEXTS, tiny

from loss_widget.data.texts import Texts
from loss_widget.scoring import Scorer

MANY = [f"{text} {i}" for i in range(5) for text in TEXTS]


@pytest.mark.parametrize("pairs", [None, [*PAIRS * 5]])
def test_the_size_of_the_window_does_not_matter(pairs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    model, tokenizer = tiny("bert")
    whole = Scorer(model, tokenizer=tokenizer)(MANY, pairs)
    monkeypatch.setattr("loss_widget.scoring.text_reader.WINDOW_ROWS", 7)
    found = Scorer(model, tokenizer=tokenizer)(MANY, pairs)
    np.testing.assert_allclose(found.log_probs, whole.log_probs, atol=1e-5, rtol=0)
    for name in ("tokens", "truncated", "unknown_tokens"):
        np.testing.assert_array_equal(getattr(found, name), getattr(whole, name))
    assert found.notes == whole.notes


def test_notes_name_the_row_in_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loss_widget.scoring.text_reader.WINDOW_ROWS", 4)
    model, tokenizer = tiny("gpt2")
    texts = ["goals"] * 9 + [""]
    assert list(Scorer(model, tokenizer=tokenizer)(texts).notes) == [9]


def test_a_stopped_run_resumes_in_the_middle_of_a_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loss_widget.scoring.text_reader.WINDOW_ROWS", 12)
    model, tokenizer = tiny("bert")
    scorer = Scorer(model, tokenizer=tokenizer, token_budget=100)
    read: list[int] = []

    def stop(rows: np.ndarray, values: np.ndarray) -> None:
        read.extend(rows.tolist())
        if len(read) >= 17:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scorer(MANY, checkpoint=tmp_path / "c", on_rows=stop)
    again: list[int] = []
    resumed = scorer(MANY, checkpoint=tmp_path / "c", on_rows=lambda rows, _: again.extend(rows.tolist()))
    assert sorted(read + again) == list(range(len(MANY)))
    np.testing.assert_allclose(resumed.log_probs, scorer(MANY).log_probs, atol=1e-5, rtol=0)


def test_the_next_window_is_tokenized_ahead_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loss_widget.scoring.text_reader.WINDOW_ROWS", 7)
    model, tokenizer = tiny("bert")
    scorer = Scorer(model, tokenizer=tokenizer)
    one_by_one = list(scorer.windows(Texts.of(MANY)))
    monkeypatch.setattr(scorer, "device", type("Device", (), {"type": "cuda"})())
    ahead = list(scorer.windows(Texts.of(MANY)))
    assert [tokens.flat.tolist() for tokens in ahead] == [tokens.flat.tolist() for tokens in one_by_one]
    assert np.concatenate([tokens.numbers for tokens in ahead]).tolist() == list(range(len(MANY)))


def test_the_bar_ends_full(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loss_widget.scoring.text_reader.WINDOW_ROWS", 7)
    model, tokenizer = tiny("bert")
    Scorer(model, tokenizer=tokenizer)(MANY, progress=True)
    assert "100%" in capsys.readouterr().err
