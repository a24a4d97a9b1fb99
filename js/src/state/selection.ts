/** The rows selected for one decision: one by one, or every row of the filter. */

import type { Kernel } from "../kernel/kernel";
import type { Op, OpKind, Preview, Query, QueryOp, Row } from "../protocol";
import type { Position } from "./position";

/** A decision on more rows than this is shown and asked about first. */
export const ASK_ABOVE = 20;

/** A decision on the selected rows. */
export interface Plan {
  readonly kind: Exclude<OpKind, "undo" | "redo">;
  readonly label?: number | null;
  readonly note?: string | null;
}

interface SelectionActs {
  row(id: number): Row | null;
  send(op: Partial<QueryOp> & Pick<Op, "kind">): void;
  /** Resolves once the kernel has answered every decision so far. */
  settled(): Promise<void>;
  changed(): void;
}

export type Selection = ReturnType<typeof makeSelection>;

export function makeSelection(
  kernel: Kernel,
  position: Position,
  { row: rowOf, send, settled, changed }: SelectionActs,
) {
  /** The rows that were selected one by one, as they were then: they may be on other pages by now. */
  const picked = new Map<number, Row>();
  /** Every row of the filter is selected, those of other pages too. */
  let everything = false;
  /** The row selected last, and the rows selected from there on by extending. */
  let anchor: number | null = null;
  let extension: readonly number[] = [];

  const selection = {
    get everything(): boolean {
      return everything;
    },

    /** How many rows are selected; null while the filter is not counted yet. */
    get count(): number | null {
      return everything ? position.total : picked.size;
    },

    /** How much of the page is selected. */
    get page(): "all" | "some" | "none" {
      const page = onPage();
      const selected = page.filter(selection.has).length;
      if (selected === 0) return "none";
      return selected === page.length ? "all" : "some";
    },

    has: (row: number): boolean => everything || picked.has(row),

    toggle(row: number): void {
      const had = selection.has(row);
      endEverything();
      if (had) picked.delete(row);
      else add([row]);
      setAnchor(row);
      changed();
    },

    /** Selects every row of the page between the one selected last, else `from`, and this one. Takes the place of an extension before. */
    extendTo(row: number, from: number): void {
      endEverything();
      const page = onPage();
      if (anchor === null || !page.includes(anchor)) setAnchor(from);
      for (const id of extension) picked.delete(id);
      const ends = [page.indexOf(anchor ?? from), page.indexOf(row)].sort((a, b) => a - b);
      const stretch = page.slice(ends[0], (ends[1] ?? 0) + 1);
      extension = stretch.filter((id) => id !== anchor && !picked.has(id));
      add(stretch);
      changed();
    },

    /** Selects every row of the page on screen, or none of them. */
    selectPage(on: boolean): void {
      endEverything();
      if (on) add(onPage());
      else for (const row of onPage()) picked.delete(row);
      setAnchor(null);
      changed();
    },

    /** Selects these rows and no others, whichever pages they are on. */
    selectOnly(rows: readonly Row[]): void {
      reset(false);
      for (const row of rows) picked.set(row.row, row);
      changed();
    },

    selectEverything(): void {
      reset(true);
      changed();
    },

    clear(): void {
      if (!everything && picked.size === 0) return;
      reset(false);
      changed();
    },

    /** The label that the model predicts for every selected row; null where it predicts several. */
    get predicted(): number | null {
      const labels = new Set([...picked.values()].map(({ predicted }) => predicted));
      const [only = null] = labels;
      return labels.size === 1 && !everything ? only : null;
    },

    /** What a decision would be on: counted by the kernel, with the first ten rows. */
    async preview(): Promise<Preview> {
      await settled();
      const args = everything ? { query: query(null) } : { rows: [...picked.keys()] };
      return kernel.call("preview", args);
    },

    /** Decides on the selected rows, as one step for undo. `preview`: what was agreed to, needed for every row of the filter. */
    decide(plan: Plan, preview: Preview | null, onlyUnreviewed = false): void {
      if (everything) {
        if (!preview) return;
        // The kernel takes the rows that the preview counted: its order is frozen at that revision.
        const { revision, total, verdicts } = preview;
        const asked = query(revision);
        send({
          ...plan,
          query: onlyUnreviewed ? { ...asked, verdict: "" } : asked,
          count: onlyUnreviewed ? verdicts[""] : total,
        });
      } else {
        const now = (id: number) => rowOf(id) ?? picked.get(id);
        const rows = [...picked.keys()].filter((id) => !onlyUnreviewed || now(id)?.verdict === "");
        const from = rows.map((id) => now(id)?.label ?? null);
        send({ ...plan, rows, from: plan.kind === "note" ? null : from });
      }
      selection.clear();
    },
  };

  const onPage = (): number[] => position.rows().map(({ row }) => row);

  const query = (as_of: number | null): Query => ({ ...position.filter, offset: 0, limit: ASK_ABOVE, as_of });

  function add(rows: readonly number[]): void {
    for (const id of rows) {
      const row = rowOf(id);
      if (row) picked.set(id, row);
    }
  }

  /** From here on rows count one by one. Of every row of the filter, those of the page stay selected. */
  function endEverything(): void {
    if (everything) add(onPage());
    everything = false;
  }

  function setAnchor(row: number | null): void {
    anchor = row;
    extension = [];
  }

  function reset(all: boolean): void {
    everything = all;
    picked.clear();
    setAnchor(null);
  }

  return selection;
}
