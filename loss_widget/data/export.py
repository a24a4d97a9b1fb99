"""The corrected data on its way out: a file, or a `datasets.Dataset`."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from loss_widget.data.atomic_file import replacing
from loss_widget.data.columns import unstorable
from loss_widget.errors import ExportError, listing

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
    range 0, 1, 2, …, or as `index` says: an unnamed one as a column "index", in Parquet as pandas' own index.
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
    formulas = 0
    write: dict[str, Callable[[pd.DataFrame, Path], Any]] = {
        ".csv": lambda f, p: f.to_csv(p, index=False),
        ".tsv": lambda f, p: f.to_csv(p, index=False, sep="\t"),
        ".jsonl": lambda f, p: f.to_json(p, orient="records", lines=True, force_ascii=False, date_format="iso"),
        ".parquet": lambda f, p: f.to_parquet(p, index=index),
        "": lambda f, p: as_dataset(f, label=label, class_names=class_names, index=False).save_to_disk(str(p)),
    }
    try:
        flat = frame if suffix == ".parquet" else _with_index(frame, index)  # Parquet alone knows what an index is
        if suffix in (".csv", ".tsv"):
            flat, formulas = _for_spreadsheets(flat, excel_safe=excel_safe)
        with replacing(path, overwrite=overwrite) as temporary:
            write[suffix](flat, temporary)
    except OSError as error:
        raise ExportError(
            f"Expected to be able to write {path}, found: {error}. Nothing was written; choose another folder or name."
        ) from error
    except (ValueError, TypeError, OverflowError, pa.ArrowException) as error:
        found = unstorable(frame, only_text=suffix not in (".parquet", "")) or str(error).rstrip(".")
        raise ExportError(f"Expected data that {suffix or 'a dataset'} can hold, found {found}. Nothing was written.") from error
    if formulas:
        warnings.warn(
            f"{formulas} cells start with =, +, -, @, a tab or a line end, and a spreadsheet would run them as formulas. They "
            "are written as they are; pass `excel_safe=True` for files that people open in one, or write .parquet or .jsonl.",
            stacklevel=3,
        )
    return path


def as_dataset(frame: pd.DataFrame, *, label: str, class_names: Sequence[str] | None, index: bool) -> Any:
    """A frame as a `datasets.Dataset`; with `class_names` the integer column `label` becomes a `ClassLabel` in that order."""
    import datasets

    try:
        dataset = datasets.Dataset.from_pandas(_with_index(frame, index), preserve_index=False)
        if class_names is None:
            return dataset
        features = dataset.features.copy()
        features[label] = datasets.ClassLabel(names=list(class_names))
        return dataset.cast(features)
    except (ValueError, TypeError, OverflowError, pa.ArrowException) as error:
        found = unstorable(frame) or str(error).rstrip(".")
        raise ExportError(f"Expected data that a dataset can hold, found {found}. Nothing was written.") from error


def push_dataset(dataset: Any, repo_id: str, *, private: bool = True, dry_run: bool = False, **options: Any) -> str:
    """Push a `datasets.Dataset` to the Hugging Face hub and return its address; with `dry_run` say what would be pushed.

    A new dataset is made private; into one that is public already nothing is pushed unless `private=False`. `options` are those
    of `Dataset.push_to_hub` (`split`, `commit_message`, `token`, …). `ExportError` where nothing was pushed.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RepositoryNotFoundError

    columns = ", ".join(dataset.column_names)
    said = f"{len(dataset):,} rows ({columns}) to the {'private' if private else 'public'} dataset {repo_id}"
    if dry_run:
        return f"Would push {said}"
    try:
        api = HfApi(token=options.get("token"))
        try:
            is_public = not api.repo_info(repo_id, repo_type="dataset").private
        except RepositoryNotFoundError:
            is_public = False
        if private and is_public:
            raise ExportError(
                f"Expected a private dataset or none at {repo_id}, found a public one. Nothing was pushed: choose another name, "
                "or pass `private=False`."
            )
        pushed = dataset.push_to_hub(repo_id, private=private, **options)
    except (HfHubHTTPError, HFValidationError, OSError, ValueError, RuntimeError) as error:
        raise ExportError(
            f"Expected to push {said}, found: {str(error).strip().splitlines()[0]} Check the name, and that you are logged in "
            "with the right to write (`hf auth login`)."
        ) from error
    return str(pushed.repo_url)


def has_own_index(frame: pd.DataFrame) -> bool:
    """Whether the index says more than the position of a row: anything but an unnamed 0, 1, 2, …"""
    index = frame.index
    return not isinstance(index, pd.RangeIndex) or index.name is not None or index.start != 0 or index.step != 1


def _with_index(frame: pd.DataFrame, index: bool) -> pd.DataFrame:
    """The index as the first columns, "index" where it has no name; without `index` it is dropped."""
    taken = [name for name in frame.index.names if name is not None and name in frame.columns] if index else []
    if taken:
        raise ExportError(
            f"Expected an index with a name of its own, found {listing(taken)}, which is a column too. Nothing is written: name "
            "it anew (`df.index.name = 'id'`), or write .parquet."
        )
    return frame.reset_index(drop=not index)


def _for_spreadsheets(frame: pd.DataFrame, *, excel_safe: bool) -> tuple[pd.DataFrame, int]:
    """The frame, defused if so wished, and how many cells are written that a spreadsheet would run."""
    risky = {}
    for position, dtype in enumerate(frame.dtypes):
        if pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_datetime64_any_dtype(dtype):
            continue
        cells = frame.iloc[:, position]
        starts = cells.map(lambda v: isinstance(v, str) and v.startswith(_FORMULA)).to_numpy(dtype=bool)
        if starts.any():
            risky[position] = starts
    if not risky or not excel_safe:
        return frame, sum(int(starts.sum()) for starts in risky.values())
    safe = frame.copy()
    for position in risky:
        safe.isetitem(position, safe.iloc[:, position].astype(object).map(_defused))
    return safe, 0


def _defused(value: Any) -> Any:
    return "'" + value if isinstance(value, str) and value.startswith(_FORMULA) else value


def _is_dataset(path: Path) -> bool:
    return (path / "dataset_info.json").exists() or (path / "state.json").exists()
