/** Errors found against rows reviewed, as a line; the thin one is where every reviewed row was wrong. */

import { type Maker, make, setText } from "./dom";
import { count } from "./words";

type Points = readonly (readonly [reviewed: number, wrong: number])[];

export function makeCurve(maker: Maker): { readonly el: HTMLElement; show(points: Points): void } {
  const [all, found] = [
    make(maker, "i", { class: "lw-curve-all" }),
    make(maker, "i", { class: "lw-curve-found" }),
  ];
  const [up, along] = [make(maker, "span"), make(maker, "span", { class: "lw-curve-along" })];
  const el = make(maker, "div", { class: "lw-curve", role: "img" }, [up, all, found, along]);

  function show(points: Points): void {
    const [reviewed, wrong] = points.at(-1) ?? [0, 0];
    const most = Math.max(1, wrong);
    const line = (points: Points, width: number) => {
      const at = ([n, found]: Points[number], off: string) =>
        `calc(${(100 * n) / Math.max(1, reviewed)}% + ${off}) calc(${100 - (100 * found) / most}% + ${off})`;
      // Neither count ever falls: there and back, a little to the right and down, is a line of even width.
      const there = points.map((point) => at(point, "0px"));
      const back = points.map((point) => at(point, `${width}px`)).reverse();
      return `polygon(${[...there, ...back].join()})`;
    };
    found.style.clipPath = line(points, 1.6);
    const end = Math.min(most, reviewed);
    all.style.clipPath = line(
      [
        [0, 0],
        [end, end],
      ],
      0.8,
    );
    setText(up, `↑ ${count(wrong)} wrong`);
    setText(along, `${count(reviewed)} reviewed →`);
    el.setAttribute("aria-label", `Errors found: ${count(wrong)} in ${count(reviewed)} reviewed rows`);
  }

  show([]);
  return { el, show };
}
