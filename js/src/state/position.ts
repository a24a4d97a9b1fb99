/** Where this view is: filter, page and cursor; keys pressed while a page is on its way wait for it. */

import { within } from "../dom/words";
import type { Kernel } from "../kernel/kernel";
import { makePages } from "../kernel/pages";
import type { Filter, Row, RowState } from "../protocol";

/** A cursor that lands on the last row of the page, however long it is. */
export const LAST = 1e9;
const MOST_WAITING = 500;

export type Place = ReturnType<typeof makePlace>;

export function makePlace(kernel: Kernel, filter: Filter, limit: number, changed: () => void) {
  /** The page that was asked for; the same as the one on screen unless it is on its way. */
  let wanted = makePages(kernel, filter, limit);
  let goal = 0;
  let goalCursor = 0;
  let waiting: (() => void)[] = [];
  /** The way that the last turn went. */
  let way = 1;
  /** The page is on screen: there is time for the one that comes next. */
  let settled = false;

  const place = {
    /** The page on screen. */
    shown: wanted,
    offset: 0,
    /** Index of the cursor row on the page. */
    cursor: 0,
    /** Whether a first page has come. */
    here: false,
    turning: false,
    /** Why the last page did not come; empty otherwise. */
    problem: "",

    get filter(): Filter {
      return wanted.filter;
    },
    get limit(): number {
      return wanted.limit;
    },
    /** The offset of the page that was asked for. */
    get goal(): number {
      return goal;
    },
    get total(): number | null {
      return wanted.total;
    },

    rows: (): readonly Row[] => place.shown.at(place.offset),

    /** The offset of the page that the next turn would show, where it may be drawn already. */
    get ahead(): number | null {
      const next = place.offset + way * place.limit;
      return settled && place.shown.has(next) ? next : null;
    },

    /** The row under the cursor. */
    row: (): Row | undefined => place.rows()[place.cursor],

    /** States that the kernel has told, of any rows. */
    learn(states: readonly RowState[], revision: number): void {
      for (const pages of new Set([place.shown, wanted])) pages.learn(states, revision);
    },

    /** Another question: its first page, in a fresh order. */
    ask(next: Filter): void {
      replace(makePages(kernel, next, place.limit));
      place.go(0);
    },

    /** The same order in longer or shorter pages, the first row still on the page. */
    resize(length: number): void {
      const first = place.offset + place.cursor;
      const pages = makePages(kernel, place.filter, length, wanted.asOf);
      pages.total = wanted.total;
      replace(pages);
      place.go(Math.floor(first / length) * length, first % length);
    },

    go(offset: number, cursor = 0): void {
      const pages = wanted;
      if (!pages.reaches(offset)) return;
      goal = offset;
      goalCursor = cursor;
      place.turning = true;
      if (pages.has(offset)) return arrive();
      const stillWanted = () => place.turning && pages === wanted && offset === goal;
      pages.fetch(offset).then(
        () => stillWanted() && arrive(),
        (error: Error) => stillWanted() && stay(error.message),
      );
      if (place.turning) changed();
    },

    /** Whole pages, counted from the one that was asked for. */
    turn: (by: number): void => place.go(goal + by * place.limit),

    goToLast(): void {
      if (wanted.total) place.go(Math.floor((wanted.total - 1) / place.limit) * place.limit);
    },

    /** Rows, over the ends of the page too. */
    step(by: 1 | -1): void {
      const next = place.cursor + by;
      if (next >= place.rows().length) place.go(place.offset + place.limit);
      else if (next < 0) place.go(place.offset - place.limit, LAST);
      else place.point(next);
    },

    point(index: number): void {
      const cursor = within(index, place.rows().length - 1);
      if (cursor === place.cursor) return;
      place.cursor = cursor;
      changed();
    },

    /** Now, or as soon as the page that is on its way has come. */
    perform(action: () => void): void {
      if (!place.turning) action();
      else if (waiting.length < MOST_WAITING) waiting.push(action);
    },

    /** The page on screen once more, in the same order: something outside this view has changed. */
    reload(): void {
      if (!place.here) return;
      place.shown.forgetOthers(place.offset);
      place.shown.fetch(place.offset).then(
        () => {
          changed();
          place.shown.fetchAround(place.offset, changed);
        },
        () => undefined,
      );
      if (place.turning) place.go(goal, goalCursor);
    },
  };

  function replace(pages: typeof wanted): void {
    wanted.drop();
    wanted = pages;
    waiting = [];
  }

  function arrive(): void {
    const pages = wanted;
    const rows = pages.at(goal);
    if (rows.length === 0 && goal > 0) {
      pages.total ??= goal;
      return place.go(goal - place.limit, LAST);
    }
    way = goal < place.offset ? -1 : 1;
    settled = false;
    place.shown = pages;
    place.offset = goal;
    place.cursor = within(goalCursor, rows.length - 1);
    place.turning = false;
    place.here = true;
    place.problem = "";
    changed();
    requestAnimationFrame(() => setTimeout(lookAround));
    if (pages.total === null) pages.countRows().then(changed, () => undefined);
    while (!place.turning && waiting.length > 0) waiting.shift()?.();
  }

  /** Asking for the neighbours takes time, and so does drawing one of them: the page is on screen first. */
  function lookAround(): void {
    settled = true;
    place.shown.fetchAround(place.offset, changed);
    if (place.ahead !== null) changed();
  }

  function stay(problem: string): void {
    place.turning = false;
    place.problem = problem;
    waiting = [];
    if (place.here) {
      wanted = place.shown;
      goal = place.offset;
    }
    changed();
  }

  return place;
}
