/** The grid: a header, fixed row slots, one tab stop; and a sentence where there are no rows. */

import { type Maker, make, setAttribute, setText } from "./dom";
import { measureRoom, type Room } from "./name";
import { makeRow, type RowActs, type RowSlot } from "./row";
import type { State } from "./state";

export interface Grid {
  readonly el: HTMLElement;
  show(state: State): void;
  /** Puts the focus on the cursor row; false where there is none. */
  focus(): boolean;
  /** The label cell of the cursor row, for the picker to open at. */
  cursorLabel(): HTMLElement | null;
}

/** What stands in the head of the grid beside names. */
export interface HeadActs {
  /** All rows of the page chosen for one decision, or none of them. */
  selectPage(on: boolean): void;
}

const COLUMNS = [
  ["loss", "Loss"],
  ["text", "Text"],
  ["label", "Label"],
  ["predicted", "Predicted"],
  ["verdict", "Verdict"],
] as const;

export function makeGrid(
  maker: Maker,
  acts: RowActs & HeadActs & { redraw(): void },
  bar: HTMLElement,
): Grid {
  const headers = COLUMNS.map(([column, name]) =>
    make(maker, "div", { role: "columnheader", class: `lw-cell lw-${column}` }, [name]),
  );
  const all = make(maker, "input", {
    ...{ type: "checkbox", tabindex: "-1", "aria-label": "Select all on the page" },
    title: "Select all on the page (Ctrl+A)",
  });
  all.addEventListener("mousedown", (event) => event.preventDefault(), { signal: maker.signal });
  all.addEventListener("click", () => acts.selectPage(all.checked), { signal: maker.signal });
  const select = make(maker, "div", { role: "columnheader", class: "lw-cell lw-select" }, [all]);
  const head = make(maker, "div", { role: "row", class: "lw-head", "aria-rowindex": "1" }, [
    select,
    ...headers,
  ]);
  const body = make(maker, "div", { role: "rowgroup", class: "lw-body" });
  const grid = make(
    maker,
    "div",
    {
      ...{ role: "grid", class: "lw-grid", "aria-label": "Examples", "aria-colcount": "6" },
      "aria-multiselectable": "true",
    },
    [head, body],
  );
  const blank = make(maker, "div", { class: "lw-blank" });
  const probe = make(maker, "span", { class: "lw-probe", "aria-hidden": "true" }, [
    "transfer_not_received_by",
  ]);
  const el = make(maker, "div", { class: "lw-table" }, [bar, grid, blank, probe]);
  const slots: RowSlot[] = [];
  let room: Room = { label: Number.MAX_SAFE_INTEGER, predicted: Number.MAX_SAFE_INTEGER };
  let cursor: RowSlot | undefined;

  function show(state: State): void {
    const { rows, limit, total, here } = state;
    while (slots.length < limit) {
      const slot = makeRow(maker, slots.length, acts);
      slots.push(slot);
      body.append(slot.el);
    }
    setAttribute(grid, "aria-rowcount", String(total === null ? -1 : total + 1));
    setAttribute(grid, "aria-busy", String(state.turning));
    setAttribute(grid, "aria-readonly", String(state.locked !== ""));
    all.checked = rows.length > 0 && state.bulk.page === "all";
    all.indeterminate = state.bulk.page === "some";
    all.disabled = rows.length === 0;
    for (const [i, [column]] of COLUMNS.entries()) {
      const header = headers[i];
      const sorted = column === state.filter.sort;
      if (header)
        setAttribute(
          header,
          "aria-sort",
          sorted ? (state.filter.descending ? "descending" : "ascending") : null,
        );
    }
    const hadFocus = slots.some((slot) => slot.el.matches(":focus"));
    cursor = slots[state.cursor];
    // A short last page keeps its height, so that the pager stays under the pointer.
    const kept = here
      ? total === null || total > limit
        ? limit
        : rows.length
      : Math.min(limit, state.snapshot.rows);
    slots.forEach((slot, i) => {
      slot.show(state, rows[i] ?? null, room);
      slot.el.hidden = i >= kept;
    });
    if (hadFocus && rows.length > 0 && !cursor?.el.matches(":focus")) cursor?.el.focus();
    setText(blank, blankSentence(state));
    blank.hidden = blank.textContent === "";
  }

  const { ResizeObserver } = maker.document.defaultView ?? globalThis;
  const watching = new ResizeObserver(() => {
    const [label, predicted] = slots[0]?.cells ?? [];
    if (!label || !predicted || label.clientWidth === 0) return;
    const now = measureRoom(probe, label, predicted);
    if (now.label === room.label && now.predicted === room.predicted) return;
    room = now;
    acts.redraw();
  });
  watching.observe(body);
  maker.signal.addEventListener("abort", () => watching.disconnect());

  return {
    el,
    show,
    focus: () => {
      cursor?.el.focus();
      return cursor?.el.matches(":focus") ?? false;
    },
    cursorLabel: () => cursor?.labelCell ?? null,
  };
}

function blankSentence({ rows, here, problem, late, locked, snapshot }: State): string {
  if (rows.length > 0) return "";
  if (problem) return problem;
  if (here) return snapshot.rows === 0 ? "There are no rows." : "No row matches these filters.";
  return (
    locked ||
    (late ? "The grid is waiting for the kernel: it shows its rows when the running cell ends." : "")
  );
}
