/** The rows of the same words as one row, side by side; chosen together, they can be decided alike. */

import { makeDialog, rowLine } from "./dialog";
import { type Make, set } from "./draw";
import type { Row } from "./protocol";
import { nameOf } from "./standing";
import type { State } from "./state";
import type { Store } from "./store";
import { joined, some, VERDICT_WORDS } from "./words";

export interface TwinsPanel {
  readonly el: HTMLElement;
  /** Opens above the anchor. */
  open(row: Row, anchor: HTMLElement): void;
}

const SAME = "Rows of the same words";

/** `decide` goes where the rows, now chosen, can be decided. */
export function makeTwins(make: Make<State>, store: Store, decide: () => void, back: () => void): TwinsPanel {
  let alikes: readonly Row[] = [];
  const title = make(".question");
  const about = make(".quiet", { role: "status" });
  const list = make("ol.previewed", { tabindex: 0, "aria-label": SAME });
  const alike = make(
    "button.go",
    {
      onclick() {
        store.bulk.chooseOnly(alikes);
        dialog.hide();
        decide();
      },
    },
    "Decide all alike",
  );
  const dialog = makeDialog(
    make,
    ".confirm",
    back,
    {},
    { "aria-label": SAME },
    ...[title, about, list],
    make(
      ".answers",
      alike,
      make("button", { title: "Close (Escape)", onclick: () => dialog.close() }, "Close"),
    ),
  );
  return {
    el: dialog.el,
    open(row, anchor) {
      title.textContent = `“${row.text.slice(0, 80)}”`;
      about.textContent = "Looking for the rows of the same words …";
      list.replaceChildren();
      set(alike, { off: true });
      dialog.open(anchor, (above) => Math.max(6, above - dialog.el.offsetHeight - 6));
      dialog.el.focus({ preventScroll: true });
      store.lookups.twins(row.row).then(
        ({ total, rows }) => {
          alikes = [row, ...rows];
          const shown = total > rows.length ? `, the first ${rows.length} of them here` : "";
          about.textContent = `${some(total, "other row")} of the same words${shown}`;
          list.replaceChildren(
            ...alikes.map((each) => {
              const label = nameOf(store.state, each.label) ?? "no label";
              return rowLine(
                make,
                each,
                "span.name",
                joined([label, each.verdict && VERDICT_WORDS[each.verdict]]),
              );
            }),
          );
          set(alike, { off: store.state.locked !== "" });
        },
        (error: Error) => {
          about.textContent = error.message;
        },
      );
    },
  };
}
