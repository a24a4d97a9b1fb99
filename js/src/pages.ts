/** The pages of one frozen order: what has come, what is on its way, and the neighbours before they are asked for. */

import type { Kernel, Question } from "./kernel";
import type { Filter, PageResult, Row, RowState } from "./protocol";
import { stateOf, withState } from "./standing";

export class Pages {
  readonly filter: Filter;
  readonly limit: number;
  /** The revision whose order every page is a slice of; null until the first page has come. */
  asOf: number | null;
  /** Rows of the whole filter; null: not counted yet. */
  total: number | null = null;
  readonly #kernel: Kernel;
  readonly #pages = new Map<number, readonly number[]>();
  readonly #rows = new Map<number, Row>();
  readonly #states = new Map<number, { state: RowState; revision: number }>();
  readonly #asked = new Map<number, { question: Question<"page">; done: Promise<void> }>();
  #counting = false;

  constructor(kernel: Kernel, filter: Filter, limit: number, asOf: number | null = null) {
    this.#kernel = kernel;
    this.filter = filter;
    this.limit = limit;
    this.asOf = asOf;
  }

  has(offset: number): boolean {
    return this.#pages.has(offset);
  }

  /** The rows of a page that is here, as the kernel has confirmed them. */
  at(offset: number): readonly Row[] {
    return (this.#pages.get(offset) ?? []).flatMap((row) => this.#rows.get(row) ?? []);
  }

  row(row: number): Row | undefined {
    return this.#rows.get(row);
  }

  /** The offset of the page that holds the row, among those that are here. */
  offsetOf(row: number): number | null {
    for (const [offset, rows] of this.#pages) if (rows.includes(row)) return offset;
    return null;
  }

  /** Whether there may be rows from this offset on. */
  reaches(offset: number): boolean {
    if (offset < 0) return false;
    if (this.total !== null) return offset < this.total || offset === 0;
    const before = this.#pages.get(offset - this.limit);
    return before === undefined || before.length === this.limit;
  }

  /** Resolves when the page is here; urgent unless it is only fetched ahead. */
  fetch(offset: number, { ahead = false } = {}): Promise<void> {
    const before = this.#asked.get(offset);
    if (before) {
      if (!ahead) before.question.urge();
      return before.done;
    }
    const query = { ...this.filter, offset, limit: this.limit, as_of: this.asOf };
    const question = this.#kernel.ask("page", { query }, { patient: ahead });
    const done = question.answer
      .then(({ result, revision }) => this.#take(offset, result, revision))
      .finally(() => {
        if (this.#asked.get(offset)?.question === question) this.#asked.delete(offset);
      });
    this.#asked.set(offset, { question, done });
    return done;
  }

  /** Fetches both neighbours, so that turning the page needs no answer. */
  fetchAround(offset: number): void {
    for (const next of [offset + this.limit, offset - this.limit])
      if (!this.has(next) && this.reaches(next)) this.fetch(next, { ahead: true }).catch(() => undefined);
  }

  /** Asks how many rows the filter leaves, where the first page came before that was known. */
  async countRows(): Promise<void> {
    if (this.total !== null || this.#counting) return;
    this.#counting = true;
    const query = { ...this.filter, offset: 0, limit: this.limit, as_of: this.asOf };
    try {
      const { result } = await this.#kernel.ask("count", { query }).answer;
      this.total = result.total;
    } finally {
      this.#counting = false;
    }
  }

  /** States that the kernel has told; never older than what is known. */
  learn(states: readonly RowState[], revision: number): void {
    for (const state of states) {
      if ((this.#states.get(state.row)?.revision ?? -1) > revision) continue;
      this.#states.set(state.row, { state, revision });
      const row = this.#rows.get(state.row);
      if (row) this.#rows.set(state.row, withState(row, state));
    }
  }

  /** Forgets every page but this one: what the others hold may have changed. */
  forgetOthers(offset: number): void {
    for (const other of [...this.#pages.keys()]) if (other !== offset) this.#pages.delete(other);
    this.drop();
  }

  /** Nobody waits for what is on its way. */
  drop(): void {
    for (const { question } of this.#asked.values()) question.drop();
    this.#asked.clear();
  }

  #take(offset: number, page: PageResult, revision: number): void {
    this.asOf ??= page.revision;
    if (page.total !== null) this.total = page.total;
    for (const row of page.rows) {
      const known = this.#states.get(row.row);
      if (known && known.revision > revision) this.#rows.set(row.row, withState(row, known.state));
      else {
        this.#rows.set(row.row, row);
        this.#states.set(row.row, { state: stateOf(row), revision });
      }
    }
    this.#pages.set(
      offset,
      page.rows.map((row) => row.row),
    );
  }
}
