"""The grid of a million rows, and of ten million, in a real JupyterLab: from the key or click to the screen.

    python benchmarks/browser.py                        # some five minutes
    python benchmarks/browser.py --rows 1000000 --write

A headless Chromium is driven by real keys and clicks. A time runs from the event's own time stamp to the frame that shows what
was asked for: a MutationObserver sees the change, the next animation frame is painted, a message behind it says so. Frames come
60 times a second. "Drawn" is when the observer sees it: all script has run then; the wait for the frame, layout and paint are to
come, and one letter beside the grid tells what these take where next to nothing changes. A mouse button is held for 80 ms, as
hands do, and a click timed from its release. Scores are made beforehand;
opening is `lw.LossWidget(scores)`, session, journal and all. Search is asked for with Enter (typing alone waits 250 ms for the
next letter). Memory is that of the kernel's process.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "jupyter")]

import synthetic  # noqa: E402
from chromium import launch_options  # noqa: E402
from jupyter_host import JupyterHost  # noqa: E402
from notebook_page import CURRENT, NotebookPage  # noqa: E402
from playwright.sync_api import Page, sync_playwright  # noqa: E402
from report import machine, write_block  # noqa: E402

LIMITS_MS = {
    "the session and its widget made": 5_000,
    "the grid on screen, after the end of its cell": 1_000,
    "next page (fetched ahead)": 20,
    "any other page": 100,
    "first page of a filter by label": 100,
    "search, common term, first page": 150,
    "search, rare words, first page": 150,
    "search, rare number, first page": 150,
    "a click, drawn": 16,
}
LETTER = "one letter beside the grid, for comparison"
DRAWN = (LETTER, "next page (fetched ahead)", "a click")
"""What is reported twice: when it is drawn, and when it is on screen."""
SIZES = (1_000_000, 10_000_000)
ROUNDS = 60
PAGE = 20
HELD_MS = 80
SETUP = f"""
import sys, time
sys.path.insert(0, {str(Path(__file__).parent)!r})
import synthetic
import loss_widget as lw
LossWidget, widget = lw.LossWidget, None  # loaded now
"""
OPEN = """
if widget: widget.close()
started = time.perf_counter()
widget = LossWidget(scores, journal=f"review-{time.time_ns()}.sqlite")
opened = time.perf_counter() - started
display(widget)
"""
MEMORY = """
import json
texts = sum(words.nbytes for words in scores.contents.words)
print(json.dumps({"resident": synthetic.resident_bytes(), "texts": texts, "scores": scores.log_probs.nbytes}))
"""
WATCH = """
window.afterFrame = (resolve) => requestAnimationFrame(() => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => resolve(performance.now());
  port2.postMessage(null);
});
window.rowAt = (i) => document.querySelectorAll('.loss-widget [role=row][data-row]')[i];
window.when = (happened) => new Promise((resolve) => {
  const look = () => happened() && (watch.disconnect(), resolve());
  const watch = new MutationObserver(look);
  watch.observe(document.body, { subtree: true, childList: true, attributes: true });
  look();
});
window.timed = (type, ...shown) => {
  const one = (event) => async (happened) => {
    await when(happened);
    return [performance.now(), await new Promise(afterFrame)].map((now) => now - event.timeStamp);
  };
  window.times = new Promise((resolve) => {
    addEventListener(type, (event) => resolve(Promise.all(shown.map(one(event)))), { capture: true, once: true });
  });
};
"""


def main() -> None:
    """Measure each size in a notebook of its own, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright, JupyterHost("lab", Path(folder)) as host:
        browser = playwright.chromium.launch(**launch_options())
        measured = {}
        for rows in options.rows:
            page = browser.new_page(viewport={"width": 1300, "height": 1300})
            page.set_default_timeout(300_000)
            measured[rows] = Measured(host, page, rows, options.rounds).all()
            page.close()
            host.end_kernels()
        block = f"{_table(measured)}\n\n{_memory(measured)}\n\n{machine()}"
        print(block)
        if options.write:
            write_block("browser.py", block)


class Measured:
    """One notebook with a grid of so many rows; `times`: milliseconds, a list for each thing waited for."""

    def __init__(self, host: JupyterHost, page: Page, rows: int, rounds: int) -> None:
        self.rows, self.rounds = rows, rounds
        self.times: dict[str, list[float]] = {}
        self.bytes: dict[str, int] = {}
        self._page = page
        cells = [SETUP, f"scores = synthetic.make_scores({rows})", OPEN, "print(opened)", MEMORY]
        self._notebook = NotebookPage(host, page, name=f"rows-{rows}", cells=cells)

    def all(self) -> Measured:
        self._page.evaluate(WATCH)
        for cell in (0, 1):
            self._notebook.ask(cell)
        self.bytes |= {"before": (before := self._bytes())["resident"], "texts": before["texts"], "scores": before["scores"]}
        self._open()
        self.bytes["open"] = self._bytes()["resident"]
        self._grid = self._notebook.grid(2)
        for step in (self._letter, self._turn, self._jump, self._click, self._filter, self._search):
            step()
        self.bytes["used"] = self._bytes()["resident"]
        for _ in range(4):
            self._open()
        return self

    def _open(self) -> None:
        ended = self._page.evaluate(
            f"""async () => {{
              const nb = {CURRENT}.content;
              nb.deselectAll();
              nb.activeCellIndex = 2;
              const before = rowAt(0);
              window.painted = when(() => rowAt(0) && rowAt(0) !== before).then(() => new Promise(afterFrame));
              await window.jupyterapp.commands.execute('notebook:run-cell');
              return performance.now();
            }}"""
        )
        self._notebook.printed(2)
        painted = self._page.evaluate("() => window.painted")
        self._note("the session and its widget made", 1000 * float(self._notebook.ask(3)))
        self._note("the grid on screen, after the end of its cell", max(0.0, painted - ended))

    def _letter(self) -> None:
        """The least that a key can change: what is left of the other times without us."""
        self._page.evaluate(
            """() => {
              window.letter = document.createElement("b");
              letter.style = "position: fixed; top: 0; left: 0; width: 1em; height: 1em; contain: strict";
              document.body.append(letter);
              const change = ({ key }) => key === "F9" && (letter.textContent = letter.textContent === "a" ? "b" : "a");
              addEventListener("keydown", change, { capture: true });
            }"""
        )
        for i in range(self.rounds):
            self._page.wait_for_timeout(250)
            shown = f"() => letter.textContent === '{'ab'[i % 2]}'"
            self._timed("keydown", lambda: self._page.keyboard.press("F9"), {LETTER: shown})

    def _turn(self) -> None:
        """PageDown, with time between for the page after next to come."""
        self._grid.root.locator('[role="grid"] [tabindex="0"]').focus()
        for i in range(self.rounds):
            self._page.wait_for_timeout(250)
            shown = f"() => rowAt(0)?.ariaRowIndex === '{(i + 1) * PAGE + 2}'"
            self._timed("keydown", lambda: self._page.keyboard.press("PageDown"), {"next page (fetched ahead)": shown})

    def _jump(self) -> None:
        """Pages far apart, by their number."""
        field = self._grid.root.get_by_label("Page", exact=True)
        for number in np.random.default_rng(0).permutation(self.rows // PAGE - 10)[: self.rounds].tolist():
            field.fill(str(number + 1))
            shown = f"() => rowAt(0)?.ariaRowIndex === '{number * PAGE + 2}'"
            self._timed("keydown", lambda: field.press("Enter"), {"any other page": shown})
            self._page.wait_for_timeout(250)

    def _click(self) -> None:
        """Row after row, drawn at once and then saved."""
        for i in range(self.rounds):
            if i and i % PAGE == 0:
                self._grid.button("Next page").click()
                self._page.wait_for_timeout(500)
            drawn = f"() => rowAt({i % PAGE}).dataset.verdict === 'relabel'"
            shown = {"a click": drawn, "a click, saved": f"{drawn} && rowAt({i % PAGE}).dataset.saved === 'true'"}
            cell = self._grid.rows.nth(i % PAGE).locator('[data-column="loss"]')
            self._timed("click", lambda cell=cell: cell.click(delay=HELD_MS), shown)
            self._page.wait_for_timeout(100)

    def _filter(self) -> None:
        given = self._grid.root.get_by_label("Given label")
        for i in range(self.rounds // 2):
            name = synthetic.NAMES[i % synthetic.LABELS]
            shown = f"() => [0, 1, 2, 3].every((i) => rowAt(i)?.dataset.label === '{name}')"
            self._timed("change", lambda name=name: given.select_option(name), {"first page of a filter by label": shown})
            self._page.wait_for_timeout(250)
        given.select_option(index=0)

    def _search(self) -> None:
        box = self._grid.root.get_by_role("searchbox", name="Search text")
        common = [f"{word} {other}" for word in synthetic.WORDS for other in synthetic.COMMON][: self.rounds // 2]
        rare = np.random.default_rng(1).permutation(self.rows)[: self.rounds // 2].tolist()
        sentences = synthetic.make_frame(20_000)["text"].sample(self.rounds // 2, random_state=1)
        words = [" ".join(sentence.split()[:6]) for sentence in sentences]
        for name, terms in (("common term", common), ("rare words", words), ("rare number", rare)):
            for term in map(str, terms):
                box.fill(term)
                shown = f"() => rowAt(0)?.textContent.includes('{term}')"
                self._timed("keydown", lambda: box.press("Enter"), {f"search, {name}, first page": shown})
                self._page.wait_for_timeout(250)

    def _timed(self, event: str, act: Callable[[], Any], shown: dict[str, str]) -> None:
        """Note how long after the event that `act` causes each of `shown` is on screen; {name: JavaScript predicate}."""
        self._page.evaluate(f"() => timed({event!r}, {', '.join(shown.values())})")
        act()
        for name, (drawn, painted) in zip(shown, self._page.evaluate("() => window.times"), strict=True):
            if name in DRAWN:
                self._note(f"{name}, drawn", drawn)
            self._note(name, painted)

    def _note(self, name: str, milliseconds: float) -> None:
        self.times.setdefault(name, []).append(milliseconds)

    def _bytes(self) -> dict[str, int]:
        found: dict[str, int] = json.loads(self._notebook.ask(4))
        return found


def _table(measured: dict[int, Measured]) -> str:
    sizes = list(measured)
    heads = [f"{rows:,} rows, ms" for rows in sizes]
    lines = [
        f"| what | {' | '.join(f'{head} | 95 %' for head in heads)} | asked for |",
        f"|---|{'---:|---:|' * len(sizes)}---:|",
    ]
    for name in measured[sizes[0]].times:
        cells = [f"{_number(np.quantile(measured[rows].times[name], q))}" for rows in sizes for q in (0.5, 0.95)]
        lines.append(f"| {name} | {' | '.join(cells)} | {LIMITS_MS.get(name, '')} |")
    return "\n".join(lines)


def _memory(measured: dict[int, Measured]) -> str:
    said = []
    for rows, one in measured.items():
        found = {name: f"{size / 1e6:,.0f} MB" for name, size in one.bytes.items()}
        opened, used = ((one.bytes[name] - one.bytes["before"]) / 1e6 for name in ("open", "used"))
        said.append(
            f"{rows:,} rows: the kernel holds {found['before']} before ({found['texts']} of texts, {found['scores']} of "
            f"log-probabilities), {opened:+,.0f} MB with the grid open, {used:+,.0f} MB after all of this."
        )
    return "  \n".join(said)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


if __name__ == "__main__":
    main()
