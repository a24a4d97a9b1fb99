"""What a pass spends its CPU time on, by torch's own profiler."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from torch.profiler import ProfilerActivity, profile

_PRODUCTS = "matrix products"
_KINDS = {
    _PRODUCTS: ("aten::addmm", "aten::mm", "mkldnn::_linear_pointwise"),
    "attention": ("aten::_scaled_dot_product", "aten::bmm", "aten::_softmax"),
    "activations": ("aten::gelu", "aten::relu", "aten::silu", "aten::tanh"),
    "norms and sums": ("aten::native_layer_norm", "aten::add", "aten::mul", "aten::rsqrt"),
    "copies": ("aten::copy_", "aten::index", "aten::embedding", "aten::cat"),
}
_NAMES = {"float": "float32", "c10::BFloat16": "bfloat16"}


def spent_on(run: Callable[[], Any]) -> str:
    """Shares of the CPU time of torch's operators in `run`, in words, the largest first. Time outside of torch is not in it.

    >>> import torch
    >>> spent_on(lambda: torch.ones(300, 300) @ torch.ones(300, 300)).startswith("float32 matrix products ")
    True
    """
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as seen:  # types are recorded with the shapes
        run()
    seconds: Counter[str] = Counter()
    for event in seen.events():
        seconds[_kind(event)] += event.self_cpu_time_total
    total = seconds.total()
    return ", ".join(f"{kind} {100 * spent / total:.0f} %" for kind, spent in seconds.most_common() if spent > 0.005 * total)


def _kind(event: Any) -> str:
    kind = next((kind for kind, names in _KINDS.items() if event.name.startswith(names)), "the rest")
    return f"{_NAMES.get(event.input_dtypes[0], 'other')} {kind}" if kind == _PRODUCTS else kind
