"""A model and a tokenizer that were handed in are, afterwards, exactly what they were."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import FAMILIES, TEXTS, plain_log_probs, tiny

from loss_widget.scoring import Scorer


def state_of(model: Any) -> dict[str, Any]:
    return {
        "config": model.config.to_dict(),
        "config object": id(model.config),
        "training": {name: module.training for name, module in model.named_modules()},
        "dtype": {name: p.dtype for name, p in model.named_parameters()},
        "device": {name: p.device for name, p in model.named_parameters()},
        "identity": {name: id(p) for name, p in model.named_parameters()},
        "requires_grad": {name: p.requires_grad for name, p in model.named_parameters()},
        "grad": {name: p.grad for name, p in model.named_parameters()},
        "problem_type": model.config.problem_type,
    }


@pytest.mark.parametrize("family", FAMILIES)
def test_config_mode_device_and_dtype_stay(family: str) -> None:
    model, tokenizer = tiny(family)
    model.train()
    next(iter(model.children())).eval()  # a mixed state must come back module by module
    next(iter(model.parameters())).requires_grad_(False)
    before = state_of(model)
    weights = {name: p.detach().clone() for name, p in model.named_parameters()}
    Scorer(model, tokenizer=tokenizer)(TEXTS)
    assert state_of(model) == before
    assert all(torch.equal(p, weights[name]) for name, p in model.named_parameters())


def test_training_can_go_on_afterwards() -> None:
    model, tokenizer = tiny("llama")
    Scorer(model, tokenizer=tokenizer)(TEXTS)
    encoded = tokenizer("the market fell", return_tensors="pt")
    model.train()(**encoded, labels=torch.tensor([1])).loss.backward()
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)


def test_the_tokenizer_stays() -> None:
    model, tokenizer = tiny("bert")
    tokenizer.backend_tokenizer.enable_truncation(7)
    tokenizer.backend_tokenizer.enable_padding(length=11)
    before = tokenizer.backend_tokenizer.truncation, tokenizer.backend_tokenizer.padding
    try:
        Scorer(model, tokenizer=tokenizer, max_length=5)(TEXTS)
        assert (tokenizer.backend_tokenizer.truncation, tokenizer.backend_tokenizer.padding) == before
    finally:
        tokenizer.backend_tokenizer.no_truncation()
        tokenizer.backend_tokenizer.no_padding()


def test_everything_is_put_back_after_an_error() -> None:
    model, tokenizer = tiny("gpt2")
    model.train()
    before = state_of(model)
    threads = torch.get_num_threads()

    def interrupt(rows: np.ndarray, log_probs: np.ndarray) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Scorer(model, tokenizer=tokenizer, threads=1)(TEXTS, on_rows=interrupt)
    assert state_of(model) == before
    assert torch.get_num_threads() == threads


def test_the_callers_gradient_mode_stays() -> None:
    model, tokenizer = tiny("bert")
    Scorer(model, tokenizer=tokenizer)(TEXTS)
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_weights_are_read_in_float32(dtype: torch.dtype) -> None:
    model, tokenizer = tiny("bert")
    halved = copy.deepcopy(model).to(dtype)
    before = state_of(halved)
    found = Scorer(halved, tokenizer=tokenizer)(TEXTS)
    plain = plain_log_probs(copy.deepcopy(halved).float(), tokenizer, TEXTS)
    np.testing.assert_allclose(found.log_probs, plain, atol=1e-5, rtol=0)
    assert found.log_probs.dtype == np.float32
    assert state_of(halved) == before


def test_autocast_around_the_call_is_not_used() -> None:
    model, tokenizer = tiny("bert")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = Scorer(model, tokenizer=tokenizer)(TEXTS)
    np.testing.assert_allclose(found.log_probs, plain_log_probs(model, tokenizer, TEXTS), atol=1e-5, rtol=0)


def test_a_scorer_can_be_sent_to_another_process() -> None:
    model, tokenizer = tiny("gpt2")
    scorer = Scorer(model, tokenizer=tokenizer, token_budget=64)
    again = pickle.loads(pickle.dumps(scorer))
    np.testing.assert_array_equal(again(TEXTS).log_probs, scorer(TEXTS).log_probs)
