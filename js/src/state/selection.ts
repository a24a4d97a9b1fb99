/** The rows chosen for one decision: by hand, or every row of the filter. Knows nothing of the page it is drawn on. */

import type { Kernel } from "../kernel/kernel";
import type { BulkOp, Op, OpKind, Preview, Query, Row } from "../protocol";
import type { Place } from "./position";

/** A decision on more rows than this is shown and asked about first. */
export const ASK_ABOVE = 20;
/** The kernel refuses a decision on more. */
export const MOST_ROWS = 100_000;

/** What to do with the rows that are chosen. */
export interface Plan {
  readonly kind: Exclude<OpKind, "undo" | "redo">;
  readonly label?: number | null;
  readonly note?: string | null;
}

interface SelectionActs {
  row(id: number): Row | null;
  send(op: Partial<BulkOp> & Pick<Op, "kind">): void;
  /** Resolves once the kernel has answered every decision so far. */
  settled(): Promise<void>;
  changed(): void;
}

export type Selection = ReturnType<typeof makeSelection>;

export function makeSelection(
  kernel: Kernel,
  place: Place,
  { row: rowOf, send, settled, changed }: SelectionActs,
) {
  const chosen = new Map<number, Row>();
  /** Every row of the filter is chosen, those of other pages too. */
  let everything = false;
  /** Where the last choice was made, and what was chosen from there on by extending it. */
  let anchor: number | null = null;
  let extension: readonly number[] = [];

  const selection = {
    get everything(): boolean {
      return everything;
    },

    /** How many rows are chosen; null where nobody has counted the filter yet. */
    get count(): number | null {
      return everything ? place.total : chosen.size;
    },

    /** Whether every row of the page is chosen, or none, or some. */
    get page(): "all" | "some" | "none" {
      const page = onPage();
      const many = page.filter(selection.has).length;
      if (many === 0) return "none";
      return many === page.length ? "all" : "some";
    },

    has: (row: number): boolean => everything || chosen.has(row),

    toggle(row: number): void {
      const had = selection.has(row);
      handPick();
      if (had) chosen.delete(row);
      else add([row]);
      start(row);
      changed();
    },

    /** Every row of the page between the last choice, else `from`, and this one; a longer or shorter stretch replaces it. */
    extendTo(row: number, from: number): void {
      handPick();
      const page = onPage();
      if (anchor === null || !page.includes(anchor)) start(from);
      for (const id of extension) chosen.delete(id);
      const ends = [page.indexOf(anchor ?? from), page.indexOf(row)].sort((a, b) => a - b);
      const stretch = page.slice(ends[0], (ends[1] ?? 0) + 1);
      extension = stretch.filter((id) => id !== anchor && !chosen.has(id));
      add(stretch);
      changed();
    },

    /** The rows of the page on screen, all or none of them. */
    choosePage(on: boolean): void {
      handPick();
      if (on) add(onPage());
      else for (const row of onPage()) chosen.delete(row);
      start(null);
      changed();
    },

    /** These and no others, wherever they stand. */
    chooseOnly(rows: readonly Row[]): void {
      reset(false);
      for (const row of rows) chosen.set(row.row, row);
      changed();
    },

    chooseEverything(): void {
      reset(true);
      changed();
    },

    clear(): void {
      if (!everything && chosen.size === 0) return;
      reset(false);
      changed();
    },

    /** The label that the model gives to each of them, where that is one. */
    get predicted(): number | null {
      const labels = new Set([...chosen.values()].map(({ predicted }) => predicted));
      const [only = null] = labels;
      return labels.size === 1 && !everything ? only : null;
    },

    /** What a decision would be on: counted by the kernel, with the first ten rows. */
    async preview(): Promise<Preview> {
      await settled();
      const args = everything ? { query: query(null) } : { rows: [...chosen.keys()] };
      return kernel.find("preview", args);
    },

    /** One act, one undo. `preview` is what was agreed to, for every row of the filter; or only for those not reviewed. */
    decide(plan: Plan, preview: Preview | null, fresh = false): void {
      if (everything) {
        if (!preview) return;
        const { revision, total, verdicts } = preview;
        const asked = query(revision);
        send({
          ...plan,
          query: fresh ? { ...asked, verdict: "" } : asked,
          count: fresh ? verdicts[""] : total,
        });
      } else {
        const now = (id: number) => rowOf(id) ?? chosen.get(id);
        const rows = [...chosen.keys()].filter((id) => !fresh || now(id)?.verdict === "");
        const from = rows.map((id) => now(id)?.label ?? null);
        send({ ...plan, rows, from: plan.kind === "note" ? null : from });
      }
      selection.clear();
    },
  };

  const onPage = (): number[] => place.rows().map(({ row }) => row);

  const query = (as_of: number | null): Query => ({ ...place.filter, offset: 0, limit: ASK_ABOVE, as_of });

  function add(rows: readonly number[]): void {
    for (const id of rows) {
      const row = rowOf(id);
      if (row) chosen.set(id, row);
    }
  }

  /** From here on single rows count: of every row of the filter, those of the page stay. */
  function handPick(): void {
    if (everything) add(onPage());
    everything = false;
  }

  function start(row: number | null): void {
    anchor = row;
    extension = [];
  }

  function reset(all: boolean): void {
    everything = all;
    chosen.clear();
    start(null);
  }

  return selection;
}
