"""Take the pictures of the docs in a real JupyterLab: the quickstart's grid and each of its panes, light and dark."""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(Path(__file__).parent)]

from chromium import launch_options  # noqa: E402
from jupyter_host import JupyterHost  # noqa: E402
from notebook_page import Grid, NotebookPage  # noqa: E402
from playwright.sync_api import Locator, expect, sync_playwright  # noqa: E402

OUT = ROOT / "docs" / "images"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
LIMIT = 300_000  # bytes a picture
COLOURS = 256


def review_a_little(grid: Grid) -> None:
    """A few decisions of each kind, as a reviewer who reads the quickstart's top rows would make them."""
    for step, act in [(0, ""), (1, ""), (2, ""), (3, "Remove"), (4, "Unsure"), (9, "Keep"), (5, "")]:
        row = grid.rows.nth(step)
        if act:
            row.get_by_role("button", name=act).click()
        else:
            row.locator('[data-column="loss"]').click()
    grid.expect_saved()
    grid.page.mouse.move(0, 0)


def look_at_the_rest(grid: Grid) -> None:
    """Open every pane, and judge a spot check, so that there is something to see in each: by keys, mostly to keep."""
    for toggle in grid.root.get_by_role("group", name="Panes").get_by_role("button").all():
        if toggle.get_attribute("aria-expanded") == "false":
            toggle.click()
    grid.root.get_by_label("Rows per page").select_option("50")
    grid.button("Spot check").click()
    expect(grid.root.get_by_role("button", name="Filter off: spot check")).to_be_visible()
    expect(grid.rows).to_have_count(50)
    expect(grid.rows.first).to_be_focused()
    for step in range(50):
        grid.page.keyboard.press("a" if step % 12 == 5 else "y")
    grid.expect_saved()
    grid.root.get_by_role("button", name="Clear all").first.click()
    grid.root.get_by_label("Rows per page").select_option("10")
    grid.page.mouse.move(0, 0)


def picture(of: Locator, name: str) -> None:
    """A PNG in docs/images/ of at most 256 colours: the same to the eye, a third of the bytes."""
    shot = Image.open(io.BytesIO(of.screenshot(animations="disabled"))).convert("RGB")
    path = OUT / f"{name}.png"
    shot.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")
    if path.stat().st_size > LIMIT:
        raise SystemExit(f"Expected pictures of at most {LIMIT / 1000:.0f} kB; lower device_scale_factor.")


def in_both_themes(grid: Grid, pictures: dict[str, Locator]) -> None:
    for name, theme in THEMES.items():
        grid.page.evaluate(
            "async (theme) => { await window.jupyterapp.commands.execute('apputils:change-theme', { theme }); }", theme
        )
        expect(grid.page.locator("body")).to_have_attribute("data-jp-theme-name", theme)
        for what, locator in pictures.items():
            picture(locator, f"{what}-{name}")


def main() -> int:
    import nbformat

    notebook = nbformat.read(ROOT / "notebooks" / "quickstart.ipynb", as_version=4)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    shown = next(number for number, source in enumerate(code) if "lw.LossWidget(" in source)
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright, JupyterHost("lab", Path(folder)) as host:
        for name in ("data", "models"):
            shutil.copytree(ROOT / "notebooks" / name, Path(folder) / "review" / name)
        browser = playwright.chromium.launch(**launch_options())
        page = browser.new_page(viewport={"width": 1280, "height": 1700}, device_scale_factor=1.4)
        page.set_default_timeout(300_000)
        review = NotebookPage(host, page, name="review", cells=code)
        review.run(*range(shown + 1))
        page.set_default_timeout(30_000)
        grid = review.grid(shown)
        grid.root.get_by_label("Rows per page").select_option("10")
        review_a_little(grid)
        in_both_themes(grid, {"grid": grid.root})
        look_at_the_rest(grid)
        panes = grid.root.locator("section.lw-pane")
        names = [(pane.get_attribute("aria-label") or "").lower() for pane in panes.all()]
        in_both_themes(grid, {f"pane-{name}": panes.nth(number) for number, name in enumerate(names)})
        grid.rows.first.focus()
        grid.page.keyboard.press("v")
        for _ in range(3):
            grid.page.keyboard.press("Shift+ArrowDown")
        in_both_themes(grid, {"bulk": grid.root})
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
