/** How far the review is: what was found, how often rows of some loss were wrong, and how many errors are left. */

import { type Make, refill, shareBar } from "../dom/dom";
import { count, percentOf, pluralRows } from "../dom/numbers";
import { joined, lately, NOTHING_ESTIMATED } from "../dom/words";
import type { LossBand } from "../protocol";
import type { State } from "../state/state";
import type { Store } from "../state/store";

/** How many rows a spot check draws, and by how many it grows. */
const SAMPLE = 50;
const COUNTS = { reviewed: "reviewed", wrong: "wrong", keep: "kept", unsure: "unsure" } as const;

export function makeProgress(make: Make<State>, store: Store, backToGrid: () => void): HTMLElement {
  const left = ({ progress }: State) => progress.answer?.errors_left ?? null;
  const drawn = (state: State) => left(state)?.drawn ?? 0;
  const title = (words: string) => make(".title", words);

  const bands = make("tbody");
  make.watch(
    ({ progress }) => progress.answer,
    (answer) => refill(bands, (answer?.bands ?? []).filter(({ rows }) => rows > 0).map(band)),
  );
  const band = ({ low, high, rows, wrong, keep, precision }: LossBand) =>
    make(
      "tr",
      { title: pluralRows(rows) },
      make("th", { scope: "row" }, high === null ? `${low} or more` : `${low} to ${high}`),
      make("td", shareBar(make, `width:${percentOf(precision ?? 0, 1)}`)),
      make("td.number", precision === null ? "–" : `${wrong} of ${wrong + keep}`),
    );

  return make(
    ".progress-pane",
    make(
      ".counts",
      title("Progress"),
      make(
        "dl",
        (Object.keys(COUNTS) as (keyof typeof COUNTS)[]).map((kind) =>
          make(
            "",
            make("dt", COUNTS[kind]),
            make(`dd.count-${kind}`, ({ summary }) => count(summary[kind])),
          ),
        ),
      ),
      make("p.quiet", ({ summary }) => joined([`of ${pluralRows(summary.rows)}`, lately(summary)])),
    ),
    make(
      ".spot",
      title("Errors left"),
      make("p.so-far", { tabindex: 0 }, (state) => {
        const { answer, problem } = state.progress;
        return problem || (answer ? (answer.errors_left?.said ?? NOTHING_ESTIMATED) : "…");
      }),
      make(
        ".acts",
        make(
          "button",
          {
            title: `Draw ${SAMPLE} rows at random and review them`,
            "aria-pressed": ({ filter }) => filter.spot_check,
            off: ({ lockReason, filter }) => lockReason !== "" && !filter.spot_check,
            onclick() {
              const { state } = store;
              if (state.filter.spot_check) store.clearFilters();
              else store.spotCheck(Math.max(drawn(state), SAMPLE)).then(backToGrid);
            },
          },
          "Spot check",
        ),
        make(
          "button",
          {
            title: "Enlarge the sample: the more rows, the narrower the interval",
            off: (state) =>
              state.lockReason !== "" || drawn(state) === 0 || drawn(state) >= (left(state)?.population ?? 0),
            onclick: () => store.spotCheck(drawn(store.state) + SAMPLE),
          },
          `${SAMPLE} more`,
        ),
      ),
    ),
    make(".found", title("Errors found as you went"), makeCurve(make)),
    make("table.bands", make("caption.title", "Wrong among those judged, by loss"), bands),
  );
}

type Points = readonly (readonly [reviewed: number, wrong: number])[];

/** Errors found against rows reviewed, as a line; the thin one is where every reviewed row was wrong. */
function makeCurve(make: Make<State>): HTMLElement {
  const points = ({ progress }: State): Points => progress.answer?.curve ?? [];
  const end = (state: State) => points(state).at(-1) ?? [0, 0];
  const line = (state: State, drawn: Points, width: number) => {
    const [reviewed, wrong] = end(state);
    const most = Math.max(1, wrong);
    const at = ([n, found]: Points[number], off: string) =>
      `calc(${percentOf(n, reviewed)} + ${off}) calc(${percentOf(most - found, most)} + ${off})`;
    // Neither count ever falls: there and back, a little to the right and down, is a line of even width.
    const there = drawn.map((point) => at(point, "0px"));
    const back = drawn.map((point) => at(point, `${width}px`)).reverse();
    return `clip-path:polygon(${[...there, ...back].join()})`;
  };
  return make(
    ".curve",
    {
      role: "img",
      label: (state) => `Errors found: ${count(end(state)[1])} in ${count(end(state)[0])} reviewed rows`,
    },
    make("span", (state) => `↑ ${count(end(state)[1])} wrong`),
    make("i.curve-all", {
      style: (state) => {
        const [reviewed, wrong] = end(state);
        const most = Math.min(Math.max(1, wrong), reviewed);
        return line(
          state,
          [
            [0, 0],
            [most, most],
          ],
          0.8,
        );
      },
    }),
    make("i.curve-found", { style: (state) => line(state, points(state), 1.6) }),
    make("span.curve-along", (state) => `${count(end(state)[0])} reviewed →`),
  );
}
