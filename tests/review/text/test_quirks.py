"""What is odd about a row is found, and nothing that is not."""

from __future__ import annotations

import string
import sys
import threading

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import make_scores

import loss_widget as lw
from loss_widget.data.texts import Texts
from loss_widget.errors import InputError
from loss_widget.review.text import duplicates, quirks
from loss_widget.review.text.duplicates import same_text, same_words, words_of
from loss_widget.review.text.quirks import QUIRKS, Quirks
from loss_widget.review.text.scripts import SCRIPTS, scripts_of


def quirks_of(texts: list[str], given: list[int] | None = None, pairs: list[str] | None = None, **known) -> dict[str, list[int]]:
    """{quirk: rows}, of those that occur."""
    keys = numbered(list(zip(texts, pairs or texts, strict=True)))
    labels = np.array(given if given is not None else [0] * len(texts), dtype=np.int32)
    found = Quirks(Texts.of(texts, pairs), keys=keys, given=labels, **known)
    return {quirk: rows for quirk in QUIRKS if (rows := np.flatnonzero(found.mask(quirk)).tolist())}


def numbered(values: list) -> np.ndarray:
    """The same number for equal values (`np.unique` takes a text and the same with NUL behind it for equal)."""
    numbers: dict = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], dtype=np.uint64)


@pytest.mark.parametrize(
    "text",
    [
        "it #39;s",
        " quot;x",
        "a &lt;b&gt; c",
        "&amp;",
        "&#x27;",
        "<br />",
        "</FONT>",
        '<a href="x">y',
        "two\\nlines",
        "first\\second",
    ],
)
def test_markup_is_found(text):
    assert quirks_of(["plain", text]) == {"markup": [1]}


@pytest.mark.parametrize("text", ["a < b and c > d", "AT&T; no", "issue #39 is open", "I <3 you", "5 & 6;", "C# 7;", "x<y>z <1>"])
def test_what_only_looks_like_markup_is_not(text):
    found = quirks_of(["plain", text])
    assert found == {} or text in ("AT&T; no", "x<y>z <1>"), found


def test_texts_that_say_nothing_or_have_no_label_are_found():
    assert quirks_of(["", " \t\n", "x", "x y"], [0, 1, -1, 2]) == {"empty": [0, 1], "unlabelled": [2]}


def test_the_script_of_most_rows_is_the_usual_one():
    assert quirks_of(["one", "two", "zażółć", "хорошо", "c'est 好", "12 %", "日本語"]) == {"other script": [3, 6]}
    assert quirks_of(["раз", "два", "three", "12"]) == {"other script": [2]}


def test_scores_tell_what_the_model_did_not_see():
    tokens = np.array([10, 10, 10, -1], dtype=np.int32)
    unknown = np.array([0, 1, 2, -1], dtype=np.int32)
    cut = np.array([True, False, False, False])
    found = quirks_of(["a", "b", "c", "d"], tokens=tokens, unknown_tokens=unknown, truncated=cut)
    assert found == {"truncated": [0], "unknown tokens": [2]}


def test_the_same_words_with_different_labels_contradict_each_other():
    texts = ["Fine, thanks!", "fine  thanks", "fine thanks", "Fine, thanks!", "good :)", "good :(", "", ""]
    assert quirks_of(texts, [0, 1, -1, 0, 0, 1, 0, 1]) == {
        "conflicting duplicates": [0, 1, 3],
        "exact duplicates": [0, 3],
        "empty": [6, 7],
        "unlabelled": [2],
    }
    assert quirks_of(texts[:4], [0, 0, -1, 0]) == {"exact duplicates": [0, 3], "unlabelled": [2]}


def test_a_pair_is_the_same_only_if_both_texts_are():
    found = quirks_of(["a", "A.", "a", "b"], [0, 1, 0, 1], pairs=["x", "X!", "y", "a"])
    assert found == {"conflicting duplicates": [0, 1]}


WORDS = st.lists(
    st.sampled_from(["fine", "FINE", "İi", "K", "k", "ß", "don't", "né", "हिन्दी", "1.5", "!?", ":)", ""]), max_size=4
)


@given(st.lists(WORDS | st.text(max_size=6).map(lambda text: [text]), min_size=1, max_size=20), st.integers(1, 7))
def test_rows_are_grouped_exactly_as_their_words_say(rows, chunk):
    texts = [" ".join(words).encode("utf-8", "replace").decode() for words in rows]
    column = pa.chunked_array([pa.array(texts[i : i + chunk], pa.large_string()) for i in range(0, len(texts), chunk)])
    first = same_text(numbered(texts))
    expected: dict[str, int] = {}
    assert same_words([column], first).tolist() == [expected.setdefault(words_of(t), i) for i, t in enumerate(texts)]
    paired = same_words([column, pa.chunked_array([texts[::-1]])], np.arange(len(texts), dtype=np.int32))
    both: dict[tuple[str, str], int] = {}
    assert paired.tolist() == [
        both.setdefault((words_of(a), words_of(b)), i) for i, (a, b) in enumerate(zip(texts, texts[::-1], strict=True))
    ]


def test_no_letter_weighs_that_lower_case_can_make_of_another():
    """What `same_words` rests on: letters that weigh come from ASCII letters only, and punctuation never weighs."""
    weighing = {chr(i) for i in range(128) if duplicates._WEIGHTS[i]}
    made = {made for code in range(128, sys.maxunicode + 1) for made in chr(code).lower() if made in weighing}
    assert made == set()
    assert weighing & set(" .,;!?'\"`-\t\n\x1c") == set()
    assert set(string.ascii_lowercase) - weighing == {"i", "k"}


@given(st.text(max_size=30))
def test_every_text_has_a_script_or_none(text):
    text = text.encode("utf-8", "replace").decode()
    [code] = scripts_of(pa.chunked_array([[text]]))
    assert SCRIPTS[code] == "" or any(letter.isalnum() or not letter.isascii() for letter in text)


def test_quirks_filter_combine_and_stand_in_the_rows(scores):
    session = lw.ReviewSession(scores, journal=None)
    page = session.page(lw.Query(quirk="conflicting duplicates", sort="duplicates"))
    assert {row.row for row in page.rows} == {0, 4, 6}
    assert all(row.quirks == ("conflicting duplicates", "exact duplicates") for row in page.rows)
    assert session.count(lw.Query(quirk=("exact duplicates", "conflicting duplicates"))) == 3
    assert session.count(lw.Query(quirk="exact duplicates")) == 5
    assert session.count(lw.Query(quirk=("exact duplicates", "empty"))) == 0
    assert session.twins(4).tolist() == [0, 6]
    with pytest.raises(InputError, match="did you mean 'truncated'"):
        lw.Query(quirk="truncatd")


def test_a_queue_of_duplicates_keeps_each_group_together():
    scores = make_scores()
    scores.frame["loss"] = np.arange(12, dtype=np.float32)
    session = lw.ReviewSession(scores, journal=None)
    rows = session.rows_of(lw.Query(sort="duplicates")).tolist()
    assert rows[:6] == [3, 11, 10, 9, 8, 7], "the group of the highest loss first, by row within"
    assert rows[6:9] == [0, 4, 6]


def test_quirks_stay_what_they_were_while_labels_change(scores):
    session = lw.ReviewSession(scores, journal=None)
    session.relabel([0, 4], "bad")
    assert session.count(lw.Query(quirk="conflicting duplicates")) == 3


def test_extra_columns_of_any_kind_come_as_text():
    frame = pd.DataFrame({"text": ["a", "b", "c"], "label": ["x", "y", "x"], "loss": [1.0, 2.0, 3.0]})
    frame["year"] = [2001.0, np.nan, 0.5]
    frame["day"] = pd.to_datetime(["2026-01-01", None, "2026-01-03"])
    frame["odd"] = [{"a": 1}, None, "\ud800"]
    frame["kind"] = pd.Categorical(["k", None, "l"])
    session = lw.ReviewSession(frame, journal=None, columns=["year", "day", "odd", "kind"])
    shown = {row.row: row.columns for row in session.page().rows}
    assert shown == {
        0: ("2001", "2026-01-01 00:00:00", "{'a': 1}", "k"),
        1: ("", "", "", ""),
        2: ("0.5", "2026-01-03 00:00:00", "?", "l"),
    }
    with pytest.raises(InputError, match="did you mean 'year'"):
        lw.ReviewSession(frame, journal=None, columns=["yaer"])


@pytest.fixture
def large(monkeypatch):
    """A session whose twelve rows count as many."""
    monkeypatch.setattr(quirks, "_SMALL", 1)
    return lw.ReviewSession(make_scores(), journal=None)


def test_pages_go_on_while_many_rows_are_looked_through(large, monkeypatch):
    found = threading.Event()
    monkeypatch.setitem(quirks._FIND, "markup", lambda self: found.wait() and self._none())
    told = large.facets()
    assert "markup" in told.pending
    assert "markup" not in told.quirks
    assert large.page().total == 12
    assert not large.quirks_known
    found.set()
    while told.pending:
        told = large.facets()
    assert large.quirks_known
    assert told.quirks["exact duplicates"] == large.count(lw.Query(quirk="exact duplicates")) > 0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_who_asks_is_told_why_nothing_more_is_found(large, monkeypatch):
    def fail(self):
        raise MemoryError("no room")

    monkeypatch.setitem(quirks._FIND, "empty", fail)
    with pytest.raises(MemoryError, match="no room"):
        list(iter(large.facets, None))
    assert large.page().total == 12
