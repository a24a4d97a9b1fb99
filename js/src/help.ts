/** The help panel: what a click does, every key, and what the notebook does not hear from inside the grid. */

import { makeDialog } from "./dialog";
import type { Plain } from "./draw";

export interface Help {
  readonly el: HTMLElement;
  /** Opens it beside what was in use; or closes it. */
  toggle(beside: HTMLElement): void;
}

const MARGIN_PX = 12;
/** Keys, a tab, and what they do. */
const KEYS = `↑ ↓ or k j\tmove
PageUp PageDown\tturn pages
Home End\tfirst, last row of the page; with Ctrl first, last page
a or Space\tthe most probable label other than the given one
s d\tthe second and third such label
1 … 9\tthe first nine labels of the data
Enter\tchoose among all labels
y u x\tkeep, unsure, remove
n\twrite a note
z Z\tundo, redo; as Ctrl+Z and Ctrl+Y
v or Shift+Space\tselect the row for a decision on many
Shift+↑ Shift+↓\tselect more or fewer; Ctrl+A all on the page, Escape none
e w\tthe whole text; its spaces and invisible characters
b\tblind: hide what the model thinks, and show it again
/\tsearch
?\tthis help`;
const SENTENCES = [
  "Click a row to give it the model's best label other than the given one; click it again to put the given label back. " +
    "Click the label to choose among all labels.",
  "A decision by key moves on to the next row. Rows keep their order until you press Refresh.",
  "Above the grid: drag over the losses, or move the brush by ← → (Escape takes it off); click a pair of labels or a " +
    "kind of rows. All filters work together. A spot check tells how many errors are left.",
  "Select rows by their boxes, by Shift+click and Ctrl+click: what can be done with them stands above the grid, and the keys are about them. " +
    "More than 20 rows are shown and asked about first; one undo takes all of it back.",
  "A decision is safe once the status line says “saved”: it is then in the review's journal on disk.",
  "While the focus is in the grid, Ctrl+S and Shift+Enter do not reach the notebook. Click outside it first.",
];

/** `back` returns the focus. */
export function makeHelp(make: Plain, back: () => void): Help {
  const dialog = makeDialog(
    make,
    ".help",
    back,
    { "?": () => dialog.close() },
    { label: "How to review" },
    make(
      "dl",
      KEYS.split("\n").map((line) => {
        const [keys = "", what = ""] = line.split("\t");
        return [
          make(
            "dt",
            keys.split(" ").map((key) => make(/^(or|…)$/.test(key) ? "span" : "kbd", key)),
          ),
          make("dd", what),
        ];
      }),
    ),
    make(
      ".advice",
      SENTENCES.map((sentence) => make("p", sentence)),
    ),
    make("button.close", { title: "Close (Escape)", onclick: () => dialog.close() }, "Close"),
  );
  const { el } = dialog;
  return {
    el,
    toggle(beside) {
      if (!el.hidden) return dialog.close();
      dialog.open(beside, (above) => {
        const lowest = (el.offsetParent?.clientHeight ?? 0) - el.offsetHeight - MARGIN_PX;
        return Math.max(MARGIN_PX, Math.min(above + 40, lowest));
      });
      el.focus();
    },
  };
}
