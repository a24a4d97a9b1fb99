"""What a review can be opened on, Scores or a DataFrame, as a ReviewTable and the column that its labels are written to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from loss_widget.data.columns import column_position
from loss_widget.data.examples import Examples, read_examples
from loss_widget.data.labels import NO_LABEL, GivenLabels, read_labels
from loss_widget.data.texts import read_texts
from loss_widget.errors import ColumnError, DataError, InputError, listing, near_miss
from loss_widget.review.label_column import LabelColumn
from loss_widget.review.table import ReviewTable
from loss_widget.scores.multi_label import MultiLabelScores
from loss_widget.scores.scores import Scores


def open_source(
    source: Any,
    *,
    text: str | Sequence[str] | None,
    label: str | None,
    loss: str,
    predicted: str,
    probs: Any,
    label_names: Sequence[str] | None,
    copy: bool,
) -> tuple[ReviewTable, LabelColumn]:
    """The table and the label column of `source`; `DataError`, `ColumnError` or `InputError` say what is missing."""
    if isinstance(source, Scores):
        _only_for_frames(
            probs=probs,
            label_names=label_names,
            text=None if text == source.text else text,
            label=None if label == source.label else label,
        )
        frame = source.frame.copy() if copy else source.frame
        return of_label_sets(source, frame) if isinstance(source, MultiLabelScores) else _of_scores(source, frame)
    if not isinstance(source, pd.DataFrame):
        raise DataError(f"Expected Scores or a pandas DataFrame, found {_kind_of(source)}. {_way_from(source)}")
    frame = source.copy() if copy else source
    text, label = "text" if text is None else text, "label" if label is None else label
    if probs is not None:
        scores = Scores.from_probs(
            _without_scores(source), _probs_of(source, probs), text=text, label=label, label_names=label_names
        )
        own_loss = source[loss].to_numpy(dtype=np.float32) if loss in source.columns else None
        return _of_scores(scores, frame, own_loss)
    return _of_losses(frame, text=text, label=label, loss=loss, predicted=predicted, label_names=label_names)


def _of_scores(scores: Scores, frame: pd.DataFrame, own_loss: np.ndarray | None = None) -> tuple[ReviewTable, LabelColumn]:
    column = scores.frame
    predicted = scores.log_probs.argmax(axis=1).astype(np.int32)  # of a row with NaN the NaN, so that nothing need be copied
    predicted[~np.isfinite(scores.log_probs[np.arange(len(predicted)), predicted])] = NO_LABEL
    table = ReviewTable(
        frame=frame,
        contents=scores.contents,
        keys=scores.keys,
        given=scores.given_ids.copy(),
        predicted=predicted,
        loss=column["loss"].to_numpy(dtype=np.float32).copy() if own_loss is None else own_loss.copy(),
        label_prob=column["label_prob"].to_numpy(dtype=np.float32).copy(),
        predicted_prob=column["predicted_prob"].to_numpy(dtype=np.float32),
        log_probs=scores.log_probs,
        label_names=list(scores.label_names),
        score_notes=read_texts(column, "score_note")[0],
    )
    labels = LabelColumn(
        frame,
        shown=scores.shown,
        label=scores.label,
        values=scores.label_values,
        aliases=scores.label_aliases,
        keys=scores.keys,
    )
    return table, labels


def _of_losses(
    frame: pd.DataFrame,
    *,
    text: str | Sequence[str],
    label: str,
    loss: str,
    predicted: str,
    label_names: Sequence[str] | None,
) -> tuple[ReviewTable, LabelColumn]:
    if loss not in frame.columns:
        raise ColumnError(
            f"Expected a column of losses named {loss!r}, or `probs=`, found {listing(frame.columns)}"
            f"{near_miss(loss, frame.columns)} Say which column it is with `loss=`, or make Scores with `lw.score(data, model)`."
        )
    examples = read_examples(frame, text=text, label=label)
    given, guessed = _labels_of(examples, predicted, label_names)
    losses = frame.iloc[:, column_position(frame, loss)]
    if not pd.api.types.is_numeric_dtype(losses.dtype):
        raise ColumnError(f"Expected numbers in the loss column {loss!r}, found {losses.dtype}. Convert it with `pd.to_numeric`.")
    table = ReviewTable(
        frame=frame,
        contents=examples.contents,
        keys=examples.keys,
        given=given.codes.copy(),
        predicted=guessed,
        loss=losses.to_numpy(dtype=np.float32, na_value=np.nan).copy(),
        label_prob=_numbers(frame, "label_prob"),
        predicted_prob=_numbers(frame, "predicted_prob"),
        log_probs=None,
        label_names=list(given.names),
        score_notes=None,
    )
    labels = LabelColumn(
        frame,
        shown=examples.shown,
        label=label,
        values=given.values,
        aliases=dict(zip(given.values, range(len(given.values)), strict=True)),
        keys=examples.keys,
    )
    return table, labels


def _labels_of(examples: Examples, predicted: str, label_names: Sequence[str] | None) -> tuple[GivenLabels, np.ndarray]:
    """The given labels and the predicted ids, both in one set of names: that of label_names, else all that occur."""
    column = examples.frame[examples.label]
    if predicted not in examples.frame.columns:
        return read_labels(column, label_names=label_names), np.full(len(examples), NO_LABEL, dtype=np.int32)
    guesses = examples.frame.iloc[:, column_position(examples.frame, predicted)]
    if isinstance(column.dtype, pd.CategoricalDtype) and label_names is None:
        categories = [*column.cat.categories, *(v for v in guesses.dropna().unique() if v not in column.cat.categories)]
        both = pd.Series(pd.Categorical([*column, *guesses], categories=categories), name=examples.label)
    else:
        both = pd.concat([column.astype(object), guesses.astype(object)], ignore_index=True).rename(examples.label)
    read = read_labels(both, label_names=label_names)
    own = read_labels(column, label_names=label_names).values
    values = read.values
    if label_names is not None:
        values = own
    elif own:
        values = tuple(type(own[0])(v) for v in read.values)
    n = len(examples)
    return GivenLabels(read.codes[:n], read.names, values, read.bare_ids), read.codes[n:]


def _probs_of(frame: pd.DataFrame, probs: Any) -> Any:
    return frame.iloc[:, column_position(frame, probs, argument="`probs=`")] if isinstance(probs, str) else probs


def _without_scores(frame: pd.DataFrame) -> pd.DataFrame:
    from loss_widget.scores.scores import SCORE_COLUMNS

    return frame.drop(columns=[c for c in SCORE_COLUMNS if c in frame.columns])


def _numbers(frame: pd.DataFrame, name: str) -> np.ndarray:
    if name in frame.columns and pd.api.types.is_numeric_dtype(frame[name].dtype):
        return frame[name].to_numpy(dtype=np.float32, na_value=np.nan)
    return np.full(len(frame), np.nan, dtype=np.float32)


def _kind_of(source: Any) -> str:
    package, name = type(source).__module__.split(".")[0], type(source).__name__
    return repr(source) if isinstance(source, (str, os.PathLike)) else name if package == "builtins" else f"a {package} {name}"


def _way_from(source: Any) -> str:
    if isinstance(source, (str, os.PathLike)):
        return "Read it with `pd.read_csv(path)` or `lw.Scores.load(path)`, or judge its labels with `lw.score(path, model)`."
    if hasattr(source, "to_pandas"):
        return "Use `.to_pandas()`, or judge its labels with `lw.score(data, model)`."
    return "Make one with `pd.DataFrame(data)`, or judge its labels with `lw.score(data, model)`."


def _only_for_frames(**given: Any) -> None:
    extra = [name for name, value in given.items() if value is not None]
    if extra:
        raise InputError(
            f"Expected {listing(extra)} only with a DataFrame, found it with Scores, which know their own. "
            "Leave it out, or set it in `lw.score`."
        )


READ_ONLY = "Sets of labels (a multi-label model) can be read here but not changed yet: correct them in the DataFrame."


NO_LABEL_ON = "(none)"
"""The name of the empty set."""


def of_label_sets(scores: MultiLabelScores, frame: pd.DataFrame) -> tuple[ReviewTable, LabelColumn]:
    """The table and the label column of multi-label Scores; the column is never written to."""
    sets = np.concatenate([scores.given_sets, scores.predicted_sets])
    ids, first_rows, names = _numbered(sets, scores.label_names)
    given, predicted = np.split(ids, 2)
    column = scores.frame
    table = ReviewTable(
        frame=frame,
        contents=scores.contents,
        keys=scores.keys,
        given=given.copy(),
        predicted=predicted,
        loss=column["loss"].to_numpy(dtype=np.float32).copy(),
        label_prob=column["label_prob"].to_numpy(dtype=np.float32).copy(),
        predicted_prob=column["predicted_prob"].to_numpy(dtype=np.float32),
        log_probs=None,
        label_names=names,
        score_notes=read_texts(column, "score_note")[0],
    )
    own = column.iloc[:, column_position(column, scores.label)]
    written = pd.concat([own, column["predicted_label"]], ignore_index=True)
    labels = LabelColumn(
        frame,
        shown=scores.shown,
        label=scores.label,
        values=[written.iloc[row] for row in first_rows],
        aliases={},
        keys=scores.keys,
        read_only=READ_ONLY,
    )
    return table, labels


def _numbered(sets: np.ndarray, label_names: Sequence[str]) -> tuple[np.ndarray, list[int], list[str]]:
    """Each row's set as an id, -1 where there is none; for each id the first row that has it, and its name."""
    rows = np.flatnonzero(sets[:, 0] >= 0)
    bits, first, number = np.unique(np.packbits(sets[rows] > 0, axis=1), axis=0, return_index=True, return_inverse=True)
    on = np.unpackbits(bits, axis=1, count=len(label_names))
    said = [", ".join(label_names[j] for j in np.flatnonzero(row).tolist()) or NO_LABEL_ON for row in on]
    names = sorted(set(said))
    place = {name: i for i, name in enumerate(names)}
    first_rows = dict(zip(said, rows[first].tolist(), strict=True))
    ids = np.full(len(sets), NO_LABEL, dtype=np.int32)
    ids[rows] = np.array([place[name] for name in said], dtype=np.int32)[number.reshape(-1)]
    return ids, [first_rows[name] for name in names], names
