"""The group of commands, and how they fail."""

from __future__ import annotations

import contextlib
import re
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import click

import loss_widget
from loss_widget.command_line.apply import apply
from loss_widget.command_line.doctor import doctor
from loss_widget.command_line.review import review
from loss_widget.command_line.score import score
from loss_widget.errors import LossWidgetError

_ARGUMENTS = {"label_map": "--map", "label_names": "--label-name"}
"""Arguments whose options have other names."""

_CTRL_C = 130
"""What shells expect: 128 + SIGINT."""


class _Commands(click.Group):
    """Shows our own errors as a sentence and warnings as a line; everything else keeps its traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        with _plain_warnings():
            try:
                return super().invoke(ctx)
            except LossWidgetError as error:
                raise click.ClickException(_in_options(str(error))) from error
            except KeyboardInterrupt:
                click.echo("\nStopped.", err=True)
                raise SystemExit(_CTRL_C) from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)  # in the order of a review


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(loss_widget.__version__, prog_name="loss-widget")
def main() -> None:
    """Find and fix wrong labels with the model's own loss.

    \b
    A review from a terminal:
      loss-widget score data.csv --encoder sentence-transformers/all-MiniLM-L6-v2 --out scores.parquet
      loss-widget review scores.parquet
      loss-widget apply changes.parquet data.csv --out clean.csv

    Each command explains itself: loss-widget score --help.
    """


for command in (score, review, apply, doctor):
    main.add_command(command)


def _in_options(message: str) -> str:
    """An error's advice as it is followed here: `label=` in Python is `--label` in a terminal."""
    return re.sub(r"`(\w+)=(True|…)?`", lambda found: f"`{_ARGUMENTS.get(found[1], '--' + found[1].replace('_', '-'))}`", message)


@contextlib.contextmanager
def _plain_warnings() -> Iterator[None]:
    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        print(f"Warning: {message}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield
