"""How the grid stands in the page: focus, sizes, shadow roots, themes, hostile text."""

from __future__ import annotations

import gzip
import re

import pytest
from grid_page import STATIC, example, examples
from playwright.sync_api import expect

PAYLOADS = [
    "<img src=x onerror=window.hurt=1>",
    "</script><script>window.hurt=1</script>",
    '"><svg/onload=window.hurt=1>',
    "\u202eright to left\u202c \u200bzero\u200b width",
    "{{constructor.constructor('window.hurt=1')()}}",
]
FOCUSABLE = "button, input, select, textarea, a, [tabindex]"


def test_hostile_texts_and_label_names_are_only_text(mount):
    rows = [example(row) | {"text": PAYLOADS[row], "pair": PAYLOADS[row], "note_of_score": PAYLOADS[row]} for row in range(4)]
    grid = mount(rows, PAYLOADS[:4], provenance=PAYLOADS[0])
    for row in range(4):
        expect(grid.text(row)).to_contain_text(PAYLOADS[row])
        grid.row(row).click()
        expect(grid.row(row)).to_have_attribute("data-label", PAYLOADS[(row + 1) % 4])
    grid.row(1).locator("[data-column=label]").click()
    expect(grid.options.first).to_be_visible()
    grid.page.keyboard.press("Escape")
    grid.box("Given label").select_option(PAYLOADS[0])
    expect(grid.rows).to_have_count(1)
    assert grid.page.evaluate("window.hurt") is None
    assert grid.root.locator("img, script, svg").count() == 0


@pytest.mark.parametrize("shadow", [False, True], ids=["light DOM", "shadow DOM"])
def test_every_element_that_can_hold_focus_is_kept_from_notebook_shortcuts(mount, shadow):
    grid = mount(shadow=shadow)
    grid.box("Verdict").select_option("not reviewed")
    grid.row(0).locator("[data-column=label]").click()
    unguarded = grid.root.evaluate(
        """(root, focusable) => [root, ...root.querySelectorAll(focusable)]
            .filter((e) => e.getAttribute("data-lm-suppress-shortcuts") !== "true").map((e) => e.outerHTML)""",
        FOCUSABLE,
    )
    assert unguarded == []
    assert grid.root.get_attribute("tabindex") == "-1"
    if shadow:
        assert grid.page.locator(".host").get_attribute("data-lm-suppress-shortcuts") == "true"


def test_it_works_in_a_shadow_root(mount):
    grid = mount(shadow=True)
    grid.row(0).click()
    expect(grid.row(0)).to_have_attribute("data-saved", "true")
    grid.page.keyboard.press("j")
    grid.page.keyboard.press("y")
    expect(grid.row(1)).to_have_attribute("data-verdict", "keep")
    grid.page.keyboard.press("Enter")
    grid.page.keyboard.type("world")
    grid.page.keyboard.press("Enter")
    expect(grid.row(2)).to_have_attribute("data-label", "World")
    grid.page.keyboard.press("PageDown")
    expect(grid.row(10)).to_be_focused()
    assert grid.rows.first.bounding_box()["height"] > 40


@pytest.mark.parametrize(("window", "stays"), [((1200, 640), True), ((640, 500), False)], ids=["laptop", "zoomed"])
def test_a_low_window_shows_six_rows_at_first_or_at_least_the_status(mount, blank, window, stays):
    blank.set_viewport_size({"width": window[0], "height": window[1]})
    grid = mount(40, page_size=20)
    expect(grid.status).to_be_in_viewport(ratio=1)
    inspector = grid.root.locator(".lw-inspector")
    seen = grid.rows.evaluate_all(
        "(rows, end) => rows.filter((row) => row.getBoundingClientRect().bottom <= end).length",
        inspector.bounding_box()["y"] if stays else window[1],
    )
    assert seen >= 6 if stays else seen >= 2
    grid.start_at(0)
    for _ in range(15):
        blank.keyboard.press("y")
    expect(grid.row(15)).to_be_focused()
    expect(grid.row(15)).to_be_in_viewport(ratio=1)
    below = inspector if stays else grid.root.locator(".lw-foot")
    expect(below).to_be_in_viewport()
    assert grid.row(15).bounding_box()["y"] + grid.row(15).bounding_box()["height"] <= below.bounding_box()["y"] + 1


def test_there_is_always_exactly_one_tab_stop_in_the_grid(mount):
    grid = mount(35)
    for key in ("j", "y", "a", "PageDown", "End", "j", "Enter", "Escape", "z", "PageDown", "Home"):
        if key == "j":
            grid.row(0).focus() if grid.row(0).count() else None
        grid.page.keyboard.press(key)
        expect(grid.cursor).to_have_count(1)
        assert grid.cursor.get_attribute("role") == "row"
    grid.row(33).click()
    expect(grid.cursor).to_have_attribute("data-row", "33")
    expect(grid.cursor).to_have_count(1)


def test_the_focus_is_never_lost(mount):
    grid = mount(15)
    has_focus = "() => document.activeElement !== document.body && document.activeElement.closest('.loss-widget') !== null"

    def check(what):
        grid.page.wait_for_timeout(30)
        assert grid.page.evaluate(has_focus), what

    grid.row(0).click()
    check("click on a row")
    grid.row(1).get_by_role("button", name="Remove", exact=True).click()
    check("verdict button")
    for _ in range(2):
        grid.button("Undo").click()
        check("Undo")
    expect(grid.button("Undo")).to_be_disabled()
    check("Undo with nothing left")
    grid.button("Next page").click()
    check("Next page, now the last page")
    grid.page.keyboard.press("PageUp")
    grid.start_at(9)
    grid.page.keyboard.press("PageDown")
    check("a page with fewer rows")
    expect(grid.cursor).to_be_focused()
    grid.box("Given label").select_option("World")
    grid.root.get_by_role("button", name="Filter off").click()
    check("a chip that is gone")
    grid.page.evaluate("() => model.die()")
    check("the kernel's end")


def test_rows_keep_their_height_and_place_whatever_happens(mount):
    rows = examples(10)
    rows[1] |= {"text": "a very long text " * 80}
    rows[2] |= {"text": "first part", "pair": "second part " * 60}
    rows[3] |= {"text": "", "note_of_score": "empty text"}
    rows[4] |= {"text": "line\n" * 30}
    grid = mount(rows)
    measure = "() => [...document.querySelectorAll('[data-row]')].map((e) => [e.offsetTop, e.offsetHeight])"
    total = "() => document.querySelector('.loss-widget').offsetHeight"
    before, height = grid.page.evaluate(measure), grid.page.evaluate(total)
    assert len({tall for _, tall in before}) == 1
    for row in range(5):
        grid.text(row).click()
        assert grid.page.evaluate(measure) == before
        assert grid.page.evaluate(total) == height
    for name in ("Keep", "Unsure", "Remove"):
        grid.row(1).get_by_role("button", name=name, exact=True).click()
        grid.row(2).hover()
        assert grid.page.evaluate(measure) == before
    grid.page.keyboard.press("End")
    assert grid.page.evaluate(total) == height


@pytest.mark.parametrize("width", [560, 640, 760, 1000, 1400])
def test_nothing_is_wider_than_the_cell_and_a_click_on_the_middle_of_a_row_is_a_click_on_the_row(mount, width):
    grid = mount(examples(12, 4), ["balance_not_updated_after_bank_transfer_" * 2, "b", "c", "d"], width=f"{width}px")
    grid.page.set_viewport_size({"width": 1500, "height": 900})
    over = grid.root.evaluate(
        """(root) => [...root.querySelectorAll("*")].filter((e) => e.offsetParent &&
            e.getBoundingClientRect().right > root.getBoundingClientRect().right + 1).map((e) => e.className)"""
    )
    assert over == []
    grid.row(1).click()
    expect(grid.row(1)).to_have_attribute("data-verdict", "relabel")
    label = grid.row(0).locator("[data-column=label]").bounding_box()
    verdict = grid.row(0).locator("[data-column=verdict]").bounding_box()
    below = verdict["y"] >= label["y"] + label["height"]
    assert below is (width < 700)


def test_the_theme_follows_the_notebook(mount):
    grid = mount()
    back = "() => getComputedStyle(document.querySelector('.loss-widget')).backgroundColor"
    assert grid.page.evaluate(back) == "rgb(255, 255, 255)"
    grid.page.evaluate("() => { document.body.dataset.jpThemeLight = 'false'; }")
    expect(grid.page.locator(".loss-widget.lw-dark")).to_have_count(1)
    assert grid.page.evaluate(back) == "rgb(27, 31, 36)"
    grid.page.evaluate("() => { delete document.body.dataset.jpThemeLight; document.body.style.background = '#222'; }")
    expect(grid.page.locator(".loss-widget.lw-dark")).to_have_count(1)
    grid.page.evaluate("() => { document.body.style.background = '#eee'; }")
    expect(grid.page.locator(".loss-widget.lw-dark")).to_have_count(0)


def test_the_bundle_is_small_and_asks_nobody():
    script = (STATIC / "widget.js").read_text()
    assert len(gzip.compress(script.encode())) < 45_000, "an alarm, no limit: has something been bundled that should not be?"
    assert "http" not in script
    assert "innerHTML" not in script


LONG = ["balance_not_updated_after_bank_transfer", "card_payment_wrong_exchange_rate", "c", "d"]


@pytest.mark.parametrize("width", [452, 1200])
def test_a_name_is_whole_on_two_lines_until_a_click_is_offered(mount, width):
    grid = mount(8, LONG, width=f"{width}px")
    unseen = """(cell) => [...cell.querySelectorAll('.lw-name')].filter((e) => {
        const [around, box] = [cell, e].map((each) => each.getBoundingClientRect());
        const out = box.bottom > around.bottom + 1 || box.right > around.right + 1;
        return e.checkVisibility() && (out || getComputedStyle(e).fontSize === '0px');
    }).map((e) => e.textContent)"""
    for column in ("label", "predicted"):
        for row in (4, 5):
            assert grid.row(row).locator(f"[data-column={column}]").evaluate(unseen) == []
    grid.start_at(4)
    expect(grid.row(4).locator(".lw-ghost")).to_be_visible()
    assert grid.row(4).locator("[data-column=label]").evaluate(unseen)[0] == LONG[0]


def test_long_label_names_are_painted_with_their_ends_and_stay_whole_as_text(mount):
    names = ["balance_not_updated_after_bank_transfer", "balance_not_updated_after_cheque", "c", "d"]
    grid = mount(4, names, width="900px")
    cell = grid.row(0).locator("[data-column=label]")
    expect(cell).to_contain_text(names[0])
    painted = cell.locator("[data-short]").first
    expect(painted).to_have_attribute("data-short", re.compile(r"^balance.*….*transfer$"))
    assert cell.inner_text().startswith(names[0])
    grid.page.evaluate("() => { document.querySelector('.host').style.width = '1800px'; }")
    grid.page.set_viewport_size({"width": 1900, "height": 900})
    expect(painted).to_have_count(0)


def test_without_predictions_nothing_of_a_model_is_shown(mount):
    rows = [{"text": f"text {row}", "given": 0, "probs": None, "predicted": None, "loss": 9.0 - row} for row in range(5)]
    grid = mount(rows)
    for name in ("Predicted label", "Disagreements only"):
        expect(grid.root.get_by_label(name)).to_be_hidden()
    for place in (grid.root.get_by_role("columnheader", name="Predicted"), grid.button("Confusion")):
        expect(place).to_have_count(0)
    label, verdict = (grid.row(0).locator(f"[data-column={name}]").bounding_box() for name in ("label", "verdict"))
    assert label["width"] > 200
    assert verdict["x"] > label["x"] + label["width"]
    grid.row(0).locator("[data-column=label]").click()
    expect(grid.options).to_have_count(4)


def test_a_row_shows_its_beginning_whatever_is_scrolled_into_view(mount):
    """A row that is a scroll container moved up by what did not fit when something in it was clicked."""
    names = [f"a_label_with_a_long_name_of_many_words_number_{i}" for i in range(4)]
    grid = mount([example(row, text="many words " * 60, quirks=["markup", "empty"]) for row in range(5)], names)
    scrolled = """(row) => [row, ...row.querySelectorAll('*')].filter((e) => {
        e.scrollTop = 9;
        return e.scrollTop > 0;
    }).map((e) => e.className)"""
    assert grid.row(1).evaluate(scrolled) == []
