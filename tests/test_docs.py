"""Every Python block of the README and every docstring example runs as printed."""

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
FENCE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def in_a_folder_with_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of the examples: the notebooks' data and model, and nothing of ours to overwrite."""
    for name in ("data", "models"):
        shutil.copytree(ROOT / "notebooks" / name, tmp_path / name)
        (tmp_path / "notebooks").mkdir(exist_ok=True)
        os.symlink(tmp_path / name, tmp_path / "notebooks" / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def modules() -> list[str]:
    found = pkgutil.walk_packages(loss_widget.__path__, prefix="loss_widget.")
    return ["loss_widget", *(module.name for module in found)]


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("in_a_folder_with_the_data")
def test_every_python_block_of_the_readme_runs() -> None:
    """In order and in one namespace, as a reader would type them."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    namespace: dict[str, object] = {"__name__": "__main__"}
    found = 0
    for block in FENCE.finditer(readme):
        line = readme.count("\n", 0, block.start(1))
        exec(compile("\n" * line + block.group(1), "README.md", "exec"), namespace)
        found += 1
    assert found


@pytest.mark.parametrize("name", modules())
@pytest.mark.usefixtures("in_a_folder_with_the_data")
def test_docstring_examples_run(name: str) -> None:
    options = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    result = doctest.testmod(importlib.import_module(name), optionflags=options)
    assert result.failed == 0
