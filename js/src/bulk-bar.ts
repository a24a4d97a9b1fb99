/** What can be done with the rows that are chosen: a bar over the head of the grid, so that no row moves for it. */

import { ASK_ABOVE, type Plan } from "./bulk";
import { makeConfirm } from "./confirm";
import { type Make, set, signButton } from "./draw";
import { rove } from "./rove";
import type { State } from "./state";
import type { Store } from "./store";
import { ACTS, count, someRows, VERDICT_SIGNS } from "./words";

export interface BulkBar {
  readonly el: HTMLElement;
  /** Opens over the grid where a decision is on many rows. */
  readonly dialog: HTMLElement;
  focus(): void;
  /** Decides on the rows that are chosen; asks what is still open. */
  start(plan: Plan): void;
}

/** `choose` offers every label at the anchor. */
export function makeBulkBar(
  make: Make<State>,
  store: Store,
  choose: (title: string, anchor: HTMLElement, pick: (label: number) => void) => void,
  backToGrid: () => void,
): BulkBar {
  const { bulk } = store;
  /** Words that a narrow cell has no room for. */
  const wide = (words: string) => make("span.wide", words);
  const confirm = makeConfirm(make, bulk, backToGrid);
  const start = (plan: Plan) => {
    if (store.state.locked || (plan.kind === "note" && bulk.everything)) return;
    if (plan.kind === "relabel" && typeof plan.label !== "number")
      return choose(`New label of ${someRows(bulk.count ?? 0)}`, relabel, (label) =>
        start({ kind: "relabel", label }),
      );
    const small = !bulk.everything && (bulk.count ?? 0) <= ASK_ABOVE;
    if (!small || plan.kind === "note") return confirm.open(plan, store.state, bar);
    bulk.decide(plan, null);
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
      make("span", () => (bulk.count === null ? "all of this filter" : someRows(bulk.count))),
      wide(" selected"),
    ),
    make(
      "button.everything",
      {
        title: "Those on other pages too",
        label: (state) => `Select ${every(state)}`,
        hidden: ({ total, limit }) =>
          bulk.everything || bulk.page !== "all" || (total !== null && total <= limit),
        // It goes, and VS Code gives the focus of what goes to what it likes.
        onclick() {
          bulk.chooseEverything();
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
        ({ locked }) => locked !== "" || bulk.everything,
      ),
      decision("clear", "↩", "Clear", "Take their verdicts back"),
      signButton(make, "×", "Select none", "Escape", () => {
        bulk.clear();
        backToGrid();
      }),
    ),
  );
  make.watch(() => {
    const hadFocus = bar.matches(":focus-within");
    set(bar, { hidden: bulk.count === 0 });
    if (bar.hidden && hadFocus) backToGrid();
  });
  rove(make, bar);
  // Of no height, and so in nobody's way while it stays in sight above a long page.
  return { el: make(".bulk-place", bar), dialog: confirm.el, focus: () => relabel.focus(), start };
}
