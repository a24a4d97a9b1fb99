"""What makes Scores, as plain data: what is read from disk and written to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from loss_widget.data.contents import ContentColumns, Contents
from loss_widget.data.label_space import AlignedLabels


@dataclass(frozen=True)
class ScoresState:
    """`frame`: the caller's columns and those of the scores, whose names are `columns`. `contents`: what its rows show, of the
    columns `shown`. `labels`: those that were judged. `log_probs`: (n, classes) float32. `keys`: (n,) uint64 content keys."""

    frame: pd.DataFrame
    shown: ContentColumns
    label: str
    contents: Contents
    labels: AlignedLabels
    log_probs: np.ndarray
    keys: np.ndarray
    columns: tuple[str, ...]
    provenance: dict[str, Any]
