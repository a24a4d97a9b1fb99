"""What was measured as Markdown: a table for each suite, written into docs/performance.md."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from matmul import Limit

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
_TOP = 0.05
_COLUMNS = (
    "",
    "rows/s",
    "wall s",
    "CPU s",
    "× tutorial (wall)",
    "(CPU)",
    "% of limit (wall)",
    "(CPU)",
    "difference in loss",
    "of the top 5 %",
)


@dataclass
class Result:
    """What one contestant did: `seconds` a round, on the clock and of the CPU, over `rows` that ask for `operations`."""

    name: str
    rows: np.ndarray
    operations: float
    seconds: list[tuple[float, float]] = field(default_factory=list)
    losses: np.ndarray | None = None
    why_not: str = ""


@dataclass
class Suite:
    """One model on one set of rows. `base`: whom the others are measured by. `spent`: what our passes spend their time on."""

    title: str
    results: list[Result]
    limit: Limit = field(default_factory=Limit)
    base: str = ""
    spent: dict[str, str] = field(default_factory=dict)

    def markdown(self) -> str:
        """The title, the table, and what could not run and why."""
        base = next((result for result in self.results if result.name == self.base and result.seconds), None)
        ran = [result for result in self.results if result.seconds]
        head = [f"| {' | '.join(_COLUMNS)} |", "|---" + "|---:" * (len(_COLUMNS) - 1) + "|"]
        lines = [f"**{self.title}**", "", *head, *(self._line(result, base) for result in ran), ""]
        lines += [f"{result.name}: not measured, {result.why_not}.  " for result in self.results if result.why_not]
        if self.limit.wall:
            lines.append(f"The limit: {self.limit.wall / 1e9:.0f} GFLOP/s, {self.limit.cpu / 1e9:.0f} a CPU second.  ")
        lines += [f"Our {name} pass spends its time on: {shares}.  " for name, shares in self.spent.items()]
        return "\n".join(lines).rstrip()

    def _line(self, result: Result, base: Result | None) -> str:
        wall, cpu = (statistics.median(column) for column in zip(*result.seconds, strict=True))
        limits = ((wall, self.limit.wall), (cpu, self.limit.cpu))
        shares = [f"{100 * result.operations / seconds / most:.0f}" if most else "" for seconds, most in limits]
        cells = [
            result.name,
            f"{len(result.rows) / wall:,.0f}",
            f"{wall:.1f}",
            f"{cpu:.1f}",
            *(["", ""] if base is None else [f"{ratio:.2f}" for ratio in _ratios(result, base)]),
            *shares,
            *(["", ""] if base is None or result is base else _differences(result, base)),
        ]
        return f"| {' | '.join(cells)} |"


def conditions(*, threads: int, rounds: int) -> str:
    """One line: on what and with what the scoring was measured."""
    import torch

    packages = [f"{name} {found}" for name in ("torch", "transformers", "onnxruntime") if (found := _version(name))]
    with_what = (
        f"{threads} {'thread' if threads == 1 else 'threads'}, {torch.backends.cpu.get_cpu_capability()}, "
        f"{'one round' if rounds == 1 else f'medians of {rounds} rounds in turns'}, {', '.join(packages)}"
    )
    return f"{machine()[:-1]}; {with_what}."


def machine() -> str:
    """One line: the processor, Python, and the date."""
    return f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, {date.today():%d %B %Y}."


def write_suites(suites: Sequence[Suite], line: str, path: Path = PAGE) -> None:
    """Put the tables of scoring into the page."""
    tables = "\n\n".join(suite.markdown() for suite in suites)
    write_block("scoring.py", f"{tables}\n\n{line}", path)


def markers(script: str) -> tuple[str, str]:
    """The lines of the page between which a script writes."""
    return f"<!-- written by benchmarks/{script} -->", f"<!-- end of what benchmarks/{script} wrote -->"


def write_block(script: str, block: str, path: Path = PAGE) -> None:
    """Replace what stands between a script's two markers in the page."""
    text = path.read_text(encoding="utf-8")
    begin, end = markers(script)
    if text.count(begin) != 1 or text.count(end) != 1:
        raise SystemExit(f"Expected one line {begin} and one line {end} in {path.name}. Put them where the tables belong.")
    before, rest = text.split(begin)
    path.write_text(f"{before}{begin}\n\n{block}\n\n{end}{rest.split(end)[1]}", encoding="utf-8")


def _ratios(result: Result, base: Result) -> list[float]:
    """How many times faster a row is than the base's, wall and CPU: the median over the rounds."""
    rows = len(result.rows) / len(base.rows)
    pairs = list(zip(base.seconds, result.seconds, strict=False))
    return [statistics.median(rows * theirs[k] / mine[k] for theirs, mine in pairs) for k in (0, 1)]


def _differences(result: Result, base: Result) -> list[str]:
    """The greatest difference in loss to the base's, of all rows and of those with the highest losses."""
    if result.losses is None or base.losses is None:
        return ["", ""]
    theirs = base.losses[np.searchsorted(base.rows, result.rows)]
    apart = np.abs(result.losses - theirs)
    top = np.argsort(-theirs, kind="stable")[: max(1, int(_TOP * len(theirs)))]
    return [f"{most:.0e}" if most else "0" for most in (apart.max(), apart[top].max())]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")
    except OSError:
        name = ""
    return name or platform.processor() or platform.machine()
