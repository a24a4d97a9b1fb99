/** How the review goes: what was found, how often a row of some loss was wrong, and how many errors are left. */

import { makeCurve } from "./curve";
import { type Maker, make, makeButton, setAttribute, setOff, setText } from "./dom";
import { soFar } from "./errors-left";
import type { LossBand } from "./protocol";
import type { State } from "./state";
import { count, percent, some } from "./words";

const DRAW = 50;

export interface ProgressActs {
  spotCheck(rows: number): void;
  clearFilters(): void;
}

export function makeProgress(
  maker: Maker,
  acts: ProgressActs,
): { readonly el: HTMLElement; show(state: State): void } {
  const numbers = (["reviewed", "wrong", "keep", "unsure"] as const).map((kind) => {
    const value = make(maker, "dd", { class: `lw-told-${kind}` });
    const term = make(maker, "dt", {}, [
      { reviewed: "reviewed", wrong: "wrong", keep: "right", unsure: "unsure" }[kind],
    ]);
    return { kind, value, el: make(maker, "div", {}, [term, value]) };
  });
  const recent = make(maker, "p", { class: "lw-quiet" });
  const sentence = make(maker, "p", { class: "lw-so-far", tabindex: "0" });
  let drawn = 0;
  let showing = false;
  const check = makeButton(maker, { title: `Shows ${DRAW} rows drawn at random` }, "Spot check", () =>
    showing ? acts.clearFilters() : acts.spotCheck(Math.max(drawn, DRAW)),
  );
  const further = makeButton(
    maker,
    { title: "Lets the draw grow: the more rows, the narrower the interval" },
    `${DRAW} more`,
    () => acts.spotCheck(drawn + DRAW),
  );
  const curve = makeCurve(maker);
  const bands = make(maker, "tbody");
  const table = make(maker, "table", { class: "lw-bands" }, [
    make(maker, "caption", { class: "lw-title" }, ["Wrong of those judged, by loss"]),
    bands,
  ]);
  const el = make(maker, "div", { class: "lw-journey" }, [
    make(maker, "div", { class: "lw-counts" }, [
      make(maker, "div", { class: "lw-title" }, ["Progress"]),
      make(
        maker,
        "dl",
        {},
        numbers.map((number) => number.el),
      ),
      recent,
    ]),
    make(maker, "div", { class: "lw-spot" }, [
      make(maker, "div", { class: "lw-title" }, ["Errors left"]),
      sentence,
      make(maker, "div", { class: "lw-acts" }, [check, further]),
    ]),
    make(maker, "div", { class: "lw-found" }, [
      make(maker, "div", { class: "lw-title" }, ["Errors found as you went"]),
      curve.el,
    ]),
    table,
  ]);
  let shown: unknown = null;

  function band({ low, high, rows, wrong, keep, precision }: LossBand): HTMLElement {
    const fill = make(maker, "i");
    fill.style.width = `${(100 * (precision ?? 0)).toFixed(1)}%`;
    const name = high === null ? `${low} and more` : `${low} to ${high}`;
    return make(maker, "tr", { title: some(rows, "row") }, [
      make(maker, "th", { scope: "row" }, [name]),
      make(maker, "td", {}, [make(maker, "span", { class: "lw-share", "aria-hidden": "true" }, [fill])]),
      make(maker, "td", { class: "lw-number" }, [precision === null ? "–" : `${wrong} of ${wrong + keep}`]),
    ]);
  }

  function show({ summary, navigators, filter, locked }: State): void {
    for (const { kind, value } of numbers) setText(value, count(summary[kind]));
    const share = summary.precision_last_50;
    setText(
      recent,
      share === null
        ? `of ${some(summary.rows, "row")}`
        : `of ${some(summary.rows, "row")} · wrong among the last 50: ${percent(share)}`,
    );
    const { told, problem } = navigators.progress;
    const left = told?.errors_left ?? null;
    drawn = left?.drawn ?? 0;
    showing = filter.spot_check;
    setText(sentence, problem || (told ? soFar(left, summary.rows - summary.reviewed) : "…"));
    setAttribute(check, "aria-pressed", String(showing));
    setOff(check, locked !== "" && !showing);
    setOff(further, locked !== "" || drawn === 0 || drawn >= (left?.population ?? 0));
    if (!told || told === shown) return;
    shown = told;
    curve.show(told.curve);
    bands.replaceChildren(...told.bands.filter(({ rows }) => rows > 0).map(band));
  }

  return { el, show };
}
