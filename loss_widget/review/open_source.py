"""What a review can be opened on, Scores or a DataFrame, as a Review."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from loss_widget.data.columns import column_position
from loss_widget.data.contents import ContentColumns
from loss_widget.data.examples import Examples, read_examples
from loss_widget.data.label_space import NO_LABEL, AlignedLabels
from loss_widget.data.texts import read_texts
from loss_widget.errors import ColumnError, DataError, InputError, listing, near_miss
from loss_widget.review.further_columns import Columns
from loss_widget.review.label_column import LabelColumn
from loss_widget.review.review_state import Review
from loss_widget.review.table import ReviewTable
from loss_widget.scores.scores import SCORE_COLUMNS, Scores


def open_source(
    source: Any,
    *,
    text: str | Sequence[str] | ContentColumns | None,
    label: str | None,
    loss: str,
    predicted: str,
    probs: Any,
    label_names: Sequence[str] | None,
    columns: Sequence[str],
    copy: bool,
) -> Review:
    """The review of `source`, before any decision; `columns` are further ones to show.

    `DataError`, `ColumnError` or `InputError` say what is missing.
    """
    if isinstance(source, Scores):
        _only_for_frames(
            probs=probs,
            label_names=label_names,
            text=None if text == source.text else text,
            label=None if label == source.label else label,
        )
        source.check_order()
        return _of_scores(source, source.frame.copy() if copy else source.frame, columns, score_columns=source.columns)
    if not isinstance(source, pd.DataFrame):
        raise DataError(f"Expected Scores or a pandas DataFrame, found {_kind_of(source)}. {_way_from(source)}")
    frame = source.copy() if copy else source
    text, label = "text" if text is None else text, "label" if label is None else label
    if probs is not None:
        scores = Scores.from_probs(
            _without_scores(source), _probs_of(source, probs), text=text, label=label, label_names=label_names
        )
        own_loss = source[loss].to_numpy(dtype=np.float32) if loss in source.columns else None
        return _of_scores(scores, frame, columns, own_loss)
    return _of_losses(frame, columns, text=text, label=label, loss=loss, predicted=predicted, label_names=label_names)


def _of_scores(
    scores: Scores,
    frame: pd.DataFrame,
    columns: Sequence[str],
    own_loss: np.ndarray | None = None,
    *,
    score_columns: tuple[str, ...] = (),
) -> Review:
    column = scores.frame
    space, predicted = scores.labels.space.predicted(scores.log_probs)
    table = ReviewTable(
        frame=frame,
        contents=scores.contents,
        keys=scores.keys,
        given=scores.labels.ids,
        predicted=predicted,
        loss=column["loss"].to_numpy(dtype=np.float32).copy() if own_loss is None else own_loss.copy(),
        label_prob=column["label_prob"].to_numpy(dtype=np.float32).copy(),
        predicted_prob=column["predicted_prob"].to_numpy(dtype=np.float32).copy(),
        log_probs=scores.log_probs,
        score_notes=read_texts(column, "score_note")[0],
    )
    labels = LabelColumn(frame, shown=scores.shown, label=scores.label, space=space, contents=scores.contents, keys=scores.keys)
    return Review(table, labels, Columns(frame, columns), score_columns)


def _of_losses(
    frame: pd.DataFrame,
    columns: Sequence[str],
    *,
    text: str | Sequence[str] | ContentColumns,
    label: str,
    loss: str,
    predicted: str,
    label_names: Sequence[str] | None,
) -> Review:
    if loss not in frame.columns:
        raise ColumnError(
            f"Expected a column of losses named {loss!r}, or `probs=`, found {listing(frame.columns)}"
            f"{near_miss(loss, frame.columns)} Say which column it is with `loss=`, or make Scores with `lw.score(data, model)`."
        )
    examples = read_examples(frame, text=text, label=label, label_names=label_names, head=None)
    given, guessed = _labels_of(examples, predicted, label_names)
    losses = frame.iloc[:, column_position(frame, loss)]
    if not pd.api.types.is_numeric_dtype(losses.dtype):
        raise ColumnError(
            f"Expected numbers in the loss column {loss!r}, found {_example_of(losses)}. Make numbers of them by "
            f"`df[{loss!r}] = {_to_numbers(losses, loss)}`."
        )
    table = ReviewTable(
        frame=frame,
        contents=examples.contents,
        keys=examples.keys,
        given=given.ids,
        predicted=guessed,
        loss=losses.to_numpy(dtype=np.float32, na_value=np.nan).copy(),
        label_prob=_numbers(frame, "label_prob"),
        predicted_prob=_numbers(frame, "predicted_prob"),
        log_probs=None,
        score_notes=None,
    )
    labels = LabelColumn(
        frame, shown=examples.shown, label=label, space=given.space, contents=examples.contents, keys=examples.keys
    )
    return Review(table, labels, Columns(frame, columns))


def _example_of(column: pd.Series) -> str:
    value = next(iter(column.dropna()), None)
    return f"values such as {str(value)[:40]!r} ({type(value).__name__})"


def _to_numbers(column: pd.Series, name: str) -> str:
    """The code that makes numbers of a column: texts that are none become NaN, tensors and the like their own number."""
    if column.dropna().map(lambda value: isinstance(value, str)).all():
        return f"pd.to_numeric(df[{name!r}], errors='coerce')"
    return f"df[{name!r}].map(float)"


def _labels_of(examples: Examples, predicted: str, label_names: Sequence[str] | None) -> tuple[AlignedLabels, np.ndarray]:
    """The given labels and the predicted ids, both in one set of names: that of label_names, else all that occur."""
    own = examples.given
    if predicted not in examples.frame.columns:
        return own.as_they_are(), np.full(len(examples), NO_LABEL, dtype=np.int32)
    guesses = examples.frame.iloc[:, column_position(examples.frame, predicted)]
    return own.with_predicted(examples.frame[examples.label], guesses, label_names=label_names)


def _probs_of(frame: pd.DataFrame, probs: Any) -> Any:
    return frame.iloc[:, column_position(frame, probs, argument="`probs=`")] if isinstance(probs, str) else probs


def _without_scores(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop(columns=[c for c in SCORE_COLUMNS if c in frame.columns])


def _numbers(frame: pd.DataFrame, name: str) -> np.ndarray:
    if name in frame.columns:
        column = frame.iloc[:, column_position(frame, name)]
        if pd.api.types.is_numeric_dtype(column.dtype):
            return column.to_numpy(dtype=np.float32, na_value=np.nan)
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
