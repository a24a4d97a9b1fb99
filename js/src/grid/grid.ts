/** The grid: a header, fixed row slots, one tab stop; and a sentence where there are no rows. */

import { isFocused, keepsFocus, type Make, onResize, PAINTED, set } from "../dom/dom";
import { WAITING } from "../kernel/kernel";
import type { State } from "../state/state";
import type { Store } from "../state/store";
import { measureRoom } from "./label-name";
import { makeSheet } from "./page-of-rows";
import type { RowSlot } from "./row";

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
  /** One is read; the other holds the page that comes next, so that a turn only lays it on top. */
  let [front, back] = [makeSheet(make, store, choose), makeSheet(make, store, choose)];
  let room = Number.POSITIVE_INFINITY;
  let cursor: RowSlot | undefined;
  let hadFocus = false;
  /** The row under the cursor, and whether it is another one than before. */
  let at: number | undefined;
  let moved = false;

  const all = make("input", {
    ...{ type: "checkbox", tabindex: -1, label: "Select all on the page" },
    title: "Ctrl+A",
    checked: ({ rows, selected }) => rows.length > 0 && selected.page === "all",
    indeterminate: ({ selected }) => selected.page === "some",
    disabled: ({ rows }) => rows.length === 0,
    ...keepsFocus,
    onclick() {
      store.selection.choosePage(all.checked);
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
  const sheets = make(".sheets", { role: "none" }, front.el, back.el);
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
      sheets,
    ),
    make(".blank", { hidden: (state) => blankSentence(state) === "" }, blankSentence),
    probe,
  );

  make.watch((state) => {
    const { rows, ahead, limit, total, here } = state;
    const some = rows.length > 0;
    hadFocus = some && cursor !== undefined && isFocused(cursor.el);
    if (some && !front.holds(rows) && back.holds(rows)) [front, back] = [back, front];
    // A short last page keeps its height, so that the pager stays under the pointer.
    const full = total === null || total > limit ? limit : rows.length;
    const kept = here ? full : Math.min(limit, state.snapshot.rows);
    set(el, { ".bare": kept === 0 });
    front.show(state, kept, room, true);
    cursor = front.slots[state.cursor];
    const row = rows[state.cursor]?.row;
    moved = row !== at;
    at = row;
    if (ahead) back.show({ ...state, ...ahead, cursor: 0 }, kept, room, false);
    else back.turn(kept, false);
  });

  onResize(make.signal, [sheets], () => {
    const label = front.slots[0]?.labelCell;
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
      else if (moved && el.closest(".lw-framed:focus-within"))
        cursor?.el.scrollIntoView({ block: "nearest" });
      back.leave();
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
