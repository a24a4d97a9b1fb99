"""Scores: what a model thinks of every labelled example."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from loss_widget.data.columns import column_position
from loss_widget.data.contents import ContentColumns, Contents
from loss_widget.data.examples import Examples, read_examples
from loss_widget.data.label_sets import AlignedLabelSets
from loss_widget.data.labels import NO_LABEL, AlignedLabels, align_labels, checked_names, label_column_of, read_labels
from loss_widget.errors import ColumnError, InputError, LabelError, listing
from loss_widget.scores.probabilities import as_matrix, by_name, log_probs_of, losses

SCORE_COLUMNS = (
    "predicted_label",
    "loss",
    "label_prob",
    "predicted_prob",
    "tokens",
    "truncated",
    "unknown_tokens",
    "score_note",
)
DYNAMICS_COLUMNS = ("aum", "mean_loss", "loss_std", "correctness")
"""What `lw.LossRecorder` adds to them."""


class Scores:
    """A model's judgement of every example: losses, log-probabilities, and where they came from.

    Made by `lw.score`, `lw.cross_score`, `lw.LossRecorder`, `Scores.from_probs` or `Scores.load`. `frame` has the caller's
    columns, index and order plus `predicted_label` (in the label column's own representation), `loss` (float32, nats),
    `label_prob`, `predicted_prob` (float32), `tokens`, `truncated`, `unknown_tokens` and `score_note` (words, "" where all is
    well). `log_probs` is float32 of shape (n_rows, n_labels), its columns in the order of `label_names`. `given_ids` (n_rows,)
    int32 are the labels that were judged (-1: none); they, the losses and their order stay, whatever is corrected in `frame`
    later.

    Of a multi-label model they are `MultiLabelScores`, which see.

    >>> frame = pd.DataFrame({"text": ["fine", "awful"], "label": [1, 1]})
    >>> scores = Scores.from_probs(frame, np.array([[0.1, 0.9], [0.8, 0.2]]), label_names=["bad", "good"])
    >>> scores.top(1)[["text", "label", "predicted_label"]].values.tolist()
    [['awful', 'good', 'bad']]
    """

    columns: tuple[str, ...] = SCORE_COLUMNS
    """What stands in `frame` beside the caller's columns."""

    def __init__(
        self,
        *,
        frame: pd.DataFrame,
        shown: ContentColumns,
        label: str,
        log_probs: np.ndarray,
        labels: AlignedLabels,
        contents: Contents,
        keys: np.ndarray,
        provenance: dict[str, Any],
    ) -> None:
        self.frame = frame
        self.shown = shown
        self.label = label
        self.log_probs = log_probs
        self.label_names = list(labels.names)
        self.label_values = labels.values
        self.label_aliases = dict(labels.aliases)
        self.given_ids = labels.codes
        self.contents = contents
        self.keys = keys
        self.provenance = provenance
        self._index = frame.index  # as it was scored: `frame` is the caller's to sort

    @classmethod
    def from_pass(
        cls,
        examples: Examples,
        labels: AlignedLabels,
        log_probs: np.ndarray,
        *,
        tokens: np.ndarray | None = None,
        truncated: np.ndarray | None = None,
        unknown_tokens: np.ndarray | None = None,
        notes: Mapping[int, str] | None = None,
        provenance: Mapping[str, Any] | None = None,
    ) -> Scores:
        """Scores of one pass of a model over `examples`. Rows of `log_probs` that are NaN could not be judged.

        Of label sets (`AlignedLabelSets`) they are `MultiLabelScores`.
        """
        kind = scores_for(labels)
        frame = callers_columns(examples.frame, kind.columns)
        position = column_position(frame, examples.label)
        frame.isetitem(position, frame.iloc[:, position].copy())  # the widget corrects this column, never the caller's
        log_probs = np.ascontiguousarray(log_probs, dtype=np.float32)
        judged = np.isfinite(log_probs).all(axis=1)
        own = {
            **kind._judgement(log_probs, judged, labels, like=frame.iloc[:, position]),
            "tokens": _known(tokens, len(frame), "Int32"),
            "truncated": _known(truncated, len(frame), "boolean"),
            "unknown_tokens": _known(unknown_tokens, len(frame), "Int32"),
            "score_note": pd.Series(_score_notes(examples, labels, judged, notes or {}), index=frame.index, dtype="str"),
        }
        for name in kind.columns:
            frame[name] = own[name]
        made = {
            "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "rows": len(frame),
            "in_sample": None,
        }
        scores = kind(
            frame=frame,
            shown=examples.shown,
            label=examples.label,
            log_probs=log_probs,
            labels=labels,
            contents=examples.contents,
            keys=examples.keys,
            provenance={**made, **(provenance or {})},
        )
        scores.provenance |= scores._agreement()
        return scores

    @classmethod
    def from_probs(
        cls,
        frame: Any,
        probs: Any,
        *,
        text: str | Sequence[str] | ContentColumns = "text",
        label: str = "label",
        label_names: Sequence[str] | None = None,
        in_sample: bool | None = None,
    ) -> Scores:
        """Scores from probabilities made anywhere: scikit-learn, an API, another framework.

        `probs`: an array of shape (n_rows, n_labels), a DataFrame with a column for each label name, or the name of a list column
        of `frame`; finite, rows summing to 1 within 1e-3, else `ProbabilityError` names the likely cause. `label_names`, in the
        order of the columns of `probs`, may be left out where those have names, or where the label column is categorical, a
        `ClassLabel`, or integers. A probability of 0 counts as 1.2e-38.
        """
        if not (in_sample is None or isinstance(in_sample, (bool, np.bool_))):
            raise InputError(
                f"Expected in_sample to be True (the model was trained on these rows), False or None (not known), "
                f"found {in_sample!r}. Leave it out if in doubt."
            )
        examples = read_examples(frame, text=text, label=label)
        if isinstance(probs, str):
            probs = examples.frame.iloc[:, column_position(examples.frame, probs)]
        probs, label_names = by_name(probs, label_names)
        matrix = as_matrix(probs)
        labels = _labels_for_probs(examples, matrix.shape[1], label_names)
        log_probs = log_probs_of(matrix, rows=len(examples), labels=len(labels.names))
        provenance = {
            "model": "probabilities handed in",
            "engine": "none",
            "in_sample": None if in_sample is None else bool(in_sample),
        }
        return cls.from_pass(examples, labels, log_probs, provenance=provenance)

    @property
    def text(self) -> str | tuple[str, ...]:
        """The column of texts, or the pair of them."""
        return self.shown.spelled

    @property
    def probs(self) -> np.ndarray:
        """(n_rows, n_labels) float32 probabilities, computed anew at each call."""
        return np.exp(self.log_probs)

    @property
    def losses(self) -> np.ndarray:
        """(n_rows,) float32, nats, of the labels that were judged; NaN where there is none."""
        return losses(self.log_probs, self.given_ids)

    def top(self, n: int = 10) -> pd.DataFrame:
        """The `n` rows of highest loss, equal losses in the order of the data, with label names.

        Whatever was done to `frame` since: texts, labels and index are those that were scored.
        """
        loss = self.losses
        rows = np.argsort(-loss, kind="stable")[:n]
        top = pd.DataFrame(index=self._index[rows])
        for name, column in zip(self.shown.names, self.contents.words, strict=False):
            top[name] = column.take(pa.array(rows)).to_pylist()
        for name, values in self._judgement_by_name(rows).items():
            top[name] = values
        return top

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write everything to one Parquet file (no pickle) and return its path; `Scores.load` reads it back.

        `DataError` where `frame` no longer holds the rows that were scored in their order, `ExportError` for columns that
        Parquet cannot hold.
        """
        from loss_widget.scores.parquet_file import write_scores

        return write_scores(self, Path(path).expanduser())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Scores:
        """Scores as saved; `DataError` for a file that is none."""
        from loss_widget.scores.parquet_file import read_scores

        return read_scores(Path(path).expanduser())

    def __len__(self) -> int:
        return len(self.log_probs)

    def __repr__(self) -> str:
        loss = self.losses
        labelled = np.isfinite(loss)
        median = np.median(loss[labelled]) if labelled.any() else np.nan
        agree = self._agreement()["accuracy"]
        made = self.provenance if isinstance(self.provenance, Mapping) else {}
        in_sample = made.get("in_sample")
        seen = "in-sample" if in_sample is True else "out-of-sample" if in_sample is False else "in-sample unknown"
        seen = f"{made['folds']} folds, out-of-fold" if made.get("folds") else seen
        model = f"{made.get('model', 'unknown model')} · {seen}"
        unlabelled = f" · {(~labelled).sum():,} without a loss" if not labelled.all() else ""
        return (
            f"{type(self).__name__}: {len(self):,} rows, {len(self.label_names)} labels ({listing(self.label_names, most=3)})\n"
            f"  model agrees with {np.nan if agree is None else agree:.1%} · median loss {median:.3g} nats{unlabelled}\n"
            f"  {model}\n"
            f"  next: lw.LossWidget(scores), scores.top(), scores.save(path)"
        )

    @staticmethod
    def _judgement(log_probs: np.ndarray, judged: np.ndarray, labels: Any, *, like: pd.Series) -> dict[str, Any]:
        """The columns that depend on what a label is; `judged`: (n,) bool, rows with a finite answer."""
        loss = losses(log_probs, labels.codes)
        loss[~judged] = np.nan
        return {
            "predicted_label": label_column_of(_most_probable(log_probs, judged), labels.values, like=like),
            "loss": loss,
            "label_prob": np.exp(-loss),
            "predicted_prob": _highest(log_probs, judged),
        }

    def _judgement_by_name(self, rows: np.ndarray) -> dict[str, Any]:
        """The label column and the judgement of some rows, labels as names, "" where there is none."""
        names = np.array([*self.label_names, ""], dtype=object)
        log_probs, loss = self.log_probs[rows], self.losses[rows]
        judged = np.isfinite(log_probs).all(axis=1)
        return {
            self.label: names[self.given_ids[rows]],
            "predicted_label": names[_most_probable(log_probs, judged)],
            "loss": loss,
            "label_prob": np.exp(-loss),
            "predicted_prob": _highest(log_probs, judged),
        }

    def _agreement(self) -> dict[str, float | None]:
        """`accuracy`: the share of labelled and judged rows whose label is the predicted one; None where there are none."""
        usable = (self.given_ids >= 0) & np.isfinite(self.log_probs).all(axis=1)
        same = self.log_probs[usable].argmax(axis=1) == self.given_ids[usable]
        return {"accuracy": round(float(same.mean()), 4) if len(same) else None}


def scores_for(labels: AlignedLabels) -> type[Scores]:
    """The kind of Scores that these labels make: one label a row, or a set of them."""
    from loss_widget.scores.multi_label import MultiLabelScores

    return MultiLabelScores if isinstance(labels, AlignedLabelSets) else Scores


def callers_columns(frame: pd.DataFrame, columns: Sequence[str] = SCORE_COLUMNS) -> pd.DataFrame:
    """A shallow copy without the columns of an earlier scoring; a column of the caller's with such a name is refused."""
    taken = [c for c in columns if c in frame.columns]
    if taken and not set(taken).issuperset(SCORE_COLUMNS):
        raise ColumnError(
            f"Expected the column names {listing(taken)} to be free for the scores, found them in the data. Rename them first: "
            f"`data.rename(columns={{{taken[0]!r}: 'my_{taken[0]}'}})`."
        )
    return frame.drop(columns=taken) if taken else frame.copy(deep=False)


def _labels_for_probs(examples: Examples, width: int, label_names: Sequence[str] | None) -> AlignedLabels:
    column, given = examples.frame[examples.label], examples.given
    categorical = isinstance(column.dtype, pd.CategoricalDtype)
    if label_names is not None:
        names = checked_names(label_names)
    elif given.kind is str and not categorical:
        raise LabelError(
            f"Expected label_names, since the labels are names and the order of the {width} columns of probs is not known; "
            "found none. Pass `label_names=[...]` in that order (scikit-learn: `list(model.classes_)`)."
        )
    elif given.bare_ids and not (categorical and len(given.names) == width):
        names = tuple(str(i) for i in range(width))
    else:
        names = given.names
    if given.bare_ids:
        given = read_labels(column, label_names=names)
    return align_labels(given, names, called="label_names")


def _most_probable(log_probs: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """(n,) int32: the label of highest probability, -1 where the row was not judged."""
    return np.where(judged, np.nan_to_num(log_probs, nan=-np.inf).argmax(axis=1), NO_LABEL).astype(np.int32)


def _highest(log_probs: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """(n,) float32: the highest probability of each row."""
    highest: np.ndarray = np.exp(np.where(judged, log_probs.max(axis=1), np.nan)).astype(np.float32)
    return highest


def _known(values: np.ndarray | None, rows: int, nullable: str) -> Any:
    return pd.array([pd.NA] * rows, dtype=nullable) if values is None else values


def _score_notes(examples: Examples, labels: AlignedLabels, judged: np.ndarray, notes: Mapping[int, str]) -> np.ndarray:
    said: dict[int, list[str]] = {}
    for row in np.flatnonzero(labels.missing).tolist():
        said.setdefault(row, []).append("no label")
    for source in (examples.notes, notes):
        for row, note in source.items():
            said.setdefault(int(row), []).append(note)
    for row in np.flatnonzero(~judged).tolist():
        if row not in notes:
            said.setdefault(row, []).append("the model gave no finite answer")
    written = np.full(len(judged), "", dtype=object)
    for row, parts in said.items():
        written[row] = "; ".join(parts)
    return written
