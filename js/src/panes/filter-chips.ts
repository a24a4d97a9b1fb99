/** The state of all filters in one line of words, each removable, and how many rows they leave. */

import { type Make, refill } from "../dom/dom";
import { chips, count, someRows } from "../dom/words";
import type { State } from "../state/state";
import type { Store } from "../state/store";

export function makeChips(make: Make<State>, store: Store, backToGrid: () => void): HTMLElement {
  const list = make("span.chips");
  make.watch(
    ({ filter }) => JSON.stringify(chips(filter)),
    (_, { filter }) => {
      const hadFocus = list.matches(":focus-within");
      refill(
        list,
        chips(filter).map(({ says, without }) =>
          make(
            "button.chip",
            {
              label: `Filter off: ${says}`,
              onclick: () => store.filterBy(without),
            },
            `${says} ×`,
          ),
        ),
      );
      if (hadFocus) backToGrid();
    },
  );
  return make(
    ".strip",
    list,
    make("span.quiet.left", left),
    make(
      "button.clear",
      {
        hidden: ({ filter }) => chips(filter).length === 0,
        onclick: () => {
          store.clearFilters();
          backToGrid();
        },
      },
      "Clear all",
    ),
    make(
      "button.refresh",
      {
        title: "Sort and filter again",
        off: ({ outOfDate }) => !outOfDate,
        onclick: store.refresh,
      },
      "⟳ Refresh",
    ),
  );
}

function left({ filter, total, here, snapshot }: State): string {
  const all = someRows(snapshot.rows);
  if (!here) return "";
  if (chips(filter).length === 0) return all;
  return total === null ? `counting of ${all}` : `${count(total)} of ${all}`;
}
