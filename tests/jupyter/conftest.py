"""Both hosts, one server each for the whole session; every test in its own folder with its own kernel."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext

sys.path.insert(0, str(Path(__file__).parent))

from jupyter_host import JupyterHost
from notebook_page import NotebookPage

OpenNotebook = Callable[..., NotebookPage]


@pytest.fixture(scope="session", params=["lab", "notebook"])
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterHost]:
    with JupyterHost(request.param, tmp_path_factory.mktemp(request.param)) as running:
        yield running


@pytest.fixture(scope="session")
def visits(browser: Browser) -> Iterator[BrowserContext]:
    """One browser cache for the whole session: the host's own scripts take most of the time that a fresh page needs."""
    context = browser.new_context(viewport={"width": 1300, "height": 1000})
    context.set_default_timeout(30_000)
    yield context
    context.close()


@pytest.fixture
def open_notebook(host: JupyterHost, visits: BrowserContext, request: pytest.FixtureRequest) -> Iterator[OpenNotebook]:
    """open_notebook(*cells, kernel=…) -> a NotebookPage; an uncaught error of the grid fails the test."""
    page = visits.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(error.stack or error.message))

    def open_(*cells: str, kernel: str = "python3") -> NotebookPage:
        name = re.sub(r"\W+", "-", request.node.name).strip("-")
        return NotebookPage(host, page, name=name, cells=list(cells), kernel=kernel)

    yield open_
    page.close()
    host.end_kernels()
    # anywidget loads our bundle from a blob; what fails elsewhere in the page is not ours.
    assert not [error for error in errors if "blob:" in error]
