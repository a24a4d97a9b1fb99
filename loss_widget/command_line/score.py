"""`loss-widget score`: labelled data → saved Scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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


@click.command(short_help="Judge every label of a dataset.")
@click.argument("data", type=existing_file)
@click.option("--model", metavar="NAME", help="A fine-tuned classifier: a name on the Hugging Face hub, or a folder.")
@click.option("--encoder", metavar="NAME", help="No classifier yet: judge out of fold by a head on this encoder.")
@click.option("--out", type=new_file, required=True, metavar="FILE", help="Where the scores go, a .parquet file.")
@text_option
@label_option
@click.option("--label-name", "label_names", multiple=True, metavar="NAME", help="Names of integer labels, in order; once each.")
@click.option("--map", "label_map", multiple=True, metavar="DATA=MODEL", help="A label of the data and the model's name for it.")
@click.option("--max-length", type=int, metavar="TOKENS", help="Read so much of each text.  [default: what the model can]")
@click.option("--device", metavar="NAME", help="cpu, cuda, cuda:1, mps.  [default: a GPU if there is one]")
@click.option(
    "--precision", type=click.Choice(["exact", "fast"]), default="exact", show_default=True, help="fast: bfloat16 first."
)
@click.option("--checkpoint", type=new_file, metavar="FILE", help="Save finished work here; the same command goes on.")
@click.option("--in-sample/--not-in-sample", default=None, help="Whether the model was trained on these rows, for the record.")
@click.option("--folds", type=int, default=5, show_default=True, help="With --encoder.")
@click.option("--seed", type=int, default=0, show_default=True, help="With --encoder.")
@overwrite_option
def score(
    data: Path,
    model: str | None,
    encoder: str | None,
    out: Path,
    text: tuple[str, ...],
    label: str,
    label_names: tuple[str, ...],
    label_map: tuple[str, ...],
    folds: int,
    seed: int,
    overwrite: bool,
    **settings: Any,
) -> None:
    """Judge every label of DATA and save the scores.

    DATA is a .csv, .tsv, .jsonl or .parquet file. Pass --model if you have a classifier that was not trained on these rows. Pass
    --encoder if you have none: then each row is judged by a classifier that never saw it.

    \b
    Examples:
      loss-widget score data.csv --encoder sentence-transformers/all-MiniLM-L6-v2 --out scores.parquet
      loss-widget score test.csv --model ./my-classifier --label intent --not-in-sample --out scores.parquet

    Prints the path of the scores. Next: loss-widget review scores.parquet
    """
    if (model is None) == (encoder is None):
        raise click.UsageError("Pass either --model (a fine-tuned classifier) or --encoder (you have no classifier yet).")
    if out.suffix.lower() != ".parquet":
        raise click.BadParameter(f"scores are a .parquet file, found {out.name!r}", param_hint="--out")
    check_is_free(out, overwrite=overwrite)
    columns: dict[str, Any] = {
        "text": text_columns(text),
        "label": label,
        "label_names": list(label_names) or None,
        "label_map": _mapping(label_map),
    }
    import loss_widget as lw

    if model is not None:
        scores = lw.score(str(data), model, **columns, **settings)
    else:
        scores = lw.cross_score(str(data), encoder, folds=folds, seed=seed, **columns, **_for_an_encoder(settings))
    say(scores)
    click.echo(scores.save(out))


def _mapping(pairs: tuple[str, ...]) -> dict[str, str] | None:
    """`--map a=b` as a label_map."""
    broken = [pair for pair in pairs if "=" not in pair]
    if broken:
        raise click.BadParameter(f"write it as DATA=MODEL, found {broken[0]!r}", param_hint="--map")
    return dict(pair.split("=", 1) for pair in pairs) or None


def _for_an_encoder(settings: dict[str, Any]) -> dict[str, Any]:
    """What `cross_score` takes of the options; the others are refused instead of dropped."""
    taken = {name: settings.pop(name) for name in ("max_length", "device")}
    for name, value in settings.items():
        if value not in (None, "exact"):
            raise click.UsageError(f"--{name.replace('_', '-')} goes with --model, not with --encoder.")
    return taken
