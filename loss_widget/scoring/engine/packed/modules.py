"""Parts of a transformers model, looked at before they are believed: anything unknown is `NotPacked`."""

from __future__ import annotations

from typing import Any

from loss_widget.scoring.engine.packed.anatomy import Activation, Affine, Norm, NotPacked

_ACTIVATIONS: dict[str, Activation] = {
    "GELUActivation": "gelu",
    "GELUTanh": "gelu_tanh",
    "PytorchGELUTanh": "gelu_tanh",
    "NewGELUActivation": "gelu_tanh",
    "ReLU": "relu",
    "SiLU": "silu",
    "SiLUActivation": "silu",
    "Tanh": "tanh",
}
_KNOWN_ATTENTION = {None, "eager", "sdpa", "flash_attention_2", "flash_attention_3", "flex_attention"}


def check_untouched(model: Any) -> None:
    """Raise `NotPacked` where something was put on or into the model that a rebuilt forward pass would miss."""
    for name, module in model.named_modules():
        where = name or type(model).__name__
        if type(module).__module__.split(".")[0] not in ("torch", "transformers"):
            raise NotPacked(f"{where} is of a class from outside torch and transformers: {type(module).__name__}")
        if "forward" in vars(module):
            raise NotPacked(f"{where} has a forward method of its own")
        hooks = [*module._forward_hooks.values(), *module._forward_pre_hooks.values()]
        if any(getattr(hook, "__name__", "") != "output_capturing_hook" for hook in hooks):  # transformers 5 leaves these behind
            raise NotPacked(f"{where} has forward hooks")
    places = {(p.device, p.dtype) for p in model.parameters()}
    if len(places) != 1:
        raise NotPacked("the weights are spread over several devices or types")
    ((device, dtype),) = places
    if device.type == "meta" or not dtype.is_floating_point or getattr(model, "is_quantized", False):
        raise NotPacked("the weights are quantised or not loaded")
    attention = getattr(model.config, "_attn_implementation", None)
    if attention not in _KNOWN_ATTENTION:
        raise NotPacked(f"its attention is {attention!r}, not one of transformers' own")


def expect(config: Any, **values: Any) -> None:
    """Raise `NotPacked` where the config has another value; a key that is missing has the expected one."""
    for key, value in values.items():
        found = getattr(config, key, value)
        if found != value and not (value in (None, False, 0) and not found):
            raise NotPacked(f"its config has {key}={found!r}")


def affine(*layers: Any) -> Affine:
    """Plain `nn.Linear` layers of one input (or GPT-2's transposed ones), stacked."""
    import torch

    weights, biases = [], []
    for layer in layers:
        if type(layer) is torch.nn.Linear:
            weights.append(layer.weight.detach())
        elif type(layer).__name__ == "Conv1D":
            weights.append(layer.weight.detach().t())
        else:
            raise NotPacked(f"it has a {type(layer).__name__} where a plain linear layer is expected")
        biases.append(None if layer.bias is None else layer.bias.detach())
    return Affine(tuple(weights), tuple(biases))


def thirds(layer: Any) -> Affine:
    """A linear layer that holds queries, keys and values, as three parts."""
    whole = affine(layer)
    bias = whole.biases[0]
    return Affine(whole.weights[0].chunk(3), (None, None, None) if bias is None else bias.chunk(3))


def norm(layer: Any) -> Norm:
    """A plain `nn.LayerNorm` over the last axis, or one of transformers' RMS norms."""
    import torch

    if type(layer) is torch.nn.LayerNorm and layer.weight is not None and len(layer.normalized_shape) == 1:
        return Norm(layer.weight.detach(), None if layer.bias is None else layer.bias.detach(), layer.eps)
    if type(layer).__name__ in ("LlamaRMSNorm", "MistralRMSNorm", "Qwen2RMSNorm", "Qwen3RMSNorm"):
        return Norm(layer.weight.detach(), None, layer.variance_epsilon, centred=False)
    raise NotPacked(f"it has a {type(layer).__name__} where a plain norm is expected")


def table(layer: Any) -> Any:
    """The (rows, width) weights of a plain `nn.Embedding`."""
    import torch

    if type(layer) is not torch.nn.Embedding or layer.max_norm is not None:
        raise NotPacked(f"it has a {type(layer).__name__} where a plain embedding is expected")
    return layer.weight.detach()


def activation(function: Any) -> Activation:
    """The name of an activation module."""
    name = type(function).__name__
    if name not in _ACTIVATIONS:
        raise NotPacked(f"its activation is {name}")
    return _ACTIVATIONS[name]
