/** What a view shows at one moment, as plain data: the store makes it, the components draw it. */

import type { Panes } from "../kernel/pane-data";
import type { Filter, Row, Snapshot, Summary } from "../protocol";

export interface ShownRow extends Row {
  /** Whether the kernel has confirmed every decision about it. */
  readonly saved: boolean;
  /** Why its last decision was refused; empty otherwise. */
  readonly problem: string;
  /** Whether it is selected for a decision on several rows. */
  readonly selected: boolean;
}

/** How many rows are selected for one decision. */
export interface Selected {
  /** Every row of the filter is selected, those of other pages too. */
  readonly everything: boolean;
  /** null while the filter is not counted yet. */
  readonly count: number | null;
  /** How much of the page is selected. */
  readonly page: "all" | "some" | "none";
}

export interface State extends Panes {
  readonly snapshot: Snapshot;
  readonly filter: Filter;
  readonly limit: number;
  /** Where the page on screen begins, and the one that was asked for. */
  readonly offset: number;
  readonly wantedOffset: number;
  readonly total: number | null;
  readonly rows: readonly ShownRow[];
  /** The page that the next turn would show; null until this one is painted and that one has come. */
  readonly nextPage: { readonly offset: number; readonly rows: readonly ShownRow[] } | null;
  readonly cursor: number;
  /** Whether a first page has come. */
  readonly hasPage: boolean;
  readonly turning: boolean;
  /** The page that was asked for is late by more than a second. */
  readonly late: boolean;
  /** Why the last page did not come. */
  readonly problem: string;
  /** Whether a refresh could change the order: there are decisions that it does not know. */
  readonly outOfDate: boolean;
  /** The loss of the longest bar. */
  readonly lossScale: number;
  readonly summary: Summary;
  readonly unsaved: number;
  /** Why nothing can be decided; empty where it can. */
  readonly lockReason: string;
  readonly dead: boolean;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  readonly exporting: boolean;
  readonly selected: Selected;
  /** Whether what the model thinks is hidden. */
  readonly blind: boolean;
  /** Whether spaces, line ends and invisible characters are painted. */
  readonly showInvisible: boolean;
  /** What happened last, or what everything waits for. */
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
