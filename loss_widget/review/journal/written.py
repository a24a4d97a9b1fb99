"""What a journal holds: its tables, what is read from them, and the sums by which a changed byte is noticed.

Every decision has a sum over all that belongs to it and over the sum before it, in a table of its own. Older versions know
nothing of that table and go on without; what they write has no sum and is believed.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from loss_widget.review.decisions import KINDS, SpotCheck

TABLES = {
    "subjects": """
        CREATE TABLE subjects (subject INTEGER PRIMARY KEY, key INTEGER NOT NULL, given TEXT, twin INTEGER NOT NULL,
            twins INTEGER NOT NULL)""",
    "subjects_by_key": "CREATE INDEX subjects_by_key ON subjects (key)",
    "decisions": """
        CREATE TABLE decisions (seq INTEGER PRIMARY KEY, op_id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, label TEXT, note TEXT,
            reviewer TEXT NOT NULL, at TEXT NOT NULL)""",
    "decided": """
        CREATE TABLE decided (seq INTEGER NOT NULL REFERENCES decisions, subject INTEGER NOT NULL REFERENCES subjects,
            PRIMARY KEY (seq, subject)) WITHOUT ROWID""",
    "labels": "CREATE TABLE labels (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
}
"""The tables of every journal, word for word (but for spaces) as the first version made them."""

LATER_TABLES = {
    "spot_checks": """
        CREATE TABLE IF NOT EXISTS spot_checks (number INTEGER PRIMARY KEY, size INTEGER NOT NULL, seed INTEGER NOT NULL,
            revision INTEGER NOT NULL)""",
    "places": """
        CREATE TABLE IF NOT EXISTS places (subject INTEGER PRIMARY KEY, place INTEGER NOT NULL, places INTEGER NOT NULL)""",
    "turned": "CREATE TABLE IF NOT EXISTS turned (seq INTEGER PRIMARY KEY, act TEXT NOT NULL)",
    "sums": "CREATE TABLE IF NOT EXISTS sums (seq INTEGER PRIMARY KEY, sum TEXT NOT NULL)",
    "about": "CREATE TABLE IF NOT EXISTS about (what TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "other_sums": "CREATE TABLE IF NOT EXISTS other_sums (what TEXT PRIMARY KEY, sum TEXT NOT NULL)",
}
"""Made with a journal or by its next decision; older journals and older versions work without."""


@dataclass(frozen=True)
class Subject:
    """A reviewed row as the journal knows it: content key, given label, its number among the rows of this text and label (`twin`
    of `twins`), and among all rows of this text (`place` of `places`; None in journals of before).
    """

    key: int
    given: str | None
    twin: int
    twins: int
    place: int | None = None
    places: int | None = None


@dataclass(frozen=True)
class JournalledDecision:
    """A decision as it was written: its rows are subjects, its label a name. `turns_to`: as of `Decision`."""

    kind: str
    subjects: tuple[int, ...]
    label: str | None
    note: str | None
    reviewer: str
    at: str
    op_id: str
    turns_to: str | None = None


@dataclass(frozen=True)
class Written:
    """All that a journal holds: reviewed rows by number, decisions in order, how the column writes its labels, and the last
    spot check. `label_column`: the column's name; None in journals of before. `names`: what the file calls labels that have
    another name in the data under review.
    """

    subjects: dict[int, Subject]
    decisions: list[JournalledDecision]
    values: dict[str, Any]
    spot_check: SpotCheck | None = None
    label_column: str | None = None
    names: Mapping[str | None, str] = field(default_factory=dict)


def read_written(db: sqlite3.Connection) -> Written:
    """All that the journal holds; `ValueError` or an error of SQLite's where anything in it is not as it was written."""
    found = _Rows(db)
    places = {n: place for n, *place in found.of("places", "subject, place, places", int, int, int)}
    subjects = {
        n: Subject(key % 2**64, given, twin, twins, *places.pop(n, ()))
        for n, key, given, twin, twins in found.of("subjects", "subject, key, given, twin, twins", int, int, _TEXT, int, int)
    }
    decided: dict[int, list[int]] = {}
    for seq, subject in found.of("decided", "seq, subject", int, int):
        if subject not in subjects:
            raise ValueError(f"decision {seq} is on a row that it does not know")
        decided.setdefault(seq, []).append(subject)
    decisions, known, last = [], set[int](), ""
    sums, turned = dict(found.of("sums", "seq, sum", int, str)), dict(found.of("turned", "seq, act", int, str))
    columns = ("seq, kind, label, note, reviewer, at, op_id", int, str, _TEXT, _TEXT, str, str, str)
    rows = list(found.of("decisions", *columns))
    for seq, kind, label, note, reviewer, at, op_id in rows:
        on = tuple(decided.pop(seq, ()))
        decision = JournalledDecision(kind, on, label, note, reviewer, at, op_id, turned.pop(seq, None))
        if kind not in KINDS or (kind == "relabel" and label is None) or not 1970 < datetime.fromisoformat(at).year < 2200:
            raise ValueError(f"decision {seq} of {len(rows)} is none that there is")
        new = {n: subjects[n] for n in decision.subjects if n not in known}
        known.update(new)
        written = sums.pop(seq, None)
        if written is not None and written != sum_of_decision(decision, new, last):
            raise ValueError(f"decision {seq} of {len(rows)} is not as it was written")
        last = written or last
        decisions.append(decision)
    if decided or sums or turned:
        raise ValueError(f"decision {min([*decided, *sums, *turned])} is missing")
    if places:
        raise ValueError(f"row {min(places)} is missing")
    values = {name: _value(value) for name, value in found.of("labels", "name, value", str, str)}
    spot_check = None
    for number, *drawn in found.of("spot_checks", "number, size, seed, revision", int, int, int, int):
        spot_check = SpotCheck(*drawn)
        if spot_check.size < 1 or spot_check.seed < 0 or not 0 <= spot_check.revision <= len(decisions):
            raise ValueError(f"its spot check {number} is none that there is")
        found.check(f"spot check {number}", drawn)
    for name, value in values.items():
        found.check(f"label {name}", value)
    about = dict(found.of("about", "what, value", str, str))
    for what, value in about.items():
        found.check(f"about {what}", value)
    found.check_that_nothing_is_missing()
    return Written(subjects, decisions, values, spot_check, about.get("label column"))


def sum_of_decision(decision: JournalledDecision, new: Mapping[int, Subject], before: str) -> str:
    """The sum of one decision. `new`: the subjects that it is the first to be on, by number; `before`: the last sum."""
    d = decision
    known = [n for n in d.subjects if n not in new]
    rows = [(n, s.key, s.given, s.twin, s.twins, s.place, s.places) for n, s in sorted(new.items())]
    return sum_of([before, d.op_id, d.kind, d.label, d.note, d.reviewer, d.at, d.turns_to, sorted(known), rows])


def sum_of(what: Any) -> str:
    return hashlib.blake2b(json.dumps(what).encode(), digest_size=8).hexdigest()


_TEXT = (str, type(None))


class _Rows:
    """Rows of tables that may not be there, each value of the type that it should have."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
        self._sums = dict(self.of("other_sums", "what, sum", str, str))

    def of(self, table: str, columns: str, *types: Any) -> Iterable[tuple[Any, ...]]:
        if table not in self._tables:
            return
        for row in self._db.execute(f"SELECT {columns} FROM {table} ORDER BY 1, 2"):
            if not all(map(isinstance, row, types)):
                raise ValueError(f"in its table {table!r} stands {row!r}")
            yield row

    def check(self, what: str, value: Any) -> None:
        """`ValueError` where there is a sum and it is another."""
        if self._sums.pop(what, None) not in (None, sum_of(value)):
            raise ValueError(f"its {what!r} is not as it was written")

    def check_that_nothing_is_missing(self) -> None:
        if self._sums:
            raise ValueError(f"its {min(self._sums)!r} is missing")


def _value(written: str) -> Any:
    value = json.loads(written)
    plain = (str, int, float, bool, type(None))
    if not isinstance(value, plain) and not (isinstance(value, list) and all(isinstance(v, plain) for v in value)):
        raise ValueError(f"a label is written as {written!r}")
    return value
