/** The grid: a header, fixed row slots with one tab stop, and a sentence where there are no rows. */

import { DECORATIVE, isFocused, keepsFocus, type Make, onResize, set } from "../dom/dom";
import { noRows, WAITING_FOR_ROWS } from "../dom/words";
import type { State } from "../state/state";
import type { Store } from "../state/store";
import { measureRoom } from "./label-name";
import { makePageOfRows } from "./page-of-rows";
import type { RowSlot } from "./row";

export interface Grid {
  readonly el: HTMLElement;
  /** Focuses the cursor row; false where there is none. */
  focus(): boolean;
  /** Moves the focus to the cursor row if another row had it. Only after everything else is drawn: it costs a layout. */
  moveFocus(): void;
  /** The label cell of the cursor row, for the picker to open at. */
  cursorLabel(): HTMLElement | null;
}

const COLUMNS = ["Loss", "Text", "Label", "Predicted", "Verdict"];

/** `bar` covers the header while rows are selected; `choose` opens the picker. */
export function makeGrid(
  make: Make<State>,
  store: Store,
  bar: HTMLElement,
  choose: (row: number, anchor: HTMLElement) => void,
): Grid {
  /** One is on screen; the other holds the next page, so that a turn only has to lay it on top. */
  let [front, back] = [makePageOfRows(make, store, choose), makePageOfRows(make, store, choose)];
  let room = Number.POSITIVE_INFINITY;
  let cursor: RowSlot | undefined;
  let hadFocus = false;
  /** The row under the cursor, and whether the cursor has moved to it with this draw. */
  let cursorRow: number | undefined;
  let moved = false;

  const all = make("input", {
    ...{ type: "checkbox", tabindex: -1, label: "Select all on the page" },
    title: "Select all on the page (Ctrl+A)",
    checked: ({ rows, selected }) => rows.length > 0 && selected.page === "all",
    indeterminate: ({ selected }) => selected.page === "some",
    disabled: ({ rows }) => rows.length === 0,
    ...keepsFocus,
    onclick() {
      store.selection.selectPage(all.checked);
    },
  });
  const header = (column: string, label: string | Node) =>
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
      label,
    );
  const pages = make(".pages", { role: "none" }, front.el, back.el);
  const probe = make("span.probe", DECORATIVE, "transfer_not_received_by");
  const el = make(
    ".table",
    bar,
    make(
      ".grid",
      {
        ...{ role: "grid", label: "Examples", "aria-colcount": 6, "aria-multiselectable": true },
        "aria-rowcount": ({ total }) => (total === null ? -1 : total + 1),
        "aria-busy": ({ turning }) => turning,
        "aria-readonly": ({ lockReason }) => lockReason !== "",
      },
      make(
        ".head",
        { role: "row", "aria-rowindex": 1 },
        header("select", all),
        COLUMNS.map((name) => header(name.toLowerCase(), name)),
      ),
      pages,
    ),
    make(".blank", { hidden: (state) => blankSentence(state) === "" }, blankSentence),
    probe,
  );

  make.watch((state) => {
    const { rows, nextPage, limit, total, hasPage } = state;
    const some = rows.length > 0;
    hadFocus = some && cursor !== undefined && isFocused(cursor.el);
    if (some && !front.holds(rows) && back.holds(rows)) [front, back] = [back, front];
    // A short last page keeps its height, so that the pager stays under the pointer.
    const full = total === null || total > limit ? limit : rows.length;
    const kept = hasPage ? full : Math.min(limit, state.snapshot.rows);
    set(el, { ".bare": kept === 0 });
    front.show(state, kept, room, true);
    cursor = front.slots[state.cursor];
    const row = rows[state.cursor]?.row;
    moved = row !== cursorRow;
    cursorRow = row;
    if (nextPage) back.show({ ...state, ...nextPage, cursor: 0 }, kept, room, false);
    else back.turn(kept, false);
  });

  onResize(make.signal, [pages], () => {
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
      back.clearDescriptions();
    },
    cursorLabel: () => cursor?.labelCell ?? null,
  };
}

function blankSentence({ rows, hasPage, problem, late, lockReason, snapshot }: State): string {
  if (rows.length > 0) return "";
  if (problem) return problem;
  if (hasPage) return noRows(snapshot.rows);
  return lockReason || (late ? WAITING_FOR_ROWS : "");
}
