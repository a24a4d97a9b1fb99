"""Reads what the grid sends and writes what it gets: messages.py has the fields, tests/protocol_cases.json examples.

The browser asks `{v, rid, verb, args}`; each question gets one answer, `{rid, ok: true, revision, result}` or
`{rid, ok: false, revision, error: {kind, message}}`. An answer to `decide` means saved.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints

from loss_widget.data.export import WRITABLE
from loss_widget.errors import InputError, JournalError, LossWidgetError, ReadOnly, StaleDecision
from loss_widget.review import Decision, PageRow, Query
from loss_widget.review.decisions import KINDS
from loss_widget.review.estimate import ErrorsLeft, Progress
from loss_widget.review.panes import Cell, Confusion, Facets, LossHistogram
from loss_widget.review.query import Preview, RowState
from loss_widget.widget import messages, verbs
from loss_widget.widget.messages import MOST_AT_ONCE, MOST_COLUMN_TEXT, MOST_ROWS, MOST_TEXT, VERSION

VERBS = tuple(get_type_hints(verbs.Verbs))

_NOT_IN_NAMES = '/\\:*?"<>|'
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
_LONGEST_NAME = 200  # bytes; most file systems have room for 255, and a temporary name is longer


def _kinds(hint: Any) -> tuple[type, ...]:
    """What a field of this type may be when it comes as JSON: (str, NoneType) for `str | None`."""
    origin = get_origin(hint)
    if origin is Literal:
        return (str,)
    if origin in (list, tuple):
        return (list, tuple)
    return tuple(kind for part in get_args(hint) for kind in _kinds(part)) or (hint,)


_QUERY_TYPES = {name: _kinds(hint) for name, hint in get_type_hints(messages.Query).items()}


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


def encode_row(row: PageRow, content: Mapping[str, Any]) -> messages.Row:
    """A row for the grid: what it shows, labels by their ids, no NaN."""
    of_row = {
        "row": row.row,
        "key": row.key,
        **content,
        "given": label_id(row.ids.given),
        "predicted": label_id(row.ids.predicted),
        "loss": number(row.loss),
        "label_prob": number(row.label_prob),
        "predicted_prob": number(row.predicted_prob),
        "probabilities": [(label, round(p, 4)) for label, p in row.ranked] or None,
        "note_of_score": row.score_note,
        "margin": number(row.margin),
        "tokens": row.tokens,
        "unknown_tokens": row.unknown_tokens,
        "truncated": row.truncated,
        "quirks": list(row.quirks),
        "columns": [value[:MOST_COLUMN_TEXT] for value in row.columns],
        "label": label_id(row.ids.label),
        "verdict": row.verdict,
        "note": row.note,
        "loss_after": number(row.loss_after),
    }
    return cast(messages.Row, of_row)  # the fields of what it shows are those of its kind of content


def encode_values(values: Sequence[Any], names: Sequence[str]) -> list[str | float | bool]:
    """How the label column writes the labels; the name where that is nothing that JSON has."""
    return [value if isinstance(value, (str, int, float)) else name for value, name in zip(values, names, strict=True)]


def encode_state(state: RowState) -> messages.RowState:
    return {
        "row": state.row,
        "label": state.label,
        "verdict": cast(messages.Verdict, state.verdict),
        "note": state.note,
        "loss_after": number(state.loss_after),
    }


def encode_histogram(found: LossHistogram) -> messages.LossHistogram:
    return {"edges": found.edges, "rows": found.rows, "reviewed": found.reviewed, "missing": found.missing}


def encode_confusion(found: Confusion) -> messages.Confusion:
    def cells(listed: list[Cell]) -> list[messages.Cell]:
        return [
            {
                "given": cell.given_id,
                "predicted": cell.predicted_id,
                "rows": cell.rows,
                "reviewed": cell.reviewed,
                "wrong": cell.wrong,
            }
            for cell in listed
        ]

    return {"cells": cells(found.cells), "total": found.total, "rows": found.rows, "diagonal": cells(found.diagonal)}


def encode_facets(found: Facets) -> messages.Facets:
    return {
        "rows": found.rows,
        "verdicts": _by_verdict(found.verdicts),
        "disagreements": found.disagreements,
        "quirks": found.quirks,
        "pending": found.pending,
    }


def encode_preview(found: Preview, rows: list[messages.Row]) -> messages.Preview:
    return {"total": found.total, "verdicts": _by_verdict(found.verdicts), "revision": found.revision, "rows": rows}


def encode_progress(found: Progress) -> messages.Progress:
    bands: list[messages.LossBand] = [
        {
            "low": band.low,
            "high": number(band.high),
            "rows": band.rows,
            "reviewed": band.reviewed,
            "wrong": band.wrong,
            "keep": band.keep,
            "precision": band.precision,
        }
        for band in found.bands
    ]
    left = None if found.errors_left is None else encode_errors_left(found.errors_left)
    return {"curve": found.curve, "bands": bands, "errors_left": left}


def encode_errors_left(found: ErrorsLeft) -> messages.ErrorsLeft:
    return {
        "drawn": found.drawn,
        "judged": found.judged,
        "wrong": found.wrong,
        "kept": found.kept,
        "needed": found.needed,
        "population": found.population,
        "found": found.found,
        "unreviewed": found.unreviewed,
        "error_rate": found.error_rate,
        "error_rate_interval": found.error_rate_interval,
        "errors_left": found.errors_left,
        "errors_left_interval": found.errors_left_interval,
        "said": str(found),
    }


def encode_error(error: BaseException) -> messages.Problem:
    for family, kind in _ERROR_KINDS.items():
        if isinstance(error, family):
            return {"kind": kind, "message": str(error)}
    return {"kind": "internal", "message": f"Something went wrong in the kernel ({type(error).__name__}): {error}"}


_ERROR_KINDS: dict[type[BaseException], messages.ProblemKind] = {
    StaleDecision: "stale",
    ReadOnly: "read_only",
    JournalError: "journal",
    LossWidgetError: "input",
}


def _by_verdict(counts: Mapping[str, int]) -> dict[messages.Verdict, int]:
    return {verdict: counts[verdict] for verdict in get_args(messages.Verdict)}


def label_id(label: int) -> int | None:
    """The id of a label for JSON: null where there is none."""
    return None if label < 0 else label


def number(value: float | None) -> float | None:
    """A float for JSON: NaN and infinity do not travel."""
    return round(value, 4) if value is not None and math.isfinite(value) else None


def _ints(values: Any, name: str) -> tuple[int, ...]:
    if not isinstance(values, Sequence) or any(not isinstance(v, int) or isinstance(v, bool) for v in values):
        raise InputError(f"Expected {name} as a list of integers, found {str(values)[:200]!r}.")
    return tuple(dict.fromkeys(values))
