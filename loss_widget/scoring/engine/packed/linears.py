"""Linear layers and norms as they are computed: oneDNN's prepacked weights where they pay and prove equal, else plain."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from loss_widget.scoring.engine.packed.anatomy import Activation, Affine, Norm

Tensor = Any

_REORDER = "mkldnn::_reorder_linear_weight(Tensor self, int? batch_size=None) -> Tensor Y"
_POINTWISE = "mkldnn::_linear_pointwise(Tensor X, Tensor W, Tensor? B, str attr, Scalar?[] scalars, str? algorithm) -> Tensor Y"
_FUSED = {
    None: ("none", ""),
    "gelu": ("gelu", "none"),
    "gelu_tanh": ("gelu", "tanh"),
    "relu": ("relu", ""),
    "silu": ("swish", ""),
}
_CLOSE = {"torch.float32": 1e-5, "torch.bfloat16": 2e-2}


class Linear:
    """x (n, inputs) → activation(x Wᵀ + b), (n, outputs) in `dtype`. The parts of `affine` are stacked into one product."""

    def __init__(self, affine: Affine, *, dtype: Any, activation: Activation | None = None) -> None:
        self._dtype = dtype
        self._activation = activation
        self._weight, self._bias = _stacked(affine, dtype)
        self._reordered = _reordered(self._weight, self._bias, activation) if prepacking_pays(self._weight) else None
        if self._reordered is not None:
            self._weight = None

    @property
    def prepacked(self) -> bool:
        """Whether oneDNN's prepacked weights are in use."""
        return self._reordered is not None

    def __call__(self, x: Tensor) -> Tensor:
        import torch.nn.functional as F

        x = x.to(self._dtype)
        if self._reordered is not None:
            return _fused(x, self._reordered, self._bias, self._activation)
        return activated(F.linear(x, self._weight, self._bias), self._activation)


def bytes_beside(affine: Affine, dtype: Any, device: Any) -> int:
    """How many bytes a `Linear` of it takes beside the model's own weights."""
    size = sum(weight.numel() for weight in affine.weights) * dtype.itemsize
    prepacked = device.type == "cpu" and onednn_is_faster() and str(dtype) in _CLOSE
    return size if prepacked or len(affine.weights) > 1 or affine.weights[0].dtype != dtype else 0


def activated(x: Tensor, activation: Activation | None) -> Tensor:
    """The activation, written over `x`."""
    import torch

    if activation is None:
        return x
    if activation in ("gelu", "gelu_tanh"):
        return torch.ops.aten.gelu_(x, approximate="tanh" if activation == "gelu_tanh" else "none")
    in_place: dict[str, Callable[[Tensor], Tensor]] = {
        "relu": torch.relu_,
        "silu": torch.ops.aten.silu_,
        "tanh": torch.tanh_,
    }
    return in_place[activation](x)


def normalised(x: Tensor, norm: Norm) -> Tensor:
    """Layer or RMS norm over the last axis in float32."""
    import torch
    import torch.nn.functional as F

    x = x.float()
    weight = norm.weight.float()
    if norm.centred:
        return F.layer_norm(x, (x.shape[-1],), weight, None if norm.bias is None else norm.bias.float(), norm.epsilon)
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + norm.epsilon) * weight


def prepacking_pays(weight: Tensor) -> bool:
    """Whether oneDNN's prepacked products are worth trying for such weights."""
    return weight.device.type == "cpu" and str(weight.dtype) in _CLOSE and onednn_is_faster()


@functools.cache
def onednn_is_faster() -> bool:
    """On processors with AVX-512, where oneDNN reaches the machine's peak. With AVX2 alone MKL's plain product is faster.

    Measured on two AMD generations, float32, one thread: Zen 4 109 against 95 GFLOP/s, Zen 3 (AVX2) 70 against 80, and 51
    against 70 with GELU. The operators are private: their signatures must be those that are known, and each layer is compared
    with the plain product before it is used (`_reordered`).
    """
    import torch

    if not torch.backends.mkldnn.is_available() or not torch.backends.cpu.get_cpu_capability().startswith("AVX512"):
        return False
    return signatures_are_known()


def signatures_are_known() -> bool:
    """Whether this torch has oneDNN's two private operators as they are called here."""
    import torch

    try:
        reorder = torch.ops.mkldnn._reorder_linear_weight.default
        pointwise = torch.ops.mkldnn._linear_pointwise.default
    except (AttributeError, RuntimeError):
        return False
    return str(reorder._schema) == _REORDER and str(pointwise._schema) == _POINTWISE


def _stacked(affine: Affine, dtype: Any) -> tuple[Tensor, Tensor | None]:
    import torch

    weights = [weight.to(dtype) for weight in affine.weights]
    weight = weights[0] if len(weights) == 1 else torch.cat(weights)
    if all(bias is None for bias in affine.biases):
        return weight, None
    biases = [
        torch.zeros(len(weight), dtype=dtype, device=weight.device) if bias is None else bias.to(dtype)
        for weight, bias in zip(affine.weights, affine.biases, strict=True)
    ]
    return weight, biases[0] if len(biases) == 1 else torch.cat(biases)


def _reordered(weight: Tensor, bias: Tensor | None, activation: Activation | None) -> Tensor | None:
    """The weights in oneDNN's own layout, or None where a random input tells that they are not to be trusted."""
    import torch

    if activation not in _FUSED:
        return None
    try:
        reordered = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous())
        generator = torch.Generator().manual_seed(0)
        probe = torch.randn((5, weight.shape[1]), generator=generator).to(weight.dtype)
        expected = activated(torch.nn.functional.linear(probe, weight, bias), activation).float()
        found = _fused(probe, reordered, bias, activation).float()
    except Exception:  # a private operator of torch: whatever it raises, the plain product is right
        return None
    apart = (found - expected).abs().max().item()
    return reordered if apart <= _CLOSE[str(weight.dtype)] * max(1.0, expected.abs().max().item()) else None


def _fused(x: Tensor, reordered: Tensor, bias: Tensor | None, activation: Activation | None) -> Tensor:
    import torch

    name, algorithm = _FUSED[activation]
    return torch.ops.mkldnn._linear_pointwise(x.contiguous(), reordered, bias, name, [], algorithm)
