"""What VS Code and Colab do otherwise than JupyterLab, as their own sources and a VS Code in a browser have shown it."""

from __future__ import annotations

import pytest
from grid_page import LABELS, GridPage, examples
from playwright.sync_api import expect

# What the widget managers of both define, whatever the theme.
AS_HOST = """([classes, style]) => {
    delete document.body.dataset.jpThemeLight;
    document.body.className = classes;
    document.documentElement.style.cssText = `--jp-layout-color1: white; --jp-content-font-color1: black; ${style}`;
}"""
VS_CODE = ["vscode-body vscode-dark", "--vscode-editor-background: #1f1f1f; --vscode-foreground: #cccccc"]
# As tall as all the outputs in it: the window never scrolls.
FRAME = {"width": 900, "height": 4000}


def colours(grid) -> list[str]:
    return grid.root.evaluate("el => [getComputedStyle(el).backgroundColor, getComputedStyle(el).color]")


@pytest.fixture
def in_vs_code(blank, mount):
    blank.set_viewport_size(FRAME)
    blank.evaluate(AS_HOST, VS_CODE)
    return lambda *data, **setup: mount(*data, page_size=30, **setup)


def test_vs_code_gives_its_own_colours_though_its_widgets_know_jupyterlabs(in_vs_code):
    grid = in_vs_code()
    assert colours(grid) == ["rgb(31, 31, 31)", "rgb(204, 204, 204)"]
    grid.page.evaluate("document.body.className = 'vscode-body vscode-high-contrast-light vscode-high-contrast'")
    expect(grid.page.locator(".loss-widget:not(.lw-dark)")).to_have_count(1)


def test_in_a_frame_as_tall_as_its_outputs_the_grid_scrolls_by_itself_and_the_cursor_stays_in_sight(in_vs_code):
    grid = in_vs_code()
    home = grid.root.bounding_box()
    assert home["height"] <= 840
    expect(grid.root.locator(".lw-panes")).to_be_hidden()
    grid.start_at(0)
    for _ in range(24):
        grid.page.keyboard.press("ArrowDown")
        inspector, row = grid.root.locator(".lw-inspector").bounding_box(), grid.cursor.bounding_box()
        assert home["y"] < row["y"] < inspector["y"] + 1 - row["height"]
    assert grid.root.evaluate("el => el.scrollTop") > 200
    expect(grid.cursor).to_have_attribute("data-row", "24")
    for key, part in (("Enter", ".lw-picker"), ("?", ".lw-help"), ("n", ".lw-note"), ("/", ".lw-search")):
        grid.page.keyboard.press(key)
        box = grid.root.locator(part).first.bounding_box()
        assert home["y"] <= box["y"] <= home["y"] + home["height"] - box["height"], part
        grid.page.keyboard.press("Escape")
        grid.start_at(24)


def test_the_cursor_stays_in_sight_where_a_button_has_the_focus_and_when_the_button_goes(in_vs_code):
    grid = in_vs_code(70)
    head, inspector = grid.root.locator(".lw-head"), grid.root.locator(".lw-inspector")

    def expect_in_sight(row: str) -> None:
        expect(grid.cursor).to_have_attribute("data-row", row)
        box, above, below = (part.bounding_box() for part in (grid.cursor, head, inspector))
        assert above["y"] + above["height"] <= box["y"] <= below["y"] + 1 - box["height"]

    grid.start_at(0)
    grid.page.keyboard.press("End")
    expect_in_sight("29")
    grid.button("Next page").click()
    expect_in_sight("30")
    grid.page.keyboard.press("End")
    expect_in_sight("59")
    expect(grid.button("Next page")).to_be_focused()
    grid.start_at(59)
    grid.page.keyboard.press("Control+a")
    grid.button("Select all 70").click()
    expect(grid.row(59)).to_be_focused()
    expect_in_sight("59")
    grid.page.keyboard.press("x")
    home, asked = grid.root.bounding_box(), grid.root.get_by_role("dialog").bounding_box()
    assert home["y"] <= asked["y"] <= home["y"] + home["height"] - asked["height"]


def test_vs_code_hears_what_is_its_own_and_nothing_that_runs_a_cell(in_vs_code):
    grid = in_vs_code()
    grid.page.evaluate("window.heard = []; addEventListener('keydown', (event) => heard.push(event.key))")
    search = grid.root.get_by_role("searchbox")
    for here, theirs in ((grid.row(3), ("F1", "Alt+z", "Control+s", "Control+p")), (search, ("F1", "Control+s", "Control+p"))):
        for key in ("Control+Enter", "Alt+Enter", "Shift+Enter", "Control+z", "Control+a", "m", *theirs):
            here.focus()
            grid.page.evaluate("heard.length = 0")
            grid.page.keyboard.press(key)
            heard = grid.page.evaluate("heard.filter((key) => !/Control|Alt|Shift/.test(key))")
            assert heard == ([key.split("+")[-1]] if key in theirs else []), key


def test_colab_tells_its_theme_by_an_attribute_and_its_frames_paint_nothing(blank, mount):
    blank.set_viewport_size(FRAME)
    blank.emulate_media(color_scheme="dark")
    try:
        blank.evaluate(AS_HOST, ["", ""])
        blank.evaluate("window.google = { colab: {} }")
        grid = mount(page_size=30)
        dark = grid.page.locator(".loss-widget.lw-dark")
        expect(dark).to_have_count(0)
        assert colours(grid) == ["rgb(255, 255, 255)", "rgb(31, 35, 40)"]
        blank.evaluate("document.documentElement.setAttribute('theme', 'dark')")
        expect(dark).to_have_count(1)
        assert colours(grid) == ["rgb(27, 31, 36)", "rgb(230, 232, 235)"]
        assert grid.root.bounding_box()["height"] <= 840
    finally:
        blank.emulate_media(color_scheme=None)


def test_a_grid_restored_from_a_notebooks_file_says_that_there_is_no_kernel(blank):
    blank.evaluate(
        """async (setup) => {
            window.model = harness.makeModel(setup, { busy: true });
            model.announcements.comm_live = false;
            await harness.show(model, {});
        }""",
        {"labels": list(LABELS), "examples": examples(20)},
    )
    expect(GridPage(blank).status).to_contain_text("The kernel has stopped: re-run the cell")
