/** A page of rows, drawn: the page on screen, or the next one, painted ahead out of sight. */

import { type Make, set } from "../dom/dom";
import type { ShownRow, State } from "../state/state";
import type { Store } from "../state/store";
import { makeRow, type RowSlot } from "./row";

export type PageOfRows = ReturnType<typeof makePageOfRows>;

/** `choose` opens the picker at the label cell. */
export function makePageOfRows(
  make: Make<State>,
  store: Store,
  choose: (row: number, anchor: HTMLElement) => void,
) {
  const slots: RowSlot[] = [];
  const el = make(".body", { role: "rowgroup" });
  let rows: readonly ShownRow[] = [];

  const page = {
    el,
    slots,

    holds: (others: readonly ShownRow[]): boolean => idsOf(rows) === idsOf(others),

    /** `length`: its height in rows; `room`: how many characters fit side by side in the label cell. */
    show(state: State, length: number, room: number, isRead: boolean): void {
      rows = state.rows;
      while (slots.length < length) {
        const slot = makeRow(make, slots.length, store, choose);
        slots.push(slot);
        el.append(slot.el);
      }
      for (const [i, slot] of slots.entries()) slot.show(state, rows[i] ?? null, room, isRead);
      page.turn(length, isRead);
    },

    /** Lays the page on top, or out of sight and hidden from screen readers; `length` as in `show`. */
    turn(length: number, isRead: boolean): void {
      set(el, { ".under": !isRead, "aria-hidden": isRead ? null : true });
      for (const [i, slot] of slots.entries()) set(slot.el, { hidden: i >= length });
    },

    /** Takes off what each row says of itself. Only after the focus has moved: taking it from a row costs a layout. */
    clearDescriptions(): void {
      for (const slot of slots) slot.clearDescription();
    },
  };
  return page;
}

const idsOf = (rows: readonly ShownRow[]): string => rows.map(({ row }) => row).join();
