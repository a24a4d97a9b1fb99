"""What an example shows: a text, a pair of texts, … Each kind is one pair of classes, and nothing else knows which there are.

A kind is a `ContentColumns` (which columns hold it, and how they are read) and the `Contents` that it reads. A kind from outside
the package subclasses both, marks the first with `content_kind`, and is passed as `text=`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa

from loss_widget.errors import DataError, listing


class Contents(ABC):
    """What n examples show. Never changed: `take` gives others."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def take(self, rows: np.ndarray) -> Contents:
        """Those of some rows, in that order."""

    @abstractmethod
    def keys(self) -> np.ndarray:
        """(n,) uint64: a hash of each, the same in every process and on every machine. It finds a row again in other data."""

    @property
    @abstractmethod
    def words(self) -> tuple[pa.ChunkedArray, ...]:
        """What can be read of them, columns of large_string: searched, compared, read by models of texts; () for none."""

    @abstractmethod
    def encode(self, rows: np.ndarray, *, most: int | None) -> list[dict[str, Any]]:
        """What the grid draws of some rows, as JSON. `most`: the most characters of a text, None for whole ones."""

    def same_rows(self, other: Contents) -> np.ndarray:
        """(n,) bool: where another n examples show the same."""
        return self.keys() == other.keys()


def moved_rows(before: Contents, now: Contents, *, before_index: pd.Index, index: pd.Index) -> np.ndarray:
    """The rows that show what another row showed before: they were sorted. One that was only edited shows something new.

    The index tells it of rows that show the same.
    """
    other = np.flatnonzero(~before.same_rows(now))
    if len(other):
        moved: np.ndarray = other[np.isin(now.take(other).keys(), before.take(other).keys())]
        if len(moved):
            return moved
    if index is before_index or index.equals(before_index) or not (index.is_unique and before_index.is_unique):
        return np.empty(0, dtype=np.int64)
    if len(index.difference(before_index, sort=False)):
        return np.empty(0, dtype=np.int64)  # another index was set, which says nothing of the old one
    return np.flatnonzero(index != before_index)


@dataclass(frozen=True)
class ContentColumns(ABC):
    """The columns that hold what an example shows. `kind` names the grid's renderer, and the kind in saved Scores."""

    names: tuple[str, ...]
    kind: ClassVar[str]

    @abstractmethod
    def read(self, frame: pd.DataFrame) -> tuple[Contents, dict[int, str]]:
        """What the rows of a frame show, and what was odd about single rows, in words."""

    @property
    def spelled(self) -> str | tuple[str, ...]:
        """The columns as a caller names them: one name, or several."""
        return self.names[0] if len(self.names) == 1 else self.names


Kind = TypeVar("Kind", bound=type[ContentColumns])
_KINDS: dict[str, type[ContentColumns]] = {}


def content_kind(kind: Kind) -> Kind:
    """Registers a kind, so that Scores that were saved with it can be loaded."""
    _KINDS[kind.kind] = kind
    return kind


def stored_columns(columns: ContentColumns) -> dict[str, Any]:
    """The columns as JSON, for `restored_columns`."""
    return {"kind": columns.kind, "names": list(columns.names)}


def restored_columns(stored: Mapping[str, Any]) -> ContentColumns:
    """The columns that `stored_columns` wrote; `DataError` for a kind that nobody has registered."""
    kind, names = stored["kind"], stored["names"]
    if kind not in _KINDS:
        raise DataError(
            f"These Scores are about contents of the kind {kind!r}, and only {listing(_KINDS)} are known here. Import the module "
            "that registers it, then load them again."
        )
    return _KINDS[kind](tuple(names))
