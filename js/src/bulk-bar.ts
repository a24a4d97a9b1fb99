/** What can be done with the rows that are chosen: a bar over the head of the grid, so that no row moves for it. */

import { ASK_ABOVE, type Bulk, type Plan } from "./bulk";
import { makeConfirm } from "./confirm";
import { type Maker, make, makeButton, setAttribute, setOff, setText } from "./dom";
import type { State } from "./state";
import { count, some } from "./words";

export interface BulkBar {
  readonly el: HTMLElement;
  /** Opens over the grid where a decision is on many rows. */
  readonly dialog: HTMLElement;
  show(state: State): void;
  focus(): void;
}

interface BulkBarActs {
  /** Offers every label at the anchor. */
  choose(title: string, anchor: HTMLElement, take: (label: number) => void): void;
  backToGrid(): void;
}

const DECISIONS = [
  { kind: "keep", sign: "✓", word: "Keep", tip: "The given labels are right" },
  { kind: "unsure", sign: "?", word: "Unsure", tip: "Cannot be decided" },
  { kind: "remove", sign: "✕", word: "Remove", tip: "No label fits, or not examples" },
] as const;

export function makeBulkBar(maker: Maker, bulk: Bulk, acts: BulkBarActs): BulkBar {
  /** Words that a narrow cell has no room for. */
  const wide = (words: string) => make(maker, "span", { class: "lw-wide" }, [words]);
  const picked = make(maker, "span");
  const says = make(maker, "span", { class: "lw-picked" }, [picked, wide(" selected")]);
  const confirm = makeConfirm(maker, bulk, acts.backToGrid);
  const start = (plan: Plan) => {
    const small = !bulk.everything && (bulk.count ?? 0) <= ASK_ABOVE;
    if (!small || (plan.kind === "note" && plan.note === null)) return confirm.open(plan, names, bar);
    bulk.decide(plan, null);
    acts.backToGrid();
  };
  const button = (sign: string, word: string, tip: string, act: () => void) => {
    const made = makeButton(maker, { "aria-label": `${word} selected`, title: tip }, "", act);
    made.replaceChildren(sign, wide(` ${word}`));
    return made;
  };
  const every = make(maker, "span");
  const everything = makeButton(maker, { class: "lw-everything" }, "", () => bulk.chooseEverything());
  everything.replaceChildren(wide("Select "), every);
  const relabel = button("→", "Relabel…", "Give them all one label", () =>
    acts.choose(`New label of ${some(bulk.count ?? 0, "row")}`, relabel, (label) =>
      start({ kind: "relabel", label, note: null }),
    ),
  );
  const decisions = DECISIONS.map(({ kind, sign, word, tip }) =>
    button(sign, word, tip, () => start({ kind, label: null, note: null })),
  );
  const note = button("✎", "Note…", "Write one note on them all", () =>
    start({ kind: "note", label: null, note: null }),
  );
  const clear = button("↩", "Clear", "Take their verdicts back", () =>
    start({ kind: "clear", label: null, note: null }),
  );
  const none = makeButton(maker, { "aria-label": "Select none", title: "Select none (Escape)" }, "×", () => {
    bulk.clear();
    acts.backToGrid();
  });
  const buttons = [relabel, ...decisions, note, clear];
  const bar = make(maker, "div", { class: "lw-bulk", role: "toolbar", "aria-label": "Selected rows" }, [
    says,
    everything,
    make(maker, "span", { class: "lw-bulk-acts" }, [...buttons, none]),
  ]);
  // Of no height, and so in nobody's way while it stays in sight above a long page.
  const el = make(maker, "div", { class: "lw-bulk-place" }, [bar]);
  let names: readonly string[] = [];

  function show({ total, limit, locked, snapshot }: State): void {
    names = snapshot.label_names;
    const hadFocus = bar.matches(":focus-within");
    bar.hidden = bulk.count === 0;
    if (bar.hidden) {
      if (hadFocus) acts.backToGrid();
      return;
    }
    setText(picked, bulk.count === null ? "all of this filter" : some(bulk.count, "row"));
    everything.hidden = bulk.everything || bulk.page !== "all" || (total !== null && total <= limit);
    setText(every, total === null ? "all of this filter" : `all ${count(total)}`);
    setAttribute(everything, "aria-label", `Select ${every.textContent}`);
    everything.title = "Every row of these filters, those on other pages too";
    for (const each of buttons) setOff(each, locked !== "");
    if (!locked) setOff(note, bulk.everything);
    note.title = bulk.everything
      ? "A note needs rows selected one by one, or a page of them"
      : "Write one note on them all";
  }

  return { el, dialog: confirm.el, show, focus: () => relabel.focus() };
}
