/** Asks before a decision on many rows: how many, the first ten of them, and what would be done. */

import { makeRowsDialog, rowLine } from "../dom/dialog";
import { focusInPlace, isFocused, type Make, refill, set } from "../dom/dom";
import { count, pluralRows } from "../dom/numbers";
import { ALL_OF_FILTER, actOn, describePreview, joined, tooManyRows } from "../dom/words";
import { labelName } from "../kernel/row-state";
import { LONGEST_NOTE, MOST_AT_ONCE, type Preview } from "../protocol";
import type { Plan, Selection } from "../state/selection";
import type { State } from "../state/state";

export interface Confirm {
  readonly el: HTMLElement;
  /** Opens under the anchor. */
  open(plan: Plan, state: State, anchor: HTMLElement): void;
}

/** `back` returns the focus. */
export function makeConfirm(make: Make<State>, selection: Selection, back: () => void): Confirm {
  let plan: Plan | null = null;
  let preview: Preview | null = null;

  const decide = (onlyUnreviewed = false) => {
    if (!plan || !preview) return;
    selection.decide(plan.kind === "note" ? { ...plan, note: note.value } : plan, preview, onlyUnreviewed);
    dialog.close();
  };
  const note = make("input", {
    ...{ type: "text", label: "Note on the selected rows", placeholder: "Note", dir: "auto" },
    maxlength: LONGEST_NOTE,
  });
  const confirmButton = make("button.go", { onclick: () => decide() });
  const unreviewedButton = make("button", { onclick: () => decide(true) });
  const cancel = make("button", { title: "Cancel (Escape)", onclick: () => dialog.close() }, "Cancel");
  const dialog = makeRowsDialog(
    make,
    back,
    {
      Enter: () => isFocused(note) && decide(),
      // The grid under the dialog must not be reached while the question is open.
      Tab({ shiftKey }) {
        const stops = [note, confirmButton, unreviewedButton, cancel].filter(
          (stop) => !stop.hidden && !stop.disabled,
        );
        stops.at((stops.findIndex(isFocused) + (shiftKey ? -1 : 1)) % stops.length)?.focus();
      },
    },
    [confirmButton, unreviewedButton, cancel],
    note,
  );

  function open(next: Plan, state: State, anchor: HTMLElement): void {
    plan = next;
    preview = null;
    const ask = (rows: string) => {
      const answer = actOn[next.kind](rows, labelName(state, next.label ?? -1) ?? "");
      dialog.ask(`${answer}?`);
      refill(confirmButton, [answer]);
    };
    ask(selection.count === null ? ALL_OF_FILTER : pluralRows(selection.count));
    set(note, { hidden: next.kind !== "note", value: "" });
    set(confirmButton, { off: true });
    unreviewedButton.hidden = true;
    dialog.open(anchor, (_, below) => below);
    focusInPlace(note.hidden ? cancel : note);
    dialog.load("Loading the rows…", selection.preview(), (found) => {
      preview = found;
      ask(pluralRows(found.total));
      set(confirmButton, { off: found.total === 0 || found.total > MOST_AT_ONCE });
      const unreviewed = found.verdicts[""];
      refill(unreviewedButton, [`Only the ${count(unreviewed)} not reviewed`]);
      unreviewedButton.hidden =
        !replaces(next) || confirmButton.disabled || unreviewed === 0 || unreviewed === found.total;
      const label = labelName(state, next.label ?? -1) ?? "";
      return [
        found.total > MOST_AT_ONCE ? tooManyRows(MOST_AT_ONCE) : describePreview(found),
        found.rows.map((row) =>
          rowLine(
            make,
            row,
            "span.name.quiet",
            joined([labelName(state, row.label) ?? "no label", label], " → "),
          ),
        ),
      ];
    });
  }

  return { el: dialog.el, open };
}

/** Whether it replaces earlier verdicts. */
const replaces = ({ kind }: Plan): boolean => kind !== "note" && kind !== "clear";
