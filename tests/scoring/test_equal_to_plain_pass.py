"""The numbers are those of a plain pass row by row, in float32, whatever the architecture, the batches and the texts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_models import FAMILIES, PAIR_FAMILIES, PAIRS, TEXTS, plain_log_probs, tiny

from loss_widget.scoring import Scorer

CLOSE = 1e-5


@pytest.mark.parametrize("family", FAMILIES)
def test_log_probabilities_equal_a_plain_pass(family: str) -> None:
    model, tokenizer = tiny(family)
    found = Scorer(model, tokenizer=tokenizer, engine="stock")(TEXTS)
    assert found.provenance["batching"] == "padded"
    np.testing.assert_allclose(found.log_probs, plain_log_probs(model, tokenizer, TEXTS), atol=CLOSE, rtol=0)


@pytest.mark.parametrize("engine", ["auto", "stock"])
@pytest.mark.parametrize("family", PAIR_FAMILIES)
def test_log_probabilities_of_pairs_equal_a_plain_pass(family: str, engine: str) -> None:
    model, tokenizer = tiny(family)
    found = Scorer(model, tokenizer=tokenizer, engine=engine)(TEXTS, PAIRS)
    np.testing.assert_allclose(found.log_probs, plain_log_probs(model, tokenizer, TEXTS, PAIRS), atol=CLOSE, rtol=0)


@pytest.mark.parametrize("family", ["bert", "roberta", "gpt2"])
@pytest.mark.parametrize("token_budget", [1, 40, 100_000])
def test_the_size_of_the_batches_does_not_matter(family: str, token_budget: int) -> None:
    model, tokenizer = tiny(family)
    found = Scorer(model, tokenizer=tokenizer, token_budget=token_budget)(TEXTS)
    np.testing.assert_allclose(found.log_probs, plain_log_probs(model, tokenizer, TEXTS), atol=CLOSE, rtol=0)


def test_every_row_of_probabilities_sums_to_1() -> None:
    for family in FAMILIES:
        model, tokenizer = tiny(family)
        probs = np.exp(Scorer(model, tokenizer=tokenizer)(TEXTS).log_probs)
        np.testing.assert_allclose(probs.sum(axis=1), 1.0, atol=1e-5)


def test_truncated_texts_are_read_up_to_the_limit() -> None:
    for family in ("bert", "roberta", "gpt2"):
        model, tokenizer = tiny(family)
        found = Scorer(model, tokenizer=tokenizer, max_length=9)(TEXTS)
        plain = plain_log_probs(model, tokenizer, TEXTS, max_length=9)
        np.testing.assert_allclose(found.log_probs, plain, atol=CLOSE, rtol=0)
        assert found.tokens.max() == 9
        assert found.truncated[1]


def test_a_decoder_whose_padding_token_is_also_text_reads_the_right_position() -> None:
    model, tokenizer = tiny("gpt2", pad_token_id=0)  # the common `pad_token = eos_token`
    texts = ["goals", "goals<|endoftext|>", "the market fell after the match", "<|endoftext|>oil"]
    found = Scorer(model, tokenizer=tokenizer)(texts)
    np.testing.assert_allclose(found.log_probs, plain_log_probs(model, tokenizer, texts), atol=CLOSE, rtol=0)


def test_a_tokenizer_that_pads_on_the_left_changes_nothing() -> None:
    for family in ("bert", "gpt2"):
        model, tokenizer = tiny(family)
        plain = plain_log_probs(model, tokenizer, TEXTS)
        before = tokenizer.padding_side
        tokenizer.padding_side = "left"
        try:
            found = Scorer(model, tokenizer=tokenizer)(TEXTS)
        finally:
            tokenizer.padding_side = before
        np.testing.assert_allclose(found.log_probs, plain, atol=CLOSE, rtol=0)


ANY_TEXT = st.text(st.one_of(st.characters(), st.sampled_from("aб文ש🎉\u200f\x00\n\ud800\udfff [UNK]<s></s>")), max_size=60)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ANY_TEXT, min_size=1, max_size=12), st.integers(1, 200), st.sampled_from(["bert", "roberta", "gpt2"]))
def test_any_texts_in_any_batches(texts: list[str], token_budget: int, family: str) -> None:
    model, tokenizer = tiny(family)
    found = Scorer(model, tokenizer=tokenizer, token_budget=token_budget)(texts)
    writable = [text.encode("utf-8", "replace").decode() for text in texts]
    np.testing.assert_allclose(found.log_probs, plain_log_probs(model, tokenizer, writable), atol=2 * CLOSE, rtol=0)


@settings(max_examples=25)
@given(st.permutations(range(len(TEXTS))))
def test_any_order_of_the_rows(order: list[int]) -> None:
    model, tokenizer = tiny("bert")
    scorer = Scorer(model, tokenizer=tokenizer)
    in_order = scorer(TEXTS).log_probs
    shuffled = scorer([TEXTS[i] for i in order]).log_probs
    np.testing.assert_allclose(shuffled, in_order[order], atol=CLOSE, rtol=0)
