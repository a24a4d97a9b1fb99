"""What the kernel answers to each question of the grid."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import numpy as np

from loss_widget.errors import ExportError, InputError
from loss_widget.review import Decision, PageRow, ReviewSession
from loss_widget.review.query import RowState
from loss_widget.widget import messages, protocol, verbs

_log = logging.getLogger(__name__)
_EXPORT = "corrected"


def answer(session: ReviewSession, content: Any) -> dict[str, Any]:
    """The one answer to a message, whatever it holds: a result, or an error that says what to do."""
    rid = content.get("rid") if isinstance(content, dict) else None
    try:
        request = protocol.decode_request(content)
        result = _VERBS[request.verb](session, request.args)
    except Exception as error:
        problem = protocol.encode_error(error)
        if problem["kind"] == "internal":
            _log.exception("loss_widget could not answer %r", rid)
        return {"rid": rid, "ok": False, "revision": session.revision, "error": problem}
    return {"rid": rid, "ok": True, "revision": session.revision, "result": result}


def _page(session: ReviewSession, args: Any) -> messages.PageResult:
    page = session.ranked_page(protocol.decode_query(args), ranked=messages.MOST_PROBABILITIES)
    return {
        "offset": page.offset,
        "total": page.counted,
        "revision": page.revision,
        "quirks_known": session.quirks_known,
        "rows": _rows(session, page.rows),
    }


def _rows(session: ReviewSession, rows: list[PageRow]) -> list[messages.Row]:
    contents = session.contents(np.array([row.row for row in rows], dtype=np.int64), most=messages.MOST_TEXT)
    return [protocol.encode_row(row, content) for row, content in zip(rows, contents, strict=True)]


def _count(session: ReviewSession, args: Any) -> verbs.Total:
    return {"total": session.count(protocol.decode_query(args))}


def _decide(session: ReviewSession, args: Any) -> verbs.Decided:
    ops = protocol.decode_ops(args, reviewer=session.reviewer)
    return {"results": [_take(session, op) for op in ops], "summary": summary_of(session)}


def _take(session: ReviewSession, op: protocol.Op) -> messages.OpResult:
    decision = op.decision
    try:
        if op.query is not None:
            taken = session.decide_on_all(decision, op.query, count=op.count)
        else:
            taken = session.decide(decision, expected=op.expected, leave_stale=len(decision.rows) > 1)
    except Exception as error:
        problem = protocol.encode_error(error)
        if problem["kind"] == "internal":
            _log.exception("loss_widget could not take %r", decision)
        valid = [row for row in decision.rows if 0 <= row < len(session)][: messages.MOST_ROWS]
        true = [protocol.encode_state(state) for state in session.row_states(np.array(valid, dtype=np.int64))]
        return {"op_id": decision.op_id, "ok": False, "error": problem, "rows": true}
    left_alone = np.array(taken.left_alone, dtype=np.int64)
    states = session.row_states(np.concatenate([taken.rows, left_alone])[: messages.MOST_ROWS])
    return {
        "op_id": decision.op_id,
        "ok": True,
        "duplicate": taken.duplicate,
        "rows": [protocol.encode_state(state) for state in states],
        "touched": len(taken.rows),
        "left_alone": len(left_alone),
        "revision": session.revision,
        "said": _said(decision.kind, states, session.label_names, len(taken.rows), len(left_alone), taken.act),
    }


def what_happened(session: ReviewSession, decision: Decision) -> str:
    """A decision that was just taken, in the words of the status line."""
    rows = np.array(decision.rows, dtype=np.int64)
    return _said(decision.kind, session.row_states(rows[:1]), session.label_names, len(rows), 0)


def _text(session: ReviewSession, args: Any) -> verbs.Text:
    [content] = session.contents(np.array([_row(session, args)]), most=None)
    return {"text": content["text"], "pair": content["pair"]}


def _row(session: ReviewSession, args: Any) -> int:
    row = args.get("row")
    if not isinstance(row, int) or isinstance(row, bool) or not 0 <= row < len(session):
        raise InputError(f"Expected a row from 0 to {len(session) - 1}, found {row!r}.")
    return row


def _histogram(session: ReviewSession, args: Any) -> messages.LossHistogram:
    return protocol.encode_histogram(session.loss_histogram(protocol.decode_query(args)))


def _confusion(session: ReviewSession, args: Any) -> messages.Confusion:
    return protocol.encode_confusion(session.confusion(protocol.decode_query(args)))


def _facets(session: ReviewSession, args: Any) -> messages.Facets:
    return protocol.encode_facets(session.facets(protocol.decode_query(args)))


def _duplicates(session: ReviewSession, args: Any) -> verbs.Duplicates:
    rows = session.twins(_row(session, args))
    shown = session.states(rows[: messages.MOST_DUPLICATES], ranked=messages.MOST_PROBABILITIES)
    return {"total": len(rows), "rows": _rows(session, shown)}


def _preview(session: ReviewSession, args: Any) -> messages.Preview:
    chosen = protocol.decode_query(args) if args.get("rows") is None else protocol.decode_rows(args)
    seen = session.preview(chosen, ranked=messages.MOST_PROBABILITIES)
    return protocol.encode_preview(seen, _rows(session, seen.rows))


def _progress(session: ReviewSession, args: Any) -> messages.Progress:
    return protocol.encode_progress(session.progress())


def _spot_check(session: ReviewSession, args: Any) -> verbs.SpotChecked:
    left = session.spot_check(args.get("rows"), anew=args.get("anew") is True)
    return {"errors_left": protocol.encode_errors_left(left), "summary": summary_of(session)}


def _add_label(session: ReviewSession, args: Any) -> verbs.LabelAdded:
    name = args.get("name")
    session.add_label(name)
    return {"label": session.label_names.index(name), "label_names": session.label_names}


def _summary(session: ReviewSession, args: Any) -> messages.Summary:
    return summary_of(session)


def summary_of(session: ReviewSession) -> messages.Summary:
    """How far the review is, as the grid tells it."""
    counted = session.summary()
    return {
        "rows": counted["rows"],
        "reviewed": counted["reviewed"],
        "relabel": counted["relabel"],
        "keep": counted["keep"],
        "unsure": counted["unsure"],
        "remove": counted["remove"],
        "wrong": counted["wrong"],
        "precision": counted["precision"],
        "precision_last_50": counted["precision_last_50"],
        "judged_last_50": counted["judged_last_50"],
        "errors_left": counted["errors_left"],
        "errors_left_interval": counted["errors_left_interval"],
        "unmatched": counted["unmatched"],
        "can_undo": session.can_undo,
        "can_redo": session.can_redo,
    }


def _export(session: ReviewSession, args: Any) -> verbs.Exported:
    """To a new file in the working directory: the `name` that was asked for, else `corrected.parquet`, `corrected-2.parquet`, …

    No path comes from the browser, and nothing is written over.
    """
    name = protocol.decode_file_name(args)
    path = _free_path() if name is None else Path(name)
    if name is not None and os.path.lexists(path):
        raise ExportError(f"There is a file {name!r} already, and the grid never writes over one. Choose another name.")
    rows = len(session.corrected())
    return {"path": str(session.export(path)), "rows": rows}


def _free_path() -> Path:
    for number in range(1, 1000):
        path = Path(f"{_EXPORT}.parquet" if number == 1 else f"{_EXPORT}-{number}.parquet")
        if not os.path.lexists(path):
            return path
    raise ExportError(f"Expected a free name for {_EXPORT}.parquet, found none up to {_EXPORT}-999. Move the old exports away.")


def _said(kind: str, rows: list[RowState], names: list[str], touched: int, left_alone: int, act: str = "") -> str:
    """`act`: the kind that was undone or redone, where that is known."""
    if left_alone:
        also = "1 row was left alone: it was" if left_alone == 1 else f"{left_alone:,} rows were left alone: they were"
        also += " changed since"
        return f"{_said(kind, rows, names, touched, 0, act)}; {also}" if touched else f"Nothing changed; {also}"
    if not touched:
        return {"undo": "Nothing to undo", "redo": "Nothing to redo"}.get(kind, "Nothing changed")
    if touched > 1:
        what = f"{touched:,} rows: {_ACTS.get(kind, kind)}"
        return what if kind != "relabel" else f"{what} → {_name(rows[0].label, names)}"
    row = rows[0]
    again = {"undo": "Undone", "redo": "Redone"}.get(kind)
    if again and act == "note":
        return f"{again}: note on row {row.row}"
    said = (
        f"Row {row.row}: {_state(row, names)}" if kind != "note" else f"Row {row.row}: note {'saved' if row.note else 'deleted'}"
    )
    return f"{again}. {said}" if again else said


def _name(label: int | None, names: list[str]) -> str:
    return "no label" if label is None else names[label]


def _state(row: RowState, names: list[str]) -> str:
    given = _name(row.given, names)
    if row.verdict == "relabel":
        return f"{given} → {_name(row.label, names)}"
    return {"keep": f"{given} kept", "unsure": f"{given}, unsure", "remove": f"{given}, removed", "": f"{given}, not reviewed"}[
        row.verdict
    ]


_ACTS = {"relabel": "relabelled", "keep": "kept", "unsure": "unsure", "remove": "removed", "clear": "cleared", "note": "noted"}
_ACTS |= {"undo": "undone", "redo": "redone"}
_VERBS = {
    "page": _page,
    "count": _count,
    "decide": _decide,
    "text": _text,
    "summary": _summary,
    "export": _export,
    "histogram": _histogram,
    "confusion": _confusion,
    "facets": _facets,
    "duplicates": _duplicates,
    "preview": _preview,
    "progress": _progress,
    "spot_check": _spot_check,
    "add_label": _add_label,
}
