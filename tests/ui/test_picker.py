"""The label picker: every label by probability, found by typing."""

from __future__ import annotations

import pytest
from grid_page import example, examples
from playwright.sync_api import expect

TOPICS = ("card", "transfer", "top_up", "exchange", "identity", "cash", "refund")
CASES = ("arrival", "not_working", "fee", "declined", "pending", "limits", "refused", "wrong_rate", "timing", "help", "twice")
NAMES = [f"{topic}_{case}" for topic in TOPICS for case in CASES]


@pytest.fixture
def grid(mount):
    assert len(NAMES) == 77
    return mount(examples(40, 77), NAMES)


def test_it_offers_all_labels_by_probability(grid):
    grid.start_at(5)
    grid.page.keyboard.press("Enter")
    options = grid.options
    expect(options).to_have_count(77)
    expect(options.first).to_contain_text(NAMES[6])
    expect(options.first).to_contain_text("90 %")
    expect(options.first).to_have_attribute("aria-selected", "true")
    shares = [float(text.split()[-2].lstrip("<>")) for text in options.all_inner_texts()]
    assert shares == sorted(shares, reverse=True)


def test_typing_finds_a_label_and_enter_takes_it_and_moves_on(grid):
    grid.start_at(5)
    grid.page.keyboard.press("Enter")
    grid.page.keyboard.type("rate ex")
    options = grid.root.locator("[role=option]:visible")
    expect(options).to_have_count(1)
    grid.page.keyboard.press("Enter")
    expect(grid.row(5)).to_have_attribute("data-label", "exchange_wrong_rate")
    expect(grid.root.get_by_role("listbox")).to_be_hidden()
    expect(grid.row(6)).to_be_focused()


def test_arrows_move_and_escape_leaves_everything_as_it_was(grid):
    grid.start_at(5)
    grid.page.keyboard.press("Enter")
    field = grid.root.get_by_role("combobox", name="New label of row 5")
    for key, picked in [("ArrowDown", 1), ("ArrowDown", 2), ("ArrowUp", 1), ("ArrowUp", 0), ("ArrowUp", 76)]:
        grid.page.keyboard.press(key)
        selected = grid.root.locator("[role=option][aria-selected=true]")
        expect(selected).to_have_count(1)
        expect(grid.options.nth(picked)).to_have_attribute("aria-selected", "true")
        assert field.get_attribute("aria-activedescendant") == selected.get_attribute("id")
        expect(selected).to_be_in_viewport()
    grid.page.keyboard.press("Escape")
    expect(grid.row(5)).to_be_focused()
    expect(grid.row(5)).to_have_attribute("data-verdict", "")
    assert grid.requests("decide") == []


def test_a_click_in_the_list_takes_the_label_and_stays_on_the_row(grid):
    grid.row(2).locator("[data-column=label]").click()
    grid.options.nth(4).click()
    expect(grid.row(2)).to_have_attribute("data-verdict", "relabel")
    expect(grid.row(2)).to_be_focused()
    grid.row(2).locator("[data-column=label]").click()
    expect(grid.options.filter(has_text="given")).to_have_count(1)
    grid.options.filter(has_text="given").click()
    expect(grid.row(2)).to_have_attribute("data-verdict", "")


def test_letters_that_no_label_has_take_nothing(grid):
    grid.start_at(0)
    grid.page.keyboard.press("Enter")
    grid.page.keyboard.type("qqq")
    expect(grid.root.get_by_text("No such label.")).to_be_visible()
    grid.page.keyboard.press("Enter")
    assert grid.requests("decide") == []


def test_a_click_elsewhere_closes_it(grid):
    grid.row(2).locator("[data-column=label]").click()
    expect(grid.root.get_by_role("listbox")).to_be_visible()
    grid.status.click()
    expect(grid.root.get_by_role("listbox")).to_be_hidden()


@pytest.mark.parametrize("row", [0, 9])
def test_it_stays_inside_the_widget_and_on_the_screen(grid, row):
    grid.row(row).locator("[data-column=label]").click()
    picker = grid.root.locator(".lw-picker").bounding_box()
    root = grid.root.bounding_box()
    assert picker["y"] >= root["y"]
    assert picker["y"] + picker["height"] <= root["y"] + root["height"]
    assert picker["x"] >= root["x"]
    assert picker["x"] + picker["width"] <= root["x"] + root["width"]


def test_labels_without_probabilities_are_offered_too(mount):
    grid = mount([example(0) | {"probs": None, "predicted": 2, "loss": 1.0}])
    grid.row(0).locator("[data-column=label]").click()
    names = [text.split("\n")[0] for text in grid.options.all_inner_texts()]
    assert names == ["Sports", "Business", "Sci/Tech", "World"]


def test_a_click_beside_it_on_another_row_only_closes_it(grid):
    grid.row(2).locator("[data-column=label]").click()
    grid.text(1).click()
    expect(grid.root.get_by_role("listbox")).to_be_hidden()
    assert grid.requests("decide") == []
    grid.text(1).click()
    expect(grid.row(1)).to_have_attribute("data-verdict", "relabel")


def test_a_name_that_no_label_has_can_be_added_but_not_by_a_slip(mount):
    grid = mount()
    grid.start_at(2)
    grid.page.keyboard.press("Enter")
    grid.page.keyboard.type(" Weather ")
    expect(grid.button("Add “Weather”")).to_be_visible()
    grid.page.keyboard.press("Enter")
    assert grid.requests("add_label") == []
    grid.page.keyboard.press("ArrowDown")
    expect(grid.button("Add “Weather”")).to_be_focused()
    grid.page.keyboard.press("Enter")
    expect(grid.row(2)).to_have_attribute("data-label", "Weather")
    expect(grid.root).to_have_attribute("data-unsaved", "0")
    assert grid.kernel("kernel.labels[kernel.rows[2].label]") == "Weather"
    expect(grid.row(3)).to_be_focused()
    grid.page.keyboard.press("Enter")
    expect(grid.options).to_have_count(5)


def test_a_column_of_ids_takes_no_new_name_and_says_so(mount):
    grid = mount(takes_new_labels=False)
    grid.start_at(0)
    grid.page.keyboard.press("Enter")
    grid.page.keyboard.type("Weather")
    expect(grid.root.get_by_text("This column takes no new ones.")).to_be_visible()
    expect(grid.button("Add “Weather”")).to_be_hidden()


def test_it_opens_within_what_the_notebook_scrolls(mount):
    grid = mount(20, [f"label {i}" for i in range(30)], page_size=20)
    grid.page.evaluate(
        "() => { const { style } = document.querySelector('.host'); style.height = '520px'; style.overflow = 'auto'; }"
    )
    for row in (0, 4, 9):
        grid.start_at(row)
        grid.page.keyboard.press("Enter")
        picker, host = (grid.page.locator(which).bounding_box() for which in (".lw-picker", ".host"))
        assert picker["y"] >= host["y"] - 1
        assert picker["y"] + picker["height"] <= host["y"] + host["height"] + 1
        grid.page.keyboard.press("Escape")
