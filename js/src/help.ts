/** The help panel: what a click does, every key, and what the notebook does not hear from inside the grid. */

import { makeDialog } from "./dialog";
import type { Plain } from "./draw";

export interface Help {
  readonly el: HTMLElement;
  /** Opens it beside what was in use; or closes it. */
  toggle(beside: HTMLElement): void;
}

const MARGIN_PX = 12;
const KEYS: readonly (readonly [string, string])[] = [
  ["↑ ↓ or k j", "move"],
  ["PageUp PageDown", "turn pages"],
  ["Home End", "first, last row of the page; with Ctrl first, last page"],
  ["a or Space", "the most probable label other than the given one"],
  ["s d", "the second and third such label"],
  ["1 … 9", "the first nine labels of the data"],
  ["Enter", "choose among all labels"],
  ["y u x", "keep, unsure, remove"],
  ["n", "write a note"],
  ["z Z", "undo, redo; as Ctrl+Z and Ctrl+Y"],
  ["v or Shift+Space", "select the row for a decision on many"],
  ["Shift+↑ Shift+↓", "select more or fewer; Ctrl+A all on the page, Escape none"],
  ["e w", "the whole text; its spaces and invisible characters"],
  ["b", "blind: hide what the model thinks, and show it again"],
  ["/", "search"],
  ["?", "this help"],
];
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
    { "aria-label": "How to review" },
    make(
      "dl",
      KEYS.map(([keys, what]) => [
        make(
          "dt",
          keys.split(" ").map((key) => make(/^(or|…)$/.test(key) ? "span" : "kbd", key)),
        ),
        make("dd", what),
      ]),
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
