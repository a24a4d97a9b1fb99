"""Review of a million rows: ours against plain pandas, in turn, in one process.

`python benchmarks/review.py [--rows N] [--rounds K] [--write]`

Every figure is a median of interleaved rounds on one machine: read the ratios, not the milliseconds. The pandas side does what a
notebook does by hand: `sort_values`, a boolean mask, `str.contains(case=False)`, `.head(20)`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from report import machine, write_block
from synthetic import COMMON, LABELS, make_scores, resident_bytes

import loss_widget as lw

LIMITS_MS = {
    "open on Scores": 1000,
    "first page": 2,
    "page in the middle": 2,
    "filter by label": 20,
    "search, common term": 50,
    "search, rare words": 250,
    "search, rare number": 250,
    "one decision, durable": 10,
    "loss histogram of a label": 50,
    "confusion of a label": 50,
    "counts for all filters": 50,
    "progress": 50,
    "10,000 rows at once, durable": 2000,
}


def median_ms(times: list[float]) -> float:
    return float(np.median(times) * 1000)


def pair(ours: Callable[[int], object], theirs: Callable[[int], object] | None, rounds: int) -> tuple[float, float | None]:
    """Median milliseconds of both, run in turn; each call gets the number of its round."""
    a: list[float] = []
    b: list[float] = []
    for i in range(rounds):
        for times, run in ((a, ours), (b, theirs)):
            if run is not None:
                start = time.perf_counter()
                run(i)
                times.append(time.perf_counter() - start)
    return median_ms(a), median_ms(b) if b else None


def import_ms(rounds: int) -> float:
    script = "import time; t = time.perf_counter(); import loss_widget; print(time.perf_counter() - t)"
    runs = [subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True) for _ in range(rounds)]
    return median_ms([float(run.stdout) for run in runs])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    rounds, rows = options.rounds, options.rows

    scores = make_scores(rows)
    table = scores.frame
    data_bytes = int(table.memory_usage(deep=True).sum()) + scores.log_probs.nbytes
    before = resident_bytes()

    with tempfile.TemporaryDirectory() as folder:
        journals = (Path(folder) / f"open-{i}.sqlite" for i in range(rounds))
        opened = pair(lambda i: lw.ReviewSession(scores, journal=next(journals)).page(), None, min(rounds, 5))
        session = lw.ReviewSession(scores, journal=Path(folder) / "review.sqlite")
        query = lw.Query
        session.page(query(given="class 1"))
        lines = {
            "open on Scores": opened,
            "first page": pair(
                lambda _: session.page().total, lambda _: table.sort_values("loss", ascending=False).head(20), rounds
            ),
            "page in the middle": pair(
                lambda _: session.page(query(offset=rows // 2)).rows,
                lambda _: table.sort_values("loss", ascending=False).iloc[rows // 2 : rows // 2 + 20],
                rounds,
            ),
            "filter by label": pair(
                lambda i: session.page(query(given=f"class {i % LABELS}")).total,
                lambda i: table[table["label"] == i % LABELS].sort_values("loss", ascending=False).head(20),
                rounds,
            ),
            "search, common term": pair(
                lambda i: session.page(query(search=COMMON[i % len(COMMON)].upper())).rows,
                lambda i: _pandas_search(table, COMMON[i % len(COMMON)].upper()),
                min(rounds, 6),
            ),
            "search, rare words": pair(
                lambda i: session.page(query(search=_beginning(table, i))).rows,
                lambda i: _pandas_search(table, _beginning(table, i)),
                min(rounds, 6),
            ),
            "search, rare number": pair(
                lambda i: session.page(query(search=f"{i}2345")).rows, lambda i: _pandas_search(table, f"{i}2345"), min(rounds, 6)
            ),
            "one decision, durable": pair(lambda i: session.keep(i), None, 50),
            "one relabel, in the frame": pair(lambda i: session.relabel(100 + i, "class 1"), None, 50),
            "all quirks, once": pair(lambda _: _look_for_quirks(session), None, 1),
            "loss histogram of a label": pair(
                lambda i: session.loss_histogram(query(given=f"class {i % LABELS}", disagreements=i >= LABELS)),
                lambda i: np.histogram(table["loss"][table["label"] == i % LABELS], bins=50),
                rounds,
            ),
            "confusion of a label": pair(
                lambda i: session.confusion(query(predicted=f"class {i % LABELS}", verdict="", loss_range=(i, 99))),
                lambda i: table[table["loss"] > i].groupby(["label", "predicted_label"]).size().sort_values(),
                rounds,
            ),
            "counts for all filters": pair(lambda i: session.facets(query(given=f"class {i % LABELS}")), None, rounds),
            "progress": pair(lambda _: session.progress(), None, rounds),
            "filter by quirk": pair(lambda _: session.page(query(quirk="conflicting duplicates")).total, None, rounds),
            "spot check of 100": pair(lambda _: session.spot_check(100, anew=True), None, min(rounds, 5)),
            "10,000 rows at once, durable": pair(lambda i: session.keep(_thousands(session, i)), None, min(rounds, 5)),
            "undo of 10,000": pair(lambda _: session.undo(), None, min(rounds, 5)),
        }
        extra = resident_bytes() - before
        session.close()

    table = ["| what | ours, ms | pandas, ms | pandas / ours | asked for, ms |", "|---|---:|---:|---:|---:|"]
    for name, (ours, theirs) in lines.items():
        ratio = f"{theirs:,.0f} | {theirs / ours:,.0f}×" if theirs is not None else " | "
        table.append(f"| {name} | {ours:,.1f} | {ratio} | {LIMITS_MS.get(name, '')} |")
    table.append(f"| `import loss_widget` | {import_ms(5):,.0f} | | | 300 |")
    table.append(f"\n{rows:,} rows; memory of the review beyond the scored data: {extra / data_bytes:.2f}× of its ")
    table[-1] += f"{data_bytes / 1e6:,.0f} MB; medians of interleaved rounds. {machine()}"
    print("\n".join(table))
    if options.write:
        write_block("review.py", "\n".join(table))


def _look_for_quirks(session: lw.ReviewSession) -> None:
    while session.facets().pending:
        pass


def _thousands(session: lw.ReviewSession, i: int) -> np.ndarray:
    return session.rows_of(lw.Query(verdict="", given=f"class {i}"))[:10_000]


def _beginning(table: pd.DataFrame, row: int) -> str:
    """Six words that few rows have in this order."""
    return " ".join(table["text"].iloc[row].split()[:6])


def _pandas_search(table: pd.DataFrame, term: str) -> pd.DataFrame:
    return table[table["text"].str.contains(term, case=False, regex=False)].sort_values("loss", ascending=False).head(20)


if __name__ == "__main__":
    main()
