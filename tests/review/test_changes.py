"""Changes travel: to a file, to a colleague, to another copy or a newer version of the data, each label in its own type."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from small import make_frame

import loss_widget as lw
from loss_widget.errors import DataError, ExportError

KINDS = [
    pd.Series([0, 0, 1], dtype=object),
    pd.Series([0, 0, 0], dtype=object),
    pd.Series([0, 0, 0], dtype=pd.CategoricalDtype([0, 1])),
    pd.Series([1.0, 1.0, np.nan], dtype=object),
    pd.Series([False, False, False], dtype=object),
    pd.Series([False, True, False], dtype="boolean"),
    pd.Series([0, 0, None], dtype="Int8"),
    pd.Series(["0", "0", "1"]),
    pd.Series(["=a", "=a", "-b"]),
]


@pytest.mark.parametrize("labels", KINDS, ids=lambda labels: f"{labels.dtype} {labels.tolist()}")
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("texts", [False, True])
@pytest.mark.filterwarnings("ignore:.*cells start with =")
def test_exported_changes_bring_labels_back_in_their_own_type(labels, suffix, texts):
    frame = pd.DataFrame({"text": ["a", "b, c", "d"], "label": labels, "loss": 1.0})
    before = frame.copy()
    ids = not isinstance(labels.dropna().iloc[0], (str, bool, np.bool_))
    session = lw.ReviewSession(frame, label_names=["neg", "pos"] if ids else None, journal=None)
    others = [name for name in session.label_names if name != session.page().rows[0].given_label]
    if others:
        session.relabel(0, others[0])
    session.remove(1)
    for more in ({}, {"excel_safe": True}):
        path = session.export_changes(f"changes{suffix}", texts=texts, overwrite=True, **more)
        assert ("b, c" in str(lw.read(path).to_dict())) == texts
        pd.testing.assert_frame_equal(lw.apply_changes(before, path), session.corrected())


def test_exported_changes_hold_both_texts_of_a_pair_and_an_index_of_several_levels():
    index = pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])
    frame = pd.DataFrame({"one": ["x", "y"], "two": ["p", "q"], "label": ["n", "m"], "loss": 1.0}, index=index)
    session = lw.ReviewSession(frame, text=("one", "two"), journal=None)
    session.relabel(1, "n")
    path = session.export_changes("changes.csv", texts=True)
    read = lw.read(path)
    assert read.columns.tolist()[:5] == ["row", "index", "key", "text", "text_2"]
    assert read.iloc[0, [1, 3, 4]].tolist() == ["('b', 2)", "y", "q"]
    assert lw.apply_changes(frame, path, text=("one", "two"))["label"].tolist() == ["n", "n"]
    with pytest.raises(ExportError, match="overwrite=True"):
        session.export_changes("changes.csv")


@pytest.mark.parametrize("form", ["frame", "journal"])
def test_changes_are_made_in_a_newer_version_of_the_data_and_the_rest_is_reported(scores, form):
    with lw.ReviewSession(scores, journal="j.sqlite") as session:
        session.relabel([1, 10], "bad")
        session.remove(5)
        changes = session.changes if form == "frame" else "j.sqlite"
        kept = session.df["text"].iloc[10]
    newer = make_frame()
    newer.loc[1, "text"] = "edited"
    newer.loc[10, "label"] = "mine"
    newer = pd.concat([newer.iloc[::-1], pd.DataFrame({"text": ["new"], "label": ["good"], "age": [1]})], ignore_index=True)
    with pytest.raises(DataError, match=r"found 2 that match none.*missing='report'"):
        lw.apply_changes(newer, changes)
    with pytest.warns(UserWarning, match=r"2 of 3 changes match no row.*its text is not there.*label is another now"):
        result = lw.apply_changes(newer, changes, missing="report")
    lost = result.attrs["changes_not_applied"]
    assert [(one["old_label"], one["new_label"]) for one in lost] == [("good", "bad")] * 2
    assert len(result) == len(newer) - 1
    assert result.set_index("text")["label"][kept] == "mine"
    skipped = lw.apply_changes(newer, changes, missing="skip")
    pd.testing.assert_frame_equal(skipped, result)
    assert skipped.attrs == newer.attrs == {}
    with pytest.raises(lw.errors.InputError, match="'raise', 'skip' or 'report'"):
        lw.apply_changes(newer, changes, missing="ignore")


@pytest.mark.parametrize("change", ["rename", "drop"])
def test_changes_stay_in_reach_when_the_label_column_is_renamed(change):
    frame = pd.DataFrame({"text": ["a", "b"], "label": pd.Series([0, 1], dtype="int8"), "loss": [1.0, 2.0]})
    session = lw.ReviewSession(frame, label_names=["x", "y"], journal=None)
    session.relabel(0, "y")
    before = session.changes
    if change == "rename":
        frame.columns = ["text", "target", "loss"]
    else:
        del frame["label"]
    pd.testing.assert_frame_equal(session.changes, before)
    assert session.export_changes("changes.csv", texts=True).exists()
