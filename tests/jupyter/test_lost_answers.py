"""A server that drops the kernel's answers, as it does while a cell prints too much: every decision lands once, in order."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from headlines import LABELS, SCORE, SETUP, best_other, parse
from jupyter_host import JupyterHost
from notebook_page import NotebookPage
from playwright.sync_api import expect

OpenNotebook = Callable[..., NotebookPage]

WATCH = """
heard, taken = [], []
decide = lw.ReviewSession.decide

def listen(session, decision, **options):
    heard.append(decision.op_id)
    return decide(session, decision, **options)

lw.ReviewSession.decide = listen
widget = lw.LossWidget(scores)
widget.on_change(taken.append)
widget
"""
FLOOD = """
for _ in range(400):
    print("x" * 1_000, flush=True)
    time.sleep(0.005)
"""
WHAT_CAME = "import json; print(json.dumps([[d.rows[0] for d in taken], len(heard), len(set(heard))]))"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterHost]:
    """A server that lets 5 kB of output a second through; what comes beyond, answers of the kernel among it, it drops."""
    limits = ["--ServerApp.iopub_data_rate_limit=5000", "--ServerApp.rate_limit_window=1"]
    with JupyterHost("lab", tmp_path_factory.mktemp("limited"), *limits) as running:
        yield running


def test_decisions_whose_answers_the_server_dropped_are_sent_again(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(SETUP + SCORE, WATCH, FLOOD, LABELS, WHAT_CAME)
    notebook.run(0, 1)
    grid = notebook.grid(1)
    rows = [int(row.get_attribute("data-row") or "") for row in grid.rows.all()[:10]]
    notebook.start(2)
    expect(notebook.output(2)).to_contain_text("IOPub data rate exceeded")
    for row in rows:
        grid.row(row).click()
        expect(grid.row(row).element).to_have_attribute("data-label", best_other(row))
    # Decisions are sent again 2 s, 5 s and 15 s after each other; the server drops answers as long as the flood lasts.
    grid.expect_saved(seconds=60)
    decided, heard, different = json.loads(notebook.ask(4))
    assert decided == rows
    assert different == len(rows) < heard, "no answer was dropped"
    labels = parse(notebook.ask(3))
    assert all(labels[row] == best_other(row) for row in rows)
