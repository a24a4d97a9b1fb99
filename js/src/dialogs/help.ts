/** The help panel: what a click does, every key, and what the notebook does not hear from inside the grid. */

import { makeDialog } from "../dom/dialog";
import type { Plain } from "../dom/dom";

export interface Help {
  readonly el: HTMLElement;
  /** Opens it beside what was in use; or closes it. */
  toggle(beside: HTMLElement): void;
}

/** Keys, a tab, and what they do. */
const KEYS = `↑ ↓ or k j\tmove
PageUp PageDown\tturn pages
Home End\tfirst, last row; with Ctrl page
a or Space\tthe best label but the given one
s d\tthe second, the third
1 … 9\tthe first nine labels
Enter\tchoose among all labels
y u x\tkeep, unsure, remove
n\twrite a note
z Z\tundo, redo; as Ctrl+Z and Ctrl+Y
v or Shift+Space\tselect the row
Shift+↑ Shift+↓\tselect more or fewer; Ctrl+A all on the page, Escape none
e w\tthe whole text, invisible characters
b\tblind: hide what the model thinks
/\tsearch
?\tthis help`;
const SENTENCES = [
  "Click a row: it takes the model's best label but the given one; click again: the given label is back. " +
    "Click the label to choose among all.",
  "A key's decision moves to the next row. Rows keep their order until Refresh.",
  "Above the grid: drag over the losses, or move the brush by ← → (Escape: off), click a pair of labels or a " +
    "kind of rows. Filters combine. A spot check tells how many errors are left.",
  "Select rows by box, Shift+click or Ctrl+click: the bar above and the keys decide on all. " +
    "Above 20 rows you are asked first; one undo takes all back.",
  "Once the status says “saved”, it is in the journal on disk.",
  "In the grid, Shift+Enter runs no cell; Ctrl+S saves in VS Code only.",
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
    make("button.close", { title: "Escape", onclick: () => dialog.close() }, "Close"),
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
