"""The caller's DataFrame: corrected in place, and otherwise as it was."""

from __future__ import annotations

import itertools
import threading
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small import make_frame

import loss_widget as lw
from loss_widget.errors import LabelError, ReviewError
from loss_widget.review import Decision

number = itertools.count()

COLUMNS = {
    "str": pd.Series(["good", "bad", "good"]),
    "object": pd.Series(["good", "bad", "good"], dtype=object),
    "category": pd.Series(["good", "bad", "good"], dtype=pd.CategoricalDtype(["bad", "good", "spam"], ordered=True)),
    "int64": pd.Series([1, 0, 1]),
    "int8": pd.Series([1, 0, 1], dtype="int8"),
    "uint8": pd.Series([1, 0, 1], dtype="uint8"),
    "Int64": pd.Series([1, 0, 1], dtype="Int64"),
    "float": pd.Series([1.0, 0.0, 1.0]),
    "bool": pd.Series([True, False, True]),
    "boolean": pd.Series([True, False, True], dtype="boolean"),
    "string": pd.Series(["good", "bad", "good"], dtype="string"),
    "arrow": pd.Series(["good", "bad", "good"], dtype="string[pyarrow]"),
}
INDEXES = {
    "range": pd.RangeIndex(3),
    "gaps": pd.RangeIndex(5, 11, 2),
    "names": pd.Index(["x", "y", "z"], name="key"),
    "duplicate": pd.Index([7, 7, 7]),
    "multi": pd.MultiIndex.from_tuples([("a", 1), ("a", 1), ("b", 2)], names=["k", "n"]),
    "dates": pd.date_range("2026-01-01", periods=3),
}


@pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES)
@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
def test_a_relabel_changes_one_value_and_nothing_else(column, index):
    frame = pd.DataFrame({"id": [1, 2, 3], "label": column.array, "text": ["a", "b", "a"], "loss": [0.1, 3.0, 2.0]}, index=index)
    frame.attrs["source"] = "here"
    before, given = frame.copy(), column.iloc[0]
    session = lw.ReviewSession(frame, journal=None)
    names = session.label_names
    other = session.page(lw.Query(sort="row", descending=False)).rows[1].given_label
    assert other in names
    session.relabel(0, other)
    assert frame["label"].iloc[0] == column.iloc[1]
    assert type(frame["label"].iloc[0]) is type(before["label"].iloc[0])
    pd.testing.assert_frame_equal(frame.drop(columns="label"), before.drop(columns="label"))
    assert (frame.dtypes == before.dtypes).all()
    assert list(frame.columns) == list(before.columns)
    assert frame.attrs == {"source": "here"}
    session.undo()
    assert frame["label"].iloc[0] == given
    pd.testing.assert_frame_equal(frame, before)
    assert session.df is frame


@pytest.mark.parametrize("missing", [None, np.nan, "", -1, -100])
def test_undo_puts_back_the_very_value_that_meant_no_label(missing):
    column = pd.Series([missing, "good" if missing in (None, "") else 1], dtype=object)
    frame = pd.DataFrame({"text": ["a", "b"], "label": column, "loss": [np.nan, 1.0]})
    session = lw.ReviewSession(frame, journal=None)
    session.relabel(0, session.label_names[0])
    assert frame["label"].iloc[0] == column.iloc[1]
    session.undo()
    back = frame["label"].iloc[0]
    assert back is missing or back == missing or (back != back and missing != missing)


def test_a_copy_leaves_the_frame_alone(frame):
    frame["loss"] = 1.0
    session = lw.ReviewSession(frame, journal=None, copy=True)
    session.relabel(0, "bad")
    assert frame["label"].iloc[0] == "good"
    assert session.df["label"].iloc[0] == "bad"


def test_scores_keep_the_given_labels_losses_and_order(scores):
    given, losses = scores.given_ids.copy(), scores.losses.copy()
    order = scores.top(12)["text"].tolist()
    session = lw.ReviewSession(scores, journal=None)
    session.relabel(range(12), "bad")
    np.testing.assert_array_equal(scores.given_ids, given)
    np.testing.assert_array_equal(scores.losses, losses)
    assert scores.top(12)["text"].tolist() == order
    assert session.df is scores.frame


def test_the_data_that_was_scored_is_never_touched(frame):
    from small import make_scores

    before = frame.copy(deep=True)
    session = lw.ReviewSession(make_scores(frame), journal=None)
    session.relabel(range(12), "bad")
    pd.testing.assert_frame_equal(frame, before)


def test_a_value_changed_by_other_hands_is_left_alone_and_named(scores):
    session = lw.ReviewSession(scores, journal=None)
    scores.frame.iloc[3, 1] = "meh"
    with pytest.warns(UserWarning, match=r"1 row of column 'label'.*left alone: 3\."):
        session.relabel([3, 4], "bad")
    assert scores.frame["label"].iloc[[3, 4]].tolist() == ["meh", "bad"]
    session.keep(3)
    session.relabel(3, "bad")
    assert scores.frame["label"].iloc[3] == "bad", "who has been told and decides again means it"


def test_rows_that_moved_are_not_written(frame):
    frame["loss"] = 1.0
    session = lw.ReviewSession(frame, journal=None)
    frame[:] = frame.sort_values("text").to_numpy()
    with pytest.warns(UserWarning, match=r"sorted or filtered in place.*labels wait"):
        session.relabel(3, "bad")
    session.remove(4)
    with pytest.raises(ReviewError, match="apply_changes"):
        session.corrected()
    assert sorted(frame["label"]) == sorted(make_frame()["label"])


def test_labels_wait_until_the_rows_are_back_in_their_places(frame):
    frame["loss"] = 1.0
    session = lw.ReviewSession(frame, journal=None)
    order = frame.copy()
    frame[:] = frame.iloc[::-1].to_numpy()
    with pytest.warns(UserWarning, match="labels wait"):
        session.relabel(1, "bad")
    frame[:] = order.to_numpy()
    assert session.df["label"].iloc[1] == "bad"


def test_a_kept_row_that_somebody_changed_is_named_too(scores):
    session = lw.ReviewSession(scores, journal=None)
    scores.frame.iloc[3, 1] = "zzz"
    with pytest.warns(UserWarning, match=r"left alone: 3\."):
        session.keep(3)


@pytest.mark.parametrize("dtype", ["category", "str", "object", "string"])
def test_a_row_without_a_label_gets_none_back_also_after_a_restart(dtype):
    frame = pd.DataFrame({"text": ["x", "y"], "label": pd.Series(["a", None], dtype=dtype), "loss": [1.0, 2.0]})
    with lw.ReviewSession(frame, journal="j.sqlite", label_names=["a", "b"]) as session:
        session.relabel(1, "b")
        session.undo()
        assert frame["label"].isna().tolist() == [False, True]
        session.redo()
    again = lw.ReviewSession(frame, journal="j.sqlite", label_names=["a", "b"])
    assert frame["label"].tolist() == ["a", "b"]
    again.undo()
    assert frame["label"].isna().tolist() == [False, True]


def test_a_frame_that_gained_rows_is_not_written(frame):
    frame["loss"] = 1.0
    session = lw.ReviewSession(frame, journal="j.sqlite")
    frame.loc[12] = ["late", "good", 3, 0.5]
    with pytest.raises(ReviewError, match="keep its 12 rows, found 13"):
        session.relabel(1, "bad")
    assert len(session.changes) == 1, "the decision itself is safe"


def test_other_threads_leave_the_frame_to_the_main_thread(scores):
    session = lw.ReviewSession(scores, journal=None)
    thread = threading.Thread(target=lambda: session.decide(Decision("relabel", (1,), 0)))
    thread.start()
    thread.join()
    assert scores.frame["label"].iloc[1] == "good"
    assert session.df["label"].iloc[1] == "bad"


def test_a_label_the_categories_lack_is_added_to_them(scores):
    frame = pd.DataFrame(
        {"text": ["a", "b"], "label": pd.Categorical(["x", "x"]), "predicted_label": ["y", "x"], "loss": [2.0, 1.0]}
    )
    session = lw.ReviewSession(frame, journal=None)
    session.relabel(0, "y")
    assert frame["label"].tolist() == ["y", "x"]
    assert isinstance(frame["label"].dtype, pd.CategoricalDtype)


def test_an_id_that_the_column_cannot_hold_is_refused():
    names = [f"c{i}" for i in range(300)]
    frame = pd.DataFrame({"text": ["a"], "label": pd.Series([1], dtype="int8"), "loss": [1.0]})
    session = lw.ReviewSession(frame, journal=None, label_names=names)
    with pytest.raises(LabelError, match="int8 can hold, found 299"):
        session.relabel(0, "c299")
    assert session.revision == 0


def test_a_name_is_refused_by_a_column_of_numbers():
    frame = pd.DataFrame({"text": ["x"], "label": [np.nan], "predicted_label": ["a"], "loss": [1.0]})
    session = lw.ReviewSession(frame, journal=None)
    with pytest.raises(LabelError, match="float64 can hold, found 'a'"):
        session.relabel(0, "a")
    named = lw.ReviewSession(frame, journal=None, label_names=["b", "a"])
    named.relabel(0, "a")
    assert frame["label"].tolist() == [1.0]


def test_a_click_keeps_the_given_spelling_of_labels_that_were_mapped():
    from loss_widget.data.examples import read_examples
    from loss_widget.data.labels import align_labels
    from loss_widget.scores.scores import Scores

    frame = pd.DataFrame({"text": ["a", "b", "c"], "label": ["pos", "POS ", "neg"]})
    examples = read_examples(frame)
    labels = align_labels(
        examples.given, ["positive", "negative"], label_map={"pos": "positive", "POS ": "positive", "neg": "negative"}
    )
    scores = Scores.from_pass(examples, labels, np.log(np.full((3, 2), 0.5, dtype=np.float32)))
    session = lw.ReviewSession(scores, journal=None)
    session.relabel(1, "neg")
    assert scores.frame["label"].tolist() == ["pos", "neg", "neg"]
    session.undo()
    assert scores.frame["label"].tolist() == ["pos", "POS ", "neg"]


def test_a_label_is_written_in_its_place_whatever_the_number_of_rows():
    frame = make_frame().assign(label=[1, 1, 2, 1, 1, 0, 0, 0, 2, 1, 1, 1], loss=0.5)
    session = lw.ReviewSession(frame, label_names=["bad", "good", "meh"], journal=None)

    def place() -> int:
        return frame["label"].to_numpy().__array_interface__["data"][0]

    session.relabel(0, "bad")
    before = place()
    session.relabel([1, 2], "bad")
    assert frame["label"].tolist()[:3] == [0, 0, 0]
    assert place() == before


@given(
    st.lists(st.sampled_from(["relabel", "keep", "clear", "undo", "redo", "by hand", "look", "open again"]), max_size=14),
    st.data(),
)
@settings(max_examples=60)
def test_undo_never_overwrites_what_somebody_wrote_by_hand(steps, data):
    frame = pd.DataFrame({"text": ["one", "two"], "label": ["a", "b"], "loss": 1.0})
    journal, names = f"hand-{next(number)}.sqlite", ["a", "b", "c"]
    session = lw.ReviewSession(frame, label_names=names, journal=journal)
    by_hand: dict[int, str] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for step in steps:
            row, name = data.draw(st.integers(0, 1)), data.draw(st.sampled_from(names))
            if step == "by hand":
                if frame.loc[row, "label"] != name:
                    frame.loc[row, "label"] = by_hand[row] = name
            elif step == "look":
                assert session.df is frame
            elif step == "open again":
                session = lw.ReviewSession(frame, label_names=names, journal=journal)
                by_hand.clear()  # among rows that are found by their label, what fits counts as the review's own
            elif step in ("undo", "redo"):
                getattr(session, step)()
            else:
                by_hand.pop(row, None)
                session.relabel(row, name) if step == "relabel" else getattr(session, step)(row)
            assert frame["label"].loc[list(by_hand)].to_dict() == by_hand
    session.close()
