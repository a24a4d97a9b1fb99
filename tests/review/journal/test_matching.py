"""A review is found again on data that was re-scored, re-ordered, cut down or partly corrected."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small import LABELS, make_frame, make_scores

import loss_widget as lw

DECIDED = {0: "bad", 1: "bad", 3: "meh", 7: "good", 9: "meh"}


@pytest.fixture
def reviewed(scores):
    """A review of five relabelled rows, one of three equal texts among them, one kept and one removed."""
    with lw.ReviewSession(scores, journal="j.sqlite") as session:
        for row, label in DECIDED.items():
            session.relabel(row, label)
        session.keep(2)
        session.remove(5)
        session.note(2, "fine as it is")
    return scores.frame["label"].tolist()


def labels_by_text(frame: pd.DataFrame) -> list[tuple[str, str]]:
    return sorted(zip(frame["text"], frame["label"], strict=True))


def undo_all(session: lw.ReviewSession) -> None:
    while session.can_undo:
        session.undo()


def test_the_same_data_finds_every_decision_in_its_row(reviewed):
    session = lw.ReviewSession(make_scores(), journal="j.sqlite")
    assert session.df["label"].tolist() == reviewed
    assert len(session.unmatched) == 0
    assert session.changes["row"].tolist() == [0, 1, 2, 3, 5, 7, 9]
    assert session.page(lw.Query(verdict="keep")).rows[0].note == "fine as it is"


@pytest.mark.parametrize("seed", range(5))
def test_reordered_data_finds_every_decision_by_its_text(reviewed, seed):
    shuffled = make_frame().sample(frac=1, random_state=seed)
    session = lw.ReviewSession(make_scores(shuffled), journal="j.sqlite")
    expected = make_frame().assign(label=reviewed)
    assert labels_by_text(session.df) == labels_by_text(expected)
    assert len(session.unmatched) == 0


def test_a_part_of_the_data_finds_its_part_of_the_decisions(reviewed):
    part = make_frame().iloc[[1, 3, 8]]
    session = lw.ReviewSession(make_scores(part), journal="j.sqlite")
    assert session.df["label"].tolist() == ["bad", "meh", "meh"]
    assert len(session.unmatched) == 5
    assert set(session.unmatched.columns) >= {"key", "old_label", "new_label"}


@pytest.mark.parametrize("corrected", [[0, 1, 3, 7, 9], [1, 7], [0]])
def test_corrected_data_counts_as_reviewed_and_keeps_the_old_labels(reviewed, corrected):
    data = make_frame()
    for row in corrected:
        data.loc[row, "label"] = DECIDED[row]
    session = lw.ReviewSession(make_scores(data), journal="j.sqlite")
    assert session.df["label"].tolist() == reviewed
    assert len(session.unmatched) == 0
    changes = session.changes.set_index("row")
    relabelled = changes[changes["verdict"] == "relabel"]
    assert relabelled["new_label"].to_dict() == DECIDED
    assert relabelled["old_label"].to_dict() == {row: LABELS[row] for row in DECIDED}


def test_rerunning_the_cell_on_a_corrected_frame_goes_on_where_it_was(frame):
    frame["loss"] = np.arange(12.0)
    first = lw.ReviewSession(frame, journal="j.sqlite")
    first.relabel(3, "bad")
    second = lw.ReviewSession(frame, journal="j.sqlite")
    row = second.page(lw.Query(verdict="relabel")).rows[0]
    assert (row.given_label, row.label) == ("good", "bad")
    second.undo()
    assert frame["label"].iloc[3] == "good"


def test_a_label_changed_by_other_hands_since_is_left_alone(reviewed):
    data = make_frame()
    data.loc[1, "label"] = "meh"  # neither the old nor the new label of the decision
    session = lw.ReviewSession(make_scores(data), journal="j.sqlite")
    assert session.df["label"].iloc[1] == "meh"
    assert session.unmatched[["old_label", "new_label"]].values.tolist() == [["good", "bad"]]


def test_a_frame_changed_by_hand_before_reopening_warns_and_stays(reviewed):
    scores = make_scores()
    scores.frame.loc[1, "label"] = "meh"
    with pytest.warns(UserWarning, match=r"1 row of column 'label' was changed by other hands.*1\."):
        session = lw.ReviewSession(scores, journal="j.sqlite")
    assert session.df["label"].iloc[1] == "meh"
    assert session.df["label"].iloc[3] == "meh"
    with pytest.warns(UserWarning, match="changed by other hands"):
        undo_all(session)
    assert (session.df["label"].iloc[1], session.df["label"].iloc[3]) == ("meh", "good")


def test_the_history_comes_back_too(reviewed):
    session = lw.ReviewSession(make_scores(), journal="j.sqlite")
    for _ in range(8):
        session.undo()
    assert session.df["label"].tolist() == LABELS
    assert session.summary()["reviewed"] == 0
    session.redo()
    assert session.df["label"].iloc[0] == "bad"


def test_equal_texts_with_other_labels_are_told_apart():
    data = pd.DataFrame({"text": ["same"] * 4, "label": ["good", "bad", "good", "bad"], "loss": 1.0})
    with lw.ReviewSession(data.copy(), journal="j.sqlite", label_names=["bad", "good", "meh"]) as session:
        session.relabel(1, "meh")
        session.keep(2)
    turned = data.iloc[::-1].reset_index(drop=True)
    session = lw.ReviewSession(turned, journal="j.sqlite", label_names=["bad", "good", "meh"])
    relabelled = session.changes.query("verdict == 'relabel'")
    assert relabelled["old_label"].tolist() == ["bad"]
    kept = session.changes.query("verdict == 'keep'")
    assert kept["old_label"].tolist() == ["good"]


NAMES = ["a", "b", "c"]
number = itertools.count()


@st.composite
def reviews(draw: st.DrawFn) -> tuple[pd.DataFrame, list[tuple[str, int, str]]]:
    """Few texts, so many of them equal, and decisions on them."""
    n = draw(st.integers(1, 9))
    texts, labels = (
        draw(st.lists(st.sampled_from("xyz"), min_size=n, max_size=n)),
        draw(st.lists(st.sampled_from(NAMES), min_size=n, max_size=n)),
    )
    kinds = st.sampled_from(["relabel", "relabel", "keep", "remove", "bulk"])
    acts = draw(st.lists(st.tuples(kinds, st.integers(0, n - 1), st.sampled_from(NAMES)), min_size=1, max_size=9))
    return pd.DataFrame({"text": texts, "label": labels, "loss": 1.0}), acts


def open_on(frame: pd.DataFrame, journal: str) -> lw.ReviewSession:
    return lw.ReviewSession(frame, journal=journal, label_names=NAMES)


def act(session: lw.ReviewSession, kind: str, row: int, name: str) -> None:
    if kind in ("relabel", "bulk"):
        session.relabel(range(row, len(session)) if kind == "bulk" else row, name)
    else:
        getattr(session, kind)(row)


@given(review=reviews(), seed=st.integers(0, 99), corrected=st.booleans(), few=st.sampled_from([0, 64]))
@settings(max_examples=30)
def test_equal_texts_come_back_as_they_were_left_whether_the_data_was_corrected_or_not(review, seed, corrected, few):
    frame, acts = review
    journal = f"property-{next(number)}.sqlite"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("loss_widget.review.review_state._FEW", few)
        with open_on(frame.copy(), journal) as session:
            for one in acts:
                act(session, *one)
            left, changes = session.df.copy(), session.changes[["row", "verdict", "old_label", "new_label"]].values.tolist()
    again = open_on((left if corrected else frame).copy(), journal)
    assert again.df["label"].tolist() == left["label"].tolist()
    assert again.changes[["row", "verdict", "old_label", "new_label"]].values.tolist() == changes
    again.close()
    order = random.Random(seed).sample(range(len(frame)), len(frame))
    with open_on((left if corrected else frame).iloc[order].reset_index(drop=True), journal) as shuffled:
        assert len(shuffled.unmatched) == 0
        assert labels_by_text(shuffled.df) == labels_by_text(left)


@given(review=reviews(), seed=st.integers(0, 99), corrected=st.booleans())
@settings(max_examples=30)
def test_a_part_of_equal_texts_never_gets_a_label_that_nobody_gave_to_that_text(review, seed, corrected):
    frame, acts = review
    journal = f"property-{next(number)}.sqlite"
    with open_on(frame.copy(), journal) as session:
        for one in acts:
            act(session, *one)
        left = session.df.copy()
    rows = sorted(random.Random(seed).sample(range(len(frame)), (len(frame) + 1) // 2))
    before = (left if corrected else frame).iloc[rows].reset_index(drop=True)
    with open_on(before.copy(), journal) as part:
        after = part.df
        alone = (frame["text"].map(frame["text"].value_counts()) == 1).iloc[rows].tolist()
        for place, row in enumerate(rows):
            if alone[place]:
                assert after["label"].iloc[place] == left["label"].iloc[row]
            came_from = set(zip(frame["text"], frame["label"], left["label"], strict=True))
            text, was, now = frame["text"].iloc[row], before["label"].iloc[place], after["label"].iloc[place]
            assert now == was or (text, was, now) in came_from


def test_a_swap_among_equal_texts_stays_as_it_was_saved_in_any_order():
    frame = pd.DataFrame({"text": ["ok", "ok", "z", "y"], "label": ["a", "b", "a", "a"], "loss": 1.0})
    with open_on(frame, "j.sqlite") as session:
        session.relabel(0, "b")
        session.relabel(1, "a")
        session.relabel(3, "c")
    for order in itertools.permutations(range(4)):
        saved = frame.iloc[list(order)].reset_index(drop=True)
        with open_on(saved.copy(), "j.sqlite") as again:
            assert again.df["label"].tolist() == saved["label"].tolist()


def test_ten_thousand_equal_texts_are_found_again_at_once():
    n = 10_000
    frame = pd.DataFrame({"text": "same", "label": ["a", "b"] * (n // 2), "loss": 1.0})
    with open_on(frame.copy(), "j.sqlite") as session:
        session.relabel(range(0, n, 2), "c")
        left = session.df["label"].tolist()
    for data in (frame, frame.iloc[::-1].reset_index(drop=True), frame.iloc[: n // 2]):
        with open_on(data.copy(), "j.sqlite") as again:
            assert sorted(again.df["label"]) == sorted(left[: len(data)])
