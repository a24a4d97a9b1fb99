/** The words of the grid: every sentence that a person reads in more than a tooltip, and the names of things. */

import type { Filter, OpKind, Preview, Summary, Verdict } from "../protocol";
import { count, lossRange, plural, pluralRows } from "./numbers";

/** What there is to say, side by side. */
export const joined = (parts: readonly (string | false | null | undefined)[], by = " · "): string =>
  parts.filter(Boolean).join(by);

export const VERDICT_WORDS: Record<Verdict, string> = {
  "": "not reviewed",
  relabel: "relabelled",
  keep: "kept",
  unsure: "unsure",
  remove: "removed",
};

/** Beside the colour, never colour alone. */
export const VERDICT_SIGNS: Record<Verdict, string> = {
  "": "",
  relabel: "",
  keep: "✓",
  unsure: "?",
  remove: "✕",
};

/** What can be decided without a label, with a key each. */
export const ACTS = [
  ["keep", "Keep", "the given label is right (y)"],
  ["unsure", "Unsure", "cannot be decided (u)"],
  ["remove", "Remove", "no label fits, or not an example (x)"],
] as const;

// The state of the view

export const WAITING = "The grid is waiting for the kernel";
export const GONE = "The kernel has stopped: re-run the cell.";
export const NO_ANSWER = "The kernel did not answer this decision; see its log.";
export const HIDDEN = "Hidden while you review blind.";
export const COUNTING = "Counting…";

export const goneWithUnsaved = (decisions: number): string =>
  decisions === 0
    ? GONE
    : `${GONE} ${plural(decisions, "decision is", "decisions are")} not saved yet, and will be then`;

export const kernelBusy = (decisions: number): string =>
  `Not saved yet: kernel busy, ${plural(decisions, "decision")} queued`;

export const PAGE_WAITS = "the page comes when the cell ends";

export const WAITING_FOR_ROWS = `${WAITING}: it shows its rows when the running cell ends.`;

export const noRows = (rowsInAll: number): string =>
  rowsInAll === 0 ? "There are no rows." : "No row matches these filters.";

// What happened last

export const alreadyLabelled = (row: number, label: string): string =>
  `Row ${row} is already labelled ${label}`;

export const NOTHING_TO = { undo: "Nothing to undo", redo: "Nothing to redo" } as const;

export const modelView = (blind: boolean): string =>
  blind ? "Blind: the model's view is hidden" : "The model's view is shown again";

export const EXPORTING = "Exporting the corrected rows…";
export const exported = (path: string, rows: number): string => `Wrote ${path} with ${pluralRows(rows)}`;
export const notExported = (problem: string): string => `Not exported: ${problem}`;

export const spotCheckDrawn = (rows: number): string => `Spot check: ${pluralRows(rows)} drawn at random`;
export const SPOT_CHECK_DONE = "the spot check is done";

// How far the review is

export function reviewed(summary: Summary): string {
  const { rows, reviewed: done, wrong } = summary;
  return joined([
    `${count(done)} of ${pluralRows(rows)} reviewed`,
    done > 0 ? `${count(wrong)} wrong` : "",
    done > 0 ? lately(summary) : "",
  ]);
}

const RECENT = 50;

/** How many of those judged last were wrong: a share only of many. */
export function lately({ precision_last_50: part, judged_last_50: judged }: Summary): string {
  if (part === null) return "";
  const wrong = judged < RECENT ? Math.round(part * judged) : `${Math.round(part * 100)} %`;
  return `last ${judged} judged: ${wrong} wrong`;
}

export const NOTHING_ESTIMATED = "Review a random sample to estimate how many errors are left.";

// Filters

export interface Chip {
  readonly text: string;
  /** Takes this filter off. */
  readonly without: Partial<Filter>;
}

export function chips(filter: Filter): readonly Chip[] {
  const { search, given, predicted, verdict, loss_range, quirk } = filter;
  const others = (one: string) => quirk?.filter((other) => other !== one) ?? [];
  const all: readonly (readonly [text: string | false | null, without: Partial<Filter>])[] = [
    [search !== null && `text has “${search}”`, { search: null }],
    [given !== null && `given ${given}`, { given: null }],
    [filter.unlabelled && "no label", { unlabelled: null }],
    [predicted !== null && `predicted ${predicted}`, { predicted: null }],
    [verdict !== null && VERDICT_WORDS[verdict], { verdict: null }],
    [filter.disagreements && "disagreements", { disagreements: false }],
    [loss_range && lossRange(loss_range), { loss_range: null }],
    ...(quirk ?? []).map((one) => [one, { quirk: nullIfEmpty(others(one)) }] as const),
    [filter.spot_check && "spot check, in the order of the draw", { spot_check: false }],
  ];
  return all.flatMap(([text, without]) => (text ? [{ text, without }] : []));
}

/** An empty list of quirks is no filter. */
export const nullIfEmpty = (quirks: readonly string[]) => (quirks.length > 0 ? quirks : null);

export function rowsLeft(filter: Filter, total: number | null, rowsInAll: number): string {
  const all = pluralRows(rowsInAll);
  if (chips(filter).length === 0) return all;
  return total === null ? `Counting ${all}…` : `${count(total)} of ${all}`;
}

// Decisions on many rows

export const ALL_OF_FILTER = "all rows of this filter";

/** What would be done, as a question's words and a button's: "Keep 25 rows". */
export const actOn: Readonly<
  Record<Exclude<OpKind, "undo" | "redo">, (rows: string, label: string) => string>
> = {
  relabel: (rows, label) => `Give ${rows} the label “${label}”`,
  keep: (rows) => `Keep ${rows}`,
  unsure: (rows) => `Mark ${rows} unsure`,
  remove: (rows) => `Remove ${rows}`,
  clear: (rows) => `Clear the verdicts on ${rows}`,
  note: (rows) => `Write one note on ${rows}`,
};

export const tooManyRows = (most: number): string =>
  `At most ${count(most)} rows can be decided here at once: filter further, or decide in a cell.`;

/** What a decision on these rows would do to verdicts that are there, and how much of them is shown. */
export function describePreview({ total, verdicts, rows }: Preview): string {
  const kinds = (Object.keys(VERDICT_WORDS) as Verdict[]).filter((kind) => kind && verdicts[kind]);
  const before = kinds.map((kind) => `${count(verdicts[kind])} ${VERDICT_WORDS[kind]}`);
  return joined([
    before.length > 0 && `reviewed already: ${joined(before, ", ")}`,
    total > rows.length && `the first ${rows.length} are shown`,
    "one Undo takes it back",
  ]);
}

export const duplicatesFound = (total: number, shown: number): string =>
  `${plural(total, "other row")} with the same words${total > shown ? `, the first ${shown} of them here` : ""}`;

/** The beginning and the end of a name: names of one family differ in their ends. */
export function shorten(name: string, room: number): string {
  const letters = [...name];
  if (letters.length <= room) return name;
  const end = Math.floor((room - 1) * 0.55);
  return `${letters.slice(0, room - 1 - end).join("")}…${letters.slice(-end).join("")}`;
}
