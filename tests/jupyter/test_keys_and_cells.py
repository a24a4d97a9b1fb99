"""Keys pressed in the grid stay in the grid: the notebook's own shortcuts would delete the cell under it."""

from __future__ import annotations

from collections.abc import Callable

from headlines import LABELS, SCORE, SETUP, SHOW, best_other, given_label, parse
from notebook_page import NotebookPage
from playwright.sync_api import expect

OpenNotebook = Callable[..., NotebookPage]

# Where a person clicks before typing. The search box comes last: what is typed there hides the rows.
PLACES = {
    "a row": '[role=row][data-row] [data-column="loss"]',
    "a button of a row": "[role=row][data-row] button",
    "a button of the toolbar": "button:not([disabled])",
    "the status line": "[role=status]",
    "the search box": "[role=searchbox], input[type=search]",
}
# What these do in a notebook: delete, insert, cut, copy, paste, change and merge cells, undo, move, restart, interrupt, run.
KEYS = "d d a b x c v m r y Shift+M z j k 0 0 i i ArrowUp ArrowDown Shift+Enter Control+Enter".split()


def test_no_shortcut_of_the_notebook_fires_in_the_grid(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(SETUP + SCORE, SHOW, "1 + 1")
    notebook.run(0, 1)
    grid = notebook.grid(1)
    cells = notebook.sources()
    notebook.page.evaluate(
        "() => { window.fired = [];"
        " window.jupyterapp.commands.commandExecuted.connect((_, command) => window.fired.push(command.id)); }"
    )
    for place, selector in PLACES.items():
        grid.root.locator(selector).first.click()
        for key in KEYS:
            notebook.page.keyboard.press(key)
            fired = notebook.page.evaluate("() => window.fired")
            assert fired == [], f"{key} with the focus on {place}"
        assert notebook.sources() == cells
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


def test_the_help_names_every_key_whole(open_notebook: OpenNotebook) -> None:
    """In JupyterLab's wider code font, too."""
    notebook = open_notebook(SETUP + SCORE, SHOW)
    notebook.run(0, 1)
    grid = notebook.grid(1)
    grid.root.get_by_role("button", name="Help").click()
    keys = grid.root.get_by_role("dialog").locator("kbd")
    expect(keys.first).to_be_visible()
    cut = keys.evaluate_all("(keys) => keys.filter((k) => k.scrollWidth > k.clientWidth + 1).map((k) => k.textContent)")
    assert cut == []
