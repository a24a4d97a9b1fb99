/** Errors found against rows reviewed, as a line; the thin one is where every reviewed row was wrong. */

import type { Make } from "./draw";
import type { State } from "./state";
import { count, share } from "./words";

type Points = readonly (readonly [reviewed: number, wrong: number])[];

export function makeCurve(make: Make<State>): HTMLElement {
  const points = ({ progress }: State): Points => progress.told?.curve ?? [];
  const end = (state: State) => points(state).at(-1) ?? [0, 0];
  const line = (state: State, drawn: Points, width: number) => {
    const [reviewed, wrong] = end(state);
    const most = Math.max(1, wrong);
    const at = ([n, found]: Points[number], off: string) =>
      `calc(${share(n, reviewed)} + ${off}) calc(${share(most - found, most)} + ${off})`;
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
