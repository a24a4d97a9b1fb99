/** Asks before a decision on many rows: how many, the first ten of them, and what would be done. */

import { makeRowsDialog, rowLine } from "../dom/dialog";
import { focusInPlace, isFocused, type Make, refill, set } from "../dom/dom";
import { count, joined, someRows, VERDICT_WORDS } from "../dom/words";
import { nameOf } from "../kernel/row-state";
import { LONGEST_NOTE, type Preview, type Verdict } from "../protocol";
import { MOST_ROWS, type Plan, type Selection } from "../state/selection";
import type { State } from "../state/state";

export interface Confirm {
  readonly el: HTMLElement;
  /** Opens under the anchor. */
  open(plan: Plan, state: State, anchor: HTMLElement): void;
}

const SENTENCES: Readonly<Record<Plan["kind"], (rows: string, label: string) => string>> = {
  relabel: (rows, label) => `Give ${rows} the label “${label}”`,
  keep: (rows) => `Keep ${rows}`,
  unsure: (rows) => `Mark ${rows} unsure`,
  remove: (rows) => `Remove ${rows}`,
  clear: (rows) => `Take back the verdicts on ${rows}`,
  note: (rows) => `Write one note on ${rows}`,
};

/** `back` returns the focus. */
export function makeConfirm(make: Make<State>, selection: Selection, back: () => void): Confirm {
  let plan: Plan | null = null;
  let preview: Preview | null = null;

  const decide = (fresh = false) => {
    if (!plan || !preview) return;
    selection.decide(plan.kind === "note" ? { ...plan, note: note.value } : plan, preview, fresh);
    dialog.close();
  };
  const note = make("input", {
    ...{ type: "text", label: "Note on the selected rows", placeholder: "Note", dir: "auto" },
    maxlength: LONGEST_NOTE,
  });
  const go = make("button.go", { onclick: () => decide() });
  const only = make("button", { onclick: () => decide(true) });
  const cancel = make("button", { title: "Escape", onclick: () => dialog.close() }, "Cancel");
  const dialog = makeRowsDialog(
    make,
    back,
    {
      Enter: () => isFocused(note) && decide(),
      // What is under the question is not to be reached while it stands.
      Tab({ shiftKey }) {
        const stops = [note, go, only, cancel].filter((stop) => !stop.hidden && !stop.disabled);
        stops.at((stops.findIndex(isFocused) + (shiftKey ? -1 : 1)) % stops.length)?.focus();
      },
    },
    [go, only, cancel],
    note,
  );

  function open(next: Plan, state: State, anchor: HTMLElement): void {
    plan = next;
    preview = null;
    const ask = (rows: string) => {
      const answer = SENTENCES[next.kind](rows, nameOf(state, next.label ?? -1) ?? "");
      dialog.ask(`${answer}?`);
      refill(go, [answer]);
    };
    ask(selection.count === null ? "all of this filter" : someRows(selection.count));
    set(note, { hidden: next.kind !== "note", value: "" });
    set(go, { off: true });
    only.hidden = true;
    dialog.open(anchor, (_, below) => below);
    focusInPlace(note.hidden ? cancel : note);
    dialog.look("Looking …", selection.preview(), (found) => {
      preview = found;
      ask(someRows(found.total));
      set(go, { off: found.total === 0 || found.total > MOST_ROWS });
      const fresh = found.verdicts[""];
      refill(only, [`Only the ${count(fresh)} not reviewed`]);
      only.hidden = !replaces(next) || go.disabled || fresh === 0 || fresh === found.total;
      const label = nameOf(state, next.label ?? -1) ?? "";
      return [
        account(found),
        found.rows.map((row) =>
          rowLine(
            make,
            row,
            "span.name.quiet",
            joined([nameOf(state, row.label) ?? "no label", label], " → "),
          ),
        ),
      ];
    });
  }

  return { el: dialog.el, open };
}

/** Whether it takes the place of earlier verdicts. */
const replaces = ({ kind }: Plan): boolean => kind !== "note" && kind !== "clear";

/** What is reviewed already, by verdict: "reviewed already: 2 relabelled, 1 kept". */
function already(verdicts: Preview["verdicts"]): string {
  const kinds = (Object.keys(VERDICT_WORDS) as Verdict[]).filter((kind) => kind && verdicts[kind]);
  const told = kinds.map((kind) => `${count(verdicts[kind])} ${VERDICT_WORDS[kind]}`);
  return told.length > 0 ? `reviewed already: ${joined(told, ", ")}` : "";
}

const account = ({ total, verdicts, rows }: Preview): string =>
  total > MOST_ROWS
    ? `At most ${count(MOST_ROWS)} rows at once: filter further, or decide in a cell.`
    : joined([
        already(verdicts),
        total > rows.length ? `the first ${rows.length} are shown` : "",
        "one Undo takes it back",
      ]);
