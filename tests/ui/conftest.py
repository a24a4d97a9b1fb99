"""The built bundle in a real Chromium, with a fake kernel in the page: no server, no network."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Route, expect

sys.path.insert(0, str(Path(__file__).parent))

from grid_page import LABELS, ROOT, STATIC, VIEWPORT, GridPage, examples

JS = ROOT / "js"
ORIGIN = "http://lw.test"
DOCUMENT = """<!doctype html><meta charset=utf-8><title>grid</title>
<link rel=stylesheet href=/widget.css><style>body{margin:16px;font-family:sans-serif}</style>
<body data-jp-theme-light=true><script type=module src=/harness.js></script>"""
TYPES = {".js": "text/javascript", ".css": "text/css"}


@pytest.fixture(scope="session")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fake kernel of js/test, bundled for the page."""
    out = tmp_path_factory.mktemp("harness") / "harness.js"
    esbuild = shutil.which("esbuild", path=JS / "node_modules" / ".bin")
    if esbuild is None or not (STATIC / "widget.js").is_file():
        pytest.fail("tests/ui need js/node_modules and the built bundle: run `cd js && npm ci && npm run build`")
    source = JS / "test" / "harness.ts"
    command = [esbuild, source, "--bundle", "--format=esm", f"--outfile={out}", "--external:/widget.js", "--log-level=error"]
    subprocess.run(command, check=True)
    return out


@pytest.fixture(scope="session")
def tab(browser: Browser, harness: Path) -> Iterator[Page]:
    """One tab for all tests: a new one for each takes longer than most of them."""
    page = browser.new_page(viewport=VIEWPORT)
    page.set_default_timeout(10_000)

    def serve(route: Route) -> None:
        name = route.request.url.removeprefix(ORIGIN).lstrip("/")
        if name == "":
            return route.fulfill(body=DOCUMENT, content_type="text/html")
        file = harness if name == "harness.js" else STATIC / name
        if not file.is_file():
            return route.fulfill(status=204, body="")
        return route.fulfill(body=file.read_text(), content_type=TYPES.get(file.suffix, "text/plain"))

    page.route(f"{ORIGIN}/**", serve)
    yield page
    page.close()


@pytest.fixture
def blank(tab: Page) -> Iterator[Page]:
    """The tab, loaded anew without a grid; fails the test for any error in the page."""
    errors: list[str] = []

    def note_error(error: Error) -> None:
        errors.append(str(error))

    def note_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    tab.on("pageerror", note_error)
    tab.on("console", note_console)
    tab.set_viewport_size(VIEWPORT)
    tab.mouse.move(0, 0)
    tab.goto(f"{ORIGIN}/")
    tab.wait_for_function("() => window.harness")
    yield tab
    tab.remove_listener("pageerror", note_error)
    tab.remove_listener("console", note_console)
    assert errors == []


@pytest.fixture
def mount(blank: Page) -> Callable[..., GridPage]:
    """mount(count_or_examples, labels=, page_size=, shadow=, width=, wait=, busy=, …) -> GridPage."""

    def open_grid(
        data: int | list[dict[str, Any]] = 100,
        labels: tuple[str, ...] | list[str] = LABELS,
        *,
        page_size: int = 10,
        shadow: bool = False,
        width: str = "",
        wait: bool = True,
        busy: bool = False,
        **setup: Any,
    ) -> GridPage:
        rows = examples(data, len(labels)) if isinstance(data, int) else data
        blank.evaluate(
            """async ([setup, view, busy]) => {
                window.model = harness.makeModel(setup, { busy });
                window.view = await harness.show(window.model, view);
            }""",
            [
                {"labels": list(labels), "examples": rows, "page_size": page_size, **setup},
                {"shadow": shadow, "width": width},
                busy,
            ],
        )
        grid = GridPage(blank)
        if wait:
            expect(grid.rows).to_have_count(min(page_size, len(rows)))
        return grid

    return open_grid
