"""The house stands as drawn: imports go down only, in every room; one door per dependency; and importing is light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "loss_widget"

# Each room's stack, from the ground up: a module may import those named before it, and of its own floor none. A folder stands
# for all that is in it, and has a stack of its own further down. A new module is drawn in here.
STACKS: dict[str, list[str]] = {
    "": ["errors", "data", "scores", "review scoring", "widget", "__init__", "command_line", "__main__"],
    "command_line": ["doctor options", "apply review score", "main"],
    "data": [
        "atomic_file columns contents label_advice label_space losses",
        "arrow delimited labels texts",
        "json_lines label_sets numerals",
        "export files",
        "examples",
    ],
    "data/delimited": ["format", "shape", "parse"],
    "scores": ["label_order nearest probabilities state", "parquet_file", "parquet_folder", "scores", "example multi_label"],
    "review": [
        "further_columns label_column text uninterrupted",
        "query",
        "arguments decisions table",
        "estimate journal",
        "apply_changes review_state",
        "open_source outcome panes rows",
        "questions",
        "session",
    ],
    "review/text": ["duplicates scripts search", "quirks"],
    "review/journal": ["process_lock written", "identity matching sqlite_file", "journal", "choice", "ownership"],
    "scoring": [
        "engine extras no_model precision progress",
        "heads",
        "checkpoint machine models",
        "text_reader",
        "devices text_pass",
        "scorer",
        "cross on_ray score",
        "loss_recorder scoring_run",
    ],
    "scoring/cross": ["fine_tuning folds judges noise", "discriminant", "rounds", "cross_score"],
    "scoring/devices": ["one", "process several"],
    "scoring/engine": [
        "autocast autotune float32 memory model_lock packed parallel_batches tokens",
        "batches",
        "forward stock",
        "choose",
    ],
    "scoring/engine/packed": ["anatomy layout", "linears modules", "attention decoders encoders", "families", "model"],
    "scoring/on_ray": ["parquet_parts", "part_scorer", "score_with_ray"],
    "widget": ["cells messages", "verbs", "protocol", "answers", "widget"],
}
DOORS = {
    "anywidget": "widget",
    "click": "command_line",
    "traitlets": "widget",
    "ipywidgets": "widget",
    "torch": "scoring",
    "transformers": "scoring",
    "sklearn": "scoring",
    "ray": "scoring/on_ray",
}
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}


def imports(path: Path) -> set[str]:
    """What a module imports, wherever that stands in it: the names of modules, of our own the most exact ones."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found.add(whole if whole in MODULES else node.module or "")
    return found


OWN = {name: {other for other in imports(path) if other in MODULES} for name, path in MODULES.items()}
FILES = [pytest.param(name, id=name) for name in MODULES]


def floors(room: str) -> dict[str, int]:
    """The floor of each module and folder of a room. Its `__init__`, which gathers them, stands on top unless it is drawn."""
    stack = STACKS.get(room, [])
    return {"__init__": len(stack)} | {name: i for i, floor in enumerate(stack) for name in floor.split()}


def places(module: str) -> list[tuple[str, str]]:
    """[(room, what stands in it)] down to a module, as [("", "review"), ("review", "text"), ("review/text", "quirks")]."""
    parts = module.split(".")[1:] + (["__init__"] if MODULES[module].name == "__init__.py" else [])
    return [("/".join(parts[:i]), part) for i, part in enumerate(parts)]


@pytest.mark.parametrize("module", FILES)
def test_a_module_imports_only_what_stands_below_it(module):
    for other in OWN[module]:
        (room, here), (_, there) = next((a, b) for a, b in zip(places(module), places(other), strict=False) if a != b)
        assert floors(room)[there] < floors(room)[here], f"{module} must not import {other}: it does not stand below it"


def test_every_room_is_drawn_whole():
    there: dict[str, set[str]] = {}
    for module in MODULES:
        for room, part in places(module):
            there.setdefault(room, {"__init__"}).add(part)
    assert {room: set(floors(room)) for room in there} == there


def test_there_is_no_circle_of_modules():
    left = {module: {other for other in others if other != module} for module, others in OWN.items()}
    while left:
        free = {module for module, others in left.items() if not others & left.keys()}
        assert free, f"these import each other in a circle: {sorted(left)}"
        left = {module: others for module, others in left.items() if module not in free}


@pytest.mark.parametrize("module", FILES)
def test_each_dependency_has_one_door(module):
    room = "/".join(module.split(".")[1:])
    for name in imports(MODULES[module]):
        door = DOORS.get(name.split(".")[0])
        assert door is None or f"{room}/".startswith(f"{door}/"), f"{name} belongs into {door}"


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
