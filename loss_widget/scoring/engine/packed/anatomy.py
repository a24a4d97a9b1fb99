"""The common description of a classifier or encoder: which weights do what. It refers to the model's tensors and copies none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Tensor = Any
Activation = Literal["gelu", "gelu_tanh", "relu", "silu", "tanh"]


class NotPacked(Exception):
    """This model cannot be read packed. Its text is the reason, a clause in words."""


@dataclass(frozen=True)
class Affine:
    """x → x Wᵀ + b, in parts that are stacked along the outputs: each weight (outputs, inputs), each bias (outputs,) or None."""

    weights: tuple[Tensor, ...]
    biases: tuple[Tensor | None, ...]

    def part(self, index: int) -> Affine:
        """One of the parts alone."""
        return Affine((self.weights[index],), (self.biases[index],))

    @property
    def outputs(self) -> int:
        """How many numbers a token becomes."""
        return sum(int(weight.shape[0]) for weight in self.weights)

    @property
    def inputs(self) -> int:
        """How many numbers a token is."""
        return int(self.weights[0].shape[1])


@dataclass(frozen=True)
class Norm:
    """Layer normalisation, or by the root mean square alone (Zhang & Sennrich 2019) where `centred` is False."""

    weight: Tensor
    bias: Tensor | None
    epsilon: float
    centred: bool = True


@dataclass(frozen=True, eq=False)
class Rotary:
    """Rotary positions (Su et al. 2021): one frequency a pair of numbers of a head, (head width / 2,) float32."""

    frequencies: Tensor


@dataclass(frozen=True)
class Block:
    """One layer. `qkv`: three parts. `up`: one part, or gate and values. `query_norm`, `key_norm`: of each head, before it turns.

    `reach`: how many tokens back and ahead a token sees, None: all.
    """

    qkv: Affine
    out: Affine
    up: Affine
    down: Affine
    attention_norm: Norm | None
    mlp_norm: Norm
    reach: tuple[int | None, int | None] = (None, None)
    rotary: Rotary | None = None
    query_norm: Norm | None = None
    key_norm: Norm | None = None


@dataclass(frozen=True)
class Embedding:
    """Tokens → vectors: a sum of tables, each (rows, width), then a norm, then a projection to the model's width.

    `padding_id`: RoBERTa's rule, positions count from `padding_id + 1` and a token of that id stands at `padding_id`; None:
    they count from 0.
    """

    words: Tensor
    positions: Tensor | None = None
    types: Tensor | None = None
    padding_id: int | None = None
    norm: Norm | None = None
    projection: Affine | None = None


@dataclass(frozen=True)
class Head:
    """The vector read from a row → logits: a dense layer with its activation and norm where there is one, then the labels."""

    labels: Affine
    dense: Affine | None = None
    activation: Activation | None = None
    norm: Norm | None = None


@dataclass(frozen=True)
class Anatomy:
    """A whole classifier, or an encoder without a head. `reads`: the position whose vector is taken, or the mean of all of a row.

    `norm_first`: norms stand before attention and feed-forward, not after the residual. `distance_bias` (heads, 2 P - 1): added
    to the scores by the key's distance from the query, -(P - 1) … P - 1. `ignored_at_end`: tokens of this id at a row's end are
    not read (heads that look for the last token that is no padding).
    """

    embedding: Embedding
    blocks: tuple[Block, ...]
    heads: int
    key_heads: int
    head_width: int
    activation: Activation
    norm_first: bool
    reads: Literal["first", "last", "mean"]
    head: Head | None = None
    final_norm: Norm | None = None
    distance_bias: Tensor | None = None
    ignored_at_end: int | None = None

    @property
    def gated(self) -> bool:
        """Whether the feed-forward layer multiplies an activated gate with its values."""
        return len(self.blocks[0].up.weights) == 2 or self.blocks[0].up.outputs == 2 * self.blocks[0].down.inputs
