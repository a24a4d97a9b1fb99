/** Where this view is: filter, page and cursor; keys pressed while a page is on its way wait for it. */

import type { Kernel } from "./kernel";
import { Pages } from "./pages";
import type { Filter, Row, RowState } from "./protocol";

/** A cursor that lands on the last row of the page, however long it is. */
const LAST = Number.MAX_SAFE_INTEGER;
const MOST_WAITING = 500;

export class Place {
  /** The page on screen. */
  shown: Pages;
  offset = 0;
  /** Index of the cursor row on the page. */
  cursor = 0;
  /** Whether a first page has come. */
  here = false;
  turning = false;
  /** Why the last page did not come; empty otherwise. */
  problem = "";
  /** The page that was asked for; the same as the one on screen unless it is on its way. */
  #wanted: Pages;
  #goal = 0;
  #goalCursor = 0;
  #waiting: (() => void)[] = [];
  readonly #kernel: Kernel;
  readonly #changed: () => void;

  constructor(kernel: Kernel, filter: Filter, limit: number, changed: () => void) {
    this.#kernel = kernel;
    this.#changed = changed;
    this.shown = new Pages(kernel, filter, limit);
    this.#wanted = this.shown;
  }

  get filter(): Filter {
    return this.#wanted.filter;
  }

  get limit(): number {
    return this.#wanted.limit;
  }

  /** The offset of the page that was asked for. */
  get goal(): number {
    return this.#goal;
  }

  get total(): number | null {
    return this.#wanted.total;
  }

  rows(): readonly Row[] {
    return this.shown.at(this.offset);
  }

  /** States that the kernel has told, of any rows. */
  learn(states: readonly RowState[], revision: number): void {
    for (const pages of new Set([this.shown, this.#wanted])) pages.learn(states, revision);
  }

  /** Another question: its first page, in a fresh order. */
  ask(filter: Filter): void {
    this.#replace(new Pages(this.#kernel, filter, this.limit));
    this.go(0);
  }

  /** The same order in longer or shorter pages, the first row still on the page. */
  resize(limit: number): void {
    const first = this.offset + this.cursor;
    const pages = new Pages(this.#kernel, this.filter, limit, this.#wanted.asOf);
    pages.total = this.#wanted.total;
    this.#replace(pages);
    this.go(Math.floor(first / limit) * limit, first % limit);
  }

  go(offset: number, cursor = 0): void {
    const pages = this.#wanted;
    if (!pages.reaches(offset)) return;
    this.#goal = offset;
    this.#goalCursor = cursor;
    this.turning = true;
    if (pages.has(offset)) return this.#arrive();
    const stillWanted = () => this.turning && pages === this.#wanted && offset === this.#goal;
    pages.fetch(offset).then(
      () => stillWanted() && this.#arrive(),
      (error: Error) => stillWanted() && this.#stay(error.message),
    );
    if (this.turning) this.#changed();
  }

  /** Whole pages, counted from the one that was asked for. */
  turn(by: number): void {
    this.go(this.#goal + by * this.limit);
  }

  goToLast(): void {
    if (this.total) this.go(Math.floor((this.total - 1) / this.limit) * this.limit);
  }

  /** Rows, over the ends of the page too. */
  step(by: 1 | -1): void {
    const next = this.cursor + by;
    if (next >= this.rows().length) this.go(this.offset + this.limit);
    else if (next < 0) this.go(this.offset - this.limit, LAST);
    else this.point(next);
  }

  point(index: number): void {
    const cursor = Math.max(0, Math.min(index, this.rows().length - 1));
    if (cursor === this.cursor) return;
    this.cursor = cursor;
    this.#changed();
  }

  /** Now, or as soon as the page that is on its way has come. */
  perform(action: () => void): void {
    if (!this.turning) action();
    else if (this.#waiting.length < MOST_WAITING) this.#waiting.push(action);
  }

  /** The page on screen once more, in the same order: something outside this view has changed. */
  reload(): void {
    if (!this.here) return;
    this.shown.forgetOthers(this.offset);
    this.shown.fetch(this.offset).then(
      () => {
        this.#changed();
        this.shown.fetchAround(this.offset);
      },
      () => undefined,
    );
    if (this.turning) this.go(this.#goal, this.#goalCursor);
  }

  #replace(pages: Pages): void {
    this.#wanted.drop();
    this.#wanted = pages;
    this.#waiting = [];
  }

  #arrive(): void {
    const pages = this.#wanted;
    const rows = pages.at(this.#goal);
    if (rows.length === 0 && this.#goal > 0) {
      pages.total ??= this.#goal;
      return this.go(this.#goal - this.limit, LAST);
    }
    this.shown = pages;
    this.offset = this.#goal;
    this.cursor = Math.max(0, Math.min(this.#goalCursor, rows.length - 1));
    this.turning = false;
    this.here = true;
    this.problem = "";
    this.#changed();
    pages.fetchAround(this.offset);
    if (pages.total === null) pages.countRows().then(this.#changed, () => undefined);
    while (!this.turning && this.#waiting.length > 0) this.#waiting.shift()?.();
  }

  #stay(problem: string): void {
    this.turning = false;
    this.problem = problem;
    this.#waiting = [];
    if (this.here) {
      this.#wanted = this.shown;
      this.#goal = this.offset;
    }
    this.#changed();
  }
}
