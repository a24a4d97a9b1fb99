"""The corrected data on its way out: a file, or a `datasets.Dataset`."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from loss_widget.atomic import replacing
from loss_widget.errors import ExportError

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
