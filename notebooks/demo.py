"""The main job on real data: 10,003 bank customers' questions, judged by models that never saw their labels.

`python notebooks/demo.py` judges the rows and prints the ten least believable labels;
`python notebooks/demo.py --run-notebook` runs a copy of quickstart.ipynb to its end, without a browser.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import textwrap
import time
from pathlib import Path

from encoder import encoder_folder

HERE = Path(__file__).resolve().parent
NOTEBOOK = HERE / "quickstart.ipynb"


def judge() -> None:
    """Print the top 10 by loss, and the line with rows, seconds, accuracy and device."""
    import pandas as pd

    import loss_widget as lw

    data = pd.read_csv(HERE / "data" / "banking77" / "train.csv")
    started = time.perf_counter()
    scores = lw.cross_score(data, encoder_folder(), label="category", train="head")
    seconds = time.perf_counter() - started
    print("\nThe ten least believable labels:\n")
    print(f"{'loss':>5}  {'text':<62}  {'label':<32}  the model's")
    for row in scores.top(10).itertuples():
        text = textwrap.shorten(row.text, 62, placeholder=" …")
        print(f"{row.loss:5.2f}  {text:<62}  {row.category:<32}  {row.predicted_label}")
    accuracy = (scores.frame["predicted_label"] == scores.frame["category"]).mean()
    device = scores.provenance["device"]
    print(f"\n{len(scores)} rows in {seconds:.0f} s, accuracy {accuracy:.2f}, device {device}")


def run_notebook() -> None:
    """Run the quickstart in a temporary folder: neither the file nor a review begun beside it changes."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        for name in ("data", "models"):
            shutil.copytree(HERE / name, Path(folder) / name)
        started = time.perf_counter()
        NotebookClient(
            notebook,
            timeout=900,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
            extra_arguments=["--log-level=ERROR"],  # ipykernel warns of the plain TCP that nbclient asks it for
        ).execute()
    print(f"{NOTEBOOK.name} ran to its end in {time.perf_counter() - started:.0f} s")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run-notebook", action="store_true")
    if parser.parse_args().run_notebook:
        run_notebook()
    else:
        judge()
    return 0


if __name__ == "__main__":
    sys.exit(main())
