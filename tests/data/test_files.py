"""Files are read as they were meant, whatever wrote them, or refused with a line and a way that works."""

from __future__ import annotations

import json
import pathlib
import re
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import loss_widget as lw
from loss_widget.errors import DataError

BIG = 1294030472427835393


def judged(path, label_names=("neg", "pos"), **more):
    rows = len(lw.read(path))
    return lw.Scores.from_probs(path, np.full((rows, len(label_names)), 1 / len(label_names)), label_names=label_names, **more)


def test_the_frame_that_is_read_is_the_frame_that_is_scored(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("id,text,label\n007,12,neg\n008,13,pos\n")
    own = judged(path).frame[["id", "text", "label"]]
    pd.testing.assert_frame_equal(lw.read(path), own)
    assert own["text"].tolist() == ["12", "13"], "a text stays one"
    assert lw.read(path, text="id")["text"].tolist() == [12, 13]


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet", "table", "polars", "datasets", "list", "folder"])
def test_big_integers_beside_none_stay_exact_from_every_source(tmp_path, form):
    import datasets
    import polars

    rows = [{"text": "good", "label": "neg", "id": BIG}, {"text": "dull", "label": "pos", "id": None}]
    table = pa.Table.from_pylist(rows)
    path = tmp_path / f"data.{form}"
    if form == "csv":
        path.write_text(f"text,label,id\ngood,neg,{BIG}\ndull,pos,\n")
    elif form == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif form == "parquet":
        pq.write_table(table, path)
    elif form == "folder":
        datasets.Dataset(table).save_to_disk(path)
    source = {"table": table, "polars": polars.DataFrame(rows), "datasets": datasets.Dataset(table), "list": rows}.get(form, path)
    scores = lw.Scores.from_probs(source, np.full((2, 2), 0.5), label_names=["neg", "pos"])
    assert scores.frame["id"].tolist() == [BIG, pd.NA]
    widget = lw.ReviewSession(scores, journal=None)
    assert f"good,neg,{BIG}\n" in widget.export(tmp_path / "out.csv").read_text()
    assert f'"id": {BIG}' in widget.export(tmp_path / "out.jsonl").read_text()
    assert pq.read_table(widget.export(tmp_path / "out.parquet")).column("id").to_pylist() == [BIG, None]


@pytest.mark.parametrize(
    ("cells", "values", "dtype"),
    [
        (["7", "12"], [7, 12], "int64"),
        (["7", ""], [7, pd.NA], "Int64"),
        (["0.5", "1e-05"], [0.5, 1e-05], "float64"),
        (["007", "12"], ["007", "12"], "str"),
        (["1", "2.5"], ["1", "2.5"], "str"),
        (["1.50", "2.0"], ["1.50", "2.0"], "str"),
        (["-0", "1"], ["-0", "1"], "str"),
        (["+1", "1"], ["+1", "1"], "str"),
        (["true", "false"], ["true", "false"], "str"),
        (["NA", "1"], ["NA", "1"], "str"),
        (["inf", "nan"], ["inf", "nan"], "str"),
        (["2020-01-01", ""], ["2020-01-01", ""], "str"),
        ([str(2**63 - 1), "1"], [2**63 - 1, 1], "int64"),
        ([str(2**63), "1"], [str(2**63), "1"], "str"),
        (["", ""], ["", ""], "str"),
    ],
)
def test_a_column_is_of_numbers_only_where_each_says_the_same_digit_for_digit(tmp_path, cells, values, dtype):
    path = tmp_path / "data.csv"
    path.write_text("text,label,x\n" + "".join(f"t,a,{cell}\n" for cell in cells))
    column = lw.read(path)["x"]
    assert str(column.dtype) == dtype
    assert column.tolist() == values


def test_columns_of_numbers_written_in_any_way_can_be_sorted_by(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("text,label,price,size,code\na,neg,12.00,3,1\nb,pos,9.50,,x\nc,neg,,20,2\n")
    session = lw.ReviewSession(judged(path), journal=None)
    assert {"price", "size"} <= set(session.sorts())
    assert "code" not in session.sorts()
    assert [row.text for row in session.page(lw.Query(sort="price")).rows] == ["a", "b", "c"]
    assert [row.text for row in session.page(lw.Query(sort="size", descending=False)).rows] == ["a", "c", "b"]


def test_a_column_that_is_no_more_of_numbers_far_down_says_so(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("text,label,price\n" + "t,neg,1.50\n" * 200 + "t,pos,free\n")
    session = lw.ReviewSession(judged(path), journal=None)
    with pytest.raises(lw.errors.ColumnError, match="other text among them"):
        session.page(lw.Query(sort="price"))


def test_one_odd_label_far_down_is_read_as_it_would_be_near_the_top(tmp_path):
    path = tmp_path / "data.csv"
    for rows in (40, 300_000):
        labels = [str(i % 3) for i in range(rows)]
        labels[rows - 3] = "other"
        path.write_text("text,label\n" + "".join(f"t,{label}\n" for label in labels))
        frame = lw.read(path)
        assert frame["label"].tolist() == labels


@pytest.mark.parametrize("codes", [["01", "02"], ["001", "10"], ["0", "00"]])
def test_zero_padded_class_codes_are_names(tmp_path, codes):
    path = tmp_path / "data.csv"
    path.write_text("text,label\n" + "".join(f"t,{code}\n" for code in codes))
    assert judged(path, label_names=codes).given_ids.tolist() == [0, 1]


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ("text;label", ["guter Film;pos", "langweilig;neg"]),
        ("text;label", ["guter Film, wirklich;pos", "langweilig, leider;neg"]),
        ("text;score;label", ["gut;0,5;pos", "schlecht;0,25;neg"]),
        ("text\tlabel", ["gut, sehr\tpos", "nicht; gar nicht\tneg"]),
        ("text|label", ["gut|pos", "schlecht|neg"]),
        ("sep=;\r\ntext;label", ["gut;pos", "schlecht;neg"]),
        ("sep=|\r\ntext|label", ["gut|pos", "schlecht|neg"]),
    ],
)
def test_the_delimiter_is_the_one_that_every_line_agrees_with(tmp_path, suffix, header, rows):
    path = tmp_path / f"data{suffix}"
    path.write_text("\r\n".join([header, *rows]) + "\r\n", newline="")
    scores = judged(path)
    assert scores.given_ids.tolist() == [1, 0]
    session = lw.ReviewSession(scores, journal=None)
    session.relabel(0, "neg")
    assert session.export(tmp_path / f"out{suffix}").read_bytes() == path.read_bytes().replace(b"pos", b"neg")


@pytest.mark.parametrize(
    ("written", "texts"),
    [
        ('text,label\n"Great he said,pos\ndull,neg\nnice" film,pos\n', ['"Great he said', "dull", 'nice" film']),
        ('text,label\n"Great" he said,pos\ndull,neg\n', ['"Great" he said', "dull"]),
        ('text,label\n5" screen,pos\n"a ""good"" one",neg\n', ['5" screen', 'a "good" one']),
        ('text,label\n"never closed,pos\ndull,neg\n', ['"never closed', "dull"]),
        ('text\tlabel\n"Great, he said\tpos\ndull\tneg\n', ['"Great, he said', "dull"]),
        ('text\tlabel\n"all of it"\tpos\nsome "of" it\tneg\n', ["all of it", 'some "of" it']),
        ('text,label\n"two\nlines, here",pos\nx,neg\n', ["two\nlines, here", "x"]),
        ('text,label\n"Dear Sir,\nthanks",pos\nx,neg\n', ["Dear Sir,\nthanks", "x"]),
    ],
)
def test_a_double_quote_is_a_quote_or_a_character_as_all_lines_agree(tmp_path, written, texts):
    path = tmp_path / "data.csv"
    path.write_text(written)
    frame = lw.read(path)
    assert frame["text"].tolist() == texts
    assert set(frame["label"]) == {"pos", "neg"}


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ('text,label\n"so good,pos\nquite bad",neg\nfine,pos\n', r"line 2 .* closed in line 3.*'pos', 'neg' in column 'label'"),
        ('label,text\npos,"so good\nneg,quite bad"\nneg,fine\n', r"'pos', 'neg' in column 'label'"),
        ('text,label\n"a, b",pos\n"c, d,neg\ne,pos\n', "line 3 that never is"),
        ('text,label\n"Best" film,pos\n"well, ok",neg\n', r'Write "" for a quote within a text'),
        ('text,label\n"He said \\"wow\\", ok",pos\nfine,neg\n', r"escapechar='\\\\'"),
        ('text,label\n"all","pos"\n"so "bad" film","neg"\n"ok","pos"\n', r"quoting=3"),
    ],
)
def test_quotes_that_leave_rows_open_are_refused_with_the_line_and_both_ways(tmp_path, written, says):
    path = tmp_path / "data.csv"
    path.write_text(written)
    with pytest.raises(DataError, match=says) as refusal:
        lw.read(path)
    for advice in re.findall(r"`(data = .*?)`", str(refusal.value)):
        namespace = {"pd": pd, "path": path}
        exec(advice, namespace)
        assert list(namespace["data"]) == written.split("\n")[0].replace('"', "").split(",") or "quoting=3" in advice


def test_a_text_of_lines_that_look_like_rows_is_told(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text('text,label\n"so good,pos\nquite bad",neg\nfine,neg\n')
    with pytest.warns(UserWarning, match=r"data\.csv: .*line 2 that is closed in line 3.*It was read as one text") as said:
        assert len(lw.read(path)) == 2
    assert len(said) == 1


@pytest.mark.parametrize(
    ("written", "encoding"),
    [
        ("It’s great – café,pos\n".encode("cp1252"), "cp1252"),
        ("caf\x81é,pos\n".encode("latin-1"), "latin-1"),
        ("é,pos\n".encode("utf-16"), "utf-16"),
        ("great,pos\n".encode("utf-16-le"), "utf-16-le"),
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl"])
def test_another_encoding_is_named_with_a_call_that_reads_it(tmp_path, written, encoding, suffix):
    wide, text = encoding.startswith("utf-16"), written.decode(encoding)
    if suffix == ".jsonl":
        lines = json.dumps({"text": text.split(",")[0], "label": "pos"}, ensure_ascii=False) + "\n"
    else:
        lines = ("text,label\n" + text).replace(",", "\t" if suffix == ".tsv" else ",")
    path = tmp_path / f"data{suffix}"
    path.write_bytes(lines.encode(encoding))
    with pytest.raises(DataError, match=f"encoding='{encoding}'") as refusal:
        lw.read(path)
    namespace = {"pd": pd, "path": path}
    exec(re.search(r"`(data = .*?)`", str(refusal.value)).group(1), namespace)
    assert namespace["data"].iloc[0].tolist() == [text.split(",")[0], "pos"]
    assert wide or "\ufffd" not in str(refusal.value)


def test_json_lines_may_begin_with_a_bom_and_an_array_is_named(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"text": "good", "label": "pos"}\r\n{"text": "dull", "label": "neg"}\r\n')
    assert judged(path).given_ids.tolist() == [1, 0]
    rows = [{"text": "good", "label": "pos", "id": BIG}, {"text": "dull", "label": "neg", "id": None}]
    path.write_text(json.dumps(rows))
    with pytest.raises(DataError, match="found one array") as refusal:
        lw.read(path)
    namespace = {"json": json, "pathlib": pathlib, "path": path}
    exec(re.search(r"`(data = .*?)`", str(refusal.value)).group(1), namespace)
    scores = lw.Scores.from_probs(namespace["data"], np.full((2, 2), 0.5), label_names=["neg", "pos"])
    assert scores.frame["id"].tolist() == [BIG, pd.NA]


def test_json_keeps_dates_as_text_and_each_value_in_its_kind(tmp_path):
    path = tmp_path / "data.jsonl"
    rows = [
        {"text": "a", "label": 0, "created_at": "2020-01-01", "n": 1, "mixed": 1, "flag": True, "tags": ["x", None]},
        {"text": "b", "label": 1, "created_at": "2020-01-02", "n": 1.5, "mixed": "1", "flag": None},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    frame = lw.read(path)
    assert frame["created_at"].tolist() == ["2020-01-01", "2020-01-02"]
    assert [type(n) for n in frame["n"]] == [int, float]
    assert frame["mixed"].tolist() == [1, "1"]
    assert str(frame["flag"].dtype) == "boolean"
    assert frame["tags"].tolist() == [["x", None], None]


def test_a_header_may_be_empty_doubled_or_quoted_and_stays(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text(',text,label,x,x,"a ""b"""\n0,t,neg,1,2,3\n1,t,pos,3,4,5\n')
    frame = lw.read(path)
    assert frame.columns.tolist() == ["", "text", "label", "x", "x", 'a "b"']
    session = lw.ReviewSession(judged(path), journal=None)
    assert session.export(tmp_path / "out.csv").read_bytes() == path.read_bytes()


def test_texts_with_carriage_returns_alone_are_as_many_rows_for_every_reader(tmp_path):
    import csv

    frame = pd.DataFrame({"text": ["one\rtwo", "b", "c\r\nd", "e\nf"], "label": list("xyxy"), "loss": [1.0, 2, 3, 4]})
    session = lw.ReviewSession(frame, journal=None)
    for suffix, sep in ((".csv", ","), (".tsv", "\t")):
        path = session.export(tmp_path / f"out{suffix}")
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file, delimiter=sep))
        assert [row[0] for row in rows[1:]] == frame["text"].tolist()
        assert len(pd.read_csv(path, sep=sep)) == 4
        assert lw.read(path)["text"].tolist() == frame["text"].tolist()


def test_long_files_are_read_and_written_without_a_list_of_all_cells(tmp_path):
    rows = 50_000
    path = tmp_path / "data.csv"
    path.write_text("id,text,label\n" + "".join(f'{i:06d},"a text, with a comma {i}",{i % 2}\n' for i in range(rows)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        session = lw.ReviewSession(judged(path), journal=None)
    session.relabel(0, "pos")
    out = session.export(tmp_path / "out.csv").read_bytes()
    assert out == path.read_bytes().replace(b'comma 0",0', b'comma 0",1')
