"""`loss-widget apply`: the changes of a review, made in a file of the data."""

from __future__ import annotations

from pathlib import Path

import click

from loss_widget.command_line.options import (
    check_is_free,
    existing_file,
    label_option,
    new_file,
    overwrite_option,
    say,
    text_columns,
    text_option,
)


@click.command(short_help="Make the changes of a review in a dataset.")
@click.argument("changes", type=existing_file)
@click.argument("data", type=existing_file)
@click.option("--out", type=new_file, required=True, metavar="FILE", help="The corrected data: .csv, .tsv, .jsonl or .parquet.")
@text_option
@label_option
@click.option("--keep-removed", is_flag=True, help="Keep rows that the review removes, with their labels.")
@overwrite_option
def apply(changes: Path, data: Path, out: Path, text: tuple[str, ...], label: str, keep_removed: bool, overwrite: bool) -> None:
    """Make the CHANGES of a review in DATA and write the corrected rows.

    CHANGES is a file of `widget.changes` (.parquet, .csv, .jsonl) or a journal (.sqlite). Rows are found by their content, so
    DATA may be in another order than the data that was reviewed. If a change matches no row, nothing is written.

    \b
    Examples:
      loss-widget apply changes.parquet data.csv --out clean.csv
      loss-widget apply .loss_widget/review-1f2e3d.sqlite data.jsonl --label intent --out clean.jsonl

    Prints the path of the corrected data.
    """
    check_is_free(out, overwrite=overwrite)
    from loss_widget.data.export import has_own_index, write_frame
    from loss_widget.data.files import read
    from loss_widget.review import apply_changes

    columns = text_columns(text)
    frame = read(data, text=columns)
    corrected = apply_changes(frame, changes, text=columns, label=label, drop_removed=not keep_removed)
    path = write_frame(corrected, out, overwrite=overwrite, label=label, index=has_own_index(frame))
    say(f"{len(frame):,} rows read, {len(corrected):,} written.")
    click.echo(path)
