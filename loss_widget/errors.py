"""Every error that a user of loss_widget can meet.

LossWidgetError
├── InputError              (also a ValueError) something handed in cannot be used
│   ├── DataError           not a labelled dataset, or an empty one
│   ├── ColumnError         no such column, or a name that is taken
│   ├── LabelError          a label that the data does not know
│   │   └── LabelMismatch   the model's labels and the data's do not fit together
│   ├── ProbabilityError    an array that cannot be class probabilities
│   └── ModelError          a model that cannot judge the data
├── MissingPackage          (also an ImportError) judging needs packages that are not installed
├── ScoringCancelled        a run in the background was cancelled; what is finished is in its checkpoint
├── JournalError
│   ├── JournalDamaged      a file that is no journal of ours, or a broken one; it is left untouched
│   └── JournalInUse        another process is reviewing with it
├── ReviewError
│   ├── StaleDecision       the row changed before the decision came
│   └── ReadOnly            this review takes no more decisions
└── ExportError             nothing was written

A message says what was expected, what was found, and what to do next.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class LossWidgetError(Exception):
    """The root of the family: `except lw.errors.LossWidgetError` catches them all."""


class InputError(LossWidgetError, ValueError):
    """Something handed in cannot be used."""


class DataError(InputError):
    """Not a labelled dataset, or an empty one."""


class ColumnError(InputError):
    """No such column, or a column name that is already taken."""


class LabelError(InputError):
    """A label that the data does not know."""


class LabelMismatch(LabelError):
    """The model's labels and the data's labels do not fit together."""


class ProbabilityError(InputError):
    """An array that cannot be class probabilities."""


class ModelError(InputError):
    """A model that cannot judge the data."""


class MissingPackage(LossWidgetError, ImportError):
    """Judging needs packages that are not installed."""


class ScoringCancelled(LossWidgetError):
    """A run in the background was cancelled."""


class JournalError(LossWidgetError):
    """The journal cannot be read or written."""


class JournalDamaged(JournalError):
    """A file that is not a journal of ours, or a broken one. It is never overwritten."""


class JournalInUse(JournalError):
    """Another process is reviewing with this journal."""


class ReviewError(LossWidgetError):
    """A decision that could not be taken; nothing has changed."""


class StaleDecision(ReviewError):
    """The row is no longer what the decision was made on."""


class ReadOnly(ReviewError):
    """This review takes no more decisions."""


class ExportError(LossWidgetError):
    """Nothing was written."""


def near_miss(wanted: object, known: Iterable[object]) -> str:
    """The end of a sentence, naming what was probably meant where there is such a thing.

    >>> near_miss("Label", ["text", "label"])
    "; did you mean 'label'?"
    """
    by_folded = {str(k).casefold(): k for k in known}
    hits = difflib.get_close_matches(str(wanted).casefold(), by_folded, n=1, cutoff=0.6)
    return f"; did you mean {by_folded[hits[0]]!r}?" if hits else "."


def listing(names: Iterable[object], *, most: int = 12) -> str:
    """Names for an error message, the long tail counted instead of shown."""
    shown = [repr(n) for n in names]
    rest = len(shown) - most
    return ", ".join(shown[:most]) + (f" … and {rest} more" if rest > 0 else "")
