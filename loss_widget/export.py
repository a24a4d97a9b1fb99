"""The corrected data on its way out: a file, a `datasets.Dataset`, or changes applied to another copy of the data."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from loss_widget.atomic import replacing
from loss_widget.errors import DataError, ExportError, listing
from loss_widget.examples import column_position, content_keys, read_texts, text_columns

WRITABLE = (".csv", ".tsv", ".jsonl", ".parquet")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_frame(
    frame: pd.DataFrame,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    excel_safe: bool = False,
    label: str = "label",
    class_names: Sequence[str] | None = None,
    index: bool | None = None,
) -> Path:
    """Write a frame to `.csv`, `.tsv`, `.jsonl`, `.parquet`, or (no suffix) a directory as a `datasets` dataset; return the path.

    Atomic, and an existing path raises `ExportError` unless `overwrite`. The index is written unless it is a plain
    range, or as `index` says.
    """
    index = has_own_index(frame) if index is None else index
    path = Path(path).expanduser()
    suffix = path.suffix.lower()
    if suffix not in (*WRITABLE, ""):
        raise ExportError(f"Expected a path that ends in {', '.join(WRITABLE)} or in nothing (a directory), found {path.name!r}.")
    if suffix and path.is_dir():
        raise ExportError(f"Expected a path for a file, found a directory: {path}. Give the file a name in it.")
    if not suffix and path.is_dir() and overwrite and not _is_dataset(path) and any(path.iterdir()):
        raise ExportError(f"Expected a dataset to overwrite, found a directory with other files: {path}. Choose another path.")
    if suffix in (".csv", ".tsv"):
        frame = _for_spreadsheets(frame, excel_safe=excel_safe)
    write: dict[str, Callable[[pd.DataFrame, Path], None]] = {
        ".csv": lambda f, p: f.to_csv(p, index=index),
        ".tsv": lambda f, p: f.to_csv(p, index=index, sep="\t"),
        ".jsonl": lambda f, p: _with_index(f, index).to_json(
            p, orient="records", lines=True, force_ascii=False, date_format="iso"
        ),
        ".parquet": lambda f, p: f.to_parquet(p, index=index),
        "": lambda f, p: as_dataset(f, label=label, class_names=class_names, index=index).save_to_disk(str(p)),
    }
    with replacing(path, overwrite=overwrite) as temporary:
        write[suffix](frame, temporary)
    return path


def as_dataset(frame: pd.DataFrame, *, label: str, class_names: Sequence[str] | None, index: bool) -> Any:
    """A frame as a `datasets.Dataset`; with `class_names` the integer column `label` becomes a `ClassLabel` in that order."""
    import datasets

    dataset = datasets.Dataset.from_pandas(_with_index(frame, index), preserve_index=False)
    if class_names is None:
        return dataset
    features = dataset.features.copy()
    features[label] = datasets.ClassLabel(names=list(class_names))
    return dataset.cast(features)


def has_own_index(frame: pd.DataFrame) -> bool:
    """Whether the index says more than the position of a row."""
    return not isinstance(frame.index, pd.RangeIndex) or frame.index.name is not None


def apply_changes(
    frame: pd.DataFrame,
    changes: Any,
    *,
    text: str | Sequence[str] = "text",
    label: str = "label",
    drop_removed: bool = True,
) -> pd.DataFrame:
    """A new frame with the changes of a review made in it, found by the content of the rows.

    `changes`: `widget.changes`, or a file of it (`.jsonl`, `.csv`, `.parquet`). `DataError` names the changes that no longer
    match: a text that is not there, or a label that is neither the old nor the new one. Equal texts are told apart by label,
    then by order.
    """
    listed = _read_changes(changes)
    columns = text_columns(text)
    names = (columns,) if isinstance(columns, str) else columns
    keys = content_keys(*(read_texts(frame, name)[0] for name in names))
    position = column_position(frame, label)
    rows_of: dict[str, list[int]] = {}
    for row, key in enumerate(keys.tolist()):
        rows_of.setdefault(f"{key:016x}", []).append(row)
    now = [_plain(v) for v in frame.iloc[:, position]]
    labels: dict[int, Any] = {}
    removed: list[int] = []
    lost: list[int] = []
    taken: set[int] = set()
    for change in listed.itertuples(index=False):
        free = [row for row in rows_of.get(str(change.key), []) if row not in taken]
        old, new = _plain(change.old_label), _plain(change.new_label)
        found = next((r for wanted in (old, new) for r in free if _same(now[r], wanted)), None)
        if found is None:
            lost.append(int(change.row))
            continue
        taken.add(found)
        if change.verdict == "remove":
            removed.append(found)
        elif change.verdict == "relabel":
            labels[found] = change.new_label
    if lost:
        raise DataError(
            f"Expected every change to match a row by its text and label, found {len(lost)} of {len(listed)} that match "
            f"none: rows {listing(lost)} of the review. Was the data edited since? Drop those changes, or review again."
        )
    result = frame.copy()
    if labels:
        dtype = result.dtypes.iloc[position]
        if isinstance(dtype, pd.CategoricalDtype):
            new_names = [v for v in dict.fromkeys(labels.values()) if v not in dtype.categories]
            result.isetitem(position, result.iloc[:, position].cat.add_categories(new_names))
        values = pd.Series(list(labels.values()), dtype=object).astype(result.dtypes.iloc[position])
        result.iloc[list(labels), position] = values.array
    keep = np.ones(len(result), dtype=bool)
    keep[removed] = not drop_removed
    return result[keep]


def _read_changes(changes: Any) -> pd.DataFrame:
    if isinstance(changes, pd.DataFrame):
        listed = changes
    else:
        path = Path(changes).expanduser()
        read: dict[str, Callable[[Path], pd.DataFrame]] = {
            ".csv": lambda p: pd.read_csv(p, dtype={"key": str}, keep_default_na=False),
            ".jsonl": lambda p: pd.read_json(p, lines=True, dtype=False),
            ".parquet": pd.read_parquet,
        }
        if path.suffix.lower() not in read or not path.is_file():
            raise DataError(
                f"Expected `widget.changes` or a file of it ({', '.join(read)}), found {path}. Export the changes first."
            )
        listed = read[path.suffix.lower()](path)
    missing = [c for c in ("row", "key", "verdict", "old_label", "new_label") if c not in listed.columns]
    if missing:
        raise DataError(
            f"Expected the columns of `widget.changes`, found none named {listing(missing)}. Pass the changes as they came."
        )
    return listed


def _plain(value: Any) -> Any:
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return None
    return value.item() if isinstance(value, np.generic) else value


def _same(a: Any, b: Any) -> bool:
    return a == b or (a in (None, "", -1, -100) and b in (None, "", -1, -100))


def _with_index(frame: pd.DataFrame, index: bool) -> pd.DataFrame:
    return frame.reset_index(drop=not index)


def _for_spreadsheets(frame: pd.DataFrame, *, excel_safe: bool) -> pd.DataFrame:
    risky = {}
    for position, dtype in enumerate(frame.dtypes):
        if pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_datetime64_any_dtype(dtype):
            continue
        cells = frame.iloc[:, position]
        starts = cells.map(lambda v: isinstance(v, str) and v.startswith(_FORMULA)).to_numpy(dtype=bool)
        if starts.any():
            risky[position] = starts
    if not risky:
        return frame
    if not excel_safe:
        count = sum(int(starts.sum()) for starts in risky.values())
        warnings.warn(
            f"{count} cells start with =, +, -, @, a tab or a line end, and a spreadsheet would run them as formulas. They are "
            "written as they are; pass `excel_safe=True` for files that people open in one, or write .parquet or .jsonl.",
            stacklevel=4,
        )
        return frame
    safe = frame.copy()
    for position in risky:
        safe.isetitem(position, safe.iloc[:, position].astype(object).map(_defused))
    return safe


def _defused(value: Any) -> Any:
    return "'" + value if isinstance(value, str) and value.startswith(_FORMULA) else value


def _is_dataset(path: Path) -> bool:
    return (path / "dataset_info.json").exists() or (path / "state.json").exists()
