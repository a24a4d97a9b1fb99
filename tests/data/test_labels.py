"""Label columns are read in whatever form they come, and matched with a model's names."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from loss_widget.data.examples import read_examples
from loss_widget.data.label_space import AlignedLabels
from loss_widget.data.labels import OneLabel, align_labels, read_labels
from loss_widget.errors import LabelError, LabelMismatch
from loss_widget.scores.label_order import check_permutation


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
        (pd.Series([0]), {0: "a"}, "list of different names"),
    ],
)
def test_labels_that_cannot_be_are_refused_with_what_was_found(column, names, says):
    with pytest.raises(LabelError, match=says):
        read_labels(column, label_names=names)


def test_names_are_matched_whatever_their_case_and_order():
    aligned = align_labels(read_labels(pd.Series(["World", " sports"])), ["Sports", "Business", "World"])
    assert aligned.codes.tolist() == [2, 0]
    assert aligned.names == (" sports", "Business", "World"), "the data's own spelling is what people see"
    assert aligned.space.values == (" sports", "Business", "World")


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
    assert by_id.space.values == (1, 0)
    with pytest.raises(LabelMismatch, match="found 'posi'; did you mean 'pos'"):
        align_labels(read_labels(pd.Series([0, 1])), ["pos", "neg"], label_map={0: "posi"})


def test_a_label_that_only_the_model_knows_gets_the_next_free_id():
    aligned = align_labels(read_labels(pd.Series([0, 1]), label_names=["neg", "pos"]), ["pos", "mixed", "neg"])
    assert aligned.codes.tolist() == [2, 0]
    assert aligned.space.values == (1, 2, 0)


def test_more_ids_than_the_model_has_labels_are_refused():
    with pytest.raises(LabelMismatch, match="from 0 to 1"):
        align_labels(read_labels(pd.Series([0, 1, 2])), ["LABEL_0", "LABEL_1"])


NAMES = tuple(f"name_{i}" for i in range(1, 6))


def test_a_complete_label_map_says_the_ids_of_labels_that_do_not_occur():
    aligned = align_labels(read_labels(pd.Series([1, 1])), NAMES, label_map={i + 1: n for i, n in enumerate(NAMES)})
    assert aligned.space.values == (1, 2, 3, 4, 5)
    assert aligned.names == NAMES
    assert aligned.space.aliases == {i + 1: i for i in range(5)}
    floats = align_labels(read_labels(pd.Series([1.0, None])), NAMES, label_map={i + 1: n for i, n in enumerate(NAMES)})
    assert [type(v) for v in floats.space.values] == [float] * 5


def test_a_complete_label_map_of_codes_writes_and_shows_codes_everywhere():
    codes = {f"C{i:02}": name for i, name in enumerate(NAMES, start=1)}
    aligned = align_labels(read_labels(pd.Series(["C02", "C02"])), NAMES, label_map=codes)
    assert aligned.space.values == aligned.names == ("C01", "C02", "C03", "C04", "C05")
    assert aligned.codes.tolist() == [1, 1]


def test_of_several_codes_for_a_label_the_first_is_written_and_all_are_known():
    aligned = align_labels(read_labels(pd.Series([7])), ["a", "b"], label_map={7: "b", 3: "a", 4: "a"})
    assert aligned.space.values == (3, 7)
    assert aligned.space.aliases == {7: 1, 3: 0, 4: 0}


def test_a_label_outside_the_label_map_gets_an_id_that_the_map_has_not_taken():
    assert align_labels(read_labels(pd.Series([0])), ["a", "b", "c"], label_map={0: "a", 1: "b"}).space.values == (0, 1, 2)


@pytest.mark.parametrize("names", [["1", "2", "3", "4", "5"], [1, 2, 3, 4, 5]])
@pytest.mark.parametrize("column", [pd.Series([1, 4]), pd.Series([1.0, 4.0, None]), pd.Series(pd.Categorical([1, 4]))])
def test_ids_that_are_names_are_matched_by_name(column, names):
    labels = read_labels(column, label_names=names)
    assert [labels.names[i] for i in labels.codes if i >= 0] == ["1", "4"]
    assert labels.values == (1, 2, 3, 4, 5)
    aligned = align_labels(read_labels(pd.Series(column.astype(float))), names)
    assert [aligned.names[i] for i in aligned.codes if i >= 0] == ["1", "4"]
    assert aligned.space.values == (1, 2, 3, 4, 5)


def test_ids_that_are_no_names_are_positions():
    stars = ["1", "2", "3", "4", "5"]
    assert read_labels(pd.Series([0, 4]), label_names=stars).values == (0, 1, 2, 3, 4)
    assert read_labels(pd.Series([1, 4]), label_names=stars, by_position=True).codes.tolist() == [1, 4]
    assert read_labels(pd.Series([1, 2]), label_names=["0", "1", "2"]).codes.tolist() == [1, 2]


def test_ids_of_a_class_label_are_positions_whatever_its_names():
    datasets = pytest.importorskip("datasets")
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["1", "2", "3", "4", "5"])}
    )
    examples = read_examples(datasets.Dataset.from_dict({"text": ["a", "b"], "label": [1, 4]}, features=features))
    assert [examples.given.names[i] for i in examples.given.codes] == ["2", "5"]


def test_labels_are_matched_as_spelled_before_case_is_put_aside():
    aligned = align_labels(read_labels(pd.Series(["us", "US"])), ["US", "us"])
    assert aligned.names == ("US", "us")
    assert aligned.codes.tolist() == [1, 0]
    with pytest.raises(LabelMismatch, match="one label for 'Us', found 'US', 'us'"):
        align_labels(read_labels(pd.Series(["Us"])), ["US", "us"])


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (pd.Series([np.nan, np.nan]), (0.0, 1.0)),
        (pd.Series([-1, -1]), (0, 1)),
        (pd.Series([pd.NA, pd.NA], dtype="Int64"), (0, 1)),
        (pd.Series([None, None], dtype=object), ("neg", "pos")),
        (pd.Series([None, None], dtype="str"), ("neg", "pos")),
        (pd.Series([None, None], dtype="category"), ("neg", "pos")),
    ],
    ids=["float", "int", "Int64", "object", "str", "category"],
)
def test_a_column_without_any_label_can_still_be_written(column, values):
    named = read_labels(column, label_names=["neg", "pos"])
    aligned = align_labels(read_labels(column), ["neg", "pos"])
    for labels in (named, aligned, align_labels(named, ["neg", "pos"])):
        assert labels.names == ("neg", "pos")
        assert set(labels.codes.tolist()) == {-1}
    assert aligned.space.values == values
    assert [type(v) for v in aligned.space.values] == [type(v) for v in values]


def test_ids_from_one_are_refused_with_both_ways_out():
    with pytest.raises(LabelError, match=r"found 4 in column 'label'. They start at 1. Pass ids from 0, `data\['label'\] - 1`"):
        read_labels(pd.Series([1, 4], name="label"), label_names=["World", "Sports", "Business", "Sci/Tech"])
    with pytest.raises(LabelMismatch, match="They start at 1"):
        align_labels(read_labels(pd.Series([1, 4])), ["World", "Sports", "Business", "Sci/Tech"])


def test_as_many_integer_categories_as_names_are_taken_in_order():
    labels = read_labels(pd.Series(pd.Categorical([3, 1], categories=[1, 2, 3])), label_names=["a", "b", "c"])
    assert (labels.names, labels.values, labels.codes.tolist()) == (("a", "b", "c"), (1, 2, 3), [2, 0])


def test_label_names_go_beyond_the_categories_of_a_column():
    labels = read_labels(pd.Series(["a", None], dtype="category"), label_names=["b", "a"])
    assert (labels.names, labels.codes.tolist()) == (("b", "a"), [1, -1])
    with pytest.raises(LabelError, match="found 'c'"):
        read_labels(pd.Series(["c"], dtype="category"), label_names=["b", "a"])


def test_a_misspelled_label_says_what_was_probably_meant():
    with pytest.raises(LabelMismatch, match="does not know 'card_arival'; did you mean 'card_arrival'"):
        align_labels(read_labels(pd.Series(["card_arival"])), ["card_arrival", "age_limit"])
    with pytest.raises(LabelMismatch, match="; did you mean 'card_arrival' for 'card_arival'"):
        align_labels(read_labels(pd.Series(["card_arival", "_"])), ["card_arrival", "age_limit"])


def aligned_as(codes: np.ndarray, names: tuple[str, ...], *, believed: bool = False) -> AlignedLabels:
    return AlignedLabels(OneLabel(names, names, {}, names), codes, believed)


def permuted(believed: bool) -> tuple[AlignedLabels, np.ndarray]:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, 300).astype(np.int32)
    log_probs = np.full((300, 3), np.log(0.05), dtype=np.float32)
    log_probs[np.arange(300), (codes + 1) % 3] = np.log(0.9)
    return aligned_as(codes, ("a", "b", "c"), believed=believed), log_probs


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
    check_permutation(aligned_as(codes, names), log_probs)
    wrong = np.roll(np.arange(n_labels), 1).astype(np.int32)[codes]
    with pytest.raises(LabelMismatch, match="if the labels were read as '0' → "):
        check_permutation(aligned_as(wrong, names), log_probs)


@pytest.mark.parametrize("n_labels", [2, 3, 20, 77])
@pytest.mark.parametrize("rows", [20, 60, 200, 2_000])
def test_chance_alone_never_doubts_the_order(n_labels, rows):
    names = tuple(map(str, range(n_labels)))
    for seed in range(20):
        codes = np.random.default_rng(seed).integers(0, n_labels, rows).astype(np.int32)
        labels = aligned_as(codes, names)
        check_permutation(labels, predictions(codes, n_labels, 0.0, seed=seed + 100))
        check_permutation(labels, predictions(codes, n_labels, 0.3, seed=seed + 100))


def test_a_model_that_always_says_the_rare_label_is_weak_not_misnamed():
    codes = (np.arange(500) % 10 != 0).astype(np.int32)
    always = np.log(np.tile(np.float32([0.7, 0.3]), (500, 1)))
    check_permutation(aligned_as(codes, ("a", "b")), always)
