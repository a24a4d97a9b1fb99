"""What comes out: the corrected frame, the changes, files that are whole or not there, a Dataset."""

from __future__ import annotations

import csv
import resource
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small import LABELS, make_frame

import loss_widget as lw
from loss_widget.errors import ColumnError, DataError, ExportError, JournalDamaged


@pytest.fixture
def session(scores):
    session = lw.ReviewSession(scores, journal=None, reviewer="ann")
    session.relabel(1, "bad")
    session.keep(2)
    session.remove(5)
    session.note(1, "plainly")
    return session


def test_corrected_has_the_callers_columns_and_lacks_the_removed(session):
    frame = session.corrected()
    assert list(frame) == ["text", "label", "age"]
    assert len(frame) == 11
    assert frame["label"].iloc[1] == "bad"
    assert 5 not in frame.index
    assert len(session.corrected(drop_removed=False)) == len(session.df) == 12
    assert session.corrected(only_reviewed=True)["text"].tolist() == ["awful", "so so"]
    assert "loss" in session.corrected(scores=True)
    frame.iloc[0, 1] = "mine"
    assert session.df["label"].iloc[0] == "good", "it is a new frame"


def test_audit_adds_who_said_what_when(session):
    audit = session.corrected(audit=True, drop_removed=False)
    assert audit["original_label"].tolist() == LABELS
    assert audit["verdict"].tolist()[:6] == ["", "relabel", "keep", "", "", "remove"]
    assert audit["note"].iloc[1] == "plainly"
    assert audit["reviewer"].iloc[[0, 1]].tolist() == ["", "ann"]
    assert audit["reviewed_at"].dt.tz is not None
    assert audit["reviewed_at"].isna().sum() == 9


def test_audit_refuses_to_hide_a_column_of_the_callers(frame):
    session = lw.ReviewSession(frame.assign(loss=1.0, note="mine"), journal=None)
    with pytest.raises(ColumnError, match="'note'"):
        session.corrected(audit=True)


def test_changes_list_every_reviewed_row_once(session):
    changes = session.changes
    columns = "row index key verdict old_label new_label loss_before loss_after note reviewed_at reviewer"
    assert list(changes) == columns.split()
    assert changes["row"].tolist() == [1, 2, 5]
    assert changes["verdict"].tolist() == ["relabel", "keep", "remove"]
    assert changes[["old_label", "new_label"]].iloc[0].tolist() == ["good", "bad"]
    assert changes["loss_before"].iloc[0] == pytest.approx(session.source.losses[1])
    assert changes["loss_after"].iloc[0] == pytest.approx(-session.source.log_probs[1, 0])
    assert changes["loss_before"].iloc[1] == changes["loss_after"].iloc[1]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_exports_come_back_as_they_were(session, suffix):
    path = session.export(f"out{suffix}")
    read = {
        ".csv": lambda p: pd.read_csv(p, keep_default_na=False),
        ".tsv": lambda p: pd.read_csv(p, sep="\t", keep_default_na=False),
        ".jsonl": lambda p: pd.read_json(p, lines=True),
        ".parquet": pd.read_parquet,
    }
    back = read[suffix](path)
    pd.testing.assert_frame_equal(
        back.reset_index(drop=True), session.corrected().reset_index(drop=True), check_dtype=suffix == ".parquet"
    )
    assert path == Path(f"out{suffix}")


def test_an_existing_file_is_only_overwritten_when_told(session):
    Path("out.csv").write_text("precious")
    with pytest.raises(ExportError, match=r"found a file at out\.csv.*overwrite=True"):
        session.export("out.csv")
    assert Path("out.csv").read_text() == "precious"
    session.export("out.csv", overwrite=True)
    assert Path("out.csv").read_text().startswith("text,label,age")


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_an_export_that_fails_leaves_nothing_behind(session, suffix):
    path = Path(f"out{suffix}")
    path.write_text("precious")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, before[1]))  # as if the disk were full
    try:
        with pytest.raises(ExportError, match="Expected to be able to write"):
            session.export(path, overwrite=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(Path().iterdir()) == [path]
    assert path.read_text() == "precious"


@pytest.mark.parametrize(
    ("path", "says"), [("out.xlsx", "'out.xlsx'"), ("folder.csv", "directory"), ("no/where.csv", "found none at")]
)
def test_paths_that_cannot_be_are_refused(session, path, says):
    Path("folder.csv").mkdir()
    with pytest.raises(ExportError, match=says):
        session.export(path)


def test_the_index_is_written_unless_it_is_a_plain_range(frame):
    named = frame.assign(loss=1.0).set_index(pd.Index([f"id{i}" for i in range(12)], name="id"))
    path = lw.ReviewSession(named, journal=None).export("out.csv")
    assert pd.read_csv(path)["id"].iloc[0] == "id0"
    plain = lw.ReviewSession(frame.assign(loss=1.0), journal=None)
    plain.remove(0)
    assert list(pd.read_csv(plain.export("plain.csv"))) == ["text", "label", "age", "loss"]


@pytest.mark.parametrize("index", [pd.RangeIndex(9, 33, 2), pd.RangeIndex(9, 21), pd.RangeIndex(12, name="id")])
def test_a_range_that_says_more_than_positions_is_written(frame, index):
    session = lw.ReviewSession(frame.assign(loss=1.0).set_index(index), journal=None)
    name = index.name or "index"
    assert pd.read_csv(session.export("out.csv"))[name].tolist() == list(index)
    assert pd.read_csv(session.export("out.tsv"), sep="\t")[name].tolist() == list(index)
    assert pd.read_json(session.export("out.jsonl"), lines=True)[name].tolist() == list(index)
    assert pd.read_parquet(session.export("out.parquet")).index.tolist() == list(index)
    assert session.to_dataset()[name][:] == list(index)


@pytest.mark.parametrize("path", ["out.csv", "out.jsonl", "out"])
def test_an_index_named_like_a_column_is_refused_where_it_would_become_one(frame, path):
    named = frame.assign(loss=1.0).set_index(pd.Index([f"id{i}" for i in range(12)], name="text"))
    session = lw.ReviewSession(named, journal=None)
    with pytest.raises(ExportError, match=r"found 'text', which is a column too.*index\.name"):
        session.export(path)
    assert list(Path().iterdir()) == []
    back = pd.read_parquet(session.export("out.parquet"))
    assert (back.index[0], back["text"].iloc[0]) == ("id0", "fine")


@pytest.mark.parametrize(
    ("values", "path", "says"),
    [
        ([1, "x"] * 6, "out.parquet", "column 'odd': Could not convert"),
        ([1, "x"] * 6, "out", "column 'odd': Could not convert"),
        ([2**70] * 12, "out.parquet", "column 'odd': "),
        (["a\ud800"] * 12, "out.csv", "column 'odd' with lone surrogates"),
        (["a\ud800"] * 12, "out.jsonl", "column 'odd' with lone surrogates"),
        (["a\ud800"] * 12, "out.parquet", "column 'odd' with lone surrogates"),
        (["a\ud800"] * 12, "out", "column 'odd' with lone surrogates"),
    ],
)
def test_what_a_file_cannot_hold_is_named_and_the_old_file_stays(frame, values, path, says):
    session = lw.ReviewSession(frame.assign(loss=1.0, odd=pd.Series(values, dtype=object)), journal=None)
    if path != "out":
        Path(path).write_text("precious")
    before = [p.name for p in Path().iterdir()]
    with pytest.raises(ExportError, match=says) as refusal:
        session.export(path, overwrite=True)
    assert refusal.value.__cause__ is not None
    assert [p.name for p in Path().iterdir()] == before
    assert path == "out" or Path(path).read_text() == "precious"


@pytest.mark.parametrize("path", ["out.csv", "out.jsonl", "out.parquet", "out"])
def test_an_index_with_lone_surrogates_is_an_export_error(frame, path):
    odd = frame.assign(loss=1.0).set_axis(pd.Index(["a\ud800"] * 12, dtype=object))
    with pytest.raises(ExportError, match=r"surrogates.*Nothing was written"):
        lw.ReviewSession(odd, journal=None).export(path)
    assert list(Path().iterdir()) == []


def test_a_folder_that_takes_no_file_is_an_export_error(session):
    with pytest.raises(ExportError, match="Expected to be able to write"):
        session.export("long" * 62 + ".csv")
    assert list(Path().iterdir()) == []


def test_a_directory_in_the_way_is_called_one(session):
    Path("taken").mkdir()
    with pytest.raises(ExportError, match="found a directory at taken"):
        session.export("taken")


def test_no_word_of_formulas_where_nothing_was_written(frame):
    frame["loss"], frame.iloc[0, 0] = 1.0, "=1+1"
    Path("risky.csv").write_text("precious")
    with pytest.raises(ExportError, match="found a file"):
        lw.ReviewSession(frame, journal=None).export("risky.csv")


def test_formulas_are_written_as_they_are_with_a_warning_or_defused(frame):
    frame["loss"], frame.iloc[0, 0] = 1.0, "=1+1"
    session = lw.ReviewSession(frame, journal=None)
    with pytest.warns(UserWarning, match="1 cells start with ="):
        path = session.export("risky.csv")
    assert "=1+1" in path.read_text()
    safe = session.export("safe.csv", excel_safe=True).read_text()
    assert "'=1+1" in safe


RISKY = ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\tx", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠x"]


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
@pytest.mark.parametrize("risky", RISKY)
def test_excel_safe_defuses_cells_headers_and_index_names_and_says_the_encoding(frame, suffix, risky):
    frame = frame.assign(loss=1.0, **{risky: "café", "kind": pd.Categorical([risky] * 12)})
    frame.iloc[0, 0] = risky
    frame.index = pd.Index([risky, *(f"id{i}" for i in range(1, 12))], name=risky + "id")
    session = lw.ReviewSession(frame, journal=None)
    with pytest.warns(UserWarning, match="16 cells start with ="):
        session.export(f"risky{suffix}")
    path = session.export(f"safe{suffix}", excel_safe=True)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf"), "else Excel shows cafÃ©"
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = list(csv.reader(file, delimiter="\t" if suffix == ".tsv" else ","))
    assert not [cell for row in rows for cell in row if cell.startswith(tuple("=+-@\t\r\n＝＋－＠"))]
    assert rows[0] == ["'" + risky + "id", "text", "label", "age", "loss", "'" + risky, "kind"]
    assert rows[1][0] == rows[1][1] == rows[1][6] == "'" + risky


def test_numbers_with_a_sign_are_no_formulas(frame):
    frame = frame.assign(loss=-1.0, delta=["-1.50", "+2", "-3%", *["-1,000.5"] * 9])
    path = lw.ReviewSession(frame, journal=None).export("out.csv", excel_safe=True)
    assert path.read_text(encoding="utf-8-sig").splitlines()[1].endswith(",-1.0,-1.50")


def test_a_dataset_keeps_its_class_label():
    import datasets

    names = ["meh", "good", "bad"]
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=names)})
    data = datasets.Dataset.from_dict({"text": ["a", "b", "c"], "label": [0, 1, 2]}, features=features)
    probs = np.array([[0.8, 0.1, 0.1], [0.1, 0.1, 0.8], [0.1, 0.1, 0.8]])
    session = lw.ReviewSession(lw.Scores.from_probs(data, probs), journal=None)
    session.relabel(1, "bad")
    session.remove(0)
    out = session.to_dataset()
    assert out.features["label"].names == names
    assert out["label"][:] == [2, 2]
    assert out.column_names == ["text", "label"]
    path = session.export("saved")
    assert datasets.load_from_disk(str(path)).features["label"].names == names
    with pytest.raises(ExportError, match="overwrite=True"):
        session.export("saved")
    session.export("saved", overwrite=True)


def test_a_journal_can_be_applied_too(scores):
    with lw.ReviewSession(scores, journal="j.sqlite") as session:
        session.relabel([1, 3], "bad")
        session.remove(5)
        session.keep(2)
        session.relabel(7, "good")
        session.undo()
        expected = session.corrected()
        pd.testing.assert_frame_equal(lw.apply_changes(make_frame(), "j.sqlite"), expected)
    pd.testing.assert_frame_equal(lw.apply_changes(make_frame(), "j.sqlite"), expected)


@pytest.mark.parametrize("form", ["frame", ".csv", ".jsonl", ".parquet", "journal"])
@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (pd.Series([0, 1, 0, 1]), ["neg", "pos"]),
        (pd.Series([0, 1, pd.NA, 1], dtype="Int64"), ["neg", "pos"]),
        (pd.Series([0.0, 1.0, np.nan, 1.0]), ["neg", "pos"]),
        (pd.Series([False, True, False, True]), None),
        (pd.Series(["1", "02", "1", "02"]), None),
        (pd.Series(pd.Categorical([3, 5, 3, 5])), None),
    ],
    ids=["int64", "Int64", "float", "bool", "digits", "category of ids"],
)
def test_changes_of_every_kind_of_column_and_of_twins_can_be_made_again(labels, names, form):
    frame = pd.DataFrame({"text": ["x", "x", "x", "y"], "label": labels, "source": ["web", "mail", "app", "web"], "loss": 1.0})
    before = frame.copy()
    with lw.ReviewSession(frame, journal="j.sqlite", label_names=names) as session:
        shown = session.label_names
        session.relabel([1, 2], shown[0])
        session.relabel(0, shown[1])
        session.remove(3)
        changes, expected = session.changes, session.corrected()
    if form == ".csv":
        changes.to_csv("changes.csv", index=False)
    elif form == ".jsonl":
        changes.to_json("changes.jsonl", orient="records", lines=True, date_format="iso")
    elif form == ".parquet":
        changes.to_parquet("changes.parquet")
    made = lw.apply_changes(before, {"frame": changes, "journal": "j.sqlite"}.get(form, f"changes{form}"))
    pd.testing.assert_frame_equal(made, expected)


@pytest.mark.parametrize("name", ["changes.csv", "changes.jsonl", "changes.parquet", "changes.sqlite"])
def test_a_broken_file_of_changes_is_named(name):
    Path(name).write_bytes(b"\xff\xfe broken \x00")
    with pytest.raises((DataError, JournalDamaged), match=name.replace(".", r"\.")):
        lw.apply_changes(make_frame(), name)


@pytest.mark.parametrize("changes", [None, [1], 3, "nowhere.sqlite"])
def test_what_is_no_list_of_changes_is_refused(changes):
    with pytest.raises(DataError, match="Expected"):
        lw.apply_changes(make_frame(), changes)
    with pytest.raises(DataError, match="to_pandas"):
        lw.apply_changes([{"text": "a"}], changes)


@pytest.mark.parametrize("suffix", ["", ".jsonl", ".csv", ".parquet"])
def test_changes_can_be_made_again_in_another_copy_of_the_data(session, suffix):
    changes = session.changes
    if suffix == ".jsonl":
        changes.to_json("changes.jsonl", orient="records", lines=True, date_format="iso")
    elif suffix == ".csv":
        changes.to_csv("changes.csv", index=False)
    elif suffix == ".parquet":
        changes.to_parquet("changes.parquet")
    data = make_frame().iloc[::-1]
    result = lw.apply_changes(data, f"changes{suffix}" if suffix else changes)
    expected = session.corrected().iloc[::-1]
    pd.testing.assert_frame_equal(result, expected)
    assert data["label"].tolist() == LABELS[::-1]


def test_changes_that_no_longer_match_are_refused(session):
    data = make_frame()
    data.loc[1, "text"] = "edited"
    with pytest.raises(
        DataError, match=r"found 1 that match none: row 1 of the review \('good' → 'bad'\): its text is not there"
    ):
        lw.apply_changes(data, session.changes)
    with pytest.raises(DataError, match="'key'"):
        lw.apply_changes(data, session.changes.drop(columns="key"))
    with pytest.raises(DataError, match=r"Export `widget\.changes` first"):
        lw.apply_changes(data, "nowhere.jsonl")
