"""Every error's own suggestion works: the code in its backticks is run, and the same call goes through."""

from __future__ import annotations

import ast
import json
import pathlib
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import loss_widget as lw
from loss_widget.data.examples import read_examples
from loss_widget.errors import InputError, LossWidgetError

CODE = re.compile(r"`([^`]*)`")
ASSIGNS = re.compile(r"^(data|df|probs|del )")
TEXTS = ["great film", "dull film", "so so"]


def frame(**columns):
    return pd.DataFrame({"text": TEXTS, "label": ["pos", "neg", "pos"], **columns})


def written(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def sets(data, *, label="label", **_):
    """Read as for a multi-label model; a column of single labels is refused."""
    return read_examples(data, label=label, head="sigmoid").given


def scores(data, *, probs=None, label_names=("neg", "pos"), **more):
    rows = len(lw.read(data) if isinstance(data, pathlib.Path) else data)
    probs = np.full((rows, len(label_names)), 1 / len(label_names)) if probs is None else probs
    return lw.Scores.from_probs(data, probs, label_names=label_names, **more)


def review(df, **more):
    return lw.ReviewSession(df, journal=None, **more)


def exported(suffix):
    return lambda df: review(df).export(f"out{suffix}", overwrite=True)


def objects(values):
    return pd.Series(values, dtype=object)


TABLE = {
    # texts
    "a dict": (lambda: frame(text=objects([{"id": "1", "body": t} for t in TEXTS])), scores, {}),
    "a dict, one is missing": (lambda: frame(text=objects([{"body": "great"}, None, {"body": "dull"}])), scores, {}),
    "words": (lambda: frame(text=objects([t.split() for t in TEXTS])), scores, {}),
    "words in arrays": (lambda: frame(text=objects([np.array(t.split()) for t in TEXTS])), scores, {}),
    "a chat": (lambda: frame(text=objects([[{"role": "user", "content": t}] for t in TEXTS])), scores, {}),
    "structs": (
        lambda: frame(text=pd.Series([{"body": t} for t in TEXTS], dtype=pd.ArrowDtype(pa.struct({"body": pa.string()})))),
        scores,
        {},
    ),
    "bytes that are not UTF-8": (lambda: frame(text=objects([b"caf\xe9"] * 3)), scores, {}),
    "a Series for text": (lambda: frame(), scores, {"text": pd.Series(TEXTS, name="text")}),
    "an Index for text": (lambda: frame(), scores, {"text": pd.Index(TEXTS)}),
    "a list of labels for label": (lambda: frame(), scores, {"label": ["pos", "neg", "pos"]}),
    "a Series for label": (lambda: frame(), scores, {"label": frame()["label"]}),
    "numbered columns": (lambda: frame().set_axis([0, 1], axis=1), scores, {"text": 0, "label": "1"}),
    # labels
    "bytes": (lambda: frame(label=objects([b"pos", b"neg", b"pos"])), scores, {}),
    "ids as text": (lambda: frame(label=["0", "1", "1"]), scores, {}),
    "ids as text, one is missing": (lambda: frame(label=["0", "", "1"]), scores, {}),
    "ids as text, two digits": (lambda: frame(label=["0", "12", "3"]), scores, {"label_names": [f"name {i}" for i in range(13)]}),
    "lists in Python": (lambda: frame(label=["['joy', 'anger']", "['fear']", ""]), sets, {}),
    "lists in NumPy": (lambda: frame(label=["['joy' 'anger']", "['fear']", "[]"]), sets, {}),
    "lists of numbers in NumPy": (lambda: frame(label=["[0 1]", "[1 1]", "[0 0]"]), sets, {}),
    "lists in JSON": (lambda: frame(label=['["joy", "anger"]', '["fear"]', "[]"]), sets, {}),
    "sets": (lambda: frame(label=["{'joy', 'anger'}", "{'fear'}", "{'joy'}"]), sets, {}),
    "lists without quotes": (lambda: frame(label=["[joy, anger]", "[fear]", "[joy]"]), sets, {}),
    "joined names": (lambda: pd.DataFrame({"text": list("abcd"), "label": ["a,b", "b,a", "a", "b"]}), sets, {}),
    "joined names, with space": (
        lambda: pd.DataFrame({"text": list("abcde"), "label": ["a, b", "b, a", "a", "b", ""]}),
        sets,
        {},
    ),
    "joined ids": (lambda: pd.DataFrame({"text": list("abcd"), "label": ["2,5", "2", "5", ""]}), sets, {}),
    "single labels for several": (lambda: frame(), sets, {}),
    "single labels, one is missing": (lambda: frame(label=["joy", None, "fear"]), sets, {}),
    # losses and probabilities
    "text in loss": (lambda: frame(loss=["1.5", "n/a", "0.25"]), review, {}),
    "one probability a row": (lambda: frame(), scores, {"probs": np.array([0.1, 0.9, 0.5])}),
    "one column of them": (lambda: frame(), scores, {"probs": np.array([[0.1], [0.9], [0.5]])}),
    # files on the way out
    "bytes in CSV": (lambda: frame(loss=1.0, odd=objects([b"x"] * 3)), exported(".csv"), {}),
    "lists in CSV": (lambda: frame(loss=1.0, odd=objects([["a", "b"]] * 3)), exported(".csv"), {}),
    "dicts in TSV": (lambda: frame(loss=1.0, odd=objects([{"a": 1}] * 3)), exported(".tsv"), {}),
    "bytes in JSON lines": (lambda: frame(loss=1.0, odd=objects([b"x"] * 3)), exported(".jsonl"), {}),
    "mixed types in Parquet": (lambda: frame(loss=1.0, odd=objects([1, "x", 2])), exported(".parquet"), {}),
    "lone surrogates": (lambda: frame(loss=1.0, odd=objects(["\ud800"] * 3)), exported(".parquet"), {}),
    "numpy in attrs": (lambda: with_attrs(frame(loss=1.0), threshold=np.float32(1)), exported(".parquet"), {}),
}


def with_attrs(data, **attrs):
    data.attrs = attrs
    return data


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def follow(message, namespace):
    """Run the code that an error suggests, reading the file first; arguments that it names are taken over."""
    found = CODE.findall(message)
    first = [code for code in found if code.startswith("data = lw.read")]
    codes = [
        *first,
        *(
            code
            for code in found
            if (ASSIGNS.match(code) and code not in first and code != "data" and "=" in code) or code.startswith("del ")
        ),
    ]
    for code in codes[: len(first) + 1]:
        exec(code, namespace)
    return dict(ast.literal_eval(f"('{name}', {value})") for name, value in re.findall(r"`(text|label)=('[^']*')`", message))


@pytest.mark.parametrize("name", TABLE)
def test_following_the_advice_of_an_error_works(name):
    make, call, options = TABLE[name]
    data = make()
    with pytest.raises(LossWidgetError) as refusal:
        call(data, **options)
    message = str(refusal.value)
    assert len(message) < 700, "short, whatever was handed in"
    namespace = {"lw": lw, "pd": pd, "np": np, "ast": ast, "json": json, "data": data, "df": data, "label": "label", **options}
    if isinstance(options.get("label"), (list, pd.Series)):
        namespace["label"] = "label"
    more = follow(message, namespace)
    data = namespace["df"] if call not in (scores, sets) else namespace["data"]
    options = {**options, **more, **({"probs": namespace["probs"]} if "probs" in options else {})}
    call(data, **options)


@pytest.mark.parametrize(
    ("content", "suffix", "call"),
    [
        ("text,label\nsunny,\"['joy', 'anger']\"\nhelp,\"['fear']\"\n", ".csv", sets),
        ("text\tlabel\na\t2,5\nb\t2\nc\t5\n", ".tsv", sets),
        ('{"text": {"body": "great"}, "label": "pos"}\n', ".jsonl", scores),
        ("great film,pos\ndull film,neg\nnice film,pos\n", ".csv", scores),
        ("1,great film,pos\n2,dull film,neg\n3,nice film,pos\n", ".csv", scores),
        ("neg;dull film\npos;great film\nneg;a long and dull film\n", ".csv", scores),
    ],
)
def test_the_advice_for_a_file_begins_with_reading_it(content, suffix, call):
    path = written(pathlib.Path(f"data{suffix}"), content)
    with pytest.raises(InputError) as refusal:
        call(path)
    namespace = {"lw": lw, "pd": pd, "ast": ast, "path": path, "label": "label"}
    follow(str(refusal.value), namespace)
    call(namespace["data"])
    assert namespace["data"]["text"].map(type).eq(str).all()


def test_joined_ids_are_not_hundreds_of_classes():
    rng = np.random.default_rng(0)
    labels = [",".join(sorted({str(i) for i in rng.integers(0, 28, rng.integers(1, 4))})) for _ in range(2_000)]
    data = pd.DataFrame({"text": [f"t{i}" for i in range(2_000)], "label": labels})
    with pytest.raises(lw.errors.LabelError, match="several labels a row"):
        read_examples(data)


@pytest.mark.parametrize(
    "labels", [["Books, Music", "Books", "Music"], ["a;b", "c", "d"], ["Clothing, Shoes", "Bags, Belts", "x"]]
)
def test_one_name_with_a_separator_stays_one_label(labels):
    data = pd.DataFrame({"text": TEXTS, "label": labels})
    assert set(read_examples(data).given.names) == set(labels)


@pytest.mark.parametrize("how", ["category", "label_names"])
def test_joined_names_that_are_labels_can_be_told_to_be(how):
    data = pd.DataFrame({"text": list("abcd"), "label": ["a,b", "b,a", "a", "b"]})
    with pytest.raises(lw.errors.LabelError, match=r"astype\('category'\)"):
        read_examples(data)
    if how == "category":
        read_examples(data.astype({"label": "category"}))
    else:
        read_examples(data, label_names=["a,b", "b,a", "a", "b"])


def test_bytes_in_utf8_are_read_as_the_text_that_they_are():
    data = frame(text=objects([t.encode() for t in TEXTS]))
    assert scores(data).top(3)["text"].tolist() == TEXTS
    arrow = frame(text=pd.Series([t.encode() for t in TEXTS], dtype=pd.ArrowDtype(pa.binary())))
    assert scores(arrow).top(3)["text"].tolist() == TEXTS


def test_a_file_with_a_header_that_lacks_the_column_is_no_file_without_header():
    path = written(pathlib.Path("data.csv"), "sentence,label\ngreat,pos\ndull,neg\n")
    with pytest.raises(lw.errors.ColumnError, match="Expected a column 'text', found 'sentence', 'label'"):
        scores(path)


def test_a_column_of_probabilities_that_is_there_twice_is_named():
    data = pd.DataFrame([["a", "x", 1.0, 0.1, 0.2]], columns=["text", "label", "loss", "label_prob", "label_prob"])
    with pytest.raises(lw.errors.ColumnError, match="one column 'label_prob', found several"):
        review(data)
