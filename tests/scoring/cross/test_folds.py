"""Folds: equal texts together, labels spread evenly."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from loss_widget.scoring.cross.folds import assign_folds


@given(
    st.lists(st.tuples(st.integers(-1, 4), st.integers(0, 30)), min_size=5, max_size=200),
    st.integers(2, 5),
    st.integers(0, 2**32 - 1),
)
def test_folds_keep_groups_together_and_labels_apart(rows: list[tuple[int, int]], folds: int, seed: int) -> None:
    labels, groups = np.array(rows).T
    fold_of = assign_folds(labels, groups, folds=folds, seed=seed)
    assert ((fold_of >= 0) & (fold_of < folds)).all()
    np.testing.assert_array_equal(fold_of, assign_folds(labels, groups, folds=folds, seed=seed))
    for group in np.unique(groups):
        assert len(set(fold_of[groups == group])) == 1
    _, first = np.unique(groups, return_index=True)
    for label in np.unique(labels[first]):
        counts = np.bincount(fold_of[first][labels[first] == label], minlength=folds)
        assert counts.max() - counts.min() <= 1
