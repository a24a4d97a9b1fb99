"""Texts become tokens once, and every row stands in exactly one batch within the budget."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import TEXTS, byte_pairs, tiny, wordpiece

from loss_widget.data.texts import Texts
from loss_widget.errors import InputError, ModelError
from loss_widget.scoring.engine.batches import Padding, by_length, first_batch, padded
from loss_widget.scoring.engine.tokens import Tokens, check_fits, tokenize


def tokens_of(texts: object, *, max_length: int = 64, pairs: object = None) -> Tokens:
    return tokenize(wordpiece(), Texts.of(texts, pairs), max_length=max_length, types=True)


def rows_of(tokens: Tokens) -> list[list[int]]:
    return [tokens.flat[a:b].tolist() for a, b in zip(tokens.starts, tokens.starts[1:], strict=False)]


def test_tokens_are_those_of_the_tokenizer() -> None:
    assert rows_of(tokens_of(TEXTS)) == wordpiece()(TEXTS)["input_ids"]


def test_arrow_and_lists_read_alike() -> None:
    arrow = pa.chunked_array([pa.array(TEXTS[:3]), pa.array(TEXTS[3:])])
    assert rows_of(tokens_of(arrow)) == rows_of(tokens_of(TEXTS))


def test_a_series_is_read_by_position() -> None:
    series = pd.Series(TEXTS, index=range(len(TEXTS), 0, -1))
    assert rows_of(tokens_of(series)) == rows_of(tokens_of(TEXTS))
    assert rows_of(tokens_of(text for text in TEXTS)) == rows_of(tokens_of(TEXTS))


def test_many_chunks_read_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = tokens_of(TEXTS)
    monkeypatch.setattr("loss_widget.scoring.engine.tokens.ROWS_AT_ONCE", 3)
    assert rows_of(tokens_of(TEXTS)) == rows_of(whole)


@pytest.mark.parametrize("family", ["bert", "roberta", "gpt2", "llama", "xlnet", "modernbert"])
@given(texts=st.lists(st.text(max_size=30), min_size=1, max_size=9), paired=st.booleans())
def test_the_tokenizers_core_gives_what_the_tokenizer_gives(family: str, texts: list[str], paired: bool) -> None:
    _, tokenizer = tiny(family)
    pairs = texts[::-1] if paired else None
    first, second = Texts.of(texts, pairs).lists()
    expected = tokenizer(first, second, truncation=True, max_length=12, return_token_type_ids=True)
    found = tokenize(tokenizer, Texts.of(texts, pairs), max_length=12, types=True)
    stood_in = found.notes
    rows = rows_of(found)
    assert [[] if row in stood_in else rows[row] for row in range(len(texts))] == expected["input_ids"]
    if found.types is None:
        assert not any(map(any, expected["token_type_ids"]))


@given(st.lists(st.text(max_size=20), min_size=1), st.integers(1, 5), st.integers(1, 40))
def test_chunks_follow_each_other_within_their_bounds(texts: list[str], rows: int, size: int) -> None:
    whole = Texts.of(texts)
    chunks = list(whole.chunks(rows=rows, size=size))
    assert [start for start, _ in chunks] == [0, *(stop for _, stop in chunks[:-1])]
    assert chunks[-1][1] == len(texts)
    for start, stop in chunks:
        assert stop - start <= rows
        assert stop - start == 1 or sum(len(t.encode("utf-8", "replace")) for t in texts[start:stop]) <= size


def test_odd_values_are_read_as_text() -> None:
    odd = [None, float("nan"), 12, 3.5, "a \ud800 b"]
    assert Texts.of(odd).lists() == (["", "", "12", "3.5", "a ? b"], None)


def test_only_rows_that_lost_tokens_are_truncated() -> None:
    tokens = tokens_of(["goals", "goals goals", "goals goals goals"], max_length=4)
    assert tokens.lengths.tolist() == [3, 4, 4]
    assert tokens.truncated.tolist() == [False, False, True]


def test_pairs_lose_tokens_too() -> None:
    tokens = tokens_of(["goals", "goals"], pairs=["peace", "peace talks oil trade"], max_length=5)
    assert tokens.truncated.tolist() == [False, True]


def test_unknown_tokens_are_counted() -> None:
    assert tokens_of(["goals", "goals 🎉 文", "文"]).unknown.tolist() == [0, 2, 1]


def test_end_of_text_as_unknown_token_is_not_counted() -> None:
    tokens = tokenize(byte_pairs("gpt2"), Texts.of(["<|endoftext|>", "a"]), max_length=9, types=False)
    assert tokens.unknown.tolist() == [0, 0]


def test_an_empty_text_without_special_tokens_gets_one_token_and_a_note() -> None:
    tokens = tokenize(byte_pairs("gpt2"), Texts.of(["", "a", ""]), max_length=9, types=False)
    assert rows_of(tokens) == [[0], *byte_pairs("gpt2")(["a"])["input_ids"], [0]]
    assert sorted(tokens.notes) == [0, 2]


@given(st.lists(st.integers(1, 50), min_size=1, max_size=80), st.integers(1, 300), st.booleans())
def test_every_row_stands_in_one_batch_within_the_budget(sizes: list[int], budget: int, equal: bool) -> None:
    lengths = np.array(sizes)
    order = by_length(lengths, np.arange(len(sizes)))
    seen: list[int] = []
    while len(seen) < len(order):
        batch = first_batch(order[len(seen) :], lengths, token_budget=budget, equal=equal)
        assert len(batch) == 1 or len(batch) * lengths[batch].max() <= budget
        assert not equal or len(set(lengths[batch])) == 1
        seen += batch.tolist()
    assert sorted(seen) == list(range(len(sizes)))
    assert (np.diff(lengths[seen]) <= 0).all()
    ties = [row for row in seen if sizes[row] == sizes[0]]
    assert ties == sorted(ties)


@pytest.mark.parametrize("left", [False, True])
def test_padding_fills_one_side_only(left: bool) -> None:
    tokens = tokens_of(["goals", "the market fell"], pairs=["oil", "oil"])
    batch = padded(tokens, np.array([0, 1]), Padding(token_id=99, type_id=3, left=left))
    goals, market = rows_of(tokens)
    fill, ones = [99, 99], [1] * len(goals)
    assert batch["input_ids"].tolist() == [fill + goals if left else goals + fill, market]
    assert batch["attention_mask"].tolist() == [[0, 0, *ones] if left else [*ones, 0, 0], [1] * len(market)]
    assert batch["token_type_ids"][0].tolist() == ([3, 3, 0, 0, 0, 1, 1] if left else [0, 0, 0, 1, 1, 3, 3])


def test_a_model_without_a_padding_token_gets_an_id_that_the_batch_does_not_hold() -> None:
    tokens = tokens_of(TEXTS)
    batch = padded(tokens, np.arange(len(TEXTS)), Padding(token_id=None))
    fills = set(batch["input_ids"][batch["attention_mask"] == 0].tolist())
    assert len(fills) == 1
    assert not fills & set(tokens.flat.tolist())


def test_the_digest_notices_every_change() -> None:
    others = ((TEXTS,), (TEXTS[::-1],), (TEXTS[:-1],), ([*TEXTS[:-1], "oil"],), (TEXTS, TEXTS), (["ab", "c"],), (["a", "bc"],))
    assert len({Texts.of(*texts).digest() for texts in others}) == len(others)


@given(st.lists(st.text(), min_size=1), st.integers(0, 9), st.integers(1, 9))
def test_the_digest_does_not_mind_how_arrow_cuts(texts: list[str], start: int, size: int) -> None:
    whole = Texts.of(texts)
    cut = pa.chunked_array([whole.columns[0].slice(i, size).combine_chunks() for i in range(0, len(texts), size)])
    assert Texts.of(cut).digest() == whole.digest()
    start = min(start, len(texts) - 1)
    assert whole.slice(start, len(texts)).digest() == Texts.of(whole.lists()[0][start:]).digest()


@given(st.lists(st.text(), min_size=1, max_size=20), st.data())
def test_rows_are_taken_in_the_order_asked_for(texts: list[str], data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.integers(0, len(texts) - 1), min_size=1))
    assert Texts.of(texts, texts[::-1]).take(np.array(rows)).lists() == ([texts[i] for i in rows], [texts[::-1][i] for i in rows])


def test_bad_texts_are_refused() -> None:
    with pytest.raises(InputError, match="list of texts, found one text"):
        tokens_of("one text")
    with pytest.raises(InputError, match="at least one text"):
        tokens_of([])
    with pytest.raises(InputError, match=r"as many second texts as first ones \(8\), found 1"):
        tokens_of(TEXTS, pairs=["a"])


def test_a_tokenizer_of_another_model_is_refused() -> None:
    with pytest.raises(ModelError, match="the tokenizer belongs to another model"):
        check_fits(tokens_of(TEXTS), 10)
