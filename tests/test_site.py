"""The documentation site: it builds, every link leads somewhere, and a reader's browser asks nobody else for anything."""

from __future__ import annotations

import functools
import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest
from playwright.sync_api import Browser, expect

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))


class _Page(HTMLParser):
    """What a page links to, and the anchors that it has."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.anchors: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = dict(attrs)
        self.links |= {of[name] for name in ("href", "src") if of.get(name)}
        self.anchors |= {value for name in ("id", "name") if (value := of.get(name))}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` does it."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(DOCS, folder / "docs")
    shutil.copy(ROOT / "mkdocs.yml", folder)
    os.symlink(ROOT / "loss_widget", folder / "loss_widget")
    built = subprocess.run(
        [Path(sys.executable).parent / "zensical", "build", "--strict"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return folder / "site"


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """The site on a server of this machine."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_every_page_is_in_the_navigation() -> None:
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert sorted(re.findall(r": (\S+\.md)$", config, re.MULTILINE)) == PAGES


def test_llms_txt_names_every_page() -> None:
    named = re.findall(r"\]\(([^)]+)\.html\)", (DOCS / "llms.txt").read_text(encoding="utf-8"))
    assert sorted(f"{name}.md" for name in named) == [page for page in PAGES if page != "index.md"]


def test_every_link_leads_somewhere(site: Path) -> None:
    pages = {path: _Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    dead = []
    for path, page in pages.items():
        for link in page.links:
            if urlsplit(link).scheme or path.name == "404.html":
                continue
            target, anchor = urldefrag(urljoin(path.as_uri(), link))
            file = Path(unquote(urlsplit(target).path))
            file = file / "index.html" if file.is_dir() else file
            if not file.is_file() or (anchor and file in pages and unquote(anchor) not in pages[file].anchors):
                dead.append(f"{path.relative_to(site)} → {link}")
    assert dead == []


def test_links_from_the_readme_lead_to_files() -> None:
    links = re.findall(r"\]\(([^)#]+)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


def test_a_page_asks_only_its_own_server_and_fits_a_desktop_and_a_phone(browser: Browser, address: str, site: Path) -> None:
    page = browser.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    for path in sorted(set(site.rglob("*.html")) - {site / "404.html"}):  # whose links are those of the published site
        page.goto(address + str(path.relative_to(site)), wait_until="load")
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path.name, width)
    assert [url for url in asked if not url.startswith(address)] == []
    assert said == []
    page.close()


def test_the_search_finds_a_page(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.goto(address)
    page.keyboard.press("Control+k")
    page.keyboard.type("spot check")
    expect(page.get_by_role("link", name="Spot check").first).to_be_visible()
    page.close()
