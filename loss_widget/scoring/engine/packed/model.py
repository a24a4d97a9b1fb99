"""The forward pass over packed tokens: no padding, and a last layer for the one position that the head reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from loss_widget.scoring.engine.packed.anatomy import Affine, Anatomy, Block, Embedding, Head
from loss_widget.scoring.engine.packed.attention import Attention, ReadAttention
from loss_widget.scoring.engine.packed.families import anatomy_of
from loss_widget.scoring.engine.packed.layout import Layout, layout
from loss_widget.scoring.engine.packed.linears import Linear, activated, bytes_beside, normalised

Tensor = Any
_SLACK_ON_A_GPU = 0.125


class PackedModel:
    """A transformers classifier as a function of packed tokens: `PackedModel.of(model)(ids, types, lengths)` → logits.

    Of an encoder without a head the answers are the means of each row's last hidden states, (rows, width).

    `ids` int64 (tokens,), rows one after the other, longest first; `types` int64 (tokens,) or None; `lengths` (rows,). The answer
    is float32 (rows, labels), row by row what the model itself says in evaluation mode. Weights are shared with the model where
    they can be used as they are; the model is never changed. `linears`: "prepacked" where oneDNN's are in use, else "plain".

    >>> import torch
    >>> from transformers import AutoModelForSequenceClassification
    >>> packed = PackedModel.of(AutoModelForSequenceClassification.from_pretrained("notebooks/models/banking77-tiny-bert"))
    >>> packed(torch.tensor([2, 7, 8, 3, 2, 9, 3]), None, [4, 3]).shape
    torch.Size([2, 77])
    """

    def __init__(self, anatomy: Anatomy, *, dtype: Any) -> None:
        self._anatomy = anatomy
        last = len(anatomy.blocks) - 1
        self._embed = _Embedder(anatomy.embedding, dtype=dtype)
        self._layers = [
            _Layer(block, anatomy, dtype=dtype, reads=i == last and anatomy.reads != "mean")
            for i, block in enumerate(anatomy.blocks)
        ]
        self._head = None if anatomy.head is None else _HeadReader(anatomy.head, dtype=dtype)
        products = [linear for layer in self._layers for linear in layer.linears]
        self.linears = "prepacked" if any(linear.prepacked for linear in products) else "plain"

    @classmethod
    def of(cls, model: Any, *, dtype: Any = None) -> PackedModel:
        """This model rebuilt in `dtype` (default float32) on its own device. Raises `NotPacked` with the reason."""
        import torch

        with torch.no_grad():
            return cls(anatomy_of(model), dtype=torch.float32 if dtype is None else dtype)

    def __call__(self, ids: Tensor, types: Tensor | None, lengths: Sequence[int] | np.ndarray) -> Tensor:
        import torch

        counts = np.asarray(lengths, dtype=np.int64)
        with torch.inference_mode():
            ignored = self._anatomy.ignored_at_end
            if ignored is None or not bool((ids == ignored).any()):
                return self._logits(ids, types, counts)
            kept, order, shorter = _without_ends(ids, counts, ignored)
            logits = self._logits(ids[kept], None if types is None else types[kept], shorter)
            return logits[torch.from_numpy(np.argsort(order)).to(logits.device)]

    def _logits(self, ids: Tensor, types: Tensor | None, lengths: np.ndarray) -> Tensor:
        anatomy = self._anatomy
        batch = layout(lengths, ids.device, slack=0.0 if ids.device.type == "cpu" else _SLACK_ON_A_GPU)
        x = self._embed(ids, types, batch)
        for layer in self._layers:
            x = layer(x, batch)
        if anatomy.final_norm is not None:
            x = normalised(x, anatomy.final_norm)
        read = batch.mean(x) if anatomy.reads == "mean" else x
        return read.float() if self._head is None else self._head(read)


def bytes_needed(model: Any, dtype: Any) -> int:
    """Bytes that `PackedModel.of(model, dtype=dtype)` takes beside the model itself. Raises `NotPacked`."""
    anatomy = anatomy_of(model)
    device = anatomy.embedding.words.device
    return sum(bytes_beside(affine, dtype, device) for affine in _affines(anatomy))


class _Layer:
    """One layer: attention and feed-forward, each with its residual in float32. `reads`: only the read position comes out."""

    def __init__(self, block: Block, anatomy: Anatomy, *, dtype: Any, reads: bool) -> None:
        self._block, self._anatomy, self._reads = block, anatomy, reads
        self._attention = (ReadAttention if reads else Attention)(block, anatomy, dtype=dtype)
        self._out = Linear(block.out, dtype=dtype)
        self._up = Linear(block.up, dtype=dtype, activation=None if anatomy.gated else anatomy.activation)
        self._down = Linear(block.down, dtype=dtype)
        self.linears = (*self._attention.linears, self._out, self._up, self._down)

    def __call__(self, x: Tensor, batch: Layout) -> Tensor:
        block, norm_first = self._block, self._anatomy.norm_first
        source = normalised(x, block.attention_norm) if norm_first and block.attention_norm is not None else x
        if self._reads:
            x = x[batch.at(self._anatomy.reads)]
        x = _added(self._out(self._attention(source, batch)), x)
        if norm_first:
            return _added(self._feed_forward(normalised(x, block.mlp_norm)), x)
        if block.attention_norm is not None:
            x = normalised(x, block.attention_norm)
        return normalised(_added(self._feed_forward(x), x), block.mlp_norm)

    def _feed_forward(self, x: Tensor) -> Tensor:
        hidden = self._up(x)
        if self._anatomy.gated:
            gate, value = hidden.chunk(2, dim=-1)
            hidden = activated(gate.contiguous(), self._anatomy.activation).mul_(value)
        return self._down(hidden)


class _Embedder:
    """Token ids → hidden states, (tokens, width) float32."""

    def __init__(self, embedding: Embedding, *, dtype: Any) -> None:
        self._embedding = embedding
        self._projection = None if embedding.projection is None else Linear(embedding.projection, dtype=dtype)

    def __call__(self, ids: Tensor, types: Tensor | None, batch: Layout) -> Tensor:
        import torch.nn.functional as F

        embedding = self._embedding
        x = F.embedding(ids, embedding.words).float()
        if embedding.types is not None:
            x += embedding.types[0] if types is None else F.embedding(types, embedding.types)
        if embedding.positions is not None:
            x += F.embedding(self._positions(ids, batch), embedding.positions)
        if embedding.norm is not None:
            x = normalised(x, embedding.norm)
        return x if self._projection is None else self._projection(x).float()

    def _positions(self, ids: Tensor, batch: Layout) -> Tensor:
        padding_id = self._embedding.padding_id
        if padding_id is None:
            return batch.positions
        real = (ids != padding_id).long()
        counted = real.cumsum(0)
        before = (counted - real)[batch.starts[:-1]]  # real tokens of the rows before
        row = (batch.positions == 0).cumsum(0) - 1
        return (counted - before[row]) * real + padding_id


class _HeadReader:
    """The vectors that were read → logits in float32."""

    def __init__(self, head: Head, *, dtype: Any) -> None:
        self._norm, self._activation = head.norm, head.activation
        self._dense = None if head.dense is None else Linear(head.dense, dtype=dtype)
        self._labels = Linear(head.labels, dtype=dtype)

    def __call__(self, x: Tensor) -> Tensor:
        if self._dense is not None:
            x = activated(self._dense(x).float(), self._activation)
        return self._labels(x if self._norm is None else normalised(x, self._norm)).float()


def _added(y: Tensor, x: Tensor) -> Tensor:
    """y + x in the type of x, over y where that is the same."""
    return y.add_(x) if y.dtype == x.dtype else x + y


def _without_ends(ids: Tensor, lengths: np.ndarray, ignored: int) -> tuple[Tensor, np.ndarray, np.ndarray]:
    """Rows without the tokens `ignored` at their end, longest first: kept tokens, the rows' order, their lengths.

    Nothing sees what comes after it in these models, so that a head which reads an earlier token never saw them.
    """
    import torch

    starts = np.concatenate([[0], np.cumsum(lengths)])
    real = np.flatnonzero((ids != ignored).cpu().numpy())
    last = np.searchsorted(real, starts[1:]) - 1  # of each row, in `real`; -1 or in an earlier row where it has none
    ends = np.where(last >= 0, real[last] if len(real) else 0, -1) + 1 - starts[:-1]
    shorter = np.maximum(1, ends)
    order = np.argsort(-shorter, kind="stable")
    kept = np.concatenate([np.arange(starts[row], starts[row] + shorter[row]) for row in order])
    return torch.from_numpy(kept).to(ids.device), order, shorter[order]


def _affines(anatomy: Anatomy) -> Iterator[Affine]:
    for i, block in enumerate(anatomy.blocks):
        if i == len(anatomy.blocks) - 1 and anatomy.reads != "mean":
            yield from (block.qkv.part(j) for j in range(3))
        else:
            yield block.qkv
        yield from (block.out, block.up, block.down)
    if anatomy.embedding.projection is not None:
        yield anatomy.embedding.projection
    if anatomy.head is not None:
        yield from (affine for affine in (anatomy.head.dense, anatomy.head.labels) if affine is not None)
