"""The main job, as a person does it in JupyterLab and in Notebook 7."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

from headlines import LABELS, SCORE, SETUP, SHOW, TOP, best_other, given_label, parse
from notebook_page import NotebookPage
from playwright.sync_api import Locator, expect

OpenNotebook = Callable[..., NotebookPage]


def test_a_click_is_in_the_dataframe_of_the_next_cell(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(SETUP + SCORE, SHOW, LABELS)
    notebook.run(0, 1)
    grid = notebook.grid(1)
    top = grid.top()
    assert top.position == TOP
    expect(top.cell("text")).to_contain_text(f"headline {TOP} <b>not bold</b>")
    top.click()
    top.expect_state(best_other(TOP), "relabel")
    grid.expect_saved()
    assert parse(notebook.ask(2))[TOP] == best_other(TOP)
    grid.button("Undo").click()
    top.expect_state(given_label(TOP), "")
    assert parse(notebook.ask(2))[TOP] == given_label(TOP)


def test_what_belongs_to_the_row_under_the_cursor_stays_in_the_window(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(SETUP + SCORE, SHOW, *["1"] * 20)
    notebook.page.set_viewport_size({"width": 1366, "height": 768})
    notebook.run(0, 1)
    grid = notebook.grid(1)
    keys = notebook.page.keyboard
    inspector = grid.root.locator(".lw-inspector")
    grid.rows.first.focus()
    for _ in range(18):
        keys.press("y")
    grid.expect_saved()
    keys.press("v")
    cursor = grid.root.locator("[role=row]:focus")
    for element in (cursor, inspector, grid.root.get_by_role("status"), grid.root.get_by_role("toolbar")):
        expect(element).to_be_in_viewport(ratio=1)
    expect(grid.root.get_by_role("status")).to_contain_text("saved")
    assert bottom(cursor) <= top(inspector) + 1
    keys.press("Home")
    assert top(cursor) >= bottom(grid.root.get_by_role("toolbar")) - 1


def top(element: Locator) -> float:
    return element.evaluate("e => e.getBoundingClientRect().top")


def bottom(element: Locator) -> float:
    return element.evaluate("e => e.getBoundingClientRect().bottom")


def test_a_review_survives_a_reload_and_a_restart(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(SETUP + SCORE, SHOW, LABELS)
    notebook.run(0, 1)
    notebook.grid(1).top().click()
    notebook.grid(1).row(TOP).expect_state(best_other(TOP), "relabel")
    notebook.save()
    notebook.open()
    grid = notebook.grid(1)
    grid.row(TOP).expect_state(best_other(TOP), "relabel")
    grid.button("Keep").click()
    grid.row(TOP).expect_state(given_label(TOP), "keep")
    notebook.restart_kernel()
    notebook.run(0, 1)
    notebook.grid(1).row(TOP).expect_state(given_label(TOP), "keep")
    notebook.grid(1).row(TOP).click()
    notebook.grid(1).row(TOP).expect_state(best_other(TOP), "relabel")
    assert parse(notebook.ask(2))[TOP] == best_other(TOP)


def test_a_review_survives_a_killed_kernel(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(SETUP + SCORE, SHOW, LABELS)
    notebook.run(0, 1)
    grid = notebook.grid(1)
    reviewed = [int(row.get_attribute("data-row") or "") for row in grid.rows.all()[:3]]
    for row in reviewed:
        grid.row(row).click()
    grid.expect_saved()
    notebook.kill_kernel()
    notebook.run(0, 1)
    for row in reviewed:
        notebook.grid(1).row(row).expect_state(best_other(row), "relabel")
    labels = parse(notebook.ask(2))
    assert [labels[row] for row in reviewed] == [best_other(row) for row in reviewed]


def test_running_the_cell_again_hands_the_review_to_the_new_grid(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(SETUP + SCORE, SHOW, "widget", LABELS)
    notebook.run(0, 1, 2)
    notebook.grid(1).top().click()
    notebook.grid(1).row(TOP).expect_state(best_other(TOP), "relabel")
    notebook.run(1)
    new, old = notebook.grid(1), notebook.grid(2)
    new.row(TOP).expect_state(best_other(TOP), "relabel")
    second = int(new.rows.nth(1).get_attribute("data-row") or "")
    new.row(second).click()
    new.row(second).expect_state(best_other(second), "relabel")

    expect(old.root).to_contain_text("A newer widget goes on with this review")
    third = int(old.rows.nth(2).get_attribute("data-row") or "")
    old.row(third).click()
    old.row(third).expect_state(given_label(third), "")
    labels = parse(notebook.ask(3))
    assert labels[second] == best_other(second)
    assert labels[third] == given_label(third)


def test_two_displays_of_one_widget_agree(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(SETUP + SCORE, SHOW, "widget")
    notebook.run(0, 1, 2)
    first, second = notebook.grid(1), notebook.grid(2)
    first.top().click()
    second.row(TOP).expect_state(best_other(TOP), "relabel")
    second.button("Undo").click()
    first.row(TOP).expect_state(given_label(TOP), "")
    second.row(TOP).expect_state(given_label(TOP), "")


def test_a_decision_in_python_shows_in_the_grid(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(SETUP + SCORE, SHOW, f"widget.relabel({TOP}, 'Sports')", "widget.undo()")
    notebook.run(0, 1)
    grid = notebook.grid(1)
    notebook.run(2)
    grid.row(TOP).expect_state("Sports", "relabel")
    notebook.run(3)
    grid.row(TOP).expect_state(given_label(TOP), "")


def test_export_writes_the_corrected_rows_beside_the_notebook(open_notebook: OpenNotebook) -> None:
    import pandas as pd

    notebook = open_notebook(SETUP + SCORE, SHOW)
    notebook.run(0, 1)
    grid = notebook.grid(1)
    grid.top().click()
    grid.expect_saved()
    grid.button("Export").click()
    expect(grid.root).to_contain_text("corrected.parquet")
    corrected = pd.read_parquet(notebook.folder / "corrected.parquet")
    assert list(corrected.columns) == ["text", "label"]
    assert corrected["label"][TOP] == best_other(TOP)


def test_a_saved_notebook_holds_no_text_of_the_data(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(SETUP + SCORE, SHOW)
    notebook.run(0, 1)
    notebook.grid(1)
    notebook.save()
    saved = notebook.path.read_text()
    assert "widget-view" in saved
    assert f"headline {TOP}" not in saved
    assert "widget-state" not in saved


def test_two_tabs_of_the_browser_show_the_same_truth(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(SETUP + SCORE, SHOW, LABELS)
    notebook.run(0, 1)
    notebook.grid(1).top().click()
    notebook.grid(1).expect_saved()
    notebook.save()
    other = notebook.in_another_tab()
    here, there = notebook.grid(1), other.grid(1)
    there.row(TOP).expect_state(best_other(TOP), "relabel")
    second = int(there.rows.nth(1).get_attribute("data-row") or "")
    there.row(second).click()
    here.row(second).expect_state(best_other(second), "relabel")
    here.button("Undo").click()
    there.row(second).expect_state(given_label(second), "")
    here.row(TOP).element.get_by_role("button", name="Keep").click()
    there.row(TOP).expect_state(given_label(TOP), "keep")
    for grid in (here, there):
        expect(grid.root.get_by_role("status")).to_contain_text("1 of 60 rows reviewed")
    other.page.close()
    assert parse(notebook.ask(2))[TOP] == given_label(TOP)


def test_a_spot_check_says_in_the_grid_and_in_python_how_many_errors_are_left(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(SETUP + SCORE, SHOW, "import json; print(json.dumps(widget.summary()))")
    notebook.run(0, 1)
    grid = notebook.grid(1)
    grid.button("Progress").click()
    said = grid.root.get_by_role("region", name="Progress")
    expect(said).to_contain_text("Review a random sample")
    grid.button("Spot check").click()
    expect(grid.root.get_by_role("status")).to_contain_text("50 rows drawn at random")
    grid.rows.first.focus()
    for key in "yyyyyyyyyayyyyyyyyxy":
        notebook.page.keyboard.press(key)
    grid.expect_saved()
    expect(said).to_contain_text("About 4 errors left among 40 rows not reviewed")  # a tenth, as of those judged
    summary = json.loads(notebook.ask(2))
    assert (summary["keep"], summary["relabel"], summary["remove"]) == (18, 1, 1)
    low, high = summary["errors_left_interval"]
    assert low < round(summary["errors_left"]) == 4 < high
    expect(said).to_contain_text(f"with 95 % confidence at most {math.ceil(high)}")
