"""Where the rows of a packed batch lie: spans of rows that attention can take at once, and each token's position."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Tensor = Any


@dataclass(frozen=True)
class Span:
    """`rows` neighbouring rows of `longest` tokens at most, from `first_row` and `first_token` on, `tokens` in all.

    Where lengths differ, `lengths` is (rows,) and `places` (tokens,) says where in a (rows, longest) grid each token belongs;
    else both are None and the span is a plain view.
    """

    first_row: int
    rows: int
    first_token: int
    tokens: int
    longest: int
    lengths: Tensor | None = None
    places: Tensor | None = None

    def grid(self, packed: Tensor) -> Tensor:
        """(all tokens, …) → this span's (rows, longest, …), zeros beyond a row's end."""
        own = packed[self.first_token : self.first_token + self.tokens]
        if self.places is None:
            return own.unflatten(0, (self.rows, self.longest))
        filled = own.new_zeros((self.rows * self.longest, *own.shape[1:]))
        filled[self.places] = own
        return filled.unflatten(0, (self.rows, self.longest))

    def write(self, grid: Tensor, packed: Tensor) -> None:
        """This span's (rows, longest, …) into its tokens of (all tokens, …)."""
        own = packed[self.first_token : self.first_token + self.tokens]
        if self.places is None:
            own.unflatten(0, (self.rows, self.longest)).copy_(grid)
        else:
            own.copy_(grid.flatten(0, 1)[self.places])


@dataclass(frozen=True)
class Layout:
    """A packed batch: its `spans`, each token's place in its row, `starts` (rows + 1,) on the device, lengths (rows,) here."""

    spans: tuple[Span, ...]
    positions: Tensor
    starts: Tensor
    lengths: np.ndarray
    _made: dict[Any, Any] = field(default_factory=dict)

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """What all layers need alike, made by the first that asks."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    @property
    def longest(self) -> int:
        """Tokens of the longest row, which is the first."""
        return int(self.lengths[0])

    def at(self, reads: str) -> Tensor:
        """(rows,) the token of each row that is read, "first" or "last"."""
        return self.starts[:-1] if reads == "first" else self.starts[1:] - 1

    def mean(self, packed: Tensor) -> Tensor:
        """(all tokens, width) → (rows, width) float32, the mean over each row's tokens."""
        import torch

        counts = torch.from_numpy(self.lengths).to(packed.device)
        row = torch.repeat_interleave(torch.arange(len(counts), device=packed.device), counts, output_size=len(packed))
        total = torch.zeros((len(counts), packed.shape[1]), dtype=torch.float32, device=packed.device)
        return total.index_add_(0, row, packed.float()) / counts[:, None]


def layout(lengths: np.ndarray, device: Any, *, slack: float = 0.0) -> Layout:
    """The layout of rows of these lengths, longest first.

    `slack`: the share of padding that a span may hold. On a processor 0, since a span costs next to nothing there; on a GPU each
    span costs kernel launches.

    >>> [(span.rows, span.longest) for span in layout(np.array([7, 5, 5, 2]), "cpu").spans]
    [(1, 7), (2, 5), (1, 2)]
    >>> [(span.rows, span.longest) for span in layout(np.array([7, 5, 5, 2]), "cpu", slack=0.3).spans]
    [(3, 7), (1, 2)]
    """
    import torch

    starts = np.concatenate([[0], np.cumsum(lengths)])
    positions = np.arange(starts[-1]) - np.repeat(starts[:-1], lengths)
    return Layout(
        tuple(_spans(lengths, starts, positions, device, slack)),
        torch.from_numpy(positions).to(device),
        torch.from_numpy(starts).to(device),
        lengths,
    )


def _spans(lengths: np.ndarray, starts: np.ndarray, positions: np.ndarray, device: Any, slack: float) -> Iterator[Span]:
    import torch

    row = 0
    while row < len(lengths):
        longest = int(lengths[row])
        end = row + int(np.count_nonzero(lengths[row:] >= (1 - slack) * longest))
        first, last = int(starts[row]), int(starts[end])
        padded = last - first < (end - row) * longest
        within = np.repeat(np.arange(end - row), lengths[row:end]) * longest + positions[first:last] if padded else None
        yield Span(
            first_row=row,
            rows=end - row,
            first_token=first,
            tokens=last - first,
            longest=longest,
            lengths=torch.from_numpy(lengths[row:end]).to(device) if padded else None,
            places=None if within is None else torch.from_numpy(within).to(device),
        )
        row = end
