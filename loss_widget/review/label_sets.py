"""Multi-label Scores as a review that can be read: each set of labels that occurs is a label of its own, "joy, anger"."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from loss_widget.examples import column_position, read_texts
from loss_widget.labels import NO_LABEL
from loss_widget.multi_label import MultiLabelScores
from loss_widget.review.frame import FrameLabels
from loss_widget.review.table import ReviewTable

READ_ONLY = "Sets of labels (a multi-label model) can be read here but not changed yet: correct them in the DataFrame."
NO_LABEL_ON = "(none)"
"""The name of the empty set."""


def of_label_sets(scores: MultiLabelScores, frame: pd.DataFrame) -> tuple[ReviewTable, FrameLabels]:
    """The table and the label column of multi-label Scores; the column is never written to."""
    sets = np.concatenate([scores.given_sets, scores.predicted_sets])
    ids, first_rows, names = _numbered(sets, scores.label_names)
    given, predicted = np.split(ids, 2)
    column = scores.frame
    table = ReviewTable(
        frame=frame,
        texts=scores.texts,
        pair_texts=scores.pair_texts,
        keys=scores.keys,
        given=given.copy(),
        predicted=predicted,
        loss=column["loss"].to_numpy(dtype=np.float32).copy(),
        label_prob=column["label_prob"].to_numpy(dtype=np.float32).copy(),
        predicted_prob=column["predicted_prob"].to_numpy(dtype=np.float32),
        log_probs=None,
        label_names=names,
        score_notes=read_texts(column, "score_note")[0],
    )
    own = column.iloc[:, column_position(column, scores.label)]
    written = pd.concat([own, column["predicted_label"]], ignore_index=True)
    labels = FrameLabels(
        frame,
        text=scores.text,
        label=scores.label,
        values=[written.iloc[row] for row in first_rows],
        aliases={},
        keys=scores.keys,
        read_only=READ_ONLY,
    )
    return table, labels


def _numbered(sets: np.ndarray, label_names: Sequence[str]) -> tuple[np.ndarray, list[int], list[str]]:
    """Each row's set as an id, -1 where there is none; for each id the first row that has it, and its name."""
    rows = np.flatnonzero(sets[:, 0] >= 0)
    bits, first, number = np.unique(np.packbits(sets[rows] > 0, axis=1), axis=0, return_index=True, return_inverse=True)
    on = np.unpackbits(bits, axis=1, count=len(label_names))
    said = [", ".join(label_names[j] for j in np.flatnonzero(row).tolist()) or NO_LABEL_ON for row in on]
    names = sorted(set(said))
    place = {name: i for i, name in enumerate(names)}
    first_rows = dict(zip(said, rows[first].tolist(), strict=True))
    ids = np.full(len(sets), NO_LABEL, dtype=np.int32)
    ids[rows] = np.array([place[name] for name in said], dtype=np.int32)[number.reshape(-1)]
    return ids, [first_rows[name] for name in names], names
