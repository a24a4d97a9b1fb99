"""How many errors are left is said by a random sample, honestly, and not before."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import make_scores

import loss_widget as lw
from loss_widget.errors import InputError, ReadOnly
from loss_widget.review.estimate import NEEDED, ErrorsLeft, draw_order, wilson_interval

N, ERRORS = 2_000, 200


def noisy(seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows of which one in ten is wrong, and the losses say so, more or less."""
    rng = np.random.default_rng(seed)
    wrong = np.zeros(N, dtype=bool)
    wrong[rng.choice(N, ERRORS, replace=False)] = True
    loss = rng.exponential(0.5, N) + wrong * rng.exponential(2.0, N)
    labels = rng.choice(["a", "b"], N)
    return pd.DataFrame({"text": [f"{seed} text {i}" for i in range(N)], "label": labels, "loss": loss}), wrong


def judge(session: lw.ReviewSession, rows: np.ndarray, wrong: np.ndarray) -> None:
    session.remove(rows[wrong[rows]])
    session.keep(rows[~wrong[rows]])


@pytest.mark.parametrize(("hits", "of"), [(0, 10), (1, 10), (15, 300), (10, 10), (0, 0)])
def test_the_interval_is_wilsons(hits, of):
    low, high = wilson_interval(hits, of)
    z = 1.959963984540054
    for end in (low, high):  # the ends solve |p - end| = z * sqrt(end (1 - end) / of)
        assert of == 0 or abs(abs(hits / of - end) - z * np.sqrt(end * (1 - end) / of)) < 1e-9
    assert 0 <= low <= high <= 1


def test_nothing_is_said_before_a_spot_check_and_enough_judgements():
    frame, wrong = noisy()
    session = lw.ReviewSession(frame, journal=None)
    judge(session, session.rows_of()[:100], wrong)
    assert session.progress().errors_left is None
    assert session.summary()["errors_left"] is session.summary()["errors_left_interval"] is None
    assert session.spot_check(50).drawn == 50
    drawn = session.rows_of(lw.Query(spot_check=True))
    judge(session, drawn[: NEEDED - 1], wrong)
    assert session.summary()["errors_left"] is None
    assert session.spot_check(50).needed == 1
    judge(session, drawn[NEEDED - 1 :], wrong)
    assert session.summary()["errors_left"] is not None


def test_rows_of_a_spot_check_say_nothing_of_the_order_by_loss():
    frame, _ = noisy()
    session = lw.ReviewSession(frame, journal=None)
    session.remove(session.rows_of()[:10])
    session.spot_check(50)
    session.keep(session.rows_of(lw.Query(spot_check=True)))
    told = session.summary()
    assert (told["precision_last_50"], told["judged_last_50"]) == (1.0, 10)
    assert told["precision"] == 10 / 60


def test_the_interval_holds_the_truth_in_nineteen_of_twenty_reviews():
    held = 0
    for seed in range(40):
        frame, wrong = noisy(seed)
        session = lw.ReviewSession(frame, journal=None)
        judge(session, session.rows_of()[:150], wrong)  # from the top, as reviewers do
        session.spot_check(150)
        judge(session, session.rows_of(lw.Query(spot_check=True)), wrong)
        judge(session, session.rows_of(lw.Query(verdict=""))[:100], wrong)  # and on: what is found since is taken off
        left = int(wrong[session.rows_of(lw.Query(verdict=""))].sum())
        low, high = session.summary()["errors_left_interval"]
        assert low <= session.summary()["errors_left"] <= high
        held += low <= left <= high
    assert held >= 35


def test_only_what_is_judged_in_the_order_of_the_draw_counts():
    frame, wrong = noisy()
    session = lw.ReviewSession(frame, journal=None)
    session.spot_check(100)
    drawn = session.rows_of(lw.Query(spot_check=True))
    assert drawn.tolist() == [row.row for row in session.page(lw.Query(spot_check=True, sort="loss", limit=100)).rows]
    by_loss = drawn[np.argsort(-frame["loss"].to_numpy()[drawn])]
    first = int(drawn[0])
    judge(session, np.array([row for row in by_loss[:60] if row != first]), wrong)
    assert session.progress().errors_left.judged == 0, "a sample judged from the highest loss on would say too many"
    session.unsure(first)
    told = session.progress().errors_left
    assert told.judged >= 1
    assert told.wrong + told.kept == told.judged - 1


def test_a_resumed_review_keeps_its_spot_check_on_data_in_another_order():
    frame, wrong = noisy()
    with lw.ReviewSession(frame, journal="spot.sqlite") as session:
        judge(session, session.rows_of()[:30], wrong)
        session.spot_check(60)
        session.spot_check(80)
        drawn = session.rows_of(lw.Query(spot_check=True))
        judge(session, drawn[:40], wrong)
        texts, told = frame["text"].to_numpy()[drawn].tolist(), session.progress().errors_left
    shuffled = noisy()[0].sample(frac=1, random_state=1)
    with lw.ReviewSession(shuffled, journal="spot.sqlite") as again:
        assert shuffled["text"].to_numpy()[again.rows_of(lw.Query(spot_check=True))].tolist() == texts
        assert again.progress().errors_left == told
        assert again.count(lw.Query(spot_check=True, verdict="")) == 40
        anew = again.spot_check(20, anew=True)
        assert anew.drawn == 20
        assert anew.judged == 0


def test_a_draw_grows_without_forgetting_and_never_takes_reviewed_or_unlabelled_rows():
    scores = make_scores()
    scores.given_ids[3] = -1
    session = lw.ReviewSession(scores, journal=None)
    session.keep([0, 1])
    small = (session.spot_check(3), session.rows_of(lw.Query(spot_check=True)).tolist())[1]
    grown = (session.spot_check(50), session.rows_of(lw.Query(spot_check=True)).tolist())[1]
    assert grown[:3] == small
    assert sorted(grown) == [2, *range(4, 12)]
    assert session.spot_check(3).drawn == 9


def test_copies_of_one_text_are_drawn_apart():
    order = draw_order(np.array([7] * 500 + list(range(500)), dtype=np.uint64), 0)
    assert 150 < (order[:500] < 500).sum() < 350


def test_a_spot_check_needs_a_number_and_an_open_review(scores):
    session = lw.ReviewSession(scores, journal=None)
    for rows in (0, -1, "10", True, 2.5):
        with pytest.raises(InputError, match="number of rows to draw"):
            session.spot_check(rows)
    session.close()
    with pytest.raises(ReadOnly):
        session.spot_check(5)


def test_progress_plots_errors_found_against_rows_reviewed():
    frame, wrong = noisy()
    session = lw.ReviewSession(frame, journal=None)
    assert session.progress().curve == [(0, 0)]
    order = session.rows_of()[:600]
    for row in order.tolist():
        (session.remove if wrong[row] else session.keep)(row)
    curve = session.progress().curve
    assert curve[0] == (0, 0)
    assert curve[-1] == (600, int(wrong[order].sum()))
    assert len(curve) <= 201
    assert all(found == wrong[order[:reviewed]].sum() for reviewed, found in curve)
    bands = session.progress().bands
    assert sum(band.rows for band in bands) == N
    assert sum(band.reviewed for band in bands) == 600
    for band in bands:
        own = (frame["loss"] >= band.low) & (frame["loss"] < band.high)
        assert band.rows == own.sum()
        assert band.wrong == (own.to_numpy() & wrong)[order].sum()
        assert band.precision == (band.wrong / band.reviewed if band.reviewed else None)


def estimate(**told) -> ErrorsLeft:
    judged = {"drawn": 50, "judged": 50, "wrong": 5, "kept": 45, "population": 9_000, "found": 0, "unreviewed": 8_950}
    return ErrorsLeft(**{**judged, **told})


def test_nothing_is_claimed_in_words_before_enough_rows_are_judged():
    early = str(estimate(judged=8, wrong=3, kept=5))
    assert early == "Spot check: 12 more to judge before it says anything. Number 9 of 50 is next."
    assert str(estimate(judged=40, wrong=1, kept=4)).endswith("Draw more rows: unsure ones do not count.")


def test_the_words_say_how_many_are_left_how_sure_that_is_and_whether_to_go_on():
    def said(left: float, low: float, high: float, **told) -> str:
        return str(estimate(errors_left=left, errors_left_interval=(low, high), **told))

    assert said(310.4, 189.7, 480.2) == (
        "About 310 errors left among 8,950 rows not reviewed; with 95 % confidence 189 to 481. Go on: there is more to find."
    )
    assert said(0, 0, 80).endswith("at most 80. At most 1 % of the rest is wrong: you can stop here.")
    assert said(60, 10, 200).endswith("spot-check more rows to know, or go on.")
    assert said(1.2, 0, 0, unreviewed=0).startswith("About 1 error left among 0 rows")
    assert said(0, 0, 0, unreviewed=0).endswith("you can stop here.")


@given(st.floats(0, 1e7), st.floats(0, 1e7))
def test_the_interval_is_never_told_narrower_than_it_is(low, width):
    said = str(estimate(errors_left=low + width / 2, errors_left_interval=(low, low + width)))
    numbers = [int(number.replace(",", "")) for number in re.findall(r"[\d,]*\d", said.split("confidence ")[1].split(". ")[0])]
    assert (numbers[0] if len(numbers) == 2 else 0) <= low
    assert numbers[-1] >= low + width


@pytest.mark.parametrize("rows", [2**31, 2**63, 10**30])
def test_a_spot_check_of_more_rows_than_there_are_draws_all_of_them(scores, rows):
    with lw.ReviewSession(scores, journal="spot.sqlite") as session:
        assert session.spot_check(rows).drawn == len(session)
        session.keep(1)
    with lw.ReviewSession(make_scores(), journal="spot.sqlite") as again:
        assert again.summary()["keep"] == 1
