"""`loss-widget review`: saved Scores → a notebook with the grid, in JupyterLab."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from loss_widget.command_line.options import existing_file, new_file, say


@click.command(short_help="Open the grid on saved scores in JupyterLab.", context_settings={"ignore_unknown_options": True})
@click.argument("scores", type=existing_file)
@click.argument("jupyter_options", nargs=-1, metavar="[-- JUPYTER_OPTIONS]")
@click.option("--notebook", type=new_file, metavar="FILE", help="Where the notebook goes.  [default: beside SCORES]")
@click.option("--reviewer", metavar="NAME", help="Written beside each decision.")
@click.option("--no-launch", is_flag=True, help="Only write the notebook, for another editor.")
def review(scores: Path, jupyter_options: tuple[str, ...], notebook: Path | None, reviewer: str | None, no_launch: bool) -> None:
    """Write a notebook that shows SCORES in the grid, and open it in JupyterLab.

    The notebook lies beside SCORES and is kept if it is there already. Decisions are saved in `.loss_widget/` beside it: the same
    command goes on with the review. What stands after -- goes to JupyterLab.

    \b
    Examples:
      loss-widget review scores.parquet --reviewer anna
      loss-widget review scores.parquet -- --no-browser --port 9000
      loss-widget review scores.parquet --no-launch      # then open it in VS Code

    Prints the path of the notebook.
    """
    path = notebook or scores.with_name(f"{scores.stem}-review.ipynb")
    if path.exists():
        say(f"{path} is there already and is opened as it is.")
    else:
        _check_are_scores(scores)
        path.write_text(json.dumps(_notebook(scores, path, reviewer), indent=1), encoding="utf-8")
    click.echo(path)
    if no_launch:
        return
    if importlib.util.find_spec("jupyterlab") is None:
        raise click.ClickException(
            f"The notebook is written, but JupyterLab is not installed here. Open {path} in another editor, or run `pip install "
            "jupyterlab` and this command again."
        )
    say("JupyterLab opens in your browser. Ctrl-C twice ends it.")
    raise SystemExit(subprocess.call([sys.executable, "-m", "jupyterlab", str(path), *jupyter_options]))


def _check_are_scores(path: Path) -> None:
    """An error here is kinder than one in a notebook's cell."""
    from loss_widget.scores.scores import Scores

    Scores.load(path)


def _notebook(scores: Path, notebook: Path, reviewer: str | None) -> dict[str, Any]:
    """Two cells: the grid, and what to do with the decisions."""
    try:
        shown = scores.resolve().relative_to(notebook.resolve().parent).as_posix()
    except ValueError:  # elsewhere
        shown = scores.resolve().as_posix()
    who = f", reviewer={reviewer!r}" if reviewer else ""
    cells = [
        f"import loss_widget as lw\n\nwidget = lw.LossWidget(lw.Scores.load({shown!r}){who})\nwidget",
        "# When you are done: the corrected rows, and the list of changes\n"
        f'widget.export("{scores.stem}-corrected.parquet", overwrite=True)\n'
        f'widget.changes.to_parquet("{scores.stem}-changes.parquet")\n'
        "widget.summary()",
    ]
    return {
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{number}",
                "execution_count": None,
                "metadata": {},
                "outputs": [],
                "source": source.splitlines(keepends=True),
            }
            for number, source in enumerate(cells)
        ],
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
