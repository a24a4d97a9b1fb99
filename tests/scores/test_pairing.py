"""Two tables are never paired without a look: probabilities with rows, their columns with labels, Scores with their frame."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import loss_widget as lw
from loss_widget.errors import DataError, LossWidgetError, ProbabilityError, ReviewError

NAMES = ["negative", "neutral", "positive"]


def judged(rows: int = 300, labels: int = 3, *, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray, list[str]]:
    """Rows, and probabilities of a model that is nearly always right."""
    rng = np.random.default_rng(seed)
    names = NAMES if labels == 3 else [f"label {i}" for i in range(labels)]
    codes = rng.integers(0, labels, rows)
    logits = np.eye(labels)[codes] * 5 + rng.normal(size=(rows, labels))
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return pd.DataFrame({"text": [f"text {i}" for i in range(rows)], "label": [names[i] for i in codes]}), probs, names


@given(st.integers(2, 8), st.randoms(use_true_random=False), st.booleans())
@settings(max_examples=30, deadline=None)
def test_any_other_order_of_the_columns_is_told_wherever_probabilities_come_in(labels, random, into_the_widget):
    frame, probs, names = judged(400, labels)
    order = names.copy()
    random.shuffle(order)
    moved = sum(a != b for a, b in zip(order, names, strict=True))

    def open_on(label_names: list[str]) -> Any:
        if into_the_widget:
            return lw.ReviewSession(frame, probs=probs, label_names=label_names, journal=None)
        return lw.Scores.from_probs(frame, probs, label_names=label_names)

    open_on(names)  # without a word
    if moved > labels / 2:
        with pytest.warns(UserWarning, match="`label_names` has the order of the columns"):
            open_on(order)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("labels", [2, 3, 6])
def test_rows_that_are_sorted_by_score_are_told(labels, sign):
    frame, probs, names = judged(100, labels)
    with pytest.warns(UserWarning, match="sorted by score"):
        lw.Scores.from_probs(frame, sign * np.sort(sign * probs), label_names=names)


def test_a_model_that_says_the_same_of_every_row_is_only_weak():
    frame, _, names = judged()
    lw.Scores.from_probs(frame, np.tile([0.5, 0.3, 0.2], (len(frame), 1)), label_names=names)


@pytest.mark.parametrize("known", [NAMES, None])
def test_what_a_pipeline_returns_goes_by_its_labels(known):
    frame, probs, names = judged(40)
    said = [
        sorted(({"label": n, "score": float(p)} for n, p in zip(names, row, strict=True)), key=lambda s: -s["score"])
        for row in probs
    ]
    scores = lw.Scores.from_probs(frame, said, label_names=known)
    at = [scores.label_names.index(name) for name in names]
    np.testing.assert_allclose(scores.probs[:, at], probs, atol=1e-6)
    with pytest.raises(ProbabilityError, match="top_k=None"):
        lw.Scores.from_probs(frame, [*said[:-1], said[-1][:1]], label_names=known)


@given(st.permutations(range(12)), st.permutations(range(12)), st.sampled_from(["letters", "numbers", "range"]), st.booleans())
@settings(deadline=None)
def test_a_frame_of_probabilities_goes_by_its_index_or_is_refused(of_rows, of_probs, kind, only_some):
    frame, probs, names = judged(12)
    index = (
        pd.Index(list("abcdefghijkl"))
        if kind == "letters"
        else pd.Index(range(12) if kind == "range" else [7 * i for i in range(12)])
    )
    frame.index = index
    told = pd.DataFrame(probs, columns=names, index=index)
    frame, told = frame.iloc[list(of_rows)], told.iloc[list(of_probs)]
    if only_some:
        told = told.set_axis([f"other {i}" for i in range(12)])
    if only_some or (isinstance(told.index, pd.RangeIndex) and not told.index.equals(frame.index)):
        with pytest.raises(ProbabilityError, match=r"`probs\.to_numpy\(\)`"):
            lw.Scores.from_probs(frame, told)
        lw.Scores.from_probs(frame, told.to_numpy(), label_names=names)  # the advice works
        return
    scores = lw.Scores.from_probs(frame, told)
    at = [scores.label_names.index(name) for name in names]
    np.testing.assert_allclose(scores.probs[:, at], probs[list(of_rows)], atol=1e-6)


def test_a_default_index_beside_a_shuffled_one_says_nothing():
    frame, probs, names = judged(12)
    shuffled = frame.sample(frac=1, random_state=0)
    with pytest.raises(ProbabilityError, match=r"probs\.loc\[frame\.index\]"):
        lw.Scores.from_probs(shuffled, pd.DataFrame(probs, columns=names))


SORTS = {
    "sorted": lambda f: f.sort_values("loss", ascending=False),
    "sorted and numbered anew": lambda f: f.sort_values("loss", ascending=False, ignore_index=True),
    "by text": lambda f: f.sort_values("text", ascending=False, ignore_index=True),
    "cut": lambda f: f.drop(index=f.index[:1]),
}


def scored(texts: str = "dbca") -> lw.Scores:
    frame = pd.DataFrame({"text": list(texts), "label": ["n", "y"] * 2})
    return lw.Scores.from_probs(frame, np.array([[0.9, 0.1], [0.1, 0.9], [0.5, 0.5], [0.3, 0.7]]), label_names=["n", "y"])


@pytest.mark.parametrize("how", SORTS.values(), ids=SORTS)
@pytest.mark.parametrize("texts", ["dbca", "aaba"], ids=["texts", "equal texts"])
def test_scores_whose_frame_was_sorted_or_cut_are_not_opened_and_the_advice_works(how, texts):
    scores = scored(texts)
    true = dict(zip(scores.frame.index, scores.losses, strict=True))
    lw.ReviewSession(scores, journal=None)
    scores.frame = how(scores.frame)
    if all(a == b for a, b in zip(scores.frame["loss"], scores.losses, strict=False)) and len(scores.frame) == len(scores):
        return
    with pytest.raises(DataError, match=r"`lw\.LossWidget\(scores\.frame\)`"):
        lw.ReviewSession(scores, journal=None)
    rows = lw.ReviewSession(scores.frame, journal=None).page(lw.Query(sort="row", descending=False)).rows
    assert [row.loss for row in rows] == pytest.approx(scores.frame["loss"].tolist())
    assert len(true) == 4


def test_a_text_or_label_that_was_corrected_by_hand_is_no_sorting():
    scores = scored()
    scores.frame.loc[1, "text"] = "b, with a typo mended"
    scores.frame.loc[2, "label"] = "y"
    lw.ReviewSession(scores, journal=None)


@given(st.permutations(range(4)), st.booleans(), st.sampled_from(["dbca", "aaba", "aaaa"]), st.booleans())
@settings(deadline=None)
def test_an_audit_never_puts_another_rows_values_beside_a_row(order, numbered_anew, texts, with_scores):
    frame = pd.DataFrame({"text": list(texts), "label": ["n", "y", "y", "n"], "loss": [1.0, 2.0, 3.0, 4.0], "own": list("wxyz")})
    kept = frame.copy()
    session = lw.ReviewSession(frame, journal=None)
    frame[:] = frame.iloc[list(order)].to_numpy()
    if not numbered_anew:
        frame.index = list(order)
    try:
        audit = session.corrected(audit=True, scores=with_scores)
    except ReviewError:
        assert list(order) != [0, 1, 2, 3]
        return
    labels = dict(zip(kept["own"], kept["label"], strict=True))
    if texts == "dbca" or not numbered_anew:
        assert [labels[own] for own in audit["own"]] == audit["original_label"].tolist()
    assert audit["original_label"].tolist() == audit["label"].tolist()  # nobody has decided anything


def test_a_sorted_frame_is_exported_without_the_columns_of_the_review():
    frame = pd.DataFrame({"text": list("ab"), "label": ["n", "y"], "loss": [1.0, 2.0]})
    session = lw.ReviewSession(frame, journal=None)
    frame[:] = frame.iloc[::-1].to_numpy()
    assert session.corrected()["text"].tolist() == ["b", "a"]
    for asked in ({"audit": True}, {"scores": True}):
        with pytest.raises(ReviewError, match="sorted or filtered"):
            session.corrected(**asked)


PREDICTED = {
    "names beside ids": ([1, 1, 0], ["POSITIVE", "NEGATIVE", "NEGATIVE"]),
    "ids beside names": (["POSITIVE", "POSITIVE", "NEGATIVE"], [1, 0, 0]),
    "floats beside ids": ([1, 1, 0], [1.0, 0.0, 0.0]),
    "other case": (["POSITIVE", "POSITIVE", "NEGATIVE"], ["positive ", "negative", "negative"]),
    "some missing": ([1, 1, 0], ["POSITIVE", None, "NEGATIVE"]),
}


@pytest.mark.parametrize(("given_labels", "predicted"), PREDICTED.values(), ids=PREDICTED)
def test_predicted_labels_are_read_by_name_or_as_the_column_writes_them(given_labels, predicted):
    frame = pd.DataFrame({"text": list("abc"), "label": given_labels, "loss": [0.1, 3.0, 0.2], "predicted_label": predicted})
    session = lw.ReviewSession(frame, label_names=["NEGATIVE", "POSITIVE"], journal=None)
    rows = session.page(lw.Query(sort="row", descending=False)).rows
    assert rows[0].predicted_label == "POSITIVE"
    assert rows[1].predicted_label in ("NEGATIVE", None)
    assert rows[2].predicted_label == "NEGATIVE"


def test_a_predicted_label_that_is_none_of_them_is_named_with_its_column():
    frame = pd.DataFrame({"text": ["a"], "label": [1], "loss": [0.1], "predicted_label": ["POSTIVE"]})
    with pytest.raises(LossWidgetError, match=r"'POSTIVE' in column 'predicted_label'; did you mean 'POSITIVE'"):
        lw.ReviewSession(frame, label_names=["NEGATIVE", "POSITIVE"], journal=None)
