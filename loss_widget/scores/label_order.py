"""Whether another order of the label names would fit a model's predictions far better."""

from __future__ import annotations

import warnings

import numpy as np

from loss_widget.data.label_space import AlignedLabels
from loss_widget.errors import LabelMismatch

_FEWEST_ROWS, _MOST_ROWS = 20, 5_000
_SHOWN = 12
_TOO_SURE = 0.2  # so much more probable than right on average: no order of a real model's answers
_CHECK_MODEL = "`model.config.id2label`"


def check_permutation(labels: AlignedLabels, log_probs: np.ndarray, *, check: str = _CHECK_MODEL, stacklevel: int = 3) -> None:
    """Warn, or raise `LabelMismatch`, where another order of the label names fits the predictions far better.

    `log_probs`: (n, n_labels) float32. `check`: what a warning asks to look at. A wrong order turns 90 % accuracy into 4 % and
    fills the top with false errors. The other order is fitted on one half of up to 5,000 rows and counted on the other half, so
    that few rows a label prove nothing.
    """
    labelled = np.flatnonzero(labels.codes >= 0)
    rows = labelled[np.linspace(0, len(labelled) - 1, min(_MOST_ROWS, len(labelled))).astype(int)]
    rows = rows[np.isfinite(log_probs[rows]).all(axis=1)]
    if len(labels.names) < 2 or len(rows) < _FEWEST_ROWS:
        return
    given, predicted = labels.codes[rows], log_probs[rows].argmax(axis=1)
    half = np.arange(len(rows)) % 2 == 0
    read_as = np.empty_like(predicted)
    for fitted in (half, ~half):
        read_as[~fitted] = _best_order(given[fitted], predicted[fitted], len(labels.names))[given[~fitted]]
    if not _far_better(read_as, given, predicted):
        return
    best = _best_order(given, predicted, len(labels.names))
    pairs = [f"{labels.names[i]!r} → {labels.names[best[i]]!r}" for i in np.unique(given) if best[i] != i]
    more = f" … and {len(pairs) - _SHOWN} more" if len(pairs) > _SHOWN else ""
    message = (
        f"Expected the labels in the order of the model's outputs: as they are, {(given == predicted).mean():.0%} of {len(rows)} "
        f"rows agree with the model, but {(read_as == predicted).mean():.0%} would if the labels were read as "
        f"{', '.join(pairs[:_SHOWN])}{more}."
    )
    if not labels.believed:
        raise LabelMismatch(f"{message} Pass `label_names=` or `label_map=` to say which id means what.")
    warnings.warn(f"{message} The names match, so they are believed; check {check}.", stacklevel=stacklevel)


def check_columns(labels: AlignedLabels, log_probs: np.ndarray) -> None:
    """Warn where the columns of probabilities from elsewhere seem to belong to other labels than they are taken for."""
    check_permutation(labels, log_probs, check="that `label_names` has the order of the columns of probs", stacklevel=5)
    rows = np.flatnonzero((labels.codes >= 0) & np.isfinite(log_probs).all(axis=1))
    steps = np.diff(log_probs, axis=1)
    is_sorted = len(rows) >= _FEWEST_ROWS and steps.size and ((steps <= 0).all() or (steps >= 0).all())
    if not is_sorted or (log_probs == log_probs[0]).all():  # a model that says the same of every row has an order, too
        return
    agree = float((log_probs[rows].argmax(axis=1) == labels.codes[rows]).mean())
    sure = float(np.exp(log_probs[rows].max(axis=1)).mean())
    if sure - agree > _TOO_SURE:
        warnings.warn(
            f"In every row the probabilities are sorted by size. {agree:.0%} of the given labels have the highest one, though "
            f"that is {sure:.0%} on average: they seem to be sorted by score, as `pipeline(..., top_k=None)` returns them. Bring "
            "each row into the order of `label_names`, or pass what the pipeline returned as it is.",
            stacklevel=4,
        )


def _far_better(read_as: np.ndarray, given: np.ndarray, predicted: np.ndarray) -> bool:
    """Whether the other order agrees far more often than the present one, beyond chance, and not only by one frequent label."""
    now, other = (given == predicted).mean(), (read_as == predicted).mean()
    if other < 0.5 or other - now < 0.25 or other < 1.5 * now:
        return False
    gain = (read_as == predicted).astype(np.float64) - (given == predicted)
    known = read_as[read_as >= 0]
    labels = max(known.max(), predicted.max()) + 1
    by_chance = np.bincount(known, minlength=labels) @ np.bincount(predicted, minlength=labels) / len(given) ** 2
    kappa = (other - by_chance) / (1 - by_chance) if by_chance < 1 else 0.0
    return bool(gain.mean() > 4 * gain.std() / np.sqrt(len(gain)) and kappa >= 0.4)


def _best_order(given: np.ndarray, predicted: np.ndarray, n_labels: int) -> np.ndarray:
    """(n_labels,) The prediction that each given label goes with, one to one; -1 where no row tells.

    Greedy by count, not the optimal assignment: the same wherever an order is far better, in n log n, and without SciPy.
    """
    pairs, counts = np.unique(given.astype(np.int64) * n_labels + predicted, return_counts=True)
    left, right = np.divmod(pairs, n_labels)
    best, taken = np.full(n_labels, -1), np.zeros(n_labels, dtype=bool)
    for pair in np.lexsort((left != right, -counts)).tolist():  # among equal counts the order as it is comes first
        i, j = left[pair], right[pair]
        if best[i] < 0 and not taken[j]:
            best[i], taken[j] = j, True
    return best
