"""What people hand in where a model is expected, and the line that goes on with it. Known by names: nothing is imported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loss_widget.errors import ModelError

_WRAPPERS = ("DataParallel", "DistributedDataParallel", "FullyShardedDataParallel", "DeepSpeedEngine")
_FROM_PROBS = "`lw.Scores.from_probs(data, {probs}, label_names={names})`"


def check_is_model(thing: Any, *, call: str) -> None:
    """Raise `ModelError` for anything but a transformers model. `call`: the function that it was handed to, "lw.score"."""
    kind = type(thing).__name__
    if isinstance(thing, type):
        found = f"a class. Load a model of it: `{call}(data, {thing.__name__}.from_pretrained(name))`"
    elif _is(thing, "Trainer", "transformers", "setfit", "trl"):
        found = f"a Trainer. Pass what it trained: `{call}(data, trainer.model, tokenizer=trainer.processing_class)`"
    elif _is(thing, "Pipeline", "transformers") or (kind.endswith("Pipeline") and hasattr(thing, "tokenizer")):
        found = f"a pipeline ({kind}). Pass what is in it: `{call}(data, pipe.model, tokenizer=pipe.tokenizer)`"
    elif kind in _WRAPPERS:
        found = f"a wrapper ({kind}). Pass the model in it: `{call}(data, model.module)`"
    elif kind == "SentenceTransformer":
        found = "a SentenceTransformer, an encoder. Call `lw.cross_score(data, model[0].auto_model, tokenizer=model.tokenizer)`"
    elif _is(thing, "", "keras", "tensorflow", "tf_keras"):
        found = f"a Keras model. Pass its probabilities: {_FROM_PROBS.format(probs='model.predict(X)', names='names')}"
    elif hasattr(thing, "predict") and hasattr(thing, "fit"):
        found = _estimator(thing, call)
    elif isinstance(thing, (list, tuple)):
        found = f"a {kind}. Pass the model alone, and its tokenizer as `tokenizer=`"
    elif hasattr(thing, "num_special_tokens_to_add"):
        found = f"a tokenizer. Pass the model first: `{call}(data, model, tokenizer=tokenizer)`"
    elif isinstance(thing, Mapping):
        found = "weights without a model. Put them into one with `model.load_state_dict(weights)`, and pass that"
    elif hasattr(thing, "model_type") and hasattr(thing, "to_dict"):
        found = f"a config ({kind}). Load the model with its weights: `{call}(data, name)`"
    elif callable(getattr(thing, "state_dict", None)) and getattr(thing, "config", None) is not None:
        return
    else:
        kind = "None" if thing is None else kind
        found = f"{kind}. Its probabilities will do: {_FROM_PROBS.format(probs='probs', names='names')}"
    raise ModelError(f"Expected a transformers PreTrainedModel, or a name or path, found {found}.")


def _estimator(thing: Any, call: str) -> str:
    """Of scikit-learn, or alike."""
    kind, given = type(thing).__name__, 'data["text"]' if hasattr(thing, "steps") else "X"
    if not hasattr(thing, "predict_proba"):
        return f"an estimator without probabilities ({kind}). Fit it within `CalibratedClassifierCV(model)`, which gives some"
    if call == "lw.cross_score":
        probs = f'cross_val_predict(model, {given}, data["label"], method="predict_proba")'
        return f"an estimator ({kind}). Pass its probabilities: " + _FROM_PROBS.format(
            probs=probs, names='sorted(data["label"].unique())'
        )
    probs = f"model.predict_proba({given})"
    return f"an estimator ({kind}). Pass its probabilities: {_FROM_PROBS.format(probs=probs, names='model.classes_')}"


def _is(thing: Any, name: str, *packages: str) -> bool:
    """Whether a class of that name ("": of any) from one of these packages is among its classes."""
    return any(
        (not name or of.__name__ == name) and of.__module__.split(".")[0] in packages and of is not object
        for of in type(thing).__mro__
    )
