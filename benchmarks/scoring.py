"""Per-example losses: every way to them that people use, and ours, on the same rows, in one process, in turns.

    python benchmarks/scoring.py                                                 # MiniLM on 400 rows of AG News
    python benchmarks/scoring.py --model minilm distilbert --data ag long --rows 2000 --write
    python benchmarks/scoring.py --only tutorial stock packed --threads 1

Rounds alternate A B C … A B C … and the tables show medians: on a shared machine only ratios within one run mean anything, and
`--threads 1` with the columns of CPU seconds says most where other work holds the cores. The limit is the float32 matrix products
that this machine makes of the model's own shapes, measured between the rounds, against the operations that the stock model needs
for the real tokens, without any padding. The last layer of our packed engine computes one position only, so it may pass 100 %.

`--rows` is said for AG News; of the long texts as many are read as ask for the work of the first table. Under each table stands
what each of our passes spends its time on.

The book's loop pads everything to the longest text of all and is slow: it reads `--book-rows` of the rows, the longest among
them. `pip install '.[bench]'` brings what the peers need; who cannot run is named with the reason. benchmarks/material.py says
which rows and models these are.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import datasets
import material
import matmul
import numpy as np
import pandas as pd
import peers
import torch
import transformers
from report import Result, Suite, conditions, write_suites
from spent import spent_on

BASE = "tutorial"
TRAIN_ROWS, WARM_UP_ROWS, FEWEST_ROWS = 800, 64, 40
TITLES = {
    "minilm": "MiniLM-L6 (384 wide)",
    "distilbert": "DistilBERT-base's shape (768 wide)",
    "ag": "AG News",
    "long": "texts of 20 to 512 tokens",
}


@dataclass(frozen=True)
class Entry:
    """A contestant's name in the table and how it is made of a model and its tokenizer."""

    title: str
    make: Callable[[Any, Any], peers.Contestant]


def entries(threads: int | None) -> dict[str, Entry]:
    """Everybody, by the name that `--only` takes, in the order of the table."""
    return {
        "book": Entry("the book's loop", peers.book),
        "tutorial": Entry("the tutorial's loop", peers.tutorial),
        "pipeline": Entry('`pipeline("text-classification")`', peers.pipeline),
        "trainer": Entry("`Trainer.predict`", peers.trainer),
        "characters": Entry("as sentence-transformers", peers.sorted_by_characters),
        "onnx": Entry("ONNX Runtime, sorted", peers.onnx),
        "stock": Entry("ours, stock", peers.ours("stock", threads=threads)),
        "packed": Entry("**ours, packed** (`lw.score`)", peers.ours("packed", threads=threads)),
        "fast": Entry('ours, `precision="fast"`', peers.ours("auto", "fast", threads=threads)),
    }


def main() -> None:
    """Run all suites, print their tables, and write them into docs/performance.md where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", nargs="+", choices=("minilm", "distilbert"), default=["minilm"])
    parser.add_argument("--data", nargs="+", choices=("ag", "long"), default=["ag"])
    parser.add_argument("--rows", type=int, default=400, help="rows of AG News; of long texts the first table's work")
    parser.add_argument("--book-rows", type=int, default=100, help="rows for the book's loop")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=None, help="torch threads for all (default: torch's own, and ours choose)")
    parser.add_argument("--only", nargs="+", choices=entries(None), default=None, help="the tutorial's loop always runs")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    _quiet()
    chosen = {
        name: entry
        for name, entry in entries(options.threads).items()
        if not options.only or name in options.only or name == BASE
    }
    line = conditions(threads=torch.get_num_threads(), rounds=options.rounds)
    suites: list[Suite] = []
    work = 0.0
    for model_name in options.model:
        model = material.minilm(material.news().iloc[-TRAIN_ROWS:]) if model_name == "minilm" else material.distilbert()
        for data_name in options.data:
            frame = _rows(data_name, options.rows)
            operations = matmul.operations_of(model, token_counts(frame))
            work = work or operations
            if data_name == "long":
                frame = _rows(data_name, max(FEWEST_ROWS, round(len(frame) * min(1.0, work / operations))))
            title = f"{TITLES[model_name]}, {len(frame):,} rows of {TITLES[data_name]}"
            suites.append(run_suite(title, model, frame, chosen, rounds=options.rounds, book_rows=options.book_rows))
            print(f"\n{suites[-1].markdown()}\n\n{line}", flush=True)
    if options.write:
        write_suites(suites, line)


def run_suite(title: str, model: Any, frame: pd.DataFrame, chosen: dict[str, Entry], *, rounds: int, book_rows: int) -> Suite:
    """All contestants over `frame` in turns, and the machine's limit before and after each round."""
    tokenizer = material.tokenizer()
    lengths = token_counts(frame)
    # The packed engine compares itself with the stock one once for a model, up to the longest row that it has met.
    longest = frame.loc[frame["text"].str.len().sort_values(ascending=False).index[:WARM_UP_ROWS]].reset_index(drop=True)
    contestants: dict[str, peers.Contestant] = {}
    results: dict[str, Result] = {}
    for name, entry in chosen.items():
        rows = _with_the_longest(lengths, book_rows) if name == "book" else np.arange(len(frame))
        results[name] = Result(_titled(entry, rows, frame), rows, matmul.operations_of(model, lengths[rows]))
        try:
            contestants[name] = entry.make(model, tokenizer)
            contestants[name](longest)
        except peers.NotHere as reason:
            contestants.pop(name, None)
            results[name].why_not = str(reason).rstrip(".")
            print(f"{entry.title}: left out, {reason}", flush=True)
    suite = Suite(title, list(results.values()), base=results[BASE].name)
    for number in range(rounds):
        suite.limit = suite.limit.raised_to(matmul.limit_of(model))
        for name, contestant in contestants.items():
            result = results[name]
            part = frame.iloc[result.rows].reset_index(drop=True)
            wall, cpu = time.perf_counter(), time.process_time()
            result.losses = np.asarray(contestant(part), dtype=np.float32)
            result.seconds.append((time.perf_counter() - wall, time.process_time() - cpu))
            print(
                f"round {number + 1}, {result.name}: {result.seconds[-1][0]:.1f} s, CPU {result.seconds[-1][1]:.1f} s", flush=True
            )
        suite.limit = suite.limit.raised_to(matmul.limit_of(model))
    ours = {"stock": ("stock",), "packed": ("packed",), "fast": ("auto", "fast")}
    for name, how in ours.items():
        if name in contestants:  # the profiler sees the thread that it is called on
            suite.spent[name] = spent_on(partial(peers.ours(*how, threads=1)(model, tokenizer), frame))
    return suite


def token_counts(frame: pd.DataFrame) -> np.ndarray:
    """(rows,) how many tokens each text has."""
    return np.array([len(ids) for ids in material.tokenizer()(frame["text"].tolist(), truncation=True)["input_ids"]])


def _rows(data_name: str, rows: int) -> pd.DataFrame:
    """Rows that no model was trained on; AG News as a whole if there are not enough of them."""
    news = material.news()
    if data_name == "long":
        return material.long_texts(news, rows)
    return news.iloc[:rows]


def _with_the_longest(lengths: np.ndarray, rows: int) -> np.ndarray:
    """So many rows from all over, the longest one among them: it is what the book's loop pads to."""
    chosen = np.unique(np.linspace(0, len(lengths) - 1, min(rows, len(lengths))).astype(int))
    chosen[np.abs(chosen - lengths.argmax()).argmin()] = lengths.argmax()
    return np.unique(chosen)


def _titled(entry: Entry, rows: np.ndarray, frame: pd.DataFrame) -> str:
    return entry.title if len(rows) == len(frame) else f"{entry.title} ({len(rows)} of the rows)"


def _quiet() -> None:
    datasets.disable_progress_bars()
    datasets.disable_caching()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()


if __name__ == "__main__":
    main()
