"""Scores on disk as a directory: Parquet parts in the order of the rows, and a manifest that is written last."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from loss_widget.data.atomic_file import replacing
from loss_widget.data.columns import column_position
from loss_widget.errors import DataError, ExportError, listing
from loss_widget.scores.parquet_file import read_table, state_of
from loss_widget.scores.state import ScoresState

ROW = "__row__"
"""The column of the parts that holds each row's position in the data."""

_PLAN, _MANIFEST = "_plan.json", "_scores.json"


def part_path(directory: Path, number: int) -> Path:
    return directory / f"part-{number:06d}.parquet"


def claim(directory: Path) -> None:
    """Make the directory, or take one that is empty or ours; `ExportError` for anything else."""
    if "://" in str(directory):
        raise ExportError(
            f"Expected out to be a folder that every worker can reach under one path, found {directory}. Mount it, or write to a "
            "shared disk and copy from there."
        )
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportError(f"Expected to be able to make the folder {directory}, found: {error}. Choose another.") from error
    strangers = sorted(p.name for p in directory.iterdir() if not p.name.startswith(("_", ".")))
    if strangers and not (directory / _PLAN).exists():
        raise ExportError(
            f"Expected out to be a new or empty folder, found {listing(strangers, most=3)} in {directory}. Nothing was changed; "
            "choose another name."
        )


def begin(directory: Path, *, rows: int, parts: int, made_from: Mapping[str, str]) -> bool:
    """Begin a run of so many parts, or go on with one of the same kind; whether it is finished already.

    `made_from`: what the numbers depend on, by name, so that a refusal (`ExportError`) can say what differs.
    """
    plan = {"rows": rows, "parts": parts, "made_from": dict(made_from)}
    before = _read_json(directory / _PLAN)
    if before is None:
        _write_json(plan, directory / _PLAN)
    elif before != plan:
        made_before = before.get("made_from", {})
        differing = [name for name in made_from if made_before.get(name) != made_from[name]] or ["number of rows"]
        raise ExportError(
            f"Expected out to hold an earlier run of this very call, found one with another value of: {', '.join(differing)}, in "
            f"{directory}. Nothing was changed; choose another name, or delete the folder to score anew."
        )
    return (directory / _MANIFEST).exists()


def finish(directory: Path, *, provenance: Mapping[str, Any]) -> None:
    """Say that all parts are there: from now on the directory can be loaded."""
    _write_json({"provenance": dict(provenance)}, directory / _MANIFEST)


def read_directory(directory: Path) -> ScoresState:
    """The Scores of a finished directory, in the order of the data; `DataError` for an unfinished one."""
    plan, manifest = _read_json(directory / _PLAN), _read_json(directory / _MANIFEST)
    if plan is None:
        raise DataError(
            f"Expected a directory written by lw.score_with_ray, found another one: {directory}. Pass its `out`, or a file "
            "written by `Scores.save`."
        )
    parts = [part_path(directory, number) for number in range(plan["parts"])]
    there = [part for part in parts if part.exists()]
    if manifest is None:
        done = sum(pq.read_metadata(part).num_rows for part in there)
        raise DataError(
            f"Expected finished scores, found an unfinished run in {directory}: {done:,} of {plan['rows']:,} rows are there, in "
            f"{len(there)} of {len(parts)} parts. Make the same `lw.score_with_ray` call again: it does only what is missing."
        )
    if len(there) < len(parts):
        lost = listing((part.name for part in parts if part not in there), most=3)
        raise DataError(f"Expected {len(parts)} parts in {directory}, found none called {lost}. Restore them, or score anew.")
    tables, metas = zip(*(read_table(part) for part in parts), strict=True)
    table = pa.concat_tables(tables)
    if not np.array_equal(np.asarray(table.column(ROW)), np.arange(plan["rows"])):
        raise DataError(f"Expected the rows 0 to {plan['rows'] - 1} in {directory}, found others. Score anew in another folder.")
    scores = state_of(table.drop_columns([ROW]), {**metas[0], "provenance": manifest["provenance"]})
    _write_predicted(scores)
    return scores


def _write_predicted(scores: ScoresState) -> None:
    """`predicted_label` as the label column of the whole data writes it: its categories and integers show only there."""
    space, guessed = scores.labels.space.predicted(scores.log_probs)
    labels = scores.frame.iloc[:, column_position(scores.frame, scores.label)]
    scores.frame["predicted_label"] = space.column_of(guessed, like=labels)


def _write_json(value: Mapping[str, Any], path: Path) -> None:
    with replacing(path, overwrite=True) as temporary:
        temporary.write_text(json.dumps(value, default=str), encoding="utf-8")


def _read_json(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise DataError(
            f"Expected {path} as lw.score_with_ray wrote it, found: {error}. Score anew in another folder."
        ) from error
