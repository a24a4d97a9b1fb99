/** The rows chosen for one decision: by hand, or every row of the filter. Knows nothing of the page it is drawn on. */

import type { Kernel } from "./kernel";
import type { Place } from "./place";
import type { BulkOp, Op, OpKind, Preview, Row } from "./protocol";

/** A decision on more rows than this is shown and asked about first. */
export const ASK_ABOVE = 20;
/** The kernel refuses a decision on more. */
export const MOST_ROWS = 100_000;

/** What to do with the rows that are chosen. */
export interface Plan {
  readonly kind: Exclude<OpKind, "undo" | "redo">;
  readonly label: number | null;
  readonly note: string | null;
}

interface BulkActs {
  row(id: number): Row | null;
  send(op: Omit<Op, "op_id"> | Omit<BulkOp, "op_id">): void;
  /** Resolves once the kernel has answered every decision so far. */
  settled(): Promise<void>;
  changed(): void;
}

export class Bulk {
  /** Every row of the filter is chosen, those of other pages too. */
  everything = false;
  readonly #kernel: Kernel;
  readonly #place: Place;
  readonly #acts: BulkActs;
  readonly #chosen = new Map<number, Row>();
  /** Where the last choice was made, and what was chosen from there on by extending it. */
  #anchor: number | null = null;
  #extension: readonly number[] = [];

  constructor(kernel: Kernel, place: Place, acts: BulkActs) {
    this.#kernel = kernel;
    this.#place = place;
    this.#acts = acts;
  }

  /** How many rows are chosen; null where nobody has counted the filter yet. */
  get count(): number | null {
    return this.everything ? this.#place.total : this.#chosen.size;
  }

  /** Whether every row of the page is chosen, or none, or some. */
  get page(): "all" | "some" | "none" {
    const rows = this.#place.rows();
    const chosen = rows.filter(({ row }) => this.has(row)).length;
    if (chosen === 0) return "none";
    return chosen === rows.length ? "all" : "some";
  }

  has(row: number): boolean {
    return this.everything || this.#chosen.has(row);
  }

  toggle(row: number): void {
    const chosen = this.has(row);
    this.#handPick();
    if (chosen) this.#chosen.delete(row);
    else this.#add([row]);
    this.#anchor = row;
    this.#extension = [];
    this.#acts.changed();
  }

  /** Every row of the page between the last choice, else `from`, and this one; a longer or shorter stretch replaces it. */
  extendTo(row: number, from: number): void {
    this.#handPick();
    const page = this.#place.rows().map((each) => each.row);
    if (this.#anchor === null || !page.includes(this.#anchor)) {
      this.#anchor = from;
      this.#extension = [];
    }
    for (const id of this.#extension) this.#chosen.delete(id);
    const ends = [page.indexOf(this.#anchor), page.indexOf(row)].sort((a, b) => a - b);
    const stretch = page.slice(ends[0], (ends[1] ?? 0) + 1);
    this.#extension = stretch.filter((id) => id !== this.#anchor && !this.#chosen.has(id));
    this.#add(stretch);
    this.#acts.changed();
  }

  /** The rows of the page on screen, all or none of them. */
  choosePage(on: boolean): void {
    const page = this.#place.rows().map(({ row }) => row);
    this.#handPick();
    if (on) this.#add(page);
    else for (const row of page) this.#chosen.delete(row);
    this.#forgetAnchor();
    this.#acts.changed();
  }

  /** These and no others, wherever they stand. */
  chooseOnly(rows: readonly Row[]): void {
    this.#reset();
    for (const row of rows) this.#chosen.set(row.row, row);
    this.#acts.changed();
  }

  chooseEverything(): void {
    this.#reset();
    this.everything = true;
    this.#acts.changed();
  }

  clear(): void {
    if (!this.everything && this.#chosen.size === 0) return;
    this.#reset();
    this.#acts.changed();
  }

  /** What a decision would be on: counted by the kernel, with the first ten rows. */
  async preview(): Promise<Preview> {
    await this.#acts.settled();
    const args = this.everything
      ? { query: { ...this.#place.filter, offset: 0, limit: ASK_ABOVE, as_of: null } }
      : { rows: [...this.#chosen.keys()] };
    return (await this.#kernel.ask("preview", args).answer).result;
  }

  /** One act, one undo. `preview` is what was agreed to, for every row of the filter. */
  decide({ kind, label, note }: Plan, preview: Preview | null): void {
    if (this.everything) {
      if (!preview) return;
      const query = { ...this.#place.filter, offset: 0, limit: ASK_ABOVE, as_of: preview.revision };
      this.#acts.send({ kind, rows: [], label, note: null, from: null, query, count: preview.total });
    } else {
      const rows = [...this.#chosen.keys()];
      const from = rows.map((id) => (this.#acts.row(id) ?? this.#chosen.get(id))?.label ?? null);
      this.#acts.send({ kind, rows, label, note, from: kind === "note" ? null : from });
    }
    this.clear();
  }

  #add(rows: readonly number[]): void {
    for (const id of rows) {
      const row = this.#acts.row(id);
      if (row) this.#chosen.set(id, row);
    }
  }

  /** From here on single rows count: of every row of the filter, those of the page stay. */
  #handPick(): void {
    if (!this.everything) return;
    this.everything = false;
    this.#add(this.#place.rows().map(({ row }) => row));
  }

  #forgetAnchor(): void {
    this.#anchor = null;
    this.#extension = [];
  }

  #reset(): void {
    this.everything = false;
    this.#chosen.clear();
    this.#forgetAnchor();
  }
}
