/* Written by js/write_messages.py from loss_widget/widget, where these types are declared: change them there. */

import type { Confusion, ErrorsLeft, Facets, LossHistogram, Op, OpResult, PageResult, Preview, Progress, Query, QueryOp, Row, Summary } from "./messages";

export interface Total {
  readonly total: number;
}

export interface Text {
  readonly text: string;
  readonly pair: string | null;
}

export interface Exported {
  readonly path: string;
  readonly rows: number;
}

/** The other rows with the same words, at most `MOST_DUPLICATES` of `total`. */
export interface Duplicates {
  readonly total: number;
  readonly rows: readonly Row[];
}

export interface Decided {
  readonly results: readonly OpResult[];
  readonly summary: Summary;
}

export interface SpotChecked {
  readonly errors_left: ErrorsLeft;
  readonly summary: Summary;
}

export interface LabelAdded {
  readonly label: number;
  readonly label_names: readonly string[];
}

export type Nothing = Record<string, never>;

/** A new file in the kernel's working directory. */
export interface ExportTo {
  /** Without separators, with an ending that can be written; else `corrected.parquet`. */
  readonly name?: string;
}

export interface OfQuery {
  readonly query: Query;
}

export interface OfRow {
  readonly row: number;
}

export interface OfRows {
  readonly rows: readonly number[];
}

export interface Ops {
  readonly ops: readonly (Op | QueryOp)[];
}

/** Draw so many rows at random, or enlarge the existing sample to them; `anew` forgets it. */
export interface Draw {
  readonly rows: number;
  readonly anew: boolean;
}

export interface Name {
  readonly name: string;
}

/** What can be asked: each verb with its arguments and its result. */
export interface Verbs {
  page: { args: OfQuery; result: PageResult };
  count: { args: OfQuery; result: Total };
  decide: { args: Ops; result: Decided };
  text: { args: OfRow; result: Text };
  summary: { args: Nothing; result: Summary };
  export: { args: ExportTo; result: Exported };
  histogram: { args: OfQuery; result: LossHistogram };
  confusion: { args: OfQuery; result: Confusion };
  facets: { args: OfQuery; result: Facets };
  duplicates: { args: OfRow; result: Duplicates };
  preview: { args: OfQuery | OfRows; result: Preview };
  progress: { args: Nothing; result: Progress };
  spot_check: { args: Draw; result: SpotChecked };
  add_label: { args: Name; result: LabelAdded };
}

export const VERBS = ["page", "count", "decide", "text", "summary", "export", "histogram", "confusion", "facets", "duplicates", "preview", "progress", "spot_check", "add_label"] as const satisfies readonly (keyof Verbs)[];
