/** The state of all filters in one line of words, each removable, and how many rows they leave. */

import { type Maker, make, makeButton, setOff, setText } from "./dom";
import type { Filter } from "./protocol";
import type { State } from "./state";
import { chips, count, some } from "./words";

export interface Chips {
  readonly el: HTMLElement;
  show(state: State): void;
}

export function makeChips(
  maker: Maker,
  acts: { filterBy(patch: Partial<Filter>): void; clear(): void; refresh(): void; backToGrid(): void },
): Chips {
  const list = make(maker, "span", { class: "lw-chips" });
  const left = make(maker, "span", { class: "lw-quiet lw-left" });
  const refresh = makeButton(
    maker,
    { class: "lw-refresh", title: "Sort and filter again with the decisions so far" },
    "⟳ Refresh",
    () => acts.refresh(),
  );
  const clear = makeButton(maker, { class: "lw-clear", title: "Takes all filters off" }, "Clear all", () => {
    acts.clear();
    acts.backToGrid();
  });
  const el = make(maker, "div", { class: "lw-strip" }, [list, left, clear, refresh]);
  let drawn = "";

  function show({ filter, total, here, snapshot, outOfDate }: State): void {
    const now = chips(filter);
    const key = JSON.stringify(now);
    if (key !== drawn) {
      drawn = key;
      const hadFocus = list.matches(":focus-within");
      list.replaceChildren(
        ...now.map(({ says, without }) =>
          makeButton(
            maker,
            { class: "lw-chip", "aria-label": `Filter off: ${says}`, title: "Click to take off" },
            `${says} ×`,
            () => acts.filterBy(without),
          ),
        ),
      );
      if (hadFocus) acts.backToGrid();
    }
    const all = some(snapshot.rows, "row");
    setText(
      left,
      !here
        ? ""
        : now.length === 0
          ? all
          : total === null
            ? `counting of ${all}`
            : `${count(total)} of ${all}`,
    );
    clear.hidden = now.length === 0;
    setOff(refresh, !outOfDate);
  }

  return { el, show };
}
