"""A notebook that asked torch for faster float32 products gets exact losses nevertheless, and keeps its setting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import TEXTS, tiny

from loss_widget.scoring import Scorer
from loss_widget.scoring.engine.float32 import insist, whole_float32

BACKENDS = (
    torch.backends,
    torch.backends.mkldnn,
    torch.backends.cuda.matmul,
    torch.backends.mkldnn.matmul,
    torch.backends.cudnn.conv,
    torch.backends.mkldnn.conv,
)


WAYS: dict[str, Callable[[], None]] = {
    "medium": lambda: torch.set_float32_matmul_precision("medium"),
    "high": lambda: torch.set_float32_matmul_precision("high"),
    "allow_tf32": lambda: setattr(torch.backends.cuda.matmul, "allow_tf32", True),
    "products of the CPU": lambda: setattr(torch.backends.mkldnn.matmul, "fp32_precision", "bf16"),
    "everything": lambda: setattr(torch.backends, "fp32_precision", "bf16"),
}


@pytest.fixture(autouse=True)
def torch_as_it_was() -> Iterator[None]:
    before = [backend.fp32_precision for backend in BACKENDS]
    convolutions = torch.backends.cudnn.allow_tf32
    yield
    torch.set_float32_matmul_precision("highest")
    torch.backends.fp32_precision = "none"
    torch.backends.cudnn.allow_tf32 = convolutions
    for backend, value in zip(BACKENDS, before, strict=True):
        backend.fp32_precision = value


def settings() -> list[Any]:
    def read(get: Callable[[], Any]) -> Any:
        try:
            return get()
        except RuntimeError:  # older and newer settings were mixed
            return "mixed"

    return [
        read(torch.get_float32_matmul_precision),
        read(lambda: torch.backends.cuda.matmul.allow_tf32),
        read(lambda: torch.backends.cudnn.allow_tf32),
        *(backend.fp32_precision for backend in BACKENDS),
    ]


def is_whole() -> bool:
    products, *_ = now = settings()
    return products == "highest" and all(value in ("highest", "mixed", "ieee", "none", False) for value in now)


@pytest.mark.parametrize("engine", ["stock", "packed"])
@pytest.mark.parametrize("way", WAYS)
def test_every_batch_is_read_in_whole_float32_and_the_setting_stays(way: str, engine: str) -> None:
    model, tokenizer = tiny("bert")
    exact = Scorer(model, tokenizer=tokenizer, engine=engine)(TEXTS).log_probs
    WAYS[way]()
    before = settings()
    assert not is_whole()
    seen = []
    found = Scorer(model, tokenizer=tokenizer, engine=engine)(TEXTS, on_rows=lambda rows, values: seen.append(is_whole()))
    assert seen
    assert all(seen)
    assert settings() == before
    np.testing.assert_array_equal(found.log_probs, exact)


def test_a_setting_that_another_cell_changes_meanwhile_waits_for_the_end() -> None:
    with whole_float32():
        torch.set_float32_matmul_precision("medium")
        insist()
        assert is_whole()
    assert torch.get_float32_matmul_precision() == "medium"


def test_the_first_of_two_readers_to_end_leaves_it_whole_for_the_other() -> None:
    torch.set_float32_matmul_precision("high")
    before = settings()
    first, second = whole_float32(), whole_float32()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert is_whole()
    second.__exit__(None, None, None)
    assert settings() == before


def test_outside_of_a_pass_nobody_insists() -> None:
    torch.set_float32_matmul_precision("medium")
    insist()
    assert torch.get_float32_matmul_precision() == "medium"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.gpu
def test_tf32_does_not_round_losses_on_a_gpu() -> None:
    model, tokenizer = tiny("bert")
    exact = Scorer(model, tokenizer=tokenizer)(TEXTS).log_probs
    torch.set_float32_matmul_precision("high")
    found = Scorer(model, tokenizer=tokenizer, device="cuda")(TEXTS).log_probs
    np.testing.assert_allclose(found, exact, atol=1e-4)
