"""What callers hand to a review, checked: rows, texts, decisions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from loss_widget.errors import InputError, listing
from loss_widget.review.query import Query


def positions(rows: Any, n: int) -> tuple[int, ...]:
    """Rows as positions: an integer, integers, or a boolean mask of all n rows."""
    listed = [rows] if isinstance(rows, (int, np.integer)) else rows
    if isinstance(listed, (str, bytes)) or not isinstance(listed, Iterable):
        raise InputError(f"Expected rows as positions in the source, an integer or a list of them, found {rows!r}.")
    array = listed if isinstance(listed, range) else list(listed)
    if array and all(isinstance(row, (bool, np.bool_)) for row in array):
        if len(array) != n:
            raise InputError(f"Expected a mask of all {n} rows or a list of positions, found {len(array)} truth values.")
        return tuple(np.flatnonzero(array).tolist())
    wrong = [row for row in array if not isinstance(row, (int, np.integer)) or isinstance(row, bool)]
    if wrong:
        raise InputError(f"Expected rows as positions in the source, integers, found {listing(wrong)}.")
    return tuple(dict.fromkeys(int(row) for row in array))


def plain_text(text: str, what: str) -> str:
    if not isinstance(text, str):
        raise InputError(f"Expected {what} to be a text, found {text!r} ({type(text).__name__}). Pass a str.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InputError(f"Expected {what} to be a text, found {text!r}, which UTF-8 cannot hold.") from None
    return text


def as_query(query: Any) -> Query:
    """The query, or all rows by loss for None."""
    if query is not None and not isinstance(query, Query):
        fields = query if isinstance(query, dict) and query else {"sort": query if isinstance(query, (str, tuple)) else "loss"}
        written = ", ".join(f"{name}={value!r}" for name, value in fields.items())
        raise InputError(f"Expected an `lw.Query`, found {query!r}. Write it as `lw.Query({written})`, for example.")
    return query or Query()


def check_rows(rows: Sequence[int], n: int) -> None:
    """`InputError` for rows that are not there."""
    beyond = [row for row in rows if not 0 <= row < n]
    if beyond:
        raise InputError(f"Expected rows from 0 to {n - 1}, positions in the source, found {listing(beyond)}.")
