/** A small kernel in memory, faithful to the word: protocol.test.ts holds it to the answers of the real one. */

import { afterDecision, rowStateOf } from "../src/kernel/row-state";
import {
  type ErrorsLeft,
  type Filter,
  MOST_DUPLICATES,
  MOST_ROWS,
  MOST_TEXT,
  type Op,
  type OpKind,
  type OpResult,
  type ProblemKind,
  type Query,
  type QueryOp,
  type Reply,
  type Request,
  type Row,
  type RowState,
  type Snapshot,
  type Summary,
  VERBS,
  VERSION,
  type Verbs,
} from "../src/protocol";
import { confusion, errorsLeft, facets, histogram, progress } from "./fake-panes";
import { type Example, lossOf, QUIRKS, rounded, toRow } from "./fake-rows";
import { listing, whatHappened } from "./fake-words";

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

class Refusal extends Error {
  constructor(
    readonly kind: ProblemKind,
    message: string,
  ) {
    super(message);
  }
}

/** A decision that can be undone or redone: the states that this brings back. */
interface Entry {
  readonly kind: OpKind;
  readonly before: readonly RowState[];
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
  /** The rows of each op that was taken. */
  #taken = new Map<string, readonly number[]>();
  #orders = new Map<string, readonly number[]>();
  #past: Entry[] = [];
  #future: Entry[] = [];
  #reviewed: number[] = [];
  #drawn: { readonly rows: readonly number[]; readonly population: readonly number[] } | null = null;

  constructor(setup: Setup) {
    this.setup = setup;
    this.labels = [...setup.labels];
    this.#review = setup.review ?? String(Math.random());
    this.readOnly = setup.read_only ?? "";
    this.rows = setup.examples.map((example, row) => toRow(example, row, setup.cutTextAt ?? MOST_TEXT));
  }

  get snapshot(): Snapshot {
    return {
      version: 1,
      review: this.#review,
      content: "text",
      labels: "one",
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
      return { rid, ok: true, revision: this.revision, result };
    } catch (error) {
      const kind = error instanceof Refusal ? error.kind : "internal";
      return { rid, ok: false, revision: this.revision, error: { kind, message: (error as Error).message } };
    }
  }

  /** A decision from a cell: nobody in the page asked for it. */
  decideInPython(op: Omit<Op, "op_id" | "from">): void {
    this.#decide({ ...op, op_id: `python-${this.revision}`, from: null });
  }

  summary(): Summary {
    const counts = { relabel: 0, keep: 0, unsure: 0, remove: 0 };
    for (const { verdict } of this.rows) if (verdict) counts[verdict] += 1;
    const wrong = counts.relabel + counts.remove;
    const share = (bad: number, kept: number) => (bad + kept > 0 ? bad / (bad + kept) : null);
    const drawn = new Set(this.#drawn?.rows);
    const recent = this.#some(this.#reviewed.filter((row) => !drawn.has(row)).slice(-50));
    const wrongOfRecent = recent.filter(
      ({ verdict }) => verdict === "relabel" || verdict === "remove",
    ).length;
    const keptOfRecent = recent.filter(({ verdict }) => verdict === "keep").length;
    return {
      rows: this.rows.length,
      reviewed: wrong + counts.keep + counts.unsure,
      ...counts,
      wrong,
      precision: share(wrong, counts.keep),
      precision_last_50: share(wrongOfRecent, keptOfRecent),
      judged_last_50: wrongOfRecent + keptOfRecent,
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
        if (args.name && this.#files.has(args.name))
          throw new Refusal(
            "input",
            `There is a file '${args.name}' already, and the grid never writes over one. Choose another name.`,
          );
        if (args.name) this.#files.add(args.name);
        return {
          path: args.name ?? "corrected.parquet",
          rows: this.rows.filter((row) => row.verdict !== "remove").length,
        };
      case "histogram":
        return histogram(this.rows, this.#under({ ...args.query, loss_range: null }), this.#lossOf);
      case "confusion":
        return confusion(this.#under({ ...args.query, given: null, predicted: null }));
      case "facets":
        return facets((changes) => this.#under({ ...args.query, ...changes }));
      case "duplicates": {
        const text = this.rows[args.row]?.text.toLowerCase();
        const rows = this.rows.filter((row) => row.row !== args.row && row.text.toLowerCase() === text);
        return { total: rows.length, rows: rows.slice(0, MOST_DUPLICATES) };
      }
      case "preview": {
        const { rows: chosen } = request.args as { readonly rows?: readonly number[] };
        const rows = chosen ? chosen.flatMap((id) => this.rows[id] ?? []) : this.#under(args.query);
        const verdicts = { "": 0, relabel: 0, keep: 0, unsure: 0, remove: 0 };
        for (const { verdict } of rows) verdicts[verdict] += 1;
        return { total: rows.length, verdicts, revision: this.revision, rows: rows.slice(0, 10) };
      }
      case "progress":
        return progress(this.rows, this.#some(this.#reviewed), this.#errorsLeft(), this.#lossOf);
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
        throw new Refusal(
          "input",
          `Expected a request of version ${VERSION} with a verb among ${VERBS.join(", ")}, found '${request.verb as string}'.`,
        );
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

  /** Not rounded. */
  readonly #lossOf = ({ row, given }: Row): number | null => {
    const example = this.setup.examples[row];
    return example ? lossOf(example, given) : null;
  };

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
    const by = (row: Row) => (filter.sort === "row" ? row.row : (this.#lossOf(row) ?? sign * 1e9));
    const order = this.rows
      .filter((row) => this.#matches(row, filter))
      .sort((a, b) => sign * (by(a) - by(b)) || a.row - b.row)
      .map((row) => row.row);
    this.#orders.set(key, order);
    return order;
  }

  #matches(row: Row, filter: Filter): boolean {
    const named = (id: number | null) => (id === null ? null : this.labels[id]);
    const loss = this.#lossOf(row);
    return (
      (filter.given === null || named(row.given) === filter.given) &&
      (filter.predicted === null || named(row.predicted) === filter.predicted) &&
      (filter.verdict === null || row.verdict === filter.verdict) &&
      (!filter.disagreements ||
        (row.given !== null && row.predicted !== null && row.given !== row.predicted)) &&
      (filter.unlabelled === null || (row.given === null) === filter.unlabelled) &&
      (filter.quirk ?? []).every((quirk) => row.quirks.includes(quirk)) &&
      (!filter.spot_check || this.#drawn?.rows.includes(row.row) === true) &&
      (filter.loss_range === null ||
        (loss !== null &&
          loss >= (filter.loss_range[0] ?? -Infinity) &&
          loss <= (filter.loss_range[1] ?? Infinity))) &&
      (filter.search === null || row.text.toLowerCase().includes(filter.search.toLowerCase()))
    );
  }

  #decide(op: Op | QueryOp): OpResult {
    const { op_id } = op;
    const before = this.#taken.get(op_id);
    if (before) return this.#answer(op, before, [], { duplicate: true });
    const rows = "query" in op ? this.#under(op.query).map(({ row }) => row) : op.rows;
    const refused = (message: string): OpResult => {
      const states = op.rows.slice(0, MOST_ROWS).map((row) => this.#state(row));
      return { op_id, ok: false, error: { kind: "stale", message }, rows: states };
    };
    if ("query" in op && op.count !== rows.length)
      return refused(
        `Expected ${op.count} rows as in the preview, found ${rows.length} by now. Nothing was decided; look again.`,
      );
    const stale = op.rows.filter((row, i) => op.from && this.rows[row]?.label !== op.from[i]);
    if (stale.length > 0 && stale.length === rows.length)
      return refused(
        `Expected the label that was on screen, found that ${stale.length === 1 ? "row" : "rows"} ${listing(stale)} ` +
          `${stale.length === 1 ? "has" : "have"} another one by now. Look again.`,
      );
    const fresh = rows.filter((row) => !stale.includes(row));
    return this.#apply(op, fresh, stale);
  }

  #apply(op: Op, rows: readonly number[], stale: readonly number[]): OpResult {
    const { kind } = op;
    if (kind !== "undo" && kind !== "redo") {
      const after = this.#some(rows).map((row) => this.#after(row, op));
      if (after.every((state) => isSame(state, this.#state(state.row)))) return this.#answer(op, rows, stale);
      this.#past.push({ kind, before: this.#put(after) });
      this.#future = [];
      return this.#took(op, rows, stale);
    }
    const [from, to] = kind === "undo" ? [this.#past, this.#future] : [this.#future, this.#past];
    const last = from.pop();
    if (!last) return this.#answer(op, [], []);
    to.push({ kind: last.kind, before: this.#put(last.before) });
    return this.#took(
      op,
      last.before.map(({ row }) => row),
      [],
      last.kind,
    );
  }

  #took(op: Op, rows: readonly number[], stale: readonly number[], act: OpKind | "" = ""): OpResult {
    this.revision += 1;
    this.applied.push(op.op_id);
    return this.#answer(op, rows, stale, { act });
  }

  #answer(
    { op_id, kind }: Op,
    rows: readonly number[],
    stale: readonly number[],
    { act = "" as OpKind | "", duplicate = false } = {},
  ): OpResult {
    this.#taken.set(op_id, rows);
    const shown = [...rows, ...stale].slice(0, MOST_ROWS);
    const counts = { touched: rows.length, left_alone: stale.length };
    const named = (id: number | null) => (id === null ? "no label" : (this.labels[id] ?? ""));
    return {
      ...{ op_id, ok: true, duplicate, rows: shown.map((row) => this.#state(row)) },
      ...{ ...counts, revision: this.revision },
      said: whatHappened({ kind, act }, this.#some(shown), counts, named),
    };
  }

  #state(row: number): RowState {
    const [known] = this.#some([row]);
    if (!known) throw new Refusal("input", `There is no row ${row}`);
    return rowStateOf(known);
  }

  /** As the browser guesses it, with the loss as the kernel knows it. */
  #after(row: Row, op: Op): RowState {
    const state = rowStateOf(afterDecision(row, op));
    const example = this.setup.examples[row.row];
    return example ? { ...state, loss_after: rounded(lossOf(example, state.label)) } : state;
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

const isSame = (state: RowState, other: RowState): boolean =>
  state.label === other.label && state.verdict === other.verdict && state.note === other.note;
