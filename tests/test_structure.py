"""The house stands as drawn: imports go down only, one door per dependency, and importing is light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "loss_widget"

FLOORS = [{"errors"}, {"data"}, {"scores"}, {"review", "scoring"}, {"widget"}, {"command_line"}, {"__main__"}]
DOORS = {
    "anywidget": {"widget"},
    "click": {"command_line"},
    "traitlets": {"widget"},
    "ipywidgets": {"widget"},
    "torch": {"scoring"},
    "transformers": {"scoring"},
    "sklearn": {"scoring"},
    "ray": {"scoring"},
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def imports(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def floor_of(name: str) -> int:
    return next(i for i, floor in enumerate(FLOORS) if name in floor)


@pytest.mark.parametrize("path", [p for p in MODULES if room(p) != "__init__"], ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_imports_only_its_own_room_and_the_floors_below(path):
    here = room(path)
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "loss_widget" and len(parts) > 1 and parts[1] != here:
            assert floor_of(parts[1]) <= floor_of(here), f"{here} must not import {name}"
            assert {here, parts[1]} != {"review", "scoring"}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_each_dependency_has_one_door(path):
    for name in imports(path):
        doors = DOORS.get(name.split(".")[0])
        assert doors is None or room(path) in doors, f"{name} belongs into {doors}"


def test_importing_is_light():
    script = (
        "import sys, loss_widget as lw; heavy = {'torch', 'transformers', 'datasets', 'matplotlib', 'pandas', 'anywidget'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_reviewing_needs_no_torch():
    script = (
        "import sys; from loss_widget import LossWidget, ReviewSession, Scores; "
        "print(sorted({'torch', 'transformers', 'datasets'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_no_file_is_long():
    root = PACKAGE.parent
    files = [
        p
        for folder in ("loss_widget", "js/src", "js/test", "tests", "benchmarks", "notebooks")
        for p in (root / folder).rglob("*.*")
    ]
    long = {
        str(p.relative_to(root)): n
        for p in files
        if p.suffix in (".py", ".ts", ".css") and (n := len(p.read_text().splitlines())) > 400 and "static" not in p.parts
    }
    assert long == {}
