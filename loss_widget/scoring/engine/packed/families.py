"""Which models can be read packed: the class of a transformers model → the reader of its anatomy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from loss_widget.scoring.engine.packed import decoders, encoders, modules
from loss_widget.scoring.engine.packed.anatomy import Anatomy, NotPacked

FAMILIES: dict[str, Callable[[Any], Anatomy]] = {
    "BertForSequenceClassification": encoders.bert,
    "RobertaForSequenceClassification": encoders.roberta,
    "XLMRobertaForSequenceClassification": encoders.roberta,
    "CamembertForSequenceClassification": encoders.roberta,
    "ElectraForSequenceClassification": encoders.electra,
    "MPNetForSequenceClassification": encoders.mpnet,
    "DistilBertForSequenceClassification": encoders.distilbert,
    "ModernBertForSequenceClassification": encoders.modernbert,
    "LlamaForSequenceClassification": decoders.llama,
    "MistralForSequenceClassification": decoders.llama,
    "Qwen2ForSequenceClassification": decoders.llama,
    "Qwen3ForSequenceClassification": decoders.llama,
    "GPT2ForSequenceClassification": decoders.gpt2,
}


def anatomy_of(model: Any) -> Anatomy:
    """The anatomy of a transformers classifier; `NotPacked` with the reason where it is not wholly understood."""
    name = type(model).__name__
    if name not in FAMILIES or not type(model).__module__.startswith("transformers.models."):
        raise NotPacked(f"{name} is no family that the packed engine knows")
    modules.check_untouched(model)
    try:
        anatomy = FAMILIES[name](model)
    except (AttributeError, KeyError, IndexError, TypeError) as error:
        raise NotPacked(f"{name} is not built as expected ({error})") from error
    _check_shapes(anatomy, labels=int(model.config.num_labels))
    return anatomy


def _check_shapes(anatomy: Anatomy, *, labels: int) -> None:
    """Pruned heads, resized layers and heads for another number of labels would be read wrongly."""
    wide, narrow = anatomy.heads * anatomy.head_width, anatomy.key_heads * anatomy.head_width
    width = anatomy.blocks[0].qkv.inputs
    gates = 2 if anatomy.gated else 1
    for block in anatomy.blocks:
        found = (
            tuple(block.qkv.part(i).outputs for i in range(3)),
            (block.qkv.inputs, block.out.inputs, block.out.outputs),
            (block.up.inputs, block.up.outputs, block.down.outputs),
        )
        expected = ((wide, narrow, narrow), (width, wide, width), (width, gates * block.down.inputs, width))
        if found != expected:
            raise NotPacked("its layers have shapes that its config does not say")
        if block.rotary is not None and 2 * len(block.rotary.frequencies) != anatomy.head_width:
            raise NotPacked("its rotary positions turn a part of each head only")
    if anatomy.head.labels.outputs != labels:
        raise NotPacked(f"its head has {anatomy.head.labels.outputs} outputs for {labels} labels")
