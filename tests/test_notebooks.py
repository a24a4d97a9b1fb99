"""The notebooks that we ship run as they stand, and are stored without outputs and widget state."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.name)
def test_a_stored_notebook_holds_no_outputs_and_no_widget_state(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert "widgets" not in notebook.metadata
    for cell in notebook.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.timeout(900)
def test_the_quickstart_runs_to_its_end(tmp_path: Path) -> None:
    import pandas as pd
    from nbclient import NotebookClient

    for name in ("data", "models"):
        shutil.copytree(NOTEBOOKS / name, tmp_path / name)
    notebook = nbformat.read(NOTEBOOKS / "quickstart.ipynb", as_version=4)
    NotebookClient(notebook, timeout=800, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()

    outputs = {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}
    grid = outputs["grid"][-1]["data"]
    assert "application/vnd.jupyter.widget-view+json" in grid
    assert "3,080 rows" in "".join(output.get("text", "") for output in outputs["classifier"])

    given = pd.read_csv(tmp_path / "data" / "banking77" / "train.csv")
    corrected = pd.read_parquet(tmp_path / "banking77-corrected.parquet")
    assert list(corrected.columns) == list(given.columns)
    assert (corrected["text"] == given["text"]).all()
    assert (corrected["category"] != given["category"]).sum() == 1
