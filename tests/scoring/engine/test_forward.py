"""The pass goes on where memory, numbers or a head are difficult, and says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import TEXTS, plain_log_probs, tiny

from loss_widget.errors import ModelError
from loss_widget.scoring import Scorer
from loss_widget.scoring.engine import choose


def watched(model: Any, act: Callable[[torch.Tensor, torch.Tensor], torch.Tensor | None]) -> None:
    """Let `act(input_ids, logits)` change the logits of every batch, or raise."""
    original = model.forward

    def forward(input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: Any = None) -> Any:
        output = original(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)
        changed = act(input_ids, output.logits)
        output.logits = output.logits if changed is None else changed
        return output

    model.forward = forward


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        torch.OutOfMemoryError("too much"),
        MemoryError(),
    ],
)
def test_out_of_memory_halves_the_batch_and_goes_on(error: Exception) -> None:
    model, tokenizer = tiny("bert")
    plain = plain_log_probs(model, tokenizer, TEXTS)

    def too_many(input_ids: torch.Tensor, logits: torch.Tensor) -> None:
        if len(input_ids) > 3:
            raise error

    watched(model, too_many)
    found = Scorer(model, tokenizer=tokenizer, engine="stock")(TEXTS)
    np.testing.assert_allclose(found.log_probs, plain, atol=1e-5, rtol=0)
    assert found.provenance["engine"] == "stock"
    assert found.provenance["out_of_memory"] >= 1
    assert found.provenance["token_budget"] < 2048


def test_out_of_memory_halves_the_packed_batch_too(monkeypatch: pytest.MonkeyPatch) -> None:
    model, tokenizer = tiny("bert")
    texts = TEXTS * 3
    read, sizes = choose.PackedEngine.read, []

    def too_many(self: Any, tokens: Any, batch: np.ndarray) -> Any:
        sizes.append(len(batch))
        if len(batch) > 8:  # the self-check reads eight at a time
            raise torch.OutOfMemoryError("too much")
        return read(self, tokens, batch)

    monkeypatch.setattr(choose, "_checked", {})
    monkeypatch.setattr(choose.PackedEngine, "read", too_many)
    found = Scorer(model, tokenizer=tokenizer)(texts)
    np.testing.assert_allclose(found.log_probs, plain_log_probs(model, tokenizer, texts), atol=1e-5, rtol=0)
    assert found.provenance["engine"] == "packed"
    assert found.provenance["out_of_memory"] == sum(size > 8 for size in sizes) >= 1


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
@pytest.mark.parametrize("engine", ["stock", "packed"])
def test_a_gpu_that_is_full_halves_the_batch_and_goes_on(engine: str) -> None:
    """All but 1 GiB of the device are taken; a batch of 2,000 rows of 128 tokens needs far more."""
    model, tokenizer = tiny("bert", hidden_size=512, intermediate_size=8_192, max_position_embeddings=512)
    texts = [f"{TEXTS[1]} " * 40] * 2_000
    reader = {"tokenizer": tokenizer, "max_length": 128, "device": "cuda", "engine": engine}
    plain = Scorer(model, **reader, token_budget=1_024)(texts[:8])
    torch.cuda.empty_cache()
    free, _ = torch.cuda.mem_get_info()
    taken = torch.empty(free - 2**30, dtype=torch.uint8, device="cuda")
    try:
        found = Scorer(model, **reader, token_budget=128 * len(texts))(texts)
    finally:
        del taken
        torch.cuda.empty_cache()
    assert found.provenance["out_of_memory"] >= 1
    np.testing.assert_allclose(found.log_probs, np.repeat(plain.log_probs[:1], len(texts), axis=0), atol=1e-4, rtol=0)


def test_one_row_that_does_not_fit_is_told_with_its_length() -> None:
    model, tokenizer = tiny("bert")

    def never(input_ids: torch.Tensor, logits: torch.Tensor) -> None:
        raise torch.OutOfMemoryError("too much")

    watched(model, never)
    with pytest.raises(ModelError, match=r"room for one row of 45 tokens.*max_length"):
        Scorer(model, tokenizer=tokenizer)(TEXTS)


def test_rows_that_are_not_finite_are_read_again_alone() -> None:
    model, tokenizer = tiny("bert")
    plain = plain_log_probs(model, tokenizer, TEXTS)

    def in_company(input_ids: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        return logits if len(input_ids) == 1 else torch.where(torch.arange(len(logits))[:, None] % 2 == 0, torch.nan, logits)

    watched(model, in_company)
    found = Scorer(model, tokenizer=tokenizer)(TEXTS)
    np.testing.assert_allclose(found.log_probs, plain, atol=1e-5, rtol=0)
    assert not found.notes


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_rows_that_stay_not_finite_get_no_answer_and_a_note(value: float) -> None:
    model, tokenizer = tiny("bert")
    plain = plain_log_probs(model, tokenizer, TEXTS)
    goals = tokenizer.convert_tokens_to_ids("oil")

    def some(input_ids: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        spoilt = logits.clone()
        spoilt[(input_ids == goals).any(dim=1), 0] = value
        return spoilt

    watched(model, some)
    found = Scorer(model, tokenizer=tokenizer)(TEXTS)
    bad = [i for i, text in enumerate(TEXTS) if "oil" in text]
    assert np.isnan(found.log_probs[bad]).all()
    good = [i for i in range(len(TEXTS)) if i not in bad]
    np.testing.assert_allclose(found.log_probs[good], plain[good], atol=1e-5, rtol=0)
    assert list(found.notes) == bad
    assert "no finite answer" in found.notes[bad[0]]


def test_a_head_that_minds_its_padding_is_batched_by_length() -> None:
    model, tokenizer = tiny("bert")
    sizes: list[int] = []
    watched(model, lambda ids, logits: logits + torch.arange(3) * float((ids == 0).sum()))
    texts = [*TEXTS, "goals", "oil", "trade"]
    found = Scorer(model, tokenizer=tokenizer)(texts, on_rows=lambda rows, _: sizes.append(len(rows)))
    assert found.provenance["batching"] == "equal lengths"
    assert max(sizes) > 1
    np.testing.assert_allclose(found.log_probs, plain_log_probs(model, tokenizer, texts), atol=1e-5, rtol=0)


def test_a_head_that_minds_its_neighbours_is_read_row_by_row() -> None:
    model, tokenizer = tiny("bert")
    watched(model, lambda ids, logits: logits + torch.arange(3) * float(len(ids)))
    texts = [*TEXTS, "goals", "oil", "trade"]
    found = Scorer(model, tokenizer=tokenizer)(texts)
    assert found.provenance["batching"] == "one by one"
    np.testing.assert_allclose(found.log_probs, plain_log_probs(model, tokenizer, texts), atol=1e-5, rtol=0)


def test_a_batch_that_fails_is_read_row_by_row() -> None:
    model, tokenizer = tiny("bert")
    plain = plain_log_probs(model, tokenizer, TEXTS)

    def refuse(input_ids: torch.Tensor, logits: torch.Tensor) -> None:
        if len(input_ids) == len(TEXTS) and input_ids.shape[1] > 20:
            raise ValueError("All examples must have the same number of <eos> tokens.")

    watched(model, refuse)
    found = Scorer(model, tokenizer=tokenizer)(TEXTS)
    np.testing.assert_allclose(found.log_probs, plain, atol=1e-5, rtol=0)


def test_a_row_that_the_model_cannot_read_is_named() -> None:
    model, tokenizer = tiny("bert")

    def refuse(input_ids: torch.Tensor, logits: torch.Tensor) -> None:
        raise IndexError("index out of range in self")

    watched(model, refuse)
    with pytest.raises(ModelError, match=r"read row \d .*IndexError: index out of range"):
        Scorer(model, tokenizer=tokenizer)(TEXTS)


def test_outputs_that_are_not_one_row_each_are_refused() -> None:
    model, tokenizer = tiny("bert")
    watched(model, lambda ids, logits: logits[:, None, :].expand(-1, ids.shape[1], -1))
    with pytest.raises(ModelError, match=r"logits of shape \(batch, labels\).*found \(4, 5, 3\)"):
        Scorer(model, tokenizer=tokenizer)(TEXTS)


def test_more_outputs_than_names_are_refused() -> None:
    model, tokenizer = tiny("bert")
    watched(model, lambda ids, logits: torch.cat([logits, logits], dim=1))
    with pytest.raises(ModelError, match=r"3 outputs, one for each name in `config.id2label`, found 6"):
        Scorer(model, tokenizer=tokenizer)(TEXTS)


def test_the_longest_rows_come_first() -> None:
    model, tokenizer = tiny("bert")
    seen: list[int] = []
    found = Scorer(model, tokenizer=tokenizer, token_budget=40)(TEXTS, on_rows=lambda rows, _: seen.extend(rows.tolist()))
    lengths = found.tokens[seen]
    assert (np.diff(lengths) <= 0).all()
    assert sorted(seen) == list(range(len(TEXTS)))
