"""axe-core finds nothing in the grid that a person with a screen reader, a keyboard or weak eyes would stumble over."""

from __future__ import annotations

import pytest
from grid_page import ROOT, VIEWPORT, examples
from playwright.sync_api import expect

AXE = ROOT / "js" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
DARK = "() => { document.body.dataset.jpThemeLight = 'false'; document.body.style.background = '#111'; }"
ROWS = examples(40)
ROWS[0] |= {"text": "the same words", "quirks": ["conflicting duplicates", "truncated", "markup"], "tokens": 512}
ROWS[1] |= {"text": "The same words", "quirks": ["conflicting duplicates"], "note_of_score": "read in part"}
ROWS[2] |= {"text": "a pair \u200b of words", "pair": "the other one", "given": None}


@pytest.fixture
def findings(mount):
    """findings() -> what axe says of the grid as it stands."""

    def look(grid):
        # Nothing is judged half way through a change of colour.
        grid.page.wait_for_function("() => document.getAnimations().every((a) => a.playState !== 'running')")
        found = grid.page.evaluate(
            "async (rules) => (await axe.run('.loss-widget', {runOnly: rules})).violations.map("
            "({id, impact, nodes}) => [impact, id, nodes[0].html, nodes.map(({target}) => target), nodes[0].any[0]?.message])",
            RULES,
        )
        return [finding for finding in found if finding[0] in ("serious", "critical", "moderate")]

    return look


@pytest.fixture(params=["light", "dark"])
def grid(mount, request):
    grid = mount([dict(row, columns=["a newspaper"]) for row in ROWS], columns=["source"], in_sample=True)
    if request.param == "dark":
        grid.page.evaluate(DARK)
        expect(grid.page.locator(".loss-widget.lw-dark")).to_have_count(1)
    grid.page.evaluate(AXE.read_text() + "; undefined")
    return grid


def test_the_grid_with_every_verdict_and_its_panes_open_and_closed(grid, findings):
    grid.start_at(3)
    for key in "ayuxw":
        grid.page.keyboard.press(key)
    expect(grid.root).to_have_attribute("data-unsaved", "0")
    grid.root.get_by_role("searchbox", name="Search text").fill("e")
    expect(grid.root.locator("mark").first).to_be_visible()
    assert findings(grid) == []
    for toggle in grid.root.locator(".lw-toggle[aria-expanded]").all():
        toggle.click()
    assert findings(grid) == []


def test_the_picker_the_help_and_a_choice_of_rows(grid, findings):
    grid.start_at(0)
    grid.page.keyboard.press("Enter")
    expect(grid.options.first).to_be_visible()
    assert findings(grid) == []
    grid.page.keyboard.press("Escape")
    grid.page.keyboard.press("?")
    assert findings(grid) == []
    grid.page.keyboard.press("Escape")
    grid.page.keyboard.press("Control+a")
    assert findings(grid) == []
    grid.button("Select all 40").click()
    grid.button("Keep selected").click()
    expect(grid.root.get_by_role("dialog").get_by_role("listitem")).to_have_count(10)
    assert findings(grid) == []
    grid.page.keyboard.press("Escape")
    grid.button("1 other row with the same words").click()
    expect(grid.root.get_by_role("dialog").get_by_role("listitem")).to_have_count(2)
    assert findings(grid) == []


def test_a_narrow_cell_and_a_grid_without_rows(grid, findings):
    grid.page.evaluate("() => { document.querySelector('.host').style.width = '400px'; }")
    assert findings(grid) == []
    grid.root.get_by_role("searchbox", name="Search text").fill("no such words")
    expect(grid.rows).to_have_count(0)
    assert findings(grid) == []


# Controls and pieces of text that an ancestor cuts off, but for texts meant to be clamped, and pairs that overlap.
MISPLACED = """() => {
  const isControl = (e) => e.matches("button, input, select");
  const parts = [...document.querySelectorAll(".loss-widget *")].filter((e) => e.checkVisibility({visibilityProperty: true})
    && (isControl(e) || [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())));
  const boxesOf = (e) => {
    if (isControl(e)) return [e.getBoundingClientRect()];
    const range = document.createRange();
    range.selectNodeContents(e);
    return [...range.getClientRects()];
  };
  const stuck = (e) => e && (getComputedStyle(e).position === "sticky" ? e : stuck(e.parentElement));
  const clip = (e) => e && (getComputedStyle(e).overflowX === "hidden" ? e.getBoundingClientRect().right : clip(e.parentElement));
  const name = (e) => `${e.tagName}.${e.className} ${e.textContent.slice(0, 40)}`;
  const boxes = parts.flatMap((e) => boxesOf(e).map((box) => [e, box]));
  return {
    cut: boxes.filter(([e, {right}]) => !e.closest(".lw-words, [data-short]") && right > (clip(e) ?? innerWidth) + 1)
      .map(([e]) => name(e)),
    overlapping: boxes.flatMap(([a, m], i) => boxes.slice(i + 1).filter(([b, n]) => !a.contains(b) && stuck(a) === stuck(b)
      && Math.min(m.right, n.right) - Math.max(m.left, n.left) > 2
      && Math.min(m.bottom, n.bottom) - Math.max(m.top, n.top) > 2).map(([b]) => `${name(a)} / ${name(b)}`)),
  };
}"""


@pytest.mark.parametrize("grid", ["light"], indirect=True)
def test_at_a_zoom_of_200_percent_nothing_is_cut_off_and_nothing_overlaps(grid):
    grid.page.set_viewport_size({"width": VIEWPORT["width"] // 2, "height": VIEWPORT["height"] // 2})
    grid.start_at(3)
    for key in "ayuxj":
        grid.page.keyboard.press(key)
    expect(grid.root).to_have_attribute("data-unsaved", "0")
    for toggle in grid.root.locator(".lw-toggle[aria-expanded=false]").all():
        toggle.click()
    found = grid.page.evaluate(MISPLACED)
    assert found == {"cut": [], "overlapping": []}
