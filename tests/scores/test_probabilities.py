"""Probabilities from elsewhere: those of the tutorial's file open, those over the wrong axis are refused by name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import loss_widget as lw
from loss_widget.errors import ProbabilityError
from loss_widget.scores.probabilities import log_probs_of

AG_NEWS = ["World", "Sports", "Business", "Sci/Tech"]


def softmax(logits: np.ndarray, axis: int) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def over_batches(rows: int, labels: int, batch: int, *, seed: int = 0, scale: float = 3.0) -> np.ndarray:
    """The tutorial's slip: `softmax(logits, dim=0)` batch by batch."""
    logits = np.random.default_rng(seed).normal(scale=scale, size=(rows, labels))
    return np.concatenate([softmax(logits[i : i + batch], axis=0) for i in range(0, rows, batch)])


@pytest.fixture
def tutorial(tmp_path):
    """JSON lines as the Rubrix tutorial writes them: a list column of probabilities beside text, label and prediction."""
    rng = np.random.default_rng(0)
    probs = softmax(rng.normal(scale=3, size=(200, 4)), axis=1)
    frame = pd.DataFrame(
        {
            "text": [f"news number {i}" for i in range(200)],
            "label": [AG_NEWS[i] for i in rng.integers(0, 4, 200)],
            "prediction": [AG_NEWS[i] for i in probs.argmax(axis=1)],
            "predicted_probas": probs.tolist(),
        }
    )
    path = tmp_path / "predictions.jsonl"
    frame.to_json(path, orient="records", lines=True)
    return path, probs


def test_the_tutorials_file_opens_as_scores_and_in_the_grid(tutorial):
    path, probs = tutorial
    scores = lw.Scores.from_probs(path, "predicted_probas", label_names=AG_NEWS)
    np.testing.assert_allclose(scores.probs, probs, atol=1e-6)
    assert (scores.frame["predicted_label"] == scores.frame["prediction"]).all()
    frame = pd.read_json(path, lines=True)
    with lw.LossWidget(frame, probs="predicted_probas", label_names=AG_NEWS, journal=None) as widget:
        top = widget.page().rows[0]
        assert top.loss == scores.top(1)["loss"].item()
        widget.relabel(top.row, top.predicted_label)
        assert widget.df is frame
        assert frame["label"][top.row] == top.predicted_label
        again = pd.read_json(widget.export(path.with_name("clean.jsonl")), lines=True)
    pd.testing.assert_frame_equal(again, frame)


@pytest.mark.parametrize("batch", [8, 16, 32, 1_000])
@pytest.mark.parametrize("rows", [7_600, 7_590])
def test_a_softmax_over_batches_is_named_with_the_size_of_the_batch(rows, batch):
    with pytest.raises(ProbabilityError, match=rf"sums to 1 in every {batch} rows: the softmax was taken over the batch"):
        log_probs_of(over_batches(rows, 4, batch), rows=rows, labels=4)


def test_a_softmax_over_all_rows_is_named():
    with pytest.raises(ProbabilityError, match="Each column sums to 1: the softmax was taken over the batch"):
        log_probs_of(over_batches(500, 4, 500), rows=500, labels=4)


def test_rows_cut_off_or_sorted_since_do_not_hide_the_wrong_axis():
    probs = over_batches(320, 4, 32)
    with pytest.raises(ProbabilityError, match="sums to 1 in every 32 rows"):
        log_probs_of(probs[:301], rows=301, labels=4)
    with pytest.raises(ProbabilityError, match="sums to 10: the softmax was taken over the batch"):
        log_probs_of(probs[np.argsort(probs[:, 0])], rows=320, labels=4)


@given(st.integers(2, 80), st.integers(2, 12), st.integers(2, 40), st.integers(0, 9))
def test_the_wrong_axis_is_found_for_any_shape_and_batch(rows, labels, batch, seed):
    probs = over_batches(rows, labels, batch, seed=seed).round(6)  # as a file holds them
    if np.abs(probs.sum(axis=1) - 1).max() > 2e-3:
        with pytest.raises(ProbabilityError, match="softmax was taken over the batch"):
            log_probs_of(probs, rows=rows, labels=labels)


@given(st.integers(3, 60), st.integers(2, 12), st.integers(0, 9))
def test_multi_label_probabilities_are_not_taken_for_a_wrong_axis(rows, labels, seed):
    probs = np.random.default_rng(seed).random((rows, labels))
    probs[0] = 0.37  # the columns differ, and none ends at 1
    probs[-1] = 0.9
    with pytest.raises(ProbabilityError, match="independent"):
        log_probs_of(probs, rows=rows, labels=labels)
