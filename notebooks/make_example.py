"""Make the example set that ships with the package: all rows of eight intents of BANKING77, judged out of fold.

`python notebooks/make_example.py` writes loss_widget/scores/example/bank_cards.parquet; `--out` writes elsewhere.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from encoder import encoder_folder

import loss_widget as lw
from loss_widget.scores.example import ABOUT, FILE

DATA = Path(__file__).resolve().parent / "data" / "banking77" / "train.csv"
INTENTS = (
    "activate_my_card",
    "card_about_to_expire",
    "card_arrival",
    "card_delivery_estimate",
    "card_not_working",
    "card_swallowed",
    "lost_or_stolen_card",
    "order_physical_card",
)


def rows_of_the_example() -> pd.DataFrame:
    """Every training row under one of the intents, in the order of the file: nothing is picked by hand."""
    data = pd.read_csv(DATA).rename(columns={"category": "label"})
    return data[data["label"].isin(INTENTS)].reset_index(drop=True)


def main() -> None:
    """Judge the rows and write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=FILE)
    out = parser.parse_args().out

    data = rows_of_the_example()
    scores = lw.cross_score(data, encoder_folder(), progress=False)
    provenance = {key: scores.provenance[key] for key in ("engine", "folds", "seed")}
    provenance["model"] = "all-MiniLM-L6-v2"
    about = {"label_names": scores.label_names, "provenance": provenance}

    table = pa.Table.from_pandas(data, preserve_index=False)
    probs = pa.FixedSizeListArray.from_arrays(pa.array(scores.probs.ravel()), len(scores.label_names))
    table = table.append_column("probs", probs).replace_schema_metadata({ABOUT: json.dumps(about)})
    pq.write_table(table, out, compression="zstd", compression_level=19)
    print(f"{out}: {len(data)} rows, {out.stat().st_size / 1000:.0f} kB")
    print(scores.top(10))


if __name__ == "__main__":
    main()
