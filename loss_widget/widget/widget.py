"""LossWidget: a review in a notebook cell."""

from __future__ import annotations

import html
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import anywidget
import pandas as pd
import traitlets
from ipywidgets import widget_serialization

from loss_widget.errors import InputError
from loss_widget.review import QUIRKS, Decision, Page, Query, ReviewSession
from loss_widget.scores.scores import Scores
from loss_widget.widget import messages
from loss_widget.widget.answers import answer, summary_of, what_happened
from loss_widget.widget.cells import CellBoundary
from loss_widget.widget.messages import MOST_ROWS
from loss_widget.widget.protocol import encode_values

_STATIC = Path(__file__).parent / "static"
_LIVE_RELOAD = os.environ.get("ANYWIDGET_HMR") == "1"


def _bundled(name: str) -> str | Path:
    # anywidget keeps every widget alive whose _esm is a Path (manzt/anywidget#929), so a path is for development only
    return _STATIC / name if _LIVE_RELOAD else (_STATIC / name).read_text(encoding="utf-8")


class Announcements(anywidget.AnyWidget):
    """What Python has to tell the grid unasked.

    It has a comm of its own: from ipykernel 7.4 on, one push on the grid's comm makes every later click wait for the running
    cell.
    """

    _esm = "export default {}"

    revision = traitlets.Int().tag(sync=True)
    said = traitlets.Unicode().tag(sync=True)
    read_only = traitlets.Unicode().tag(sync=True)
    snapshot = traitlets.Dict().tag(sync=True)


class LossWidget(anywidget.AnyWidget):
    """A loss-sorted grid of labelled rows; a click on a row changes its label, on disk and in `.df`.

    `source`: `Scores`, or a DataFrame with a loss column (`loss`, and if it is there `predicted`) or with `probs` (an array of
    shape (n_rows, n_labels), or the name of a list column). `text` and `label` default to the Scores' own, else to "text" and
    "label". `label_names`: the classes in order, for a column of ids or of names. `columns`: further columns of the frame,
    shown on request as they are now. `journal`: a path, "auto" (the file in `.loss_widget/` that knows these rows, else a new
    one made with the first decision), or None. `copy`: correct a copy, not the frame handed in. `reviewer`: written beside each
    decision. `static_rows`: so many rows are saved in the notebook as a table for readers without a kernel (none by default: it
    copies dataset text into the file).

    Raises errors of the `lw.errors.LossWidgetError` family. `.session` is the review itself, without a screen.

    >>> frame = pd.DataFrame({"text": ["fine", "awful"], "label": ["good", "good"], "loss": [0.1, 4.2]})
    >>> widget = LossWidget(frame, label_names=["bad", "good"], journal=None)
    >>> widget.relabel(1, "bad")
    >>> widget.df is frame, frame.label.tolist()
    (True, ['good', 'bad'])
    """

    _esm = _bundled("widget.js")
    _css = _bundled("widget.css")

    snapshot = traitlets.Dict().tag(sync=True)
    announcements = traitlets.Instance(Announcements, allow_none=True).tag(sync=True, **widget_serialization)

    def __init__(
        self,
        source: Any,
        *,
        text: str | Sequence[str] | None = None,
        label: str | None = None,
        loss: str = "loss",
        predicted: str = "predicted_label",
        probs: Any = None,
        label_names: Sequence[str] | None = None,
        columns: Sequence[str] = (),
        page_size: int = 20,
        journal: str | Path | None = "auto",
        copy: bool = False,
        reviewer: str | None = None,
        read_only: bool = False,
        static_rows: int = 0,
    ) -> None:
        if not isinstance(page_size, int) or not 1 <= page_size <= MOST_ROWS:
            raise InputError(f"Expected page_size from 1 to {MOST_ROWS}, found {page_size!r}.")
        if not isinstance(static_rows, int) or static_rows < 0:
            raise InputError(f"Expected static_rows as a number of rows, 0 for none, found {static_rows!r}.")
        self.session = ReviewSession(
            source,
            text=text,
            label=label,
            loss=loss,
            predicted=predicted,
            probs=probs,
            label_names=label_names,
            columns=columns,
            journal=journal,
            copy=copy,
            reviewer=reviewer,
            read_only=read_only,
        )
        self._lw_page_size = page_size
        self._lw_static_rows = static_rows
        self._lw_answering: int | None = None
        self._lw_cells = CellBoundary(self.session)
        snapshot = self._lw_snapshot()
        announcements = Announcements(revision=self.session.revision, read_only=self.session.read_only, snapshot=snapshot)
        super().__init__(snapshot=snapshot, announcements=announcements)
        self.session.on_change(self._lw_announce)
        self.session.on_read_only(self._lw_announce_read_only)
        self.on_msg(self._lw_answer)

    # the review, passed on

    @property
    def df(self) -> pd.DataFrame:
        """The frame handed in (of Scores: `scores.frame`), labels corrected so far."""
        self._lw_cells.flush()
        return self.session.df

    @property
    def changes(self) -> pd.DataFrame:
        """One row per reviewed row; see `ReviewSession.changes`."""
        return self.session.changes

    @property
    def unmatched(self) -> pd.DataFrame:
        """Journalled decisions that found no row here."""
        return self.session.unmatched

    def corrected(
        self, *, drop_removed: bool = True, only_reviewed: bool = False, audit: bool = False, scores: bool = False
    ) -> pd.DataFrame:
        """A new frame with the caller's own columns and the corrected labels; see `ReviewSession.corrected`."""
        return self.session.corrected(drop_removed=drop_removed, only_reviewed=only_reviewed, audit=audit, scores=scores)

    def export(
        self,
        path: str | Path,
        *,
        overwrite: bool = False,
        excel_safe: bool = False,
        drop_removed: bool = True,
        only_reviewed: bool = False,
        audit: bool = False,
        scores: bool = False,
    ) -> Path:
        """Write the corrected frame to a file; see `ReviewSession.export`."""
        return self.session.export(
            path,
            overwrite=overwrite,
            excel_safe=excel_safe,
            drop_removed=drop_removed,
            only_reviewed=only_reviewed,
            audit=audit,
            scores=scores,
        )

    def export_changes(self, path: str | Path, *, texts: bool = False, overwrite: bool = False, excel_safe: bool = False) -> Path:
        """Write `.changes` to a file; see `ReviewSession.export_changes`."""
        return self.session.export_changes(path, texts=texts, overwrite=overwrite, excel_safe=excel_safe)

    def to_dataset(
        self, *, drop_removed: bool = True, only_reviewed: bool = False, audit: bool = False, scores: bool = False
    ) -> Any:
        """The corrected frame as a `datasets.Dataset`, `ClassLabel` kept; see `ReviewSession.to_dataset`."""
        return self.session.to_dataset(drop_removed=drop_removed, only_reviewed=only_reviewed, audit=audit, scores=scores)

    def push_to_hub(self, repo_id: str, *, private: bool = True, dry_run: bool = False, **more: Any) -> str:
        """The corrected rows to the Hugging Face hub, private by default; their address, or what `dry_run` would push.

        `more`: as of `to_dataset` and of `datasets.Dataset.push_to_hub`.
        """
        return self.session.push_to_hub(repo_id, private=private, dry_run=dry_run, **more)

    def relabel(self, rows: int | Iterable[int], label: str | Sequence[str]) -> None:
        """Give rows (positions in the source) this label, a name."""
        self.session.relabel(rows, label)

    def keep(self, rows: int | Iterable[int]) -> None:
        """The given label is right."""
        self.session.keep(rows)

    def unsure(self, rows: int | Iterable[int]) -> None:
        """Neither right nor clearly wrong."""
        self.session.unsure(rows)

    def remove(self, rows: int | Iterable[int]) -> None:
        """The rows shall not be in the corrected data; `.df` keeps them."""
        self.session.remove(rows)

    def note(self, row: int, text: str) -> None:
        """Write a note on a row; "" deletes it."""
        self.session.note(row, text)

    def clear(self, rows: int | Iterable[int]) -> None:
        """Take the verdict back."""
        self.session.clear(rows)

    def undo(self) -> None:
        """Take back the last act."""
        self.session.undo()

    def redo(self) -> None:
        """Do again what was undone last."""
        self.session.redo()

    def page(self, query: Query | None = None) -> Page:
        """The rows that `query` asks for; see `lw.Query`."""
        return self.session.page(query)

    def summary(self) -> dict[str, Any]:
        """How far the review is; see `ReviewSession.summary`."""
        return self.session.summary()

    def on_change(self, callback: Callable[[Decision], None]) -> None:
        """Call `callback(decision)` after each act, on whichever thread it was taken."""
        self.session.on_change(callback)

    def add_label(self, name: str) -> None:
        """A class that the data did not know, where the label column can hold it."""
        self.session.add_label(name)
        self.announcements.snapshot = self._lw_snapshot()

    def close(self) -> None:
        """Write what waits into the frame, let the journal and the data go, and take the grid off the page."""
        if getattr(self, "_lw_cells", None) is not None:
            self._lw_cells.close()
            self.session.close()
            if self.announcements is not None:
                self.announcements.close()
        super().close()

    def __enter__(self) -> LossWidget:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        session = getattr(self, "session", None)
        if session is None:
            return "LossWidget"
        counts = session.summary()
        return f"LossWidget: {counts['rows']:,} rows, {counts['reviewed']:,} reviewed. Run this cell to see the grid."

    # the notebook's side

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if data is not None:
            data["text/plain"] = repr(self)
            data["text/html"] = f"<p>{html.escape(repr(self))}</p>"
        return bundle

    def _ipython_display_(self) -> None:
        if not self._lw_static_rows:
            raise NotImplementedError  # IPython then takes the bundle above
        from IPython.display import HTML, display

        display(HTML(self._lw_static_table()))
        bundle = self._repr_mimebundle_()
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        display(data, metadata=metadata, raw=True)

    def _lw_static_table(self) -> str:
        rows = self.page(Query(limit=self._lw_static_rows)).rows
        cells = [(f"{r.loss:.2f}", r.text, r.given_label or "", r.predicted_label or "") for r in rows]
        head = "".join(f"<th>{name}</th>" for name in ("loss", "text", "label", "predicted"))
        body = "".join("<tr>" + "".join(f"<td>{html.escape(c, quote=True)}</td>" for c in row) + "</tr>" for row in cells)
        title = f"The {len(rows)} rows of highest loss, as they were when this cell ran"
        return f"<details><summary>{title}</summary><table><tr>{head}</tr>{body}</table></details>"

    def _lw_snapshot(self) -> messages.Snapshot:
        session = self.session
        return {
            "version": messages.VERSION,
            "review": session.fingerprint,
            "content": session.content_kind,
            "labels": session.label_kind,
            "label_names": session.label_names,
            "label_values": encode_values(session.label_values, session.label_names),
            "rows": len(session),
            "revision": session.revision,
            "page_size": self._lw_page_size,
            "read_only": session.read_only,
            "has_probs": session.has_probabilities,
            "has_predictions": session.has_predictions,
            "sorts": [_sort(name) for name in session.sorts()],
            "text_columns": list(session.text_columns),
            "columns": list(session.columns),
            "quirks": QUIRKS,
            "takes_new_labels": session.takes_new_labels,
            "provenance": _provenance(session.source),
            "made": _made(session.source),
            "summary": summary_of(session),
        }

    def _lw_answer(self, _: Any, content: Any, __: Any) -> None:
        with self._lw_cells.handling():
            self._lw_answering = threading.get_ident()
            try:
                reply = answer(self.session, content)
            finally:
                self._lw_answering = None
            self.send(reply)
            if len(self.session.label_names) != len(self.announcements.snapshot["label_names"]):
                self.announcements.snapshot = self._lw_snapshot()

    def _lw_announce(self, decision: Decision) -> None:
        if self._lw_answering != threading.get_ident():
            with self.announcements.hold_sync():  # one message: the words belong to the revision
                self.announcements.said = f"{what_happened(self.session, decision)}, in a cell"
                self.announcements.revision = self.session.revision

    def _lw_announce_read_only(self, why: str) -> None:
        self.announcements.read_only = why


_SORT_NAMES = {
    "loss": "Loss",
    "margin": "Margin",
    "adjusted": "Class-adjusted loss",
    "row": "Row order",
    "label_prob": "Probability of the given label",
    "predicted_prob": "Probability of the predicted label",
    "tokens": "Tokens",
    "unknown_tokens": "Unknown tokens",
    "duplicates": "Duplicates together",
    "aum": "Mean margin in training",
    "mean_loss": "Mean loss in training",
    "loss_std": "Spread of the loss in training",
    "correctness": "Epochs that agree",
}


_LOWEST_FIRST = ("margin", "label_prob", "predicted_prob", "aum", "correctness", "row")
"""Sorted by these, the most suspicious rows are the lowest."""


def _sort(name: str) -> messages.Sort:
    return {"value": name, "name": _SORT_NAMES.get(name, name), "descending": name not in _LOWEST_FIRST}


def _provenance(source: Any) -> str:
    if not isinstance(source, Scores):
        return ""
    made = source.provenance
    in_sample = made.get("in_sample")
    seen = "" if in_sample is None else "in-sample" if in_sample else "out-of-sample"
    folds = f"{made['folds']} folds" if made.get("folds") else ""
    return " · ".join(part for part in (_model_name(made), folds, seen) if part)


def _made(source: Any) -> messages.Made:
    """Where the scores came from, for a banner; no path, as it could be saved with the notebook."""
    made = source.provenance if isinstance(source, Scores) else {}

    def text(name: str) -> str | None:
        return None if made.get(name) is None else str(made[name])

    return {
        "model": _model_name(made),
        "in_sample": made.get("in_sample"),
        "folds": made.get("folds"),
        "engine": text("engine"),
        "precision": text("precision"),
        "device": text("device"),
        "created": text("created"),
    }


def _model_name(made: dict[str, Any]) -> str:
    parts = str(made.get("model", "")).rstrip("/").split("/")
    says_little = len(parts) > 1 and parts[-1].startswith(("model", "checkpoint", "encoder"))
    return parts[-2 if says_little else -1]
