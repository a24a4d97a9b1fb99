"""Whatever a label column holds, one decision changes one row, and its change does the same in another copy of the data."""

from __future__ import annotations

from pathlib import Path

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import loss_widget as lw

DICTIONARY = pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))
NAMES = ["-1", "0", "1", "pos", "NEG", "a b", "true"]
DTYPES = {
    "object": object,
    "str": "str",
    "arrow": pd.ArrowDtype(pa.string()),
    "dictionary": DICTIONARY,
    "category": "category",
    "int64": "int64",
    "Int64": "Int64",
    "arrow int": pd.ArrowDtype(pa.int64()),
    "category of numbers": "category of numbers",
    "bool": "bool",
}


def column_of(kind: str, codes: list[int | None]) -> pd.Series:
    if kind in ("int64", "bool"):
        return pd.Series([(code or 0) % 2 for code in codes]).astype(kind)
    if kind in ("Int64", "arrow int"):
        return pd.Series(codes, dtype=object).astype(DTYPES[kind])
    if kind == "category of numbers":
        return pd.Series(pd.Categorical(codes, categories=[0, 1, 2]))
    names = [None if code is None else NAMES[code] for code in codes]
    return pd.Series(names, dtype=object).astype(DTYPES[kind])


def cells(column: pd.Series) -> list[object]:
    return [None if value is None or value is pd.NA or value != value else value for value in column.tolist()]


@hypothesis.settings(max_examples=60, deadline=None)
@hypothesis.given(
    kind=st.sampled_from(sorted(DTYPES)),
    codes=st.lists(st.sampled_from([None, 0, 1, 2]), min_size=3, max_size=8),
    texts=st.lists(st.sampled_from("abc"), min_size=8, max_size=8),
    data=st.data(),
)
def test_one_decision_changes_one_row_here_and_there(
    kind: str, codes: list[int | None], texts: list[str], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    hypothesis.assume(len({code for code in codes if code is not None}) > 1)
    hypothesis.assume(kind not in ("int64", "bool") or len({(code or 0) % 2 for code in codes}) > 1)
    frame = pd.DataFrame(
        {"text": texts[: len(codes)], "label": column_of(kind, codes), "loss": np.arange(len(codes), dtype=float)}
    )
    names = sorted(set(map(str, NAMES))) if kind in ("object", "str", "arrow", "dictionary", "category") else None
    before = frame.copy()
    session = lw.ReviewSession(frame, label_names=names, journal=None)
    row = data.draw(st.integers(0, len(codes) - 1))
    page = {one.row: one for one in session.page(lw.Query(limit=20)).rows}
    others = sorted({one.given_label for one in page.values()} - {None, page[row].given_label})
    hypothesis.assume(others)
    session.relabel(row, others[0])
    after = cells(session.df["label"])
    assert session.df["label"].dtype == before["label"].dtype
    assert [a for i, a in enumerate(after) if i != row] == [b for i, b in enumerate(cells(before["label"])) if i != row]
    assert str(after[row]) != str(cells(before["label"])[row])
    folder: Path = tmp_path_factory.mktemp("changes")
    listed = session.changes
    for suffix in (".csv", ".parquet", ".jsonl"):
        session.export_changes(folder / f"changes{suffix}")
    for changes in (listed, *(folder / f"changes{suffix}" for suffix in (".csv", ".parquet", ".jsonl"))):
        found = lw.apply_changes(before, changes)["label"]
        assert cells(found) == after
        assert found.dtype == before["label"].dtype


def test_a_dictionary_column_of_arrow_keeps_its_other_rows() -> None:
    frame = pd.DataFrame(
        {"text": list("abcd"), "label": pd.Series(["x", "y", None, "z"]).astype(DICTIONARY), "loss": [1.0, 2, 3, 4]}
    )
    before = frame.copy()
    session = lw.ReviewSession(frame, journal=None)
    session.relabel([0, 3], "y")
    assert cells(session.df["label"]) == ["y", "y", None, "y"]
    assert cells(lw.apply_changes(before, session.changes)["label"]) == ["y", "y", None, "y"]


def test_spellings_of_one_label_are_one_label_to_its_changes() -> None:
    frame = pd.DataFrame({"text": list("abcd"), "label": ["Pos", "pos ", "NEG", "neg"]})
    before = frame.copy()
    scores = lw.Scores.from_probs(frame, np.tile([0.9, 0.1], (4, 1)), label_names=["pos", "neg"])
    session = lw.ReviewSession(scores, journal=None)
    session.relabel(1, "neg")
    found = lw.apply_changes(before, session.changes)["label"].tolist()
    assert found[1].strip().casefold() == "neg"
    assert [found[0], *found[2:]] == ["Pos", "NEG", "neg"]


def test_labels_that_look_like_no_label_are_written_where_they_are_names() -> None:
    frame = pd.DataFrame({"text": list("abcd"), "label": ["1", "0", "", "1"], "loss": [4.0, 3, 2, 1]})
    before = frame.copy()
    session = lw.ReviewSession(frame, label_names=["-1", "0", "1"], journal=None)
    session.relabel(0, "-1")
    assert lw.apply_changes(before, session.changes)["label"].tolist() == ["-1", "0", "", "1"]


def test_losses_that_are_tensors_come_with_advice_that_works() -> None:
    torch = pytest.importorskip("torch")
    df = pd.DataFrame({"text": ["a", "b"], "label": ["x", "y"]})
    df["loss"] = [torch.tensor(0.1), torch.tensor(2.0)]
    with pytest.raises(lw.errors.ColumnError) as refusal:
        lw.ReviewSession(df, journal=None)
    advice = str(refusal.value).split("`")[1]
    exec(advice, {"df": df, "pd": pd})
    assert [round(row.loss, 1) for row in lw.ReviewSession(df, journal=None).page(None).rows] == [2.0, 0.1]
