/** A small, faithful kernel in memory: answers the protocol, keeps a review, can be busy, silent or dead. */

import { afterDecision, rowStateOf } from "../src/kernel/row-state";
import type {
  ErrorsLeft,
  Filter,
  Op,
  OpResult,
  Query,
  QueryOp,
  Reply,
  Request,
  Row,
  RowState,
  Snapshot,
  Summary,
  Verbs,
} from "../src/protocol";
import { confusion, errorsLeft, facets, histogram, progress } from "./fake-panes";
import { type Example, QUIRKS, toRow } from "./fake-rows";

export { FakeAnnouncements, FakeModel } from "./fake-model";
export type { Example };

export interface Setup {
  readonly labels: readonly string[];
  readonly examples: readonly Example[];
  readonly page_size?: number;
  readonly read_only?: string;
  /** Which review it is: kernels of one review take over what another left unanswered. */
  readonly review?: string;
  readonly label_values?: readonly number[];
  readonly provenance?: string;
  readonly in_sample?: boolean;
  readonly columns?: readonly string[];
  readonly takes_new_labels?: boolean;
  readonly text_columns?: readonly string[];
  /** Milliseconds before each answer; 0: in the same task's microtasks. */
  readonly delay?: number;
  /** Page totals come as null at first, as for a slow search. */
  readonly countLater?: boolean;
  readonly cutTextAt?: number;
}

const answered = (result: unknown, rid: string, revision: number): Reply => ({
  rid,
  ok: true,
  revision,
  result,
});

class Refusal extends Error {
  constructor(
    readonly kind: string,
    message: string,
  ) {
    super(message);
  }
}

export class FakeKernel {
  readonly rows: Row[];
  readonly labels: string[];
  revision = 0;
  readonly #files = new Set<string>();
  readOnly: string;
  /** Every request that arrived, copies too. */
  readonly heard: Request[] = [];
  /** Op ids in the order in which they were applied. */
  readonly applied: string[] = [];
  readonly setup: Setup;
  readonly #review: string;
  #seen = new Map<string, OpResult>();
  #orders = new Map<string, readonly number[]>();
  #past: RowState[][] = [];
  #future: RowState[][] = [];
  #reviewed: number[] = [];
  #drawn: { readonly rows: readonly number[]; readonly population: readonly number[] } | null = null;

  constructor(setup: Setup) {
    this.setup = setup;
    this.labels = [...setup.labels];
    this.#review = setup.review ?? String(Math.random());
    this.readOnly = setup.read_only ?? "";
    this.rows = setup.examples.map((example, row) => toRow(example, row, setup.cutTextAt ?? 2_000));
  }

  get snapshot(): Snapshot {
    return {
      version: 1,
      review: this.#review,
      label_names: this.labels,
      label_values: this.setup.label_values ?? this.labels,
      rows: this.rows.length,
      revision: this.revision,
      page_size: this.setup.page_size ?? 20,
      read_only: this.readOnly,
      has_probs: this.rows.some((row) => row.probabilities !== null),
      has_predictions: this.rows.some((row) => row.predicted !== null),
      sorts: [
        { value: "loss", name: "Loss", descending: true },
        { value: "margin", name: "Margin", descending: false },
        { value: "row", name: "Row", descending: false },
      ],
      text_columns: this.setup.text_columns ?? ["text"],
      columns: this.setup.columns ?? [],
      quirks: Object.fromEntries(QUIRKS.map((quirk) => [quirk, `${quirk}, in a sentence`])),
      takes_new_labels: this.setup.takes_new_labels ?? true,
      made: {
        ...{ model: "a model", in_sample: this.setup.in_sample ?? null, folds: null, engine: null },
        ...{ precision: null, device: null, created: null },
      },
      summary: this.summary(),
      provenance: this.setup.provenance ?? "",
    };
  }

  answer(request: Request): Reply {
    this.heard.push(request);
    const { rid } = request;
    try {
      const result = this.#do(request);
      return answered(result, rid, this.revision);
    } catch (error) {
      const kind = error instanceof Refusal ? error.kind : "internal";
      return { rid, ok: false, revision: this.revision, error: { kind, message: (error as Error).message } };
    }
  }

  /** A decision from a cell: nobody in the page asked for it. */
  decideInPython(op: Omit<Op, "op_id" | "from">): void {
    this.#apply({ ...op, op_id: `python-${this.revision}`, from: null });
  }

  summary(): Summary {
    const counts = { relabel: 0, keep: 0, unsure: 0, remove: 0 };
    for (const { verdict } of this.rows) if (verdict) counts[verdict] += 1;
    const wrong = counts.relabel + counts.remove;
    const decidedRows = wrong + counts.keep;
    const precision = decidedRows ? wrong / decidedRows : null;
    return {
      rows: this.rows.length,
      reviewed: decidedRows + counts.unsure,
      ...counts,
      wrong,
      precision,
      precision_last_50: precision,
      judged_last_50: decidedRows,
      errors_left: this.#errorsLeft()?.errors_left ?? null,
      errors_left_interval: this.#errorsLeft()?.errors_left_interval ?? null,
      unmatched: 0,
      can_undo: this.#past.length > 0,
      can_redo: this.#future.length > 0,
    };
  }

  #do(request: Request): unknown {
    const args = request.args as Verbs["page"]["args"] &
      Verbs["decide"]["args"] &
      Verbs["text"]["args"] &
      Verbs["spot_check"]["args"] &
      Verbs["add_label"]["args"];
    switch (request.verb) {
      case "page":
        return this.#page(args.query);
      case "count":
        return { total: this.#order(args.query).length };
      case "decide":
        if (this.readOnly) throw new Refusal("read_only", this.readOnly);
        return { results: args.ops.map((op) => this.#decide(op)), summary: this.summary() };
      case "text": {
        const example = this.setup.examples[args.row];
        return { text: example?.text ?? "", pair: example?.pair ?? null };
      }
      case "summary":
        return this.summary();
      case "export":
        if (args.name && this.#files.has(args.name)) throw new Refusal("input", `There is a file ${args.name} already`);
        if (args.name) this.#files.add(args.name);
        return {
          path: args.name ?? "corrected.parquet",
          rows: this.rows.filter((row) => row.verdict !== "remove").length,
        };
      case "histogram":
        return histogram(this.rows, this.#under({ ...args.query, loss_range: null }));
      case "confusion":
        return confusion(this.#under({ ...args.query, given: null, predicted: null }));
      case "facets":
        return facets((changes) => this.#under({ ...args.query, ...changes }));
      case "duplicates": {
        const text = this.rows[args.row]?.text.toLowerCase();
        const rows = this.rows.filter((row) => row.row !== args.row && row.text.toLowerCase() === text);
        return { total: rows.length, rows: rows.slice(0, 50) };
      }
      case "preview": {
        const { rows: chosen } = request.args as { readonly rows?: readonly number[] };
        const rows = chosen ? chosen.flatMap((id) => this.rows[id] ?? []) : this.#under(args.query);
        const verdicts = { "": 0, relabel: 0, keep: 0, unsure: 0, remove: 0 };
        for (const { verdict } of rows) verdicts[verdict] += 1;
        return { total: rows.length, verdicts, revision: this.revision, rows: rows.slice(0, 10) };
      }
      case "progress":
        return progress(this.rows, this.#some(this.#reviewed), this.#errorsLeft());
      case "spot_check": {
        const free = this.rows.filter(({ given, verdict }) => given !== null && verdict === "");
        const population = (!args.anew && this.#drawn?.population) || free.map(({ row }) => row);
        this.#orders.clear();
        this.#drawn = { population, rows: population.slice(0, args.rows as unknown as number) };
        return { errors_left: this.#errorsLeft(), summary: this.summary() };
      }
      case "add_label":
        if (!this.labels.includes(args.name)) this.labels.push(args.name);
        return { label: this.labels.indexOf(args.name), label_names: [...this.labels] };
      default:
        throw new Refusal("input", `no verb ${request.verb as string}`);
    }
  }

  #page(query: Query): Verbs["page"]["result"] {
    if (query.search_regex && query.search === "(")
      throw new Refusal("input", "The pattern does not close its (");
    const order = this.#order(query);
    const rows = order.slice(query.offset, query.offset + query.limit).flatMap((id) => this.rows[id] ?? []);
    const total = this.setup.countLater ? null : order.length;
    return { offset: query.offset, total, revision: query.as_of ?? this.revision, quirks_known: true, rows };
  }

  #some(ids: readonly number[]): readonly Row[] {
    return ids.flatMap((id) => this.rows[id] ?? []);
  }

  #under(query: Query): readonly Row[] {
    return this.#some(this.#order(query));
  }

  #errorsLeft(): ErrorsLeft | null {
    return this.#drawn && errorsLeft(this.#some(this.#drawn.rows), this.#some(this.#drawn.population));
  }

  /** Worked out once for a filter and a revision, then frozen. */
  #order(query: Query): readonly number[] {
    const { offset: _, limit: __, as_of, ...filter } = query;
    const key = JSON.stringify([filter, as_of ?? this.revision]);
    const known = this.#orders.get(key);
    if (known) return known;
    const sign = filter.descending ? -1 : 1;
    const by = (row: Row) => (filter.sort === "row" ? row.row : (row.loss ?? sign * 1e9));
    const order = this.rows
      .filter((row) => this.#matches(row, filter))
      .sort((a, b) => sign * (by(a) - by(b)) || a.row - b.row)
      .map((row) => row.row);
    this.#orders.set(key, order);
    return order;
  }

  #matches(row: Row, filter: Filter): boolean {
    const named = (id: number | null) => (id === null ? null : this.labels[id]);
    return (
      (filter.given === null || named(row.given) === filter.given) &&
      (filter.predicted === null || named(row.predicted) === filter.predicted) &&
      (filter.verdict === null || row.verdict === filter.verdict) &&
      (!filter.disagreements || row.given !== row.predicted) &&
      (filter.unlabelled === null || (row.given === null) === filter.unlabelled) &&
      (filter.quirk ?? []).every((quirk) => row.quirks.includes(quirk)) &&
      (!filter.spot_check || this.#drawn?.rows.includes(row.row) === true) &&
      (filter.loss_range === null ||
        (row.loss !== null &&
          row.loss >= (filter.loss_range[0] ?? -Infinity) &&
          row.loss <= (filter.loss_range[1] ?? Infinity))) &&
      (filter.search === null || row.text.toLowerCase().includes(filter.search.toLowerCase()))
    );
  }

  #decide(op: Op): OpResult {
    const seen = this.#seen.get(op.op_id);
    if (seen) return seen.ok ? { ...seen, duplicate: true } : seen;
    const result = this.#apply(op);
    this.#seen.set(op.op_id, result);
    return result;
  }

  #apply(op: Op | QueryOp): OpResult {
    const { op_id } = op;
    const chosen = "query" in op ? this.#under(op.query) : this.#some(op.rows);
    const stale = chosen.filter((row, i) => op.from && row.label !== op.from[i]);
    const rows = stale.length < chosen.length ? chosen.filter((row) => !stale.includes(row)) : chosen;
    const refused = (kind: string, message: string): OpResult => ({
      op_id,
      ok: false,
      error: { kind, message },
      rows: rows.map(rowStateOf),
    });
    if ("query" in op && op.count !== chosen.length) return refused("stale", "Another count than previewed");
    if (stale.length > 0 && stale.length === chosen.length)
      return refused("stale", `Row ${op.rows[0]} was changed elsewhere; it is shown as it stands now`);
    let before: RowState[];
    let said: string;
    if (op.kind === "undo" || op.kind === "redo") {
      const [from, to] = op.kind === "undo" ? [this.#past, this.#future] : [this.#future, this.#past];
      const states = from.pop();
      if (!states) {
        const said = `Nothing to ${op.kind}`;
        const nothing = { rows: [], touched: 0, left_alone: 0 };
        return { op_id, ok: true, duplicate: false, ...nothing, revision: this.revision, said };
      }
      before = this.#put(states);
      to.push(before);
      said = `${op.kind === "undo" ? "Undone" : "Redone"}: row ${states[0]?.row}`;
    } else {
      before = this.#put(rows.map((row) => rowStateOf(afterDecision(row, op))));
      this.#past.push(before);
      this.#future = [];
      const name = (id: number | null) => (id === null ? "no label" : this.labels[id]);
      const now = rows.map((row) => this.rows[row.row] ?? row)[0];
      said =
        op.kind === "relabel"
          ? `Row ${op.rows[0]}: ${name(before[0]?.label ?? null)} → ${name(now?.label ?? null)}`
          : `Row ${op.rows[0]}: ${op.kind}`;
    }
    this.revision += 1;
    this.applied.push(op_id);
    const touched = this.#some(before.map(({ row }) => row));
    const left = { touched: touched.length, left_alone: rows === chosen ? 0 : stale.length };
    const states = [...touched, ...(left.left_alone ? stale : [])].slice(0, 200).map(rowStateOf);
    return { op_id, ok: true, duplicate: false, rows: states, ...left, revision: this.revision, said };
  }

  #put(states: readonly RowState[]): RowState[] {
    const before: RowState[] = [];
    for (const state of states) {
      const row = this.rows[state.row];
      if (!row) continue;
      before.push(rowStateOf(row));
      this.rows[state.row] = { ...row, ...state };
      this.#reviewed = this.#reviewed.filter((id) => id !== state.row);
      if (state.verdict) this.#reviewed.push(state.row);
    }
    return before;
  }
}
