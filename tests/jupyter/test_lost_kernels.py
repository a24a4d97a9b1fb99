"""What a kernel had not answered when it went is on screen, in a file, and saved by the cell that is run again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pandas as pd
import pytest
from headlines import LABELS, SCORE, SETUP, best_other, given_label, parse
from notebook_page import Grid, NotebookPage
from playwright.sync_api import expect

import loss_widget as lw
from loss_widget.review.journal.journal import read_journal

OpenNotebook = Callable[..., NotebookPage]

pytestmark = pytest.mark.parametrize("host", ["lab"], indirect=True)  # the same page talks to the kernel in both

WATCH = "taken = []\nwidget = lw.LossWidget(scores)\nwidget.on_change(taken.append)\nwidget"
ORDER = "import json; print(json.dumps([[d.kind, *d.rows] for d in taken]))"


def decide_unheard(notebook: NotebookPage) -> tuple[Grid, list[int]]:
    """A saved decision on the first row of the page, then three on the next rows that the kernel never hears."""
    grid = notebook.grid(1)
    rows = [int(row.get_attribute("data-row") or "") for row in grid.rows.all()[:4]]
    grid.row(rows[0]).click()
    grid.expect_saved()
    notebook.stop_kernel()
    grid.row(rows[1]).click()
    grid.row(rows[2]).element.get_by_role("button", name="Remove").click()
    grid.row(rows[3]).click()
    grid.row(rows[3]).element.get_by_role("button", name="Keep").click()
    expect(grid.root).to_have_attribute("data-unsaved", "4")
    return grid, rows


def expect_all_saved(notebook: NotebookPage, rows: list[int], *, by_this_kernel: int) -> None:
    """In the grid, in the DataFrame, in the journal, and once and in order in the kernel, that took so many of the five."""
    grid = notebook.grid(1)
    grid.expect_saved()
    for row, label, verdict in zip(
        rows,
        [best_other(rows[0]), best_other(rows[1]), given_label(rows[2]), given_label(rows[3])],
        ["relabel", "relabel", "remove", "keep"],
        strict=True,
    ):
        grid.row(row).expect_state(label, verdict)
    decided = [["relabel", rows[0]], ["relabel", rows[1]], ["remove", rows[2]], ["relabel", rows[3]], ["keep", rows[3]]]
    assert json.loads(notebook.ask(3)) == decided[-by_this_kernel:]
    labels = parse(notebook.ask(2))
    assert [labels[row] for row in rows[:2]] == [best_other(row) for row in rows[:2]]
    [journal] = (notebook.folder / ".loss_widget").glob("*.sqlite")
    frame = pd.DataFrame({"text": [f"headline {i} <b>not bold</b>" for i in range(60)]})
    frame["label"] = [given_label(row) for row in range(60)]
    corrected = lw.apply_changes(frame, journal)
    assert corrected["label"].to_dict() == {row: label for row, label in enumerate(labels) if row != rows[2]}


@pytest.mark.parametrize("how", ["killed", "restarted"])
def test_decisions_that_a_lost_kernel_never_heard_are_told_kept_and_saved_by_the_next(
    open_notebook: OpenNotebook, how: str
) -> None:
    notebook = open_notebook(SETUP + SCORE, WATCH, LABELS, ORDER)
    notebook.run(0, 1)
    grid, rows = decide_unheard(notebook)
    if how == "killed":
        notebook.kill_kernel()
    else:
        notebook.restart_kernel()
    said = "The kernel has stopped: re-run the cell. 4 decisions are not saved yet, and will be then"
    expect(grid.root.get_by_role("status")).to_contain_text(said)
    for row in rows[1:]:
        expect(grid.row(row).element).to_have_attribute("data-saved", "false")
    with notebook.page.expect_download() as download:
        grid.button("Download them").click()
    path = notebook.folder / download.value.suggested_filename
    download.value.save_as(path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["row"], line["verdict"], line["new_label"]) for line in lines] == [
        (rows[1], "relabel", best_other(rows[1])),
        (rows[2], "remove", given_label(rows[2])),
        (rows[3], "keep", given_label(rows[3])),
    ]
    frame = pd.DataFrame({"text": [f"headline {i} <b>not bold</b>" for i in range(60)]})
    frame["label"] = [given_label(row) for row in range(60)]
    by_hand = lw.apply_changes(frame, path)
    assert by_hand["label"][rows[1]] == best_other(rows[1])
    assert rows[2] not in by_hand.index

    notebook.run(0, 1)
    expect_all_saved(notebook, rows, by_this_kernel=4)


def test_a_page_loaded_anew_after_the_kernel_was_lost_has_nothing_lost(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(SETUP + SCORE, WATCH, LABELS, ORDER)
    notebook.run(0, 1)
    notebook.save()
    _, rows = decide_unheard(notebook)
    notebook.kill_kernel()
    notebook.open()
    notebook.run(0, 1)
    expect_all_saved(notebook, rows, by_this_kernel=4)


def test_a_page_that_is_left_sends_everything_to_a_busy_kernel_and_comes_back_to_it(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(SETUP + SCORE, WATCH, LABELS, ORDER)
    notebook.run(0, 1)
    notebook.save()
    _, rows = decide_unheard(notebook)
    notebook.page.goto("about:blank")
    notebook.continue_kernel()
    [journal] = (notebook.folder / ".loss_widget").glob("*.sqlite")
    end = time.monotonic() + 30
    while len(read_journal(journal).decisions) < 5:
        assert time.monotonic() < end, "the page that was left had not sent everything"
        time.sleep(0.1)
    notebook.open()
    expect_all_saved(notebook, rows, by_this_kernel=5)
