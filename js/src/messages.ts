/* Written by js/write_messages.py from loss_widget/widget, where these types are declared: change them there. */

/** Of the messages; a request of another version is refused. */
export const VERSION = 1;

/** The longest page, and how many row states the answer to a decision holds. */
export const MOST_ROWS = 200;

/** The most rows in one decision of the grid. */
export const MOST_AT_ONCE = 100_000;

/** Characters of a text in a row, and of a search. */
export const MOST_TEXT = 2_000;

/** Labels with a probability in a row: the most likely ones. */
export const MOST_PROBABILITIES = 150;

/** Characters of a further column in a row. */
export const MOST_COLUMN_TEXT = 200;

/** Duplicates in an answer. */
export const MOST_DUPLICATES = 50;

/** What a reviewer says of a row; "": nothing yet. */
export type Verdict = "" | "relabel" | "keep" | "unsure" | "remove";

export type OpKind = "relabel" | "keep" | "unsure" | "remove" | "clear" | "note" | "undo" | "redo";

/** From, to. */
export type Interval = readonly [number, number];

/** Where the scores came from; every field is null and the model empty where only losses were handed in. */
export interface Made {
  readonly model: string;
  readonly in_sample: boolean | null;
  readonly folds: number | null;
  readonly engine: string | null;
  readonly precision: string | null;
  readonly device: string | null;
  readonly created: string | null;
}

/** A sort order to choose. */
export interface Sort {
  readonly value: string;
  readonly name: string;
  /** What comes first when this order is chosen. */
  readonly descending: boolean;
}

/** How far the review is. */
export interface Summary {
  readonly rows: number;
  readonly reviewed: number;
  readonly relabel: number;
  readonly keep: number;
  readonly unsure: number;
  readonly remove: number;
  /** Relabelled or removed. */
  readonly wrong: number;
  /** Of the rows that are wrong or kept, how many are wrong. */
  readonly precision: number | null;
  /** The same among the last 50 reviewed, without those of a spot check. */
  readonly precision_last_50: number | null;
  /** How many of those are wrong or kept. */
  readonly judged_last_50: number;
  /** null until a spot check says something. */
  readonly errors_left: number | null;
  readonly errors_left_interval: Interval | null;
  /** Rows that were reviewed and are not in this data. */
  readonly unmatched: number;
  readonly can_undo: boolean;
  readonly can_redo: boolean;
}

/** What the model's `snapshot` trait holds: no text of the data, because notebooks save traits. */
export interface Snapshot {
  readonly version: number;
  /** The same for the same rows on the same journal, whichever kernel and widget hold them. */
  readonly review: string;
  /** What rows show ("text"): a kind of loss_widget/data/contents.py. */
  readonly content: string;
  /** What a label is ("one", "set"): a kind of loss_widget/data/label_space.py. */
  readonly labels: string;
  readonly label_names: readonly string[];
  /** The labels as the label column writes them. */
  readonly label_values: readonly (string | number | boolean)[];
  readonly rows: number;
  readonly revision: number;
  readonly page_size: number;
  /** Why nothing can be decided; empty where it can. */
  readonly read_only: string;
  readonly has_probs: boolean;
  readonly has_predictions: boolean;
  readonly sorts: readonly Sort[];
  readonly text_columns: readonly string[];
  /** Further columns of the frame: the names of each row's `columns`. */
  readonly columns: readonly string[];
  /** The data issues of a row and what they mean, in the order of showing. */
  readonly quirks: Readonly<Record<string, string>>;
  readonly takes_new_labels: boolean;
  readonly provenance: string;
  readonly made: Made;
  /** As it was when the widget was made. */
  readonly summary: Summary;
}

/** Which rows, in which order. The offset and the frozen order are added for each page. */
export interface Filter {
  readonly sort: string;
  readonly descending: boolean;
  readonly given: string | null;
  readonly predicted: string | null;
  /** null: any. */
  readonly verdict: Verdict | null;
  readonly disagreements: boolean;
  /** Both ends included; null: an open end, because JSON has no infinity. */
  readonly loss_range: readonly [number | null, number | null] | null;
  readonly search: string | null;
  readonly search_regex: boolean;
  readonly unlabelled: boolean | null;
  /** Rows with all of these quirks. */
  readonly quirk: readonly string[] | null;
  /** Only the rows of the spot check, in the order of the draw whatever `sort` says. */
  readonly spot_check: boolean;
}

/** A page of a filter. */
export interface Query extends Filter {
  readonly offset: number;
  readonly limit: number;
  /** The revision whose order is frozen; null: now. */
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

/** One example. Label ids are positions in `label_names` of the snapshot. */
export interface Row extends RowState {
  /** The hash of its text, as in `widget.changes`. */
  readonly key: string;
  readonly text: string;
  readonly pair: string | null;
  /** Whether `text` or `pair` is only the beginning. */
  readonly text_cut: boolean;
  readonly given: number | null;
  readonly predicted: number | null;
  readonly loss: number | null;
  readonly label_prob: number | null;
  readonly predicted_prob: number | null;
  /** Label and probability, most likely first, at most `MOST_PROBABILITIES`; null without probabilities. */
  readonly probabilities: readonly (readonly [number, number])[] | null;
  readonly note_of_score: string;
  /** Probability of the given label less that of the most likely other one. */
  readonly margin: number | null;
  readonly tokens: number | null;
  readonly unknown_tokens: number | null;
  readonly truncated: boolean | null;
  readonly quirks: readonly string[];
  /** One text for each of the snapshot's `columns`, cut at `MOST_COLUMN_TEXT` characters. */
  readonly columns: readonly string[];
}

export type ProblemKind = "input" | "stale" | "read_only" | "journal" | "internal";

/** Why something was refused. */
export interface Problem {
  readonly kind: ProblemKind;
  readonly message: string;
}

interface _From {
  readonly from: readonly (number | null)[] | null;
}

/** A decision. `from` has the label that each row has as the browser believes; where it has another, the op is stale. */
export interface Op extends _From {
  readonly op_id: string;
  readonly kind: OpKind;
  readonly rows: readonly number[];
  readonly label: number | null;
  readonly note: string | null;
}

/** A verdict on every row of a query; `rows` is empty. Its `as_of` and `count` are what a preview said. */
export interface QueryOp extends Op {
  readonly query: Query;
  readonly count: number;
}

/** The answer to an op that was taken: it is saved. */
export interface OpTaken {
  readonly op_id: string;
  readonly ok: true;
  /** Whether the kernel had seen this op id before. */
  readonly duplicate: boolean;
  /** The first `MOST_ROWS` rows of the op, those left alone last. With more, the page on screen must be asked for again. */
  readonly rows: readonly RowState[];
  readonly touched: number;
  /** Rows that were changed since they were seen. */
  readonly left_alone: number;
  readonly revision: number;
  /** What happened, in a sentence. */
  readonly said: string;
}

/** The answer to an op that was refused: nothing has changed. */
export interface OpRefused {
  readonly op_id: string;
  readonly ok: false;
  readonly error: Problem;
  /** The true states. */
  readonly rows: readonly RowState[];
}

export type OpResult = OpTaken | OpRefused;

/** edges[i] <= loss < edges[i + 1]; the last bin holds the tail. The edges do not depend on the filter. */
export interface LossHistogram {
  readonly edges: readonly number[];
  readonly rows: readonly number[];
  readonly reviewed: readonly number[];
  /** Rows without a loss. */
  readonly missing: number;
}

/** A pair of a given and a predicted label. */
export interface Cell {
  readonly given: number;
  readonly predicted: number;
  readonly rows: number;
  readonly reviewed: number;
  readonly wrong: number;
}

/** The confusion matrix: the largest cells where the labels differ, and those where they agree. */
export interface Confusion {
  readonly cells: readonly Cell[];
  /** Cells where the labels differ, of which `cells` has at most 300. */
  readonly total: number;
  /** Rows in all cells where the labels differ. */
  readonly rows: number;
  readonly diagonal: readonly Cell[];
}

/** How many rows there would be with each filter set. */
export interface Facets {
  readonly rows: number;
  readonly verdicts: Readonly<Record<Verdict, number>>;
  readonly disagreements: number;
  readonly quirks: Readonly<Record<string, number>>;
  /** Quirks that are still being looked for: ask again. */
  readonly pending: readonly string[];
}

/** What a spot check says so far; the last four numbers are null until `needed` is 0. */
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

/** Errors found against rows reviewed, precision by loss, and what a spot check says. */
export interface Progress {
  /** Rows reviewed, and how many of them are wrong. */
  readonly curve: readonly (readonly [number, number])[];
  /** Highest loss first. */
  readonly bands: readonly LossBand[];
  readonly errors_left: ErrorsLeft | null;
}

/** What a decision on many rows would be on. */
export interface Preview {
  readonly total: number;
  readonly verdicts: Readonly<Record<Verdict, number>>;
  readonly revision: number;
  /** The first ten. */
  readonly rows: readonly Row[];
}

/** A slice of the rows of a filter. */
export interface PageResult {
  readonly offset: number;
  /** null: not counted yet, ask `count`. */
  readonly total: number | null;
  /** The frozen order that this page is a slice of. */
  readonly revision: number;
  /** false: some quirks were not looked for yet; ask `facets` until none is pending, and then this page again. */
  readonly quirks_known: boolean;
  readonly rows: readonly Row[];
}
