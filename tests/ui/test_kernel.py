"""A kernel that is busy, loses answers, dies, or is used by two views."""

from __future__ import annotations

import json

from playwright.sync_api import expect


def test_clicks_on_a_busy_kernel_are_drawn_at_once_queued_and_resent_with_the_same_ids(mount):
    grid = mount()
    grid.page.evaluate("() => { model.busy = true; }")
    for row in range(3):
        grid.row(row).click()
        expect(grid.row(row)).to_have_attribute("data-verdict", "relabel")
        expect(grid.row(row)).to_have_attribute("data-saved", "false")
    expect(grid.root).to_have_attribute("data-unsaved", "3")
    expect(grid.status).to_contain_text("kernel busy, 3 decisions queued")
    grid.page.wait_for_timeout(2_100)
    grid.page.evaluate("() => model.release()")
    expect(grid.root).to_have_attribute("data-unsaved", "0")
    expect(grid.row(2)).to_have_attribute("data-saved", "true")
    messages = [[op["op_id"] for op in request["args"]["ops"]] for request in grid.requests("decide")]
    assert [len(ids) for ids in messages] == [1, 3]
    assert messages[1][0] == messages[0][0]
    assert grid.kernel("kernel.applied") == messages[1]


def test_the_first_page_of_a_busy_kernel_is_waited_for_in_words(mount):
    grid = mount(busy=True, wait=False)
    expect(grid.root.get_by_text("waiting for the kernel: it shows")).to_be_visible()
    expect(grid.status).to_contain_text("waiting for the kernel")
    grid.page.wait_for_timeout(600)
    grid.page.evaluate("() => model.release()")
    expect(grid.rows).to_have_count(10)
    first, again, *_ = grid.requests("page")
    assert first["rid"] == again["rid"]


def test_a_dead_kernel_leaves_the_rows_to_read_and_nothing_to_decide(mount):
    grid = mount()
    grid.page.evaluate("() => { model.busy = true; }")
    grid.row(0).click()
    grid.page.evaluate("() => model.die()")
    expect(grid.status).to_contain_text("The kernel has stopped: re-run the cell. 1 decision is not saved")
    expect(grid.rows).to_have_count(10)
    expect(grid.row(0)).to_have_attribute("data-saved", "false")
    for name in ("Undo", "Redo", "Export"):
        expect(grid.button(name)).to_be_disabled()
    expect(grid.row(1).get_by_role("button", name="Keep", exact=True)).to_be_disabled()
    grid.row(1).click()
    expect(grid.row(1)).to_have_attribute("data-verdict", "")
    grid.row(1).locator("[data-column=label]").click()
    expect(grid.root.get_by_role("listbox")).to_be_hidden()
    grid.page.keyboard.press("j")
    expect(grid.row(2)).to_be_focused()
    with grid.page.expect_download() as download:
        grid.button("Download them").click()
    assert download.value.suggested_filename == "unsaved-decisions.jsonl"
    assert json.loads(download.value.path().read_text())["new_label"] == "Sci/Tech"
    grid.button("Next page").click()  # fetched ahead
    expect(grid.row(10)).to_be_visible()
    expect(grid.root).to_have_attribute("data-unsaved", "1")


def test_two_views_of_one_widget_agree(mount):
    grid = mount()
    grid.page.evaluate("async () => { window.second = await harness.show(model); }")
    views = grid.page.locator(".loss-widget")
    expect(views.nth(1).locator("[data-row]")).to_have_count(10)
    grid.row(3).click()
    other = views.nth(1).locator("[data-row='3']")
    expect(other).to_have_attribute("data-label", "Business")
    expect(views.nth(1).get_by_role("status")).to_contain_text("1 of 100 rows reviewed")
    other.get_by_role("button", name="Keep", exact=True).click()
    expect(grid.row(3)).to_have_attribute("data-verdict", "keep")
    expect(views.nth(1).get_by_role("button", name="Undo")).to_be_enabled()


def test_what_python_did_shows_without_moving_the_rows(mount):
    grid = mount()
    grid.start_at(4)
    grid.page.evaluate(
        """() => {
            model.kernel.decideInPython({kind: "relabel", rows: [2], label: 0, note: null});
            model.announcements.tell();
        }"""
    )
    expect(grid.row(2)).to_have_attribute("data-label", "Business")
    expect(grid.status).to_contain_text("1 of 100 rows reviewed")
    expect(grid.row(4)).to_be_focused()


def test_a_superseded_view_is_read_only_and_says_so(mount):
    grid = mount()
    grid.page.evaluate("() => { model.kernel.readOnly = 'A newer widget has taken over.'; model.announcements.tell(); }")
    expect(grid.status).to_contain_text("A newer widget has taken over.")
    expect(grid.root.get_by_role("grid")).to_have_attribute("aria-readonly", "true")
    grid.row(0).click()
    expect(grid.row(0)).to_have_attribute("data-verdict", "")
    expect(grid.row(0).get_by_role("button", name="Keep", exact=True)).to_be_disabled()
    assert grid.requests("decide") == []


def test_what_a_closed_view_had_not_sent_reaches_the_kernel(mount):
    grid = mount()
    grid.page.evaluate("() => { model.busy = true; }")
    for row in range(3):
        grid.row(row).click()
    grid.page.evaluate("() => view.close()")
    expect(grid.page.locator(".loss-widget")).to_have_count(0)
    assert grid.page.evaluate("model.listeners()") == 0
    grid.page.evaluate("async () => { window.view = await harness.show(model); model.release(); }")
    expect(grid.row(2)).to_have_attribute("data-verdict", "relabel")
    expect(grid.root).to_have_attribute("data-unsaved", "0")
    assert len(grid.kernel("kernel.applied")) == 3


def test_nothing_is_asked_while_nothing_happens(mount):
    grid = mount()
    grid.page.wait_for_timeout(300)
    before = grid.kernel("kernel.heard.length")
    grid.page.wait_for_timeout(2_500)
    assert grid.kernel("kernel.heard.length") == before
