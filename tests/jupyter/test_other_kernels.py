"""ipykernel 6 answers clicks after the cell, 7.3 beside it by other rules than 7.4: the same promises hold with each."""

from __future__ import annotations

import ast
from collections.abc import Callable

import pytest
from headlines import LABELS, SCORE, SETUP, SHOW, best_other, given_label, parse
from jupyter_host import KERNELS
from notebook_page import NotebookPage
from playwright.sync_api import expect
from test_clicks_beside_cells import CLICK_AND_RUN

OpenNotebook = Callable[..., NotebookPage]

pytestmark = pytest.mark.parametrize("host", ["lab"], indirect=True)  # what differs is in the kernel, not in the host

VERSION = "import ipykernel; print(ipykernel.__version__)"
TRIES = 20


def installed(version: str | None) -> str:
    """The name of the kernel with that ipykernel, None: the newest."""
    if version is None:
        return "python3"
    if not (KERNELS / f"ipykernel-{version}").is_dir():
        pytest.skip(f"no ipykernel {version} in {KERNELS}: `make jupyter-tests` installs it there")
    return f"ipykernel-{version}"


@pytest.fixture(params=["6.31.0", "7.3.0"])
def kernel(request: pytest.FixtureRequest) -> str:
    return installed(request.param)


@pytest.fixture(params=["6.31.0", "7.3.0", None], ids=["6.31.0", "7.3.0", "newest"])
def any_kernel(request: pytest.FixtureRequest) -> str:
    return installed(request.param)


def test_the_kernel_is_of_that_version(open_notebook: OpenNotebook, kernel: str) -> None:
    notebook = open_notebook(VERSION, kernel=kernel)
    assert notebook.ask(0) == kernel.removeprefix("ipykernel-")


@pytest.mark.parametrize("wait_ms", [0, 10], ids=["in the same breath", "10 ms later"])
def test_a_cell_run_right_after_a_click_sees_the_new_label(open_notebook: OpenNotebook, kernel: str, wait_ms: int) -> None:
    shown = "seen = []\nwidget = lw.LossWidget(df, probs=probs, label_names=names)\nwidget"
    notebook = open_notebook(SETUP, shown, "seen.append(df['label'].tolist())", "print(seen)", kernel=kernel)
    notebook.run(0, 1)
    grid = notebook.grid(1)
    rows = [int(row.get_attribute("data-row") or "") for row in grid.rows.all()]
    labels = {row: given_label(row) for row in rows}
    for attempt in range(TRIES):
        notebook.page.evaluate(CLICK_AND_RUN, [rows[attempt % len(rows)], 2, wait_ms])
        grid.expect_saved()
    seen = ast.literal_eval(notebook.ask(3))
    assert len(seen) == TRIES
    for attempt, found in enumerate(seen):
        row = rows[attempt % len(rows)]
        labels[row] = best_other(row) if labels[row] == given_label(row) else given_label(row)
        assert found[row] == labels[row], f"try {attempt} was late"


def test_decisions_queue_visibly_during_a_long_cell_and_arrive_once_in_order(
    open_notebook: OpenNotebook, any_kernel: str
) -> None:
    watched = "taken = []\nwidget = lw.LossWidget(scores)\nwidget.on_change(taken.append)\nwidget"
    order = "print([row for decision in taken for row in decision.rows])"
    notebook = open_notebook(SETUP + SCORE, watched, "time.sleep(4)\nprint('slept')", LABELS, order, kernel=any_kernel)
    notebook.run(0, 1)
    grid = notebook.grid(1)
    first = [int(row.get_attribute("data-row") or "") for row in grid.rows.all()][:3]
    grid.button("Next page").click()
    expect(grid.rows.first).not_to_have_attribute("data-row", str(first[0]))
    second = int(grid.rows.first.get_attribute("data-row") or "")
    grid.button("Previous page").click()
    expect(grid.rows.first).to_have_attribute("data-row", str(first[0]))

    notebook.start(2)
    for row in first:
        grid.row(row).click()
        expect(grid.row(row).element).to_have_attribute("data-label", best_other(row))
    grid.button("Next page").click()  # a page that was prefetched
    expect(grid.rows.first).to_have_attribute("data-row", str(second))
    grid.row(second).click()
    if any_kernel == "ipykernel-6.31.0":
        expect(grid.root).to_have_attribute("data-unsaved", "4")
        expect(grid.root).to_contain_text("4 decisions queued")
        assert notebook.printed(2) == ""
    else:
        grid.expect_saved()
        assert notebook.printed(2) == ""
    grid.expect_saved()
    assert ast.literal_eval(notebook.ask(4)) == [*first, second]
    assert notebook.printed(2) == "slept"
    labels = parse(notebook.ask(3))
    assert all(labels[row] == best_other(row) for row in [*first, second])


def test_a_review_survives_a_restart(open_notebook: OpenNotebook, kernel: str) -> None:
    notebook = open_notebook(SETUP + SCORE, SHOW, LABELS, kernel=kernel)
    notebook.run(0, 1)
    top = notebook.grid(1).top()
    row = top.position
    top.click()
    notebook.grid(1).expect_saved()
    notebook.restart_kernel()
    notebook.run(0, 1)
    notebook.grid(1).row(row).expect_state(best_other(row), "relabel")
    assert parse(notebook.ask(2))[row] == best_other(row)
