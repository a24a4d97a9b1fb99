"""What a label is: one of the names, a set of them, … Each kind is one class, and nothing else knows which there are.

A label has three faces: its *name* (what a person reads), its *id* (what arrays hold) and its *value* (what stands in the
caller's column). A `LabelSpace` is the only object that translates between them. It also says what a model's log-probabilities
mean for its labels, since that is what sets one kind of label apart from another.

A kind from outside the package subclasses `LabelSpace` and `GivenLabels`, and marks the former with `label_kind`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa

from loss_widget.errors import LabelError, listing, near_miss

NO_LABEL = -1
"""The id of a row without a label."""

UNKNOWN = -2
"""The id of a value that is no label of the space."""


class LabelSpace(ABC):
    """All labels that a row can have, numbered from 0. Never changed: a label more makes another space, in which the ids stay.

    `names[i]`: what a person reads. `classes`: the names of the columns of a model's log-probabilities, in their order; new ones
    may follow.
    """

    kind: ClassVar[str]
    """Names the grid's editor, and the kind in saved Scores."""
    head: ClassVar[str]
    """What makes log-probabilities of logits: "softmax" (over all classes) or "sigmoid" (each class is a question of its own)."""
    score_columns: ClassVar[tuple[str, ...]] = ()
    """What `facts` adds to the columns of Scores."""
    suggests: ClassVar[bool] = True
    """Whether the grid can propose classes by their probability."""
    read_only: ClassVar[str] = ""
    """Why labels of this kind cannot be changed in a review, in words."""

    names: tuple[str, ...]
    classes: tuple[str, ...]

    # a column on its way in

    @classmethod
    @abstractmethod
    def reads(cls, column: pd.Series) -> bool:
        """Whether a column holds labels of this kind."""

    @classmethod
    @abstractmethod
    def read(cls, column: pd.Series, *, label_names: Sequence[object] | None, by_position: bool) -> GivenLabels:
        """The labels of a column; `LabelError` names a row that holds none. `by_position`: ids are places in the names."""

    @classmethod
    @abstractmethod
    def none(cls, rows: int) -> GivenLabels:
        """So many rows without a label."""

    # names and ids

    def find(self, label: Any) -> int:
        """The id of a label by its name; `LabelError` names near misses."""
        known = self._numbers.get(label) if isinstance(label, str) else None
        if known is None:
            raise LabelError(
                f"Expected one of the {len(self.names)} label names, found {label!r}{near_miss(label, self.names)} "
                f"Known labels: {listing(self.names)}."
            )
        return known

    def interned(self, label: Any) -> tuple[LabelSpace, int]:
        """The id of a label as a caller writes it, and the space that has it: this one, or one more label."""
        return self, self.find(label)

    def with_class(self, name: str) -> LabelSpace:
        """The space with one class more; `LabelError` where the column has no room for its name."""
        raise LabelError(f"Expected a column that takes new labels, found one of another kind ({self.kind}).")

    @property
    def all_classes(self) -> tuple[str, ...]:
        """The classes of the model and those that were added since."""
        return self.names

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: i for i, name in reversed([*enumerate(self.names)])}

    # the caller's column

    @abstractmethod
    def id_of(self, value: Any) -> int:
        """The id of what stands in the column: `NO_LABEL` where there is none, `UNKNOWN` for what is no label of this space."""

    @abstractmethod
    def value_of(self, label: int) -> Any:
        """How the column writes a label; None where it has no way to."""

    def ids_in(self, column: pd.Series) -> np.ndarray:
        """(n,) int32: the ids of a column."""
        return np.fromiter(map(self.id_of, column), dtype=np.int32, count=len(column))

    @abstractmethod
    def column_of(self, ids: np.ndarray, *, like: pd.Series) -> pd.Series:
        """Labels as the column `like` writes them: its index, and its dtype wherever that can hold them."""

    @abstractmethod
    def check_writable(self, label: int, column: pd.Series) -> None:
        """`LabelError` where the column has no value for this label, or no room for it."""

    def takes_names(self, column: pd.Series) -> bool:
        """Whether a name that the column has never seen finds room in it."""
        return False

    def class_names(self) -> list[str] | None:
        """The names of integer labels 0, 1, 2 … in that order, for a `ClassLabel`; None where they are none."""
        return None

    # the journal

    def written(self, label: int) -> str:
        """A label as the journal keeps it, whatever number it has here."""
        return self.names[label]

    def read_back(self, written: str) -> tuple[LabelSpace, int]:
        """The label that `written` gave, and the space that has it; `UNKNOWN` where there is no such label."""
        known = self._numbers.get(written)
        return self, UNKNOWN if known is None else known

    def learned(self, written: str) -> tuple[LabelSpace, int]:
        """The same where `read_back` knows no such label: the space with what it lacks; `LabelError` where it cannot."""
        space = self.with_class(written)
        return space, space.find(written)

    # the model

    @abstractmethod
    def losses(self, log_probs: np.ndarray, ids: np.ndarray) -> np.ndarray:
        """(n,) float32, nats: the loss of label ids[i] under log_probs[i]; NaN where there is no label, or it is not known."""

    @abstractmethod
    def predicted(self, log_probs: np.ndarray) -> tuple[LabelSpace, np.ndarray]:
        """(n,) int32: the label that the model would give, `NO_LABEL` for rows with NaN; and the space that has them all."""

    @abstractmethod
    def suggestions(self, log_probs: np.ndarray, *, most: int) -> list[list[tuple[int, float]]]:
        """For each row the classes (places in `classes`) to choose from with their probabilities, the best first."""

    def facts(self, log_probs: np.ndarray, ids: np.ndarray, *, like: pd.Series) -> dict[str, Any]:
        """More columns of Scores, those of `score_columns`."""
        return {}

    def agreement(self, ids: np.ndarray, predicted: np.ndarray) -> dict[str, float | None]:
        """`accuracy`: the share of rows whose label is the predicted one; None for no rows. Both (n,), of labelled rows."""
        return {"accuracy": round(float((ids == predicted).mean()), 4) if len(ids) else None}

    def by_name(self, ids: np.ndarray) -> Sequence[Any]:
        """Labels as a table of the worst rows shows them; "" for none."""
        named: list[str] = np.array([*self.names, ""], dtype=object)[ids].tolist()
        return named

    def only_class(self, ids: np.ndarray) -> np.ndarray:
        """(n,) int32: the class of rows that have exactly one, else `NO_LABEL`."""
        return ids

    @property
    def measures(self) -> Mapping[str, Callable[[np.ndarray, np.ndarray], np.ndarray]]:
        """What rows can be sorted by beside their loss: (log_probs, ids) → (n,) numbers."""
        return {}

    # saved Scores

    @abstractmethod
    def stored(self, ids: np.ndarray) -> tuple[pa.Array, dict[str, Any]]:
        """The labels of n rows as a column, and as JSON what else makes the space."""

    @classmethod
    @abstractmethod
    def restored(cls, column: pa.Array, stored: Mapping[str, Any]) -> AlignedLabels:
        """What `stored` gave."""


@dataclass(frozen=True)
class GivenLabels(ABC):
    """A label column, read once, in the data's own names."""

    head: ClassVar[str]

    @property
    @abstractmethod
    def missing(self) -> np.ndarray:
        """(n,) bool: rows without a label."""

    @abstractmethod
    def align(
        self, names: Sequence[object], *, label_map: Mapping[Any, str | None] | None = None, called: str = "model"
    ) -> AlignedLabels:
        """The labels in the order of a model's classes, matched by name; `LabelMismatch` where the names do not fit.

        `label_map`: {name or id in the data: name in the model, or None for what means no label}. `called`: what an error calls
        the names ("model", "label_names" or "label_map").
        """

    def of_columns(self, width: int, label_names: Sequence[str] | None, column: pd.Series) -> AlignedLabels:
        """The labels in the order of the `width` columns of probabilities from elsewhere; `LabelError` where that is not known.

        `column`: what was read.
        """
        if label_names is None:
            raise LabelError(
                f"Expected label_names, since the order of the {width} columns of probs is not known; found none. Pass "
                "`label_names=[...]` in that order (scikit-learn: `list(model.classes_)`)."
            )
        return self.align(label_names, called="label_names")

    @abstractmethod
    def as_they_are(self) -> AlignedLabels:
        """The labels in the data's own names and order."""

    @abstractmethod
    def with_predicted(
        self, column: pd.Series, guesses: pd.Series, *, label_names: Sequence[str] | None
    ) -> tuple[AlignedLabels, np.ndarray]:
        """These labels, read from `column`, and the ids (n,) of a column of predicted ones, in one space."""

    @abstractmethod
    def refusal(self, head: str) -> str:
        """What to say where a model with this head cannot judge such labels."""

    def for_head(self, head: str) -> GivenLabels:
        """These labels, where a model with this head judges them; else `LabelError`, unless no row has one."""
        if self.head == head:
            return self
        if not self.missing.all():
            raise LabelError(self.refusal(head))
        return next(kind for kind in _KINDS.values() if kind.head == head).none(len(self.missing))


@dataclass(frozen=True)
class AlignedLabels:
    """The labels of n rows as ids (n,) int32 of a `space`, `NO_LABEL` for none.

    `believed`: the names matched, so that a far better permutation of them only warns.
    """

    space: LabelSpace
    ids: np.ndarray
    believed: bool = True

    @property
    def missing(self) -> np.ndarray:
        """(n,) bool: rows without a label."""
        return self.ids == NO_LABEL

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns of the log-probabilities."""
        return self.space.classes

    @cached_property
    def codes(self) -> np.ndarray:
        """(n,) int32: the class of rows that have exactly one, else `NO_LABEL`."""
        return self.space.only_class(self.ids)

    def losses(self, rows: np.ndarray, log_probs: np.ndarray) -> np.ndarray:
        """(rows,) float32, nats: the losses of those rows under their log-probabilities."""
        return self.space.losses(log_probs, self.ids[rows])


Kind = TypeVar("Kind", bound=type[LabelSpace])
_KINDS: dict[str, type[LabelSpace]] = {}


def label_kind(kind: Kind) -> Kind:
    """Registers a kind of label: columns are read by the kind registered last among those that read them."""
    _KINDS[kind.kind] = kind
    return kind


def kind_of(column: pd.Series) -> type[LabelSpace]:
    """The kind of label that a column holds: the one place that asks."""
    return next(kind for kind in reversed(_KINDS.values()) if kind.reads(column))


def kind_called(name: str) -> type[LabelSpace]:
    """The kind of that name; `LabelError` where nobody has registered it."""
    if name not in _KINDS:
        raise LabelError(
            f"These labels are of the kind {name!r}, and only {listing(_KINDS)} are known here. Import what registers it."
        )
    return _KINDS[name]
