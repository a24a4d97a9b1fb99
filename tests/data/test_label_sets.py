"""Columns of several labels a row are read in whatever form they come, matched with a model's names, and written back alike."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from loss_widget.data.examples import read_examples
from loss_widget.data.label_sets import LabelSets, align_label_sets, read_label_sets
from loss_widget.data.label_space import AlignedLabels
from loss_widget.data.labels import read_labels
from loss_widget.errors import LabelError, LabelMismatch

MODEL = ["joy", "anger", "fear"]
SETS = [["joy", "fear"], [], None, ["anger"]]
ON = [[1, 0, 1], [0, 0, 0], [-1, -1, -1], [0, 1, 0]]


def objects(values) -> pd.Series:
    column = np.empty(len(values), dtype=object)
    for row, value in enumerate(values):
        column[row] = value
    return pd.Series(column, name="label")


def aligned(column: pd.Series, **options) -> AlignedLabels:
    return align_label_sets(read_label_sets(column), MODEL, **options)


def on_of(labels: AlignedLabels) -> np.ndarray:
    assert isinstance(labels.space, LabelSets)
    return labels.space.sets_of(labels.ids)


@pytest.mark.parametrize(
    "column",
    [
        objects(SETS),
        objects([("joy", "fear"), (), np.nan, ("anger",)]),
        objects([{"joy", "fear"}, set(), -100, {"anger"}]),
        objects([np.array(["joy", "fear"]), np.array([]), "", np.array(["anger"])]),
        objects([["Fear ", "JOY"], [], None, ["anger"]]),
        objects([[0, 2], [], None, [1]]),
        objects([np.array([2, 0]), np.array([], dtype=int), None, np.array([1])]),
        objects([[1, 0, 1], [0, 0, 0], None, [0, 1, 0]]),
        objects([[1.0, 0.0, 1.0], [0.0] * 3, None, [0.0, 1.0, 0.0]]),
        objects([np.array([True, False, True]), np.zeros(3, bool), None, np.array([False, True, False])]),
        pd.Series(SETS, dtype=pd.ArrowDtype(pa.list_(pa.string()))),
        pd.Series([[0, 2], [], None, [1]], dtype=pd.ArrowDtype(pa.large_list(pa.int64()))),
    ],
    ids=["names", "tuples", "sets", "arrays", "folded", "ids", "id arrays", "0/1", "floats", "bools", "arrow names", "arrow ids"],
)
def test_every_form_of_label_sets_means_the_same(column):
    labels = aligned(column)
    assert on_of(labels).tolist() == ON
    assert labels.codes.tolist() == [-1, -1, -1, 1]
    assert labels.missing.tolist() == [False, False, True, False]


@pytest.mark.parametrize(
    ("column", "written"),
    [
        (objects(SETS), [["joy", "fear"], [], None, ["anger"]]),
        (objects([[0, 2], [], None, [1]]), [[0, 2], [], None, [1]]),
        (objects([[1, 0, 1], [0, 0, 0], None, [0, 1, 0]]), [[1, 0, 1], [0, 0, 0], None, [0, 1, 0]]),
        (objects([[1.0, 0.0, 1.0], [0.0] * 3, None, [0.0, 1.0, 0.0]]), [[1.0, 0.0, 1.0], [0.0] * 3, None, [0.0, 1.0, 0.0]]),
    ],
    ids=["names", "ids", "0/1", "floats"],
)
def test_sets_are_written_as_the_column_writes_them(column, written):
    labels = aligned(column)
    back = labels.space.column_of(labels.ids, like=column).tolist()
    assert back == written
    assert [type(v) for s in back if s for v in s] == [type(v) for s in written if s for v in s]


def test_sets_of_an_arrow_column_are_written_in_its_type():
    column = pd.Series(SETS, dtype=pd.ArrowDtype(pa.list_(pa.string())))
    labels = aligned(column)
    assert labels.space.column_of(labels.ids, like=column).dtype == column.dtype


@given(
    st.permutations(MODEL),
    st.lists(st.none() | st.lists(st.integers(0, 2), unique=True).map(sorted), min_size=1, max_size=12),
    st.sampled_from(["names", "ids", "vectors"]),
)
def test_whatever_the_order_of_the_models_names_each_set_comes_back(model, sets, form):
    assume(form != "ids" or not all(s in (None, [0, 1]) for s in sets))  # lists of 0 and 1, all of one length, are vectors
    given_names = [None if s is None else [MODEL[i] for i in s] for s in sets]
    if form == "names":
        column, names = objects(given_names), None
    elif form == "ids":
        column, names = objects(sets), MODEL
    else:
        column, names = objects([None if s is None else [int(i in s) for i in range(3)] for s in sets]), MODEL
    read = read_label_sets(column, label_names=names)
    assert read.vector is None or form == "vectors"
    labels = align_label_sets(read, model)
    found = [None if row[0] < 0 else {labels.names[j] for j in np.flatnonzero(row)} for row in on_of(labels)]
    assert found == [None if s is None else set(s) for s in given_names]
    back = labels.space.column_of(labels.ids, like=column)
    in_order = list if form == "vectors" else sorted
    assert [None if s is None else in_order(s) for s in back] == [None if s is None else in_order(s) for s in column]


def test_a_list_of_class_labels_brings_its_names():
    datasets = pytest.importorskip("datasets")
    kind = datasets.Sequence(datasets.ClassLabel(names=["fear", "joy", "anger"]))
    data = datasets.Dataset.from_dict(
        {"text": list("abcd"), "label": [[0, 1], [], [2], [1]]},
        features=datasets.Features({"text": datasets.Value("string"), "label": kind}),
    )
    labels = align_label_sets(read_examples(data, head="sigmoid").given, MODEL)
    assert on_of(labels).tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 0, 0]]
    assert labels.believed


def test_a_label_map_translates_the_places_of_a_vector():
    labels = aligned(objects([[1, 1, 0], [0, 0, 1]]), label_map={0: "fear", 1: "joy", 2: "anger"})
    assert on_of(labels).tolist() == [[1, 0, 1], [0, 1, 0]]
    assert labels.space.column_of(labels.ids, like=objects([None] * 2)).tolist() == [[1, 1, 0], [0, 0, 1]]


def test_places_of_a_vector_are_places_also_where_the_models_names_are_numbers():
    labels = align_label_sets(read_label_sets(objects([[1, 0, 0]])), ["2", "1", "0"])
    assert on_of(labels).tolist() == [[1, 0, 0]]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([["joy"], "anger"], r"found 'anger' \(str\) in row 1. Put it in a list: `\['anger'\]`"),
        ([["joy"], 3], r"found 3 \(int\) in row 1"),
        ([["joy"], {"joy": 1}], "found {'joy': 1}"),
        ([["joy", None]], "found None .*row 0"),
        ([["joy"], [float("nan")]], "found nan .*row 1"),
        ([["joy"], [""]], "found '' .*row 1"),
        ([[2], [-1]], "found -1 .*row 1"),
        ([[0.5, 0.5, 0.0]], r"found 0\.5"),
        ([["joy"], [2]], "names and numbers"),
        ([[["joy"]]], r"found \['joy'\] \(list\)"),
    ],
)
def test_lists_that_hold_no_labels_are_refused_by_row(values, says):
    with pytest.raises(LabelError, match=says):
        read_label_sets(objects(values))


@pytest.mark.parametrize(
    ("values", "error", "says"),
    [
        ([[1, 0], [0, 0]], LabelError, "vectors of 3 numbers, one for each label of the model, found vectors of 2"),
        ([["joy", "angr"]], LabelMismatch, "does not know 'angr'; did you mean 'anger'"),
        ([[0, 7]], LabelMismatch, "from 0 to 2.*found 7"),
    ],
)
def test_sets_that_do_not_fit_the_model_are_refused(values, error, says):
    with pytest.raises(error, match=says):
        aligned(objects(values))


def test_two_places_of_a_vector_cannot_mean_one_label():
    with pytest.raises(LabelError, match="two places that mean the same one"):
        aligned(objects([[1, 1, 0], [0, 0, 1]]), label_map={0: "joy", 1: "joy", 2: "anger"})


def test_a_column_without_any_label_has_no_sets_and_single_labels_are_refused():
    labels = read_labels(pd.Series([None, None], dtype=object)).for_head("sigmoid").align(MODEL)
    assert labels.missing.all()
    space, whole = labels.space.interned(MODEL)
    assert space.column_of(np.array([whole, whole]), like=objects([None] * 2)).tolist() == [MODEL, MODEL]
    with pytest.raises(LabelError, match=r"this is a multi-label model, found single labels, the first is 'joy,fear' in row 1"):
        read_labels(pd.Series([None, "joy,fear"])).for_head("sigmoid")
