"""What the packed engine does not wholly understand it refuses, with the reason in words."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers
from packed_models import random_model
from tiny_models import tiny

from loss_widget.scoring.engine.packed import NotPacked, PackedModel


def reason(model: Any) -> str:
    with pytest.raises(NotPacked) as refused:
        PackedModel.of(model)
    return str(refused.value)


@pytest.mark.parametrize("family", ["deberta", "albert", "xlnet", "bart"])
def test_other_architectures(family: str) -> None:
    model, _ = tiny(family)
    assert reason(model) == f"{type(model).__name__} is no family that the packed engine knows"


def test_other_heads_and_subclasses() -> None:
    class BertForSequenceClassification(transformers.BertForSequenceClassification):
        pass

    config = random_model("bert").config
    assert "no family" in reason(transformers.BertForTokenClassification(config))
    assert "no family" in reason(BertForSequenceClassification(config))


@pytest.mark.parametrize(
    ("kind", "config", "words"),
    [
        ("bert", {"hidden_act": "quick_gelu"}, "activation is QuickGELUActivation"),
        ("bert", {"chunk_size_feed_forward": 8}, "chunk_size_feed_forward=8"),
        ("bert", {"is_decoder": True}, "is_decoder=True"),
        ("bert", {"is_decoder": True, "add_cross_attention": True}, "is_decoder=True"),
        ("bert", {"position_embedding_type": "relative_key"}, "position_embedding_type='relative_key'"),
        ("distilbert", {"activation": "mish"}, "activation is MishActivation"),
        ("gpt2", {"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx=True"),
        ("gpt2", {"scale_attn_weights": False}, "scale_attn_weights=False"),
        ("llama", {"rope_parameters": {"rope_type": "dynamic", "rope_theta": 1e4, "factor": 2.0}}, "scaled (dynamic)"),
        ("qwen2", {"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4, "factor": 2.0}}, "scaled (yarn)"),
    ],
)
def test_configs_that_compute_something_else(kind: str, config: dict[str, Any], words: str) -> None:
    assert words in reason(random_model(kind, **config))


def test_a_hook_or_a_forward_method_put_on_a_module() -> None:
    model = random_model("bert")
    handle = model.bert.encoder.layer[1].output.register_forward_hook(lambda module, inputs, output: output * 2)
    assert reason(model) == "bert.encoder.layer.1.output has forward hooks"
    handle.remove()
    PackedModel.of(model)
    model.bert.pooler.forward = lambda hidden: hidden[:, 1]
    assert reason(model) == "bert.pooler has a forward method of its own"


def test_the_hooks_that_transformers_leaves_behind_do_no_harm() -> None:
    model = random_model("bert")
    with torch.no_grad():
        model(input_ids=torch.tensor([[3, 4]]), output_hidden_states=True, output_attentions=False)
    PackedModel.of(model)


def test_layers_that_are_no_plain_ones() -> None:
    class Scaled(torch.nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return 2 * super().forward(x)

    model = random_model("bert")
    model.bert.encoder.layer[0].attention.self.query = Scaled(30, 30)
    assert "class from outside torch and transformers: Scaled" in reason(model)

    model = random_model("bert")
    torch.nn.utils.parametrizations.orthogonal(model.bert.encoder.layer[0].attention.self.query)
    assert "ParametrizedLinear where a plain linear layer is expected" in reason(model)

    model = random_model("roberta")
    model.roberta.encoder.layer[0].output.LayerNorm = torch.nn.Identity()
    assert "Identity where a plain norm is expected" in reason(model)


def test_layers_and_heads_of_other_sizes() -> None:
    model = random_model("bert")
    own = model.bert.encoder.layer[1].attention.self
    own.query, own.key, own.value = (torch.nn.Linear(30, 20) for _ in range(3))  # as pruned heads leave it
    assert "shapes that its config does not say" in reason(model)

    model = random_model("roberta")
    model.classifier.out_proj = torch.nn.Linear(30, 7)
    assert reason(model) == "its head has 7 outputs for 5 labels"

    model = random_model("bert")
    model.bert.pooler = None
    assert "is not built as expected" in reason(model)


def test_weights_of_several_types() -> None:
    model = random_model("bert")
    model.classifier.bfloat16()
    assert "several devices or types" in reason(model)
