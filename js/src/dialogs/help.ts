/** The help panel: what a click does, every key, and what the notebook does not hear while the focus is in the grid. */

import { makeDialog } from "../dom/dialog";
import type { Plain } from "../dom/dom";

export interface Help {
  readonly el: HTMLElement;
  /** Opens it beside what was in use, or closes it. */
  toggle(beside: HTMLElement): void;
}

/** Keys, a tab, and what they do. */
const KEYS = `↑ ↓ or k j\tmove
PageUp PageDown\tturn pages
Home End\tfirst, last row; with Ctrl page
a or Space\tthe most likely other label
s d\tthe second, the third most likely
1 … 9\tthe first nine labels of the data
Enter\tchoose among all labels
y u x\tkeep, unsure, remove
n\twrite a note
z Z\tundo, redo; as Ctrl+Z and Ctrl+Y
v or Shift+Space\tselect the row, for a decision on several
Shift+↑ Shift+↓\tselect more or fewer; Ctrl+A all on the page, Escape none
e w\tthe whole text; invisible characters
b\tblind: hide what the model thinks, or show it
/\tsearch
?\tthis help`;
const SENTENCES = [
  "Click a row to give it the most likely other label; click again to restore the given one. " +
    "Click the label to choose another.",
  "A decision by key moves on to the next row. Rows keep their order until you refresh.",
  "Above the grid, drag over the losses (or move the brush by ← →, Escape removes it), click a pair of labels or " +
    "a data issue. Filters combine. A spot check estimates how many errors are left.",
  "Select rows by their boxes, Shift+click or Ctrl+click: the bar above the grid and the keys then decide on all " +
    "of them. Above 20 rows you are asked first. One undo takes a decision back, however many rows it is on.",
  "When the status says “saved”, the decision is in the journal on disk.",
  "While the focus is in the grid, Shift+Enter runs no cell, and Ctrl+S saves the notebook in VS Code only.",
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
      dialog.open(beside, (above) => above + 40);
      el.focus();
    },
  };
}
