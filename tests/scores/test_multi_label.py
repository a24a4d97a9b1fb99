"""MultiLabelScores: each label a question of its own; losses, predictions and the worst label of every row."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from loss_widget.data.examples import read_examples
from loss_widget.data.label_sets import LabelSets, align_label_sets
from loss_widget.data.losses import binary_losses
from loss_widget.scores.multi_label import MultiLabelScores
from loss_widget.scores.scores import SCORE_COLUMNS, Scores

NAMES = ["joy", "anger", "fear"]
SETS = [["joy"], ["anger", "fear"], [], None]
LOGITS = np.array([[3, -2, -4], [2, 1, 3], [-1, -2, -3], [0.5, -1, -1]], dtype=np.float64)
FORMS = {
    "names": SETS,
    "ids": [[0], [1, 2], [], None],
    "vectors": [[1, 0, 0], [0, 1, 1], [0, 0, 0], None],
}


def log_sigmoid(logits: np.ndarray) -> np.ndarray:
    return -np.logaddexp(0, -logits)


def frame(sets=SETS) -> pd.DataFrame:
    return pd.DataFrame(
        {"text": ["yay", "grr", "hm", "?"], "label": pd.Series(sets, dtype=object).to_numpy()}, index=[7, 7, 8, 9]
    )


def judged(data: pd.DataFrame, logits: np.ndarray = LOGITS, log_probs: np.ndarray | None = None) -> MultiLabelScores:
    examples = read_examples(data, head="sigmoid")
    log_probs = log_sigmoid(logits) if log_probs is None else log_probs
    scores = Scores.from_pass(examples, align_label_sets(examples.given, NAMES), log_probs)
    assert isinstance(scores, MultiLabelScores)
    return scores


def test_the_loss_is_the_mean_of_the_binary_cross_entropies():
    scores = judged(frame())
    on = np.array([[1, 0, 0], [0, 1, 1], [0, 0, 0]])
    expected = np.where(on, np.logaddexp(0, -LOGITS[:3]), np.logaddexp(0, LOGITS[:3]))
    np.testing.assert_allclose(scores.label_losses[:3], expected, rtol=1e-6)
    np.testing.assert_allclose(scores.losses[:3], expected.mean(axis=1), rtol=1e-6)
    np.testing.assert_array_equal(scores.frame["loss"], scores.losses)
    assert np.isnan(scores.losses[3])
    assert scores.frame["score_note"].tolist() == ["", "", "", "no label"]
    assert list(scores.frame) == ["text", "label", *SCORE_COLUMNS, "worst_label"]


@given(
    arrays.arrays(np.float32, st.tuples(st.integers(1, 5), st.just(3)), elements=st.floats(-80, 80, width=32)),
    st.integers(0, 2**32 - 1),
)
def test_losses_from_log_sigmoids_are_exact_over_the_whole_range(logits, seed):
    on = np.random.default_rng(seed).integers(0, 2, logits.shape)
    exact = logits.astype(np.float64)
    plain = np.where(on, np.logaddexp(0, -exact), np.logaddexp(0, exact))
    np.testing.assert_allclose(binary_losses(log_sigmoid(exact).astype(np.float32), on), plain, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("form", FORMS)
def test_predictions_are_written_as_the_label_column_writes_its_sets(form):
    scores = judged(frame(FORMS[form]))
    told = {
        "names": [["joy"], NAMES, [], ["joy"]],
        "ids": [[0], [0, 1, 2], [], [0]],
        "vectors": [[1, 0, 0], [1, 1, 1], [0, 0, 0], [1, 0, 0]],
    }
    assert scores.frame["predicted_label"].tolist() == told[form]


def test_the_worst_label_is_named_with_what_the_model_would_do():
    logits = LOGITS.copy()
    logits[0, 0] = -3
    scores = judged(frame(), logits)
    assert scores.worst_label.tolist()[:3] == ["-joy", "+joy", "+joy"]
    assert scores.worst_label.isna().tolist() == [False, False, False, True]
    assert scores.frame["worst_label"].isna().tolist() == [False, False, False, True]
    assert scores.worst_label.index.tolist() == [7, 7, 8, 9]


def test_the_two_probabilities_are_equal_where_the_sets_are():
    scores = judged(frame())
    same = [True, False, True]
    equal = np.isclose(scores.frame["label_prob"], scores.frame["predicted_prob"])[:3]
    assert equal.tolist() == same
    assert (scores.frame["predicted_prob"] >= scores.frame["label_prob"].fillna(0)).all()
    np.testing.assert_allclose(scores.frame["label_prob"][:3], np.exp(-scores.losses[:3]))
    assert scores.provenance["accuracy"] == pytest.approx(2 / 3, abs=1e-4)
    assert scores.provenance["micro_f1"] == pytest.approx(2 * 3 / 7, abs=1e-4)


def test_top_and_the_representation_speak_in_names():
    scores = judged(frame(FORMS["ids"]).assign(label=FORMS["names"]))
    top = scores.top(2)
    assert top["label"].tolist() == [["anger", "fear"], []]
    assert top["predicted_label"].tolist() == [NAMES, []]
    assert top["worst_label"].tolist() == ["+joy", "+joy"]
    assert top["loss"].is_monotonic_decreasing
    assert "MultiLabelScores: 4 rows, 3 labels ('joy', 'anger', 'fear')" in repr(scores)
    assert "agrees with 66.7%" in repr(scores)


def test_a_row_without_a_finite_answer_has_no_loss_and_says_so():
    log_probs = log_sigmoid(LOGITS)
    log_probs[1, 2] = np.nan
    scores = judged(frame(), log_probs=log_probs)
    assert np.isnan(scores.losses[1])
    assert scores.frame["predicted_label"].tolist()[1] is None
    assert "no finite answer" in scores.frame["score_note"].tolist()[1]


def test_scoring_again_replaces_our_columns():
    once = judged(frame())
    again = judged(once.frame)
    pd.testing.assert_frame_equal(again.frame, once.frame)


@pytest.mark.parametrize("form", FORMS)
def test_saved_scores_come_back_whole(tmp_path, form):
    scores = judged(frame(FORMS[form]))
    back = Scores.load(scores.save(tmp_path / "s.parquet"))
    assert isinstance(back, MultiLabelScores)
    pd.testing.assert_frame_equal(back.frame, scores.frame)
    np.testing.assert_array_equal(back.given_sets, scores.given_sets)
    np.testing.assert_array_equal(back.given_ids, scores.given_ids)
    np.testing.assert_array_equal(back.label_losses, scores.label_losses)
    assert isinstance(back.labels.space, LabelSets)
    assert isinstance(scores.labels.space, LabelSets)
    assert (back.labels.space.vector, back.labels.space.one) == (scores.labels.space.vector, scores.labels.space.one)
    assert back.provenance == scores.provenance
    pd.testing.assert_frame_equal(back.top(), scores.top())
