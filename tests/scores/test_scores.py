"""Scores: losses in the caller's frame, probabilities from anywhere, saved and loaded without loss."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loss_widget.data.losses import adjusted_losses, losses, margins
from loss_widget.errors import ColumnError, DataError, ExportError, InputError, LabelError, ProbabilityError
from loss_widget.scores.scores import SCORE_COLUMNS, Scores

PROBS = np.array([[0.1, 0.9], [0.8, 0.2], [0.5, 0.5]])


def frame(labels=(1, 1, 0), **columns) -> pd.DataFrame:
    return pd.DataFrame({"text": ["fine", "awful", "meh"], "label": labels, **columns}, index=[4, 4, 9])


def test_the_frame_keeps_its_columns_and_index_and_gains_the_scores():
    scores = Scores.from_probs(frame(extra=[7, 8, 9]), PROBS)
    assert list(scores.frame) == ["text", "label", "extra", *SCORE_COLUMNS]
    assert scores.frame.index.tolist() == [4, 4, 9]
    np.testing.assert_allclose(scores.frame["loss"], -np.log([0.9, 0.2, 0.5]), rtol=1e-6)
    assert scores.frame["loss"].dtype == np.float32
    assert scores.frame["predicted_label"].tolist() == [1, 0, 0]
    np.testing.assert_allclose(scores.probs.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize(
    "labels",
    [
        pd.array([1, 1, None], dtype="Int64"),
        pd.Categorical(["good", "good", None], categories=["bad", "good"]),
        np.array([1, 1, -1], dtype=np.int8),
        [1.0, 1.0, np.nan],
        [True, True, False],
    ],
    ids=["Int64", "category", "int8", "float", "bool"],
)
def test_predictions_are_written_as_the_label_column_writes_them(labels):
    given_frame = frame()
    given_frame["label"] = labels
    scores = Scores.from_probs(given_frame, PROBS)
    assert scores.frame["predicted_label"].dtype == given_frame["label"].dtype
    assert scores.frame["predicted_label"].iloc[0] == given_frame["label"].iloc[0]


def test_unlabelled_rows_have_no_loss_and_come_last():
    scores = Scores.from_probs(frame(labels=[-1, 1, 0]), PROBS)
    assert np.isnan(scores.losses[0])
    assert scores.frame["score_note"].tolist() == ["no label", "", ""]
    assert scores.top()["text"].tolist() == ["awful", "meh", "fine"]


def test_top_shows_names_and_breaks_ties_by_row():
    scores = Scores.from_probs(frame(labels=[0, 0, 0]), np.array([[0.5, 0.5]] * 3), label_names=["bad", "good"])
    assert scores.top(2)["text"].tolist() == ["fine", "awful"]
    assert scores.top(2)["label"].tolist() == ["bad", "bad"]


def test_saved_scores_come_back_whole(tmp_path):
    data = frame(labels=pd.Categorical(["good", "bad", None]))
    data.attrs["source"] = "here"
    scores = Scores.from_probs(data, PROBS, in_sample=False)
    scores.frame.iloc[0, 1] = "bad"
    back = Scores.load(scores.save(tmp_path / "s.parquet"))
    pd.testing.assert_frame_equal(back.frame, scores.frame)
    np.testing.assert_array_equal(back.log_probs, scores.log_probs)
    np.testing.assert_array_equal(back.given_ids, scores.given_ids)
    np.testing.assert_array_equal(back.keys, scores.keys)
    assert (back.label_names, back.provenance) == (scores.label_names, scores.provenance)
    assert back.frame.attrs == {"source": "here"}


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.sort_values("loss"),
        lambda f: f.sort_values("loss", ignore_index=True),
        lambda f: f.drop(index=4),
        lambda f: f.drop(columns=["text", "loss"]),
        lambda f: f.reset_index(),
    ],
)
def test_top_is_of_what_was_scored_whatever_becomes_of_the_frame(change):
    scores = Scores.from_probs(frame(), PROBS)
    before = scores.top()
    scores.frame = change(scores.frame)
    pd.testing.assert_frame_equal(scores.top(), before)


def test_top_keeps_pairs_and_rows_that_were_not_judged():
    data = pd.DataFrame({"a": ["x", "y"], "b": ["1", None], "label": [0, 1]})
    top = Scores.from_probs(data, PROBS[:2], text=("a", "b")).top()
    assert top[["a", "b"]].to_numpy().tolist() == [["x", "1"], ["y", ""]]
    assert top["loss"].dtype == top["predicted_prob"].dtype == np.float32


def test_a_frame_with_other_rows_than_were_scored_is_not_saved(tmp_path):
    for change, says in [
        (lambda f: f.sort_values("loss"), "found others in 2 places"),
        (lambda f: f.drop(index=9), "found 2 rows"),
    ]:
        scores = Scores.from_probs(frame(), PROBS)
        scores.frame = change(scores.frame)
        with pytest.raises(DataError, match=says):
            scores.save(tmp_path / "s.parquet")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "data",
    [
        frame(extra=pd.array([[1], None, [2, 3]], dtype=pd.ArrowDtype(pa.list_(pa.int64())))),
        frame(extra=pd.array([{"a": 1}] * 3, dtype=pd.ArrowDtype(pa.struct([("a", pa.int8())])))),
        frame().set_axis(pd.Index([3, 4, 5], name=("a", "b"))),
        frame().set_axis(pd.MultiIndex.from_product([[1], [3, 4, 5]], names=["a", 7])),
        frame(labels=pd.Categorical([1, 0, None], categories=[1, 0, 5], ordered=True)).iloc[:, :2],
        frame(extra=pd.Categorical([1.5, None, 2.5])),
        frame(extra=1, more=2).rename(columns={"extra": 0, "more": ("x", "y")}),
    ],
    ids=["list", "struct", "tuple name", "number name", "categorical ids", "categorical floats", "odd columns"],
)
def test_what_can_be_saved_comes_back_as_it_was(tmp_path, data):
    probs = np.array([[0.1, 0.8, 0.1]] * 3) if isinstance(data["label"].dtype, pd.CategoricalDtype) else PROBS
    scores = Scores.from_probs(data, probs)
    back = Scores.load(scores.save(tmp_path / "s.parquet"))
    pd.testing.assert_frame_equal(back.frame, scores.frame)
    assert back.labels.space == scores.labels.space


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (frame(odd=pd.Series([2**70] * 3, index=[4, 4, 9], dtype=object)), "column 'odd'"),
        (frame(odd=pd.Series([1, "x", 2], index=[4, 4, 9], dtype=object)), r"column 'odd'.*astype\(str\)"),
        (frame(__key__=1), "'__key__'"),
        (frame(odd=pd.cut([1, 2, 3], 2)), "column 'odd' of category, which cannot be read back"),
        (pd.concat([frame(odd=1), frame(odd=1)[["odd"]]], axis=1), "Duplicate column names"),
    ],
)
def test_what_parquet_cannot_hold_is_named_when_saving(tmp_path, data, says):
    scores = Scores.from_probs(data, PROBS)
    with pytest.raises(ExportError, match=says):
        scores.save(tmp_path / "s.parquet")
    assert list(tmp_path.iterdir()) == []


def test_attrs_that_json_cannot_hold_are_named_when_saving(tmp_path):
    data = frame()
    data.attrs[("a", 1)] = 2
    with pytest.raises(ExportError, match=r"scores\.frame\.attrs"):
        Scores.from_probs(data, PROBS).save(tmp_path / "s.parquet")


def test_texts_with_lone_surrogates_are_named_when_saving(tmp_path):
    data = pd.DataFrame({"text": pd.Series(["a\ud800", "b", "c"], dtype=object), "label": [0, 1, 0]})
    with pytest.raises(ExportError, match=r"column 'text' with lone surrogates.*replace"):
        Scores.from_probs(data, PROBS).save(tmp_path / "s.parquet")


def test_a_path_that_cannot_be_written_is_an_export_error(tmp_path):
    with pytest.raises(ExportError, match="Expected to be able to write"):
        Scores.from_probs(frame(), PROBS).save(tmp_path / ("long" * 62 + ".parquet"))


def test_other_files_are_no_scores(tmp_path):
    frame().to_parquet(tmp_path / "other.parquet")
    with pytest.raises(DataError, match="another Parquet file"):
        Scores.load(tmp_path / "other.parquet")
    with pytest.raises(DataError, match=r"found no such file; did you mean 'other\.parquet'"):
        Scores.load(tmp_path / "otter.parquet")
    (tmp_path / "text.parquet").write_text("text")
    with pytest.raises(DataError, match="Parquet file written by"):
        Scores.load(tmp_path / "text.parquet")


def test_a_column_of_ours_is_replaced_and_one_of_the_callers_refused():
    once = Scores.from_probs(frame(), PROBS)
    twice = Scores.from_probs(once.frame, PROBS[::-1])
    assert list(twice.frame) == list(once.frame)
    with pytest.raises(ColumnError, match=r"'loss'.*rename"):
        Scores.from_probs(frame(loss=[1, 2, 3]), PROBS)


@pytest.mark.parametrize(
    ("probs", "says"),
    [
        (np.array([[0.2, 0.5], [0.3, 0.1], [0.5, 0.4]]), "axis 0"),
        (np.log(PROBS), r"np\.exp"),
        (PROBS * 100, "percentages"),
        (np.array([[2.0, -1.5]] * 3), "goes down to .*logits"),
        (np.array([[1.1, -0.1]] * 3), r"row 0 holds -0\.1 in column 1"),
        (np.array([[0.9, 0.9]] * 3), "multi-label"),
        ([["a", "b"]] * 3, "array of numbers"),
        (PROBS + 0j, "complex"),
        (3, "found int"),
        (np.array([[0.5, np.nan], [0.5, 0.5], [0.5, 0.5]]), "NaN or infinity, the first is row 0"),
        (PROBS[:2], "for 3 rows, found 2"),
        (PROBS[0], "shape"),
        ([[0.5, 0.5], [1.0], [0.5, 0.5]], "all of one length"),
    ],
)
def test_arrays_that_are_no_probabilities_are_refused_with_the_likely_cause(probs, says):
    with pytest.raises(ProbabilityError, match=says):
        Scores.from_probs(frame(), probs, label_names=["bad", "good"])


def test_the_number_of_labels_must_fit():
    with pytest.raises(ProbabilityError, match="Expected 3 probabilities a row"):
        Scores.from_probs(frame(), PROBS, label_names=["a", "b", "c"])


def test_names_are_needed_where_the_order_of_the_columns_is_not_known():
    named = frame(labels=["good", "good", "bad"])
    with pytest.raises(LabelError, match="label_names"):
        Scores.from_probs(named, PROBS)
    assert Scores.from_probs(named, PROBS, label_names=["good", "bad"]).given_ids.tolist() == [0, 0, 1]


def test_probabilities_can_be_a_list_column():
    scores = Scores.from_probs(frame(predicted_probas=PROBS.tolist()), "predicted_probas")
    np.testing.assert_allclose(scores.probs, PROBS, rtol=1e-6)


def test_probabilities_can_be_a_tensor_that_still_learns():
    import torch

    scores = Scores.from_probs(frame(), torch.tensor(PROBS, requires_grad=True))
    np.testing.assert_allclose(scores.probs, PROBS, rtol=1e-6)


def test_a_frame_of_probabilities_is_read_by_the_names_of_its_columns():
    named = frame(labels=["good", "good", "bad"])
    swapped = pd.DataFrame({"good": PROBS[:, 1], "bad": PROBS[:, 0]}, index=named.index)
    right = Scores.from_probs(named, PROBS, label_names=["bad", "good"])
    scores = Scores.from_probs(named, swapped, label_names=["bad", "good"])
    np.testing.assert_array_equal(scores.losses, right.losses)
    assert scores.label_names == ["bad", "good"]
    by_itself = Scores.from_probs(named, swapped)
    np.testing.assert_array_equal(by_itself.losses, right.losses)
    assert by_itself.label_names == ["good", "bad"]
    unnamed = Scores.from_probs(named, pd.DataFrame(PROBS, index=named.index), label_names=["bad", "good"])
    np.testing.assert_array_equal(unnamed.losses, right.losses)
    with pytest.raises(ProbabilityError, match="'bad', 'good', found 'p0', 'p1'"):
        Scores.from_probs(named, pd.DataFrame(PROBS, columns=["p0", "p1"], index=named.index), label_names=["bad", "good"])


def test_a_sure_and_right_model_has_a_loss_of_plus_zero():
    scores = Scores.from_probs(frame(labels=[1, 1, 1]), np.array([[0.0, 1.0]] * 3))
    assert not np.signbit(scores.losses).any()
    assert not np.signbit(scores.top()["loss"]).any()


def test_repr_tells_what_it_is():
    said = repr(Scores.from_probs(frame(), PROBS, label_names=["bad", "good"], in_sample=True))
    assert "3 rows, 2 labels" in said
    assert "in-sample" in said
    scores = Scores.from_probs(frame(), PROBS, in_sample=False)
    scores.provenance["folds"] = 5
    assert "5 folds, out-of-fold" in repr(scores)


def test_in_sample_is_yes_no_or_not_known():
    with pytest.raises(InputError, match=r"True.*found 'yes'"):
        Scores.from_probs(frame(), PROBS, in_sample="yes")
    assert Scores.from_probs(frame(), PROBS, in_sample=np.False_).provenance["in_sample"] is False


def test_repr_never_fails():
    scores = Scores.from_probs(frame(), PROBS)
    for provenance in (None, {}, {"in_sample": "yes"}, {"in_sample": ["odd"], "model": None}):
        scores.provenance = provenance
        assert "in-sample unknown" in repr(scores)
    assert "without a loss" in repr(Scores.from_probs(frame(labels=[-1, -1, -1]), PROBS, label_names=["a", "b"]))


@given(
    st.integers(2, 5).flatmap(lambda k: st.lists(st.lists(st.floats(-20, 20), min_size=k, max_size=k), min_size=1, max_size=20))
)
def test_scores_of_any_logits_agree_with_their_definitions(logits):
    z = np.array(logits)
    log_probs = (z - np.log(np.exp(z - z.max(1, keepdims=True)).sum(1, keepdims=True)) - z.max(1, keepdims=True)).astype(
        np.float32
    )
    ids = np.arange(len(z)) % z.shape[1]
    np.testing.assert_allclose(losses(log_probs, ids), -log_probs[np.arange(len(z)), ids])
    margin = margins(log_probs, ids)
    best = log_probs.argmax(axis=1) == ids
    assert (margin[~best] <= 1e-6).all()
    assert (np.abs(margin) <= 1 + 1e-6).all()
    assert np.isfinite(adjusted_losses(log_probs, ids)).all()


def test_names_that_do_not_fit_are_told_without_speaking_of_a_model():
    with pytest.raises(LabelError, match=r"card_arival.*did you mean 'card_arrival'") as error:
        Scores.from_probs(frame(labels=["card_arival", "b", "b"]), PROBS, label_names=["card_arrival", "b"])
    assert not any(word in str(error.value) for word in ("model", "label_map", "id2label"))


@pytest.mark.parametrize("names", [["a", "a"], "ab", {"a": 0, "b": 1}])
def test_label_names_must_be_a_list_of_different_names(names):
    with pytest.raises(LabelError, match="list of different names"):
        Scores.from_probs(frame(labels=["a", "a", "b"]), PROBS, label_names=names)


def test_names_alike_but_for_case_stay_apart():
    scores = Scores.from_probs(frame(labels=["US", "us", "US"]), PROBS, label_names=["us", "US"])
    assert scores.given_ids.tolist() == [1, 0, 1]


@pytest.mark.parametrize("names", [["1", "2"], [1, 2]])
def test_numbers_are_matched_with_names_that_are_numbers(names):
    scores = Scores.from_probs(frame(labels=[2, 2, 1]), PROBS, label_names=names)
    assert scores.given_ids.tolist() == [1, 1, 0]
    assert scores.frame["predicted_label"].tolist() == [2, 1, 1]


def test_as_many_integer_categories_as_columns_are_the_columns():
    scores = Scores.from_probs(frame(labels=pd.Categorical([2, 2, 1])), PROBS)
    assert (scores.given_ids.tolist(), scores.frame["predicted_label"].tolist()) == ([1, 1, 0], [2, 1, 1])


@pytest.mark.parametrize("names", [None, ["bad", "good"]])
def test_ids_from_one_are_refused(names):
    with pytest.raises(LabelError, match="They start at 1"):
        Scores.from_probs(frame(labels=[2, 2, 1]), PROBS, label_names=names)


@pytest.mark.parametrize("names", [None, ["bad", "good"]])
@pytest.mark.parametrize("labels", [[np.nan] * 3, [-1] * 3, pd.array([None] * 3, dtype="Int64")], ids=["float", "int", "Int64"])
def test_a_column_without_any_label_is_predicted_in_ids(labels, names):
    scores = Scores.from_probs(frame(labels=labels), PROBS, label_names=names)
    assert scores.frame["predicted_label"].tolist() == [1, 0, 0]
    assert np.isnan(scores.losses).all()
