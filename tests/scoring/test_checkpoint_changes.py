"""Whatever changes a number of a pass, a checkpoint made without it is refused or done again: it is never mixed in."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from types import MethodType
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from tiny_models import PAIRS, TEXTS, tiny
from tokenizers import normalizers, processors
from torch import nn
from torch.nn.utils import parametrize

from loss_widget.errors import InputError
from loss_widget.scoring import Scorer

MANY = [f"{text} {i} {text}" for i in range(4) for text in TEXTS]


class Case:
    """A model and a tokenizer of the test's own, and what is around a call."""

    def __init__(self, family: str) -> None:
        model, tokenizer = tiny(family)
        self.model, self.tokenizer = model, copy.deepcopy(tokenizer)
        self.around: Callable[[], Any] = contextlib.nullcontext
        self.pairs: list[str] | None = None


# of the tokenizer


def truncation_side(case: Case) -> None:
    case.tokenizer.truncation_side = "left"


def cut_on_the_left_by_its_core(case: Case) -> None:
    case.tokenizer.backend_tokenizer.enable_truncation(20, direction="left")
    case.tokenizer.truncation_side = "left"


def shorter_texts(case: Case) -> None:
    case.tokenizer.model_max_length = 9


def case_matters(case: Case) -> None:
    case.tokenizer.backend_tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)


def letters_are_replaced(case: Case) -> None:
    case.tokenizer.backend_tokenizer.normalizer = normalizers.Replace("a", "e")


def other_tokens_around(case: Case) -> None:
    case.tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="[SEP] $A [CLS]", pair="[SEP] $A [CLS] $B:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )


def two_words_that_are_one_token(case: Case) -> None:
    case.tokenizer.add_tokens(["coach of"])
    case.model.resize_token_embeddings(len(case.tokenizer))


def segments_of_pairs(case: Case) -> None:
    case.tokenizer.model_input_names = ["input_ids", "attention_mask"]


def a_tokenizer_with_a_call_of_its_own(case: Case) -> None:
    class Shouting(type(case.tokenizer)):  # type: ignore[misc]
        def __call__(self, first: Any, second: Any = None, **options: Any) -> Any:
            return super().__call__([f"goals {text}" for text in first], second, **options)

    case.tokenizer.__class__ = Shouting


# of the model


def one_weight(case: Case) -> None:
    with torch.no_grad():
        case.model.classifier.bias[0] += 1e-3


def half_weights(case: Case) -> None:
    case.model.to(torch.bfloat16)


def a_hook(case: Case) -> None:
    case.model.classifier.register_forward_hook(lambda module, given, logits: logits + torch.tensor([0.01, 0.0, 0.0]))


def a_hook_before(case: Case) -> None:
    case.model.classifier.register_forward_pre_hook(lambda module, given: (given[0] * 1.01,))


def add(much: float) -> Callable[..., Any]:
    return lambda module, given, logits: logits * much


def the_inside_of_a_hook(case: Case) -> None:
    case.model.classifier._forward_hooks.clear()
    case.model.classifier.register_forward_hook(add(1.01))


def a_patched_forward(case: Case) -> None:
    def forward(self: Any, x: Any) -> Any:
        return type(self).forward(self, x) * 1.01

    case.model.classifier.forward = MethodType(forward, case.model.classifier)


def another_class(case: Case) -> None:
    class Louder(nn.Linear):
        def forward(self, x: Any) -> Any:
            return super().forward(x) * 1.01

    case.model.classifier.__class__ = Louder


def an_activation(case: Case) -> None:
    case.model.bert.encoder.layer[0].intermediate.intermediate_act_fn = nn.ReLU()


def a_number_in_a_norm(case: Case) -> None:
    case.model.bert.embeddings.LayerNorm.eps = 0.1


def a_number_in_attention(case: Case) -> None:
    for layer in case.model.bert.encoder.layer:
        layer.attention.self.scaling *= 1.5


def a_parametrization(case: Case) -> None:
    class Doubled(nn.Module):
        def forward(self, weight: Any) -> Any:
            return weight * 2

    parametrize.register_parametrization(case.model.classifier, "weight", Doubled())


class Adapter(nn.Module):
    """A LoRA in small: what it adds hangs on two plain attributes."""

    def __init__(self, inside: Any) -> None:
        super().__init__()
        self.inside = inside
        self.down, self.up = nn.Linear(32, 2, bias=False), nn.Linear(2, 3, bias=False)
        nn.init.constant_(self.down.weight, 0.05)
        nn.init.constant_(self.up.weight[:1], 0.5)
        self.on, self.scaling = True, {"default": 2.0}

    def forward(self, x: Any) -> Any:
        return self.inside(x) + (self.up(self.down(x)) * self.scaling["default"] if self.on else 0)


def an_adapter(case: Case) -> None:
    case.model.classifier = Adapter(case.model.classifier)


def an_adapter_switched_off(case: Case) -> None:
    case.model.classifier.on = False


def the_weight_of_an_adapter(case: Case) -> None:
    case.model.classifier.scaling["default"] = 4.0


def a_token_that_ends_texts(case: Case) -> None:
    case.model.config.pad_token_id = 70


def frequencies_of_positions(case: Case) -> None:
    case.model.model.rotary_emb.inv_freq *= 2


def autocast_in_its_own_code(case: Case) -> None:
    class Mixed(type(case.model)):  # type: ignore[misc]
        def forward(self, *args: Any, **kwargs: Any) -> Any:
            with torch.autocast("cpu", torch.bfloat16):
                return super().forward(*args, **kwargs)

    case.model.__class__ = Mixed


CHANGES: list[tuple[Callable[[Case], None], str, Callable[[Case], None] | None]] = [
    *(
        (change, "bert", None)
        for change in (
            truncation_side,
            cut_on_the_left_by_its_core,
            shorter_texts,
            case_matters,
            letters_are_replaced,
            other_tokens_around,
            two_words_that_are_one_token,
            segments_of_pairs,
            a_tokenizer_with_a_call_of_its_own,
            one_weight,
            half_weights,
            a_hook,
            a_hook_before,
            a_patched_forward,
            another_class,
            an_activation,
            a_number_in_a_norm,
            a_number_in_attention,
            a_parametrization,
            an_adapter,
            autocast_in_its_own_code,
        )
    ),
    (the_inside_of_a_hook, "bert", lambda case: case.model.classifier.register_forward_hook(add(1.1))),
    (an_adapter_switched_off, "bert", an_adapter),
    (the_weight_of_an_adapter, "bert", an_adapter),
    (a_token_that_ends_texts, "llama", None),
    (frequencies_of_positions, "llama", None),
]


@pytest.mark.filterwarnings("ignore:This model computes in bfloat16", "ignore:max_length=24")
@pytest.mark.parametrize("engine", ["auto", "stock"])
@pytest.mark.parametrize(("change", "family", "before"), CHANGES, ids=lambda value: getattr(value, "__name__", str(value)))
def test_what_changes_a_number_is_never_mixed(
    change: Callable[[Case], None], family: str, before: Callable[[Case], None] | None, engine: str, tmp_path: Path
) -> None:
    case = Case(family)
    case.pairs = [PAIRS[i % 8] for i in range(len(MANY))] if change is segments_of_pairs else None
    if before is not None:
        before(case)

    def log_probs(checkpoint: Path | None) -> np.ndarray:
        scorer = Scorer(case.model, tokenizer=case.tokenizer, max_length=24 if family == "bert" else None, engine=engine)
        return scorer(MANY, case.pairs, checkpoint=checkpoint).log_probs

    first = log_probs(tmp_path / "c")
    change(case)
    fresh = log_probs(None)
    assert np.abs(fresh - first).max() > 5e-4 or change is a_token_that_ends_texts
    kept = (tmp_path / "c").read_bytes()
    with pytest.raises(InputError, match=r"another value of.*delete the file"):
        log_probs(tmp_path / "c")
    assert (tmp_path / "c").read_bytes() == kept


# what changes no number


def another_padding_side(case: Case) -> None:
    case.tokenizer.padding_side = "left"


def a_chat_template(case: Case) -> None:
    case.tokenizer.chat_template = "{{ messages }}"


def settings_of_an_earlier_call(case: Case) -> None:
    case.tokenizer.backend_tokenizer.enable_truncation(3)
    case.tokenizer.backend_tokenizer.enable_padding(length=50)


def training_mode(case: Case) -> None:
    case.model.train()


def frozen_weights(case: Case) -> None:
    case.model.requires_grad_(False)


def dropout(case: Case) -> None:
    case.model.config.classifier_dropout = 0.7
    case.model.dropout.p = 0.7


def its_name(case: Case) -> None:
    case.model.config._name_or_path = "somewhere/else"
    case.model.config.architectures = ["BertForSequenceClassification"]


def another_attention(case: Case) -> None:
    case.model.set_attn_implementation("eager")


def an_autocast_around_the_call(case: Case) -> None:
    case.around = lambda: torch.autocast("cpu", torch.bfloat16)


def no_gradients_around_the_call(case: Case) -> None:
    case.around = torch.inference_mode


@pytest.fixture(autouse=True)
def _no_accelerator_around() -> Iterator[None]:
    """accelerate keeps one precision a process: that of a Trainer of an earlier test, and ours for later ones."""
    AcceleratorState._reset_state(reset_partial_state=True)
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


def prepared_by_accelerate(case: Case) -> None:

    case.model = Accelerator(cpu=True, mixed_precision="bf16").prepare(case.model)


def copied(case: Case) -> None:
    case.model, case.tokenizer = copy.deepcopy(case.model), copy.deepcopy(case.tokenizer)


@pytest.mark.parametrize(
    "change",
    [
        another_padding_side,
        a_chat_template,
        settings_of_an_earlier_call,
        training_mode,
        frozen_weights,
        dropout,
        its_name,
        another_attention,
        an_autocast_around_the_call,
        no_gradients_around_the_call,
        prepared_by_accelerate,
        copied,
    ],
)
def test_what_changes_no_number_is_no_other_run(change: Callable[[Case], None], tmp_path: Path) -> None:
    case = Case("bert")
    first = Scorer(case.model, tokenizer=case.tokenizer)(MANY, checkpoint=tmp_path / "c")
    change(case)
    with case.around():
        again = Scorer(case.model, tokenizer=case.tokenizer)(MANY, checkpoint=tmp_path / "c")
    assert again.provenance["resumed_rows"] == len(MANY)
    np.testing.assert_array_equal(again.log_probs, first.log_probs)
