"""The keyboard: a whole review without a mouse, and keys that must do nothing."""

from __future__ import annotations

from playwright.sync_api import expect


def test_thirty_decisions_run_over_the_ends_of_pages(mount):
    grid = mount(100, page_size=12)
    grid.start_at(0)
    for key in "ayux" * 7 + "ay":
        grid.page.keyboard.press(key)
    expect(grid.row(30)).to_be_focused()
    expect(grid.root).to_have_attribute("data-unsaved", "0")
    verdicts = grid.kernel("kernel.rows.slice(0, 31).map(({verdict}) => verdict)")
    assert verdicts == ["relabel", "keep", "unsure", "remove"] * 7 + ["relabel", "keep", ""]


def test_keys_pressed_while_a_page_is_on_its_way_wait_for_it(mount):
    grid = mount(100, delay=60)
    grid.start_at(8)
    for key in "yyy" + "a" * 9 + "u":
        grid.page.keyboard.press(key)
    expect(grid.row(21)).to_be_focused()
    expect(grid.root).to_have_attribute("data-unsaved", "0")
    verdicts = grid.kernel("kernel.rows.slice(8, 22).map(({verdict}) => verdict)")
    assert verdicts == ["keep"] * 3 + ["relabel"] * 9 + ["unsure", ""]


def test_labels_and_notes_typed_while_the_page_is_on_its_way_go_to_their_rows(mount):
    grid = mount(100, delay=60)
    grid.start_at(0)
    for key in (
        "PageDown",
        "PageDown",
        "Enter",
        *"wor",
        "Enter",
        "n",
        *"hm y",
        "Enter",
        "y",
        "Enter",
        "Escape",
        "u",
    ):
        grid.page.keyboard.press(key)
    expect(grid.row(23)).to_be_focused()
    expect(grid.root).to_have_attribute("data-unsaved", "0")
    rows = grid.kernel("kernel.rows.slice(19, 24).map(({verdict, label, note}) => [verdict, label, note])")
    assert rows == [["", 3, ""], ["relabel", 3, ""], ["keep", 1, "hm y"], ["unsure", 2, ""], ["", 3, ""]]


def test_arrows_letters_and_page_keys_move(mount):
    grid = mount(35)
    grid.start_at(0)
    moves = [("ArrowDown", 1), ("j", 2), ("ArrowUp", 1), ("k", 0), ("k", 0), ("End", 9), ("j", 10), ("k", 9)]
    moves += [("PageDown", 10), ("PageDown", 20), ("PageUp", 10), ("Home", 10), ("Control+End", 30), ("j", 31)]
    moves += [("End", 34), ("j", 34), ("Control+Home", 0)]
    for key, row in moves:
        grid.page.keyboard.press(key)
        expect(grid.row(row), key).to_be_focused()
        expect(grid.cursor).to_have_attribute("data-row", str(row))
    assert grid.requests("decide") == []


def test_labels_by_key(mount):
    grid = mount()
    for key, row, label in [("a", 0, 1), (" ", 1, 2), ("s", 2, 0), ("d", 3, 2), ("4", 4, 3), ("1", 5, 0)]:
        grid.start_at(row)
        grid.page.keyboard.press(key)
        expect(grid.row(row)).to_have_attribute("data-saved", "true")
        assert grid.kernel(f"kernel.rows[{row}].label") == label, key
        expect(grid.row(row + 1)).to_be_focused()
    grid.start_at(6)
    grid.page.keyboard.press("9")  # there is no ninth label
    assert grid.kernel("kernel.rows[6].verdict") == ""


def test_undo_and_redo_by_key_bring_the_cursor_back(mount):
    grid = mount()
    grid.start_at(0)
    grid.page.keyboard.press("y")
    grid.page.keyboard.press("z")
    expect(grid.status).to_contain_text("Undone. Row 0")
    expect(grid.row(0)).to_have_attribute("data-verdict", "")
    expect(grid.row(0)).to_be_focused()
    grid.page.keyboard.press("Shift+Z")
    expect(grid.row(0)).to_have_attribute("data-verdict", "keep")


def test_the_usual_keys_undo_and_redo_but_in_a_text_field(mount):
    grid = mount()
    grid.start_at(0)
    for undo, redo in [("Control+z", "Control+y"), ("Meta+z", "Meta+Shift+z")]:
        grid.page.keyboard.press("y")
        grid.page.keyboard.press(undo)
        expect(grid.row(0)).to_have_attribute("data-verdict", "")
        expect(grid.row(0)).to_be_focused()
        grid.page.keyboard.press(redo)
        expect(grid.row(0)).to_have_attribute("data-verdict", "keep")
        grid.page.keyboard.press("z")
    grid.page.keyboard.press("n")
    for key in ("a", "b", "Control+z"):
        grid.page.keyboard.press(key)
    expect(grid.root.get_by_role("textbox", name="Note")).to_have_value("")
    grid.page.keyboard.press("Escape")
    expect(grid.status).to_contain_text("Undone. Row 0")


def test_keep_on_a_kept_row_keeps_it_and_moves_on(mount):
    grid = mount()
    grid.start_at(0)
    for key in ("y", "k", "y"):
        grid.page.keyboard.press(key)
    expect(grid.row(1)).to_be_focused()
    expect(grid.row(0)).to_have_attribute("data-saved", "true")
    expect(grid.row(0)).to_have_attribute("data-verdict", "keep")


def test_held_modified_and_composed_keys_decide_nothing(mount):
    grid = mount()
    grid.start_at(0)
    for key in ("Control+y", "Alt+x", "Meta+a", "Control+z"):
        grid.page.keyboard.press(key)
    grid.page.evaluate(
        """() => {
            const row = document.querySelector("[data-row='0']");
            const press = (init) => row.dispatchEvent(new KeyboardEvent("keydown", {bubbles: true, cancelable: true, ...init}));
            press({key: "y", repeat: true});
            press({key: "x", isComposing: true});
            press({key: "Process"});
        }"""
    )
    assert grid.requests("decide") == []
    expect(grid.row(0)).to_be_focused()


def test_a_held_arrow_moves_on(mount):
    grid = mount()
    grid.start_at(0)
    grid.page.keyboard.down("ArrowDown")
    grid.page.keyboard.down("ArrowDown")
    grid.page.keyboard.up("ArrowDown")
    expect(grid.row(2)).to_be_focused()


def test_slash_searches_and_escape_comes_back(mount):
    grid = mount()
    grid.start_at(3)
    grid.page.keyboard.press("/")
    search = grid.root.get_by_role("searchbox", name="Search text")
    expect(search).to_be_focused()
    grid.page.keyboard.type("xyz")
    expect(search).to_have_value("xyz")
    grid.page.keyboard.press("Escape")
    expect(search).not_to_be_focused()


def test_the_help_lists_the_keys_and_what_the_notebook_does_not_hear(mount):
    grid = mount()
    grid.start_at(3)
    grid.page.keyboard.press("?")
    panel = grid.root.get_by_role("dialog")
    expect(panel).to_be_visible()
    for words in ("keep, unsure, remove", "Ctrl+S", "Shift+Enter", "undo, redo"):
        expect(panel).to_contain_text(words)
    grid.page.keyboard.press("y")
    grid.page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(grid.row(3)).to_be_focused()
    assert grid.requests("decide") == []
    grid.button("Help").click()
    expect(panel).to_be_visible()
    panel.get_by_role("button", name="Close").click()
    expect(panel).to_be_hidden()


def test_a_click_on_padding_keeps_the_keys_in_the_widget(mount):
    grid = mount()
    grid.status.click()
    grid.page.keyboard.press("j")
    expect(grid.cursor).to_have_attribute("data-row", "1")


def test_a_host_that_takes_what_it_hears_hears_no_key_of_the_grid(mount):
    """VS Code's notebook runs its shortcuts on every key that reaches the page, as its maintainers say (vscode#120259)."""
    grid = mount()
    grid.page.evaluate("window.heard = []; document.addEventListener('keydown', (event) => heard.push(event.key))")
    grid.start_at(0)
    for key in ("m", "d", "d", "r", "j", "y", "PageDown", "ArrowDown", "Shift+Enter", "9"):
        grid.page.keyboard.press(key)
    grid.button("Undo").focus()
    grid.page.keyboard.press("m")
    grid.root.get_by_role("searchbox").focus()
    grid.page.keyboard.press("m")
    assert grid.page.evaluate("heard.filter((key) => key !== 'Shift')") == []
    grid.start_at(0)
    grid.page.keyboard.press("Control+s")
    assert grid.page.evaluate("heard.filter((key) => key !== 'Shift')") == ["Control", "s"]
