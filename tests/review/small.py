"""Small reviews for the tests: 12 rows, 3 labels, some texts twice."""

from __future__ import annotations

import numpy as np
import pandas as pd

from loss_widget.scores.scores import Scores

NAMES = ["bad", "good", "meh"]
TEXTS = ["fine", "awful", "so so", "great", "fine", "boring", "fine", "ÄRGER", "ok", "", "dull", "great"]
LABELS = ["good", "good", "meh", "good", "good", "bad", "bad", "bad", "meh", "good", "good", "good"]


def make_frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({"text": TEXTS, "label": LABELS, "age": rng.integers(1, 99, 12)})


def make_scores(frame: pd.DataFrame | None = None) -> Scores:
    frame = make_frame() if frame is None else frame
    keys = {text: i for i, text in enumerate(dict.fromkeys(TEXTS))}
    rng = np.random.default_rng(1)
    by_text = rng.dirichlet(np.ones(3), len(keys))
    return Scores.from_probs(frame, by_text[[keys[t] for t in frame["text"]]], label_names=NAMES, in_sample=False)
