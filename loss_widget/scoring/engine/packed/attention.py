"""Attention over packed rows: of every token to its row, and of the one token that a head reads."""

from __future__ import annotations

import functools
import inspect
from typing import Any

from loss_widget.scoring.engine.packed.anatomy import Anatomy, Block, Rotary
from loss_widget.scoring.engine.packed.layout import Layout, Span
from loss_widget.scoring.engine.packed.linears import Linear, normalised

Tensor = Any


class Attention:
    """The attention of one layer: hidden states (tokens, width) → what each token took from its row (tokens, heads · width)."""

    def __init__(self, block: Block, anatomy: Anatomy, *, dtype: Any) -> None:
        self._block = block
        self._heads, self._key_heads, self._width = anatomy.heads, anatomy.key_heads, anatomy.head_width
        self._bias = anatomy.distance_bias
        self._qkv = Linear(block.qkv, dtype=dtype)
        self.linears = (self._qkv,)

    def __call__(self, x: Tensor, layout: Layout) -> Tensor:
        import torch
        import torch.nn.functional as F

        heads, shared = self._heads, self._key_heads
        qkv = self._qkv(x).unflatten(1, (heads + 2 * shared, self._width))  # (tokens, heads + 2 key heads, width)
        _normalise_heads(qkv[:, :heads], self._block.query_norm)
        _normalise_heads(qkv[:, heads : heads + shared], self._block.key_norm)
        if self._block.rotary is not None:
            turn(qkv[:, : heads + shared], *_cos_sin(self._block.rotary, layout))
        if self._bias is None and varlen_fits(qkv):
            return varlen(qkv, heads, layout, self._block.reach).flatten(1)
        result = torch.empty((len(qkv), heads, self._width), dtype=qkv.dtype, device=qkv.device)
        for span in layout.spans:
            q, k, v = (part.transpose(1, 2) for part in span.grid(qkv).split((heads, shared, shared), dim=2))
            if shared != heads:
                k, v = (part.repeat_interleave(heads // shared, dim=1) for part in (k, v))
            mask, causal = self._mask(span, layout, qkv)
            taken = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)  # (rows, heads, longest, width)
            span.write(taken.transpose(1, 2), result)
        return result.flatten(1)

    def _mask(self, span: Span, layout: Layout, like: Tensor) -> tuple[Tensor | None, bool]:
        """What each query may see, (…, longest, longest), None: all; and whether "only what came before" says it all."""
        import torch

        back, ahead = self._block.reach
        here = slice(span.longest)
        if self._bias is None and _covers(back, span.longest):
            if ahead == 0:
                return None, True
            if _covers(ahead, span.longest) and span.lengths is None:
                return None, False
        bias = None
        if self._bias is not None:
            table = self._bias
            bias = layout.once("bias", lambda: distance_bias(table, layout.longest).to(like.dtype))[:, here, here]
            if span.lengths is None:
                return bias, False
        place = torch.arange(span.longest, device=like.device)
        seen = within_reach(place[None, :] - place[:, None], self._block.reach)
        if span.lengths is not None:
            seen = seen & (place < span.lengths[:, None])[:, None, None, :]
        return seen if bias is None else torch.where(seen, bias, float("-inf")), False


class ReadAttention:
    """The attention of the last layer, for one token a row alone: (rows, heads · width).

    Keys and values of the other tokens are never made. With q the query, x_j the hidden states and a_j the softmax of the scores,
    q·(K x_j) = (Kᵀ q)·x_j and Σ a_j (V x_j) = V (Σ a_j x_j). The bias of the keys adds the same to every score of a row and drops
    out. Keys that turn with their position, or are normalised, are made.
    """

    def __init__(self, block: Block, anatomy: Anatomy, *, dtype: Any) -> None:
        self._block, self._dtype = block, dtype
        self._heads, self._key_heads, self._width = anatomy.heads, anatomy.key_heads, anatomy.head_width
        self._bias = anatomy.distance_bias
        self._reads = anatomy.reads
        self._query = Linear(block.qkv.part(0), dtype=dtype)
        key, value = block.qkv.part(1), block.qkv.part(2)
        turned = block.rotary is not None or block.key_norm is not None
        self._key = Linear(key, dtype=dtype) if turned else None
        by_head = (self._key_heads, self._width)
        self._key_weight = None if turned else key.weights[0].to(dtype).unflatten(0, by_head)  # (key heads, width, hidden)
        self._value_weight = value.weights[0].to(dtype).unflatten(0, by_head)
        self._value_bias = None if value.biases[0] is None else value.biases[0].to(dtype).unflatten(0, by_head)
        self.linears = (self._query,) if self._key is None else (self._query, self._key)

    def __call__(self, x: Tensor, layout: Layout) -> Tensor:
        import torch

        x = x.to(self._dtype)
        rows, shared = layout.at(self._reads), self._key_heads
        query = self._query(x[rows]).unflatten(1, (self._heads, self._width))
        _normalise_heads(query, self._block.query_norm)
        keys = None
        if self._key is not None:
            keys = self._key(x).unflatten(1, (shared, self._width))
            _normalise_heads(keys, self._block.key_norm)
            if self._block.rotary is not None:
                cos, sin = _cos_sin(self._block.rotary, layout)
                turn(query, cos[rows], sin[rows])
                turn(keys, cos, sin)
        query = query.unflatten(1, (shared, self._heads // shared))  # (rows, key heads, heads a key head, width)
        if self._key_weight is not None:
            query = torch.einsum("rkgw,kwd->rkgd", query, self._key_weight)
        taken = torch.cat([self._taken(query, keys, x, span) for span in layout.spans])  # (rows, heads, hidden)
        value = torch.einsum("rkgd,kwd->rkgw", taken.unflatten(1, query.shape[1:3]), self._value_weight)
        if self._value_bias is not None:
            value = value + self._value_bias[:, None]
        return value.flatten(1)

    def _taken(self, query: Tensor, keys: Tensor | None, x: Tensor, span: Span) -> Tensor:
        """(span's rows, heads, hidden): the hidden states of a row, weighted by each head's attention."""
        import torch

        query = query[span.first_row : span.first_row + span.rows]
        hidden = span.grid(x)
        if keys is None:
            scores = torch.bmm(query.flatten(1, 2), hidden.transpose(1, 2))  # (rows, heads, longest)
        else:
            scores = torch.matmul(query, span.grid(keys).permute(0, 2, 3, 1)).flatten(1, 2)
        scores = scores.float() * self._width**-0.5
        if self._bias is not None:
            none = self._bias.shape[1] // 2
            scores += self._bias[:, none : none + span.longest]  # the token that is read is the first
        seen = self._seen(span, x.device)
        if seen is not None:
            scores = scores.masked_fill(~seen, float("-inf"))
        return torch.bmm(torch.softmax(scores, dim=-1).to(x.dtype), hidden)

    def _seen(self, span: Span, device: Any) -> Tensor | None:
        """(span's rows or 1, 1, longest): what the token that is read may see; None where that is the whole row."""
        import torch

        back, ahead = self._block.reach
        if span.lengths is None and _covers(ahead if self._reads == "first" else back, span.longest):
            return None
        place = torch.arange(span.longest, device=device)
        ends = place.new_tensor([span.longest]) if span.lengths is None else span.lengths
        at = torch.zeros_like(ends) if self._reads == "first" else ends - 1
        seen = within_reach(place - at[:, None], self._block.reach) & (place < ends[:, None])
        return seen[:, None]


def within_reach(distance: Tensor, reach: tuple[int | None, int | None]) -> Tensor:
    """Whether a key at this distance from its query (negative: before it) is seen."""
    back, ahead = reach
    seen = distance == distance
    if back is not None:
        seen = seen & (distance >= -back)
    if ahead is not None:
        seen = seen & (distance <= ahead)
    return seen


def distance_bias(table: Tensor, length: int) -> Tensor:
    """(heads, length, length) float32 of a table by distance (heads, 2 P - 1)."""
    middle = table.shape[1] // 2
    slope = table[:, middle - length + 1 : middle + length].float().contiguous()
    return slope.unfold(1, length, 1).flip(1)


def turn(heads: Tensor, cos: Tensor, sin: Tensor) -> None:
    """Turn each head (tokens, heads, width) by its position, in place: halves (a, b) → (a cos - b sin, b cos + a sin)."""
    a, b = heads.float().chunk(2, dim=-1)
    half = heads.shape[-1] // 2
    a, b = a * cos - b * sin, b * cos + a * sin
    heads[..., :half] = a
    heads[..., half:] = b


@functools.cache
def _varlen_is_known() -> bool:
    try:
        from torch.nn.attention.varlen import varlen_attn
    except ImportError:
        return False
    return {"window_size", "enable_gqa"} <= set(inspect.signature(varlen_attn).parameters)


def _cos_sin(rotary: Rotary, layout: Layout) -> tuple[Tensor, Tensor]:
    """(tokens, 1, width / 2) float32, twice."""

    def made() -> tuple[Tensor, Tensor]:
        angle = (layout.positions[:, None].float() * rotary.frequencies)[:, None]
        return angle.cos(), angle.sin()

    cos, sin = layout.once(rotary, made)
    return cos, sin


def _covers(reach: int | None, longest: int) -> bool:
    return reach is None or reach >= longest - 1


def _normalise_heads(heads: Tensor, norm: Any) -> None:
    if norm is not None:
        heads.copy_(normalised(heads, norm))


def varlen_fits(qkv: Tensor) -> bool:
    """Whether torch's variable-length attention takes these: half precision, Ampere or later, heads of a multiple of 8 to 256."""
    import torch

    if qkv.device.type != "cuda" or qkv.element_size() != 2 or qkv.shape[-1] % 8 or qkv.shape[-1] > 256:
        return False
    return torch.cuda.get_device_capability(qkv.device) >= (8, 0) and _varlen_is_known()


def varlen(qkv: Tensor, heads: int, layout: Layout, reach: tuple[int | None, int | None]) -> Tensor:
    """(tokens, heads, width) by torch's variable-length attention: every row in one launch, no padding."""
    from torch.nn.attention.varlen import varlen_attn

    shared = (qkv.shape[1] - heads) // 2
    q, k, v = (part.contiguous() for part in qkv.split((heads, shared, shared), dim=1))
    starts = layout.starts.int()
    window = tuple(-1 if side is None else side for side in reach)
    return varlen_attn(q, k, v, starts, starts, layout.longest, layout.longest, window_size=window, enable_gqa=shared != heads)
