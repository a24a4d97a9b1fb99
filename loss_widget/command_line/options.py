"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

existing_file = click.Path(exists=True, path_type=Path)
new_file = click.Path(path_type=Path)

text_option = click.option(
    "--text",
    "text",
    multiple=True,
    default=["text"],
    metavar="COLUMN",
    help="The column with the texts. Give it twice for pairs of texts.  [default: text]",
)
label_option = click.option("--label", default="label", show_default=True, metavar="COLUMN", help="The column with the labels.")
overwrite_option = click.option("--overwrite", is_flag=True, help="Replace the file if it is there.")


def text_columns(names: tuple[str, ...]) -> str | tuple[str, ...]:
    """`--text` as the functions of the package take it."""
    return names[0] if len(names) == 1 else names


def check_is_free(path: Path, *, overwrite: bool) -> None:
    """Refuses an existing path before the work, not after it."""
    if path.exists() and not overwrite:
        raise click.ClickException(f"{path} is there already. Choose another name, or pass --overwrite.")
    if not path.parent.is_dir():
        raise click.ClickException(f"There is no folder {path.parent}. Create it first.")


def say(message: Any) -> None:
    """For people, on stderr: stdout is for results."""
    click.echo(message, err=True)
