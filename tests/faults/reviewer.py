"""A reviewer who does the same things again for the same seed, and what a review comes to."""

from __future__ import annotations

import random
from pathlib import Path

import pandas as pd

import loss_widget as lw

NAMES = ["bad", "good", "meh"]
ROWS = 60
KINDS = ("relabel", "keep", "unsure", "remove", "clear", "note", "bulk", "undo", "undo", "redo", "draw", "again")


def make_frame() -> pd.DataFrame:
    """60 rows, some texts twice or three times, with and without the same label."""
    rng = random.Random(0)
    texts = [f"text {i % 45}" for i in range(ROWS)]
    return pd.DataFrame({"text": texts, "label": rng.choices(NAMES, k=ROWS), "loss": [rng.random() for _ in range(ROWS)]})


def open_review(journal: str | Path | None) -> lw.ReviewSession:
    return lw.ReviewSession(make_frame(), label_names=NAMES, journal=journal)


class Reviewer:
    """Acts at random. `act` returns the session, which is another one after a cell that was run again."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def act(self, session: lw.ReviewSession) -> lw.ReviewSession:
        rng = self._random
        row, rows, name = rng.randrange(ROWS), rng.sample(range(ROWS), rng.randint(2, 40)), rng.choice(NAMES)
        kind = rng.choice(
            ("relabel", "keep", "unsure", "remove", "clear", "note", "bulk", "undo", "undo", "redo", "draw", "again")
        )
        if kind == "relabel":
            session.relabel(row, name)
        elif kind == "bulk":
            session.relabel(rows, name) if rng.random() < 0.5 else session.keep(rows)
        elif kind == "note":
            session.note(row, rng.choice(("", "hm", "ä" * 900)))
        elif kind in ("undo", "redo"):
            getattr(session, kind)()
        elif kind == "draw":
            session.spot_check(rng.randint(1, 30), anew=True)
        elif kind == "again":
            return open_review(session.journal) if session.journal else session
        else:
            getattr(session, kind)(row)
        return session


def state_of(session: lw.ReviewSession) -> list[list[object]]:
    """Verdict, label and note of every row, as JSON holds them."""
    rows = session.page(lw.Query(sort="row", descending=False, limit=ROWS)).rows
    return [[row.verdict, row.label, row.note] for row in rows]


def state_after(seed: int, acts: int) -> list[list[object]]:
    """What a review that nothing happened to comes to."""
    session, reviewer = open_review(None), Reviewer(seed)
    for _ in range(acts):
        session = reviewer.act(session)
    return state_of(session)
