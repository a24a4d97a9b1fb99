"""The machine's limit: float32 matrix products a second of a model's own shapes, and the work that its real tokens ask for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

_ROWS, _TIMES = 2_048, 4


@dataclass(frozen=True)
class Limit:
    """The most floating-point operations seen, a second on the clock and a CPU second of all threads."""

    wall: float = 0.0
    cpu: float = 0.0

    def raised_to(self, other: Limit) -> Limit:
        """The higher of both, each on its own."""
        return Limit(max(self.wall, other.wall), max(self.cpu, other.cpu))


def limit_of(model: Any) -> Limit:
    """What torch's own product (MKL) or oneDNN's prepacked one, whichever is faster for a shape, makes of one layer's products.

    Each product of 2,048 tokens is timed a few times and the fastest counts, so that other work on the machine counts little.
    """
    operations, wall, cpu = 0, 0.0, 0.0
    with torch.inference_mode():
        for inputs, outputs in layer_shapes(model):
            best = [_fastest(product) for product in _products(inputs, outputs)]
            operations += 2 * _ROWS * inputs * outputs
            wall += min(seconds for seconds, _ in best)
            cpu += min(seconds for _, seconds in best)
    return Limit(operations / wall, operations / cpu)


def layer_shapes(model: Any) -> list[tuple[int, int]]:
    """(inputs, outputs) of a layer's products: queries, keys and values in one, attention's output, feed-forward up and down."""
    config = model.config
    width, wide = config.hidden_size, getattr(config, "intermediate_size", None) or config.hidden_dim
    return [(width, 3 * width), (width, width), (width, wide), (wide, width)]


def operations_of(model: Any, lengths: np.ndarray) -> float:
    """Floating-point operations of the stock model over rows of `lengths` real tokens, none of it for padding.

    Two for each weight of a linear layer and each token, four for each unit of the width and each pair of tokens. What comes
    after the last layer, under 0.1 % here, is left out.
    """
    layers, width = model.config.num_hidden_layers, model.config.hidden_size
    tokens = lengths.astype(np.float64)
    weights = sum(inputs * outputs for inputs, outputs in layer_shapes(model))
    return float(layers * (2 * weights * tokens.sum() + 4 * width * np.square(tokens).sum()))


def _products(inputs: int, outputs: int) -> Iterator[Callable[[], Any]]:
    x, weight, bias = torch.randn(_ROWS, inputs), torch.randn(outputs, inputs), torch.randn(outputs)
    yield lambda: torch.nn.functional.linear(x, weight, bias)
    try:
        packed = torch.ops.mkldnn._reorder_linear_weight(weight)
        torch.ops.mkldnn._linear_pointwise(x, packed, bias, "none", [], "")
    except (AttributeError, RuntimeError):  # private to torch: not in every build
        return
    yield lambda: torch.ops.mkldnn._linear_pointwise(x, packed, bias, "none", [], "")


def _fastest(product: Callable[[], Any]) -> tuple[float, float]:
    """Seconds on the clock and CPU seconds of the fastest of a few calls, each on its own."""
    product()
    walls, cpus = [], []
    for _ in range(_TIMES):
        wall, cpu = time.perf_counter(), time.process_time()
        product()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return min(walls), min(cpus)
