"""What nobody decided on leaves as it came: any frame, any file, every reader and writer, with and without a decision."""

from __future__ import annotations

import csv
import json
import shutil
import tempfile
import warnings
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import loss_widget as lw
from loss_widget.errors import DataError, ExportError

LABELS = ["x", "y"]
CHARACTERS = st.sampled_from(list("abxy01,;\t|\"'\n\r =@\\/é＝😀\u2028\x00"))
TEXT = st.text(CHARACTERS, max_size=8)
WORDS = ["", "007", "1.50", "1", "-1", "2.5", "true", "NA", "None", "1e5", "2020-01-01", str(2**63)]
CELL = st.one_of(TEXT, st.sampled_from(WORDS))
quick = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


@contextmanager
def folder():
    """A new folder for each example, with the warnings of formulas and of texts that look like rows left aside."""
    place = Path(tempfile.mkdtemp())
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r".*cells start with =|.*could be a row|Parquet holds the categories")
            yield place
    finally:
        shutil.rmtree(place)


def exported(source, path, *, decide=None, remove=None, label_names=LABELS):
    """`source` judged, reviewed with one decision or none, and written to `path`."""
    rows = len(lw.read(source) if isinstance(source, Path) else source)
    probs = np.full((rows, len(label_names)), 1 / len(label_names))
    session = lw.ReviewSession(lw.Scores.from_probs(source, probs, label_names=label_names), journal=None)
    if decide is not None:
        session.relabel(*decide)
    if remove is not None:
        session.remove(remove)
    return session.export(path)


# files of text


@st.composite
def delimited_files(draw):
    """A file in any style, and its lines as (fields before the label, label, how the line ends)."""
    delimiter = draw(st.sampled_from([",", ";", "\t", "|"]))
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    cells = draw(st.lists(st.tuples(CELL, CELL, st.sampled_from(["x", "y", ""])), min_size=1, max_size=6))
    style = draw(st.sampled_from(["minimal", "all", "mixed"]))

    def field(value):
        quoted = any(c in value for c in f'{delimiter}"\r\n') or style == "all" or (style == "mixed" and draw(st.booleans()))
        return '"' + value.replace('"', '""') + '"' if quoted else value

    rows = [("extra", "text", "label"), *cells]
    lines = [[field(value) for value in row] for row in rows]
    tail = draw(st.sampled_from([newline, "", newline * 2]))
    bom = draw(st.sampled_from(["", "\ufeff"]))
    return draw(st.sampled_from([".csv", ".tsv"])), bom, lines, delimiter, newline, tail


@quick
@given(delimited_files(), st.data())
def test_a_delimited_file_corrected_in_one_row_differs_in_that_row_alone(file, data):
    suffix, bom, lines, delimiter, newline, tail = file
    row = data.draw(st.integers(1, len(lines) - 1))
    label = lines[row][2].strip('"')
    new = "y" if label == "x" else "x"

    def written(lines):
        return (bom + newline.join(delimiter.join(line) for line in lines) + tail).encode()

    with folder() as place:
        (place / f"in{suffix}").write_bytes(written(lines))
        try:
            same = exported(place / f"in{suffix}", place / f"same{suffix}")
        except DataError as refusal:
            if "could be a row" not in str(refusal):
                raise
            assume(False)
        assert same.read_bytes() == written(lines)
        one = exported(place / f"in{suffix}", place / f"one{suffix}", decide=(row - 1, new))
        quoted = lines[row][2].startswith('"')
        lines[row][2] = f'"{new}"' if quoted else new
        assert one.read_bytes() == written(lines)
        gone = exported(place / f"in{suffix}", place / f"gone{suffix}", remove=row - 1)
        assert gone.read_bytes() == (bom.encode() + written([*lines[:row], *lines[row + 1 :]]).removeprefix(bom.encode()))


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=4,
)


EXTRA = st.dictionaries(st.sampled_from(["a", "b", "c/d", "é"]), JSON, max_size=4)


@quick
@given(
    st.lists(st.tuples(EXTRA, TEXT, st.sampled_from(LABELS)), min_size=1),
    st.sampled_from([(", ", ": "), (",", ":")]),
    st.booleans(),
    st.data(),
)
def test_json_lines_corrected_in_one_row_differ_in_that_row_alone(rows, separators, ascii_only, data):
    names = list(dict.fromkeys(name for extra, _, _ in rows for name in extra))
    records = [{"text": text, "label": label, **{n: extra[n] for n in names if n in extra}} for extra, text, label in rows]

    def written():
        return "".join(json.dumps(r, separators=separators, ensure_ascii=ascii_only) + "\n" for r in records).encode()

    with folder() as place:
        (place / "in.jsonl").write_bytes(written())
        assert exported(place / "in.jsonl", place / "same.jsonl").read_bytes() == written()
        row = data.draw(st.integers(0, len(records) - 1))
        records[row]["label"] = "y" if records[row]["label"] == "x" else "x"
        one = exported(place / "in.jsonl", place / "one.jsonl", decide=(row, records[row]["label"]))
        assert one.read_bytes() == written()


# Arrow

ARROW = {
    "int8": st.integers(-128, 127),
    "uint64": st.integers(0, 2**64 - 1),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "bool": st.booleans(),
    "float32": st.floats(width=32),
    "float64": st.floats(),
    "string": TEXT,
    "large_string": TEXT,
    "binary": st.binary(max_size=4),
}
SMALL = st.integers(-9, 9)
TYPES = {
    **{name: (getattr(pa, {"bool": "bool_"}.get(name, name))(), values) for name, values in ARROW.items()},
    "dictionary": (pa.dictionary(pa.int8(), pa.string()), st.sampled_from(["p", "q", ""])),
    "timestamp": (pa.timestamp("ms", "Europe/Berlin"), st.integers(0, 2**40)),
    "date": (pa.date32(), st.dates(date(1900, 1, 1), date(2200, 1, 1))),
    "time": (pa.time64("ns"), st.integers(0, 86_399_999_999_999)),
    "duration": (pa.duration("us"), st.integers(0, 2**40)),
    "decimal": (pa.decimal128(12, 3), st.decimals(-99_999, 99_999, places=3)),
    "list": (pa.list_(pa.int32()), st.lists(st.none() | SMALL, max_size=3)),
    "struct": (pa.struct({"n": pa.int64(), "s": pa.string()}), st.fixed_dictionaries({"n": st.none() | SMALL, "s": TEXT})),
    "map": (pa.map_(pa.string(), pa.int64()), st.lists(st.tuples(TEXT, SMALL), max_size=2, unique_by=lambda kv: kv[0])),
    "null": (pa.null(), st.none()),
}


@st.composite
def tables(draw):
    rows = draw(st.integers(1, 5))
    strings = draw(st.sampled_from([pa.string(), pa.large_string()]))
    columns = {"text": pa.array(draw(st.lists(TEXT, min_size=rows, max_size=rows)), strings)}
    for name in draw(st.lists(st.sampled_from(sorted(TYPES)), max_size=4, unique=True)):
        kind, values = TYPES[name]
        nullable = st.one_of(st.none(), values) if draw(st.booleans()) or name == "null" else values
        columns[name] = pa.array(draw(st.lists(nullable, min_size=rows, max_size=rows)), kind)
    label = draw(st.sampled_from([pa.string(), pa.int8(), pa.dictionary(pa.int32(), pa.string())]))
    given = draw(st.lists(st.sampled_from([0, 1, None]), min_size=rows, max_size=rows))
    named = given if pa.types.is_integer(label) else [None if i is None else LABELS[i] for i in given]
    columns["label"] = pa.array(named, label)
    may_be_null = {name: bool(array.null_count) or draw(st.booleans()) for name, array in columns.items()}
    fields = [pa.field(name, array.type, nullable=may_be_null[name]) for name, array in columns.items()]
    metadata = draw(st.sampled_from([None, {b"mine": b"1"}]))
    return pa.table(list(columns.values()), pa.schema(fields, metadata)), given


def as_written(table):
    """NaN and null are told apart, as `==` does not."""
    return {name: str(table.column(name).combine_chunks().to_pylist()) for name in table.column_names}


@quick
@given(tables(), st.sampled_from(["file", "table"]), st.data())
def test_a_parquet_file_keeps_its_schema_and_every_other_value(made, source, data):
    table, given_ids = made
    assume(any(i is not None for i in given_ids))
    row = data.draw(st.integers(0, len(table) - 1))
    new = 1 if given_ids[row] == 0 else 0
    with folder() as place:
        pq.write_table(table, place / "in.parquet")
        table = pq.read_table(place / "in.parquet")
        one = exported(place / "in.parquet" if source == "file" else table, place / "one.parquet", decide=(row, LABELS[new]))
        back = pq.read_table(one)
        assert back.schema.equals(table.schema, check_metadata=source == "file"), (back.schema, table.schema)
        labels = table.column("label").to_pylist()
        labels[row] = new if pa.types.is_integer(table.schema.field("label").type) else LABELS[new]
        assert back.column("label").to_pylist() == labels
        others = [name for name in table.column_names if name != "label"]
        assert as_written(back.select(others)) == as_written(table.select(others))


# DataFrames

WHEN = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1))
COLUMNS = {
    "int64": (st.integers(-(2**63), 2**63 - 1), lambda v: pd.Series(v, dtype="int64")),
    "Int64": (st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), lambda v: pd.Series(v, dtype="Int64")),
    "float": (st.floats(allow_infinity=False), lambda v: pd.Series(v, dtype="float64")),
    "float32": (st.floats(width=32, allow_infinity=False), lambda v: pd.Series(v, dtype="float32")),
    "bool": (st.booleans(), lambda v: pd.Series(v, dtype="bool")),
    "boolean": (st.one_of(st.none(), st.booleans()), lambda v: pd.Series(v, dtype="boolean")),
    "str": (st.one_of(st.none(), TEXT), lambda v: pd.Series(v, dtype="str")),
    "object": (st.one_of(st.none(), TEXT), lambda v: pd.Series(v, dtype=object)),
    "ints in object": (st.one_of(st.none(), st.integers(-(2**62), 2**62)), lambda v: pd.Series(v, dtype=object)),
    "category": (st.sampled_from([None, "p", "q", ""]), lambda v: pd.Series(pd.Categorical(v, ["q", "p", ""], True))),
    "category of ints": (st.one_of(st.none(), st.sampled_from([3, 5])), lambda v: pd.Series(pd.Categorical(v, [5, 3]))),
    "datetime": (st.one_of(st.none(), WHEN), lambda v: pd.Series(v, dtype="datetime64[us]")),
    "datetime, zone": (WHEN.map(lambda t: t.replace(tzinfo=UTC)), lambda v: pd.Series(v, dtype="datetime64[us, UTC]")),
    "timedelta": (st.timedeltas(timedelta(0), timedelta(99)), lambda v: pd.Series(v, dtype="timedelta64[us]")),
    "arrow": (st.one_of(st.none(), TEXT), lambda v: pd.Series(v, dtype=pd.ArrowDtype(pa.string()))),
    "date": (st.dates(date(1900, 1, 1), date(2200, 1, 1)), lambda v: pd.Series(v, dtype=object)),
}
INDEXES = {
    "range": lambda n: pd.RangeIndex(n),
    "offset": lambda n: pd.RangeIndex(3, 3 + n),
    "named": lambda n: pd.Index([f"id{i}" for i in range(n)], name="id"),
    "twice the same": lambda n: pd.Index([7] * n),
    "dates": lambda n: pd.date_range("2020-01-01", periods=n, freq=None, name="day", unit="us")._with_freq(None),
    "several": lambda n: pd.MultiIndex.from_arrays([["a"] * n, range(n)], names=["one", "two"]),
}


@st.composite
def frames(draw):
    rows = draw(st.integers(1, 5))
    index = INDEXES[draw(st.sampled_from(sorted(INDEXES)))](rows)
    frame = pd.DataFrame({"text": pd.Series(draw(st.lists(TEXT, min_size=rows, max_size=rows)), dtype="str")})
    for name in draw(st.lists(st.sampled_from(sorted(COLUMNS)), max_size=4, unique=True)):
        values, make = COLUMNS[name]
        frame[name] = make(draw(st.lists(values, min_size=rows, max_size=rows)))
    frame["label"] = draw(st.lists(st.sampled_from(LABELS), min_size=rows, max_size=rows))
    return frame.set_axis(index)


def expected(frame, row):
    """The frame with the other label in one row."""
    wanted = frame.copy()
    at = frame.columns.get_loc("label")
    wanted.iloc[row, at] = "y" if wanted.iloc[row, at] == "x" else "x"
    return wanted, wanted.iloc[row, at]


@quick
@given(frames(), st.data())
def test_a_frame_comes_back_from_parquet_as_it_was(frame, data):
    before = frame.copy()
    row = data.draw(st.integers(0, len(frame) - 1))
    wanted, new = expected(frame, row)
    with folder() as place:
        pd.testing.assert_frame_equal(lw.read(exported(frame, place / "same.parquet")), frame, check_freq=False)
        back = lw.read(exported(frame, place / "one.parquet", decide=(row, new)))
        pd.testing.assert_frame_equal(back, wanted, check_freq=False)
    pd.testing.assert_frame_equal(frame, before)


@quick
@given(frames(), st.sampled_from([".csv", ".tsv"]), st.data())
def test_a_frame_is_written_as_text_cell_by_cell(frame, suffix, data):
    row = data.draw(st.integers(0, len(frame) - 1))
    wanted, new = expected(frame, row)
    plain = isinstance(frame.index, pd.RangeIndex) and frame.index.start == 0
    wanted = wanted.reset_index(drop=plain)
    sep = "\t" if suffix == ".tsv" else ","
    with folder() as place:
        path = exported(frame, place / f"one{suffix}", decide=(row, new))
        wanted.to_csv(place / "wanted", index=False, sep=sep, quoting=csv.QUOTE_ALL)
        with open(path, newline="", encoding="utf-8") as ours, open(place / "wanted", newline="", encoding="utf-8") as theirs:
            assert list(csv.reader(ours, delimiter=sep)) == list(csv.reader(theirs, delimiter=sep))
        again = lw.read(path)
        assert len(again) == len(frame)
        assert again["text"].tolist() == frame["text"].tolist()
        assert again.columns.tolist() == wanted.columns.astype(str).tolist()


@quick
@given(frames(), st.data())
def test_a_frame_is_written_as_json_value_by_value(frame, data):
    row = data.draw(st.integers(0, len(frame) - 1))
    wanted, new = expected(frame, row)
    plain = isinstance(frame.index, pd.RangeIndex) and frame.index.start == 0
    wanted = wanted.reset_index(drop=plain)

    def as_json(value):
        if value is None or value is pd.NaT or value is pd.NA or value != value:
            return None
        if isinstance(value, (date, datetime)):
            return value.isoformat()
        return str(value) if isinstance(value, timedelta) else value

    rows = [dict(zip(wanted, map(as_json, r), strict=True)) for r in wanted.astype(object).itertuples(index=False, name=None)]
    with folder() as place:
        path = exported(frame, place / "one.jsonl", decide=(row, new))
        with open(path, encoding="utf-8") as file:
            assert [json.loads(line) for line in file.read().split("\n")[:-1]] == rows


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(frames(), st.data())
def test_a_dataset_on_disk_holds_the_same(frame, data):
    row = data.draw(st.integers(0, len(frame) - 1))
    wanted, new = expected(frame, row)
    plain = isinstance(frame.index, pd.RangeIndex) and frame.index.start == 0
    with folder() as place:
        back = lw.read(exported(frame, place / "one", decide=(row, new)))
        flat = wanted.reset_index(drop=plain)
        assert back.columns.tolist() == flat.columns.tolist()
        for name in flat:
            ours, theirs = back[name].astype(object), flat[name].astype(object)
            assert [None if pd.isna(v) else v for v in ours] == [None if pd.isna(v) else v for v in theirs], name


@pytest.mark.parametrize(
    ("value", "path", "says"),
    [
        (b"bytes", "out.csv", r"column 'odd' of bytes.*str\.decode"),
        (["a", "b"], "out.csv", r"column 'odd' of list.*str\.join"),
        ({"a": 1}, "out.tsv", r"column 'odd' of dict.*\.astype\(str\)"),
        (np.array([1, 2]), "out.csv", "column 'odd' of ndarray"),
        (b"bytes", "out.jsonl", "column 'odd' of bytes, which JSON has no word for"),
        (float("inf"), "out.jsonl", "column 'odd' with infinity"),
        (Decimal("1.5"), "out.jsonl", "column 'odd' of Decimal"),
        (1 + 2j, "out.parquet", "column 'odd'"),
    ],
)
def test_what_a_kind_of_file_cannot_hold_is_named_before_anything_is_written(tmp_path, value, path, says):
    frame = pd.DataFrame({"text": ["a", "b"], "label": LABELS, "odd": pd.Series([value, value], dtype=object)})
    with pytest.raises(ExportError, match=says):
        exported(frame, tmp_path / path)
    assert list(tmp_path.iterdir()) == []


def test_numpy_in_attrs_is_named_and_plain_attrs_travel_with_parquet(tmp_path):
    frame = pd.DataFrame({"text": ["a", "b"], "label": LABELS})
    frame.attrs = {"source": "web", "threshold": np.float32(0.5)}
    with pytest.raises(ExportError, match=r"`attrs\['threshold'\]` of float32.*`del df\.attrs\['threshold'\]`"):
        exported(frame, tmp_path / "out.parquet")
    del frame.attrs["threshold"]
    path = exported(frame, tmp_path / "out.parquet")
    assert pd.read_parquet(path).attrs == {"source": "web"}
    assert b"loss_widget" not in (pq.read_schema(path).metadata or {}), "our own notes stay here"
