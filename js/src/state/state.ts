/** What one view shows at one moment; the store makes it, the components draw it. */

import type { Panes } from "../kernel/pane-data";
import type { Filter, Row, Snapshot, Summary } from "../protocol";

export interface ShownRow extends Row {
  /** Whether the kernel has answered every decision about it. */
  readonly saved: boolean;
  /** Why its last decision was refused; empty otherwise. */
  readonly problem: string;
  /** Whether it is one of the rows chosen for one decision. */
  readonly selected: boolean;
}

/** The rows chosen for one decision, counted. */
export interface Selected {
  /** Every row of the filter is chosen, those of other pages too. */
  readonly everything: boolean;
  /** How many rows are chosen; null where nobody has counted the filter yet. */
  readonly count: number | null;
  /** Whether every row of the page is chosen, or none, or some. */
  readonly page: "all" | "some" | "none";
}

export interface State extends Panes {
  readonly snapshot: Snapshot;
  readonly filter: Filter;
  readonly limit: number;
  /** The page on screen, and the one asked for. */
  readonly offset: number;
  readonly goal: number;
  readonly total: number | null;
  readonly rows: readonly ShownRow[];
  /** The page that the next turn would show; null where it is not here, or this one is not yet on screen. */
  readonly ahead: { readonly offset: number; readonly rows: readonly ShownRow[] } | null;
  readonly cursor: number;
  readonly here: boolean;
  readonly turning: boolean;
  /** The page is late by more than a second. */
  readonly late: boolean;
  /** Why the last page did not come. */
  readonly problem: string;
  /** Whether sorting and filtering again could change the order. */
  readonly outOfDate: boolean;
  /** The longest loss bar. */
  readonly lossScale: number;
  readonly summary: Summary;
  readonly unsaved: number;
  /** Why nothing can be decided; empty where it can. */
  readonly locked: string;
  readonly dead: boolean;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  readonly exporting: boolean;
  readonly selected: Selected;
  /** Whether what the model thinks is hidden. */
  readonly blind: boolean;
  /** Whether spaces, line ends and invisible characters are painted. */
  readonly odd: boolean;
  /** What happened last, or what holds things up. */
  readonly status: string;
}

/** Every row. */
export const NO_FILTER = {
  given: null,
  predicted: null,
  verdict: null,
  disagreements: false,
  loss_range: null,
  search: null,
  search_regex: false,
  unlabelled: null,
  quirk: null,
  spot_check: false,
} as const satisfies Partial<Filter>;

/** What a view asks for when it opens. */
export const FIRST_FILTER: Filter = { sort: "loss", descending: true, ...NO_FILTER };
