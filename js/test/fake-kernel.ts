/** A small, faithful kernel in memory: answers the protocol, keeps a review, can be busy, silent or dead. */

import type { Model } from "../src/kernel";
import type {
  Filter,
  Op,
  OpResult,
  Query,
  Reply,
  Request,
  Row,
  RowState,
  Snapshot,
  Summary,
  Verbs,
} from "../src/protocol";
import { decided, stateOf, withState } from "../src/standing";

export interface Example {
  readonly text: string;
  readonly pair?: string | null;
  readonly given: number | null;
  /** One a label; null: no probabilities, then `predicted` and `loss`. */
  readonly probs: readonly number[] | null;
  readonly predicted?: number;
  readonly loss?: number;
  readonly note_of_score?: string;
}

export interface Setup {
  readonly labels: readonly string[];
  readonly examples: readonly Example[];
  readonly page_size?: number;
  readonly read_only?: string;
  readonly provenance?: string;
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
  readonly labels: readonly string[];
  revision = 0;
  readOnly: string;
  /** Every request that arrived, copies too. */
  readonly heard: Request[] = [];
  /** Op ids in the order in which they were applied. */
  readonly applied: string[] = [];
  readonly setup: Setup;
  #seen = new Map<string, OpResult>();
  #orders = new Map<string, readonly number[]>();
  #past: RowState[][] = [];
  #future: RowState[][] = [];

  constructor(setup: Setup) {
    this.setup = setup;
    this.labels = setup.labels;
    this.readOnly = setup.read_only ?? "";
    this.rows = setup.examples.map((example, row) => toRow(example, row, setup.cutTextAt ?? 2_000));
  }

  get snapshot(): Snapshot {
    return {
      version: 1,
      label_names: this.labels,
      rows: this.rows.length,
      revision: this.revision,
      page_size: this.setup.page_size ?? 20,
      read_only: this.readOnly,
      has_probs: this.rows.some((row) => row.probabilities !== null),
      sorts: [
        { value: "loss", name: "Loss" },
        { value: "margin", name: "Margin" },
        { value: "row", name: "Row" },
      ],
      text_columns: ["text"],
      columns: [],
      reviewed: this.summary().reviewed,
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
      can_undo: this.#past.length > 0,
      can_redo: this.#future.length > 0,
    };
  }

  #do(request: Request): unknown {
    const args = request.args as Verbs["page"]["args"] & Verbs["decide"]["args"] & Verbs["text"]["args"];
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
        return {
          path: "corrected.parquet",
          rows: this.rows.filter((row) => row.verdict !== "remove").length,
        };
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
    return { offset: query.offset, total, revision: query.as_of ?? this.revision, rows };
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

  #apply(op: Op): OpResult {
    const { op_id } = op;
    const rows = op.rows.flatMap((id) => this.rows[id] ?? []);
    const refused = (kind: string, message: string): OpResult => ({
      op_id,
      ok: false,
      error: { kind, message },
      rows: rows.map(stateOf),
    });
    if (op.from && rows.some((row, i) => row.label !== op.from?.[i]))
      return refused("stale", `Row ${op.rows[0]} was changed elsewhere; it is shown as it stands now`);
    let before: RowState[];
    let said: string;
    if (op.kind === "undo" || op.kind === "redo") {
      const [from, to] = op.kind === "undo" ? [this.#past, this.#future] : [this.#future, this.#past];
      const states = from.pop();
      if (!states) {
        const said = `Nothing to ${op.kind}`;
        return { op_id, ok: true, duplicate: false, rows: [], revision: this.revision, said };
      }
      before = this.#put(states);
      to.push(before);
      said = `${op.kind === "undo" ? "Undone" : "Redone"}: row ${states[0]?.row}`;
    } else {
      before = this.#put(rows.map((row) => stateOf(decided(row, op))));
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
    const states = before.flatMap(({ row }) => this.rows[row] ?? []).map(stateOf);
    return { op_id, ok: true, duplicate: false, rows: states, revision: this.revision, said };
  }

  #put(states: readonly RowState[]): RowState[] {
    const before: RowState[] = [];
    for (const state of states) {
      const row = this.rows[state.row];
      if (!row) continue;
      before.push(stateOf(row));
      this.rows[state.row] = withState(row, state);
    }
    return before;
  }
}

function toRow(example: Example, row: number, cutAt: number): Row {
  const { text, pair = null, given, probs } = example;
  const probabilities = probs
    ? probs.map((p, id) => [id, p] as const).sort((a, b) => b[1] - a[1] || a[0] - b[0])
    : null;
  const best = probabilities?.[0];
  const label_prob = given === null ? null : (probs?.[given] ?? null);
  const loss = given === null ? null : (example.loss ?? -Math.log(label_prob ?? 1));
  return {
    ...{ row, text: text.slice(0, cutAt), pair, text_cut: text.length > cutAt, given, label: given },
    ...{ predicted: best?.[0] ?? example.predicted ?? null, predicted_prob: best?.[1] ?? null, label_prob },
    ...{ loss, loss_after: loss, verdict: "", note: "", probabilities },
    note_of_score: example.note_of_score ?? "",
  };
}

type Callback = (...args: unknown[]) => void;

/** The tiny second widget on whose comm Python tells what it did. */
export class FakeAnnouncements {
  readonly #callbacks = new Map<string, Set<Callback>>();
  readonly #kernel: FakeKernel;

  constructor(kernel: FakeKernel) {
    this.#kernel = kernel;
  }

  get(name: string): unknown {
    const { revision, readOnly: read_only, snapshot } = this.#kernel;
    return { revision, read_only, snapshot }[name];
  }

  on(event: string, callback: Callback): void {
    this.#callbacks.set(event, (this.#callbacks.get(event) ?? new Set()).add(callback));
  }

  off(event: string, callback: Callback): void {
    this.#callbacks.get(event)?.delete(callback);
  }

  tell(name: "revision" | "read_only" | "snapshot"): void {
    for (const callback of this.#callbacks.get(`change:${name}`) ?? []) callback();
  }
}

/** Stands in for anywidget's model: what any view sends goes to the kernel, what it answers to every view. */
export class FakeModel implements Model {
  readonly kernel: FakeKernel;
  readonly announcements: FakeAnnouncements;
  readonly widget_manager: { get_model(id: string): Promise<Model> };
  /** A busy kernel hears nothing until `release`. */
  busy = false;
  dead = false;
  /** How many of the next answers get lost on their way. */
  lose = 0;
  readonly #id: string;
  readonly #callbacks = new Map<string, Set<Callback>>();
  readonly #held: Request[] = [];

  constructor(kernel: FakeKernel, id = "1") {
    this.kernel = kernel;
    this.#id = id;
    this.announcements = new FakeAnnouncements(kernel);
    this.widget_manager = { get_model: async () => this.announcements as unknown as Model };
  }

  get(name: string): unknown {
    if (name === "snapshot") return this.kernel.snapshot;
    return name === "announcements" ? `IPY_MODEL_${this.#id}` : undefined;
  }

  on(event: string, callback: Callback): void {
    this.#callbacks.set(event, (this.#callbacks.get(event) ?? new Set()).add(callback));
  }

  off(event: string, callback: Callback): void {
    this.#callbacks.get(event)?.delete(callback);
  }

  listeners(): number {
    return [...this.#callbacks.values()].reduce((sum, callbacks) => sum + callbacks.size, 0);
  }

  send(content: unknown): void {
    if (this.dead) throw new Error("Cannot send");
    const request = structuredClone(content) as Request;
    if (this.busy) this.#held.push(request);
    else this.#answer(request);
  }

  /** The running cell ends: everything that waited is answered, in order. */
  release(): void {
    this.busy = false;
    for (const request of this.#held.splice(0)) this.#answer(request);
  }

  die(): void {
    this.dead = true;
    this.emit("comm_live_update");
  }

  emit(event: string, ...args: unknown[]): void {
    for (const callback of [...(this.#callbacks.get(event) ?? [])]) callback(...args);
  }

  #answer(request: Request): void {
    const reply = structuredClone(this.kernel.answer(request));
    if (this.lose > 0) {
      this.lose -= 1;
      return;
    }
    const tell = () => this.emit("msg:custom", reply, []);
    const { delay = 0 } = this.kernel.setup;
    if (delay > 0) setTimeout(tell, delay);
    else queueMicrotask(tell);
  }
}
