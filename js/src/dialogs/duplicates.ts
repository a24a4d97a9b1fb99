/** The rows with the same words as one row, side by side; selected together, they get one decision. */

import { makeRowsDialog, rowLine } from "../dom/dialog";
import { focusInPlace, type Plain, set } from "../dom/dom";
import { duplicatesFound, joined, VERDICT_WORDS } from "../dom/words";
import { labelName } from "../kernel/row-state";
import type { Row } from "../protocol";
import type { Store } from "../state/store";

export interface DuplicatesDialog {
  readonly el: HTMLElement;
  /** Opens above the anchor. */
  open(row: Row, anchor: HTMLElement): void;
}

/** `decide` focuses the bar that decides on the selected rows; `back` returns the focus. */
export function makeDuplicatesDialog(
  make: Plain,
  store: Store,
  decide: () => void,
  back: () => void,
): DuplicatesDialog {
  let shown: readonly Row[] = [];
  const applyToAll = make(
    "button.go",
    {
      title: "Select these rows and decide on all of them",
      onclick() {
        store.selection.selectOnly(shown);
        dialog.hide();
        decide();
      },
    },
    "Apply one decision to all",
  );
  const dialog = makeRowsDialog(make, back, {}, [
    applyToAll,
    make("button", { title: "Close (Escape)", onclick: () => dialog.close() }, "Close"),
  ]);
  const line = (row: Row) =>
    rowLine(
      make,
      row,
      "span.name",
      joined([labelName(store.state, row.label) ?? "no label", row.verdict && VERDICT_WORDS[row.verdict]]),
    );
  return {
    el: dialog.el,
    open(row, anchor) {
      dialog.ask(`“${row.text.slice(0, 80)}”`, "Rows with the same words");
      set(applyToAll, { off: true });
      dialog.open(anchor, (above) => above - dialog.el.offsetHeight);
      focusInPlace(dialog.el);
      dialog.load("Loading the rows…", store.rowDetails.duplicatesOf(row.row), ({ total, rows }) => {
        shown = [row, ...rows];
        set(applyToAll, { off: store.state.lockReason });
        return [duplicatesFound(total, rows.length), shown.map(line)];
      });
    },
  };
}
