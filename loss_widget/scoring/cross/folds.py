"""Who judges whom: folds that are stratified by label and keep equal contents together."""

from __future__ import annotations

import numpy as np

from loss_widget.data.examples import Examples
from loss_widget.data.label_space import NO_LABEL, AlignedLabels
from loss_widget.data.texts import Texts
from loss_widget.errors import DataError, InputError


def assign_folds(label_ids: np.ndarray, groups: np.ndarray, *, folds: int, seed: int) -> np.ndarray:
    """(n,) int: a fold for each row, rows of one group together, each label spread evenly over the folds.

    `label_ids`, `groups`: (n,) integers. A group counts for the label of its first row. Linear in n, seeded.

    >>> assign_folds(np.array([0, 0, 1, 1]), np.array([0, 1, 2, 3]), folds=2, seed=0).tolist()
    [0, 1, 0, 1]
    """
    _, first, group_of = np.unique(groups, return_index=True, return_inverse=True)
    shuffled = np.random.default_rng(seed).permutation(len(first))
    by_label = shuffled[np.argsort(label_ids[first][shuffled], kind="stable")]
    fold_of_group = np.empty(len(first), dtype=np.int64)
    fold_of_group[by_label] = np.arange(len(first)) % folds
    fold_of: np.ndarray = fold_of_group[group_of]
    return fold_of


def unlearned(labels: AlignedLabels, fold_of: np.ndarray) -> dict[int, str]:
    """A note for each row whose label no row of another fold has."""
    notes: dict[int, str] = {}
    for code in np.unique(labels.codes[labels.codes != NO_LABEL]).tolist():
        rows = np.flatnonzero(labels.codes == code)
        if len(np.unique(fold_of[rows])) == 1:
            said = f"no row of another fold is labelled {labels.names[code]!r}, so that it could not be learned"
            notes |= dict.fromkeys(rows.tolist(), f"{said}: the loss says little")
    return notes


def check_folds(folds: int, labels: AlignedLabels) -> None:
    """Refuse fewer than two labels to tell apart, and folds that are not from 2 to the number of labelled rows."""
    found = np.unique(labels.codes[labels.codes != NO_LABEL])
    if len(found) < 2:
        raise DataError(f"Expected rows of at least two labels to tell apart, found {len(found)} in use. Check the label column.")
    labelled = int((labels.codes != NO_LABEL).sum())
    if isinstance(folds, bool) or not isinstance(folds, int) or not 2 <= folds <= labelled:
        possible = f"from 2 to {labelled}" if labelled > 2 else "= 2"
        raise InputError(f"Expected folds {possible}, the number of labelled rows, found {folds!r}.")


def groups_of_texts(examples: Examples) -> np.ndarray:
    """(n,) integers, equal where the text (both texts of a pair) is the same."""
    groups = np.zeros(len(examples), dtype=np.int64)
    for words in Texts.of(examples.contents).columns:
        groups = groups * len(examples) + np.asarray(words.combine_chunks().dictionary_encode().indices)
    return groups


def first_of_each(groups: np.ndarray) -> np.ndarray:
    """(n,) int: for each row the first row of its group.

    >>> first_of_each(np.array([7, 3, 7])).tolist()
    [0, 1, 0]
    """
    _, first, group_of = np.unique(groups, return_index=True, return_inverse=True)
    rows: np.ndarray = first[group_of]
    return rows
