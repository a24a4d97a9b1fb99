"""Every Python block of the README and of the documentation, and every docstring example, runs as printed."""

from __future__ import annotations

import doctest
import importlib
import os
import pkgutil
import re
import shutil
from pathlib import Path

import pytest

import loss_widget

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
FENCE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def in_a_folder_with_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of the examples: the notebooks' data and models, and nothing of ours to overwrite."""
    for name in ("data", "models"):
        shutil.copytree(ROOT / "notebooks" / name, tmp_path / name)
        (tmp_path / "notebooks").mkdir(exist_ok=True)
        os.symlink(tmp_path / name, tmp_path / "notebooks" / name)
    # A folder of a model's name comes before the hub: the docs say what a reader types, and no test needs a network.
    monkeypatch.syspath_prepend(ROOT / "notebooks")
    from encoder import encoder_folder

    (tmp_path / "sentence-transformers").mkdir()
    os.symlink(encoder_folder(), tmp_path / "sentence-transformers" / "all-MiniLM-L6-v2")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")  # else Ray writes a token into the home directory
    return tmp_path


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def modules() -> list[str]:
    found = pkgutil.walk_packages(loss_widget.__path__, prefix="loss_widget.")
    return ["loss_widget", *(module.name for module in found)]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("document", [p for p in PAGES if FENCE.search(p.read_text(encoding="utf-8"))], ids=_name)
@pytest.mark.usefixtures("in_a_folder_with_the_data")
@pytest.mark.filterwarnings(r"ignore::DeprecationWarning:ray\.data\.context")
@pytest.mark.filterwarnings("ignore:.*Ray will no longer override accelerator:FutureWarning")
def test_the_python_blocks_of_a_page_run(document: Path) -> None:
    """In order and in one namespace, as a reader would type them."""
    source = document.read_text(encoding="utf-8")
    namespace: dict[str, object] = {"__name__": "__main__"}
    for block in FENCE.finditer(source):
        line = source.count("\n", 0, block.start(1))
        exec(compile("\n" * line + block.group(1), document.name, "exec"), namespace)


@pytest.mark.parametrize("name", modules())
@pytest.mark.usefixtures("in_a_folder_with_the_data")
def test_docstring_examples_run(name: str) -> None:
    options = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    result = doctest.testmod(importlib.import_module(name), optionflags=options)
    assert result.failed == 0
