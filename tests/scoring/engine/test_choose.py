"""The packed engine reads what it reads exactly, the stock engine the rest, and the provenance says which and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_models import FAMILIES, TEXTS, plain_log_probs, tiny

from loss_widget.errors import ModelError
from loss_widget.scoring import Scorer, score
from loss_widget.scoring.engine import choose

PACKED = {"bert", "roberta", "distilbert", "electra", "mpnet", "modernbert", "llama", "gpt2"}
STOCK = set(FAMILIES) - PACKED


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "_checked", {})


@pytest.mark.parametrize("family", sorted(PACKED))
def test_families_that_are_known_are_packed(family: str) -> None:
    model, tokenizer = tiny(family)
    found = Scorer(model, tokenizer=tokenizer)(TEXTS)
    assert found.provenance["engine"] == "packed"
    assert "why_stock" not in found.provenance
    np.testing.assert_allclose(found.log_probs, plain_log_probs(model, tokenizer, TEXTS), atol=1e-5, rtol=0)


@pytest.mark.parametrize("family", sorted(STOCK))
def test_other_families_are_read_as_they_are_with_the_reason(family: str) -> None:
    model, tokenizer = tiny(family)
    found = Scorer(model, tokenizer=tokenizer)(TEXTS)
    assert found.provenance["engine"] == "stock"
    assert len(found.provenance["why_stock"]) > 20
    np.testing.assert_allclose(found.log_probs, plain_log_probs(model, tokenizer, TEXTS), atol=1e-5, rtol=0)
    with pytest.raises(ModelError, match="that the packed engine can read, found"):
        Scorer(model, tokenizer=tokenizer, engine="packed")(TEXTS)


def test_the_stock_engine_can_be_asked_for() -> None:
    model, tokenizer = tiny("bert")
    found = Scorer(model, tokenizer=tokenizer, engine="stock")(TEXTS)
    assert (found.provenance["engine"], found.provenance["why_stock"]) == ("stock", "asked for")


def test_real_encoders_are_packed(banking_test: pd.DataFrame, classifier: Any, classifier_folder: Path) -> None:
    frame = banking_test.iloc[:200]
    packed = score(frame, classifier, tokenizer=str(classifier_folder), progress=False)
    stock = Scorer(classifier, tokenizer=str(classifier_folder), engine="stock")(frame["text"])
    assert packed.provenance["engine"] == "packed"
    np.testing.assert_allclose(packed.log_probs, stock.log_probs, atol=1e-5, rtol=0)


def test_an_engine_that_is_off_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    model, tokenizer = tiny("bert")
    read = choose.PackedEngine.read

    def off(self: Any, tokens: Any, batch: np.ndarray) -> Any:
        return read(self, tokens, batch) + 2e-3 * (torch.arange(len(batch)) == len(batch) - 1)[:, None]

    monkeypatch.setattr(choose.PackedEngine, "read", off)
    found = Scorer(model, tokenizer=tokenizer)(TEXTS)
    assert found.provenance["engine"] == "stock"
    assert found.provenance["why_stock"] == "its self-check differs from the stock model by 2.0e-03"
    np.testing.assert_allclose(found.log_probs, plain_log_probs(model, tokenizer, TEXTS), atol=1e-5, rtol=0)


@pytest.mark.parametrize("spoilt", [RuntimeError("no such kernel"), torch.OutOfMemoryError("too much"), None])
def test_an_engine_that_fails_is_not_used(spoilt: Exception | None, monkeypatch: pytest.MonkeyPatch) -> None:
    model, tokenizer = tiny("bert")

    def fail(self: Any, tokens: Any, batch: np.ndarray) -> Any:
        if spoilt is not None:
            raise spoilt
        return torch.full((len(batch), 3), torch.nan)

    monkeypatch.setattr(choose.PackedEngine, "read", fail)
    found = Scorer(model, tokenizer=tokenizer)(TEXTS)
    assert found.provenance["engine"] == "stock"
    assert "self-check" in found.provenance["why_stock"]


def test_the_self_check_is_remembered_for_the_weights_and_lengths(
    banking_test: pd.DataFrame, classifier: Any, classifier_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[int] = []
    read = choose.StockEngine.read
    monkeypatch.setattr(
        choose.StockEngine, "read", lambda self, tokens, rows: checked.append(len(rows)) or read(self, tokens, rows)
    )
    texts = [text for text in banking_test["text"] if len(text) < 80][:300]
    scorer = Scorer(classifier, tokenizer=str(classifier_folder))
    scorer(texts)
    scorer(texts[:150])
    assert checked == [8] * 8
    scorer([*texts[:150], "card " * 60, "card " * 50])
    scorer([*texts[:150], "card " * 55])
    assert checked[8:] == [2]
    with torch.no_grad():
        classifier.classifier.bias[0] += 1e-6
    try:
        scorer(texts)
    finally:
        with torch.no_grad():
            classifier.classifier.bias[0] -= 1e-6
    assert checked[9:] == [8] * 8


def test_a_row_that_the_stock_model_reads_otherwise_in_company_is_compared_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    model, tokenizer = tiny("bert")
    read = choose.StockEngine.read

    def minds_company(self: Any, tokens: Any, batch: np.ndarray) -> Any:
        return read(self, tokens, batch) + 2e-3 * (len(batch) > 1)

    monkeypatch.setattr(choose.StockEngine, "read", minds_company)
    found = Scorer(model, tokenizer=tokenizer)(TEXTS)
    assert found.provenance["engine"] == "packed"
    np.testing.assert_allclose(found.log_probs, plain_log_probs(model, tokenizer, TEXTS), atol=1e-5, rtol=0)


def test_weights_that_memory_has_no_room_for_are_not_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "available_bytes", lambda device: 10)
    monkeypatch.setattr(choose, "bytes_needed", lambda model, dtype: 10**9)
    model, tokenizer = tiny("bert")
    found = Scorer(model, tokenizer=tokenizer)(TEXTS)
    assert found.provenance["why_stock"] == "a packed copy of the weights takes 1.0 GB of the 0.0 GB that are free"
