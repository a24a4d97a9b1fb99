"""Models and tokenizers, loaded or handed in: how long an input may be, which weights these are, where they run."""

from __future__ import annotations

import copy
import hashlib
import importlib.metadata
import json
import os
import re
import warnings
from pathlib import Path
from typing import Any

from loss_widget.errors import InputError, ModelError
from loss_widget.scoring.extras import need
from loss_widget.scoring.heads import check_classifier, check_head_was_trained, check_was_saved_as_classifier
from loss_widget.scoring.no_model import check_is_model

NO_LIMIT = 1_000_000
"""A tokenizer's `model_max_length` above this means that it knows none (transformers writes 1e30)."""

FALLBACK_LENGTH = 512


def load_classifier(model: Any) -> Any:
    """The sequence classifier itself, or the one of that name or path (float32, no remote code, no untrained head)."""
    need("torch", "transformers")
    if not isinstance(model, (str, os.PathLike)):
        check_classifier(model)
        return model
    from transformers import AutoModelForSequenceClassification

    loaded, info = _from_pretrained(AutoModelForSequenceClassification, model, "a sequence classifier")
    check_classifier(loaded)
    check_head_was_trained(info, str(model))
    check_was_saved_as_classifier(loaded)
    return loaded


def load_base(model: Any) -> Any:
    """What is below any head, or what has that name or path (float32, no remote code)."""
    need("torch", "transformers", "sklearn")
    if isinstance(model, (str, os.PathLike)):
        from transformers import AutoModel

        model, info = _from_pretrained(AutoModel, model, "an encoder")
        check_head_was_trained(
            {"missing_keys": [key for key in info.get("missing_keys", ()) if "pooler" not in str(key)]},
            model.name_or_path,
        )
    check_is_model(model, call="lw.cross_score")
    return getattr(model, "base_model", model)


def encoder_of(base: Any) -> Any:
    """The part that reads a text."""
    return base.get_encoder() if getattr(base.config, "is_encoder_decoder", False) else base


def tokenizer_of(tokenizer: Any, model: Any) -> Any:
    """A private copy of the tokenizer: truncation and padding are shared, mutable state inside a fast tokenizer."""
    if tokenizer is not None and not isinstance(tokenizer, (str, os.PathLike)):
        if not callable(tokenizer) or not hasattr(tokenizer, "num_special_tokens_to_add"):
            raise ModelError(
                f"Expected a tokenizer, or its name or path, found {type(tokenizer).__name__}. "
                "Pass `AutoTokenizer.from_pretrained(…)`."
            )
        return _checked(copy.deepcopy(tokenizer), model)
    from transformers import AutoTokenizer

    name = tokenizer if tokenizer is not None else getattr(model, "name_or_path", "")
    if not str(name):
        raise ModelError(
            "Expected a tokenizer, found none: this model was made from a config and has no name or path to load one from. "
            "Pass `tokenizer=`."
        )
    try:
        loaded = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
    except Exception as error:
        raise ModelError(
            f"Expected a tokenizer beside the model at {str(name)!r}, found none that loads ({_first_line(error)}). "
            "Pass `tokenizer=`."
        ) from error
    return _checked(loaded, model)


def _checked(tokenizer: Any, model: Any) -> Any:
    """transformers 5 makes a tokenizer of a handful of special tokens where the files of one are missing."""
    vocabulary = vocabulary_size(model)
    if vocabulary is not None and len(tokenizer) < vocabulary / 4:
        raise ModelError(
            f"Expected a tokenizer of about {vocabulary} tokens, the rows of the model's embedding, found one of "
            f"{len(tokenizer)}: its files are missing, or it belongs to another model. Pass the right one as `tokenizer=`."
        )
    return tokenizer


def longest_input(model: Any, tokenizer: Any, asked: int | None) -> int:
    """The number of tokens to truncate at: the smallest of the user's wish, the tokenizer's limit and the model's positions."""
    limits = [
        limit
        for limit in (getattr(tokenizer, "model_max_length", None), _positions(model))
        if limit is not None and 0 < limit < NO_LIMIT
    ]
    limit = int(min(limits)) if limits else None
    if asked is None:
        return limit or FALLBACK_LENGTH
    special = tokenizer.num_special_tokens_to_add(pair=True)
    if isinstance(asked, bool) or not isinstance(asked, int) or asked <= special:
        raise InputError(
            f"Expected max_length to be a whole number above {special}, the special tokens around a text, found {asked!r}."
        )
    if limit is not None and asked > limit:
        warnings.warn(f"max_length={asked} is more than this model can read; {limit} tokens are used.", stacklevel=4)
        return limit
    return asked


def _positions(model: Any) -> int | None:
    """How many positions the model has. RoBERTa's first `padding_idx + 1` rows of the position table are never a token's."""
    config = model.config.get_text_config() if hasattr(model.config, "get_text_config") else model.config
    found = [getattr(config, "max_position_embeddings", None)]
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and getattr(module, "padding_idx", None) is not None:
            found.append(module.num_embeddings - module.padding_idx - 1)
    limits = [int(n) for n in found if isinstance(n, int) and n > 0]
    return min(limits) if limits else None


def vocabulary_size(model: Any) -> int | None:
    """Rows of the model's token embedding, where it has one."""
    try:
        return int(model.get_input_embeddings().num_embeddings)
    except (AttributeError, NotImplementedError):
        return None


def device_for(model: Any, asked: Any) -> Any:
    """Where to run: as asked; else where the model already is; else the best there is."""
    import torch

    if asked is not None:
        try:
            device = torch.device(asked)
            if torch.empty(0, device=device).is_meta:
                raise ValueError("nothing is computed on it")
        except (RuntimeError, AssertionError, ValueError, TypeError) as error:
            raise InputError(
                f"Expected a device that this machine has ({', '.join(_devices_here())}), found {asked!r}. "
                "Leave `device=None` for the best there is."
            ) from error
        return device
    here = next(iter(model.parameters()), torch.empty(0)).device
    if here.type != "cpu" or getattr(model, "hf_device_map", None):
        return here
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps") if torch.backends.mps.is_available() else here


def _devices_here() -> list[str]:
    import torch

    here = ["cpu", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))]
    return [*here, "mps"] if torch.backends.mps.is_available() else here


def check_weights(model: Any) -> None:
    """Raise `ModelError` for weights that are not there, or that cannot be read as float32."""
    if getattr(model, "is_quantized", False):
        raise ModelError(
            "Expected weights that can be read as float32, found a quantised model. Load it without `quantization_config`."
        )
    missing = next((name for name, tensor in model.state_dict(keep_vars=True).items() if getattr(tensor, "is_meta", False)), None)
    if missing is not None:
        where = (
            ("on disk alone", "without offloading it") if getattr(model, "hf_device_map", None) else ("on the device meta", "")
        )
        raise ModelError(
            f"Expected a model with its weights, found {missing} {where[0]}: empty. Load it {where[1] or 'anew'}, with "
            "`AutoModelForSequenceClassification.from_pretrained(…)`."
        )


def devices_for(model: Any, asked: Any) -> tuple[Any, ...]:
    """As `device_for`, but several where they are asked for, or where nothing is and this machine has several GPUs."""
    import torch

    if isinstance(asked, (list, tuple)):
        if not asked or None in asked:
            raise InputError(f'Expected devices, found {asked!r}. Name each, as ["cuda:0", "cuda:1"], or leave `device=None`.')
        if len(asked) > 1 and getattr(model, "hf_device_map", None):
            raise InputError("Expected one model for each device, found one that is spread over several. Leave out `device`.")
        return tuple(device_for(model, device) for device in asked)
    device = device_for(model, asked)
    of_a_notebook = any(type(module).__module__ == "__main__" for module in model.modules())  # other processes lack its class
    if asked is None and str(device) == "cuda" and torch.cuda.device_count() > 1 and not of_a_notebook:
        return tuple(torch.device("cuda", number) for number in range(torch.cuda.device_count()))
    return (device,)


def model_name(model: Any) -> str:
    """A hub name, or the last two parts of a folder (whole paths say more about a machine than about a model)."""
    name = str(getattr(model, "name_or_path", "") or "")
    if name and Path(name).exists():
        return "/".join(Path(name).resolve().parts[-2:]).strip("/")
    return name or type(model).__name__


def weights_hash(model: Any) -> str:
    """SHA-256 over the names, shapes, types and bytes of all weights: the same for equal models anywhere."""
    import torch

    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        if not isinstance(tensor, torch.Tensor):
            continue
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def build_digest(model: Any, *, settings: bool = False) -> str:
    """SHA-256 of what a forward pass depends on beside the weights, as far as it can be read off a model.

    The config, the classes of all modules, and the names of hooks and of methods that were replaced on single modules. With
    `settings` also numbers and words that modules hold: a cache key, since some of them change as the model is used. What this
    misses (the inside of a hook, an adapter that is switched off) only shows in the model's answers.
    """
    parts: list[Any] = [_config_of(model)]
    for name, module in model.named_modules():
        hooks = [*module._forward_hooks.values(), *module._forward_pre_hooks.values()]
        own = {key: value for key, value in vars(module).items() if not key.startswith("_") and key != "training"}
        parts += [
            name,
            _called(type(module)),
            [_called(hook) for hook in hooks if not _called(hook).startswith("transformers.")],  # which come with the first use
            {key: _called(value) for key, value in own.items() if callable(value)},
            {key: value for key, value in own.items() if settings and isinstance(value, (bool, int, float, str))},
        ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=_called).encode()).hexdigest()


_SAYS_NOTHING = re.compile(
    "_?name_or_path|transformers_version|architectures|(torch_)?dtype|id2label|label2id|problem_type|use_cache|.*dropout.*|"
    "initializer.*|gradient_checkpointing"
)
"""Keys of a config that a forward pass in evaluation mode does not depend on, or that a checkpoint's key has by themselves."""


def _config_of(model: Any) -> dict[str, Any]:
    found = model.config.to_dict() if hasattr(model.config, "to_dict") else vars(model.config)
    return {key: value for key, value in found.items() if not _SAYS_NOTHING.fullmatch(key)}


def _called(function: Any) -> str:
    """The full name of a class or function; of any other callable, that of its class."""
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{named.__module__}.{named.__qualname__}"


def package_versions() -> dict[str, str]:
    """The versions that a number may depend on."""
    names = ("loss-widget", "torch", "transformers", "tokenizers")
    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _from_pretrained(auto: Any, name: str | os.PathLike[str], what: str) -> tuple[Any, dict[str, Any]]:
    import torch
    import transformers

    path = Path(name).expanduser()
    if path.is_file():
        raise ModelError(f"Expected a folder with {what}, found a file: {path}. Pass the folder that holds it.")
    if path.is_dir() and not (path / "config.json").exists():
        inside = sorted(p.name for p in path.iterdir())[:6]
        raise ModelError(
            f"Expected a folder with {what} (config.json and weights), found {path} with {inside}. "
            "Save one there with `model.save_pretrained(path)`."
        )
    newer = tuple(int(n) for n in transformers.__version__.split(".")[:2]) >= (4, 56)
    dtype = {"dtype" if newer else "torch_dtype": torch.float32}
    try:
        model, info = auto.from_pretrained(
            str(path) if path.is_dir() else str(name), output_loading_info=True, trust_remote_code=False, **dtype
        )
    except Exception as error:
        raise ModelError(
            f"Expected {what} called {str(name)!r}, looked for a folder of that path and for that name on the hub and in its "
            f"cache, found none that loads: {_first_line(error)} Check the spelling, or pass the model itself."
        ) from error
    return model, info


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
