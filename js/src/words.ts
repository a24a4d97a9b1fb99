/** Numbers and sentences as a person reads them. */

import type { Filter, Summary, Verdict } from "./protocol";

export const count = (n: number): string => n.toLocaleString("en-US");

export const some = (n: number, one: string, many = `${one}s`): string =>
  `${count(n)} ${n === 1 ? one : many}`;

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

export function reviewed(summary: Summary): string {
  const { rows, reviewed: done, wrong, precision_last_50: recent } = summary;
  const parts = [`${count(done)} of ${some(rows, "row")} reviewed`];
  if (done > 0) parts.push(`${count(wrong)} wrong`);
  if (recent !== null && done > 0) parts.push(`last 50: ${percent(recent)} wrong`);
  return parts.join(" · ");
}

export interface Chip {
  readonly says: string;
  /** The filter without it. */
  readonly without: Partial<Filter>;
}

export function chips(filter: Filter): readonly Chip[] {
  const found: Chip[] = [];
  if (filter.search !== null) found.push({ says: `text has “${filter.search}”`, without: { search: null } });
  if (filter.given !== null) found.push({ says: `given ${filter.given}`, without: { given: null } });
  if (filter.unlabelled === true) found.push({ says: "no label", without: { unlabelled: null } });
  if (filter.predicted !== null)
    found.push({ says: `predicted ${filter.predicted}`, without: { predicted: null } });
  if (filter.verdict !== null)
    found.push({ says: VERDICT_WORDS[filter.verdict], without: { verdict: null } });
  if (filter.disagreements) found.push({ says: "disagreements", without: { disagreements: false } });
  if (filter.loss_range !== null)
    found.push({ says: lossRange(filter.loss_range), without: { loss_range: null } });
  for (const quirk of filter.quirk ?? []) {
    const others = filter.quirk?.filter((other) => other !== quirk) ?? [];
    found.push({ says: quirk, without: { quirk: others.length > 0 ? others : null } });
  }
  if (filter.spot_check) found.push({ says: "spot check", without: { spot_check: false } });
  return found;
}
