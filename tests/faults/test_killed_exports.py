"""An export or a save that is killed at any moment leaves the old file or the new one, whole."""

from __future__ import annotations

import os
import random
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from faults import Child, Figures, killing_at, tries
from small import make_scores

import loss_widget as lw
from loss_widget.data import atomic_file

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning"),
    pytest.mark.timeout(3600),
]


def write(path: Path, label: str) -> None:
    """All rows with this label, as a file, a dataset, or saved Scores."""
    scores = make_scores()
    if path.name.startswith("scores"):
        scores.provenance["label"] = label
        scores.save(path)
        return
    session = lw.ReviewSession(scores, journal=None)
    session.relabel(range(len(session)), label)
    session.export(path, overwrite=True)


def label_in(path: Path) -> str:
    """The one label that is in all rows of what was written."""
    if path.name.startswith("scores"):
        return str(lw.Scores.load(path).provenance["label"])
    [label] = set(lw.read(path)["label"])
    return str(label)


PATHS = ["out.csv", "out.jsonl", "out.parquet", "dataset", "scores.parquet"]


@pytest.mark.parametrize("name", PATHS)
def test_a_write_killed_at_a_random_moment_leaves_the_old_or_the_new(name: str, figures: Figures) -> None:
    path, moments, kills = Path(name), random.Random(name), 0
    write(path, "good")
    write(path, "bad")  # so that what is imported once is there before the fork
    for _ in range(tries(8, 200)):
        before = label_in(path)
        child = Child(lambda tell, before=before: write(path, "good" if before == "bad" else "bad"))
        timer = threading.Timer(moments.uniform(0.0, 0.15), child.kill)
        timer.start()
        child.end()
        timer.cancel()
        kills += child.was_killed
        assert label_in(path) in ("good", "bad")
    figures.add(f"kill -9 at a random moment of writing {name}", tries=kills, lost=0)


@pytest.mark.parametrize("exchange", [True, False], ids=["in one step", "by two renames"])
@pytest.mark.parametrize("step", ["os.rename", "os.unlink", "shutil.rmtree", "_exchanged"])
@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_dataset_killed_at_each_step_of_its_replacement_is_there(
    exchange: bool, step: str, call: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path("dataset")
    if not exchange:
        monkeypatch.setattr(atomic_file, "_exchanged", lambda one, other: False)
    write(path, "good")

    def program(tell: Callable[[object], None]) -> None:
        modules = {"os": os, "shutil": shutil}
        module, name = step.split(".") if "." in step else ("", step)
        owner = modules.get(module, atomic_file)
        monkeypatch.setattr(owner, name, killing_at(call, getattr(owner, name)))
        write(path, "bad")

    child = Child(program)
    child.end()
    if exchange:
        assert path.is_dir(), "also for those who read without us"
    assert label_in(path) in (("good", "bad") if child.was_killed else ("bad",))
    write(path, "good")
    assert label_in(path) == "good"
    assert [p.name for p in Path().iterdir() if p.suffix == ".old"] == []
