/** The pages of one filter in one frozen order: those that have come, those on their way, and the neighbours ahead. */

import type { Filter, PageResult, Query, Row, RowState } from "../protocol";
import type { Kernel, Question } from "./kernel";
import { rowStateOf } from "./row-state";

export type Pages = ReturnType<typeof makePages>;

/** `asOf`: the revision whose order every page is a slice of; null until the first page has come. */
export function makePages(kernel: Kernel, filter: Filter, limit: number, asOf: number | null = null) {
  /** The rows of each page that has come, by its offset. */
  const loaded = new Map<number, readonly number[]>();
  const rows = new Map<number, Row>();
  /** The newest state of each row that the kernel has confirmed. It may be newer than a page that comes later. */
  const states = new Map<number, { state: RowState; revision: number }>();
  const inFlight = new Map<number, { question: Question<"page">; done: Promise<void> }>();
  let counting = false;

  const pages = {
    filter,
    limit,
    asOf,
    /** Rows of the whole filter; null: not counted yet. */
    total: null as number | null,

    has: (offset: number): boolean => loaded.has(offset),

    /** The rows of a page that has come, as the kernel has confirmed them. */
    rowsAt: (offset: number): readonly Row[] =>
      (loaded.get(offset) ?? []).flatMap((row) => rows.get(row) ?? []),

    row: (row: number): Row | undefined => rows.get(row),

    /** The offset of the page that holds the row, among those that have come. */
    offsetOf: (row: number): number | undefined => [...loaded].find(([, page]) => page.includes(row))?.[0],

    /** Whether there may be rows from this offset on. */
    mayReach(offset: number): boolean {
      if (offset < 0) return false;
      if (pages.total !== null) return offset < pages.total || offset === 0;
      const before = loaded.get(offset - limit);
      return before === undefined || before.length === limit;
    },

    /** Resolves when the page has come. The kernel is asked again and again, unless the page is only fetched ahead. */
    fetch(offset: number, ahead = false): Promise<void> {
      const before = inFlight.get(offset);
      if (before) {
        if (!ahead) before.question.urge();
        return before.done;
      }
      const question = kernel.ask("page", { query: query(offset) }, ahead);
      const done = question.answer
        .then(({ result, revision }) => take(offset, result, revision))
        .finally(() => {
          if (inFlight.get(offset)?.question === question) inFlight.delete(offset);
        });
      inFlight.set(offset, { question, done });
      return done;
    },

    /** Fetches the pages before and after, so that turning to them needs no answer. */
    fetchNeighbours(offset: number, onLoaded: () => void): void {
      for (const next of [offset + limit, offset - limit])
        if (!loaded.has(next) && pages.mayReach(next))
          pages.fetch(next, true).then(onLoaded, () => undefined);
    },

    /** Asks how many rows the filter leaves, where a page came before that was known. */
    async countRows(): Promise<void> {
      if (counting) return;
      counting = true;
      try {
        pages.total = (await kernel.call("count", { query: query(0) })).total;
      } finally {
        counting = false;
      }
    },

    /** Takes in states that the kernel has confirmed, unless newer ones are known. */
    learn(confirmed: readonly RowState[], revision: number): void {
      for (const state of confirmed) {
        if ((states.get(state.row)?.revision ?? -1) > revision) continue;
        states.set(state.row, { state, revision });
        const row = rows.get(state.row);
        if (row) rows.set(state.row, { ...row, ...state });
      }
    },

    /** Forgets every page but this one: what the others hold may have changed. */
    forgetOthers(offset: number): void {
      for (const other of [...loaded.keys()]) if (other !== offset) loaded.delete(other);
      pages.drop();
    },

    /** Nobody waits for what is on its way. */
    drop(): void {
      for (const { question } of inFlight.values()) question.drop();
      inFlight.clear();
    },
  };

  const query = (offset: number): Query => ({ ...filter, offset, limit, as_of: pages.asOf });

  function take(offset: number, page: PageResult, revision: number): void {
    pages.asOf ??= page.revision;
    pages.total = page.total ?? pages.total;
    for (const row of page.rows) {
      const known = states.get(row.row);
      // The answer to a decision may overtake a page that was asked for before it.
      if (known && known.revision > revision) rows.set(row.row, { ...row, ...known.state });
      else {
        rows.set(row.row, row);
        states.set(row.row, { state: rowStateOf(row), revision });
      }
    }
    loaded.set(
      offset,
      page.rows.map(({ row }) => row),
    );
  }

  return pages;
}
