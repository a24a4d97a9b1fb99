"""A search finds what RE2 finds text by text, and asks it as little as it can."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given
from hypothesis import strategies as st

from loss_widget.review.text import search
from loss_widget.review.text.search import find

# Among them ſ and the Kelvin sign, other cases of s and k, and what is another character but for one bit.
PIECES = ["ab", "12", "e\u0301", *"aAbsKk \n.([{\x12ßéÉ日😀Ⓐⓐ\u0345\u017f\u212a"]
TEXTS = st.lists(st.lists(st.sampled_from(PIECES), max_size=4).map("".join), min_size=1, max_size=200)


@given(
    TEXTS,
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=3).map("".join),
    st.integers(1, 70),
    st.booleans(),
    st.sampled_from([0.0, 1.0, np.inf]),
)
def test_a_search_finds_what_every_text_asked_alone_would_say(texts, term, chunk, large, dearest):
    kind = pa.large_string() if large else pa.string()
    column = pa.chunked_array([pa.array(texts[i : i + chunk], kind) for i in range(0, len(texts), chunk)])
    alone = [pc.match_substring(pa.scalar(text, kind), term, ignore_case=True).as_py() for text in texts]
    with patch.object(search, "_DEAREST", dearest), patch.object(search, "_FIRST", 1):
        assert find(column, term).tolist() == alone
        assert find(pa.array(["", *texts], kind).slice(1), term).tolist() == alone


def test_what_begins_in_one_text_and_ends_in_the_next_is_not_found():
    texts = ["end of on", "e text"] * 50
    assert not find(pa.array(texts), "one").any()


def test_a_rare_term_is_looked_for_in_blocks_and_then_in_the_rows_of_one(monkeypatch):
    asked = []
    ask = search._ask
    monkeypatch.setattr(search, "_ask", lambda texts, term: asked.append(len(texts)) or ask(texts, term))
    texts = [f"row {i:04}" for i in range(6_400)]
    rare = {"row 98765": "w 98765", "RARE": "rare", "ſo Kind a word": "so kind a word", "日本語": "本語"}
    other_cases = {"Q\u017f": "qs", "Q\u212a": "qk"}  # in the part that is looked for: nothing rarer comes after them
    for text, term in (rare | other_cases).items():
        asked.clear()
        assert np.flatnonzero(find(pa.array([*texts[:1234], text, *texts[1235:]]), term)).tolist() == [1234]
        assert 16 < sum(asked) < 300, "the first 16 blocks, in any case, and the rows of the few that may hold it"
    asked.clear()
    assert np.flatnonzero(find(pa.array([*texts[:-1], "ČÍŽŮ"]), "čížů")).tolist() == [6_399]
    assert asked == [16, 200, 32], "no part of it is ASCII or without case"
    asked.clear()
    assert find(pa.array(texts), "ROW").all()
    assert asked == [16, 6_400]
