"""The little review that the tests in real notebooks work on, as notebook cells, and what is true of it.

Sixty rows; row i is labelled NAMES[i % 4], and its most probable other label is the next name.
"""

from __future__ import annotations

import ast

NAMES = ["Business", "Sci/Tech", "Sports", "World"]
TOP = 35  # the row with the highest loss

SETUP = """
import os, time
import numpy as np, pandas as pd
import loss_widget as lw

names = ["Business", "Sci/Tech", "Sports", "World"]
rows = np.arange(60)
given = rows % 4
probs = np.zeros((60, 4))
probs[rows, given] = 0.02 + 0.9 * ((rows * 17 + 5) % 60) / 60
for step, share in enumerate([0.6, 0.3, 0.1], start=1):
    probs[rows, (given + step) % 4] = share * (1 - probs[rows, given])
texts = [f"headline {i} <b>not bold</b>" for i in rows]
df = pd.DataFrame({"text": texts, "label": [names[i] for i in given]})
"""
SCORE = "scores = lw.Scores.from_probs(df, probs, label_names=names)\n"
SHOW = "widget = lw.LossWidget(scores)\nwidget"
LABELS = "print(widget.df['label'].tolist())"


def given_label(row: int) -> str:
    return NAMES[row % 4]


def best_other(row: int) -> str:
    """The label that a click gives the row."""
    return NAMES[(row + 1) % 4]


def parse(printed: str) -> list[str]:
    """What the cell LABELS printed, as a list."""
    labels: list[str] = ast.literal_eval(printed)
    return labels
