"""The page that comes next is drawn out of sight, and is nothing to a person, a key or a check until it is turned to."""

from __future__ import annotations

import pytest
from grid_page import examples
from playwright.sync_api import expect

MARKS = "[role=row], [data-row], [aria-rowindex], [data-verdict], [data-label], [data-saved], [aria-selected], [tabindex='0']"


def ahead(grid):
    return grid.root.locator("[role=rowgroup][aria-hidden=true]")


@pytest.fixture
def grid(mount):
    grid = mount(35)
    expect(ahead(grid)).to_contain_text("example number 19")
    return grid


def test_what_is_drawn_ahead_is_no_row_and_not_in_sight(grid):
    expect(grid.rows).to_have_count(10)
    expect(ahead(grid).locator(MARKS)).to_have_count(0)
    expect(grid.cursor).to_have_count(1)
    expect(grid.root.get_by_role("checkbox", name="Select row 19")).to_have_count(0)
    seen, unseen = (locator.bounding_box() for locator in (grid.root.get_by_role("grid"), ahead(grid)))
    assert unseen["x"] + unseen["width"] <= seen["x"]
    assert unseen["height"] == grid.root.locator("[role=rowgroup]").first.bounding_box()["height"]
    expect(ahead(grid)).not_to_be_in_viewport()
    # The notebook gets nothing to scroll to.
    assert grid.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_turning_to_it_draws_no_row_again(grid):
    grid.start_at(0)
    redrawn = grid.page.evaluate(
        """() => {
            const ahead = document.querySelector("[role=rowgroup][aria-hidden]");
            const watch = new MutationObserver(() => undefined);
            watch.observe(ahead, { subtree: true, childList: true, characterData: true });
            document.querySelector("[aria-label='Next page']").click();
            return [watch.takeRecords().length, ahead.querySelectorAll("[data-row]").length, ahead.ariaHidden];
        }"""
    )
    assert redrawn == [0, 10, None]
    expect(grid.row(10)).to_have_attribute("aria-rowindex", "12")
    expect(grid.row(10)).to_contain_text("example number 10")
    expect(grid.rows).to_have_count(10)


def test_the_focus_goes_along_and_back(grid):
    grid.start_at(4)
    grid.page.keyboard.press("PageDown")
    expect(grid.row(10)).to_be_focused()
    expect(grid.cursor).to_have_count(1)
    expect(ahead(grid)).to_contain_text("example number 29")
    grid.page.keyboard.press("PageUp")
    expect(grid.row(0)).to_be_focused()
    grid.page.keyboard.press("PageDown")
    grid.page.keyboard.press("PageDown")
    expect(grid.row(20)).to_be_focused()
    # On the way back the page before is the one that comes next.
    grid.page.keyboard.press("ArrowUp")
    expect(grid.row(19)).to_be_focused()
    expect(ahead(grid)).to_contain_text("example number 9")
    expect(grid.cursor).to_have_count(1)
    expect(grid.rows).to_have_count(10)


def test_a_short_last_page_keeps_the_height(grid):
    height = grid.root.bounding_box()["height"]
    for page in (1, 2, 3):
        grid.button("Next page").click()
        expect(grid.row(10 * page)).to_be_visible()
    expect(grid.rows).to_have_count(5)
    assert grid.root.bounding_box()["height"] == height
    grid.button("Previous page").click()
    expect(grid.rows).to_have_count(10)
    expect(grid.row(29)).to_contain_text("example number 29")


def test_what_is_done_meanwhile_is_seen_on_it(grid):
    grid.start_at(0)
    grid.page.keyboard.press("b")  # blind
    expect(ahead(grid)).not_to_contain_text("90 %")
    grid.root.get_by_role("checkbox", name="Select all on the page").click()
    grid.root.get_by_role("button", name="Select all 35").click()
    grid.root.get_by_role("button", name="Keep selected").click()
    grid.root.get_by_role("dialog").get_by_role("button", name="Keep 35 rows").click()
    expect(grid.root).to_have_attribute("data-unsaved", "0")
    grid.page.keyboard.press("PageDown")
    expect(grid.row(10)).to_have_attribute("data-verdict", "keep")
    expect(grid.row(10)).to_contain_text("kept")
    expect(grid.row(10)).not_to_contain_text("90 %")
    grid.page.keyboard.press("b")
    expect(grid.row(10)).to_contain_text("90 %")


def test_longer_and_shorter_pages_leave_nothing_of_it_in_the_way(mount):
    grid = mount(examples(120))
    expect(ahead(grid)).to_contain_text("example number 19")
    height = grid.root.bounding_box()["height"]
    grid.box("Rows per page").select_option("50")
    expect(ahead(grid)).to_contain_text("example number 99")
    grid.box("Rows per page").select_option("10")
    expect(grid.rows).to_have_count(10)
    assert grid.root.bounding_box()["height"] == height
