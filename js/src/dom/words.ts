/** Numbers and sentences as a person reads them. */

import type { Filter, Summary, Verdict } from "../protocol";

export const count: (n: number) => string = new Intl.NumberFormat("en-US").format;

export const some = (n: number, one: string, many = `${one}s`): string =>
  `${count(n)} ${n === 1 ? one : many}`;

export const someRows = (n: number): string => some(n, "row");

/** What there is to say, side by side. */
export const joined = (parts: readonly (string | false | null | undefined)[], by = " · "): string =>
  parts.filter(Boolean).join(by);

/** The number, or the end of 0 … most that is next to it. */
export const within = (n: number, most: number): number => Math.max(0, Math.min(n, most));

/** How much of the whole, as a length. */
export const share = (part: number, whole: number): string =>
  `${whole > 0 ? ((100 * part) / whole).toFixed(2) : 0}%`;

export const HIDDEN = "Hidden while you review blind.";

export function percent(probability: number | null): string {
  if (probability === null) return "";
  const rounded = Math.round(probability * 100);
  // The kernel sends four digits: what comes as 0 is only very small.
  if (rounded === 0) return "<1 %";
  if (rounded === 100 && probability < 1) return ">99 %";
  return `${rounded} %`;
}

export const loss = (nats: number | null): string => (nats === null ? "–" : nats.toFixed(2));

/** Above every loss: JSON has no infinity. */
export const NO_END = 1e9;

export function lossRange([low, high]: readonly [number, number]): string {
  if (high >= NO_END) return `loss ≥ ${loss(low)}`;
  return low <= 0 ? `loss ≤ ${loss(high)}` : `loss ${loss(low)} to ${loss(high)}`;
}

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

export function reviewed(summary: Summary): string {
  const { rows, reviewed: done, wrong } = summary;
  return joined([
    `${count(done)} of ${someRows(rows)} reviewed`,
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

export interface Chip {
  readonly says: string;
  /** The filter without it. */
  readonly without: Partial<Filter>;
}

export function chips(filter: Filter): readonly Chip[] {
  const { search, given, predicted, verdict, loss_range, quirk } = filter;
  const others = (one: string) => quirk?.filter((other) => other !== one) ?? [];
  const all: readonly (readonly [says: string | false | null, without: Partial<Filter>])[] = [
    [search !== null && `text has “${search}”`, { search: null }],
    [given !== null && `given ${given}`, { given: null }],
    [filter.unlabelled && "no label", { unlabelled: null }],
    [predicted !== null && `predicted ${predicted}`, { predicted: null }],
    [verdict !== null && VERDICT_WORDS[verdict], { verdict: null }],
    [filter.disagreements && "disagreements", { disagreements: false }],
    [loss_range && lossRange(loss_range), { loss_range: null }],
    ...(quirk ?? []).map((one) => [one, { quirk: orNull(others(one)) }] as const),
    [filter.spot_check && "spot check, in the order of the draw", { spot_check: false }],
  ];
  return all.flatMap(([says, without]) => (says ? [{ says, without }] : []));
}

/** No quirk is no filter. */
export const orNull = (quirks: readonly string[]) => (quirks.length > 0 ? quirks : null);

/** The beginning and the end of a name, for names of one family differ in their ends. */
export function shorten(name: string, room: number): string {
  const letters = [...name];
  if (letters.length <= room) return name;
  const end = Math.floor((room - 1) * 0.55);
  return `${letters.slice(0, room - 1 - end).join("")}…${letters.slice(-end).join("")}`;
}
