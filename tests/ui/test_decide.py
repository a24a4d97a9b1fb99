"""Clicks: what they change, and what is no click."""

from __future__ import annotations

from playwright.sync_api import expect


def test_a_click_takes_the_best_other_label_and_a_second_puts_the_given_one_back(mount):
    grid = mount()
    grid.row(3).click()
    expect(grid.row(3)).to_have_attribute("data-label", "Business")
    expect(grid.row(3)).to_have_attribute("data-verdict", "relabel")
    expect(grid.row(3)).to_have_attribute("data-saved", "true")
    expect(grid.status).to_contain_text("Row 3: World → Business, saved")
    expect(grid.status).to_contain_text("1 of 100 rows reviewed")
    expect(grid.row(3).locator("[data-column=loss]")).to_contain_text("→ 0.11")
    assert grid.kernel("kernel.rows[3].label") == 0
    grid.row(3).click()
    expect(grid.row(3)).to_have_attribute("data-label", "World")
    expect(grid.row(3)).to_have_attribute("data-verdict", "")
    expect(grid.root).to_have_attribute("data-unsaved", "0")
    assert grid.kernel("kernel.rows[3].verdict") == ""


def test_a_double_click_counts_once(mount):
    grid = mount()
    grid.text(2).dblclick()
    expect(grid.row(2)).to_have_attribute("data-verdict", "relabel")
    expect(grid.root).to_have_attribute("data-unsaved", "0")
    assert len(grid.requests("decide")) == 1


def test_a_double_click_on_a_button_counts_once(mount):
    grid = mount()
    grid.row(2).get_by_role("button", name="Keep", exact=True).dblclick()
    expect(grid.row(2)).to_have_attribute("data-saved", "true")
    expect(grid.row(2)).to_have_attribute("data-verdict", "keep")


def test_a_click_on_a_word_that_a_double_click_selected_is_a_click(mount):
    grid = mount()
    grid.text(2).dblclick(position={"x": 30, "y": 10})
    assert grid.page.evaluate("() => getSelection().toString().trim()") == "example"
    grid.page.wait_for_timeout(600)  # or the browser counts on
    grid.text(2).click(position={"x": 30, "y": 10})
    expect(grid.row(2)).to_have_attribute("data-verdict", "")


def test_a_drag_selects_text_and_decides_nothing(mount):
    grid = mount()
    box = grid.text(2).bounding_box()
    assert box
    y = box["y"] + 10
    grid.page.mouse.move(box["x"] + 2, y)
    grid.page.mouse.down()
    grid.page.mouse.move(box["x"] + 90, y, steps=4)
    grid.page.mouse.up()
    assert "example" in grid.page.evaluate("() => getSelection().toString()")
    expect(grid.row(2)).to_have_attribute("data-verdict", "")
    assert grid.requests("decide") == []


def test_the_label_cell_opens_the_picker_and_decides_nothing(mount):
    grid = mount()
    grid.row(1).locator("[data-column=label]").click()
    expect(grid.root.get_by_role("listbox")).to_be_visible()
    assert grid.requests("decide") == []


def test_verdict_buttons_decide_and_a_second_press_takes_it_back(mount):
    grid = mount()
    for row, (name, verdict) in enumerate([("Keep", "keep"), ("Unsure", "unsure"), ("Remove", "remove")]):
        button = grid.row(row).get_by_role("button", name=name, exact=True)
        button.click()
        expect(grid.row(row)).to_have_attribute("data-verdict", verdict)
        expect(button).to_have_attribute("aria-pressed", "true")
        button.click()
        expect(grid.row(row)).to_have_attribute("data-verdict", "")
        expect(button).to_have_attribute("aria-pressed", "false")
    expect(grid.root).to_have_attribute("data-unsaved", "0")


def test_a_verdict_puts_the_given_label_back(mount):
    grid = mount()
    grid.row(0).click()
    expect(grid.row(0)).to_have_attribute("data-label", "Sci/Tech")
    grid.row(0).get_by_role("button", name="Keep", exact=True).click()
    expect(grid.row(0)).to_have_attribute("data-label", "Business")
    expect(grid.row(0)).to_have_attribute("data-saved", "true")
    assert grid.kernel("[kernel.rows[0].label, kernel.rows[0].verdict]") == [0, "keep"]


def test_hovering_shows_what_a_click_would_do(mount):
    grid = mount()
    hint = grid.row(4).get_by_text("click → Sci/Tech")
    expect(hint).to_be_hidden()
    grid.text(4).hover()
    expect(hint).to_be_visible()
    grid.row(4).get_by_role("button", name="Keep", exact=True).hover()
    expect(hint).to_be_hidden()
    grid.text(4).click()
    grid.text(4).hover()
    expect(grid.row(4).get_by_text("click restores")).to_be_visible()


def test_without_probabilities_a_click_takes_the_predicted_label_or_opens_the_picker(mount):
    rows = [{"text": f"text {row}", "given": 0, "probs": None, "predicted": row, "loss": 3.0 - row} for row in range(2)]
    grid = mount(rows)
    grid.row(1).click()
    expect(grid.row(1)).to_have_attribute("data-label", "Sci/Tech")
    grid.row(0).click()
    expect(grid.root.get_by_role("listbox")).to_be_visible()
    expect(grid.row(0)).to_have_attribute("data-verdict", "")


def test_a_row_without_a_label_takes_the_best_one_and_loses_it_again(mount):
    grid = mount([{"text": "unlabelled", "given": None, "probs": [0.1, 0.7, 0.1, 0.1]}])
    expect(grid.row(0)).to_have_attribute("data-label", "")
    grid.row(0).click()
    expect(grid.row(0)).to_have_attribute("data-label", "Sci/Tech")
    grid.row(0).click()
    expect(grid.row(0)).to_have_attribute("data-label", "")
    expect(grid.row(0)).to_have_attribute("data-saved", "true")


def test_a_decision_on_a_row_that_changed_elsewhere_shows_its_true_state_and_says_why(mount):
    grid = mount()
    grid.page.evaluate("() => model.kernel.decideInPython({kind: 'relabel', rows: [0], label: 3, note: null})")
    grid.row(0).click()
    expect(grid.row(0)).to_have_attribute("data-label", "World")
    expect(grid.row(0)).to_have_attribute("data-saved", "true")
    expect(grid.status).to_contain_text("has another one by now")
    expect(grid.row(0)).to_contain_text("has another one by now")


def test_undo_and_redo_by_button(mount):
    grid = mount()
    expect(grid.button("Undo")).to_be_disabled()
    expect(grid.button("Redo")).to_be_disabled()
    grid.row(0).click()
    expect(grid.button("Undo")).to_be_enabled()
    grid.button("Undo").click()
    expect(grid.row(0)).to_have_attribute("data-verdict", "")
    expect(grid.button("Undo")).to_be_disabled()
    grid.button("Redo").click()
    expect(grid.row(0)).to_have_attribute("data-label", "Sci/Tech")
    expect(grid.button("Redo")).to_be_disabled()


def test_a_note_is_saved_and_marked(mount):
    grid = mount()
    grid.start_at(2)
    grid.page.keyboard.press("n")
    note = grid.root.get_by_role("textbox", name="Note", exact=True)
    expect(note).to_be_focused()
    grid.page.keyboard.type("ask Anna, jkyux")
    grid.page.keyboard.press("Enter")
    expect(grid.row(2)).to_be_focused()
    expect(grid.row(2)).to_contain_text("✎")
    expect(grid.row(2)).to_have_attribute("data-saved", "true")
    assert grid.kernel("[kernel.rows[2].note, kernel.rows[2].verdict]") == ["ask Anna, jkyux", ""]
    grid.page.keyboard.press("n")
    grid.page.keyboard.type("no")
    grid.page.keyboard.press("Escape")
    assert grid.kernel("kernel.rows[2].note") == "ask Anna, jkyux"


def test_export_says_what_was_written(mount):
    grid = mount()
    grid.row(0).get_by_role("button", name="Remove", exact=True).click()
    grid.button("Export").click()
    expect(grid.status).to_contain_text("Wrote corrected.parquet with 99 rows")
