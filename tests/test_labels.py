"""Label columns are read in whatever form they come, and matched with a model's names."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from loss_widget.errors import LabelError, LabelMismatch
from loss_widget.labels import AlignedLabels, align_labels, read_labels
from loss_widget.scoring.label_order import check_permutation


@pytest.mark.parametrize(
    ("column", "codes", "values"),
    [
        (pd.Series([1, 0, -1, -100]), [1, 0, -1, -1], (0, 1)),
        (pd.Series([1.0, 0.0, np.nan]), [1, 0, -1], (0.0, 1.0)),
        (pd.Series([1, 0, pd.NA], dtype="Int64"), [1, 0, -1], (0, 1)),
        (pd.Series(["b", "a", "", None]), [1, 0, -1, -1], ("a", "b")),
        (pd.Series(["b", "a", None], dtype=object), [1, 0, -1], ("a", "b")),
        (pd.Series(["b", "a", None], dtype=pd.CategoricalDtype(["b", "a"])), [0, 1, -1], ("b", "a")),
        (pd.Series([True, False]), [1, 0], (False, True)),
    ],
)
def test_every_kind_of_column_is_read_with_missing_labels_apart(column, codes, values):
    labels = read_labels(column)
    assert labels.codes.tolist() == codes
    assert labels.values == values
    assert [type(v) for v in labels.values] == [type(v) for v in values]


def test_label_names_name_the_ids():
    labels = read_labels(pd.Series([2, 0]), label_names=["neg", "neutral", "pos"])
    assert labels.names == ("neg", "neutral", "pos")
    assert labels.values == (0, 1, 2)
    assert not labels.bare_ids


@pytest.mark.parametrize(
    ("column", "names", "says"),
    [
        (pd.Series([3]), ["a", "b"], "found 3"),
        (pd.Series(["Pos"]), ["neg", "pos"], "did you mean 'pos'"),
        (pd.Series([-7, 1]), None, "found -7"),
        (pd.Series(["a", 1], dtype=object), None, "names and numbers"),
        (pd.Series([0.5, 1.0]), None, "found 0.5"),
        (pd.Series([0]), ["a", "a"], "'a' twice"),
        (pd.Series([0]), "ab", "list of different names"),
    ],
)
def test_labels_that_cannot_be_are_refused_with_what_was_found(column, names, says):
    with pytest.raises(LabelError, match=says):
        read_labels(column, label_names=names)


def test_names_are_matched_whatever_their_case_and_order():
    aligned = align_labels(read_labels(pd.Series(["World", " sports"])), ["Sports", "Business", "World"])
    assert aligned.codes.tolist() == [2, 0]
    assert aligned.names == (" sports", "Business", "World"), "the data's own spelling is what people see"
    assert aligned.values == (" sports", "Business", "World")


def test_placeholder_names_against_other_names_show_both_lists():
    with pytest.raises(LabelMismatch) as error:
        align_labels(read_labels(pd.Series(["pos", "neg"])), ["LABEL_0", "LABEL_1"])
    assert "placeholder" in str(error.value)
    assert "'neg', 'pos'" in str(error.value)
    assert "'LABEL_0', 'LABEL_1'" in str(error.value)
    assert "label_map" in str(error.value)


def test_a_label_map_settles_placeholder_names_and_ids():
    by_name = align_labels(
        read_labels(pd.Series(["pos", "neg"])), ["LABEL_0", "LABEL_1"], label_map={"pos": "LABEL_0", "neg": "LABEL_1"}
    )
    assert by_name.codes.tolist() == [0, 1]
    by_id = align_labels(read_labels(pd.Series([0, 1])), ["pos", "neg"], label_map={0: "neg", 1: "pos"})
    assert by_id.codes.tolist() == [1, 0]
    assert by_id.values == (1, 0)
    with pytest.raises(LabelMismatch, match="found 'posi'; did you mean 'pos'"):
        align_labels(read_labels(pd.Series([0, 1])), ["pos", "neg"], label_map={0: "posi"})


def test_a_label_that_only_the_model_knows_gets_the_next_free_id():
    aligned = align_labels(read_labels(pd.Series([0, 1]), label_names=["neg", "pos"]), ["pos", "mixed", "neg"])
    assert aligned.codes.tolist() == [2, 0]
    assert aligned.values == (1, 2, 0)


def test_more_ids_than_the_model_has_labels_are_refused():
    with pytest.raises(LabelMismatch, match="from 0 to 1"):
        align_labels(read_labels(pd.Series([0, 1, 2])), ["LABEL_0", "LABEL_1"])


def permuted(believed: bool) -> tuple[AlignedLabels, np.ndarray]:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, 300).astype(np.int32)
    log_probs = np.full((300, 3), np.log(0.05), dtype=np.float32)
    log_probs[np.arange(300), (codes + 1) % 3] = np.log(0.9)
    return AlignedLabels(codes, ("a", "b", "c"), (0, 1, 2), believed=believed), log_probs


def test_a_far_better_order_of_the_labels_stops_ids_and_warns_for_names():
    with pytest.raises(LabelMismatch, match=r"0% of 300 rows.*100% would.*'a' → 'b'"):
        check_permutation(*permuted(believed=False))
    with pytest.warns(UserWarning, match="The names match, so they are believed"):
        check_permutation(*permuted(believed=True))


def test_a_weak_model_is_no_reason_to_doubt_the_order():
    labels, log_probs = permuted(believed=False)
    rng = np.random.default_rng(1)
    check_permutation(labels, np.log(rng.dirichlet(np.ones(3), len(log_probs))).astype(np.float32))


def predictions(codes: np.ndarray, n_labels: int, accuracy: float, *, seed: int = 2) -> np.ndarray:
    """Log-probabilities whose largest is the label itself in that share of the rows."""
    rng = np.random.default_rng(seed)
    chosen = np.where(rng.random(len(codes)) < accuracy, codes, rng.integers(0, n_labels, len(codes)))
    logits = rng.random((len(codes), n_labels)).astype(np.float32)
    logits[np.arange(len(codes)), chosen] += 3
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


@pytest.mark.parametrize(("n_labels", "rows"), [(2, 40), (21, 150), (77, 3_000), (1_000, 20_000)])
def test_a_wrong_order_is_found_among_any_number_of_labels(n_labels, rows):
    rng = np.random.default_rng(0)
    names = tuple(map(str, range(n_labels)))
    codes = rng.integers(0, n_labels, rows).astype(np.int32)
    log_probs = predictions(codes, n_labels, 0.85)
    check_permutation(AlignedLabels(codes, names, names, believed=False), log_probs)
    wrong = np.roll(np.arange(n_labels), 1).astype(np.int32)[codes]
    with pytest.raises(LabelMismatch, match="if the labels were read as '0' → "):
        check_permutation(AlignedLabels(wrong, names, names, believed=False), log_probs)


@pytest.mark.parametrize("n_labels", [2, 3, 20, 77])
@pytest.mark.parametrize("rows", [20, 60, 200, 2_000])
def test_chance_alone_never_doubts_the_order(n_labels, rows):
    names = tuple(map(str, range(n_labels)))
    for seed in range(20):
        codes = np.random.default_rng(seed).integers(0, n_labels, rows).astype(np.int32)
        labels = AlignedLabels(codes, names, names, believed=False)
        check_permutation(labels, predictions(codes, n_labels, 0.0, seed=seed + 100))
        check_permutation(labels, predictions(codes, n_labels, 0.3, seed=seed + 100))


def test_a_model_that_always_says_the_rare_label_is_weak_not_misnamed():
    codes = (np.arange(500) % 10 != 0).astype(np.int32)
    always = np.log(np.tile(np.float32([0.7, 0.3]), (500, 1)))
    check_permutation(AlignedLabels(codes, ("a", "b"), (0, 1), believed=False), always)
