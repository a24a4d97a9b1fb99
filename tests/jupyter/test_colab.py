"""Colab runs an older kernel with ipywidgets 7: the grid's Python side with those (its frames: tests/ui/test_hosts.py)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from headlines import LABELS, NAMES, SCORE, SETUP, SHOW, TOP, best_other, given_label, parse
from jupyter_host import KERNELS
from kernel import Kernel

# The part of Colab's own package that anywidget asks, as that package is in google/colab/output/_widgets.py.
COLAB = """
import sys, types
output = types.ModuleType("google.colab.output")
output._widgets = types.SimpleNamespace(_installed_url=None)
def enable_custom_widget_manager():
    output._widgets._installed_url = "manager.min.js"
output.enable_custom_widget_manager = enable_custom_widget_manager
sys.modules["google.colab.output"] = output
"""
VERSIONS = "import IPython, ipykernel, ipywidgets\nprint(IPython.__version__, ipykernel.__version__, ipywidgets.__version__)"
TAKEN = "print([row for decision in taken for row in decision.rows])"


@pytest.fixture
def colab(tmp_path: Path) -> Iterator[Kernel]:
    if not (KERNELS / "colab").is_dir():
        pytest.skip(f"no kernel as Colab's in {KERNELS}: `make jupyter-tests` installs it there")
    with Kernel(tmp_path, KERNELS / "colab") as kernel:
        assert kernel.ask(VERSIONS) == "7.34.0 6.17.1 7.7.1"
        kernel.ask(COLAB + SETUP + SCORE)
        yield kernel


def click(row: int) -> dict[str, Any]:
    """What the grid sends when a row is clicked."""
    labels = [NAMES.index(best_other(row)), NAMES.index(given_label(row))]
    op = {"op_id": f"op-{row}", "kind": "relabel", "rows": [row], "label": labels[0], "note": None, "from": labels[1:]}
    return {"v": 1, "rid": f"k-{row}", "verb": "decide", "args": {"ops": [op]}}


def test_the_grid_is_shown_with_colabs_widget_manager_and_inside_other_widgets(colab: Kernel) -> None:
    seen = colab.run(SHOW)
    assert not seen["error"]
    assert "application/vnd.jupyter.widget-view+json" in seen["shown"]
    told = json.loads(colab.ask("import json\nprint(json.dumps(widget._repr_mimebundle_()[1]))"))
    assert told["application/vnd.jupyter.widget-view+json"]["colab"]["custom_widget_manager"]["url"] == "manager.min.js"
    assert not colab.run("from ipywidgets import Label, VBox\nVBox([Label('which'), widget])")["error"]


def test_clicks_are_seen_by_the_next_cell_also_those_of_a_busy_kernel_once_and_in_order(colab: Kernel) -> None:
    colab.ask("taken = []\nwidget = lw.LossWidget(scores)\nwidget.on_change(taken.append)")
    comm = colab.ask("print(widget.comm.comm_id)")
    colab.send(comm, click(TOP))
    assert parse(colab.ask(LABELS))[TOP] == best_other(TOP)
    long = colab.start("time.sleep(2)")
    for row in (7, 3, 5, 7):
        colab.send(comm, click(row))
    colab.finish(long)
    labels = parse(colab.ask(LABELS))
    assert [labels[row] for row in (3, 5, 7)] == [best_other(row) for row in (3, 5, 7)]
    assert json.loads(colab.ask(TAKEN)) == [TOP, 7, 3, 5]
