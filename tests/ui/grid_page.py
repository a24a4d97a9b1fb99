"""What a person sees and clicks in the grid, and what the fake kernel behind it knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "loss_widget" / "widget" / "static"
VIEWPORT = {"width": 1280, "height": 900}
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
    """One grid in the page."""

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

    @property
    def left(self) -> Locator:
        """The sentence that says how many rows the filters leave."""
        return self.root.locator(".lw-left")

    @property
    def options(self) -> Locator:
        return self.root.get_by_role("listbox").get_by_role("option")

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
