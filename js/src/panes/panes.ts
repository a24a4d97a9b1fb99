/** The panes above the grid: which are open, and blind mode. A closed pane costs nothing. */

import { isOn, type Make, maker } from "../dom/dom";
import type { PaneName } from "../kernel/pane-data";
import type { State } from "../state/state";
import type { Store } from "../state/store";

const PANES: readonly (readonly [PaneName, string, string])[] = [
  ["histogram", "Loss", "The losses of all rows, and a brush to filter them"],
  ["confusion", "Confusion", "Confusion matrix: given against predicted labels"],
  ["facets", "Data issues", "Rows by verdict, and data issues: duplicates, markup, …"],
  ["progress", "Progress", "What was found, and how many errors are left"],
];
/** In a narrow cell or a low window every pane begins closed, so that the grid has the room. */
const NARROW_PX = 700;
const CLOSED_AT_FIRST = "progress";

type Panes = Readonly<Record<PaneName, (make: Make<State>, store: Store) => HTMLElement>>;

export function makePanes(make: Make<State>, store: Store, panes: Panes, banner: HTMLElement): HTMLElement {
  let begun = false;
  const open = PANES.map(([name, label]) => {
    const inner = maker<State>(make.signal);
    const pane = make(
      `section.pane.pane-${name}`,
      { label: label, hidden: (state) => !state[name].open },
      panes[name](inner, store),
    );
    make.watch((state) => state[name].open && inner.show(state));
    return pane;
  });
  const toggles = PANES.map(([name, face, title]) => {
    const toggle = make(
      "button.toggle",
      {
        title,
        "aria-expanded": (state) => state[name].open,
        onclick() {
          store.setPaneOpen(name, !isOn(toggle, "expanded"));
        },
      },
      face,
    );
    return toggle;
  });
  const el = make(
    ".panes-strip",
    make(
      ".panes-head",
      make(".toggles", { role: "group", label: "Panes" }, toggles),
      make(
        "button.toggle",
        {
          "aria-pressed": ({ blind }) => blind,
          title: "Hide what the model thinks: labels, losses, probabilities (b)",
          onclick: store.toggleBlind,
        },
        "Blind",
      ),
      banner,
    ),
    make(".panes", { hidden: (state) => !PANES.some(([name]) => state[name].open) }, open),
  );
  make.watch(() => {
    if (begun || !el.isConnected) return;
    begun = true;
    const small = (el.clientWidth > 0 && el.clientWidth < NARROW_PX) || el.closest(".lw-low") !== null;
    for (const [name] of PANES) if (!small && name !== CLOSED_AT_FIRST) store.setPaneOpen(name, true);
  });
  return el;
}
