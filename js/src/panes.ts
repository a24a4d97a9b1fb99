/** The strip of panes above the grid: which are open, and blind mode. Closed panes cost nothing. */

import { type Maker, make, makeButton, setAttribute } from "./dom";
import type { PaneName } from "./navigators";
import type { State } from "./state";

interface Pane {
  readonly el: HTMLElement;
  show(state: State): void;
}

export interface PanesActs {
  open(name: PaneName, open: boolean): void;
  goBlind(blind: boolean): void;
}

const FACES: readonly (readonly [PaneName, string, string])[] = [
  ["histogram", "Loss", "The losses of all rows, and a brush to filter them"],
  ["confusion", "Confusion", "Which labels the model takes for which"],
  ["facets", "Kinds", "Rows by verdict, and odd rows: duplicates, markup, …"],
  ["progress", "Progress", "What was found, and how many errors are left"],
];
/** In a narrow cell the grid comes first: all panes begin closed there. */
const NARROW_PX = 700;
const OPEN_AT_FIRST: readonly PaneName[] = ["histogram", "confusion", "facets"];

export function makePanes(
  maker: Maker,
  panes: Readonly<Record<PaneName, Pane>>,
  banner: HTMLElement,
  acts: PanesActs,
): Pane {
  const toggles = FACES.map(([name, face, title]) => {
    const toggle = makeButton(maker, { class: "lw-toggle", title, "aria-expanded": "false" }, face, () =>
      acts.open(name, toggle.getAttribute("aria-expanded") !== "true"),
    );
    const pane = make(maker, "section", { class: `lw-pane lw-pane-${name}`, "aria-label": face }, [
      panes[name].el,
    ]);
    return { name, toggle, pane };
  });
  const blind = makeButton(
    maker,
    {
      class: "lw-toggle",
      "aria-pressed": "false",
      title: "Hides what the model thinks: labels, losses, probabilities (b)",
    },
    "Blind",
    () => acts.goBlind(blind.getAttribute("aria-pressed") !== "true"),
  );
  const open = make(
    maker,
    "div",
    { class: "lw-panes" },
    toggles.map(({ pane }) => pane),
  );
  const line = make(maker, "div", { class: "lw-view" }, [
    make(
      maker,
      "div",
      { class: "lw-toggles", role: "group", "aria-label": "Panes" },
      toggles.map(({ toggle }) => toggle),
    ),
    blind,
    banner,
  ]);
  const el = make(maker, "div", { class: "lw-navigators" }, [line, open]);
  let begun = false;

  function begin(): void {
    if (begun || !el.isConnected) return;
    begun = true;
    const narrow = el.clientWidth > 0 && el.clientWidth < NARROW_PX;
    if (!narrow) for (const name of OPEN_AT_FIRST) acts.open(name, true);
  }

  function show(state: State): void {
    begin();
    setAttribute(blind, "aria-pressed", String(state.blind));
    for (const { name, toggle, pane } of toggles) {
      const { open: isOpen } = state.navigators[name];
      setAttribute(toggle, "aria-expanded", String(isOpen));
      pane.hidden = !isOpen;
      if (isOpen) panes[name].show(state);
    }
    open.hidden = toggles.every(({ pane }) => pane.hidden);
  }

  return { el, show };
}
