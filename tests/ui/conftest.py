"""The built bundle in a real Chromium, with a fake kernel in the page: no server, no network."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "loss_widget" / "widget" / "static"
JS = ROOT / "js"
ORIGIN = "http://lw.test"
DOCUMENT = """<!doctype html><meta charset=utf-8><title>grid</title>
<link rel=stylesheet href=/widget.css><style>body{margin:16px;font-family:sans-serif}</style>
<body data-jp-theme-light=true><script type=module src=/harness.js></script>"""
TYPES = {".js": "text/javascript", ".css": "text/css"}

LABELS = ("Business", "Sci/Tech", "Sports", "World")


def example(row: int, labels: int = 4, **changes: Any) -> dict[str, Any]:
    """Given label `row % labels`, predicted the next one with 0.9; a higher row has a lower loss."""
    given, best = row % labels, (row + 1) % labels
    low = 0.001 + row * 1e-5
    rest = (0.1 - low) / (labels - 2) if labels > 2 else 0.0
    probs = [low if i == given else 0.9 if i == best else rest for i in range(labels)]
    return {"text": f"example number {row}", "given": given, "probs": probs} | changes


def examples(count: int, labels: int = 4) -> list[dict[str, Any]]:
    return [example(row, labels) for row in range(count)]


class GridPage:
    """What a person sees and clicks, and what the fake kernel knows."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @property
    def root(self) -> Locator:
        return self.page.locator(".loss-widget").first

    @property
    def rows(self) -> Locator:
        return self.root.locator("[role=row][data-row]")

    @property
    def status(self) -> Locator:
        return self.root.get_by_role("status")

    @property
    def cursor(self) -> Locator:
        return self.root.get_by_role("grid").locator("[tabindex='0']")

    def row(self, row: int) -> Locator:
        return self.root.locator(f"[role=row][data-row='{row}']")

    def text(self, row: int) -> Locator:
        return self.row(row).locator("[data-column=text]")

    def button(self, name: str) -> Locator:
        return self.root.get_by_role("button", name=name, exact=True)

    def box(self, name: str) -> Locator:
        return self.root.get_by_role("combobox", name=name, exact=True)

    def kernel(self, expression: str) -> Any:
        """Evaluates JavaScript with `model` and `kernel` in scope."""
        return self.page.evaluate(f"() => {{ const {{model}} = window; const {{kernel}} = model; return {expression}; }}")

    def requests(self, verb: str) -> list[dict[str, Any]]:
        return [request for request in self.kernel("kernel.heard") if request["verb"] == verb]

    def start_at(self, row: int) -> None:
        """Puts the focus on a row without deciding about it."""
        self.row(row).focus()
        expect(self.row(row)).to_be_focused()


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


@pytest.fixture
def blank(page: Page, harness: Path) -> Iterator[Page]:
    """An empty page that can load the bundle; fails the test for any error in the page."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.set_default_timeout(5_000)

    def serve(route: Route) -> None:
        name = route.request.url.removeprefix(ORIGIN).lstrip("/")
        if name == "":
            return route.fulfill(body=DOCUMENT, content_type="text/html")
        file = harness if name == "harness.js" else STATIC / name
        if not file.is_file():
            return route.fulfill(status=204, body="")
        return route.fulfill(body=file.read_text(), content_type=TYPES.get(file.suffix, "text/plain"))

    page.route(f"{ORIGIN}/**", serve)
    page.goto(f"{ORIGIN}/")
    page.wait_for_function("() => window.harness")
    yield page
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
