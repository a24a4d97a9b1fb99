"""messages.py and verbs.py are the one declaration of what grid and kernel say: TypeScript's types are written from it."""

from __future__ import annotations

import importlib.util
import json
import typing
from pathlib import Path
from types import UnionType
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints

import numpy as np
import pandas as pd
import pytest

import loss_widget as lw
from loss_widget.widget import messages, verbs

CASES = json.loads((Path(__file__).parents[1] / "protocol_cases.json").read_text(encoding="utf-8"))
JS = Path(__file__).parents[2] / "js"


@pytest.fixture(scope="module")
def writer():
    spec = importlib.util.spec_from_file_location("write_messages", JS / "write_messages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_types_of_the_front_end_are_those_of_the_kernel(writer):
    for source, target in writer.FILES.items():
        written = writer.typescript(source.read_text(encoding="utf-8"))
        assert target.read_text(encoding="utf-8") == written, "run `python js/write_messages.py`"


def test_what_typescript_has_no_type_for_is_refused(writer):
    for kind in ("set[int]", "complex | bytes[0]", "list[int, str]"):
        with pytest.raises(NotImplementedError, match="Expected a type that TypeScript has too"):
            writer.typescript(f"class Odd(TypedDict):\n    field: {kind}\n")


@pytest.mark.parametrize(
    ("python", "typescript"),
    [
        ("str | None", "string | null"),
        ("list[int | None]", "readonly (number | null)[]"),
        ("tuple[int, float] | None", "readonly [number, number] | null"),
        ("list[tuple[int, float]]", "readonly (readonly [number, number])[]"),
        ("dict[Verdict, list[bool]]", "Readonly<Record<Verdict, readonly boolean[]>>"),
        ("Literal['a', True]", '"a" | true'),
    ],
)
def test_a_type_of_python_is_one_of_typescript(writer, python, typescript):
    assert f"  readonly field: {typescript};" in writer.typescript(f"class Any(TypedDict):\n    field: {python}\n")


def faults(value: Any, hint: Any, where: str) -> list[str]:
    """Where a value from JSON isn't what the type says."""
    if typing.is_typeddict(hint):
        fields = get_type_hints(hint)
        marked = get_type_hints(hint, include_extras=True)
        needed = {name for name, kind in marked.items() if get_origin(kind) is not NotRequired}
        if not isinstance(value, dict) or not needed <= set(value) <= set(fields):
            return [f"{where}: expected {sorted(fields)}, found {sorted(value) if isinstance(value, dict) else value}"]
        return [fault for name in value for fault in faults(value[name], fields[name], f"{where}.{name}")]
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return [] if any(not faults(value, part, where) for part in parts) else [f"{where}: expected {hint}, found {value!r}"]
    if origin is Literal:
        fits = value in parts
    elif origin in (list, tuple, dict) and not isinstance(value, dict if origin is dict else list):
        fits = False
    elif origin is list:
        return [fault for item in value for fault in faults(item, parts[0], f"{where}[]")]
    elif origin is tuple:
        pairs = zip(value, parts, strict=True)
        return [fault for item, part in pairs for fault in faults(item, part, f"{where}[]")]
    elif origin is dict:
        return [fault for pair in value.items() for x, part in zip(pair, parts, strict=True) for fault in faults(x, part, where)]
    else:
        fits = type(value) in ({float: (int, float)}.get(hint, (hint,)))
    return [] if fits else [f"{where}: expected {hint}, found {value!r}"]


@pytest.mark.parametrize("case", CASES["exchanges"], ids=lambda case: case["name"])
def test_what_is_sent_and_answered_is_as_declared(case):
    request, reply = case["request"], case["reply"]
    if reply["ok"]:
        args, result = get_args(get_type_hints(verbs.Verbs)[request["verb"]])
        assert faults(request["args"], args, request["verb"]) == []
        assert faults(reply["result"], result, request["verb"]) == []
    else:
        assert faults(reply["error"], messages.Problem, "error") == []


def test_the_snapshot_is_as_declared():
    frame = pd.DataFrame({"text": ["fine", "awful"], "label": ["good", "bad"], "year": [1, 2]})
    scores = lw.Scores.from_probs(frame, np.array([[0.1, 0.9], [0.8, 0.2]]), label_names=["bad", "good"])
    for source in (scores, frame.assign(loss=[0.1, 0.2])):
        widget = lw.LossWidget(source, journal=None)
        assert faults(json.loads(json.dumps(widget.snapshot)), messages.Snapshot, "snapshot") == []
