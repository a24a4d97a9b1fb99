"""precision="fast": bfloat16 for all rows, float32 for those that a reviewer reaches, and which rows these are."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from typing import Any

import numpy as np

REACHED_SHARE, REACHED_AT_LEAST = 0.05, 100
_SPOT_ROWS = 64
_SAFETY = 2.0
FEWEST_ROWS = 2 * (REACHED_AT_LEAST + _SPOT_ROWS)
"""Of fewer rows, more than half would be read twice."""


def why_exact(rows: int, devices: Sequence[Any]) -> str:
    """Why so many rows are better read in float32 alone on these devices; "" where bfloat16 first is faster."""
    if not all(map(has_bfloat16, devices)):
        return f"{devices[0]} has no bfloat16 in hardware"
    return "so few rows are as fast" if rows < FEWEST_ROWS else ""


def has_bfloat16(device: Any) -> bool:
    """Whether `device` multiplies bfloat16 matrices in hardware; where it does not, they are slower than float32."""
    import torch

    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return False
    if platform.machine().lower() in ("arm64", "aarch64"):
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    flags = (getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return any(flag() for flag in flags if flag is not None)


def rows_to_read(rough: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """Rows to read in float32 next, until there are none: then the highest losses, 5 % of all and 100 at least, are exact.

    `rough` (n,): losses from bfloat16, NaN where there is no label and infinite where there was no finite answer; `exact` (n,):
    losses from float32, NaN where not read yet and -inf where that has no finite answer either. The
    first answer is the top by `rough` and a few rows drawn from the rest. After that a row is read when its loss, moved by twice
    the greatest difference seen, could still be among the highest.

    >>> rough = np.linspace(0, 1, 1000)
    >>> first = rows_to_read(rough, np.full(1000, np.nan))
    >>> exact = np.full(1000, np.nan)
    >>> exact[first] = rough[first] - 0.002
    >>> rows_to_read(rough, exact).tolist()
    [895, 896, 898, 899]
    """
    open_rows = ~np.isnan(rough) & np.isnan(exact)
    if not np.isfinite(exact).any():
        order = np.argsort(-np.where(open_rows, rough, -np.inf), kind="stable")[: open_rows.sum()]
        reach = _reach(rough)
        rest = np.random.default_rng(0).permutation(order[reach:])
        return np.sort(np.concatenate([order[:reach], rest[:_SPOT_ROWS]]))
    return np.flatnonzero(open_rows & (rough + _SAFETY * greatest_difference(rough, exact) >= exact_from(rough, exact)))


def exact_from(rough: np.ndarray, exact: np.ndarray) -> float:
    """The loss from which on rows are exact, once there is nothing more to read: the last of those that a reviewer reaches."""
    known = exact[np.isfinite(exact)]
    reach = _reach(rough)
    return float(np.partition(known, len(known) - reach)[len(known) - reach]) if len(known) > reach else -np.inf


def _reach(rough: np.ndarray) -> int:
    return max(REACHED_AT_LEAST, int(np.ceil(REACHED_SHARE * np.isfinite(rough).sum())))


def greatest_difference(rough: np.ndarray, exact: np.ndarray) -> float:
    """The largest absolute difference of a loss where both are known; 0 where none is."""
    both = np.isfinite(rough) & np.isfinite(exact)
    return float(np.abs(rough[both] - exact[both]).max(initial=0.0))
