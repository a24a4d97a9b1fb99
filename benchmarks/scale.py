"""How scoring grows with the rows: its own work beside the forward pass, its memory, and its time up to a million rows.

    python benchmarks/scale.py                    # some ten minutes on two cores
    python benchmarks/scale.py --only host memory
    python benchmarks/scale.py --only host --profile

Every figure comes from a process of its own, after a small run that has loaded and allocated what any run needs; rates are rows
a CPU second of all threads of that process, so that other work on the machine counts little. The questions:

host     all but the forward pass: `lw.score` of AG News rows with a model that costs nothing; its tokenizer's core alone
memory   the highest memory of `lw.score` over 120,000 AG News rows, beyond what it returns
parquet  a million short rows of a Parquet file through a model of one layer: time and memory from 10,000 rows up
dataset  the same of a memory-mapped `datasets.Dataset`
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import json
import pstats
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

HOST_ROWS = (1_000, 10_000, 120_000)
MEMORY_ROWS = (120_000,)
SCALE_ROWS = (10_000, 100_000, 1_000_000)
WARM_UP_ROWS = 1_000
SHORT_WORDS = 8
Figures = dict[str, Any]


def main() -> None:
    """Ask every question in processes of their own and print the answers as Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=QUESTIONS, default=list(QUESTIONS))
    parser.add_argument("--rows", type=int, nargs="+", help="instead of each question's own numbers of rows")
    parser.add_argument("--profile", action="store_true", help="print where the time goes (it takes longer then)")
    parser.add_argument("--answer", nargs=2, metavar=("QUESTION", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.answer:
        print(json.dumps(_answer(options.answer[0], options.rows[0], Path(options.answer[1]), profiled=options.profile)))
        return
    with tempfile.TemporaryDirectory() as folder:
        for question in options.only:
            make, rows, kind = QUESTIONS[question]
            table = []
            for count in options.rows or rows:
                make(Path(folder), count)
                table.append(_in_its_own_process(question, count, folder, profiled=options.profile))
            print(f"\n{kind}\n\n{_markdown(table)}", flush=True)


def host(rows: int, folder: Path) -> Iterator[Figures]:
    """CPU seconds of `lw.score` with a model that costs nothing; yields after its warm-up, and then the figures."""
    import material

    import loss_widget as lw

    frame = pd.read_parquet(folder / "news.parquet")
    model, words = material.weightless(), material.tokenizer()
    lw.score(frame[:WARM_UP_ROWS], model, tokenizer=words, progress=False)
    yield {}
    started = time.process_time()
    lw.score(frame, model, tokenizer=words, progress=False)
    ours = time.process_time() - started
    texts, core = frame["text"].tolist(), words.backend_tokenizer
    started = time.process_time()
    for start in range(0, rows, 4_096):
        core.encode_batch_fast(texts[start : start + 4_096])
    alone = time.process_time() - started
    yield {"rows": rows, "rows a CPU second": rows / ours, "tokenizer alone": rows / alone, "its share, %": 100 * alone / ours}


def memory(rows: int, folder: Path) -> Iterator[Figures]:
    """The highest memory of `lw.score` with a model that costs nothing, over a frame that is in memory already."""
    import material

    import loss_widget as lw

    frame = pd.read_parquet(folder / "news.parquet")
    model, words = material.weightless(), material.tokenizer()
    lw.score(frame[:WARM_UP_ROWS], model, tokenizer=words, progress=False)
    yield {}
    before = _settled_bytes()
    scores = lw.score(frame, model, tokenizer=words, progress=False)
    peak = _peak_bytes() - before
    result = _own_bytes(scores)
    yield {"rows": rows, "peak MB": peak / 1e6, "results MB": result / 1e6, "beyond MB": (peak - result) / 1e6}


def parquet(rows: int, folder: Path) -> Iterator[Figures]:
    """Time and memory of `lw.score` on a file."""
    yield from _scaled(rows, lambda part: folder / f"{part}.parquet")


def dataset(rows: int, folder: Path) -> Iterator[Figures]:
    """Time and memory of `lw.score` on a memory-mapped dataset."""
    import datasets

    yield from _scaled(rows, lambda part: datasets.load_from_disk(folder / f"{part}.dataset"))


def _scaled(rows: int, data_of: Any) -> Iterator[Figures]:
    import material

    import loss_widget as lw

    model, words = material.one_layer(), material.tokenizer()
    lw.score(data_of("few"), model, tokenizer=words, progress=False)
    yield {}
    before = _settled_bytes()
    wall, cpu = time.perf_counter(), time.process_time()
    scores = lw.score(data_of("many"), model, tokenizer=words, progress=False)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = _peak_bytes() - before
    result = _own_bytes(scores) + int(scores.frame[["text", "label"]].memory_usage(deep=True).sum())
    yield {
        "rows": rows,
        "rows/s": rows / wall,
        "rows a CPU second": rows / cpu,
        "engine": scores.provenance["engine"],
        "peak MB": peak / 1e6,
        "results MB": result / 1e6,
        "beyond MB": (peak - result) / 1e6,
    }


def make_news(folder: Path, rows: int) -> None:
    """AG News again and again, each row with a number of its own."""
    import material

    frame = material.news()
    again = -(-rows // len(frame))
    texts = [f"{text} {i}" for i in range(again) for text in frame["text"]][:rows]
    labels = [label for _ in range(again) for label in frame["label"]][:rows]
    pd.DataFrame({"text": texts, "label": labels}).to_parquet(folder / "news.parquet")


def make_parquet(folder: Path, rows: int) -> None:
    """Short rows, in row groups as a data pipeline writes them."""
    for name, count in (("few", WARM_UP_ROWS), ("many", rows)):
        with pq.ParquetWriter(folder / f"{name}.parquet", next(_short_rows(1)).schema) as writer:
            for table in _short_rows(count):
                writer.write_table(table)


def make_dataset(folder: Path, rows: int) -> None:
    """The same short rows as an Arrow dataset on disk."""
    import datasets

    datasets.disable_progress_bars()
    make_parquet(folder, rows)
    for name in ("few", "many"):
        shutil.rmtree(folder / f"{name}.dataset", ignore_errors=True)
        data = datasets.Dataset.from_parquet(str(folder / f"{name}.parquet"), cache_dir=str(folder))
        data.save_to_disk(folder / f"{name}.dataset")


def _short_rows(rows: int, at_once: int = 50_000) -> Iterator[pa.Table]:
    import material

    frame = material.news()
    starts = [" ".join(text.split()[:SHORT_WORDS]) for text in frame["text"]]
    labels = frame["label"].tolist()
    for start in range(0, rows, at_once):
        numbers = range(start, min(start + at_once, rows))
        yield pa.table(
            {
                "text": [f"{starts[i % len(starts)]} {i}" for i in numbers],
                "label": [labels[i % len(labels)] for i in numbers],
            }
        )


QUESTIONS: dict[str, Any] = {
    "host": (make_news, HOST_ROWS, "Host work: rows a CPU second of everything but the forward pass (AG News rows)"),
    "memory": (make_news, MEMORY_ROWS, "The highest memory of `lw.score` beyond its results (AG News rows)"),
    "parquet": (make_parquet, SCALE_ROWS, "Short rows of a Parquet file, a model of one layer"),
    "dataset": (make_dataset, SCALE_ROWS, "Short rows of a memory-mapped dataset, a model of one layer"),
}


def _answer(question: str, rows: int, folder: Path, *, profiled: bool) -> Figures:
    import datasets
    import torch

    torch.set_num_threads(1)
    datasets.disable_progress_bars()
    steps = globals()[question](rows, folder)
    next(steps)
    if not profiled:
        return next(steps)
    profile = cProfile.Profile()
    found = profile.runcall(next, steps)
    pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(25)
    return found


def _in_its_own_process(question: str, rows: int, folder: str, *, profiled: bool) -> Figures:
    command = [sys.executable, __file__, "--rows", str(rows), "--answer", question, folder]
    run = subprocess.run([*command, *(["--profile"] if profiled else [])], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(run.stdout.splitlines()[-1])


def _own_bytes(scores: Any) -> int:
    """What a Scores holds beside the caller's columns."""
    from loss_widget.scores.scores import SCORE_COLUMNS

    columns = scores.frame[[name for name in SCORE_COLUMNS if name in scores.frame]]
    return int(columns.memory_usage(index=False, deep=False).sum()) + scores.log_probs.nbytes + scores.given_ids.nbytes


def _settled_bytes() -> int:
    """Resident memory now, with garbage gone; the kernel's memory of the peak is reset."""
    import psutil

    gc.collect()
    pa.default_memory_pool().release_unused()
    Path("/proc/self/clear_refs").write_text("5")
    return int(psutil.Process().memory_info().rss)


def _peak_bytes() -> int:
    status = Path("/proc/self/status").read_text()
    return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))


def _markdown(rows: list[Figures]) -> str:
    names = list(rows[0])
    lines = ["| " + " | ".join(names) + " |", "|" + "|".join("---:" for _ in names) + "|"]
    for row in rows:
        cells = (f"{value:,.0f}" if isinstance(value, (int, float)) else str(value) for value in row.values())
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
