"""Linear layers by oneDNN's private operators: equal where they are used, and not used where they are not trusted."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from packed_models import own_log_probs, packed_log_probs, random_model, random_rows

from loss_widget.scoring.engine.packed import PackedModel, linears

ROWS, _ = random_rows([40, 40, 22, 9, 3, 1])


@pytest.fixture
def prepacked(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a processor with AVX-512."""
    assert linears.signatures_are_known(), "torch changed oneDNN's private operators: look at them again"
    monkeypatch.setattr(linears, "onednn_is_faster", lambda: True)


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linears, "onednn_is_faster", lambda: False)


@pytest.mark.parametrize("kind", ["bert", "bert, ReLU", "electra", "modernbert", "mpnet", "qwen3", "gpt2"])
def test_prepacked_layers_say_what_the_model_says(kind: str, prepacked: None) -> None:
    model = random_model(kind)
    packed = PackedModel.of(model)
    assert packed.linears == "prepacked"
    torch.testing.assert_close(packed_log_probs(packed, ROWS), own_log_probs(model, ROWS), atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", ["bert", "gpt2"])
def test_plain_layers_say_what_the_model_says(kind: str, plain: None) -> None:
    model = random_model(kind)
    packed = PackedModel.of(model)
    assert packed.linears == "plain"
    torch.testing.assert_close(packed_log_probs(packed, ROWS), own_log_probs(model, ROWS), atol=1e-5, rtol=0)


def wrong(*arguments: Any) -> Any:
    return torch.ones((5, len(arguments[2])))


def raising(*arguments: Any) -> Any:
    raise RuntimeError("no such primitive")


@pytest.mark.parametrize("broken", [wrong, raising])
def test_an_operator_that_fails_its_test_is_not_used(broken: Any, prepacked: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linears, "_fused", broken)
    model = random_model("bert")
    packed = PackedModel.of(model)
    assert packed.linears == "plain"
    torch.testing.assert_close(packed_log_probs(packed, ROWS), own_log_probs(model, ROWS), atol=1e-5, rtol=0)


def test_signatures_are_looked_at_before_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linears, "_POINTWISE", linears._POINTWISE.replace("attr", "attribute"))
    assert not linears.signatures_are_known()
