"""Clicks and cells at the same time: ipykernel 7 answers clicks on a second thread."""

from __future__ import annotations

import ast
from collections.abc import Callable

import pytest
from headlines import LABELS, SCORE, SETUP, SHOW, TOP, best_other, given_label, parse
from notebook_page import CURRENT, NotebookPage
from playwright.sync_api import expect

OpenNotebook = Callable[..., NotebookPage]

TRIES = 50
CLICK_AND_RUN = f"""async ([row, cell, wait_ms]) => {{
  const nb = {CURRENT}.content;
  nb.deselectAll();
  nb.activeCellIndex = cell;
  document.querySelector(`.loss-widget [data-row="${{row}}"] [data-column="loss"]`).click();
  if (wait_ms) await new Promise((done) => setTimeout(done, wait_ms));
  await window.jupyterapp.commands.execute('notebook:run-cell');
}}"""


@pytest.mark.parametrize("wait_ms", [0, 10], ids=["in the same breath", "10 ms later"])
def test_a_cell_run_right_after_a_click_sees_the_new_label(open_notebook: OpenNotebook, wait_ms: int) -> None:
    shown = "seen = []\nwidget = lw.LossWidget(df, probs=probs, label_names=names)\nwidget"
    notebook = open_notebook(SETUP, shown, "seen.append(df['label'].tolist())", "print(seen)")
    notebook.run(0, 1)
    grid = notebook.grid(1)
    rows = [int(row.get_attribute("data-row") or "") for row in grid.rows.all()]
    for attempt in range(TRIES):
        notebook.page.evaluate(CLICK_AND_RUN, [rows[attempt % len(rows)], 2, wait_ms])
        grid.expect_saved()
    labels = {row: given_label(row) for row in rows}
    late = []
    for attempt, seen in enumerate(ast.literal_eval(notebook.ask(3))):
        row = rows[attempt % len(rows)]
        labels[row] = best_other(row) if labels[row] == given_label(row) else given_label(row)
        if seen[row] != labels[row]:
            late.append(attempt)
    assert late == []
    assert attempt == TRIES - 1


SLOW_DECISIONS = """
decide = lw.ReviewSession.decide

def decide_slowly(*args, **options):
    time.sleep(0.05)
    return decide(*args, **options)

lw.ReviewSession.decide = decide_slowly
"""


def test_the_first_click_of_a_kernel_is_seen_by_the_next_cell_too(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(SETUP + SCORE + SLOW_DECISIONS, SHOW.replace("(scores)", "(scores, journal=None)"), LABELS)
    for _ in range(4):
        notebook.run(0, 1)
        grid = notebook.grid(1)
        notebook.page.evaluate(CLICK_AND_RUN, [TOP, 2, 0])
        grid.expect_saved()
        assert parse(notebook.printed(2))[TOP] == best_other(TOP)
        notebook.restart_kernel()


def test_a_click_during_a_busy_cell_is_drawn_at_once_and_saved(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(SETUP + SCORE, SHOW, "time.sleep(3)\nprint('slept')", LABELS)
    notebook.run(0, 1)
    grid = notebook.grid(1)
    notebook.start(2)
    drawn = notebook.page.evaluate(
        """(row) => {
          document.querySelector(`.loss-widget [data-row="${row}"] [data-column="loss"]`).click();
          return document.querySelector(`.loss-widget [data-row="${row}"]`).dataset.label;
        }""",
        TOP,
    )
    assert drawn == best_other(TOP)
    grid.row(TOP).expect_state(best_other(TOP), "relabel")
    expect(grid.root).to_have_attribute("data-unsaved", "0")
    assert parse(notebook.ask(3))[TOP] == best_other(TOP)
    assert notebook.printed(2) == "slept"
