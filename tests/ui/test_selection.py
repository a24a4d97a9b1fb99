"""One decision on many rows: chosen by box, by click and by key, shown before it is made, taken back by one undo."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect


def chosen(grid):
    return [int(row.get_attribute("data-row")) for row in grid.root.locator("[role=row][aria-selected=true]").all()]


def verdicts(grid):
    return grid.kernel("kernel.rows.map(({verdict}) => verdict)")


def test_boxes_and_clicks_with_modifiers_choose_and_never_decide(mount):
    grid = mount()
    box = grid.root.get_by_role("checkbox", name="Select row 3", exact=True)
    box.click()
    expect(box).to_be_checked()
    grid.text(6).click(modifiers=["Shift"])
    grid.text(8).click(modifiers=["ControlOrMeta"])
    grid.row(4).locator("[data-column=label]").click(modifiers=["ControlOrMeta"])
    grid.row(1).locator("[data-column=select]").click(position={"x": 4, "y": 40})
    assert chosen(grid) == [1, 3, 5, 6, 8]
    expect(grid.row(1)).to_be_focused()
    assert grid.requests("decide") == []
    assert grid.page.evaluate("String(getSelection())") == ""


def test_a_box_shows_what_is_chosen_also_where_a_click_changes_nothing(mount):
    grid = mount()
    box = grid.root.get_by_role("checkbox", name="Select row 3", exact=True)
    for modifiers in ([], ["Shift"]):
        box.click(modifiers=modifiers)
        assert chosen(grid) == [3]
        expect(box).to_be_checked()


def test_keys_choose_and_the_others_are_about_what_is_chosen(mount):
    grid = mount()
    grid.start_at(2)
    grid.page.keyboard.press("v")
    for key in ("Shift+ArrowDown", "Shift+ArrowDown", "Shift+ArrowUp"):
        grid.page.keyboard.press(key)
    assert chosen(grid) == [2, 3]
    expect(grid.row(3)).to_be_focused()
    grid.page.keyboard.press("Shift+ ")
    assert chosen(grid) == [2]
    grid.page.keyboard.press("Control+a")
    assert chosen(grid) == list(range(10))
    grid.page.keyboard.press("y")
    expect(grid.root).to_have_attribute("data-unsaved", "0")
    assert [row for row, verdict in enumerate(verdicts(grid)) if verdict == "keep"] == list(range(10))
    assert chosen(grid) == []
    for key in ("v", "Escape"):
        grid.page.keyboard.press(key)
    assert chosen(grid) == []
    for key in ("v", "Shift+ArrowDown", "Enter"):
        grid.page.keyboard.press(key)
    expect(grid.root.get_by_role("combobox", name="New label of 2 rows")).to_be_focused()
    grid.page.keyboard.press("Escape")
    grid.page.keyboard.press("4")
    expect(grid.row(3)).to_have_attribute("data-verdict", "")  # given 4th
    expect(grid.row(4)).to_have_attribute("data-label", "World")


def test_a_few_rows_are_decided_at_once_and_one_undo_takes_them_back(mount):
    grid = mount()
    heights = grid.root.evaluate("e => [e.offsetHeight, e.querySelector('[data-row]').getBoundingClientRect().top]")
    for row in (1, 4):
        grid.row(row).get_by_role("checkbox").click()
    bar = grid.root.get_by_role("toolbar", name="Selected rows")
    expect(bar).to_contain_text("2 rows selected")
    assert grid.root.evaluate("e => [e.offsetHeight, e.querySelector('[data-row]').getBoundingClientRect().top]") == heights
    bar.get_by_role("button", name="Remove selected").click()
    expect(grid.root).to_have_attribute("data-unsaved", "0")
    assert [row for row, verdict in enumerate(verdicts(grid)) if verdict == "remove"] == [1, 4]
    expect(bar).to_be_hidden()
    expect(grid.row(4)).to_be_focused()
    grid.page.keyboard.press("z")
    expect(grid.row(1)).to_have_attribute("data-verdict", "")
    assert set(verdicts(grid)) == {""}


def test_relabel_offers_the_labels_and_gives_them_all_one(mount):
    grid = mount()
    grid.start_at(0)
    for key in ("v", "j", "v"):
        grid.page.keyboard.press(key)
    grid.button("Relabel… selected").click()
    expect(grid.root.get_by_role("combobox", name="New label of 2 rows")).to_be_focused()
    grid.page.keyboard.type("world")
    grid.page.keyboard.press("Enter")
    for row in (0, 1):
        expect(grid.row(row)).to_have_attribute("data-label", "World")


def test_all_rows_of_a_filter_are_shown_and_agreed_to_first(mount):
    grid = mount(100)
    grid.box("Given label").select_option("Sports")
    expect(grid.left).to_have_text("25 of 100 rows")
    grid.root.get_by_role("checkbox", name="Select all on the page").click()
    grid.button("Select all 25").click()
    expect(grid.button("Note… selected")).to_be_disabled()
    grid.button("Keep selected").click()
    dialog = grid.root.get_by_role("dialog", name="Keep 25 rows?")
    expect(dialog.get_by_role("listitem")).to_have_count(10)
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    grid.page.keyboard.press("Tab")
    expect(dialog.get_by_role("button", name="Keep 25 rows")).to_be_focused()
    grid.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert set(verdicts(grid)) == {""}
    grid.button("Keep selected").click()
    dialog.get_by_role("button", name="Keep 25 rows").click()
    expect(grid.root).to_have_attribute("data-unsaved", "0")
    assert [row for row, verdict in enumerate(verdicts(grid)) if verdict == "keep"] == list(range(2, 100, 4))
    assert grid.root.get_by_role("grid").locator(":focus").count() == 1
    grid.page.keyboard.press("z")
    expect(grid.row(2)).to_have_attribute("data-verdict", "")
    assert set(verdicts(grid)) == {""}


@pytest.mark.parametrize("everything", [False, True])
def test_what_is_reviewed_is_told_and_can_be_left_alone(mount, everything):
    grid = mount(30, page_size=25)
    grid.start_at(0)
    for key in ("x", "a", "Control+a"):
        grid.page.keyboard.press(key)
    if everything:
        grid.button("Select all 30").click()
    grid.button("Keep selected").click()
    dialog = grid.root.get_by_role("dialog")
    expect(dialog).to_contain_text("reviewed already: 1 relabelled, 1 removed")
    dialog.get_by_role("button", name=f"Only the {28 if everything else 23} not reviewed").click()
    expect(grid.row(2)).to_have_attribute("data-verdict", "keep")
    expect(grid.root).to_have_attribute("data-unsaved", "0")
    assert verdicts(grid)[:2] == ["remove", "relabel"]
    assert verdicts(grid).count("keep") == (28 if everything else 23)


def test_no_label_is_chosen_for_many_rows_unless_the_model_gives_them_one(mount):
    grid = mount()
    grid.start_at(0)
    for key in ("v", "Shift+ArrowDown", "Enter", "Enter", "Escape"):
        grid.page.keyboard.press(key)
    assert grid.requests("decide") == []
    for key in ("Escape", "v", "j", "j", "j", "j", "v", "Enter"):  # rows 1 and 5, of one prediction
        grid.page.keyboard.press(key)
    expect(grid.root.get_by_role("listbox").get_by_role("option", selected=True)).to_contain_text("Sports")


@pytest.mark.parametrize("rows", [20, 30])
def test_more_than_twenty_rows_are_asked_about(mount, rows):
    grid = mount(40, page_size=rows)
    grid.start_at(0)
    grid.page.keyboard.press("Control+a")
    grid.button("Unsure selected").click()
    if rows > 20:
        grid.root.get_by_role("dialog").get_by_role("button", name="Mark 30 rows unsure").click()
    expect(grid.row(0)).to_have_attribute("data-verdict", "unsure")
    assert verdicts(grid).count("unsure") == rows


def test_one_note_on_many_rows(mount):
    grid = mount()
    grid.start_at(0)
    grid.page.keyboard.press("Control+a")
    grid.button("Note… selected").click()
    expect(grid.root.get_by_role("textbox", name="Note on the selected rows")).to_be_focused()
    grid.page.keyboard.type("seen by Anna, y and x")
    expect(grid.root.get_by_role("dialog").get_by_role("listitem")).to_have_count(10)
    grid.page.keyboard.press("Enter")
    expect(grid.root).to_have_attribute("data-unsaved", "0")
    assert grid.kernel("kernel.rows.filter(({note}) => note === 'seen by Anna, y and x').length") == 10
    assert set(verdicts(grid)) == {""}


@pytest.mark.parametrize("width", ["400px", "660px"])
def test_the_bar_fits_a_narrow_cell(mount, width):
    grid = mount(width=width)
    grid.start_at(0)
    grid.page.keyboard.press("Control+a")
    bar = grid.root.get_by_role("toolbar", name="Selected rows")
    expect(bar.get_by_role("button", name="Select none")).to_be_in_viewport(ratio=1)
    assert bar.evaluate("e => e.scrollWidth <= e.clientWidth")
