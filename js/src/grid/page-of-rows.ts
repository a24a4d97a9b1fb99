/** A page of rows, drawn: the one that is read, or the one that comes next, laid out and painted out of sight. */

import { type Make, set } from "../dom/dom";
import type { ShownRow, State } from "../state/state";
import type { Store } from "../state/store";
import { makeRow, type RowSlot } from "./row";

export type Sheet = ReturnType<typeof makeSheet>;

/** `choose` opens the picker at the label cell. */
export function makeSheet(
  make: Make<State>,
  store: Store,
  choose: (row: number, anchor: HTMLElement) => void,
) {
  const slots: RowSlot[] = [];
  const el = make(".body", { role: "rowgroup" });
  let rows: readonly ShownRow[] = [];

  const sheet = {
    el,
    slots,

    holds: (others: readonly ShownRow[]): boolean => idsOf(rows) === idsOf(others),

    /** `length`: how many rows it is high; `room`: how many characters fit beside each other in the label cell. */
    show(state: State, length: number, room: number, isRead: boolean): void {
      rows = state.rows;
      while (slots.length < length) {
        const slot = makeRow(make, slots.length, store, choose);
        slots.push(slot);
        el.append(slot.el);
      }
      for (const [i, slot] of slots.entries()) slot.show(state, rows[i] ?? null, room, isRead);
      sheet.turn(length, isRead);
    },

    /** On top, or out of sight and hidden from screen readers; `length` as in `show`. */
    turn(length: number, isRead: boolean): void {
      set(el, { ".under": !isRead, "aria-hidden": isRead ? null : true });
      for (const [i, slot] of slots.entries()) set(slot.el, { hidden: i >= length });
    },

    /** No row says any longer which one it is. After the focus has moved: to take it from a row costs a layout. */
    leave(): void {
      for (const slot of slots) slot.leave();
    },
  };
  return sheet;
}

const idsOf = (rows: readonly ShownRow[]): string => rows.map(({ row }) => row).join();
