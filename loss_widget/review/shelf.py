"""Which journal a review uses, and whose it is: in one process the newest session's."""

from __future__ import annotations

import secrets
import weakref
from datetime import datetime, timezone
from pathlib import Path
from typing import Protocol

import numpy as np

from loss_widget.errors import InputError
from loss_widget.review.journal import Journal, find_journal

FOLDER = ".loss_widget"
_SUPERSEDED = "A newer widget goes on with this review: work there, or run this cell again."


class Owner(Protocol):
    def superseded(self, why: str) -> None: ...


_held: dict[Path, tuple[Journal, weakref.ref[Owner]]] = {}
"""Every open journal of this process and the session it belongs to."""


class JournalShelf:
    """Opens, makes and hands over the journal of one session. `choice`: a path, "auto", or None for no journal."""

    def __init__(self, choice: str | Path | None, keys: np.ndarray, *, owner: Owner) -> None:
        if choice is not None and not isinstance(choice, (str, Path)):
            raise InputError(f'Expected journal to be a path, "auto" or None, found {choice!r}.')
        self._owner = owner
        self._makes_own = choice == "auto"
        self.journal: Journal | None = None
        self.path: Path | None = None
        if choice == "auto":
            self.path = find_journal(Path(FOLDER).resolve(), keys)
        elif choice is not None:
            self.path = Path(choice).expanduser().resolve()

    def open_existing(self) -> Journal | None:
        """The journal, if its file is there already; an older session of this process on it turns read-only."""
        if self.path is not None and self.path.exists():
            self._open(self.path)
        return self.journal

    def open_or_make(self) -> Journal | None:
        """The journal, made now if need be; None where the review is not saved."""
        if self.journal is None and (self._makes_own or self.path is not None):
            if self.path is None:
                stamp = datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S")
                self.path = Path(FOLDER).resolve() / f"review-{stamp}-{secrets.token_hex(2)}.sqlite"
            self._open(self.path)
        return self.journal

    def close(self) -> None:
        if self.journal is not None and self.path is not None:
            if _held.get(self.path, (None,))[0] is self.journal:
                del _held[self.path]
                self.journal.close()
            self.journal = None

    def _open(self, path: Path) -> None:
        if path in _held:
            journal, older = _held[path]
            previous = older()
            if previous is not None and previous is not self._owner:
                previous.superseded(_SUPERSEDED)
        else:
            journal = Journal(path)
        _held[path] = (journal, weakref.ref(self._owner))
        self.journal = journal
