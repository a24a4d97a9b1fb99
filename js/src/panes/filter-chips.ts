/** The filters that are on, one chip each, and how many rows they leave. */

import { type Make, refill } from "../dom/dom";
import { chips, rowsLeft } from "../dom/words";
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
        chips(filter).map(({ text, without }) =>
          make(
            "button.chip",
            {
              ...{ label: `Filter off: ${text}`, title: "Take this filter off" },
              onclick: () => store.filterBy(without),
            },
            `${text} ×`,
          ),
        ),
      );
      if (hadFocus) backToGrid();
    },
  );
  return make(
    ".strip",
    list,
    make("span.quiet.left", ({ hasPage, filter, total, snapshot }) =>
      hasPage ? rowsLeft(filter, total, snapshot.rows) : "",
    ),
    make(
      "button.clear",
      {
        title: "Take all filters off",
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
        title: "Sort and filter again with the decisions made so far",
        off: ({ outOfDate }) => !outOfDate,
        onclick: store.refresh,
      },
      "⟳ Refresh",
    ),
  );
}
