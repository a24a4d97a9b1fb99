/** A panel over the grid: opened beside something, closed by Escape, and then the focus goes back. */

import type { Row } from "../protocol";
import { boxOf, type Keys, OF_DATA, onKeys, type Part, type Plain, refill, set } from "./dom";
import { within } from "./words";

const MARGIN_PX = 6;

export interface Dialog {
  readonly el: HTMLElement;
  /** `top` places it, in px, from where the anchor begins and ends, and within the grid: its top may be off the screen. */
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
      const home = el.offsetParent;
      if (!home) return;
      const at = boxOf(anchor);
      const start = boxOf(home).top + MARGIN_PX;
      const lowest = home.clientHeight - el.offsetHeight - 2 * MARGIN_PX;
      el.style.top = `${home.scrollTop + MARGIN_PX + within(top(at.top - start, at.bottom - start), lowest)}px`;
    },
  };
}

/** What a dialog shows of one row. */
export const rowLine = (make: Plain, { row, text }: Row, name: string, says: string): HTMLElement =>
  make(
    "li",
    make("span.quiet.number", row),
    make("span.name", OF_DATA, { title: text }, text.slice(0, 300)),
    make(name, OF_DATA, { title: says }, says),
  );

/** A dialog about rows: its question, what there is to say of them, the rows themselves. */
export function makeRowsDialog(
  make: Plain,
  back: () => void,
  keys: Keys,
  buttons: readonly HTMLElement[],
  ...parts: Part<unknown>[]
) {
  /** Answers to an earlier question come too late. */
  let asked = 0;
  const title = make(".question");
  const about = make(".quiet", { role: "status" });
  const list = make("ol.previewed", { tabindex: 0, label: "Rows" });
  const dialog = makeDialog(
    make,
    ".confirm",
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

    /** `label`: what the dialog is called, where that is not the question. */
    ask(question: string, label = question): void {
      refill(title, [question]);
      set(dialog.el, { label });
    },

    /** Says so, until the answer comes: then there are rows, and something to say of them. */
    look<T>(
      says: string,
      answer: Promise<T>,
      draw: (told: T) => readonly [says: string, lines: readonly HTMLElement[]],
    ): void {
      asked += 1;
      const mine = asked;
      const say = (sentence: string, lines: readonly HTMLElement[]) => {
        refill(about, [sentence]);
        refill(list, lines);
      };
      say(says, []);
      answer.then(
        (told) => mine === asked && say(...draw(told)),
        (error: Error) => mine === asked && say(error.message, []),
      );
    },
  };
}
