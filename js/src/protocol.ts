/** The messages between the grid and the kernel: twin of loss_widget/widget/protocol.py. */

export const VERSION = 1;
/** The kernel refuses a longer note. */
export const LONGEST_NOTE = 2_000;

export const VERDICTS = ["relabel", "keep", "unsure", "remove"] as const;
export type Verdict = "" | (typeof VERDICTS)[number];

/** What the model's `snapshot` trait holds: no dataset text. */
export interface Snapshot {
  readonly version: number;
  /** The same for the same rows on the same journal, whichever kernel and widget hold them. */
  readonly review: string;
  readonly label_names: readonly string[];
  /** The labels as the label column writes them. */
  readonly label_values: readonly (string | number | boolean)[];
  readonly rows: number;
  readonly revision: number;
  readonly page_size: number;
  /** Empty, or a sentence that says why nothing can be decided. */
  readonly read_only: string;
  readonly has_probs: boolean;
  readonly has_predictions: boolean;
  /** `descending`: what comes first when it is chosen. */
  readonly sorts: readonly { readonly value: string; readonly name: string; readonly descending: boolean }[];
  readonly text_columns: readonly string[];
  /** Further columns of the frame: the names of each row's `columns`. */
  readonly columns: readonly string[];
  /** What may be odd about a row, and what that means, in the order of showing. */
  readonly quirks: Readonly<Record<string, string>>;
  readonly takes_new_labels: boolean;
  /** As it was when the widget was made. */
  readonly summary: Summary;
  readonly provenance: string;
  readonly made: Made;
}

/** Where the scores came from; every field is null, the model empty, where only losses were handed in. */
export interface Made {
  readonly model: string;
  readonly in_sample: boolean | null;
  readonly folds: number | null;
  readonly engine: string | null;
  readonly precision: string | null;
  readonly device: string | null;
  readonly created: string | null;
}

/** Which rows, in which order; the offset and the frozen order are added for each page. */
export interface Filter {
  readonly sort: string;
  readonly descending: boolean;
  readonly given: string | null;
  readonly predicted: string | null;
  /** null: any; "": not reviewed yet. */
  readonly verdict: Verdict | null;
  readonly disagreements: boolean;
  /** Both ends included. The kernel takes null for an open end, too. */
  readonly loss_range: readonly [number, number] | null;
  readonly search: string | null;
  readonly search_regex: boolean;
  readonly unlabelled: boolean | null;
  /** Rows with all of these quirks. */
  readonly quirk: readonly string[] | null;
  /** Only the rows of the spot check, in the order of the draw whatever `sort` says. */
  readonly spot_check: boolean;
}

export interface Query extends Filter {
  readonly offset: number;
  readonly limit: number;
  readonly as_of: number | null;
}

/** What a decision can change in a row. */
export interface RowState {
  readonly row: number;
  readonly label: number | null;
  readonly verdict: Verdict;
  readonly note: string;
  readonly loss_after: number | null;
}

/** One example; label ids index `snapshot.label_names`. */
export interface Row extends RowState {
  /** The hash of its text, as in `widget.changes`. */
  readonly key: string;
  readonly text: string;
  readonly pair: string | null;
  readonly text_cut: boolean;
  readonly given: number | null;
  readonly predicted: number | null;
  readonly loss: number | null;
  readonly label_prob: number | null;
  readonly predicted_prob: number | null;
  /** Highest first; every label up to 150, else the first 50; null without probabilities. */
  readonly probabilities: readonly (readonly [label: number, probability: number])[] | null;
  readonly note_of_score: string;
  /** Probability of the given label less that of the best other one. */
  readonly margin: number | null;
  readonly tokens: number | null;
  readonly unknown_tokens: number | null;
  readonly truncated: boolean | null;
  readonly quirks: readonly string[];
  /** One text for each of `snapshot.columns`, cut at 200 characters. */
  readonly columns: readonly string[];
}

export type OpKind = Exclude<Verdict, ""> | "clear" | "note" | "undo" | "redo";

export interface Op {
  readonly op_id: string;
  readonly kind: OpKind;
  readonly rows: readonly number[];
  readonly label: number | null;
  readonly note: string | null;
  /** The label that each row has as the browser believes; a mismatch is refused as stale. */
  readonly from: readonly (number | null)[] | null;
}

/** A verdict on every row of a query; `rows` is empty. Its `as_of` and `count` are what a preview said. */
export interface QueryOp extends Op {
  readonly query: Query;
  readonly count: number;
}

export interface Problem {
  readonly kind: string;
  readonly message: string;
}

export type OpResult =
  | {
      readonly op_id: string;
      readonly ok: true;
      readonly duplicate: boolean;
      /** The first 200 rows that the op was on, those left alone last: with more, what is on screen must be asked for again. */
      readonly rows: readonly RowState[];
      readonly touched: number;
      /** Rows of an op on many that were changed since they were seen. */
      readonly left_alone: number;
      readonly revision: number;
      readonly said: string;
    }
  | {
      readonly op_id: string;
      readonly ok: false;
      readonly error: Problem;
      /** The true states. */
      readonly rows: readonly RowState[];
    };

export interface Summary {
  readonly rows: number;
  readonly reviewed: number;
  readonly relabel: number;
  readonly keep: number;
  readonly unsure: number;
  readonly remove: number;
  readonly wrong: number;
  readonly precision: number | null;
  readonly precision_last_50: number | null;
  readonly judged_last_50: number;
  /** null until a spot check says something. */
  readonly errors_left: number | null;
  readonly errors_left_interval: Interval | null;
  /** Rows that were reviewed and are not in this data. */
  readonly unmatched: number;
  readonly can_undo: boolean;
  readonly can_redo: boolean;
}

export type Interval = readonly [low: number, high: number];

/** edges[i] <= loss < edges[i + 1]; the last bin holds the tail. The edges do not depend on the filter. */
export interface LossHistogram {
  readonly edges: readonly number[];
  readonly rows: readonly number[];
  readonly reviewed: readonly number[];
  readonly missing: number;
}

export interface Cell {
  readonly given: number;
  readonly predicted: number;
  readonly rows: number;
  readonly reviewed: number;
  readonly wrong: number;
}

/** The largest cells where the labels differ, at most 300 of `total`, which have `rows` rows; and those where they agree. */
export interface Confusion {
  readonly cells: readonly Cell[];
  readonly total: number;
  readonly rows: number;
  readonly diagonal: readonly Cell[];
}

/** Rows there would be with each filter set. While some quirks are `pending`, ask again. */
export interface Facets {
  readonly rows: number;
  readonly verdicts: Readonly<Record<Verdict, number>>;
  readonly disagreements: number;
  readonly quirks: Readonly<Record<string, number>>;
  readonly pending: readonly string[];
}

/** What a spot check says so far; the last four are null until `needed` is 0. */
export interface ErrorsLeft {
  readonly drawn: number;
  readonly judged: number;
  readonly wrong: number;
  readonly kept: number;
  readonly needed: number;
  readonly population: number;
  readonly found: number;
  readonly unreviewed: number;
  readonly error_rate: number | null;
  readonly error_rate_interval: Interval | null;
  readonly errors_left: number | null;
  readonly errors_left_interval: Interval | null;
  /** All of it in sentences. */
  readonly said: string;
}

/** low <= loss < high; high null: no end. */
export interface LossBand {
  readonly low: number;
  readonly high: number | null;
  readonly rows: number;
  readonly reviewed: number;
  readonly wrong: number;
  readonly keep: number;
  readonly precision: number | null;
}

export interface Progress {
  readonly curve: readonly (readonly [reviewed: number, wrong: number])[];
  /** Highest loss first. */
  readonly bands: readonly LossBand[];
  readonly errors_left: ErrorsLeft | null;
}

export interface Preview {
  readonly total: number;
  readonly verdicts: Readonly<Record<Verdict, number>>;
  readonly revision: number;
  /** The first ten. */
  readonly rows: readonly Row[];
}

export interface PageResult {
  readonly offset: number;
  /** null: not counted yet, ask `count`. */
  readonly total: number | null;
  /** The frozen order that this page is a slice of. */
  readonly revision: number;
  /** false: rows lack quirks that were not looked for yet; ask `facets` until none is pending, then this page again. */
  readonly quirks_known: boolean;
  readonly rows: readonly Row[];
}

export interface Verbs {
  page: { args: { readonly query: Query }; result: PageResult };
  count: { args: { readonly query: Query }; result: { readonly total: number } };
  decide: {
    args: { readonly ops: readonly (Op | QueryOp)[] };
    result: { readonly results: readonly OpResult[]; readonly summary: Summary };
  };
  text: { args: { readonly row: number }; result: { readonly text: string; readonly pair: string | null } };
  summary: { args: Record<string, never>; result: Summary };
  /** To a new file in the kernel's working directory: `name` has no separators and one of our endings. Without it: corrected.parquet. */
  export: { args: { readonly name?: string }; result: { readonly path: string; readonly rows: number } };
  histogram: { args: { readonly query: Query }; result: LossHistogram };
  confusion: { args: { readonly query: Query }; result: Confusion };
  facets: { args: { readonly query: Query }; result: Facets };
  /** The other rows of the same words, at most 50 of `total`. */
  duplicates: {
    args: { readonly row: number };
    result: { readonly total: number; readonly rows: readonly Row[] };
  };
  preview: { args: { readonly query: Query } | { readonly rows: readonly number[] }; result: Preview };
  progress: { args: Record<string, never>; result: Progress };
  /** Draws so many rows, or lets the draw grow to them; `anew` forgets it. */
  spot_check: {
    args: { readonly rows: number; readonly anew: boolean };
    result: { readonly errors_left: ErrorsLeft; readonly summary: Summary };
  };
  add_label: {
    args: { readonly name: string };
    result: { readonly label: number; readonly label_names: readonly string[] };
  };
}
export type Verb = keyof Verbs;

/** `rid`, never `id`: a string field named id leaks memory in ipykernel 7.4. */
export interface Request<V extends Verb = Verb> {
  readonly v: number;
  readonly rid: string;
  readonly verb: V;
  readonly args: Verbs[V]["args"];
}

export type Reply =
  | { readonly rid: string; readonly ok: true; readonly revision: number; readonly result: unknown }
  | { readonly rid: string; readonly ok: false; readonly revision: number; readonly error: Problem };

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

export const isSnapshot = (value: unknown): value is Snapshot =>
  isObject(value) && Array.isArray(value.label_names) && typeof value.rows === "number";

/** Whether a custom message is an answer of ours; anything else on the comm is ignored. */
export function isReply(message: unknown): message is Reply {
  if (!isObject(message) || typeof message.rid !== "string" || typeof message.revision !== "number")
    return false;
  return typeof message.ok === "boolean" && isObject(message.ok ? message.result : message.error);
}

/** The answers to decisions in a reply, whoever asked; null where it is about something else. */
export function decisionsIn(reply: Reply): Verbs["decide"]["result"] | null {
  if (!reply.ok || !isObject(reply.result) || !Array.isArray(reply.result.results)) return null;
  return reply.result as unknown as Verbs["decide"]["result"];
}
