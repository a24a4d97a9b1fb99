"""A notebook open in the browser, driven through `window.jupyterapp`, and the grids in its outputs."""

from __future__ import annotations

import copy
import os
import signal
from typing import Any

from jupyter_host import JupyterHost
from playwright.sync_api import Locator, Page, expect

CURRENT = "window.jupyterapp.shell.currentWidget"


class NotebookPage:
    """One notebook of `cells` for a kernel, in a folder of its own, so with a journal of its own."""

    def __init__(self, host: JupyterHost, page: Page, *, name: str, cells: list[str], kernel: str = "python3") -> None:
        import nbformat

        self.host = host
        self.page = page
        self.folder = host.root / name
        self.folder.mkdir(exist_ok=True)
        self.path = self.folder / "review.ipynb"
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
        notebook.metadata["kernelspec"] = {
            "name": kernel,
            "display_name": kernel,
            "language": "python",
        }
        nbformat.write(notebook, self.path)
        self.open()

    def open(self) -> None:
        """Load the page, and wait until its kernel answers."""
        self.page.goto(self.host.url(f"{self.folder.name}/{self.path.name}"), wait_until="domcontentloaded")
        self.page.wait_for_function(
            "() => { const w = window.jupyterapp?.shell?.currentWidget;"
            " return Boolean(w?.sessionContext && w.context?.isReady); }",
            timeout=60_000,
        )
        self.page.evaluate(
            f"async () => {{ const w = {CURRENT}; await w.context.ready; await w.sessionContext.ready;"
            " await w.sessionContext.session?.kernel?.info; }"
        )

    def in_another_tab(self) -> NotebookPage:
        """The same notebook once more, in a page of its own."""
        other = copy.copy(self)
        other.page = self.page.context.new_page()
        other.open()
        return other

    # -- cells

    def run(self, *cells: int) -> None:
        """Run these cells one after another, each to its end."""
        for cell in cells:
            self.page.evaluate(
                f"async (i) => {{ const nb = {CURRENT}.content; nb.deselectAll(); nb.activeCellIndex = i;"
                " await window.jupyterapp.commands.execute('notebook:run-cell'); }",
                cell,
            )

    def start(self, cell: int) -> None:
        """Start a cell, and do not wait for its end."""
        self.page.evaluate(
            f"(i) => {{ const nb = {CURRENT}.content; nb.deselectAll(); nb.activeCellIndex = i;"
            " window.jupyterapp.commands.execute('notebook:run-cell'); }",
            cell,
        )

    def output(self, cell: int) -> Locator:
        return self.page.locator(".jp-Notebook .jp-Cell").nth(cell).locator(".jp-Cell-outputWrapper")

    def printed(self, cell: int) -> str:
        """What a cell printed, warnings aside; an AssertionError with the traceback if it raised."""
        outputs: list[dict[str, Any]] = self.page.evaluate(f"(i) => {CURRENT}.content.widgets[i].model.outputs.toJSON()", cell)
        for output in outputs:
            assert output["output_type"] != "error", "\n".join(output["traceback"])
        texts = (output["text"] for output in outputs if output.get("name") == "stdout")
        return "".join(text if isinstance(text, str) else "".join(text) for text in texts).strip()

    def ask(self, cell: int) -> str:
        """Run a cell; what it printed."""
        self.run(cell)
        return self.printed(cell)

    def sources(self) -> list[str]:
        sources: list[str] = self.page.evaluate(
            f"() => {CURRENT}.content.widgets.map((cell) => cell.model.sharedModel.getSource())"
        )
        return sources

    def save(self) -> None:
        self.page.evaluate("async () => { await window.jupyterapp.commands.execute('docmanager:save'); }")

    # -- kernel

    def restart_kernel(self) -> None:
        """Restart, and wait until the new kernel answers: a request sent too early is lost with the old one."""
        self.page.evaluate(
            f"""async () => {{
              const {{ kernel }} = {CURRENT}.sessionContext.session;
              await kernel.restart();
              const late = () => new Promise((done) => setTimeout(() => done(false), 5000));
              const answers = () => kernel.requestKernelInfo().then(() => true, () => false);
              while (!(await Promise.race([answers(), late()])));
            }}"""
        )
        self._wait_for_kernel()

    def kill_kernel(self) -> None:
        """`kill -9`, then wait until the server has started a new kernel, and read the host's own notice of it."""
        self.page.evaluate(
            f"() => {{ window.seen = []; {CURRENT}.sessionContext.session.kernel.statusChanged"
            ".connect((_, status) => window.seen.push(status)); }"
        )
        os.kill(self._pid(), signal.SIGKILL)
        self.page.wait_for_function("() => /restarting.*idle/.test(window.seen.join())", timeout=60_000)
        self.page.get_by_role("dialog", name="Kernel Restarting").get_by_role("button").click()

    def stop_kernel(self) -> None:
        """It hears nothing from now on, and nobody notices."""
        os.kill(self._pid(), signal.SIGSTOP)

    def continue_kernel(self) -> None:
        os.kill(self._pid(), signal.SIGCONT)

    def _pid(self) -> int:
        """The kernel's process: its command line names the file of its connection, which has its id in it."""
        import psutil  # ipykernel needs it, too

        file = f"kernel-{self.host.kernel_of(self.path.relative_to(self.host.root))}.json"
        [pid] = [p.pid for p in psutil.process_iter(["cmdline"]) if file in " ".join(p.info["cmdline"] or ())]
        return int(pid)

    def _wait_for_kernel(self) -> None:
        self.page.wait_for_function(f"() => {CURRENT}.sessionContext.session.kernel.status === 'idle'", timeout=60_000)

    # -- grids

    def grid(self, cell: int) -> Grid:
        """The grid in the output of a cell, once it shows rows."""
        grid = Grid(self.page.locator(".jp-Notebook .jp-Cell").nth(cell).locator(".loss-widget"))
        expect(grid.rows.first).to_be_visible(timeout=30_000)
        return grid


class Grid:
    """What a person sees of a review; `root` is the `.loss-widget`."""

    def __init__(self, root: Locator) -> None:
        self.root = root
        self.page = root.page
        self.rows = root.locator("[role=row][data-row]")

    def row(self, row: int) -> Row:
        """The row with this position in the source."""
        return Row(self.root.locator(f'[role=row][data-row="{row}"]'))

    def top(self) -> Row:
        """The first row on the page."""
        position = self.rows.first.get_attribute("data-row")
        assert position is not None
        return self.row(int(position))

    def button(self, name: str) -> Locator:
        return self.root.get_by_role("button", name=name, exact=True).first

    def expect_saved(self, *, seconds: float = 20) -> None:
        """Wait until the kernel has answered every decision."""
        expect(self.root).to_have_attribute("data-unsaved", "0", timeout=1000 * seconds)


class Row:
    """One row of a grid; found anew each time it is asked, for slots are refilled."""

    def __init__(self, element: Locator) -> None:
        self.element = element

    @property
    def position(self) -> int:
        return int(self.element.get_attribute("data-row") or "")

    @property
    def label(self) -> str:
        return self.element.get_attribute("data-label") or ""

    def cell(self, column: str) -> Locator:
        return self.element.locator(f'[data-column="{column}"]')

    def click(self) -> None:
        """Click on the row's loss: always on the row, never on a button."""
        self.cell("loss").click()

    def expect_state(self, label: str, verdict: str) -> None:
        """Wait until the row shows this label and verdict, and is saved."""
        expect(self.element).to_have_attribute("data-label", label)
        expect(self.element).to_have_attribute("data-verdict", verdict)
        expect(self.element).to_have_attribute("data-saved", "true")
