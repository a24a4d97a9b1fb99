"""Rows of Parquet files as parts: every row once and in order, and labels as `lw.score` reads them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loss_widget.data.labels import align_labels, read_labels
from loss_widget.errors import DataError, LabelError
from loss_widget.scoring.on_ray.parquet_parts import open_parquet, parquet_files, stage, tables_of
from loss_widget.scoring.on_ray.part_scorer import ColumnLabels

NAMES = ["world", "sport", "business"]


@settings(max_examples=40)
@given(files=st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=4), min_size=1, max_size=3), size=st.integers(1, 25))
def test_parts_are_all_rows_once_and_in_order(files: list[list[int]], size: int) -> None:
    """`files`: the rows of each row group of each file."""
    with tempfile.TemporaryDirectory() as folder:
        start = 0
        for number, groups in enumerate(files):
            with pq.ParquetWriter(Path(folder) / f"{number}.parquet", pa.schema({"row": pa.int64()})) as file:
                for rows in groups:
                    file.write_table(pa.table({"row": pa.array(range(start, start + rows), pa.int64())}))
                    start += rows
        if not start:
            with pytest.raises(DataError, match="at least one row"):
                open_parquet([Path(folder)])
            return
        source = open_parquet([Path(folder)])
        parts = source.parts(size)
        read = [source.read(part)["row"].to_pylist() for part in parts]
        assert [rows[0] for rows in read] == [part.first_row for part in parts]
        assert [row for rows in read for row in rows] == list(range(start))
        assert max(map(len, read)) <= size


COLUMNS = {
    "names": pd.Series(["Sport ", "world", "Sport ", "business"] * 5),
    "names, some missing": pd.Series(["sport", None, "world", ""] * 5),
    "ids": pd.Series([2, 0, 1, 0] * 5),
    "ids, some missing": pd.Series([2, 0, np.nan, -1] * 5),
    "nullable ids": pd.Series([2, None, 1, 0] * 5, dtype="Int64"),
    "small ids": pd.Series([2, 0, 2, 0] * 5, dtype="uint8"),
    "categories": pd.Series(["sport", "world", None, "sport"] * 5, dtype=pd.CategoricalDtype(["world", "business", "sport"])),
    "ordered ids": pd.Series([1, 3, 2, 1] * 5, dtype=pd.CategoricalDtype([1, 2, 3], ordered=True)),
    "none": pd.Series([None, None, None, None] * 5),
}


@pytest.mark.parametrize("told", [None, NAMES])
@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
def test_labels_mean_what_they_mean_to_score(column: pd.Series, told: list[str] | None, tmp_path: Path) -> None:
    frame = pd.DataFrame({"label": column})
    frame.to_parquet(tmp_path / "rows.parquet", row_group_size=3)
    tables, layout, _ = tables_of(frame, text="text", label="label")
    staged = open_parquet([stage(tables, tmp_path / "in")], layout=layout)
    from_file = pd.read_parquet(tmp_path / "rows.parquet")["label"]
    for source, read in ((staged, column), (open_parquet([tmp_path / "rows.parquet"]), from_file)):
        try:
            plain = align_labels(read_labels(read, label_names=told), NAMES)
        except LabelError as error:
            with pytest.raises(type(error), match="Expected"):
                ColumnLabels.of(source, "label", NAMES, told, None, by_position=False)
            continue
        labels = ColumnLabels.of(source, "label", NAMES, told, None, by_position=False)
        of_parts = [labels.in_column(source.read(part)["label"]) for part in source.parts(7)]
        assert np.concatenate([part.codes for part in of_parts]).tolist() == plain.codes.tolist()
        assert (of_parts[0].names, of_parts[0].believed) == (plain.names, plain.believed)
        assert of_parts[0].space.values == plain.space.values
        assert of_parts[0].space.aliases == plain.space.aliases


def test_data_in_memory_is_staged_under_the_hash_of_its_content(tmp_path: Path) -> None:
    frame = pd.DataFrame({"text": ["a", "b"], "label": [0, 1]})
    names = [stage(tables_of(f, text="text", label="label")[0], tmp_path).name for f in (frame, frame.copy(), frame[::-1])]
    assert names[0] == names[1] != names[2]


def test_a_missing_path_names_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "train.parquet").touch()
    with pytest.raises(DataError, match=r"did you mean 'train\.parquet'"):
        parquet_files(tmp_path / "trian.parquet")


def test_files_of_other_columns_are_refused(tmp_path: Path) -> None:
    pd.DataFrame({"text": ["a"], "label": [0]}).to_parquet(tmp_path / "a.parquet")
    pd.DataFrame({"text": ["a"], "label": [[0]]}).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(DataError, match="same columns"):
        open_parquet([tmp_path / "a.parquet", tmp_path / "b.parquet"])
