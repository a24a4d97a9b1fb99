"""Scores: what a model thinks of every labelled example."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pyarrow as pa

from loss_widget.data.columns import column_position
from loss_widget.data.contents import ContentColumns, moved_rows
from loss_widget.data.examples import Examples, read_examples
from loss_widget.data.label_space import NO_LABEL, AlignedLabels
from loss_widget.errors import ColumnError, DataError, InputError, listing
from loss_widget.scores.label_order import check_columns
from loss_widget.scores.parquet_file import read_scores, write_scores
from loss_widget.scores.parquet_folder import read_directory
from loss_widget.scores.probabilities import as_matrix, by_index, by_name, log_probs_of
from loss_widget.scores.state import ScoresState

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

    Multi-label models return `MultiLabelScores`.

    >>> frame = pd.DataFrame({"text": ["fine", "awful"], "label": [1, 1]})
    >>> scores = Scores.from_probs(frame, np.array([[0.1, 0.9], [0.8, 0.2]]), label_names=["bad", "good"])
    >>> scores.top(1)[["text", "label", "predicted_label"]].values.tolist()
    [['awful', 'good', 'bad']]
    """

    _of_kind: ClassVar[dict[str, type[Scores]]] = {}

    def __init_subclass__(cls, label_kind: str = "", **options: Any) -> None:
        """Scores of that kind of label are of this class from now on."""
        super().__init_subclass__(**options)
        if label_kind:
            Scores._of_kind[label_kind] = cls

    def __init__(self, state: ScoresState) -> None:
        self.frame = state.frame
        self.shown = state.shown
        self.label = state.label
        self.log_probs = state.log_probs
        self.labels = state.labels
        self.contents = state.contents
        self.keys = state.keys
        self.columns = state.columns
        """What stands in `frame` beside the caller's columns."""
        self.provenance = state.provenance
        self._index = state.frame.index  # as it was scored: `frame` is the caller's to sort

    @classmethod
    def of(cls, state: ScoresState) -> Scores:
        """The Scores that a state makes, of the class that belongs to its kind of label."""
        return cls._of_kind.get(state.labels.space.kind, Scores)(state)

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
        """Scores of one pass of a model over `examples`. Rows of `log_probs` that are NaN could not be judged."""
        columns = (*SCORE_COLUMNS, *labels.space.score_columns)
        frame = callers_columns(examples.frame, columns)
        position = column_position(frame, examples.label)
        frame.isetitem(position, frame.iloc[:, position].copy())  # the widget corrects this column, never the caller's
        log_probs = np.ascontiguousarray(log_probs, dtype=np.float32)
        judged = np.isfinite(log_probs).all(axis=1)
        like, space = frame.iloc[:, position], labels.space
        own = {
            **_judgement(labels, log_probs, judged, like=like),
            **space.facts(log_probs, labels.ids, like=like),
            "tokens": _known(tokens, len(frame), "Int32"),
            "truncated": _known(truncated, len(frame), "boolean"),
            "unknown_tokens": _known(unknown_tokens, len(frame), "Int32"),
            "score_note": pd.Series(_score_notes(examples, labels, judged, notes or {}), index=frame.index, dtype="str"),
        }
        for name in columns:
            frame[name] = own[name]
        made = {
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "rows": len(frame),
            "in_sample": None,
        }
        state = ScoresState(
            frame=frame,
            shown=examples.shown,
            label=examples.label,
            contents=examples.contents,
            labels=labels,
            log_probs=log_probs,
            keys=examples.keys,
            columns=columns,
            provenance={**made, **(provenance or {})},
        )
        scores = cls.of(state)
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

        `probs`: an array of shape (n_rows, n_labels), a DataFrame with a column for each label name and the index of `frame`,
        what `pipeline(..., top_k=None)` returned, or the name of a list column of `frame`; finite, rows summing to 1 within 1e-3,
        else `ProbabilityError` names the likely cause. `label_names`, in the order of the columns of `probs`, may be left out
        only where those have names, or where the label column is categorical, a `ClassLabel`, or integers. A probability of 0
        counts as 1.2e-38. Warns where another order of the columns would fit far better.
        """
        if not (in_sample is None or isinstance(in_sample, (bool, np.bool_))):
            raise InputError(
                f"Expected in_sample to be True (the model was trained on these rows), False or None (not known), "
                f"found {in_sample!r}. Leave it out if in doubt."
            )
        examples = read_examples(frame, text=text, label=label)
        if isinstance(probs, str):
            probs = examples.frame.iloc[:, column_position(examples.frame, probs)]
        probs, label_names = by_name(by_index(probs, examples.frame.index), label_names)
        matrix = as_matrix(probs)
        column = examples.frame.iloc[:, column_position(examples.frame, label)]
        labels = examples.given.of_columns(matrix.shape[1], label_names, column)
        log_probs = log_probs_of(matrix, rows=len(examples), labels=len(labels.names))
        provenance = {
            "model": "probabilities handed in",
            "engine": "none",
            "in_sample": None if in_sample is None else bool(in_sample),
        }
        check_columns(labels, log_probs)
        return cls.from_pass(examples, labels, log_probs, provenance=provenance)

    @property
    def label_names(self) -> list[str]:
        """The classes, in the order of the columns of `log_probs`."""
        return list(self.labels.names)

    @property
    def given_ids(self) -> np.ndarray:
        """(n_rows,) int32: the labels that were judged, -1 for none."""
        return self.labels.codes

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
        return self.labels.space.losses(self.log_probs, self.labels.ids)

    def top(self, n: int = 10) -> pd.DataFrame:
        """The `n` rows of highest loss, equal losses in the order of the data, with label names.

        Whatever was done to `frame` since: texts, labels and index are those that were scored.
        """
        loss = self.losses
        rows = np.argsort(-loss, kind="stable")[:n]
        top = pd.DataFrame(index=self._index[rows])
        for name, column in zip(self.shown.names, self.contents.words, strict=False):
            top[name] = column.take(pa.array(rows)).to_pylist()
        like = pd.Series(index=top.index, dtype=object)
        log_probs, ids, space = self.log_probs[rows], self.labels.ids[rows], self.labels.space
        top[self.label] = space.by_name(ids)
        space, guessed = space.predicted(log_probs)
        top["predicted_label"] = space.by_name(guessed)
        top["loss"] = loss[rows]
        top["label_prob"] = np.exp(-loss[rows])
        top["predicted_prob"] = np.exp(-space.losses(log_probs, guessed))
        for name, values in space.facts(log_probs, ids, like=like).items():
            top[name] = values
        return top

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write everything to one Parquet file (no pickle) and return its path; `Scores.load` reads it back.

        `DataError` where `frame` no longer holds the rows that were scored in their order, `ExportError` for columns that
        Parquet cannot hold.
        """
        self._check_rows()
        return write_scores(self.state, Path(path).expanduser())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Scores:
        """Scores as saved; `DataError` for a file that is none."""
        path = Path(path).expanduser()
        return cls.of(read_directory(path) if path.is_dir() else read_scores(path))

    @property
    def state(self) -> ScoresState:
        """All that makes these Scores, as plain data."""
        return ScoresState(
            frame=self.frame,
            shown=self.shown,
            label=self.label,
            contents=self.contents,
            labels=self.labels,
            log_probs=self.log_probs,
            keys=self.keys,
            columns=tuple(self.columns),
            provenance=self.provenance,
        )

    def check_order(self) -> None:
        """`DataError` where the frame was sorted or cut in place: its rows are no longer those that were scored, in order."""
        found = f"found {len(self.frame)} rows" if len(self.frame) != len(self) else ""
        if not found and (moved := self._moved()):
            found = f"found others in {moved:,} places"
        if found:
            raise DataError(
                f"Expected `scores.frame` to hold the {len(self)} rows that were scored, in their order, {found}. Was it sorted "
                "or filtered in place? `lw.LossWidget(scores.frame)` goes by the losses in it; or sort and filter a copy."
            )

    def _moved(self) -> int:
        """How many rows stand where another one was scored."""
        moved = moved_rows(self.contents, self.shown.read(self.frame)[0], before_index=self._index, index=self.frame.index)
        if len(moved) or "loss" not in self.frame.columns:
            return len(moved)
        own, loss = self.losses, self.frame["loss"]  # rows of equal texts move unseen, but take their losses with them
        if not pd.api.types.is_numeric_dtype(loss.dtype):
            return 0
        here = loss.to_numpy(dtype=np.float32, na_value=np.nan)
        other = ~((here == own) | (np.isnan(here) & np.isnan(own)))
        return int(other.sum()) if np.array_equal(np.sort(here[other]), np.sort(own[other]), equal_nan=True) else 0

    def _check_rows(self) -> None:
        """`DataError` where the frame no longer holds the rows that were scored, in their order."""
        self.check_order()
        if len(self.frame) != len(self):
            found = f"found {len(self.frame)} rows"
        else:
            moved = np.flatnonzero(~self.contents.same_rows(self.shown.read(self.frame)[0]))
            found = f"found {len(moved)} rows with another text, the first is row {moved[0]}" if len(moved) else ""
        if found:
            raise DataError(
                f"Expected `scores.frame` to hold the {len(self)} rows that were scored, in their order, {found}. Sort, filter "
                "and edit a copy, as in `sorted = scores.frame.sort_values('loss')`; or score again."
            )

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

    def _agreement(self) -> dict[str, float | None]:
        """How often the given label is the predicted one, of labelled and judged rows; None where there are none."""
        space, guessed = self.labels.space.predicted(self.log_probs)
        usable = (self.labels.ids >= 0) & np.isfinite(self.log_probs).all(axis=1)
        return space.agreement(self.labels.ids[usable], guessed[usable])


def _judgement(labels: AlignedLabels, log_probs: np.ndarray, judged: np.ndarray, *, like: pd.Series) -> dict[str, Any]:
    """The columns that say what a model thinks; `judged`: (n,) bool, rows with a finite answer."""
    loss = labels.space.losses(log_probs, labels.ids)
    loss[~judged] = np.nan
    space, guessed = labels.space.predicted(log_probs)
    guessed[~judged] = NO_LABEL
    return {
        "predicted_label": space.column_of(guessed, like=like),
        "loss": loss,
        "label_prob": np.exp(-loss),
        "predicted_prob": np.exp(-space.losses(log_probs, guessed)),
    }


def callers_columns(frame: pd.DataFrame, columns: Sequence[str] = SCORE_COLUMNS) -> pd.DataFrame:
    """A shallow copy without the columns of an earlier scoring; a column of the caller's with such a name is refused."""
    taken = [c for c in columns if c in frame.columns]
    if taken and not set(taken).issuperset(SCORE_COLUMNS):
        raise ColumnError(
            f"Expected the column names {listing(taken)} to be free for the scores, found them in the data. Rename them first: "
            f"`data.rename(columns={{{taken[0]!r}: 'my_{taken[0]}'}})`."
        )
    return frame.drop(columns=taken) if taken else frame.copy(deep=False)


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
