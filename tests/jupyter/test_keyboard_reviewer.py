"""A reviewer without a mouse: a hundred decisions on real news, all of them in the DataFrame and the journal afterwards."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from notebook_page import NotebookPage
from playwright.sync_api import expect

import loss_widget as lw

OpenNotebook = Callable[..., NotebookPage]

pytestmark = pytest.mark.parametrize("host", ["lab"], indirect=True)

NEWS = Path(__file__).parents[3] / "shared" / "data" / "agnews" / "test.csv"
NAMES = ["Business", "Sci/Tech", "Sports", "World"]
ROWS = 1_000
DECISIONS = 100
READ = f"""
import pandas as pd

names = ["World", "Sports", "Business", "Sci/Tech"]
news = pd.read_csv({str(NEWS)!r}, names=["class", "title", "description"], nrows={ROWS})
df = pd.DataFrame({{"text": news["title"] + ". " + news["description"], "label": [names[i - 1] for i in news["class"]]}})
"""
SCORE = f"""
import json
import loss_widget as lw
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline

classifier = make_pipeline(TfidfVectorizer(), LogisticRegression())
probs = cross_val_predict(classifier, df["text"], df["label"], cv=3, method="predict_proba")
scores = lw.Scores.from_probs(df, probs, label_names={NAMES}, in_sample=False)
top = lw.ReviewSession(scores, journal=None, copy=True).page(lw.Query(limit={DECISIONS})).rows
print(json.dumps([[row.row, row.given_label, [name for name, _ in row.top]] for row in top]))
"""
SHOW = "widget = lw.LossWidget(scores, reviewer='ann')\nwidget"
WHAT_IT_CAME_TO = """
changes = widget.changes
print(json.dumps({"labels": widget.df["label"].tolist(), "verdicts": dict(zip(changes["row"].tolist(), changes["verdict"]))}))
"""


@dataclass(frozen=True)
class Act:
    """The keys that decide on the row under the cursor and move on; what they come to; how many entries in the journal."""

    keys: tuple[str, ...]
    verdict: str
    label: str
    entries: int = 1


def act(number: int, given: str, ranked: list[str]) -> Act:
    """The decision of that number: most relabel to the prediction or keep, the others use every other key."""
    best, second, third = (name for name in ranked if name != given)
    acts = {
        2: Act((str(NAMES.index(third) + 1),), "relabel", third),
        3: Act(("u",), "unsure", given),
        4: Act(("x",), "remove", given),
        5: Act(("Enter", *second[:3], "Enter"), "relabel", second),  # picked from the list by the first letters of its name
        6: Act(("x", "z", "y"), "keep", given, entries=3),  # removed by mistake, taken back, kept
        7: Act((" ", "z", "Z"), "relabel", best, entries=3),  # taken back, and yet right
        8: Act(("s",), "relabel", second),
    }
    even = Act(("a",), "relabel", best) if number % 2 else Act(("y",), "keep", given)
    return acts.get(number % 10, even)


def test_a_hundred_decisions_by_keyboard_alone(open_notebook: OpenNotebook, capsys: pytest.CaptureFixture[str]) -> None:
    if not NEWS.is_file():
        pytest.skip("AG News may not be shipped; put its files in ../shared/data/agnews to run this")
    notebook = open_notebook(READ + SCORE, SHOW, WHAT_IT_CAME_TO)
    press = notebook.page.keyboard.press
    notebook.page.evaluate("() => addEventListener('mousedown', () => { window.mouse = true; }, true)")
    top = json.loads(notebook.ask(0))
    press("ArrowDown")
    press("Control+Enter")
    grid = notebook.grid(1)
    stops = 0
    while not grid.root.evaluate("(root) => root.querySelector('[role=grid]').contains(document.activeElement)"):
        press("Tab")
        stops += 1
        assert stops < 60
    acts = {row: act(number, given, ranked) for number, (row, given, ranked) in enumerate(top)}

    started = time.perf_counter()
    for number, decision in enumerate(acts.values()):
        if number == 60:  # ahead and back again, by whole pages
            press("PageDown")
            press("PageUp")
        for key in decision.keys:
            press(key)
    grid.expect_saved()
    took = time.perf_counter() - started
    with capsys.disabled():
        print(f"\n{DECISIONS} decisions by keyboard in {took:.1f} s ({stops} Tabs into the grid)")

    expect(grid.root.get_by_role("status")).to_contain_text(f"{DECISIONS} of {ROWS:,} rows reviewed")
    came = json.loads(notebook.ask(2))
    news: dict[str, object] = {}
    exec(READ, news)
    frame = news["df"]
    assert isinstance(frame, pd.DataFrame)
    labels = frame["label"].tolist()
    for row, decision in acts.items():
        labels[row] = decision.label
    assert {int(row): verdict for row, verdict in came["verdicts"].items()} == {row: d.verdict for row, d in acts.items()}
    assert came["labels"] == labels
    [journal] = (notebook.folder / ".loss_widget").glob("*.sqlite")
    with closing(sqlite3.connect(journal)) as written:
        assert written.execute("SELECT count(*) FROM decisions").fetchone() == (sum(d.entries for d in acts.values()),)
    removed = [row for row, decision in acts.items() if decision.verdict == "remove"]
    assert len(acts) == DECISIONS
    applied = lw.apply_changes(frame, journal)
    assert applied["label"].to_dict() == {row: label for row, label in enumerate(labels) if row not in removed}
    assert not notebook.page.evaluate("() => window.mouse")
