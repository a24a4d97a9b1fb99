"""Rounds over embeddings: nobody judges what it learned from, whatever is left out, and clean sets come to no harm."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loss_widget.scoring.cross.discriminant import Discriminant
from loss_widget.scoring.cross.folds import assign_folds
from loss_widget.scoring.cross.judges import Neighbours, Rows, kernel_features, linear_features
from loss_widget.scoring.cross.noise import MOST, suspicious, wrong_share
from loss_widget.scoring.cross.rounds import Judgement, judge_in_rounds, pooled


def clusters(rows: int, labels: int, *, width: int = 16, spread: float = 0.6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors around a centre for each label, and those labels."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(labels, width))
    truth = rng.integers(0, labels, rows)
    vectors = centres[truth] + spread * rng.normal(size=(rows, width))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), truth


def flipped(truth: np.ndarray, labels: int, share: float, *, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    wrong = rng.random(len(truth)) < share
    return np.where(wrong, (truth + rng.integers(1, labels, len(truth))) % labels, truth)


def rows_of(codes: np.ndarray, labels: int, **more: Any) -> Rows:
    fold_of = assign_folds(codes, np.arange(len(codes)), folds=5, seed=0)
    return Rows(**{"codes": codes, "fold_of": fold_of, "judged": np.ones(len(codes), dtype=bool), "labels": labels, **more})


def judged(embeddings: np.ndarray, rows: Rows, **more: Any) -> Judgement:
    return judge_in_rounds(embeddings, rows, **{"rounds": 2, "neighbours": True, "seed": 0, **more})


def found_first(embeddings: np.ndarray, truth: np.ndarray, given_codes: np.ndarray, labels: int, **more: Any) -> float:
    """The share of wrong labels among as many rows of highest loss as there are wrong labels."""
    log_probs = judged(embeddings, rows_of(given_codes, labels), **more).log_probs
    wrong = given_codes != truth
    order = np.argsort(log_probs[np.arange(len(truth)), given_codes], kind="stable")
    return float(wrong[order[: wrong.sum()]].mean())


def test_noise_that_nobody_can_learn_is_not_learned() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(60, 200)).astype(np.float32)  # wide enough to be learned by heart
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    codes = rng.integers(0, 2, 60)
    for count in (1, 2):
        log_probs = judged(noise, rows_of(codes, 2), rounds=count).log_probs
        assert 0.2 < (log_probs.argmax(axis=1) == codes).mean() < 0.8


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.booleans(), st.integers(1, 3))
def test_no_row_has_a_say_in_its_own_judgement(seed: int, labels: int, neighbours: bool, rounds: int) -> None:
    """Whatever label a row has, the judges of its fold say the same of it, as long as settings and weights are the same."""
    embeddings, truth = clusters(90, labels, seed=seed)
    rows = rows_of(truth, labels)
    row = int(np.random.default_rng(seed).integers(90))
    other = truth.copy()
    other[row] = (truth[row] + 1) % labels
    nobody = np.zeros(90, dtype=bool)
    for make in (linear_features, lambda e, r: kernel_features(e, r, seed=0)):
        said = []
        for codes in (truth, other):
            mine = Rows(codes, rows.fold_of, rows.judged, labels)
            judge = Discriminant(make(embeddings, mine), mine, np.arange(90))
            judge.shrinkage = 0.1
            judge.fit(nobody)
            said.append(judge.log_probs(np.array([row])))
        np.testing.assert_allclose(said[0], said[1], rtol=1e-4, atol=1e-4)
    voted = [
        Neighbours(embeddings, Rows(codes, rows.fold_of, rows.judged, labels), seed=0).log_probs(np.array([row]))
        for codes in (truth, other)
    ]
    np.testing.assert_array_equal(*voted)
    log_probs = judged(embeddings, rows, rounds=rounds, neighbours=neighbours).log_probs
    np.testing.assert_allclose(np.exp(log_probs).sum(axis=1), 1.0, atol=1e-4)


def test_a_second_fit_is_averaged_with_the_fit_of_what_is_kept() -> None:
    embeddings, truth = clusters(200, 3)
    rows, every = rows_of(truth, 3), np.arange(200)
    left_out, nobody = np.random.default_rng(1).random(200) < 0.2, np.zeros(200, dtype=bool)
    features = linear_features(embeddings, rows)
    both = Discriminant(features, rows, every)
    both.fit(nobody)
    first = both.log_probs(every)
    both.fit(left_out)
    kept = Discriminant(features, Rows(np.where(left_out, -1, truth), rows.fold_of, rows.judged, 3), every[~left_out])
    kept.shrinkage = both.shrinkage
    kept.fit(nobody)
    np.testing.assert_allclose(both.log_probs(every), pooled([first, kept.log_probs(every)], (0.5, 0.5)), rtol=1e-3, atol=1e-3)


def test_two_rounds_find_more_than_one_and_much() -> None:
    embeddings, truth = clusters(1_500, 4, spread=0.8)
    given_codes = flipped(truth, 4, 0.2)
    one, two = (found_first(embeddings, truth, given_codes, 4, rounds=count) for count in (1, 2))
    assert two >= one
    assert two > 0.9


def test_nothing_is_left_out_where_nothing_looks_wrong() -> None:
    embeddings, truth = clusters(400, 3, spread=0.1)
    found = judged(embeddings, rows_of(truth, 3))
    assert found.left_out.sum() == 0
    assert found.how["how"].endswith("no label looked wrong enough to be left out of what they learn from.")


def test_the_numbers_do_not_depend_on_how_many_work_at_once() -> None:
    embeddings, truth = clusters(700, 3)
    codes = flipped(truth, 3, 0.1)
    alone, four = (judged(embeddings, rows_of(codes, 3, threads=threads)).log_probs for threads in (1, 4))
    np.testing.assert_array_equal(alone, four)


def test_neighbours_have_a_say_where_they_know_more() -> None:
    """Stripes around a ring, on which no straight line knows anything; and labels that depend on one of many directions."""
    rng = np.random.default_rng(0)
    angles = rng.uniform(0, 2 * np.pi, 600)
    stripes = (np.floor(angles / (2 * np.pi) * 24) % 2).astype(int)
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    many = judged(ring, rows_of(stripes, 2))
    assert many.how["neighbours"] == 0.5
    assert (many.log_probs.argmax(axis=1) == stripes).mean() > 0.8
    assert "for 50%, their nearest neighbours" in many.how["how"]
    wide = rng.normal(size=(600, 64)).astype(np.float32)
    wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    few = judged(wide, rows_of((wide[:, 0] > 0).astype(int), 2))
    assert few.how["neighbours"] < 0.5
    assert judged(ring, rows_of(stripes, 2), neighbours=False).how["neighbours"] == 0.0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.floats(0, 1)), min_size=2, max_size=200),
    st.floats(0, 1),
    st.integers(2, 6),
)
def test_no_label_loses_too_many_of_its_rows(made: list[tuple[int, float]], share: float, folds: int) -> None:
    codes, own = np.array([code for code, _ in made]), np.array([p for _, p in made])
    fold_of = assign_folds(codes, np.arange(len(codes)), folds=folds, seed=0)
    left_out = suspicious(own, codes, fold_of, share=share, labels=6)
    assert left_out.sum() <= round(share * len(codes))
    for code in np.unique(codes):
        for fold in range(folds):
            learned = (codes == code) & (fold_of != fold)
            assert (learned & left_out).sum() <= learned.sum() / 2
        if left_out[codes == code].any():  # the least probable go first
            kept = own[(codes == code) & ~left_out]
            assert own[(codes == code) & left_out].max() <= kept.min()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.0, 0.4), st.integers(2, 100))
def test_the_share_of_wrong_labels_is_found(seed: int, share: float, labels: int) -> None:
    rng = np.random.default_rng(seed)
    wrong = rng.random(4_000) < share
    own = np.where(wrong, rng.uniform(0, 1e-3, 4_000), rng.uniform(0.9, 1.0, 4_000))
    assert wrong_share(own, labels=labels) == pytest.approx(min(MOST, wrong.mean() * labels / (labels - 1)), abs=0.05)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50), st.integers(2, 100))
def test_any_probabilities_have_a_share_of_wrong_labels(own: list[float], labels: int) -> None:
    assert 0 < wrong_share(np.array(own), labels=labels) <= MOST


@pytest.mark.parametrize("size", [2, 3, 5, 12])
def test_a_handful_of_rows_will_do(size: int) -> None:
    embeddings, _ = clusters(size, 2)
    codes = np.arange(size) % 2
    rows = Rows(codes, np.arange(size) % 2, np.ones(size, dtype=bool), 3)
    log_probs = judged(embeddings, rows).log_probs
    assert np.isfinite(log_probs).all()
    np.testing.assert_allclose(np.exp(log_probs).sum(axis=1), 1, atol=1e-5)


def test_rows_without_an_embedding_are_not_judged_and_none_may_be_labelled() -> None:
    embeddings, truth = clusters(50, 2)
    embeddings[7] = np.nan
    seen = np.isfinite(embeddings).all(axis=1)
    found = judged(embeddings, rows_of(truth, 2, judged=seen)).log_probs
    assert np.isnan(found[7]).all()
    assert np.isfinite(np.delete(found, 7, axis=0)).all()
    assert np.isnan(judged(embeddings, rows_of(np.full(50, -1), 2, judged=seen)).log_probs).all()
