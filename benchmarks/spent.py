"""What a pass spends its CPU time on, by torch's own profiler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.profiler import ProfilerActivity, profile

_KINDS = {
    "matrix products": ("aten::addmm", "aten::mm", "mkldnn::_linear_pointwise"),
    "attention": ("aten::_scaled_dot_product", "aten::bmm", "aten::_softmax"),
    "activations": ("aten::gelu", "aten::relu", "aten::silu", "aten::tanh"),
    "norms and sums": ("aten::native_layer_norm", "aten::add", "aten::mul", "aten::rsqrt"),
    "copies": ("aten::copy_", "aten::index", "aten::embedding", "aten::cat"),
}


def spent_on(run: Callable[[], Any]) -> str:
    """Shares of the CPU time of torch's operators in `run`, in words, the largest first. Time outside of torch is not in it.

    >>> import torch
    >>> spent_on(lambda: torch.ones(300, 300) @ torch.ones(300, 300)).startswith("matrix products ")
    True
    """
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        run()
    seconds = dict.fromkeys((*_KINDS, "the rest"), 0.0)
    for event in seen.key_averages():
        kind = next((kind for kind, names in _KINDS.items() if event.key.startswith(names)), "the rest")
        seconds[kind] += event.self_cpu_time_total
    total = sum(seconds.values())
    shares = sorted(((100 * spent / total, kind) for kind, spent in seconds.items()), reverse=True)
    return ", ".join(f"{kind} {share:.0f} %" for share, kind in shares)
