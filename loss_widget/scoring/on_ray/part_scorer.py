"""One part of the data through the scorer and onto disk: what a worker of a distributed run does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loss_widget.data.contents import ContentColumns
from loss_widget.data.examples import Examples
from loss_widget.data.label_space import AlignedLabels
from loss_widget.data.labels import GivenLabel, read_labels
from loss_widget.errors import ExportError, LabelError, LossWidgetError
from loss_widget.scores.parquet_file import read_table, write_table
from loss_widget.scores.parquet_folder import ROW, part_path
from loss_widget.scores.scores import SCORE_COLUMNS, Scores
from loss_widget.scoring.engine.stock import TOLERANCE, rows_agree
from loss_widget.scoring.on_ray.parquet_parts import ParquetRows, Part
from loss_widget.scoring.scorer import Scorer

_SAMPLE_ROWS = 5_000
_COMPARED_ROWS = 8


@dataclass(frozen=True)
class ColumnLabels:
    """Labels, aligned once: `aligned.ids[i]` is the label that `values[i]` of the column means."""

    values: pa.Array
    aligned: AlignedLabels

    @classmethod
    def of(
        cls,
        rows: ParquetRows,
        column: str,
        model_names: Sequence[str],
        label_names: Sequence[str] | None,
        label_map: Mapping[Any, str | None] | None,
        *,
        by_position: bool,
    ) -> ColumnLabels:
        """Reads the column once, one batch at a time. `LabelError` or `LabelMismatch` as `lw.score` raises them."""
        kind = rows.schema.field(column).type
        if pa.types.is_nested(kind):
            raise LabelError(
                f"Expected one label a row, found {kind} in column {column!r}. Call `lw.score`, which takes several."
            )
        values = rows.distinct(column)
        try:
            given = read_labels(rows.column_of(column, values), label_names=label_names, by_position=by_position)
        except LabelError as error:  # it counts rows among the distinct values
            raise LabelError(re.sub(r", row \d+", "", str(error))) from error
        return cls(values, given.align(model_names, label_map=label_map))

    def in_column(self, column: pa.ChunkedArray) -> AlignedLabels:
        column = column.combine_chunks()
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        return replace(self.aligned, ids=self.aligned.ids[np.asarray(pc.index_in(column, value_set=self.values))])


@dataclass(frozen=True)
class Job:
    """All that a worker needs to score any part and to write it down."""

    scorer: Scorer
    source: ParquetRows
    parts: Sequence[Part]
    kept: Sequence[str]
    shown: ContentColumns
    label: str
    labels: ColumnLabels
    out: Path


class PartScorer:
    """Scores the parts of a job, one at a time; `score` says what became of one, its rows go into the part's file."""

    def __init__(self, job: Job, *, device: str, threads: int) -> None:
        self._job = job
        self._scorer = Scorer(
            job.scorer.model, tokenizer=job.scorer.tokenizer, max_length=job.scorer.max_length, device=device, threads=threads
        )

    def score(self, number: int) -> dict[str, Any]:
        path = part_path(self._job.out, number)
        part = self._job.parts[number]
        resumed = path.exists()
        if not resumed:
            try:
                self._write(part, path)
            except LossWidgetError as error:
                raise type(error)(f"{error} (Rows are counted from row {part.first_row} of the data.)") from error
        table, meta = read_table(path, columns=["__given_id__", "__log_probs__"])
        codes, log_probs = np.asarray(table["__given_id__"]), np.asarray(table["__log_probs__"].combine_chunks().flatten())
        log_probs = log_probs.reshape(len(codes), -1)
        usable = np.flatnonzero((codes >= 0) & np.isfinite(log_probs).all(axis=1))
        sample = usable[np.linspace(0, len(usable) - 1, min(len(usable), -(-_SAMPLE_ROWS // len(self._job.parts)))).astype(int)]
        return {
            "rows": len(codes),
            "resumed": len(codes) if resumed else 0,
            "usable": len(usable),
            "agreeing": int((log_probs[usable].argmax(axis=1) == codes[usable]).sum()),
            "codes": codes[sample].tobytes(),
            "log_probs": log_probs[sample].tobytes(),
            "provenance": json.dumps(meta["provenance"]),
        }

    def _write(self, part: Part, path: Path) -> None:
        job = self._job
        table = job.source.read(part)
        frame = table.select([*job.shown.names, job.label]).to_pandas()
        contents, notes = job.shown.read(frame)
        labels = job.labels.in_column(table.column(job.label))
        examples = Examples(
            frame=frame,
            shown=job.shown,
            label=job.label,
            contents=contents,
            given=GivenLabel(labels.ids, labels.names, ()),
            keys=contents.keys(),
            notes=notes,
        )
        read = self._scorer(contents)
        scores = Scores.from_pass(
            examples,
            labels,
            read.log_probs,
            tokens=read.tokens,
            truncated=read.truncated,
            unknown_tokens=read.unknown_tokens,
            notes=read.notes,
            provenance=read.provenance,
        )
        table = table.select(list(job.kept))
        for name, column in _score_columns(scores, job.source.schema.field(job.label).type):
            table = table.append_column(name, column)
        table = table.append_column(ROW, pa.array(np.arange(part.first_row, part.first_row + part.rows)))
        layout = dict(job.source.layout)
        if "columns" in layout:
            layout["columns"] = [*layout["columns"], *SCORE_COLUMNS]
        write_table(scores.state, table, layout, path)


def check_part(job: Job, number: int) -> None:
    """Read a few rows of a part that is there again; `ExportError` where the model says something else of them now.

    What the plan of a folder cannot tell (the inside of a hook, an adapter that is off) shows in the numbers.
    """
    path = part_path(job.out, number)
    table, _ = read_table(path, columns=[*job.shown.names, "tokens", "__log_probs__"])
    rows = np.argsort(np.asarray(table["tokens"]), kind="stable")
    table = table.take(np.unique(rows[np.linspace(0, len(rows) - 1, min(_COMPARED_ROWS, len(rows))).astype(int)]))
    read = job.scorer(job.shown.read(table.to_pandas())[0])
    before = np.asarray(table["__log_probs__"].combine_chunks().flatten()).reshape(read.log_probs.shape)
    same_tokens = np.array_equal(read.tokens, np.asarray(table["tokens"]))
    if not same_tokens or not rows_agree(read.log_probs, before, within=TOLERANCE).all():
        differing = "forward pass (look for hooks, adapters and patched methods)" if same_tokens else "tokenizer"
        raise ExportError(
            f"Expected out to hold an earlier run of this very call, found that {path.name} was made with another {differing}. "
            "Nothing was changed; choose another name, or delete the folder to score anew."
        )


def _score_columns(scores: Scores, label_type: pa.DataType) -> Iterator[tuple[str, pa.Array]]:
    """The columns of the scores as Arrow, of one type in all parts."""
    if pa.types.is_dictionary(label_type):
        label_type = label_type.value_type
    if pa.types.is_null(label_type):
        label_type = pa.array([scores.labels.space.value_of(i) for i in range(len(scores.labels.names))]).type
    types = {"predicted_label": label_type, "score_note": pa.string()}
    for name in SCORE_COLUMNS:
        column = pa.array(scores.frame[name], from_pandas=True)
        if isinstance(column, pa.ChunkedArray):
            column = column.combine_chunks()
        yield name, column.cast(types.get(name, column.type))
