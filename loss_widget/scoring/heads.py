"""What a model's head means: one label a row or a set of them; everything else is refused in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loss_widget.data.label_space import AlignedLabels, GivenLabels
from loss_widget.errors import ModelError
from loss_widget.scoring.no_model import check_is_model

SUPPORTED = (
    "`lw.score` judges sequence classifiers, of one label a row or of several; `lw.cross_score` needs an encoder only; "
    "`lw.Scores.from_probs` takes probabilities from anywhere."
)

_OTHER_HEADS = {
    "ForTokenClassification": "a token classifier",
    "ForQuestionAnswering": "a question-answering model",
    "ForMultipleChoice": "a multiple-choice model",
    "ForCausalLM": "a language model",
    "LMHead": "a language model",
    "ForMaskedLM": "a masked language model",
    "ForPreTraining": "a pre-training model",
    "ForConditionalGeneration": "a text-generating model",
    "ForNextSentencePrediction": "a next-sentence model",
    "ForImageClassification": "an image classifier",
    "ForAudioClassification": "an audio classifier",
}


def check_classifier(model: Any) -> None:
    """Raise `ModelError` unless `model` is a sequence classifier of one label a row or of several."""
    check_is_model(model, call="lw.score")
    kind, config = type(model).__name__, model.config
    _refuse_other_heads(kind)
    reads = getattr(model, "main_input_name", "input_ids")
    if reads not in ("input_ids", "inputs_embeds"):
        raise ModelError(f"Expected a model of texts, found one that reads {reads} ({kind}). {SUPPORTED}")
    if "SequenceClassification" not in kind and kind.endswith("Model") and not kind.startswith("Peft"):
        raise ModelError(f"Expected a sequence classifier, found an encoder without a head ({kind}). {SUPPORTED}")
    outputs = getattr(config, "num_labels", 2)
    if outputs == 1 or getattr(config, "problem_type", None) == "regression":
        as_probs = " With p, the probabilities of one class: " if outputs == 1 else ""
        as_probs += "`lw.Scores.from_probs(data, np.stack([1 - p, p], axis=1), label_names=names)`." if outputs == 1 else ""
        raise ModelError(
            f"Expected two or more labels, found a regression model ({kind}, num_labels={outputs}). {SUPPORTED}{as_probs}"
        )


def is_multi_label(model: Any) -> bool:
    """Whether each label of the model is a question of its own."""
    return getattr(model.config, "problem_type", None) == "multi_label_classification"


def log_softmax(logits: Any) -> Any:
    """(batch, labels) float32 log-probabilities of logits: of one label a row."""
    import torch

    return torch.log_softmax(logits, dim=-1)


def log_sigmoid(logits: Any) -> Any:
    """(batch, labels) float32 log-probabilities of logits: that each label is on."""
    import torch

    return torch.nn.functional.logsigmoid(logits)


def unit_length(means: Any) -> Any:
    """(batch, width) float32 embeddings of the means of last hidden states: divided by their lengths."""
    import torch

    return torch.nn.functional.normalize(means, dim=-1)


def align(
    given: GivenLabels, model_names: Sequence[str], *, multi_label: bool, label_map: Mapping[Any, str | None] | None = None
) -> AlignedLabels:
    """The given labels in the model's order; `LabelError` where the model judges another kind of label than the data has."""
    return given.for_head("sigmoid" if multi_label else "softmax").align(model_names, label_map=label_map)


def label_names_of(model: Any) -> list[str]:
    """The model's label names in the order of its outputs, from `config.id2label` alone (`label2id` may be stale)."""
    named = {int(i): str(name) for i, name in dict(getattr(model.config, "id2label", None) or {}).items()}
    if sorted(named) != list(range(len(named))) or len(named) < 2:
        raise ModelError(
            f"Expected `model.config.id2label` to name the labels 0, 1, 2 …, found the ids {sorted(named)[:10]}. "
            "Set it to {0: name, 1: name, …} in the order of the model's outputs."
        )
    return [named[i] for i in range(len(named))]


def check_was_saved_as_classifier(model: Any) -> None:
    """Raise `ModelError` where the weights were saved with another head.

    The token classifiers of Llama and ModernBERT load as sequence classifiers without a word: their heads' weights have the same
    names and shapes.
    """
    for saved_as in getattr(model.config, "architectures", None) or ():
        if "SequenceClassification" not in saved_as:
            _refuse_other_heads(saved_as)


def check_head_was_trained(loading_info: dict[str, Any], name: str) -> None:
    """Raise `ModelError` where `from_pretrained` had to draw weights at random: such a head knows nothing."""
    missing = sorted(str(key) for key in loading_info.get("missing_keys", ()))
    mismatched = sorted(str(key[0] if isinstance(key, tuple) else key) for key in loading_info.get("mismatched_keys", ()))
    if missing or mismatched:
        what = ", ".join([*missing, *mismatched][:6])
        raise ModelError(
            f"Expected a fine-tuned classifier in {name!r}, found no weights for {what}: the head would be random and its losses "
            "noise. Fine-tune it first, or call `lw.cross_score(data, model)`, which needs the encoder only."
        )


def _refuse_other_heads(kind: str) -> None:
    for part, what in _OTHER_HEADS.items():
        if part in kind:
            raise ModelError(f"Expected a sequence classifier, found {what} ({kind}). {SUPPORTED}")
