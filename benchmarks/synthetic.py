"""Labelled rows by the million, made in Arrow within seconds: 40 words and a number of its own each, ten labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

WORDS = (
    "the of to and in a is it you that he was for on are with as his they be at one have this from or had by hot word but "
    "what some we can out other were all there when up use your how said an each she market oil stocks team game space"
).split()
COMMON = WORDS[-6:]
LABELS = 10
NAMES = [f"class {i}" for i in range(LABELS)]
_SENTENCES = 20_000


def make_frame(rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    sentences = pa.array([" ".join(rng.choice(WORDS, 40)) for _ in range(min(rows, _SENTENCES))], pa.large_string())
    numbers = np.arange(rows)
    own = pa.array(numbers).cast(pa.large_string())
    texts = pc.binary_join_element_wise(sentences.take(pa.array(numbers % len(sentences))), own, pa.scalar(" ", own.type))
    return pa.table({"text": texts, "label": rng.integers(0, LABELS, rows)}).to_pandas()


def make_scores(rows: int) -> Any:
    """Scores of `make_frame(rows)`, from probabilities drawn at random."""
    import loss_widget as lw

    probs = np.random.default_rng(1).dirichlet(np.ones(LABELS) * 0.3, rows).astype(np.float32)
    return lw.Scores.from_probs(make_frame(rows), probs, label_names=NAMES)


def resident_bytes() -> int:
    """The memory of this process, garbage and what the allocators hold in reserve aside."""
    import ctypes
    import gc

    import psutil

    gc.collect()
    pa.default_memory_pool().release_unused()
    getattr(ctypes.CDLL(None), "malloc_trim", lambda _: None)(0)
    return int(psutil.Process().memory_info().rss)
