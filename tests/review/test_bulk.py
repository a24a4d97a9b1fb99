"""A decision on many rows: what was previewed, one undo step, and nobody's newer decision overwritten."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from small import NAMES, make_scores

import loss_widget as lw
from loss_widget.errors import InputError, StaleDecision
from loss_widget.review import Decision
from loss_widget.review.review_state import places_of


def test_all_rows_of_a_query_are_decided_as_previewed_and_undone_at_once(scores):
    session = lw.ReviewSession(scores, journal="bulk.sqlite")
    session.keep(6)
    query = lw.Query(given="good", limit=2, offset=4)
    seen = session.preview(query)
    assert (seen.total, seen.reviewed, len(seen.rows), seen.revision) == (7, 0, 7, 1)
    decision = Decision("relabel", label=NAMES.index("meh"))
    taken = session.decide_on_all(decision, replace(query, as_of=seen.revision), count=seen.total)
    assert sorted(taken.rows.tolist()) == sorted(session.rows_of(query).tolist())
    assert session.decide_on_all(decision, query, count=99).duplicate, "sent again, it is not taken again"
    assert session.summary()["relabel"] == 7
    session.close()
    again = lw.ReviewSession(make_scores(), journal="bulk.sqlite")
    assert again.summary()["relabel"] == 7
    again.undo()
    assert again.summary()["reviewed"] == 1


def test_rows_decided_since_the_preview_are_left_alone(scores):
    session = lw.ReviewSession(scores, journal=None)
    query = lw.Query(verdict="", as_of=session.preview(lw.Query(verdict="")).revision)
    session.keep([2, 3])
    taken = session.decide_on_all(Decision("remove"), query, count=12)
    assert set(taken.left_alone) == {2, 3}
    assert session.summary()["remove"] == 10
    assert session.summary()["keep"] == 2


def test_a_count_that_is_no_longer_true_is_refused(scores):
    session = lw.ReviewSession(scores, journal=None)
    with pytest.raises(StaleDecision, match="11 rows as in the preview, found 12"):
        session.decide_on_all(Decision("keep"), lw.Query(), count=11)
    assert session.revision == 0


def test_stale_rows_among_many_are_left_alone_and_named(scores):
    session = lw.ReviewSession(scores, journal=None)
    session.relabel(1, "meh")
    seen = [NAMES.index(label) for label in ("good", "good", "meh")]
    taken = session.decide(Decision("keep", (0, 1, 2)), expected=seen, leave_stale=True)
    assert (taken.rows.tolist(), taken.left_alone) == ([0, 2], (1,))
    with pytest.raises(StaleDecision, match="row 1"):
        session.decide(Decision("keep", (1,)), expected=[NAMES.index("good")], leave_stale=True)


def test_a_preview_of_rows_checks_them(scores):
    session = lw.ReviewSession(scores, journal=None)
    session.keep(3)
    seen = session.preview([3, 4])
    assert seen.verdicts == {"": 1, "relabel": 0, "keep": 1, "unsure": 0, "remove": 0}
    assert (seen.total, seen.reviewed, [row.row for row in seen.rows]) == (2, 1, [3, 4])
    with pytest.raises(InputError, match="from 0 to 11"):
        session.preview([12])


def test_rows_of_a_query_are_those_of_its_pages(scores):
    session = lw.ReviewSession(scores, journal=None)
    for query in (lw.Query(search="f"), lw.Query(given="good", sort="row", descending=False), lw.Query(descending=False)):
        rows = session.rows_of(query)
        assert rows.dtype == np.int64
        assert rows.tolist() == [row.row for row in session.page(query).rows]


def test_a_row_has_the_same_place_among_its_twins_alone_and_in_a_crowd():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"text": rng.choice(["a", "b", "c"], 300), "label": rng.choice(["x", "y", None], 300), "loss": 1.0})
    table = lw.ReviewSession(frame, journal=None)._review.table
    rows = rng.permutation(300)[:200].tolist()
    assert places_of(table, rows) == [place for row in rows for place in places_of(table, [row])]
