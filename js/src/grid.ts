/** The grid: a header, fixed row slots, one tab stop; and a sentence where there are no rows. */

import { isFocused, keepsFocus, type Make, onResize, PAINTED } from "./draw";
import { WAITING } from "./kernel";
import { measureRoom } from "./name";
import { makeRow, type RowSlot } from "./row";
import type { State } from "./state";
import type { Store } from "./store";

export interface Grid {
  readonly el: HTMLElement;
  /** Puts the focus on the cursor row; false where there is none. */
  focus(): boolean;
  /** Moves the focus to the cursor row if another had it. After everything else is drawn: it costs a layout. */
  moveFocus(): void;
  /** The label cell of the cursor row, for the picker to open at. */
  cursorLabel(): HTMLElement | null;
}

const COLUMNS = ["Loss", "Text", "Label", "Predicted", "Verdict"];

/** `bar` stands over the head; `choose` opens the picker. */
export function makeGrid(
  make: Make<State>,
  store: Store,
  bar: HTMLElement,
  choose: (row: number, anchor: HTMLElement) => void,
): Grid {
  const { bulk } = store;
  const slots: RowSlot[] = [];
  let room = Number.POSITIVE_INFINITY;
  let cursor: RowSlot | undefined;
  let hadFocus = false;

  const all = make("input", {
    ...{ type: "checkbox", tabindex: -1, label: "Select all on the page" },
    title: "Ctrl+A",
    checked: ({ rows }) => rows.length > 0 && bulk.page === "all",
    indeterminate: () => bulk.page === "some",
    disabled: ({ rows }) => rows.length === 0,
    ...keepsFocus,
    onclick() {
      bulk.choosePage(all.checked);
    },
  });
  const header = (column: string, face: string | Node) =>
    make(
      `.cell.${column}`,
      {
        role: "columnheader",
        "aria-sort": ({ filter }) =>
          column === filter.sort && !filter.spot_check
            ? filter.descending
              ? "descending"
              : "ascending"
            : null,
      },
      face,
    );
  const body = make(".body", { role: "rowgroup" });
  const probe = make("span.probe", PAINTED, "transfer_not_received_by");
  const el = make(
    ".table",
    bar,
    make(
      ".grid",
      {
        ...{ role: "grid", label: "Examples", "aria-colcount": 6, "aria-multiselectable": true },
        "aria-rowcount": ({ total }) => (total === null ? -1 : total + 1),
        "aria-busy": ({ turning }) => turning,
        "aria-readonly": ({ locked }) => locked !== "",
      },
      make(
        ".head",
        { role: "row", "aria-rowindex": 1 },
        header("select", all),
        COLUMNS.map((name) => header(name.toLowerCase(), name)),
      ),
      body,
    ),
    make(".blank", { hidden: (state) => blankSentence(state) === "" }, blankSentence),
    probe,
  );

  make.watch((state) => {
    const { rows, limit, total, here } = state;
    while (slots.length < limit) {
      const slot = makeRow(make, slots.length, store, choose);
      slots.push(slot);
      body.append(slot.el);
    }
    hadFocus = rows.length > 0 && slots.some((slot) => isFocused(slot.el));
    cursor = slots[state.cursor];
    // A short last page keeps its height, so that the pager stays under the pointer.
    const full = total === null || total > limit ? limit : rows.length;
    const kept = here ? full : Math.min(limit, state.snapshot.rows);
    slots.forEach((slot, i) => {
      slot.show(state, rows[i] ?? null, room);
      slot.el.hidden = i >= kept;
    });
  });

  onResize(make.signal, [body], () => {
    const label = slots[0]?.labelCell;
    if (!label?.clientWidth) return;
    const now = measureRoom(probe, label);
    if (now === room) return;
    room = now;
    store.changed();
  });

  return {
    el,
    focus() {
      cursor?.el.focus();
      return cursor !== undefined && isFocused(cursor.el);
    },
    moveFocus() {
      if (hadFocus && cursor && !isFocused(cursor.el)) cursor.el.focus();
    },
    cursorLabel: () => cursor?.labelCell ?? null,
  };
}

function blankSentence({ rows, here, problem, late, locked, snapshot }: State): string {
  if (rows.length > 0) return "";
  if (problem) return problem;
  if (here) return snapshot.rows === 0 ? "There are no rows." : "No row matches these filters.";
  return locked || (late ? `${WAITING}: it shows its rows when the running cell ends.` : "");
}
