"""example(): a small judged dataset that ships with the package, to try the grid on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from loss_widget.scores.scores import Scores

FILE = Path(__file__).with_name("bank_cards.parquet")
ABOUT = b"loss_widget.example"
"""The key of the file's metadata: label names in the order of `probs`, and where the probabilities come from."""


def example() -> Scores:
    """928 questions to a bank about its cards, each label judged by a classifier that never saw it.

    They are the rows of BANKING77's training split (Casanueva et al. 2020, CC BY 4.0) under eight intents, with the columns
    `text` and `label`. `notebooks/make_example.py` made the probabilities with `lw.cross_score` and all-MiniLM-L6-v2. Nothing is
    downloaded, and neither torch nor transformers is needed.

    >>> scores = example()
    >>> scores.top(1)[["text", "label", "predicted_label"]].values.tolist()
    [['Can you tell me the status of my new card?', 'lost_or_stolen_card', 'card_arrival']]
    """
    table = pq.read_table(FILE)
    about = json.loads(table.schema.metadata[ABOUT])
    probs = np.stack(table.column("probs").to_numpy())
    frame = table.drop_columns(["probs"]).to_pandas()
    scores = Scores.from_probs(frame, probs, label_names=about["label_names"], in_sample=False)
    scores.provenance |= about["provenance"]
    return scores
