"""Without torch: what judges says what to install, and what reviews works."""

from __future__ import annotations

import subprocess
import sys

import pytest

BLOCKED = (
    "import sys; sys.modules.update(dict.fromkeys(['torch', 'transformers', 'sklearn', 'datasets'])); import loss_widget as lw; "
)
DATA = "[{'text': 'fine', 'label': 'good'}, {'text': 'awful', 'label': 'bad'}]"


@pytest.mark.parametrize(
    "call",
    [
        f"lw.score({DATA}, 'a-model')",
        f"lw.start_scoring({DATA}, 'a-model')",
        f"lw.cross_score({DATA} * 5, 'a-model')",
        "lw.LossRecorder",
    ],
)
def test_what_judges_names_the_extra_to_install(call: str) -> None:
    caught = "except lw.errors.LossWidgetError as error:\n    print(isinstance(error, ImportError), error)"
    script = f"{BLOCKED}\ntry:\n    {call}\n{caught}"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert said.startswith("True Judging labels needs 'torch', 'transformers'")
    assert "pip install 'loss-widget[score]'" in said


def test_a_bare_install_reviews_and_exports() -> None:
    script = f"""{BLOCKED}
import os, tempfile
os.chdir(tempfile.mkdtemp())
widget = lw.LossWidget(lw.example())
widget.relabel(0, "card_swallowed")
widget.session.spot_check(30)
print(lw.apply_changes(lw.example().frame, widget.changes)["label"][0], widget.export("clean.csv"))
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "card_swallowed clean.csv"
