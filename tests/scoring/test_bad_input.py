"""Whatever stands in the text and label columns: the number of a plain pass, or words that say why there is none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_models import LABELS, plain_log_probs, tiny

from loss_widget.errors import LabelError
from loss_widget.scores.scores import Scores
from loss_widget.scoring import score

ANY_TEXT = st.text(st.characters(), max_size=80)  # lone surrogates and control characters among them
ODD = {
    "emoji": "🎉 goals 👩‍👩‍👧‍👦 🇳🇱",
    "right to left": "שלום العالم ‏goals‏",
    "combining": "Z̷a̶l̵g̸o goals",
    "zero width": "go​als\u200d\ufeff",
    "controls": "goals\x00\x07\x1b[31m\r\n\t",
    "private use": "\ue000\U0010ffff",
    "only spaces": "   \u00a0\u3000 ",
}
MISSING = [None, float("nan"), "", -1, -100]
RELAXED = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])


def judged(texts: list[Any], labels: Any = None, family: str = "bert", **more: Any) -> Scores:
    model, tokenizer = tiny(family)
    labels = [LABELS[i % 3] for i in range(len(texts))] if labels is None else labels
    data = pd.DataFrame({"text": pd.Series(texts, dtype=object), "label": labels})
    return score(data, model, tokenizer=tokenizer, progress=False, **more)


def readable(text: Any) -> str:
    """What a user would hand to the tokenizer instead."""
    return "" if text is None or text != text else str(text).encode("utf-8", "replace").decode("utf-8")


@pytest.mark.parametrize("family", ["bert", "roberta", "gpt2", "llama"])
def test_odd_texts_get_the_numbers_of_a_plain_pass(family: str) -> None:
    model, tokenizer = tiny(family)
    found = judged(list(ODD.values()), family=family)
    np.testing.assert_allclose(found.log_probs, plain_log_probs(model, tokenizer, list(ODD.values())), atol=1e-5, rtol=0)
    assert np.isfinite(found.losses).all()


@given(texts=st.lists(ANY_TEXT, min_size=1, max_size=6), family=st.sampled_from(["bert", "roberta"]))
@RELAXED
def test_any_unicode_keeps_its_place_and_its_number(texts: list[str], family: str) -> None:
    model, tokenizer = tiny(family)
    scores = judged(texts, family=family)
    plain = plain_log_probs(model, tokenizer, [readable(text) for text in texts])
    np.testing.assert_allclose(scores.log_probs, plain, atol=1e-5, rtol=0)
    assert scores.frame["text"].tolist() == texts
    for text, note in zip(texts, scores.frame["score_note"], strict=True):
        assert ("replaced by ?" in note) == (readable(text) != text)


@pytest.mark.parametrize(
    ("value", "note"),
    [
        (None, "text was missing"),
        (float("nan"), "text was missing"),
        (pd.NA, "text was missing"),
        (7, "held a int, read as text"),
        (2.5, "held a float, read as text"),
        (b"goals", "held a bytes, read as text"),
        (pd.Timestamp("2026-01-01"), "held a Timestamp, read as text"),
        ("a\ud800b", "characters that no text can hold, replaced by ?"),
    ],
    ids=str,
)
def test_what_is_no_text_is_flagged_and_its_neighbours_are_not(value: Any, note: str) -> None:
    scores = judged(["the market fell", value, "goals"])
    notes = scores.frame["score_note"].tolist()
    assert note in notes[1]
    assert notes[0] == notes[2] == ""
    missing = value is None or value is pd.NA or value != value
    model, tokenizer = tiny("bert")
    texts = ["the market fell", "" if missing else readable(value.decode() if isinstance(value, bytes) else value), "goals"]
    np.testing.assert_allclose(scores.log_probs, plain_log_probs(model, tokenizer, texts), atol=1e-5, rtol=0)


@pytest.mark.parametrize("dtype", ["int64", "float32", "bool", "datetime64[ns]", "category"])
def test_a_text_column_of_another_type_is_read_as_text_and_says_so(dtype: str) -> None:
    model, tokenizer = tiny("bert")
    numbers = pd.Series([1, 0, 1]).astype(dtype)
    scores = score(pd.DataFrame({"text": numbers, "label": LABELS}), model, tokenizer=tokenizer, progress=False)
    assert np.isfinite(scores.losses).all()
    assert all("read as text" in note for note in scores.frame["score_note"])


def test_a_text_of_five_million_characters_is_read_up_to_the_limit() -> None:
    start = "the market fell after the final match and " * 20
    scores = judged([start + f"{'x' * 999} " * 5_000, "goals", start])  # a page, and then the bytes of its pictures
    assert len(scores.frame["text"][0]) > 5_000_000
    assert scores.frame["truncated"].tolist() == [True, False, True]
    assert scores.frame["tokens"].tolist() == [128, 3, 128]
    np.testing.assert_allclose(scores.log_probs[0], scores.log_probs[2], atol=1e-5)


@st.composite
def label_columns(draw: st.DrawFn) -> tuple[pd.Series, list[int]]:
    """A label column of one of the kinds that people have, and the ids it means (-1: none)."""
    ids = draw(st.lists(st.sampled_from([0, 1, 2, -1]), min_size=1, max_size=10))
    kind = draw(st.sampled_from(["ids", "Int64", "floats", "names", "folded", "categories", "objects"]))
    names = [None if i < 0 else LABELS[i] for i in ids]
    if kind == "ids":
        return pd.Series([draw(st.sampled_from([-1, -100])) if i < 0 else i for i in ids]), ids
    if kind == "Int64":
        return pd.Series([pd.NA if i < 0 else i for i in ids], dtype="Int64"), ids
    if kind == "floats":
        return pd.Series([np.nan if i < 0 else i for i in ids], dtype="float64"), ids
    if kind == "categories":
        return pd.Series(pd.Categorical(names, categories=draw(st.permutations(LABELS)))), ids
    if kind == "objects":
        return pd.Series([draw(st.sampled_from(MISSING)) if n is None else n for n in names], dtype=object), ids
    return pd.Series([n if n is None or kind == "names" else f" {n.title()}" for n in names], dtype=object), ids


@given(label_columns())
@RELAXED
def test_any_label_column_gives_each_row_the_loss_of_its_own_label(column: tuple[pd.Series, list[int]]) -> None:
    labels, ids = column
    texts = [f"goals {'market ' * i}" for i in range(len(ids))]
    scores = judged(texts, labels)
    model, tokenizer = tiny("bert")
    plain = plain_log_probs(model, tokenizer, texts)
    expected = [np.nan if i < 0 else -row[i] for i, row in zip(ids, plain, strict=True)]
    np.testing.assert_allclose(scores.losses, expected, atol=1e-5)
    assert ["no label" in note for note in scores.frame["score_note"]] == [i < 0 for i in ids]
    assert scores.frame["text"].tolist() == texts
    pd.testing.assert_series_equal(scores.frame["label"], labels, check_names=False)


@given(st.lists(st.sampled_from(["world", "sport", 0, 1, 2.5, b"world", ("world",), None]), min_size=2, max_size=6))
@RELAXED
def test_a_column_of_mixed_labels_is_refused_or_read_but_never_guessed(labels: list[Any]) -> None:
    present = [label for label in labels if label is not None]
    column = np.empty(len(labels), dtype=object)
    for row, label in enumerate(labels):
        column[row] = label
    texts = ["goals"] * len(labels)
    if all(label in LABELS for label in present) or all(type(label) is int for label in present):
        scores = judged(texts, column)
        assert np.isfinite(scores.losses).tolist() == [label is not None for label in labels]
    else:
        with pytest.raises(LabelError):
            judged(texts, column)
