"""cross_score(train="full"): for each fold a classifier that learned from the others, by a real Trainer."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from easy_texts import easy
from tiny_models import PAIRS, TEXTS, tiny

from loss_widget.errors import InputError, ModelError
from loss_widget.scores.scores import Scores
from loss_widget.scoring import cross_score

QUICK = {"train": "full", "folds": 2, "epochs": 8, "learning_rate": 5e-3, "batch_size": 8, "progress": False}


def judged(data: Any, family: str = "bert", **more: Any) -> Scores:
    model, tokenizer = tiny(family)
    return cross_score(data, model, tokenizer=tokenizer, **{**QUICK, **more})


@pytest.fixture(scope="module")
def noisy() -> pd.DataFrame:
    frame = easy(120)
    frame.loc[[10, 33], "label"] = ["sport", "money"]
    return frame


@pytest.fixture(scope="module")
def scores(noisy: pd.DataFrame) -> Scores:
    return judged(noisy)


def test_wrong_labels_come_to_the_top_and_the_provenance_says_how(scores: Scores) -> None:
    assert set(scores.top(2).index) == {10, 33}
    expected = {"engine": "full", "in_sample": False, "folds": 2, "epochs": 8, "learning_rate": 5e-3, "batch_size": 8}
    assert {name: scores.provenance[name] for name in expected} == expected
    assert (scores.frame["tokens"] > 5).all()


def test_the_same_call_gives_the_same_numbers(noisy: pd.DataFrame, scores: Scores) -> None:
    np.testing.assert_array_equal(judged(noisy).log_probs, scores.log_probs)


def test_no_row_is_judged_by_a_classifier_that_saw_it() -> None:
    """Random labels can only be learned by heart."""
    frame = easy(80).assign(label=np.random.default_rng(3).permutation(["money", "sport"] * 40))
    assert 0.25 < judged(frame).provenance["accuracy"] < 0.75


def test_model_and_random_numbers_stay_as_they_are() -> None:
    model, tokenizer = tiny("bert")
    weights = {name: p.detach().clone() for name, p in model.named_parameters()}
    config = model.config.to_dict()
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    cross_score(easy(20), model.train(), tokenizer=tokenizer, **{**QUICK, "epochs": 1})
    assert (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()) == states
    assert all(torch.equal(p, weights[name]) for name, p in model.named_parameters())
    assert model.config.to_dict() == config
    assert model.training


def test_a_head_that_the_model_has_is_not_used() -> None:
    model, tokenizer = tiny("bert")
    with torch.no_grad():
        model.classifier.weight.fill_(torch.nan)
    scores = cross_score(easy(20), model, tokenizer=tokenizer, **{**QUICK, "epochs": 1})
    assert np.isfinite(scores.log_probs).all()


@pytest.mark.parametrize("family", ["roberta", "gpt2", "bart"])
def test_other_families(family: str) -> None:
    scores = judged(easy(20), family, epochs=1)
    assert np.isfinite(scores.losses).all()
    assert scores.label_names == ["money", "sport"]


def test_pairs_and_rows_without_a_label() -> None:
    frame = pd.DataFrame({"a": TEXTS * 2, "b": PAIRS * 2, "label": ["x", "y"] * 7 + [None, "y"]})
    scores = judged(frame, text=("a", "b"), epochs=1)
    assert np.isfinite(scores.log_probs).all()
    assert np.isnan(scores.losses[14])


def test_bad_arguments_are_refused() -> None:
    for name, value in (("epochs", 0), ("batch_size", 2.5), ("learning_rate", 0)):
        with pytest.raises(InputError, match=f"Expected {name} "):
            judged(easy(20), **{name: value})
    model, tokenizer = tiny("bert")
    with pytest.raises(ModelError, match="Expected the weights of its encoder in the model"):
        cross_score(easy(20), model.bert.encoder, tokenizer=tokenizer, **QUICK)
