"""Scores on disk: one Parquet file with the frame, the log-probabilities, the content keys and the provenance."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from loss_widget.atomic import replacing
from loss_widget.errors import DataError, ExportError
from loss_widget.examples import as_tuple, read_texts
from loss_widget.labels import AlignedLabels
from loss_widget.scores import Scores

_META = b"loss_widget"
_OWN = ("__given_id__", "__key__", "__log_probs__")


def write_scores(scores: Scores, path: Path) -> Path:
    try:
        table = pa.Table.from_pandas(scores.frame)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise ExportError(
            f"Expected columns that Parquet can hold, found one that it cannot: {error}. Convert it with `.astype(str)` first."
        ) from error
    n_labels = len(scores.label_names)
    flat = pa.array(scores.log_probs.reshape(-1))
    for name, column in zip(
        _OWN,
        (
            pa.array(scores.given_ids),
            pa.array(scores.keys),
            pa.FixedSizeListArray.from_arrays(flat, n_labels),
        ),
        strict=True,
    ):
        table = table.append_column(name, column)
    meta = {
        "version": 1,
        "text": scores.text,
        "label": scores.label,
        "label_names": scores.label_names,
        "label_values": scores.label_values,
        "label_aliases": list(scores.label_aliases.items()),
        "provenance": scores.provenance,
        "attrs": scores.frame.attrs,
    }
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), _META: json.dumps(meta, default=str).encode()})
    with replacing(path, overwrite=True) as temporary:
        pq.write_table(table, temporary)
    return path


def read_scores(path: Path) -> Scores:
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(f"Expected a Parquet file written by Scores.save at {path}, found: {error}") from error
    written = (table.schema.metadata or {}).get(_META)
    if written is None or not all(name in table.column_names for name in _OWN):
        raise DataError(
            f"Expected a file written by Scores.save, found another Parquet file: {path}. Use `lw.score` or `Scores.from_probs`."
        )
    meta = json.loads(written)
    given, keys, stored = (table.column(name).combine_chunks() for name in _OWN)
    frame = table.drop_columns(list(_OWN)).to_pandas()
    frame.attrs.update(meta["attrs"])
    text = meta["text"] if isinstance(meta["text"], str) else tuple(meta["text"])
    texts = [read_texts(frame, name)[0] for name in as_tuple(text)]
    names = tuple(meta["label_names"])
    return Scores(
        frame=frame,
        text=text,
        label=meta["label"],
        log_probs=_values(stored).reshape(len(frame), len(names)),
        labels=AlignedLabels(np.asarray(given), names, tuple(meta["label_values"]), dict(meta["label_aliases"])),
        texts=texts[0],
        pair_texts=texts[1] if len(texts) == 2 else None,
        keys=np.asarray(keys),
        provenance=meta["provenance"],
    )


def _values(column: pa.ChunkedArray | pa.FixedSizeListArray) -> np.ndarray:
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    return np.concatenate([np.asarray(chunk.flatten()) for chunk in chunks])
