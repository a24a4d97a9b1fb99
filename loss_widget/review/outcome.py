"""What a review comes to: its summary, the list of changes, and the corrected frame."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from loss_widget.data.contents import Contents
from loss_widget.data.texts import take
from loss_widget.errors import ColumnError, listing
from loss_widget.review.query import VERDICTS
from loss_widget.review.review_state import Review

_RECENT = 50


def summary(review: Review) -> dict[str, Any]:
    """Counts per verdict, and how many of the rows looked at were wrong; see `ReviewSession.summary`."""
    decisions, left = review.decisions, review.errors_left()
    counts = dict(zip(VERDICTS[1:], decisions.counts[1:].tolist(), strict=True))
    last = [VERDICTS[decisions.verdicts[row]] for row in decisions.last(_RECENT, without=review.drawn)]
    wrong = counts["relabel"] + counts["remove"]
    recent = last.count("relabel") + last.count("remove")
    judged = recent + last.count("keep")
    return {
        "rows": len(decisions.given),
        "reviewed": sum(counts.values()),
        **counts,
        "wrong": wrong,
        "precision": _share(wrong, wrong + counts["keep"]),
        "precision_last_50": _share(recent, judged),
        "judged_last_50": judged,
        "errors_left": None if left is None else left.errors_left,
        "errors_left_interval": None if left is None else left.errors_left_interval,
        "unmatched": len(review.unmatched),
    }


def changes(review: Review) -> pd.DataFrame:
    """One row per reviewed row, in the order of the data."""
    table, labels, decisions = review.table, review.column, review.decisions
    rows = np.flatnonzero(decisions.verdicts)
    stamps = [decisions.stamps.get(row, ("", "")) for row in rows.tolist()]
    given, now = table.given[rows], decisions.labels[rows]
    index = labels.frame.index if len(labels.frame) == len(table) else pd.RangeIndex(len(table))
    return pd.DataFrame(
        {
            "row": rows,
            "index": pd.Series([index[row] for row in rows.tolist()], dtype=object if index.nlevels > 1 else index.dtype),
            "key": [f"{key:016x}" for key in table.keys[rows].tolist()],
            "verdict": [VERDICTS[code] for code in decisions.verdicts[rows].tolist()],
            "old_label": labels.column_of(given),
            "new_label": labels.column_of(now),
            "loss_before": table.loss[rows],
            "loss_after": review.loss_of(rows, now),
            "note": [decisions.notes.get(row, "") for row in rows.tolist()],
            "reviewed_at": pd.to_datetime([at for at, _ in stamps], utc=True, format="ISO8601"),
            "reviewer": [reviewer for _, reviewer in stamps],
        }
    )


def readable(listed: pd.DataFrame, contents: Contents | None) -> pd.DataFrame:
    """The list of changes for a file: an index of several levels as text; with `contents`, the text of each row after its key."""
    listed = listed.copy()
    if any(isinstance(value, tuple) for value in listed["index"]):
        listed["index"] = [
            str(tuple(part.item() if isinstance(part, np.generic) else part for part in at)) for at in listed["index"]
        ]
    for name in ("old_label", "new_label"):
        dtype = listed[name].dtype
        if isinstance(dtype, pd.CategoricalDtype) and dtype.categories.dtype.kind in "iu":  # numbers, which no file keeps as such
            listed[name] = listed[name].astype("Int64")
    for number, words in enumerate(() if contents is None else contents.words):
        name = f"text_{number + 1}" if number else "text"
        texts = pd.Series(take(words, listed["row"].to_numpy()).to_pylist(), dtype="str")
        listed.insert(listed.columns.get_loc("key") + 1 + number, name, texts)
    return listed


def corrected(review: Review, *, drop_removed: bool, only_reviewed: bool, audit: bool, scores: bool) -> pd.DataFrame:
    """A new frame with the caller's own columns and the labels as they now stand."""
    labels, decisions = review.column, review.decisions
    frame = labels.corrected(np.flatnonzero(decisions.verdicts), beside=audit or scores)
    if review.score_columns:
        frame = frame if scores else frame.loc[:, ~frame.columns.isin(review.score_columns)]
    elif scores:
        _add(frame, _model_columns(review, frame), replace=True)
    if audit:
        _add(frame, _audit_columns(review), replace=False)
    keep = np.ones(len(frame), dtype=bool)
    if drop_removed:
        keep &= decisions.verdicts != VERDICTS.index("remove")
    if only_reviewed:
        keep &= decisions.verdicts != 0
    return frame if keep.all() else frame[keep]


def _model_columns(review: Review, frame: pd.DataFrame) -> dict[str, Any]:
    table = review.table
    columns = {"loss": table.loss, "label_prob": table.label_prob, "predicted_prob": table.predicted_prob}
    columns = {"predicted_label": review.column.column_of(table.predicted).to_numpy(), **columns}
    return {name: values for name, values in columns.items() if name not in frame.columns}


def _audit_columns(review: Review) -> dict[str, Any]:
    decisions = review.decisions
    stamps = decisions.stamps
    rows = range(len(review.table))
    return {
        "original_label": review.column.column_of(review.table.given).array,
        "verdict": [VERDICTS[code] for code in decisions.verdicts.tolist()],
        "note": [decisions.notes.get(row, "") for row in rows],
        "reviewed_at": pd.to_datetime([stamps.get(row, (None,))[0] for row in rows], utc=True, format="ISO8601"),
        "reviewer": [stamps.get(row, ("", ""))[1] for row in rows],
    }


def _add(frame: pd.DataFrame, columns: dict[str, Any], *, replace: bool) -> None:
    taken = [name for name in columns if name in frame.columns]
    if taken and not replace:
        raise ColumnError(
            f"Expected the column names {listing(taken)} to be free for the audit, found them in the data. Rename them first "
            "with `df.rename(columns=...)`, or leave `audit` out."
        )
    for name, values in columns.items():
        frame[name] = values


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
