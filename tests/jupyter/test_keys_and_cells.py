"""Keys pressed in the grid stay in the grid: the notebook's own shortcuts would delete the cell under it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from headlines import LABELS, SCORE, SETUP, SHOW, best_other, given_label, parse
from notebook_page import NotebookPage
from playwright.sync_api import expect

OpenNotebook = Callable[..., NotebookPage]

FOCUS = {
    "a row": '[role=row][data-row] [data-column="loss"]',
    "a button of a row": "[role=row][data-row] button",
    "the pager": "button:not([disabled])",
    "the status line": "[role=status]",
    "the search box": "[role=searchbox], input[type=search]",
}


@pytest.mark.parametrize("keys", ["dd", "abxmrz"], ids=["dd", "other shortcuts"])
def test_no_shortcut_of_the_notebook_fires_from_inside_the_grid(open_notebook: OpenNotebook, keys: str) -> None:
    notebook = open_notebook(SETUP + SCORE, SHOW, "1 + 1")
    notebook.run(0, 1)
    grid = notebook.grid(1)
    cells = notebook.sources()
    for where, selector in FOCUS.items():
        grid.root.locator(selector).first.click()
        for key in keys:
            notebook.page.keyboard.press(key)
        notebook.page.keyboard.press("Escape")
        assert notebook.sources() == cells, where
        expect(grid.root).to_be_visible()


def test_decisions_by_key_move_on_to_the_next_row(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(SETUP + SCORE, SHOW, LABELS)
    notebook.run(0, 1)
    grid = notebook.grid(1)
    first, second, third = (int(row.get_attribute("data-row") or "") for row in grid.rows.all()[:3])
    grid.root.locator("[role=row] [tabindex='0'], [role=row][tabindex='0']").first.focus()
    for key in "ayx":
        notebook.page.keyboard.press(key)
    grid.row(first).expect_state(best_other(first), "relabel")
    grid.row(second).expect_state(given_label(second), "keep")
    grid.row(third).expect_state(given_label(third), "remove")
    notebook.page.keyboard.press("z")
    grid.row(third).expect_state(given_label(third), "")
    labels = parse(notebook.ask(2))
    assert labels[first] == best_other(first)
