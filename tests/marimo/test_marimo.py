"""The grid in marimo, as an app and in the editor: inside a shadow root, without Jupyter's comms."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

APP = Path(__file__).parent / "review.py"
NAMES = ["Business", "Sci/Tech", "Sports", "World"]


@pytest.fixture(scope="module", params=["run", "edit"])
def marimo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """(mode, address) of a marimo server over a copy of the app in a folder of its own."""
    folder = tmp_path_factory.mktemp(request.param)
    shutil.copy(APP, folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--headless", "--host", "127.0.0.1", "--port", str(port), "--no-token"]
    options += ["--skip-update-check"] if request.param == "edit" else []
    with (folder / "server.log").open("wb") as log:
        command = [sys.executable, "-m", "marimo", "-q", "-y", request.param, APP.name, *options]
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_up(server, f"{address}/health", folder / "server.log")
        yield request.param, address
    finally:
        server.terminate()
        server.wait(20)


def _wait_until_up(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).read()
            return
        except OSError:
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.1)


@pytest.fixture
def grid(marimo: tuple[str, str], page: Page) -> Locator:
    """The `.loss-widget` with its rows; Playwright sees through the shadow root around it."""
    mode, address = marimo
    page.set_default_timeout(60_000)
    page.set_viewport_size({"width": 1300, "height": 1000})
    page.goto(address, wait_until="domcontentloaded")
    if mode == "edit":
        page.get_by_test_id("cell-editor").first.wait_for()
        page.get_by_test_id("run-all-button").or_(page.get_by_test_id("run-button").last).first.click()
    grid = page.locator(".loss-widget")
    expect(grid.locator("[role=row][data-row]").first).to_be_visible(timeout=60_000)
    return grid


def labels_in_python(page: Page, looks: int) -> list[str]:
    page.get_by_role("button", name="Look at the DataFrame").click()
    said = page.get_by_text(re.compile(rf"look {looks}: ")).last
    expect(said).to_be_visible()
    return said.inner_text().split(": ", 1)[1].split(", ")


def test_a_click_and_a_key_reach_the_dataframe(grid: Locator, page: Page) -> None:
    first, second = (int(grid.locator("[role=row][data-row]").nth(i).get_attribute("data-row") or "") for i in (0, 1))
    grid.locator(f'[data-row="{first}"] [data-column="loss"]').click()
    row = grid.locator(f'[role=row][data-row="{first}"]')
    expect(row).to_have_attribute("data-verdict", "relabel")
    expect(row).to_have_attribute("data-saved", "true")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("x")
    expect(grid.locator(f'[role=row][data-row="{second}"]')).to_have_attribute("data-verdict", "remove")
    expect(grid).to_have_attribute("data-unsaved", "0")
    labels = labels_in_python(page, 1)
    assert labels[first] == NAMES[(first + 1) % 4]
    assert [label for i, label in enumerate(labels) if i != first] == [NAMES[i % 4] for i in range(60) if i != first]


def test_the_grid_looks_itself_inside_the_shadow_root(grid: Locator) -> None:
    row = grid.locator("[role=row][data-row]").first
    assert (row.bounding_box() or {})["height"] > 20
    assert row.evaluate("row => getComputedStyle(row).display") in ("grid", "flex")
    expect(grid.get_by_role("searchbox", name="Search text")).to_be_visible()
    assert "<b>not bold</b>" in grid.inner_text()
