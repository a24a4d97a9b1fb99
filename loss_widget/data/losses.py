"""The arithmetic from log-probabilities and labels to losses and margins."""

from __future__ import annotations

import numpy as np

SMALLEST = np.finfo(np.float32).tiny
"""What a probability of 0 counts as: a loss of 87.3 nats, not infinity."""


def losses(log_probs: np.ndarray, label_ids: np.ndarray) -> np.ndarray:
    """(n,) float32, nats: -log p(label), NaN where the label is missing (id -1) or has no column.

    `log_probs`: (n, n_labels) float32; `label_ids`: (n,) integers. This is the cross-entropy with one-hot targets.

    >>> losses(np.log([[0.25, 0.75], [0.5, 0.5]]), np.array([0, -1])).round(3)
    array([1.386,   nan], dtype=float32)
    """
    known = (label_ids >= 0) & (label_ids < log_probs.shape[1])  # one that was added since is not known to the model
    picked = -log_probs[np.arange(len(label_ids)), np.where(known, label_ids, 0)]
    return np.where(known, picked + 0, np.nan).astype(np.float32)  # + 0: a probability of 1 has no loss of -0.0


def log_softmax(scores: np.ndarray) -> np.ndarray:
    """(n, n_labels) log-probabilities of log-odds, in their own type.

    >>> np.exp(log_softmax(np.array([[1000.0, 1000.0]])))
    array([[0.5, 0.5]])
    """
    shifted = scores - scores.max(axis=1, keepdims=True)
    logs: np.ndarray = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return logs


def binary_losses(log_probs: np.ndarray, on: np.ndarray) -> np.ndarray:
    """(n, n_labels) float32, nats: the binary cross-entropy of each label of a multi-label model, NaN where `on` is -1.

    `log_probs`: (n, n_labels) float32, log p(label is on); `on`: (n, n_labels), 1 on, 0 off. A probability of 1 for a label that
    is off counts as 1 - 1.2e-38: a loss of 87.3 nats.

    >>> binary_losses(np.log([[0.75, 0.25]]), np.array([[1, 1]])).round(3)
    array([[0.288, 1.386]], dtype=float32)
    """
    own = np.where(on == 1, log_probs, _log_of_rest(log_probs))
    return np.where(on < 0, np.nan, 0 - own).astype(np.float32)  # 0 -: a probability of 1 has no loss of -0.0


def set_losses(log_probs: np.ndarray, on: np.ndarray) -> np.ndarray:
    """(n,) float32, nats: the mean of each row's `binary_losses`, NaN where `on` is -1."""
    mean: np.ndarray = binary_losses(log_probs, on).mean(axis=1, dtype=np.float64).astype(np.float32)
    return mean


def margins(log_probs: np.ndarray, label_ids: np.ndarray) -> np.ndarray:
    """(n,) float32 in [-1, 1]: p(label) - p(best other label), below 0 where the model disagrees.

    The normalised margin of Wei et al. (2018) as used by Northcutt et al. (2021); NaN where the label is missing.
    """
    label_ids = np.where(label_ids < log_probs.shape[1], label_ids, -1)
    if log_probs.shape[1] < 2:
        return np.full(len(label_ids), np.nan, dtype=np.float32)
    rows = np.arange(len(label_ids))
    probs = np.exp(log_probs)
    own = probs[rows, np.maximum(label_ids, 0)].copy()
    probs[rows, np.maximum(label_ids, 0)] = -np.inf
    return np.where(label_ids >= 0, own - probs.max(axis=1), np.nan).astype(np.float32)


def logit_margins(log_probs: np.ndarray, label_ids: np.ndarray) -> np.ndarray:
    """(n,) float32: the logit of the label less the highest other one, NaN where the label is missing.

    The margin of Pleiss et al. (2020), equation 1. `log_probs` (n, n_labels) differ from the logits by one number a row, which
    drops out.

    >>> logit_margins(np.log([[0.8, 0.2], [0.8, 0.2]]), np.array([0, 1])).round(3)
    array([ 1.386, -1.386], dtype=float32)
    """
    rows, own_label = np.arange(len(label_ids)), np.maximum(label_ids, 0)
    others = log_probs.copy()
    others[rows, own_label] = -np.inf
    return np.where(label_ids >= 0, log_probs[rows, own_label] - others.max(axis=1), np.nan).astype(np.float32)


def adjusted_losses(log_probs: np.ndarray, label_ids: np.ndarray) -> np.ndarray:
    """(n,) float32, nats: the loss after each class's mean self-confidence is taken off, NaN where the label is missing.

    Northcutt, Jiang and Chuang, "Confident learning" (2021), section 3.2: evens out classes that the model is sure or unsure of.
    """
    probs = np.exp(log_probs.astype(np.float64))
    thresholds = np.zeros(probs.shape[1])
    for label in range(probs.shape[1]):
        own = probs[label_ids == label, label]
        own = own[np.isfinite(own)]
        thresholds[label] = own.mean() if len(own) else 0.0
    probs += thresholds.max() - thresholds
    probs /= probs.sum(axis=1, keepdims=True)
    return losses(np.log(np.maximum(probs, SMALLEST)), label_ids)


def _log_of_rest(log_probs: np.ndarray) -> np.ndarray:
    """log(1 - p), exact for small and for large p (Mächler 2012, "Accurately computing log(1 - exp(-|a|))", equation 7)."""
    large = log_probs > -np.log(2.0)
    rest = np.maximum(-np.expm1(log_probs), SMALLEST)
    return np.where(large, np.log(rest), np.log1p(-np.exp(np.where(large, -1.0, log_probs))))
