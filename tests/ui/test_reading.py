"""What can be read of a row: why it is here, what is odd about it, its text in full, and the rows with the same words."""

from __future__ import annotations

from grid_page import example, examples
from playwright.sync_api import expect

ROWS = examples(12)
ROWS[0] |= {"text": "the same words", "quirks": ["conflicting duplicates", "truncated", "markup"], "tokens": 512}
ROWS[3] |= {"text": "The same words", "quirks": ["conflicting duplicates"]}
ROWS[5] |= {"text": "the same words", "quirks": ["conflicting duplicates"]}
ROWS[1] |= {"text": "two  spaces\u00a0and\u200bmore\nof it"}
ROWS[2] |= {"text": "A man sleeps.", "pair": "Nobody is awake."}
ROWS[4] |= {"given": None}
ROWS[6] |= {"text": "A very long story. " * 400}
COLUMNS = ["source", "year"]
for row in ROWS:
    row["columns"] = ["a newspaper", "1999"]


def open_rows(mount, **setup):
    return mount([dict(row) for row in ROWS], columns=COLUMNS, page_size=12, **setup)


def test_the_inspector_says_why_the_row_is_here(mount):
    grid = open_rows(mount)
    grid.start_at(0)
    inspector = grid.root.locator(".lw-inspector")
    for words in ("Row 0", "loss 6.91", "given Business", "predicted Sci/Tech", "90 %", "margin −0.90", "tokens 512"):
        expect(inspector).to_contain_text(words)
    expect(inspector).to_contain_text("source a newspaper")
    expect(inspector.locator(".lw-likely").first).to_contain_text("model")
    expect(inspector.get_by_role("img", name="markup")).to_have_text("")
    expect(inspector.get_by_role("img", name="conflicting duplicates")).to_be_visible()


def test_its_height_is_the_same_for_every_row(mount):
    grid = open_rows(mount, cutTextAt=400)
    inspector = grid.root.locator(".lw-inspector")
    for expanded in (False, True):
        heights = set()
        for row in range(8):
            grid.start_at(row)
            heights.add(inspector.evaluate("e => e.getBoundingClientRect().height"))
        assert len(heights) == 1, (expanded, heights)
        grid.page.keyboard.press("e")
        if not expanded:
            expect(grid.button("Show less")).to_be_visible()


def test_the_given_label_is_always_among_the_bars(mount):
    names = [f"label {i}" for i in range(9)]
    probs = [0.6, 0.2, 0.1, 0.04, 0.03, 0.01, 0.01, 0.005, 0.005]
    grid = mount([{"text": "x", "given": 7, "probs": probs}], names)
    grid.start_at(0)
    bars = grid.root.locator(".lw-likely")
    expect(bars.last).to_contain_text("label 7given")
    expect(bars.last).to_contain_text("1 %")


def test_quirks_stand_beside_the_row_and_leave_its_cells_words_alone(mount):
    grid = open_rows(mount)
    cell = grid.text(0)
    expect(cell.get_by_role("img")).to_have_count(3)
    expect(cell.get_by_role("img", name="conflicting duplicates")).to_have_attribute(
        "title", "conflicting duplicates, in a sentence"
    )
    assert cell.inner_text().split() == ["the", "same", "words"]
    expect(grid.text(4).get_by_role("img")).to_have_count(0)


def test_search_hits_are_marked_and_the_text_stays(mount):
    grid = open_rows(mount)
    grid.root.get_by_role("searchbox", name="Search text").fill("SAME words")
    expect(grid.rows).to_have_count(3)
    expect(grid.text(3).locator("mark")).to_have_text("same words")
    expect(grid.root.locator(".lw-full mark")).to_have_count(1)
    assert grid.text(3).inner_text() == "The same words"


def test_characters_that_nobody_sees_are_painted_on_demand(mount):
    grid = open_rows(mount)
    grid.start_at(1)
    toggle = grid.button("Show spaces, line ends and invisible characters")
    expect(grid.root.locator(".lw-invisible")).to_have_count(0)
    grid.page.keyboard.press("w")
    expect(toggle).to_have_attribute("aria-pressed", "true")
    signs = grid.text(1).locator(".lw-invisible").evaluate_all("all => all.map((e) => e.dataset.sign)")
    assert signs == ["··", "NBSP", "U+200B", "¶", "·"]
    assert grid.text(1).evaluate("e => e.textContent") == ROWS[1]["text"]
    toggle.click()
    expect(grid.root.locator(".lw-invisible")).to_have_count(0)


def test_a_pair_is_two_named_texts(mount):
    grid = mount([example(0) | {"text": "A man sleeps.", "pair": "Nobody is awake."}], text_columns=["premise", "hypothesis"])
    for place in (grid.text(0).locator(".lw-words"), grid.root.locator(".lw-full")):
        names = place.evaluate_all("all => all.map((e) => [getComputedStyle(e, '::before').content, e.textContent])")
        assert [text for _, text in names] == ["A man sleeps.", "Nobody is awake."]
        assert ["premise" in names[0][0], "hypothesis" in names[1][0]] == [True, True]


def test_rows_of_the_same_words_are_shown_and_decided_alike(mount):
    grid = open_rows(mount)
    grid.start_at(1)
    expect(grid.root.locator(".lw-duplicates")).to_be_hidden()
    assert [request["args"] for request in grid.requests("duplicates")] == [{"row": 0}]
    grid.start_at(0)
    grid.button("2 other rows with the same words").click()
    panel = grid.root.get_by_role("dialog", name="Rows with the same words")
    expect(panel.get_by_role("listitem")).to_have_count(3)
    panel.get_by_role("button", name="Apply one decision to all").click()
    expect(grid.button("Relabel… selected")).to_be_focused()
    expect(grid.root.get_by_role("toolbar", name="Selected rows")).to_contain_text("3 rows")
    grid.button("Remove selected").click()
    expect(grid.root).to_have_attribute("data-unsaved", "0")
    assert grid.kernel("kernel.rows.filter(({verdict}) => verdict === 'remove').map(({row}) => row)") == [0, 3, 5]
    grid.page.keyboard.press("z")
    expect(grid.row(3)).to_have_attribute("data-verdict", "")


def test_a_relabelled_row_shows_the_loss_of_its_new_label_where_it_stands(mount):
    grid = open_rows(mount)
    before = grid.row(2).bounding_box()
    grid.start_at(2)
    grid.page.keyboard.press("a")
    expect(grid.row(2).locator("[data-column=loss]")).to_contain_text("6.89 → 0.11")
    assert grid.row(2).bounding_box() == before
    assert [int(row.get_attribute("data-row")) for row in grid.rows.all()][:4] == [0, 1, 2, 3]
