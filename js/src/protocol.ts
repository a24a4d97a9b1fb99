/** The messages between the grid and the kernel: twin of loss_widget/widget/protocol.py. */

export const VERSION = 1;

export const VERDICTS = ["relabel", "keep", "unsure", "remove"] as const;
export type Verdict = "" | (typeof VERDICTS)[number];

/** What the model's `snapshot` trait holds: no dataset text. */
export interface Snapshot {
  readonly version: number;
  readonly label_names: readonly string[];
  readonly rows: number;
  readonly revision: number;
  readonly page_size: number;
  /** Empty, or a sentence that says why nothing can be decided. */
  readonly read_only: string;
  readonly has_probs: boolean;
  readonly sorts: readonly { readonly value: string; readonly name: string }[];
  readonly text_columns: readonly string[];
  readonly columns: readonly string[];
  readonly reviewed: number;
  readonly provenance: string;
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
  readonly loss_range: readonly [number, number] | null;
  readonly search: string | null;
  readonly search_regex: boolean;
  readonly unlabelled: boolean | null;
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

export interface Problem {
  readonly kind: string;
  readonly message: string;
}

export type OpResult =
  | {
      readonly op_id: string;
      readonly ok: true;
      readonly duplicate: boolean;
      readonly rows: readonly RowState[];
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
  readonly can_undo: boolean;
  readonly can_redo: boolean;
}

export interface PageResult {
  readonly offset: number;
  /** null: not counted yet, ask `count`. */
  readonly total: number | null;
  /** The frozen order that this page is a slice of. */
  readonly revision: number;
  readonly rows: readonly Row[];
}

export interface Verbs {
  page: { args: { readonly query: Query }; result: PageResult };
  count: { args: { readonly query: Query }; result: { readonly total: number } };
  decide: {
    args: { readonly ops: readonly Op[] };
    result: { readonly results: readonly OpResult[]; readonly summary: Summary };
  };
  text: { args: { readonly row: number }; result: { readonly text: string; readonly pair: string | null } };
  summary: { args: Record<string, never>; result: Summary };
  export: { args: Record<string, never>; result: { readonly path: string; readonly rows: number } };
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
  return message.ok === true ? isObject(message.result) : message.ok === false && isObject(message.error);
}

/** The answers to decisions in a reply, whoever asked; null where it is about something else. */
export function decisionsIn(reply: Reply): Verbs["decide"]["result"] | null {
  if (!reply.ok || !isObject(reply.result) || !Array.isArray(reply.result.results)) return null;
  return reply.result as unknown as Verbs["decide"]["result"];
}
