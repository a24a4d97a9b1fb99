"""Histogram, confusion and counts say of every query what counting row by row says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small import NAMES, make_frame, make_scores

import loss_widget as lw
from loss_widget.review.query import VERDICTS
from loss_widget.review.text.quirks import QUIRKS

MAYBE = st.none()
QUERIES = st.builds(
    lw.Query,
    given=MAYBE | st.sampled_from(NAMES),
    predicted=MAYBE | st.sampled_from(NAMES),
    verdict=MAYBE | st.sampled_from(VERDICTS),
    disagreements=st.booleans(),
    loss_range=MAYBE | st.sampled_from([(0.0, 1.0), (0.5, 9.0)]),
    search=MAYBE | st.sampled_from(["f", "o", "zz"]),
    quirk=MAYBE | st.sampled_from(list(QUIRKS)),
)


def reviewed_session(**options) -> lw.ReviewSession:
    session = lw.ReviewSession(make_scores(), journal=None, **options)
    session.relabel([1, 6], "meh")
    session.keep([0, 2])
    session.remove(9)
    session.unsure(11)
    return session


def everything(session: lw.ReviewSession, query: lw.Query) -> list:
    return session.page(replace(query, limit=100)).rows


@settings(max_examples=60)
@given(QUERIES)
def test_navigators_count_what_pages_show(query):
    session = reviewed_session()
    told = session.loss_histogram(query)
    rows = everything(session, replace(query, loss_range=None))
    edges = np.array(told.edges)
    bins = [int(np.searchsorted(edges, row.loss, side="right")) - 1 for row in rows]
    assert told.rows == np.bincount(np.minimum(bins, len(edges) - 2), minlength=len(edges) - 1).tolist() if rows else True
    assert sum(told.rows) + told.missing == len(rows)
    assert sum(told.reviewed) == sum(row.verdict != "" for row in rows)

    confusion = session.confusion(query)
    rows = everything(session, replace(query, given=None, predicted=None))
    for cell in (*confusion.cells, *confusion.diagonal):
        own = [row for row in rows if (row.given_label, row.predicted_label) == (cell.given, cell.predicted)]
        assert cell.rows == len(own) > 0
        assert cell.reviewed == sum(row.verdict != "" for row in own)
        assert cell.wrong == sum(row.verdict in ("relabel", "remove") for row in own)
        assert (cell.given == cell.predicted) == (cell in confusion.diagonal)
    assert sum(cell.rows for cell in (*confusion.cells, *confusion.diagonal)) == len(rows)
    assert confusion.rows == sum(cell.rows for cell in confusion.cells)
    assert [c.rows for c in confusion.cells] == sorted((c.rows for c in confusion.cells), reverse=True)

    facets = session.facets(query)
    assert facets.rows == session.count(query)
    assert facets.pending == []
    assert facets.verdicts == {verdict: session.count(replace(query, verdict=verdict)) for verdict in VERDICTS}
    assert facets.disagreements == session.count(replace(query, disagreements=True))
    assert facets.quirks == {q: session.count(replace(query, quirk=(*(query.quirk or ()), q))) for q in QUIRKS}


def test_answers_follow_each_decision():
    session = reviewed_session()
    before = session.facets().verdicts["keep"], sum(session.loss_histogram().reviewed)
    session.keep(5)
    assert (session.facets().verdicts["keep"], sum(session.loss_histogram().reviewed)) == (before[0] + 1, before[1] + 1)


@pytest.mark.parametrize(
    "losses",
    [
        [0.0] * 12,
        [np.nan] * 12,
        [1e-9] * 12,
        [*[0.1] * 11, 87.3],
        [*np.linspace(0, 20, 11), np.nan],
        [-1.0, *range(11)],
        [np.inf] * 12,
    ],
)
def test_edges_hold_every_loss(losses):
    frame = make_frame().assign(loss=np.array(losses))
    told = lw.ReviewSession(frame, journal=None).loss_histogram()
    finite = np.isfinite(losses)
    assert sum(told.rows) == finite.sum()
    assert told.missing == 12 - finite.sum()
    assert told.edges == sorted(set(told.edges))
    assert len(told.edges) <= 60


def test_edges_do_not_move_with_the_filter():
    session = reviewed_session()
    assert session.loss_histogram(lw.Query(given="bad")).edges == session.loss_histogram().edges


def test_of_many_cells_the_largest_come_and_the_rest_is_counted():
    rng = np.random.default_rng(0)
    n, labels = 4_000, 60
    frame = pd.DataFrame({"text": [f"t{i}" for i in range(n)], "label": rng.integers(0, labels, n)})
    scores = lw.Scores.from_probs(frame, rng.dirichlet(np.ones(labels), n), label_names=[f"c{i}" for i in range(labels)])
    told = lw.ReviewSession(scores, journal=None).confusion()
    assert len(told.cells) == 300 < told.total
    assert told.rows + sum(cell.rows for cell in told.diagonal) == n
