/** Where this view is: filter, page and cursor. What a person does while a page is on its way waits for it. */

import { clamp } from "../dom/numbers";
import type { Kernel } from "../kernel/kernel";
import { makePages } from "../kernel/pages";
import type { Filter, Row, RowState } from "../protocol";

/** A cursor that lands on the last row of the page, however long the page is. */
export const LAST = 1e9;
/** A key that is held while the kernel is busy repeats for minutes: what is beyond this is dropped. */
const MOST_DEFERRED = 500;

export type Position = ReturnType<typeof makePosition>;

export function makePosition(kernel: Kernel, filter: Filter, limit: number, changed: () => void) {
  /** The pages of the filter that was asked for. They differ from those on screen until its first page has come. */
  let wantedPages = makePages(kernel, filter, limit);
  let wantedOffset = 0;
  let wantedCursor = 0;
  /** What is done once the page is on screen. */
  let deferred: (() => void)[] = [];
  /** The direction of the last turn: the next one will probably go on in it. */
  let direction: 1 | -1 = 1;
  /** The browser has painted the page, so that there is time to prepare the next one. */
  let isPainted = false;

  const position = {
    /** The pages of the filter on screen. */
    pages: wantedPages,
    offset: 0,
    /** Index of the cursor row on the page. */
    cursor: 0,
    /** Whether a first page has come. */
    hasPage: false,
    turning: false,
    /** Why the last page did not come; empty otherwise. */
    problem: "",

    get filter(): Filter {
      return wantedPages.filter;
    },
    get limit(): number {
      return wantedPages.limit;
    },
    /** The offset of the page that was asked for. */
    get wantedOffset(): number {
      return wantedOffset;
    },
    get total(): number | null {
      return wantedPages.total;
    },

    rows: (): readonly Row[] => position.pages.rowsAt(position.offset),

    /** The offset of the page that the next turn would show, once that page may be drawn ahead. */
    get nextOffset(): number | null {
      const next = position.offset + direction * position.limit;
      return isPainted && position.pages.has(next) ? next : null;
    },

    /** The row under the cursor. */
    row: (): Row | undefined => position.rows()[position.cursor],

    /** Takes in states that the kernel has confirmed, of any rows. */
    learn(states: readonly RowState[], revision: number): void {
      for (const pages of new Set([position.pages, wantedPages])) pages.learn(states, revision);
    },

    /** Goes to the first page of another filter, in a fresh order. */
    changeFilter(next: Filter): void {
      want(makePages(kernel, next, position.limit));
      position.go(0);
    },

    /** Keeps the order, in longer or shorter pages, and the cursor on its row. */
    resize(length: number): void {
      const row = position.offset + position.cursor;
      const pages = makePages(kernel, position.filter, length, wantedPages.asOf);
      pages.total = wantedPages.total;
      want(pages);
      position.go(Math.floor(row / length) * length, row % length);
    },

    go(offset: number, cursor = 0): void {
      const pages = wantedPages;
      if (!pages.mayReach(offset)) return;
      wantedOffset = offset;
      wantedCursor = cursor;
      position.turning = true;
      if (pages.has(offset)) return arrive();
      // By the time of the answer another page may be wanted.
      const stillWanted = () => position.turning && pages === wantedPages && offset === wantedOffset;
      pages.fetch(offset).then(
        () => stillWanted() && arrive(),
        (error: Error) => stillWanted() && giveUp(error.message),
      );
      if (position.turning) changed();
    },

    /** Turns by whole pages, counted from the one that was asked for: two quick turns are two pages. */
    turn: (by: number): void => position.go(wantedOffset + by * position.limit),

    goToLast(): void {
      const { total, limit: length } = position;
      if (total) position.go(Math.floor((total - 1) / length) * length);
    },

    /** Moves by a row, over the ends of the page too. */
    moveCursor(by: 1 | -1): void {
      const next = position.cursor + by;
      if (next >= position.rows().length) position.go(position.offset + position.limit);
      else if (next < 0) position.go(position.offset - position.limit, LAST);
      else position.setCursor(next);
    },

    setCursor(index: number): void {
      const cursor = clamp(index, position.rows().length - 1);
      if (cursor === position.cursor) return;
      position.cursor = cursor;
      changed();
    },

    /** Acts now, or as soon as the page that is on its way has come. */
    whenOnScreen(action: () => void): void {
      if (!position.turning) action();
      else if (deferred.length < MOST_DEFERRED) deferred.push(action);
    },

    /** Fetches the page on screen again, in the same order: something outside this view has changed. */
    reload(): void {
      if (!position.hasPage) return;
      position.pages.forgetOthers(position.offset);
      position.pages.fetch(position.offset).then(
        () => {
          changed();
          position.pages.fetchNeighbours(position.offset, changed);
        },
        () => undefined,
      );
      // `forgetOthers` has dropped the question for the page that is on its way.
      if (position.turning) position.go(wantedOffset, wantedCursor);
    },
  };

  function want(pages: typeof wantedPages): void {
    wantedPages.drop();
    wantedPages = pages;
    deferred = [];
  }

  function arrive(): void {
    const pages = wantedPages;
    const rows = pages.rowsAt(wantedOffset);
    if (rows.length === 0 && wantedOffset > 0) {
      // Past the end, which nobody knew before: there are no more rows than these.
      pages.total ??= wantedOffset;
      return position.go(wantedOffset - position.limit, LAST);
    }
    direction = wantedOffset < position.offset ? -1 : 1;
    isPainted = false;
    position.pages = pages;
    position.offset = wantedOffset;
    position.cursor = clamp(wantedCursor, rows.length - 1);
    position.turning = false;
    position.hasPage = true;
    position.problem = "";
    changed();
    // After the next frame: asking for the neighbours and drawing one of them takes time that this page needs.
    requestAnimationFrame(() => setTimeout(prepareNext));
    if (pages.total === null) pages.countRows().then(changed, () => undefined);
    // One of these may turn the page again; the rest then waits for that one.
    while (!position.turning && deferred.length > 0) deferred.shift()?.();
  }

  function prepareNext(): void {
    isPainted = true;
    position.pages.fetchNeighbours(position.offset, changed);
    if (position.nextOffset !== null) changed();
  }

  function giveUp(problem: string): void {
    position.turning = false;
    position.problem = problem;
    deferred = [];
    if (position.hasPage) {
      wantedPages = position.pages;
      wantedOffset = position.offset;
    }
    changed();
  }

  return position;
}
