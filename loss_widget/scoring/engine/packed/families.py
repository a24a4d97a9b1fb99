"""Which models can be read packed: the class of a transformers classifier or encoder → its anatomy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from loss_widget.scoring.engine.packed import decoders, encoders, modules
from loss_widget.scoring.engine.packed.anatomy import Anatomy, Head, NotPacked


@dataclass(frozen=True)
class Family:
    """How the models of one kind are read: the attribute `body` of a classifier is what `<name>Model` is alone.

    `ignores_padding_at_end`: whether the classifier's head skips padding tokens at the end of a row.
    """

    body: str
    encoder: Callable[[Any, Any], Anatomy]
    head: Callable[[Any], Head]
    ignores_padding_at_end: bool = False


_LLAMA = Family("model", decoders.llama, decoders.score_head, ignores_padding_at_end=True)
FAMILIES: dict[str, Family] = {
    "Bert": Family("bert", encoders.bert, encoders.bert_head),
    "Roberta": Family("roberta", encoders.roberta, encoders.tanh_head),
    "XLMRoberta": Family("roberta", encoders.roberta, encoders.tanh_head),
    "Camembert": Family("roberta", encoders.roberta, encoders.tanh_head),
    "Electra": Family("electra", encoders.bert, encoders.electra_head),
    "MPNet": Family("mpnet", encoders.mpnet, encoders.tanh_head),
    "DistilBert": Family("distilbert", encoders.distilbert, encoders.distilbert_head),
    "ModernBert": Family("model", encoders.modernbert, encoders.modernbert_head),
    "Llama": _LLAMA,
    "Mistral": _LLAMA,
    "Qwen2": _LLAMA,
    "Qwen3": _LLAMA,
    "GPT2": Family("transformer", decoders.gpt2, decoders.score_head, ignores_padding_at_end=True),
}
_CLASSIFIER, _ENCODER = "ForSequenceClassification", "Model"


def anatomy_of(model: Any) -> Anatomy:
    """The anatomy of a transformers classifier, or of an encoder that the mean of all positions is read from.

    `NotPacked` with the reason where it is not wholly understood.
    """
    name = type(model).__name__
    headless = not name.endswith(_CLASSIFIER)
    family = FAMILIES.get(name.removesuffix(_ENCODER if headless else _CLASSIFIER))
    if family is None or not type(model).__module__.startswith("transformers.models."):
        raise NotPacked(f"{name} is no family that the packed engine knows")
    modules.check_untouched(model)
    try:
        anatomy = family.encoder(model.config, model if headless else getattr(model, family.body))
        if headless:
            anatomy = replace(anatomy, reads="mean")
        else:
            ignored = decoders.ignored_at_end(model.config) if family.ignores_padding_at_end else None
            anatomy = replace(anatomy, head=family.head(model), ignored_at_end=ignored)
    except (AttributeError, KeyError, IndexError, TypeError) as error:
        raise NotPacked(f"{name} is not built as expected ({error})") from error
    _check_shapes(anatomy, labels=None if headless else int(model.config.num_labels))
    return anatomy


def _check_shapes(anatomy: Anatomy, *, labels: int | None) -> None:
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
    if anatomy.head is not None and anatomy.head.labels.outputs != labels:
        raise NotPacked(f"its head has {anatomy.head.labels.outputs} outputs for {labels} labels")
