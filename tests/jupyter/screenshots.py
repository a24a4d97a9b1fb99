"""Take the README's pictures: the quickstart's grid in a real JupyterLab, light and dark (`make screenshots`)."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(Path(__file__).parent)]

from chromium import launch_options  # noqa: E402
from jupyter_host import JupyterHost  # noqa: E402
from notebook_page import Grid, NotebookPage  # noqa: E402
from playwright.sync_api import expect, sync_playwright  # noqa: E402

THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
LIMIT = 300_000  # bytes a picture


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


def main() -> int:
    import nbformat

    notebook = nbformat.read(ROOT / "notebooks" / "quickstart.ipynb", as_version=4)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    shown = next(number for number, source in enumerate(code) if "lw.LossWidget(" in source)
    out = ROOT / "docs"
    out.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright, JupyterHost("lab", Path(folder)) as host:
        for name in ("data", "models"):
            shutil.copytree(ROOT / "notebooks" / name, Path(folder) / "review" / name)
        browser = playwright.chromium.launch(**launch_options())
        page = browser.new_page(viewport={"width": 1280, "height": 1500}, device_scale_factor=1.4)
        page.set_default_timeout(300_000)
        review = NotebookPage(host, page, name="review", cells=code)
        review.run(*range(shown + 1))
        page.set_default_timeout(30_000)
        grid = review.grid(shown)
        grid.root.get_by_label("Rows per page").select_option("10")
        review_a_little(grid)
        for name, theme in THEMES.items():
            page.evaluate(
                "async (theme) => { await window.jupyterapp.commands.execute('apputils:change-theme', { theme }); }", theme
            )
            expect(page.locator("body")).to_have_attribute("data-jp-theme-name", theme)
            picture = out / f"grid-{name}.png"
            grid.root.screenshot(path=picture, animations="disabled")
            size = picture.stat().st_size
            print(f"{picture.relative_to(ROOT)}: {size / 1000:.0f} kB")
            if size > LIMIT:
                raise SystemExit(f"Expected pictures of at most {LIMIT / 1000:.0f} kB; lower device_scale_factor.")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
