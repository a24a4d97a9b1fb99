/** The pages of one frozen order: what has come, what is on its way, and the neighbours before they are asked for. */

import type { Filter, PageResult, Row, RowState } from "../protocol";
import type { Kernel, Question } from "./kernel";
import { stateOf } from "./row-state";

export type Pages = ReturnType<typeof makePages>;

/** `asOf`: the revision whose order every page is a slice of; null until the first page has come. */
export function makePages(kernel: Kernel, filter: Filter, limit: number, asOf: number | null = null) {
  const here = new Map<number, readonly number[]>();
  const rows = new Map<number, Row>();
  const states = new Map<number, { state: RowState; revision: number }>();
  const asked = new Map<number, { question: Question<"page">; done: Promise<void> }>();
  let counting = false;

  const pages = {
    filter,
    limit,
    asOf,
    /** Rows of the whole filter; null: not counted yet. */
    total: null as number | null,

    has: (offset: number): boolean => here.has(offset),

    /** The rows of a page that is here, as the kernel has confirmed them. */
    at: (offset: number): readonly Row[] => (here.get(offset) ?? []).flatMap((row) => rows.get(row) ?? []),

    row: (row: number): Row | undefined => rows.get(row),

    /** The offset of the page that holds the row, among those that are here. */
    offsetOf: (row: number): number | undefined => [...here].find(([, page]) => page.includes(row))?.[0],

    /** Whether there may be rows from this offset on. */
    reaches(offset: number): boolean {
      if (offset < 0) return false;
      if (pages.total !== null) return offset < pages.total || offset === 0;
      const before = here.get(offset - limit);
      return before === undefined || before.length === limit;
    },

    /** Resolves when the page is here; urgent unless it is only fetched ahead. */
    fetch(offset: number, ahead = false): Promise<void> {
      const before = asked.get(offset);
      if (before) {
        if (!ahead) before.question.urge();
        return before.done;
      }
      const question = kernel.ask("page", { query: query(offset) }, ahead);
      const done = question.answer
        .then(({ result, revision }) => take(offset, result, revision))
        .finally(() => {
          if (asked.get(offset)?.question === question) asked.delete(offset);
        });
      asked.set(offset, { question, done });
      return done;
    },

    /** Fetches both neighbours, so that turning the page needs no answer. */
    fetchAround(offset: number, came: () => void): void {
      for (const next of [offset + limit, offset - limit])
        if (!here.has(next) && pages.reaches(next)) pages.fetch(next, true).then(came, () => undefined);
    },

    /** Asks how many rows the filter leaves, where the first page came before that was known. */
    async countRows(): Promise<void> {
      if (counting) return;
      counting = true;
      try {
        pages.total = (await kernel.find("count", { query: query(0) })).total;
      } finally {
        counting = false;
      }
    },

    /** States that the kernel has told; never older than what is known. */
    learn(told: readonly RowState[], revision: number): void {
      for (const state of told) {
        if ((states.get(state.row)?.revision ?? -1) > revision) continue;
        states.set(state.row, { state, revision });
        const row = rows.get(state.row);
        if (row) rows.set(state.row, { ...row, ...state });
      }
    },

    /** Forgets every page but this one: what the others hold may have changed. */
    forgetOthers(offset: number): void {
      for (const other of [...here.keys()]) if (other !== offset) here.delete(other);
      pages.drop();
    },

    /** Nobody waits for what is on its way. */
    drop(): void {
      for (const { question } of asked.values()) question.drop();
      asked.clear();
    },
  };

  const query = (offset: number) => ({ ...filter, offset, limit, as_of: pages.asOf });

  function take(offset: number, page: PageResult, revision: number): void {
    pages.asOf ??= page.revision;
    pages.total = page.total ?? pages.total;
    for (const row of page.rows) {
      const known = states.get(row.row);
      if (known && known.revision > revision) rows.set(row.row, { ...row, ...known.state });
      else {
        rows.set(row.row, row);
        states.set(row.row, { state: stateOf(row), revision });
      }
    }
    here.set(
      offset,
      page.rows.map(({ row }) => row),
    );
  }

  return pages;
}
