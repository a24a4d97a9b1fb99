""" "exact" is float32 also of a model that accelerate or a Trainer prepared for half precision; what cannot be is told."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import transformers
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from tiny_models import LABELS, TEXTS, tiny

from loss_widget.scoring import Scorer, score
from loss_widget.scoring.engine.autocast import without_autocast
from loss_widget.scoring.loss_recorder import LossRecorder

DATA = pd.DataFrame({"text": TEXTS, "label": [LABELS[i % 3] for i in range(len(TEXTS))]})


@pytest.fixture(autouse=True)
def _no_accelerator_before() -> None:
    AcceleratorState._reset_state(reset_partial_state=True)


def plain() -> np.ndarray:
    model, tokenizer = tiny("bert")
    return Scorer(model, tokenizer=tokenizer)(TEXTS).log_probs


def prepared(model: Any) -> Any:
    return Accelerator(cpu=True, mixed_precision="bf16").prepare(model)


def prepared_twice(model: Any) -> Any:
    return prepared(prepared(model))


def prepared_over_a_patched_forward(model: Any) -> Any:
    own = model.forward

    @functools.wraps(own)
    def forward(*args: Any, **kwargs: Any) -> Any:
        return own(*args, **kwargs)

    model.forward = forward
    return prepared(model)


def an_autocast_around_one_layer(model: Any) -> Any:
    model.classifier.forward = torch.autocast("cpu", torch.bfloat16)(model.classifier.forward)
    return model


def trained(model: Any, *callbacks: Any, folder: Path | None = None) -> Any:
    _, tokenizer = tiny("bert")
    rows = [{**tokenizer(text), "labels": i % 3} for i, text in enumerate(TEXTS)]
    arguments = transformers.TrainingArguments(
        output_dir=str(folder or "unused"),
        bf16=True,
        learning_rate=0.0,
        max_steps=-1,
        num_train_epochs=1,
        use_cpu=True,
        save_strategy="no",
        logging_strategy="no",
        report_to=[],
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )
    collator = transformers.DataCollatorWithPadding(tokenizer)
    trainer = transformers.Trainer(model, arguments, collator, rows, processing_class=tokenizer, callbacks=list(callbacks))
    trainer.train()
    return trainer.model


PREPARED = [prepared, prepared_twice, prepared_over_a_patched_forward, an_autocast_around_one_layer]


@pytest.mark.parametrize("prepare", PREPARED)
def test_a_prepared_model_is_read_in_float32_and_left_prepared(prepare: Callable[[Any], Any]) -> None:
    model, tokenizer = tiny("bert")
    model = prepare(model)
    forwards = {name: vars(module).get("forward") for name, module in model.named_modules()}
    with torch.no_grad():
        before = model(**tokenizer("peace talks", return_tensors="pt")).logits
    found = Scorer(model, tokenizer=tokenizer)(TEXTS)
    np.testing.assert_allclose(found.log_probs, plain(), atol=1e-5)
    assert found.provenance["precision"] == "exact (float32)"
    assert {name: vars(module).get("forward") for name, module in model.named_modules()} == forwards
    with torch.no_grad():
        assert torch.equal(model(**tokenizer("peace talks", return_tensors="pt")).logits, before)


def test_half_weights_that_are_prepared_are_read_through_a_copy() -> None:
    model, tokenizer = tiny("bert")
    model.to(torch.bfloat16)
    halved = Scorer(copy.deepcopy(model), tokenizer=tokenizer)(TEXTS).log_probs
    found = Scorer(prepared(model), tokenizer=tokenizer)(TEXTS)
    np.testing.assert_allclose(found.log_probs, halved, atol=1e-5)
    assert "computed_in" not in found.provenance


def test_a_model_that_was_trained_in_bfloat16_is_judged_in_float32(tmp_path: Path) -> None:
    recorder = LossRecorder(DATA, progress=False)
    model = trained(tiny("bert")[0], recorder, folder=tmp_path)  # with a learning rate of 0
    losses = score(DATA, model, tokenizer=tiny("bert")[1], progress=False).losses
    expected = score(DATA, tiny("bert")[0], tokenizer=tiny("bert")[1], progress=False).losses
    np.testing.assert_allclose(losses, expected, atol=1e-5)
    np.testing.assert_allclose(recorder.losses[-1], expected, atol=1e-5)
    assert recorder.scores().provenance["precision"] == "exact (float32)"


def test_several_devices_get_a_model_without_it() -> None:
    model, tokenizer = tiny("bert")
    found = Scorer(prepared(model), tokenizer=tokenizer, device=["cpu", "cpu"], threads=2)(TEXTS)
    np.testing.assert_allclose(found.log_probs, plain(), atol=1e-5)


@pytest.mark.parametrize("where", ["the class", "a hook", "a closure over the half weights"])
def test_half_precision_that_cannot_be_taken_off_is_told(where: str) -> None:
    model, tokenizer = tiny("bert")
    if where == "the class":

        class Mixed(type(model)):  # type: ignore[misc]
            def forward(self, *args: Any, **kwargs: Any) -> Any:
                with torch.autocast("cpu", torch.bfloat16):
                    return super().forward(*args, **kwargs)

        model.__class__ = Mixed
    elif where == "a hook":
        dense = torch.nn.Linear(32, 32).bfloat16()
        model.bert.pooler.register_forward_hook(lambda module, given, pooled: dense(pooled.bfloat16()).float())
    else:
        own = model.to(torch.bfloat16).forward
        model.forward = lambda input_ids, attention_mask=None, token_type_ids=None: own(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        )
    with pytest.warns(UserWarning, match="computes in bfloat16 in its own code"):
        found = Scorer(model, tokenizer=tokenizer)(TEXTS)
    assert found.provenance["precision"] == "bfloat16: the model's own code computes in it"


def test_taking_it_off_is_undone_after_an_error() -> None:
    model = prepared(tiny("bert")[0])
    before = model.forward

    def interrupted() -> None:
        with without_autocast(model):
            assert "forward" not in vars(model)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert model.forward == before
