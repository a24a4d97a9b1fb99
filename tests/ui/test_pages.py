"""Pages, filters and search: what is asked of the kernel, and what needs no asking."""

from __future__ import annotations

from grid_page import example, examples
from playwright.sync_api import expect


def offsets(grid):
    return [request["args"]["query"]["offset"] for request in grid.requests("page")]


def test_the_grid_says_how_many_rows_there_are_and_where_each_stands(mount):
    grid = mount(35)
    expect(grid.root.get_by_role("grid")).to_have_attribute("aria-rowcount", "36")
    expect(grid.root.locator("[role=row]").first).not_to_have_attribute("data-row", "0")
    grid.button("Last page").click()
    expect(grid.row(30)).to_have_attribute("aria-rowindex", "32")
    expect(grid.rows).to_have_count(5)
    expect(grid.root.locator("[role=row]")).to_have_count(6)


def test_the_pager_turns_pages_and_disables_what_does_nothing(mount):
    grid = mount(35)
    page = grid.root.get_by_role("textbox", name="Page", exact=True)
    for name, off in [("First page", True), ("Previous page", True), ("Next page", False), ("Last page", False)]:
        (expect(grid.button(name)).to_be_disabled if off else expect(grid.button(name)).to_be_enabled)()
    grid.button("Next page").click()
    expect(grid.row(10)).to_be_visible()
    expect(page).to_have_value("2")
    grid.button("Last page").click()
    expect(grid.row(30)).to_be_visible()
    expect(grid.button("Next page")).to_be_disabled()
    grid.button("Previous page").click()
    expect(grid.row(20)).to_be_visible()
    page.fill("1")
    page.press("Enter")
    expect(grid.row(0)).to_be_visible()
    page.fill("99")
    page.press("Enter")
    expect(grid.row(30)).to_be_visible()
    page.fill("nonsense")
    page.press("Enter")
    expect(page).to_have_value("4")
    grid.button("First page").click()
    expect(grid.row(0)).to_be_visible()


def test_a_fetched_neighbour_is_drawn_in_the_same_task(mount):
    grid = mount(100)
    grid.page.wait_for_function("() => model.kernel.heard.filter(({verb}) => verb === 'page').length === 2")
    drawn = grid.page.evaluate(
        """() => {
            model.busy = true;
            document.querySelector("[aria-label='Next page']").click();
            return [...document.querySelectorAll("[data-row]")].map((row) => row.dataset.row);
        }"""
    )
    assert drawn == [str(row) for row in range(10, 20)]
    assert offsets(grid) == [0, 10]


def test_both_neighbours_are_fetched_once(mount):
    grid = mount(100)
    for _ in range(3):
        grid.button("Next page").click()
    for _ in range(3):
        grid.button("Previous page").click()
    expect(grid.row(0)).to_be_visible()
    assert offsets(grid) == [0, 10, 20, 30, 40]


def test_fast_clicks_on_next_add_up(mount):
    grid = mount(100, delay=40)
    grid.page.evaluate("() => { for (let i = 0; i < 5; i++) document.querySelector(\"[aria-label='Next page']\").click(); }")
    expect(grid.row(50)).to_be_visible()
    expect(grid.rows).to_have_count(10)


def test_rows_per_page(mount):
    grid = mount(100)
    grid.button("Next page").click()
    grid.start_at(13)
    grid.box("Rows per page").select_option("50")
    expect(grid.rows).to_have_count(50)
    expect(grid.cursor).to_have_attribute("data-row", "13")
    grid.box("Rows per page").select_option("10")
    expect(grid.rows).to_have_count(10)
    expect(grid.cursor).to_have_attribute("data-row", "13")


def test_filters_show_as_chips_that_take_them_off(mount):
    grid = mount(100)
    grid.box("Given label").select_option("Sports")
    expect(grid.rows).to_have_count(10)
    expect(grid.rows.first).to_have_attribute("data-row", "2")
    expect(grid.left).to_have_text("25 of 100 rows")
    grid.box("Predicted label").select_option("Business")
    expect(grid.root.get_by_text("No row matches these filters.")).to_be_visible()
    expect(grid.rows).to_have_count(0)
    expect(grid.root.get_by_role("grid")).to_have_attribute("aria-rowcount", "1")
    grid.root.get_by_role("button", name="Filter off: given Sports").click()
    expect(grid.left).to_have_text("25 of 100 rows")
    expect(grid.rows.first).to_have_attribute("data-row", "3")
    grid.root.get_by_role("button", name="Filter off: predicted Business").click()
    expect(grid.left).to_have_text("100 rows")


def test_disagreements_and_rows_without_a_label(mount):
    rows = examples(20)
    rows[4] |= {"probs": [0.97, 0.01, 0.01, 0.01]}
    rows[5] |= {"given": None}
    grid = mount(rows)
    grid.root.get_by_role("checkbox", name="Disagreements only").check()
    expect(grid.left).to_have_text("18 of 20 rows")
    grid.root.get_by_role("checkbox", name="Disagreements only").uncheck()
    grid.box("Given label").select_option("no label")
    expect(grid.rows).to_have_count(1)
    expect(grid.row(5)).to_have_attribute("data-label", "")


def test_reviewing_the_not_reviewed_skips_no_row(mount):
    grid = mount(30)
    grid.box("Verdict").select_option("not reviewed")
    expect(grid.left).to_have_text("30 of 30 rows")
    grid.start_at(0)
    for _ in range(12):
        grid.page.keyboard.press("y")
    expect(grid.row(12)).to_be_focused()
    expect(grid.root).to_have_attribute("data-unsaved", "0")
    grid.root.get_by_role("button", name="Refresh").click()
    expect(grid.left).to_have_text("18 of 30 rows")
    expect(grid.rows.first).to_have_attribute("data-row", "12")
    grid.box("Verdict").select_option("kept")
    expect(grid.left).to_have_text("12 of 30 rows")


def test_sorting_and_turning_the_order_round(mount):
    grid = mount(30)
    grid.root.get_by_role("button", name="Highest first").click()
    expect(grid.rows.first).to_have_attribute("data-row", "29")
    for order, first in [("Margin", "Lowest first"), ("Loss", "Highest first"), ("Row", "Lowest first")]:
        grid.box("Sort by").select_option(order)
        expect(grid.root.get_by_role("button", name=first)).to_be_visible()
    expect(grid.rows.first).to_have_attribute("data-row", "0")


def test_search_waits_for_a_pause_and_not_for_enter(mount):
    grid = mount(100)
    search = grid.root.get_by_role("searchbox", name="Search text")
    before = len(grid.requests("page"))
    search.press_sequentially("NUMBER 7", delay=5)
    expect(grid.left).to_have_text("11 of 100 rows")
    asked = [request["args"]["query"]["search"] for request in grid.requests("page")[before:]]
    assert set(asked) == {"NUMBER 7"}
    expect(search).to_be_focused()
    search.fill("number 77")
    search.press("Enter")
    expect(grid.rows).to_have_count(1)
    search.fill("")
    expect(grid.left).to_have_text("100 rows")


def test_an_uncounted_search_says_so_until_the_count_comes(mount):
    grid = mount(45, countLater=True)
    expect(grid.root.get_by_role("grid")).to_have_attribute("aria-rowcount", "46")
    grid.button("Last page").click()
    expect(grid.row(44)).to_be_visible()
    assert len(grid.requests("count")) == 1


def test_a_long_text_is_cut_in_the_row_and_whole_in_the_inspector(mount):
    text = "word " * 600 + "THE END"
    grid = mount([example(0) | {"text": text}, example(1)], cutTextAt=2_000)
    expect(grid.root.get_by_text("THE END")).to_have_count(0)
    grid.button("Show all").click()
    expect(grid.root.get_by_text("THE END")).to_be_visible()
    grid.button("Show less").click()
    expect(grid.root.get_by_text("THE END")).to_have_count(0)


def test_an_empty_dataset_is_a_sentence(mount):
    grid = mount([])
    expect(grid.root.get_by_text("There are no rows.")).to_be_visible()
    expect(grid.root.get_by_role("grid")).to_have_attribute("aria-rowcount", "1")


def test_a_filter_takes_along_what_is_still_being_typed(mount):
    grid = mount(100)
    grid.root.get_by_role("searchbox", name="Search text").fill("number 7")
    grid.box("Given label").select_option("World")
    expect(grid.left).to_have_text("4 of 100 rows")
    expect(grid.root.get_by_role("button", name="Filter off")).to_have_count(2)
    grid.root.get_by_role("button", name="Filter off: text has").click()
    expect(grid.left).to_have_text("25 of 100 rows")
    expect(grid.root.get_by_role("searchbox", name="Search text")).to_have_value("")
