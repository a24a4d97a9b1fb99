/** A panel over the grid: opened beside something, closed by Escape, and then the focus goes back. */

import { type Keys, onKeys, type Part, type Plain } from "./draw";
import type { Row } from "./protocol";

export interface Dialog {
  readonly el: HTMLElement;
  /** `top` places it, in px, from where the anchor begins and ends: the top of a long grid may be off the screen. */
  open(anchor: HTMLElement, top: (above: number, below: number) => number): void;
  /** Without `back`, which returns the focus. */
  hide(): void;
  close(): void;
}

export function makeDialog(
  make: Plain,
  name: string,
  back: () => void,
  keys: Keys,
  ...parts: Part<unknown>[]
): Dialog {
  const hide = () => {
    el.hidden = true;
  };
  const close = () => {
    hide();
    back();
  };
  const el = make(
    name,
    {
      ...{ role: "dialog", tabindex: -1, hidden: true },
      onkeydown(event) {
        event.stopPropagation();
        onKeys({ Escape: close, ...keys })(event);
      },
    },
    parts,
  );
  return {
    el,
    hide,
    close,
    open(anchor, top) {
      el.hidden = false;
      const home = el.offsetParent?.getBoundingClientRect().top;
      const at = anchor.getBoundingClientRect();
      if (home !== undefined) el.style.top = `${top(at.top - home, at.bottom - home)}px`;
    },
  };
}

/** What a dialog shows of one row. */
export const rowLine = (make: Plain, { row, text }: Row, name: string, says: string): HTMLElement =>
  make(
    "li",
    make("span.quiet.number", row),
    make("span.name", { dir: "auto", title: text }, text.slice(0, 300)),
    make(name, { dir: "auto", title: says }, says),
  );
