"""The panes above the grid: what is there to look at, filters by click and by key, progress, spot check, blind mode."""

from __future__ import annotations

import re

import pytest
from grid_page import LABELS, GridPage, example, examples
from playwright.sync_api import expect


def spread(count: int = 100, **changes) -> list[dict]:
    """Losses from 0.1 to 8, the highest first; every fourth row a given label, the model's label the next one."""
    rows = []
    for row in range(count):
        own = 2.718281828 ** -(8 - 7.9 * row / (count - 1))
        rest = (1 - own) / 3
        probs = [own if label == row % 4 else rest for label in range(4)]
        probs[(row + 1) % 4] += 0.001
        rows.append(example(row, probs=probs) | changes)
    return rows


@pytest.fixture
def grid(mount) -> GridPage:
    rows = spread()
    for row in (3, 7):
        rows[row]["quirks"] = ["markup"]
    rows[7]["quirks"] = ["markup", "truncated"]
    grid = mount(rows)
    expect(grid.root.locator(".lw-bins > div")).not_to_have_count(0)
    return grid


def drag(grid: GridPage, start: float, end: float) -> None:
    """Drags the mouse over this part of the histogram, 0 to 1."""
    box = grid.root.locator(".lw-plot").bounding_box()
    middle = box["y"] + box["height"] / 2
    grid.page.mouse.move(box["x"] + start * box["width"], middle)
    grid.page.mouse.down()
    grid.page.mouse.move(box["x"] + (start + end) / 2 * box["width"], middle)
    grid.page.mouse.move(box["x"] + end * box["width"], middle)
    grid.page.mouse.up()


def thumb(grid: GridPage, name: str):
    return grid.root.get_by_role("slider", name=name, exact=True)


def chip(grid: GridPage, says: str):
    return grid.root.get_by_role("button", name=f"Filter off: {says}")


def kind(grid: GridPage, name: str):
    return grid.root.locator(".lw-facet", has_text=name)


def shown_losses(grid: GridPage) -> list[float]:
    return [float(text) for text in grid.root.locator("[data-column=loss] .lw-number").all_inner_texts() if text]


def test_a_drag_over_the_histogram_leaves_the_rows_of_these_losses(grid):
    drag(grid, 0.25, 0.5)
    expect(chip(grid, "loss")).to_have_count(1)
    low, high = grid.requests("page")[-1]["args"]["query"]["loss_range"]
    assert (low, high) == pytest.approx((2, 4), abs=0.4)
    expect(grid.left).to_contain_text("of 100 rows")
    assert all(low <= loss <= high for loss in shown_losses(grid))
    assert float(thumb(grid, "Lowest loss shown").get_attribute("aria-valuenow")) == low
    assert float(thumb(grid, "Highest loss shown").get_attribute("aria-valuenow")) == high


def test_an_end_of_the_brush_can_be_dragged_on_and_the_last_bin_has_no_end(grid):
    drag(grid, 0.5, 0.7)
    drag(grid, thumb_at(grid, "Highest loss shown"), 0.999)
    expect(chip(grid, "loss ≥")).to_have_count(1)
    low, high = grid.requests("page")[-1]["args"]["query"]["loss_range"]
    assert low == pytest.approx(4, abs=0.4)
    assert high is None


def thumb_at(grid: GridPage, name: str) -> float:
    plot, box = grid.root.locator(".lw-plot").bounding_box(), thumb(grid, name).bounding_box()
    return (box["x"] + box["width"] / 2 - plot["x"]) / plot["width"]


def test_a_click_beside_the_brush_or_escape_takes_it_off(grid):
    plot = grid.root.locator(".lw-plot")
    for how in ("click", "Escape"):
        drag(grid, 0.5, 0.7)
        expect(chip(grid, "loss")).to_have_count(1)
        if how == "click":
            plot.click(position={"x": 40, "y": 20})
        else:
            grid.page.keyboard.press("Escape")
        expect(chip(grid, "loss")).to_have_count(0)
        expect(grid.left).to_have_text("100 rows")


def test_the_brush_works_by_keys_alone_and_asks_once_they_rest(grid):
    low = thumb(grid, "Lowest loss shown")
    low.focus()
    before = len(grid.requests("page"))
    for _ in range(4):
        grid.page.keyboard.press("PageUp")
    for _ in range(3):
        grid.page.keyboard.press("ArrowRight")
    grid.page.keyboard.press("ArrowLeft")
    expect(chip(grid, "loss ≥")).to_have_count(1)
    expect(low).to_be_focused()
    query = grid.requests("page")[-1]["args"]["query"]
    assert query["loss_range"][0] == float(low.get_attribute("aria-valuenow")) > 3
    assert len([r for r in grid.requests("page")[before:] if r["args"]["query"]["offset"] == 0]) == 1
    assert grid.requests("decide") == []
    grid.page.keyboard.press("Escape")
    expect(grid.left).to_have_text("100 rows")


def test_decisions_shade_the_histogram_soon(grid):
    done = "() => [...document.querySelectorAll('.lw-bins i')].filter((e) => e.offsetHeight > 0).length"
    assert grid.page.evaluate(done) == 0
    grid.row(0).get_by_role("button", name="Keep").click()
    grid.page.wait_for_function(f"({done})() === 1")


def test_a_cell_of_the_matrix_filters_and_says_how_many_were_wrong(grid):
    there = sum(row["given"] == 0 and row["probs"][1] > row["probs"][0] for row in spread())
    assert 10 < there < 25
    grid.row(0).click()
    grid.row(4).get_by_role("button", name="Keep").click()
    cell = grid.root.get_by_role("button", name=f"Business, predicted Sci/Tech: {there} rows, 1 of 2 wrong")
    cell.click()
    expect(grid.left).to_have_text(f"{there} of 100 rows")
    expect(grid.box("Given label")).to_have_value("Business")
    expect(grid.box("Predicted label")).to_have_value("Sci/Tech")
    expect(cell).to_have_attribute("aria-pressed", "true")
    cell.click()
    expect(grid.left).to_have_text("100 rows")


def test_of_many_labels_the_largest_cells_come_first(mount):
    names = [f"label_{i}" for i in range(20)]
    rows = [example(row, 20) for row in range(60)] + [example(3, 20) for _ in range(5)] + [example(9, 20, given=10)]
    grid = mount(rows, names)
    cells = grid.root.locator(".lw-line-cell")
    expect(cells).to_have_count(20)
    expect(cells.first).to_have_attribute("aria-label", re.compile("^label_3, predicted label_4: 8 rows"))
    grid.root.get_by_role("button", name="Show all pairs").click()
    expect(grid.root.locator(".lw-line-cell.lw-agree")).to_have_count(1)
    cells.first.focus()
    grid.page.keyboard.press("Enter")
    expect(grid.left).to_have_text("8 of 66 rows")
    expect(cells.first).to_be_focused()
    assert grid.requests("decide") == []


def test_kinds_of_rows_are_filters_with_counts_that_combine(grid):
    expect(kind(grid, "markup")).to_have_text("markup 2")
    expect(kind(grid, "not reviewed")).to_have_text("not reviewed 100")
    expect(kind(grid, "other script")).to_be_hidden()
    kind(grid, "markup").click()
    kind(grid, "truncated").click()
    expect(grid.left).to_have_text("1 of 100 rows")
    expect(grid.row(7)).to_be_visible()
    expect(kind(grid, "markup")).to_have_attribute("aria-pressed", "true")
    kind(grid, "truncated").click()
    expect(grid.left).to_have_text("2 of 100 rows")
    grid.row(3).get_by_role("button", name="Keep").click()
    expect(kind(grid, "kept")).to_have_text("kept ✓ 1")
    kind(grid, "kept").click()
    expect(grid.left).to_have_text("1 of 100 rows")


def test_all_filters_stand_in_one_line_and_go_one_by_one_or_together(grid):
    grid.box("Given label").select_option("World")
    kind(grid, "markup").click()
    kind(grid, "not reviewed").click()
    drag(grid, 0.5, 0.98)
    says = [text.removesuffix(" ×") for text in grid.root.locator(".lw-chips button").all_inner_texts()]
    expect(grid.left).to_have_text("2 of 100 rows")
    assert says[:2] == ["given World", "not reviewed"]
    assert says[-1] == "markup"
    assert len(says) == 4
    chip(grid, "markup").click()
    expect(kind(grid, "markup")).to_have_attribute("aria-pressed", "false")
    grid.button("Clear all").click()
    expect(grid.left).to_have_text("100 rows")
    expect(grid.root.locator(".lw-chips button")).to_have_count(0)
    expect(grid.button("Clear all")).to_be_hidden()


def test_the_low_end_is_one_click_away_and_back(grid):
    expect(grid.button("Highest loss")).to_have_attribute("aria-pressed", "true")
    grid.button("Lowest loss").click()
    expect(grid.rows.first).to_have_attribute("data-row", "99")
    expect(grid.button("Lowest loss")).to_have_attribute("aria-pressed", "true")
    assert shown_losses(grid) == sorted(shown_losses(grid))
    grid.button("Highest loss").click()
    expect(grid.rows.first).to_have_attribute("data-row", "0")


def test_each_pane_is_one_tab_stop_with_arrows_inside(grid):
    for pane in (".lw-cells", ".lw-facets"):
        buttons = grid.root.locator(f"{pane} button:visible:enabled")
        expect(buttons.nth(1)).to_be_visible()
        buttons.first.focus()
        grid.page.keyboard.press("ArrowRight")
        expect(buttons.nth(1)).to_be_focused()
        assert [button.get_attribute("tabindex") for button in buttons.all()].count("0") == 1
        grid.page.keyboard.press("ArrowUp")
        grid.page.keyboard.press("ArrowUp")
        expect(buttons.last).to_be_focused()
        grid.page.keyboard.press("Tab")
        expect(grid.root.locator(f"{pane} :focus")).to_have_count(0)


def test_a_spot_check_claims_nothing_before_enough_rows_are_judged(mount):
    grid = mount(spread(200), page_size=20)
    grid.button("Progress").click()
    sentence = grid.root.locator(".lw-so-far")
    expect(sentence).to_contain_text("Review a random sample")
    grid.button("Spot check").click()
    expect(grid.left).to_have_text("50 of 200 rows")
    expect(sentence).to_contain_text("20 more to judge")
    expect(grid.rows.first).to_be_focused()
    for _ in range(8):
        grid.page.keyboard.press("y")
    expect(sentence).to_contain_text("12 more to judge before it says anything. Number 9 of 50 is next.")
    assert "errors left" not in sentence.inner_text()
    for _ in range(12):
        grid.page.keyboard.press("y")
    expect(sentence).to_contain_text("errors left among 180 rows not reviewed; with 95 % confidence")
    for _ in range(30):
        grid.page.keyboard.press("y")
    expect(grid.status).to_contain_text("the spot check is done")
    grid.button("50 more").click()
    expect(grid.left).to_have_text("100 of 200 rows")
    grid.button("Spot check").click()
    expect(grid.left).to_have_text("200 rows")


def test_progress_counts_and_draws_what_was_found(grid):
    grid.button("Progress").click()
    for row, name in [(0, "Remove"), (1, "Keep"), (2, "Unsure")]:
        grid.row(row).get_by_role("button", name=name).click()
    grid.row(4).click()
    told = grid.root.locator(".lw-counts dd")
    expect(told).to_have_text(["4", "2", "1", "1"])
    expect(grid.root.get_by_role("img", name="Errors found: 2 in 4 reviewed rows")).to_be_visible()
    band = grid.root.locator(".lw-bands tr").filter(has_text="4 to 8")
    expect(band).to_contain_text("2 of 3")


def test_in_sample_scores_are_warned_of_and_unknown_ones_named_quietly(mount, blank):
    grid = mount(4, in_sample=True, provenance="tiny-bert")
    expect(grid.root.get_by_role("note")).to_contain_text("In-sample scores. The model was trained on these labels")
    expect(grid.root.locator(".lw-provenance")).to_have_text("tiny-bert")
    blank.reload()
    blank.wait_for_function("() => window.harness")
    grid = mount(4, provenance="tiny-bert")
    expect(grid.root.get_by_role("note")).to_be_hidden()
    expect(grid.root.locator(".lw-provenance")).to_contain_text("not known whether the model has seen these labels")


def test_blind_nothing_of_the_model_can_be_seen_and_a_click_opens_the_labels_in_their_own_order(grid):
    grid.box("Predicted label").select_option("World")
    grid.start_at(2)
    grid.page.keyboard.press("b")
    expect(grid.button("Blind")).to_have_attribute("aria-pressed", "true")
    expect(grid.left).to_have_text("100 rows")
    expect(grid.box("Predicted label")).to_be_disabled()
    rows = " ".join(grid.rows.all_inner_texts())
    assert "%" not in rows
    assert not re.search(r"\d\.\d\d", rows)
    assert set(grid.root.locator("[data-column=predicted]").all_inner_texts()) <= {"", "\n"}
    for pane in ("Loss", "Confusion"):
        expect(grid.root.get_by_role("region", name=pane)).to_contain_text("Hidden while you review blind")
    grid.text(1).click()
    assert [text.split("\n")[0] for text in grid.options.all_inner_texts()] == list(LABELS)
    grid.options.last.click()
    expect(grid.row(1)).to_have_attribute("data-label", "World")
    grid.button("Blind").click()
    expect(grid.row(0).locator("[data-column=predicted]")).to_contain_text("Sci/Tech")


def test_panes_open_and_close_are_not_asked_for_while_closed_and_never_move_the_grid_by_themselves(grid):
    top = "() => document.querySelector('.lw-grid').getBoundingClientRect().top"
    before = grid.page.evaluate(top)
    grid.row(0).click()
    kind(grid, "relabelled").filter(has_text="1").wait_for()
    grid.row(1).get_by_role("button", name="Keep").click()
    kind(grid, "kept").filter(has_text="1").wait_for()
    assert grid.page.evaluate(top) == before
    for name in ("Loss", "Confusion", "Data issues"):
        grid.button(name).click()
        expect(grid.root.get_by_role("region", name=name)).to_be_hidden()
    asked = len(grid.requests("histogram")), len(grid.requests("confusion")), len(grid.requests("facets"))
    grid.box("Given label").select_option("World")
    expect(grid.left).to_have_text("25 of 100 rows")
    grid.page.wait_for_timeout(50)
    assert asked == (len(grid.requests("histogram")), len(grid.requests("confusion")), len(grid.requests("facets")))
    grid.button("Loss").click()
    expect(grid.root.locator(".lw-axis")).to_be_visible()


def test_in_a_narrow_cell_the_grid_comes_first_and_nothing_is_wider_than_it(mount):
    grid = mount(examples(40), width="400px", in_sample=True, provenance="a model with a long name " * 4)
    assert grid.requests("histogram") == []
    for name in ("Loss", "Confusion", "Data issues", "Progress"):
        expect(grid.root.get_by_role("region", name=name)).to_be_hidden()
        grid.button(name).click()
        expect(grid.root.get_by_role("region", name=name)).to_be_visible()
    expect(grid.root.locator(".lw-bands tr").first).to_be_visible()
    over = grid.root.evaluate(
        """(root) => [...root.querySelectorAll("*")].filter((e) => e.getClientRects().length && !e.closest(".lw-cells, svg") &&
            e.getBoundingClientRect().right > root.getBoundingClientRect().right + 1).map((e) => e.className)"""
    )
    assert over == []


def test_while_the_kernel_is_busy_the_panes_keep_what_they_have_and_the_grid_works(grid):
    grid.page.evaluate("() => { model.busy = true; }")
    grid.row(0).click()
    expect(grid.row(0)).to_have_attribute("data-verdict", "relabel")
    kind(grid, "markup").click()
    expect(grid.root.locator(".lw-bins > div").first).to_be_attached()
    grid.page.evaluate("() => model.release()")
    expect(grid.left).to_have_text("2 of 100 rows")
    expect(kind(grid, "relabelled")).to_have_text("relabelled 0")


def test_the_axis_has_round_numbers_and_a_pair_of_labels_is_whole(mount):
    names = [f"balance_not_updated_after_transfer_{i}" for i in range(8)]
    grid = mount(40, names)
    ticks = grid.root.locator(".lw-ticks span")
    expect(ticks.first).to_have_text("0")
    values = [float(text.rstrip(" +")) for text in ticks.all_inner_texts()]
    assert values == sorted(values)
    assert len(values) >= 3
    bars = grid.root.locator(".lw-bins").bounding_box()
    for tick in [tick.bounding_box() for tick in ticks.all()]:
        assert bars["x"] - 12 <= tick["x"] + tick["width"] / 2 <= bars["x"] + bars["width"] + 12
    cut = "cells => cells.flatMap((e) => [...e.children]).filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.textContent)"
    assert grid.root.locator(".lw-pair").evaluate_all(cut) == []
