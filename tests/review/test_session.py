"""A review without a screen: any sequence of acts is what a plain model of it says, also after a restart."""

from __future__ import annotations

import threading

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from small import NAMES, make_scores

import loss_widget as lw
from loss_widget.errors import InputError, LabelError, ReadOnly, StaleDecision
from loss_widget.review import Decision


def test_verdicts_do_what_the_contract_says(scores):
    session = lw.ReviewSession(scores, journal=None)
    session.relabel(1, "bad")
    session.keep(2)
    session.unsure([3, 4])
    session.remove(5)
    session.note(6, "odd")
    assert scores.frame["label"].tolist()[:6] == ["good", "bad", "meh", "good", "good", "bad"]
    summary = session.summary()
    assert {k: summary[k] for k in ("reviewed", "relabel", "keep", "unsure", "remove", "wrong")} == {
        "reviewed": 5,
        "relabel": 1,
        "keep": 1,
        "unsure": 2,
        "remove": 1,
        "wrong": 2,
    }
    assert summary["precision"] == summary["precision_last_50"] == 2 / 3
    session.unsure(1)
    assert scores.frame["label"].iloc[1] == "good", "unsure puts the given label back"
    session.relabel(3, "good")
    assert session.page(lw.Query(sort="row", descending=False)).rows[3].verdict == "", "the given label clears the verdict"


def test_one_act_on_many_rows_is_one_undo_step(scores):
    session = lw.ReviewSession(scores, journal=None)
    session.relabel(range(12), "bad")
    session.undo()
    assert scores.frame["label"].tolist() == make_scores().frame["label"].tolist()
    session.redo()
    assert set(scores.frame["label"]) == {"bad"}
    session.undo()
    session.undo()
    assert not session.can_undo


def test_pages_come_by_loss_and_the_order_is_frozen_while_deciding(scores):
    session = lw.ReviewSession(scores, journal=None)
    page = session.page(lw.Query(limit=5))
    losses = [row.loss for row in page.rows]
    assert losses == sorted(losses, reverse=True)
    assert page.total == 12
    todo = lw.Query(verdict="", limit=4)
    first = session.page(todo)
    seen = [row.row for row in first.rows]
    session.keep(seen)
    for offset in (4, 8):
        rows = session.page(lw.Query(verdict="", limit=4, offset=offset, as_of=first.revision)).rows
        session.keep([row.row for row in rows])
        seen += [row.row for row in rows]
    assert sorted(seen) == list(range(12)), "paging through what is not reviewed skips no row"
    assert session.page(todo).total == 0


def test_ties_and_missing_losses_keep_the_order_of_the_data(frame):
    frame["loss"] = [1.0, np.nan, 2.0] * 4
    session = lw.ReviewSession(frame, journal=None)
    order = [row.row for row in session.page().rows]
    assert order == [2, 5, 8, 11, 0, 3, 6, 9, 1, 4, 7, 10]
    backwards = [row.row for row in session.page(lw.Query(descending=False)).rows]
    assert backwards == [0, 3, 6, 9, 2, 5, 8, 11, 1, 4, 7, 10]


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        (lw.Query(given="meh"), {2, 8}),
        (lw.Query(search="FINE"), {0, 4, 6}),
        (lw.Query(search="ärger"), {7}),
        (lw.Query(search="o "), {2}),
        (lw.Query(search="^(ok|dull)$", search_regex=True), {8, 10}),
        (lw.Query(search="."), set()),
        (lw.Query(given="good", search="great"), {3, 11}),
        (lw.Query(loss_range=(0, 1e9)), set(range(12))),
        (lw.Query(unlabelled=True), set()),
        (lw.Query(unlabelled=False), set(range(12))),
    ],
)
def test_filters_combine(scores, query, rows):
    page = lw.ReviewSession(scores, journal=None).page(query)
    assert {row.row for row in page.rows} == rows
    assert page.total == len(rows)


def test_disagreements_and_predictions(scores):
    session = lw.ReviewSession(scores, journal=None)
    for row in session.page(lw.Query(disagreements=True)).rows:
        assert row.given_label != row.predicted_label
    for row in session.page(lw.Query(predicted="bad")).rows:
        assert row.predicted_label == "bad"


@pytest.mark.parametrize("sort", ["margin", "adjusted", "row", "age", "label_prob", ("age", "loss")])
def test_every_sort_is_a_permutation(scores, sort):
    session = lw.ReviewSession(scores, journal=None)
    assert sorted(row.row for row in session.page(lw.Query(sort=sort)).rows) == list(range(12))


@pytest.mark.parametrize(
    "mask", [lambda: np.arange(12) > 9, lambda: pd.Series(np.arange(12) > 9), lambda: [False] * 10 + [True] * 2]
)
def test_a_mask_of_all_rows_means_its_true_ones(scores, mask):
    session = lw.ReviewSession(scores, journal=None)
    session.remove(mask())
    assert session.changes["row"].tolist() == [10, 11]


@pytest.mark.parametrize("rows", ["23", True, [1.7], [True] * 3, None, slice(0, 2), [[0, 1]], [None]])
def test_rows_that_are_no_positions_are_refused(scores, rows):
    session = lw.ReviewSession(scores, journal=None)
    with pytest.raises(InputError, match="positions"):
        session.keep(rows)
    assert session.revision == 0


@pytest.mark.parametrize(
    ("act", "error", "says"),
    [
        (lambda s: s.relabel(1, "Goood"), LabelError, "did you mean 'good'"),
        (lambda s: s.keep(12), InputError, "from 0 to 11"),
        (lambda s: s.keep(-1), InputError, "found -1"),
        (lambda s: s.page(lw.Query(sort="losss")), InputError, "did you mean 'loss'"),
        (lambda s: s.relabel(1, "new"), LabelError, "add_label"),
        (lambda s: s.page(lw.Query(given="x")), LabelError, "found 'x'.*'meh'\\.$"),
        (lambda s: s.page(lw.Query(search="(", search_regex=True)), InputError, "RE2"),
        (lambda s: lw.Query(verdict="kept"), InputError, "did you mean 'keep'"),
        (lambda s: lw.Query(limit=0), InputError, "at least 1"),
        (lambda s: lw.Query(loss_range=(2, 1)), InputError, "low, high"),
        (lambda s: s.add_label(" "), InputError, "label name"),
        (lambda s: s.add_label("Good"), InputError, "beside 'good'"),
        (lambda s: s.add_label("\ud800"), InputError, "UTF-8"),
        (lambda s: s.note(0, "\ud83d"), InputError, "UTF-8"),
        (lambda s: s.note(0, 5), InputError, r"found 5 \(int\)\. Pass a str"),
        (lambda s: s.page("loss"), InputError, r"lw\.Query\(sort='loss'\)"),
        (lambda s: s.page({"given": "bad"}), InputError, r"lw\.Query\(given='bad'\)"),
        (lambda s: s.page(lw.Query(sort="lss")), InputError, "'duplicates', 'age', 'label_prob'"),
        (lambda s: s.on_change(3), InputError, "function"),
    ],
)
def test_bad_questions_are_refused_and_change_nothing(scores, act, error, says):
    session = lw.ReviewSession(scores, journal=None)
    with pytest.raises(error, match=says):
        act(session)
    assert session.revision == 0


def test_a_decision_on_an_outdated_label_is_refused(scores):
    session = lw.ReviewSession(scores, journal=None)
    session.relabel(1, "meh")
    with pytest.raises(StaleDecision, match="row 1"):
        session.decide(Decision("keep", (1,)), expected=[NAMES.index("good")])
    assert scores.frame["label"].iloc[1] == "meh"


def test_the_same_op_is_applied_once(scores):
    session = lw.ReviewSession(scores, journal=None)
    op = Decision("relabel", (1,), 0)
    assert not session.decide(op)[1]
    session.undo()
    assert session.decide(op)[1]
    assert scores.frame["label"].iloc[1] == "good"


def test_a_closed_review_takes_no_more_decisions(scores):
    with lw.ReviewSession(scores, journal=None) as session:
        session.keep(1)
    with pytest.raises(ReadOnly, match="closed"):
        session.keep(2)
    with pytest.raises(ReadOnly, match="read-only"):
        lw.ReviewSession(scores, journal=None, read_only=True).keep(2)


def test_callbacks_hear_every_act(scores):
    session, heard = lw.ReviewSession(scores, journal=None), []
    session.on_change(lambda decision: heard.append((decision.kind, decision.rows)))
    session.keep(1)
    session.undo()
    assert heard == [("keep", (1,)), ("undo", (1,))]


def test_decisions_from_many_threads_are_all_taken(scores):
    session = lw.ReviewSession(scores, journal="threads.sqlite")
    threads = [threading.Thread(target=lambda r=row: [session.keep(r), session.relabel(r, "bad")]) for row in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(session.df["label"]) == {"bad"}
    session.close()
    again = make_scores()
    assert set(lw.ReviewSession(again, journal="threads.sqlite").df["label"]) == {"bad"}


def test_labels_can_be_added_where_the_column_holds_names(scores):
    session = lw.ReviewSession(scores, journal="added.sqlite")
    session.add_label("new")
    session.relabel(3, "new")
    assert scores.frame["label"].iloc[3] == "new"
    session.close()
    again = lw.ReviewSession(make_scores(), journal="added.sqlite")
    assert again.df["label"].iloc[3] == "new"
    assert "new" in again.label_names
    ids = make_scores().frame[["text"]].assign(label=0, loss=1.0)
    with pytest.raises(LabelError, match="column of names"):
        lw.ReviewSession(ids, journal=None).add_label("new")


ROWS = st.lists(st.integers(0, 11), min_size=1, max_size=4, unique=True)


class ReviewMachine(RuleBasedStateMachine):
    """Any sequence of decisions, undos, redos and restarts, against lists that say what should be."""

    journals = 0

    def __init__(self) -> None:
        super().__init__()
        ReviewMachine.journals += 1
        self.journal = f"machine-{ReviewMachine.journals}.sqlite"
        self.scores = make_scores()
        self.given = self.scores.frame["label"].tolist()
        self.session = lw.ReviewSession(self.scores, journal=self.journal)
        self.state = [("", label, "") for label in self.given]
        self.past: list[list[tuple[str, str, str]]] = []
        self.future: list[list[tuple[str, str, str]]] = []

    def becomes(self, rows, change) -> None:
        after = [change(row, *now) if row in rows else now for row, now in enumerate(self.state)]
        if after != self.state:
            self.past.append(self.state)
            self.future.clear()
            self.state = after

    @rule(rows=ROWS, label=st.sampled_from(NAMES))
    def relabel(self, rows, label):
        self.session.relabel(rows, label)
        self.becomes(rows, lambda row, v, _, note: ("relabel" if label != self.given[row] else "", label, note))

    @rule(rows=ROWS, verdict=st.sampled_from(["keep", "unsure", "remove"]))
    def judge(self, rows, verdict):
        getattr(self.session, verdict)(rows)
        self.becomes(rows, lambda row, v, _, note: (verdict, self.given[row], note))

    @rule(rows=ROWS)
    def clear(self, rows):
        self.session.clear(rows)
        self.becomes(rows, lambda row, v, _, note: ("", self.given[row], note))

    @rule(row=st.integers(0, 11), note=st.sampled_from(["", "hm", "look again"]))
    def note(self, row, note):
        self.session.note(row, note)
        self.becomes([row], lambda _, v, label, __: (v, label, note))

    @rule()
    def undo(self):
        self.session.undo()
        if self.past:
            self.future.append(self.state)
            self.state = self.past.pop()

    @rule()
    def redo(self):
        self.session.redo()
        if self.future:
            self.past.append(self.state)
            self.state = self.future.pop()

    @precondition(lambda self: self.session.revision)
    @rule()
    def restart(self):
        self.session.close()
        self.scores = make_scores()
        self.session = lw.ReviewSession(self.scores, journal=self.journal)

    @invariant()
    def is_as_the_model_says(self):
        rows = self.session.page(lw.Query(sort="row", descending=False)).rows
        assert [(row.verdict, row.label, row.note) for row in rows] == self.state
        assert self.session.df["label"].tolist() == [label for _, label, _ in self.state]
        assert self.session.summary()["reviewed"] == sum(verdict != "" for verdict, _, _ in self.state)
        assert (self.session.can_undo, self.session.can_redo) == (bool(self.past), bool(self.future))

    def teardown(self):
        self.session.close()


ReviewMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=25)
TestReview = ReviewMachine.TestCase
