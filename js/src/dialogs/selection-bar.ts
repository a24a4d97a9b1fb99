/** What can be done with the selected rows: a bar over the header of the grid, so that no row moves when it appears. */

import { type Make, set, signButton } from "../dom/dom";
import { count, pluralRows } from "../dom/numbers";
import { rovingFocus } from "../dom/roving-focus";
import { ACTS, ALL_OF_FILTER, VERDICT_SIGNS } from "../dom/words";
import { ASK_ABOVE, type Plan } from "../state/selection";
import type { State } from "../state/state";
import type { Store } from "../state/store";
import { makeConfirm } from "./confirm";

export interface SelectionBar {
  readonly el: HTMLElement;
  /** Opens over the grid before a decision on many rows. */
  readonly dialog: HTMLElement;
  focus(): void;
  /** Decides on the selected rows; asks for a label where the plan has none, and before a decision on many rows. */
  start(plan: Plan): void;
}

/** `choose` opens the picker at the anchor. */
export function makeSelectionBar(
  make: Make<State>,
  store: Store,
  choose: (title: string, anchor: HTMLElement, pick: (label: number) => void) => void,
  backToGrid: () => void,
): SelectionBar {
  const { selection } = store;
  /** Words that a narrow cell has no room for. */
  const wide = (words: string) => make("span.wide", words);
  const confirm = makeConfirm(make, selection, backToGrid);
  const start = (plan: Plan) => {
    if (store.state.lockReason || (plan.kind === "note" && selection.everything)) return;
    if (plan.kind === "relabel" && typeof plan.label !== "number")
      return choose(`New label of ${pluralRows(selection.count ?? 0)}`, relabel, (label) =>
        start({ kind: "relabel", label }),
      );
    const small = !selection.everything && (selection.count ?? 0) <= ASK_ABOVE;
    if (!small || plan.kind === "note") return confirm.open(plan, store.state, bar);
    selection.decide(plan, null);
    backToGrid();
  };
  const button = (
    sign: string,
    word: string,
    title: string | ((state: State) => string),
    onclick: () => void,
    off: (state: State) => boolean = ({ lockReason }) => lockReason !== "",
  ) => make("button", { label: `${word} selected`, title, onclick, off }, sign, wide(` ${word}`));
  const decision = (kind: Plan["kind"], sign: string, word: string, title: string) =>
    button(sign, word, title, () => start({ kind }));
  const every = ({ total }: State) => (total === null ? ALL_OF_FILTER : `all ${count(total)}`);

  const relabel = decision("relabel", "→", "Relabel…", "Give all of them one label");
  const bar = make(
    ".selection-bar",
    { role: "toolbar", label: "Selected rows" },
    make(
      "span.picked",
      make("span", ({ selected: { count: many } }) => (many === null ? ALL_OF_FILTER : pluralRows(many))),
      wide(" selected"),
    ),
    make(
      "button.everything",
      {
        title: "Select every row of these filters, also those on other pages",
        label: (state) => `Select ${every(state)}`,
        hidden: ({ selected, total, limit }) =>
          selected.everything || selected.page !== "all" || (total !== null && total <= limit),
        // The button disappears, and VS Code would give its focus to some element of its own.
        onclick() {
          selection.selectEverything();
          backToGrid();
        },
      },
      wide("Select "),
      make("span", every),
    ),
    make(
      "span.selection-acts",
      relabel,
      ACTS.map(([kind, word, meaning]) => decision(kind, VERDICT_SIGNS[kind], word, `${word}: ${meaning}`)),
      button(
        "✎",
        "Note…",
        ({ selected }) =>
          selected.everything
            ? "A note needs rows selected one by one, or a page of them"
            : "Write one note on all of them",
        () => start({ kind: "note" }),
        ({ lockReason, selected }) => lockReason !== "" || selected.everything,
      ),
      decision("clear", "↩", "Clear", "Clear their verdicts"),
      signButton(make, "×", "Select none", "Select none (Escape)", () => {
        selection.clear();
        backToGrid();
      }),
    ),
  );
  make.watch(({ selected }) => {
    const hadFocus = bar.matches(":focus-within");
    set(bar, { hidden: selected.count === 0 });
    if (bar.hidden && hadFocus) backToGrid();
  });
  rovingFocus(make, bar);
  // The place has no height, so it covers nothing while it stays in sight above a long page.
  return { el: make(".selection-bar-place", bar), dialog: confirm.el, focus: () => relabel.focus(), start };
}
