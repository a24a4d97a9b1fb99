/** A panel over the grid: opens beside something, closes by Escape, and returns the focus. */

import type { Row } from "../protocol";
import { boxOf, DATA_TEXT, type Keys, onKeys, type Part, type Plain, refill, set } from "./dom";
import { clamp } from "./numbers";

const MARGIN_PX = 6;

export interface Dialog {
  readonly el: HTMLElement;
  /** `top` gives its top from the anchor's top and bottom, in px of the grid: the grid's own top may be off the screen. */
  open(anchor: HTMLElement, top: (above: number, below: number) => number): void;
  /** Closes without returning the focus. */
  hide(): void;
  close(): void;
}

/** `back` returns the focus. */
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
      const home = el.offsetParent;
      if (!home) return;
      const at = boxOf(anchor);
      const start = boxOf(home).top + MARGIN_PX;
      const lowest = home.clientHeight - el.offsetHeight - 2 * MARGIN_PX;
      el.style.top = `${home.scrollTop + MARGIN_PX + clamp(top(at.top - start, at.bottom - start), lowest)}px`;
    },
  };
}

/** One row in a dialog: its number, the beginning of its text, and `words` about it. */
export const rowLine = (make: Plain, { row, text }: Row, name: string, words: string): HTMLElement =>
  make(
    "li",
    make("span.quiet.number", row),
    make("span.name", DATA_TEXT, { title: text }, text.slice(0, 300)),
    make(name, DATA_TEXT, { title: words }, words),
  );

/** A dialog about rows: its question, a sentence about the rows, the rows themselves. */
export function makeRowsDialog(
  make: Plain,
  back: () => void,
  keys: Keys,
  buttons: readonly HTMLElement[],
  ...parts: Part<unknown>[]
) {
  /** Counts the questions: the answer to an earlier one comes too late. */
  let asked = 0;
  const title = make(".question");
  const about = make(".quiet", { role: "status" });
  const list = make("ol.row-list", { tabindex: 0, label: "Rows" });
  const dialog = makeDialog(
    make,
    ".rows-dialog",
    () => {
      asked += 1;
      back();
    },
    keys,
    ...[title, about, parts, list],
    make(".answers", buttons),
  );
  return {
    ...dialog,

    /** `label`: the accessible name of the dialog, where that is not the question. */
    ask(question: string, label = question): void {
      refill(title, [question]);
      set(dialog.el, { label });
    },

    /** Shows `loading` until the answer comes, and then what `draw` makes of it. */
    load<T>(
      loading: string,
      answer: Promise<T>,
      draw: (found: T) => readonly [sentence: string, lines: readonly HTMLElement[]],
    ): void {
      asked += 1;
      const mine = asked;
      const say = (sentence: string, lines: readonly HTMLElement[]) => {
        refill(about, [sentence]);
        refill(list, lines);
      };
      say(loading, []);
      answer.then(
        (found) => mine === asked && say(...draw(found)),
        (error: Error) => mine === asked && say(error.message, []),
      );
    },
  };
}
