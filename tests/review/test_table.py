"""Rows stand in one order, and that is found once."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from small import make_scores

import loss_widget as lw
from loss_widget.review.table import ReviewTable, order_of


def test_pages_of_one_filter_are_slices_of_rows_found_once(monkeypatch):
    found, searched = [], []
    candidates, matches = ReviewTable._candidates, ReviewTable._matches
    monkeypatch.setattr(ReviewTable, "_candidates", lambda self, *a: found.append(a[0]) or candidates(self, *a))
    monkeypatch.setattr(ReviewTable, "_matches", lambda self, *a: searched.append(a[0]) or matches(self, *a))
    session = lw.ReviewSession(make_scores(), journal=None)
    rows = [session.page(lw.Query(given="good", search="e", offset=i, limit=1)).rows[0].row for i in range(3)]
    assert rows == session.rows_of(lw.Query(given="good", search="e")).tolist()[:3]
    assert (len(found), len(searched)) == (1, 1)
    session.keep(rows[0])
    session.page(lw.Query(given="good", search="e"))
    assert (len(found), len(searched)) == (1, 1)
    assert rows[0] not in session.rows_of(lw.Query(given="good", verdict="", search="e"))


def test_rows_as_of_a_revision_that_is_still_to_come_are_those_of_now():
    session = lw.ReviewSession(make_scores(), journal=None)
    query = lw.Query(verdict="", as_of=9)
    assert 3 in session.rows_of(query)
    session.keep(3)
    assert 3 not in session.rows_of(query)
    assert 3 in session.rows_of(lw.Query(verdict="", as_of=0))


FLOATS = st.sampled_from([0.0, -0.0, 1.5, -1.5, 1e-40, -1e-40, np.inf, -np.inf, np.nan, -np.nan])


@given(st.lists(FLOATS | st.floats(width=32), min_size=1, max_size=50), st.booleans())
def test_rows_of_float32_stand_as_a_stable_sort_puts_them(values, descending):
    column = np.array(values, dtype=np.float32)
    expected = np.argsort(-column if descending else column, kind="stable").tolist()
    assert order_of([column], descending=descending).tolist() == expected
    assert order_of([column.astype(np.float64)], descending=descending).tolist() == expected
    assert order_of([column, np.arange(len(column))], descending=False)[0] == np.argsort(column, kind="stable")[0]
