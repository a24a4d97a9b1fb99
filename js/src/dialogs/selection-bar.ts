/** What can be done with the rows that are chosen: a bar over the head of the grid, so that no row moves for it. */

import { type Make, set, signButton } from "../dom/dom";
import { rove } from "../dom/roving-focus";
import { ACTS, count, someRows, VERDICT_SIGNS } from "../dom/words";
import { ASK_ABOVE, type Plan } from "../state/selection";
import type { State } from "../state/state";
import type { Store } from "../state/store";
import { makeConfirm } from "./confirm";

export interface SelectionBar {
  readonly el: HTMLElement;
  /** Opens over the grid where a decision is on many rows. */
  readonly dialog: HTMLElement;
  focus(): void;
  /** Decides on the rows that are chosen; asks what is still open. */
  start(plan: Plan): void;
}

/** `choose` offers every label at the anchor. */
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
    if (store.state.locked || (plan.kind === "note" && selection.everything)) return;
    if (plan.kind === "relabel" && typeof plan.label !== "number")
      return choose(`New label of ${someRows(selection.count ?? 0)}`, relabel, (label) =>
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
    title: string,
    onclick: () => void,
    off: (state: State) => boolean = ({ locked }) => locked !== "",
  ) => make("button", { label: `${word} selected`, title, onclick, off }, sign, wide(` ${word}`));
  const decision = (kind: Plan["kind"], sign: string, word: string, title: string) =>
    button(sign, word, title, () => start({ kind }));
  const every = ({ total }: State) => (total === null ? "all of this filter" : `all ${count(total)}`);

  const relabel = decision("relabel", "→", "Relabel…", "Give them all one label");
  const bar = make(
    ".bulk",
    { role: "toolbar", label: "Selected rows" },
    make(
      "span.picked",
      make("span", ({ selected: { count: many } }) =>
        many === null ? "all of this filter" : someRows(many),
      ),
      wide(" selected"),
    ),
    make(
      "button.everything",
      {
        title: "Those on other pages too",
        label: (state) => `Select ${every(state)}`,
        hidden: ({ selected, total, limit }) =>
          selected.everything || selected.page !== "all" || (total !== null && total <= limit),
        // It goes, and VS Code gives the focus of what goes to what it likes.
        onclick() {
          selection.chooseEverything();
          backToGrid();
        },
      },
      wide("Select "),
      make("span", every),
    ),
    make(
      "span.bulk-acts",
      relabel,
      ACTS.map(([kind, word, meaning]) => decision(kind, VERDICT_SIGNS[kind], word, `${word}: ${meaning}`)),
      button(
        "✎",
        "Note…",
        "One note on rows chosen singly or by page",
        () => start({ kind: "note" }),
        ({ locked, selected }) => locked !== "" || selected.everything,
      ),
      decision("clear", "↩", "Clear", "Take their verdicts back"),
      signButton(make, "×", "Select none", "Escape", () => {
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
  rove(make, bar);
  // Of no height, and so in nobody's way while it stays in sight above a long page.
  return { el: make(".bulk-place", bar), dialog: confirm.el, focus: () => relabel.focus(), start };
}
