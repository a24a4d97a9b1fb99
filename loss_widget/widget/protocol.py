"""The messages between the grid and the kernel. Twin of js/src/protocol.ts; examples in tests/protocol_cases.json.

The browser asks `{v, rid, verb, args}`; each question gets one answer, `{rid, ok: true, revision, result}` or
`{rid, ok: false, revision, error: {kind, message}}`. An answer to `decide` means saved.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from loss_widget.data.export import WRITABLE
from loss_widget.errors import InputError, JournalError, LossWidgetError, ReadOnly, StaleDecision
from loss_widget.review import Decision, PageRow, Query
from loss_widget.review.decisions import KINDS
from loss_widget.review.estimate import ErrorsLeft, Progress
from loss_widget.review.panes import Cell, Confusion, LossHistogram

VERSION = 1
VERBS = (
    "page",
    "count",
    "decide",
    "text",
    "summary",
    "export",
    "histogram",
    "confusion",
    "facets",
    "duplicates",
    "preview",
    "progress",
    "spot_check",
    "add_label",
)
MOST_ROWS = 200
MOST_TEXT = 2_000
MOST_PROBABILITIES = 150
MOST_COLUMN_TEXT = 200
MOST_AT_ONCE = 100_000

_NOT_IN_NAMES = '/\\:*?"<>|'
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
_LONGEST_NAME = 200  # bytes; most file systems have room for 255, and a temporary name is longer

_QUERY_TYPES: dict[str, tuple[type, ...]] = {
    **{name: (str, type(None)) for name in ("given", "predicted", "verdict", "search")},
    **dict.fromkeys(("descending", "disagreements", "search_regex", "spot_check"), (bool,)),
    **dict.fromkeys(("offset", "limit"), (int,)),
    "sort": (str,),
    **dict.fromkeys(("loss_range", "quirk"), (list, tuple, type(None))),
    "unlabelled": (bool, type(None)),
    "as_of": (int, type(None)),
}


@dataclass(frozen=True)
class Request:
    """One question from a view; `rid` names its answer."""

    rid: str
    verb: str
    args: Mapping[str, Any]


@dataclass(frozen=True)
class Op:
    """One decision from the grid, and what it was made on: the label ids that it saw in its rows, or a query and its count."""

    decision: Decision
    expected: tuple[int | None, ...] | None
    query: Query | None = None
    count: int | None = None


def decode_request(content: Any) -> Request:
    """A request of a closed set of verbs; `InputError` for anything else."""
    if not isinstance(content, Mapping) or not isinstance(content.get("rid"), str):
        raise InputError(f"Expected a request with a rid, found {str(content)[:200]!r}.")
    verb, args = content.get("verb"), content.get("args", {})
    if content.get("v") != VERSION or verb not in VERBS or not isinstance(args, Mapping):
        raise InputError(f"Expected a request of version {VERSION} with a verb among {', '.join(VERBS)}, found {verb!r}.")
    return Request(content["rid"], verb, args)


def decode_query(args: Mapping[str, Any]) -> Query:
    """The query of a question; `InputError` for fields and kinds that a grid does not send."""
    sent = args.get("query", {})
    if not isinstance(sent, Mapping):
        raise InputError(f"Expected a query, found {type(sent).__name__}.")
    for name, value in sent.items():
        kinds = _QUERY_TYPES.get(name)
        if kinds is None or not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise InputError(f"Expected a query of known fields, found {name}={value!r}.")
    if sent.get("limit", 1) > MOST_ROWS or len(sent.get("search") or "") > MOST_TEXT:
        raise InputError(f"Expected at most {MOST_ROWS} rows and {MOST_TEXT} characters to search for, found more.")
    loss_range = sent.get("loss_range")
    return Query(**{**sent, "loss_range": None if loss_range is None else _open_ends(loss_range)})


def _open_ends(loss_range: Sequence[Any]) -> tuple[float, ...]:
    """JSON has no infinity: null is an open end."""
    ends = [end if value is None else value for value, end in zip(loss_range, (-math.inf, math.inf), strict=False)]
    if len(ends) != len(loss_range) or any(isinstance(end, bool) or not isinstance(end, (int, float)) for end in ends):
        raise InputError(f"Expected loss_range as two numbers or nulls, found {str(loss_range)[:200]!r}.")
    return tuple(float(end) for end in ends)


def decode_rows(args: Mapping[str, Any]) -> tuple[int, ...]:
    return _ints(args.get("rows"), "rows")


def decode_file_name(args: Mapping[str, Any]) -> str | None:
    """The name of a file to export to, None where none is asked for; `InputError` for what is more, or less, than a name."""
    name = args.get("name")
    if name is None:
        return None
    shown = str(name)[:100]
    if not isinstance(name, str) or not name.lower().endswith(WRITABLE):
        raise InputError(f"A file name must end in {', '.join(WRITABLE)}; {shown!r} does not. Add one of them.")
    stem = name[: name.rindex(".")]
    odd = [
        c
        for c in name
        if c in _NOT_IN_NAMES or unicodedata.category(c).startswith("C") or unicodedata.category(c) in ("Zl", "Zp")
    ]
    if odd or not stem.strip() or name[0] in ".~ " or stem != stem.strip() or stem.split(".")[0].lower() in _DEVICES:
        raise InputError(
            f"A file name such as 'corrected{WRITABLE[0]}' is needed, without folders, colons, or a dot or space in front. "
            f"{shown!r} is none. The file is written into the kernel's working directory."
        )
    if len(name.encode()) > _LONGEST_NAME:
        raise InputError(
            f"A file name may have {_LONGEST_NAME} bytes; {shown[:20]!r}… has {len(name.encode())}. Choose a shorter one."
        )
    return name


def decode_ops(args: Mapping[str, Any], *, reviewer: str) -> list[Op]:
    sent = args.get("ops")
    if not isinstance(sent, Sequence) or isinstance(sent, str):
        raise InputError(f"Expected a list of ops, found {type(sent).__name__}.")
    return [_decode_op(op, reviewer) for op in sent]


def _decode_op(op: Any, reviewer: str) -> Op:
    if not isinstance(op, Mapping) or not isinstance(op.get("op_id"), str) or op.get("kind") not in KINDS:
        raise InputError(f"Expected an op with an op_id and a kind among {', '.join(KINDS)}, found {str(op)[:200]!r}.")
    kind, label, note = op["kind"], op.get("label"), op.get("note")
    rows = _ints(op.get("rows", []), "rows")
    if kind == "relabel" and (not isinstance(label, int) or isinstance(label, bool)):
        raise InputError(f"Expected a label id with a relabel, found {label!r}.")
    if kind == "note" and not isinstance(note, str):
        raise InputError(f"Expected a text with a note, found {note!r}.")
    expected = op.get("from")
    seen = None if expected is None else tuple(expected)
    if seen is not None and len(seen) != len(rows):
        raise InputError(f"Expected one label for each of {len(rows)} rows, found {len(seen)}.")
    decision = Decision(
        kind, rows, label if kind == "relabel" else None, note if kind == "note" else None, reviewer, op_id=op["op_id"]
    )
    _check_few(len(rows))
    if op.get("query") is None:
        return Op(decision, seen)
    count = op.get("count")
    if rows or kind in ("note", "undo", "redo") or not isinstance(count, int) or isinstance(count, bool):
        raise InputError(f"Expected a verdict with a query, its count and no rows, found {kind!r} with count={count!r}.")
    _check_few(count)
    query = decode_query(op)
    if query.as_of is None:
        raise InputError("Expected the revision of the preview as the query's as_of, found none. Ask for a preview first.")
    return Op(decision, None, query, count)


def _check_few(rows: int) -> None:
    """More would hold the kernel up: 100,000 decisions take some 2 s of its time, a million 20 s."""
    if rows > MOST_AT_ONCE:
        raise InputError(
            f"Expected at most {MOST_AT_ONCE:,} rows in one decision of the grid, found {rows:,}. Narrow the filter, or decide "
            "in a cell: `widget.keep(widget.session.rows_of(lw.Query(...)))`."
        )


def encode_row(row: PageRow, ids: Mapping[str | None, int | None], probabilities: np.ndarray | None) -> dict[str, Any]:
    """A row for the grid: ids for label names, at most MOST_TEXT characters, no NaN."""
    ranked = None
    if probabilities is not None and np.isfinite(probabilities).all():
        order = np.argsort(-probabilities, kind="stable")[:MOST_PROBABILITIES]
        ranked = [[int(label), round(float(probabilities[label]), 4)] for label in order]
    pair = row.pair_text
    return {
        "row": row.row,
        "key": row.key,
        "text": row.text[:MOST_TEXT],
        "pair": None if pair is None else pair[:MOST_TEXT],
        "text_cut": len(row.text) > MOST_TEXT or (pair is not None and len(pair) > MOST_TEXT),
        "given": ids[row.given_label],
        "predicted": ids[row.predicted_label],
        "loss": number(row.loss),
        "label_prob": number(row.label_prob),
        "predicted_prob": number(row.predicted_prob),
        "probabilities": ranked,
        "note_of_score": row.score_note,
        "margin": number(row.margin),
        "tokens": row.tokens,
        "unknown_tokens": row.unknown_tokens,
        "truncated": row.truncated,
        "quirks": list(row.quirks),
        "columns": [value[:MOST_COLUMN_TEXT] for value in row.columns],
        **encode_state(row, ids),
    }


def encode_values(values: Sequence[Any], names: Sequence[str]) -> list[str | int | float]:
    """How the label column writes the labels; the name where that is nothing that JSON has."""
    return [value if isinstance(value, (str, int, float)) else name for value, name in zip(values, names, strict=True)]


def encode_state(row: PageRow, ids: Mapping[str | None, int | None]) -> dict[str, Any]:
    """What of a row a decision can change."""
    return {
        "row": row.row,
        "label": ids[row.label],
        "verdict": row.verdict,
        "note": row.note,
        "loss_after": number(row.loss_after),
    }


def encode_histogram(told: LossHistogram) -> dict[str, Any]:
    return {"edges": told.edges, "rows": told.rows, "reviewed": told.reviewed, "missing": told.missing}


def encode_confusion(told: Confusion, ids: Mapping[str | None, int | None]) -> dict[str, Any]:
    def cells(listed: list[Cell]) -> list[dict[str, Any]]:
        return [{**asdict(cell), "given": ids[cell.given], "predicted": ids[cell.predicted]} for cell in listed]

    return {"cells": cells(told.cells), "total": told.total, "rows": told.rows, "diagonal": cells(told.diagonal)}


def encode_progress(told: Progress) -> dict[str, Any]:
    bands = [{**asdict(band), "high": number(band.high), "precision": band.precision} for band in told.bands]
    return {"curve": [list(point) for point in told.curve], "bands": bands, "errors_left": encode_errors_left(told.errors_left)}


def encode_errors_left(told: ErrorsLeft | None) -> dict[str, Any] | None:
    return None if told is None else {**asdict(told), "needed": told.needed, "said": str(told)}


def encode_error(error: BaseException) -> dict[str, str]:
    kinds = {StaleDecision: "stale", ReadOnly: "read_only", JournalError: "journal", LossWidgetError: "input"}
    kind = next((name for family, name in kinds.items() if isinstance(error, family)), "internal")
    message = str(error) if kind != "internal" else f"Something went wrong in the kernel ({type(error).__name__}): {error}"
    return {"kind": kind, "message": message}


def number(value: float | None) -> float | None:
    """A float for JSON: NaN and infinity do not travel."""
    return round(value, 4) if value is not None and math.isfinite(value) else None


def _ints(values: Any, name: str) -> tuple[int, ...]:
    if not isinstance(values, Sequence) or any(not isinstance(v, int) or isinstance(v, bool) for v in values):
        raise InputError(f"Expected {name} as a list of integers, found {str(values)[:200]!r}.")
    return tuple(dict.fromkeys(values))
