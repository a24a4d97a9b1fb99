/** Asks before a decision on many rows: how many, the first ten of them, and what would be done. */

import { type Bulk, MOST_ROWS, type Plan } from "./bulk";
import { makeDialog, rowLine } from "./dialog";
import { isFocused, type Make, set } from "./draw";
import type { Preview } from "./protocol";
import { nameOf } from "./standing";
import type { State } from "./state";
import { count, joined, some } from "./words";

export interface Confirm {
  readonly el: HTMLElement;
  /** Opens under the anchor. */
  open(plan: Plan, state: State, anchor: HTMLElement): void;
}

export const LONGEST_NOTE = 2_000;

const SENTENCES: Readonly<Record<Plan["kind"], (rows: string, label: string) => string>> = {
  relabel: (rows, label) => `Give ${rows} the label “${label}”`,
  keep: (rows) => `Keep ${rows}`,
  unsure: (rows) => `Mark ${rows} unsure`,
  remove: (rows) => `Remove ${rows}`,
  clear: (rows) => `Take back the verdicts on ${rows}`,
  note: (rows) => `Write one note on ${rows}`,
};

/** `back` returns the focus. */
export function makeConfirm(make: Make<State>, bulk: Bulk, back: () => void): Confirm {
  let plan: Plan | null = null;
  let preview: Preview | null = null;
  /** Answers to an earlier question come too late. */
  let asked = 0;

  const decide = () => {
    if (!plan || !preview) return;
    bulk.decide(plan.kind === "note" ? { ...plan, note: note.value } : plan, preview);
    dialog.close();
  };
  const title = make(".question");
  const about = make(".quiet", { role: "status" });
  const list = make("ol.previewed");
  const note = make("input", {
    ...{ type: "text", "aria-label": "Note on the selected rows", placeholder: "Note", dir: "auto" },
    ...{ autocomplete: "off", maxlength: LONGEST_NOTE },
  });
  const go = make("button.go", { onclick: decide });
  const cancel = make("button", { title: "Cancel (Escape)", onclick: () => dialog.close() }, "Cancel");
  const dialog = makeDialog(
    make,
    ".confirm",
    () => {
      asked += 1;
      back();
    },
    {
      Enter: () => isFocused(note) && decide(),
      // What is under the question is not to be reached while it stands.
      Tab({ shiftKey }) {
        const stops = [note, go, cancel].filter((stop) => !stop.hidden && !stop.disabled);
        stops.at((stops.findIndex(isFocused) + (shiftKey ? -1 : 1)) % stops.length)?.focus();
      },
    },
    ...[title, about, note, list],
    make(".answers", go, cancel),
  );

  function open(next: Plan, state: State, anchor: HTMLElement): void {
    plan = next;
    preview = null;
    asked += 1;
    const mine = asked;
    const ask = (rows: string) => {
      const answer = SENTENCES[next.kind](rows, nameOf(state, next.label ?? -1) ?? "");
      title.textContent = `${answer}?`;
      go.textContent = answer;
      set(dialog.el, { "aria-label": `${answer}?` });
    };
    ask(bulk.count === null ? "all rows of this filter" : some(bulk.count, "row"));
    about.textContent = "Looking at what that would be on …";
    list.replaceChildren();
    note.hidden = next.kind !== "note";
    note.value = "";
    set(go, { off: true });
    dialog.open(anchor, (_, below) => below + 6);
    (note.hidden ? cancel : note).focus({ preventScroll: true });
    bulk.preview().then(
      (found) => {
        if (mine !== asked) return;
        preview = found;
        ask(some(found.total, "row"));
        about.textContent = account(found);
        list.replaceChildren(
          ...found.rows.map((row) =>
            rowLine(make, row, "span.name.quiet", nameOf(state, row.label) ?? "no label"),
          ),
        );
        set(go, { off: found.total === 0 || found.total > MOST_ROWS });
        if (note.hidden && isFocused(cancel)) go.focus({ preventScroll: true });
      },
      (error: Error) => {
        if (mine === asked) about.textContent = error.message;
      },
    );
  }

  return { el: dialog.el, open };
}

const account = ({ total, reviewed, rows }: Preview): string =>
  total > MOST_ROWS
    ? `At most ${count(MOST_ROWS)} rows can be decided here at once: filter further, or decide in a cell.`
    : joined([
        reviewed > 0 ? `${some(reviewed, "of them is", "of them are")} reviewed already` : "",
        total > rows.length ? `the first ${rows.length} are shown` : "",
        "one Undo takes it back",
      ]);
