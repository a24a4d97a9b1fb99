"""Any labelled data becomes Examples; what cannot is refused with what was expected, what was found and what to do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from loss_widget.data.examples import read_examples
from loss_widget.errors import ColumnError, DataError, LabelError

ROWS = [{"text": "null", "label": "NA"}, {"text": "two words", "label": "b"}, {"text": "", "label": ""}]


def as_datasets(rows):
    import datasets

    return datasets.Dataset.from_list(rows)


def as_polars(rows):
    import polars

    return polars.DataFrame(rows)


@pytest.mark.parametrize("make", [pd.DataFrame, as_polars, pa.Table.from_pylist, as_datasets, list], ids=lambda f: f.__name__)
def test_every_kind_of_data_gives_the_same_examples(make):
    examples = read_examples(make(ROWS))
    assert examples.contents.words[0].to_pylist() == ["null", "two words", ""]
    assert examples.given.names == ("NA", "b")
    assert examples.given.codes.tolist() == [0, 1, -1]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_files_are_read_with_texts_like_null_and_labels_like_na_as_they_stand(tmp_path, suffix):
    path, frame = tmp_path / f"data{suffix}", pd.DataFrame(ROWS)
    if suffix == ".parquet":
        frame.to_parquet(path)
    elif suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, index=False, sep="\t" if suffix == ".tsv" else ",")
    examples = read_examples(path)
    assert examples.contents.words[0].to_pylist() == ["null", "two words", ""]
    assert examples.given.codes.tolist() == [0, 1, -1]


def test_a_class_label_brings_its_names():
    import datasets

    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["pos", "neg"])})
    data = datasets.Dataset.from_dict({"text": ["a", "b"], "label": [1, -1]}, features=features)
    examples = read_examples(data)
    assert examples.given.names == ("pos", "neg")
    assert examples.given.codes.tolist() == [1, -1]


def test_nothing_in_the_data_is_modified():
    frame = pd.DataFrame({"text": ["a", None, 3], "label": [0, 1, 0]})
    before = frame.copy(deep=True)
    read_examples(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_odd_texts_are_read_and_named():
    frame = pd.DataFrame({"text": pd.Series(["ok", None, 3, "\ud800!"], dtype=object), "label": [0, 0, 0, 0]})
    examples = read_examples(frame)
    assert examples.contents.words[0].to_pylist() == ["ok", "", "3", "?!"]
    assert examples.notes[1] == "text was missing"
    assert "int" in examples.notes[2]
    assert "replaced by ?" in examples.notes[3]


def test_content_keys_are_of_the_text_alone_and_the_same_everywhere():
    there = read_examples(pd.DataFrame({"text": ["a", "b"], "label": [0, 1]}))
    here = read_examples(pd.DataFrame({"text": ["b", "a"], "label": [0, 0]}, index=[7, 7]))
    assert there.keys.tolist() == here.keys.tolist()[::-1]
    assert there.keys.tolist() == [3405396810240292928, 8453121595177857668], "BLAKE2b of 8 bytes, little-endian"


def test_a_pair_of_texts_is_one_content():
    frame = pd.DataFrame({"a": ["x", "xy"], "b": ["yz", "z"], "label": [0, 1]})
    examples = read_examples(frame, text=("a", "b"))
    assert [words.to_pylist() for words in examples.contents.words] == [["x", "xy"], ["yz", "z"]]
    assert len(set(examples.keys.tolist())) == 2


def as_splits():
    import datasets

    return datasets.DatasetDict({"train": as_datasets(ROWS), "test": as_datasets(ROWS)})


@pytest.mark.parametrize(
    ("data", "options", "error", "says"),
    [
        (as_splits, {}, DataError, "'train', 'test'"),
        (lambda: pd.DataFrame(ROWS), {"label": "Label"}, ColumnError, "did you mean 'label'"),
        (lambda: pd.DataFrame(ROWS), {"text": "sentence"}, ColumnError, "Expected a column 'sentence'"),
        (lambda: pd.DataFrame(ROWS), {"text": ("a", "b", "c")}, ColumnError, "a pair of them, found 3"),
        (lambda: pd.DataFrame(ROWS), {"text": 3}, ColumnError, "the name of a column or a pair of names, found 3"),
        (lambda: pd.DataFrame(ROWS).iloc[:0], {}, DataError, "at least one row"),
        (lambda: pd.DataFrame([["x", 1, 2]], columns=["text", "label", "label"]), {}, ColumnError, "several of that name"),
        (lambda: {"text": ["a"]}, {}, DataError, "found dict"),
        (lambda: "nowhere.csv", {}, DataError, "found none"),
        (lambda: "data.xlsx", {}, DataError, "found 'data.xlsx'"),
    ],
)
def test_bad_data_is_refused_by_name(data, options, error, says):
    with pytest.raises(error, match=says):
        read_examples(data(), **options)


def test_a_directory_is_refused_with_what_it_holds(tmp_path):
    (tmp_path / "train.csv").write_text("text,label\n")
    with pytest.raises(DataError, match=r"found a directory.*train\.csv"):
        read_examples(tmp_path)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("text,label\nhello, really,a\nworld,b\n", "2 fields .*found 3 in line 2: 'hello', ' really', 'a'"),
        ("text,label\nworld,b\nhello, really,a\n", "found 3 in line 3"),
        ('text,label\n"two\nlines",b\na,b,c\n', "found 3 in line 4"),
        ("text,label\na,b,\nc,d,\n", "line 2.*ends with a separator"),
        ("text,label\na,b,,\n", "found 4 in line 2"),
        ("text,label\na,b\nc\n", "2 fields .*found 1 in line 3"),
        ('text,label\n"a, b",c\n"d, e,f\n', "line 3 that never is"),
    ],
)
def test_lines_with_more_fields_than_the_header_are_never_read_shifted(tmp_path, written, says):
    path = tmp_path / "data.csv"
    path.write_text(written)
    with pytest.raises(DataError, match=says):
        read_examples(path)


@pytest.mark.parametrize(
    ("name", "written", "says"),
    [
        ("utf16.csv", "text,label\nä,b\n".encode("utf-16"), "Expected utf16.csv to be UTF-8"),
        ("utf16.jsonl", '{"text": "ä"}'.encode("utf-16"), "UTF-8|cannot be read"),
        ("empty.csv", b"", "No columns to parse"),
        ("empty.jsonl", b"", "label|column|at least one row"),
        ("empty.parquet", b"", "cannot be read as such"),
        ("bad.jsonl", b'{"text": "a"\n', "cannot be read as such"),
        ("list.jsonl", b'{"text": "a"}\n[1]\n', "cannot be read as such"),
        ("bad.parquet", b"PAR1 but no more of it PAR1", "cannot be read as such"),
    ],
)
def test_files_that_cannot_be_read_say_so(tmp_path, name, written, says):
    (tmp_path / name).write_bytes(written)
    with pytest.raises(DataError, match=says):
        read_examples(tmp_path / name)


@pytest.mark.parametrize("label", [["a", "b"], np.array([0, 1]), {"a": 1}], ids=["list", "array", "dict"])
def test_rows_with_several_labels_are_refused_by_row(label):
    frame = pd.DataFrame({"text": ["x", "y"]})
    frame["label"] = pd.Series([None, label], dtype=object)
    with pytest.raises(LabelError, match=r"one label a row.*column 'label', row 1"):
        read_examples(frame)
