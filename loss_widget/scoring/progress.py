"""How far a pass is: rows done, rows a second, time left; and the bar that shows it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

Advance = Callable[[int, float], None]
"""(rows done, what they are in the bar's units of a mean row)"""

_LAYOUT = "{desc}: {percentage:3.0f}%|{bar}| {remaining} left{postfix}"
_LAYOUT_OF_A_RUN = "{desc}: {percentage:3.0f}%|{bar}|{postfix}"
_SECONDS_BETWEEN_DRAWINGS = 0.5


@dataclass(frozen=True)
class Progress:
    """How far a pass was after its last batch.

    `done` of `rows` are finished, `resumed` of them by an earlier run; `seconds` since it began to read. Long texts come
    first, so that a row counts in `share`, 0 to 1, and in `seconds_left` by its part of the tokens. `what`: "scoring", or
    "float32" for the rows that `precision="fast"` reads again.

    >>> print(Progress(rows=2_000).after(500, 1_000.0, seconds=10))
    500 of 2,000 rows, 50 rows/s, 10 s left
    """

    rows: int
    done: int = 0
    resumed: int = 0
    seconds: float = 0.0
    what: str = "scoring"
    work: float = 0.0

    def after(self, done: int, work: float, *, seconds: float) -> Progress:
        """`done` rows later, that were the `work` of so many mean rows."""
        return replace(self, done=self.done + done, work=self.work + work, seconds=seconds)

    @property
    def share(self) -> float:
        """The part of the work that is done, 0 to 1."""
        return 1.0 if self.done >= self.rows else min(1.0, (self.resumed + self.work) / self.rows)

    @property
    def rows_per_second(self) -> float:
        """Of this run; 0 before its first batch."""
        return (self.done - self.resumed) / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """At the speed so far; None where that is not known yet."""
        if self.done >= self.rows:
            return 0.0
        return self.seconds * max(0.0, self.rows - self.resumed - self.work) / self.work if self.work else None

    def __str__(self) -> str:
        left = "" if self.seconds_left is None else f", {self.seconds_left:,.0f} s left"
        return f"{self.done:,} of {self.rows:,} rows, {self.rows_per_second:,.0f} rows/s{left}"


class ProgressBar:
    """A bar of a whole run, notebook-aware: made where it is to appear, fed from any one thread, drawn twice a second at most."""

    def __init__(self, rows: int) -> None:
        self._bar: Any = _bar(rows, "scoring", _LAYOUT_OF_A_RUN)
        self._drawn_at = 0.0
        self._what = "scoring"

    def show(self, progress: Progress) -> None:
        """Draw it, unless it was drawn just now and there is more to come."""
        now = time.monotonic()
        if now - self._drawn_at < _SECONDS_BETWEEN_DRAWINGS and progress.done < progress.rows:
            return
        self._drawn_at = now
        if progress.what != self._what:
            self._what = progress.what
            self._bar.reset(total=progress.rows)
            self._bar.set_description(progress.what, refresh=False)
        self._bar.n = progress.share * progress.rows
        self._bar.set_postfix_str(str(progress), refresh=False)
        self._bar.refresh()

    def close(self, last_words: str = "") -> None:
        """Leave it as it stands, with last words instead of the counts where there are any."""
        if last_words:
            self._bar.set_postfix_str(last_words)
        self._bar.close()


@contextlib.contextmanager
def progress_bar(rows: int, *, shown: bool, what: str = "scoring") -> Iterator[Advance]:
    """A bar that counts a row by its share of its window's tokens: long texts come first, and plain rows would mislead."""
    if not shown or not rows:
        yield lambda done, weight: None
        return
    started, count = time.perf_counter(), 0
    with _bar(rows, what, _LAYOUT) as bar:

        def advance(done: int, weight: float) -> None:
            nonlocal count
            count += done
            rate = count / max(1e-9, time.perf_counter() - started)
            bar.set_postfix_str(f"{count:,} of {rows:,} rows, {rate:,.0f} rows/s", refresh=False)
            bar.update(min(weight, rows - bar.n))  # tqdm warns of a sum that rounds up

        yield advance


def _bar(rows: int, what: str, layout: str) -> Any:
    from tqdm.auto import tqdm

    return tqdm(total=rows, desc=what, bar_format=layout)
