"""Which journal a review uses, and whose it is: in one process the newest session's."""

from __future__ import annotations

import os
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from loss_widget.errors import InputError, JournalError, ReadOnly
from loss_widget.review.journal.choice import choose_journal
from loss_widget.review.journal.identity import ReviewedData, in_names_of, why_another
from loss_widget.review.journal.journal import Journal, check_header, read_journal
from loss_widget.review.journal.sqlite_file import CannotWrite
from loss_widget.review.journal.written import Written
from loss_widget.review.uninterrupted import uninterrupted

FOLDER = ".loss_widget"
_SUPERSEDED = "A newer widget goes on with this review: work there, or run this cell again."


class Owner(Protocol):
    def superseded(self, why: str) -> None: ...


@dataclass
class _Claim:
    owner: weakref.ref[Owner]
    journal: Journal | None


_claims: dict[Path, _Claim] = {}
"""Every journal, open or only planned, that a session of this process is on."""


class JournalOwnership:
    """Opens, makes and hands over the journal of one session. `choice`: a path, "auto", or None for no journal.

    With "auto", `data` chooses among the files in `.loss_widget/`, and names a new one where none knows these rows.
    """

    def __init__(self, choice: str | Path | None, data: ReviewedData, *, owner: Owner) -> None:
        if choice is not None and not isinstance(choice, (str, Path)):
            raise InputError(f'Expected journal to be a path, "auto" or None, found {choice!r}.')
        self._owner = owner
        self._data = data
        self.journal: Journal | None = None
        self.path: Path | None = None
        self.read_only = ""
        """Why nothing can be written in the journal, in words, where that is so."""
        if choice == "auto":
            self.path = choose_journal(Path(FOLDER).resolve(), data)
        elif choice is not None:
            self.path = Path(os.path.realpath(os.path.expanduser(choice)))  # unlike Path.resolve it lets a loop of links be

    def look(self) -> Written | None:
        """What the journal holds, if its file is there already, without laying hands on it."""
        return None if self.path is None or check_header(self.path) else self._of_this_data(read_journal(self.path))

    def claim(self) -> Written | None:
        """What the journal holds, if its file is there. An older session of this process that is on it turns read-only."""
        with uninterrupted():  # a journal that is open and not in _claims would be locked until this process ends
            return self._claim()

    def _claim(self) -> Written | None:
        if self.path is None:
            return None
        earlier = _claims.get(self.path)
        taken_over = earlier is not None and earlier.journal is not None and earlier.journal.is_ours
        self.journal = earlier.journal if earlier is not None and taken_over else None
        written = None
        try:
            if self.journal is None and not check_header(self.path):
                self.journal = Journal(self.path)
            written = None if self.journal is None else self._of_this_data(self.journal.read())
        except CannotWrite as error:
            self.read_only = str(error)
            return self._of_this_data(read_journal(self.path))
        except BaseException:
            if self.journal is not None and not taken_over:
                self.journal.close()
            raise
        _claims[self.path] = _Claim(weakref.ref(self._owner), self.journal)
        previous = earlier.owner() if earlier is not None else None
        if previous is not None:
            previous.superseded(_SUPERSEDED)
        return written

    def _of_this_data(self, written: Written) -> Written:
        why = why_another(written, self._data)
        if not why:
            return in_names_of(written, self._data)
        old, new = written.label_column, self._data.label_column
        renamed = (
            "" if old in (None, new) else f" If the column was renamed, open it as `frame.rename(columns={{{new!r}: {old!r}}})`."
        )
        raise JournalError(f"The review in {self.path} {why}. Pass `journal=` another path.{renamed}")

    def open_or_make(self) -> Journal | None:
        """The journal, made now if need be; None where the review is not saved."""
        if self.journal is None and self.path is not None:
            if not check_header(self.path) and read_journal(self.path).decisions:
                why = f"Another process has begun a review in {self.path}: run this cell again to go on with it."
                self._owner.superseded(why)
                raise ReadOnly(why)
            self.journal = _claims[self.path].journal = Journal(self.path)
        return self.journal

    def close(self) -> None:
        claim = _claims.get(self.path) if self.path is not None else None
        if self.path is not None and claim is not None and claim.owner() in (self._owner, None):
            del _claims[self.path]
            if claim.journal is not None:
                claim.journal.close()
        self.journal = None
