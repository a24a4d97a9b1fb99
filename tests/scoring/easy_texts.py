"""Texts of two subjects that the smallest model tells apart."""

from __future__ import annotations

import numpy as np
import pandas as pd

SUBJECTS = {"money": ["market", "bank", "shares", "trade", "oil prices"], "sport": ["goals", "match", "coach", "team", "games"]}


def easy(rows: int = 80) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    made = []
    for i in range(rows):
        label = ["money", "sport"][i % 2]
        words = rng.choice(SUBJECTS[label], size=3)
        made.append({"text": f"the {words[0]} and the {words[1]} after {words[2]} {i}", "label": label})
    return pd.DataFrame(made)
