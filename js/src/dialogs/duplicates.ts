/** The rows of the same words as one row, side by side; chosen together, they can be decided alike. */

import { makeRowsDialog, rowLine } from "../dom/dialog";
import { focusInPlace, type Plain, set } from "../dom/dom";
import { joined, some, VERDICT_WORDS } from "../dom/words";
import { nameOf } from "../kernel/row-state";
import type { Row } from "../protocol";
import type { Store } from "../state/store";

export interface TwinsPanel {
  readonly el: HTMLElement;
  /** Opens above the anchor. */
  open(row: Row, anchor: HTMLElement): void;
}

/** `decide` goes where the rows, now chosen, can be decided. */
export function makeTwins(make: Plain, store: Store, decide: () => void, back: () => void): TwinsPanel {
  let alikes: readonly Row[] = [];
  const alike = make(
    "button.go",
    {
      onclick() {
        store.selection.chooseOnly(alikes);
        dialog.hide();
        decide();
      },
    },
    "Decide all alike",
  );
  const dialog = makeRowsDialog(make, back, {}, [
    alike,
    make("button", { title: "Escape", onclick: () => dialog.close() }, "Close"),
  ]);
  const line = (row: Row) =>
    rowLine(
      make,
      row,
      "span.name",
      joined([nameOf(store.state, row.label) ?? "no label", row.verdict && VERDICT_WORDS[row.verdict]]),
    );
  return {
    el: dialog.el,
    open(row, anchor) {
      dialog.ask(`“${row.text.slice(0, 80)}”`, "Rows of the same words");
      set(alike, { off: true });
      dialog.open(anchor, (above) => above - dialog.el.offsetHeight);
      focusInPlace(dialog.el);
      const twins = store.lookups.twins(row.row);
      dialog.look("Looking …", twins, ({ total, rows }) => {
        alikes = [row, ...rows];
        set(alike, { off: store.state.locked });
        const shown = total > rows.length ? `, the first ${rows.length} of them here` : "";
        return [`${some(total, "other row")} of the same words${shown}`, alikes.map(line)];
      });
    },
  };
}
