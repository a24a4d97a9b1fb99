/** Examples as the fake kernel's rows. */

import { MOST_COLUMN_TEXT, MOST_PROBABILITIES, type Row } from "../src/protocol";

export interface Example {
  readonly text: string;
  /** Else the row's number. */
  readonly key?: string;
  readonly pair?: string | null;
  readonly given: number | null;
  /** One a label; null: no probabilities, then `predicted` and `loss`. */
  readonly probs: readonly number[] | null;
  readonly predicted?: number;
  readonly loss?: number;
  readonly note_of_score?: string;
  readonly quirks?: readonly string[];
  readonly columns?: readonly string[];
  readonly tokens?: number;
}

export const QUIRKS = [
  "conflicting duplicates",
  "exact duplicates",
  "truncated",
  "unknown tokens",
  "markup",
  "other script",
  "empty",
  "unlabelled",
] as const;

/** As the kernel sends numbers. */
export const rounded = (value: number | null): number | null =>
  value === null ? null : Math.round(value * 10_000) / 10_000;

/** The loss that an example would have with this label; null where that is not known. */
export function lossOf({ given, probs, loss }: Example, label: number | null): number | null {
  if (label === null) return null;
  if (label === given && loss !== undefined) return loss;
  const probability = probs?.[label];
  return probability === undefined ? null : -Math.log(probability) + 0;
}

export function toRow(example: Example, row: number, cutAt: number): Row {
  const { text, pair = null, given, probs, columns = [] } = example;
  const ranked = probs
    ? probs.map((p, id) => [id, p] as const).sort((a, b) => b[1] - a[1] || a[0] - b[0])
    : null;
  const best = ranked?.[0];
  const other = ranked?.find(([id]) => id !== given);
  const label_prob = given === null ? null : (probs?.[given] ?? null);
  const loss = rounded(lossOf(example, given));
  const own = [...(given === null ? ["unlabelled"] : []), ...(text.trim() ? [] : ["empty"])];
  const quirks = new Set([...(example.quirks ?? []), ...own]);
  return {
    ...{ row, key: example.key ?? row.toString(16).padStart(16, "0") },
    ...{ text: text.slice(0, cutAt), pair, text_cut: text.length > cutAt },
    ...{ given, label: given, predicted: best?.[0] ?? example.predicted ?? null },
    ...{ predicted_prob: rounded(best?.[1] ?? null), label_prob: rounded(label_prob) },
    probabilities: ranked?.slice(0, MOST_PROBABILITIES).map(([id, p]) => [id, rounded(p) ?? 0]) ?? null,
    ...{ loss, loss_after: loss, verdict: "", note: "" },
    ...{ tokens: example.tokens ?? null, unknown_tokens: null, truncated: null },
    margin: label_prob !== null && other ? rounded(label_prob - other[1]) : null,
    quirks: QUIRKS.filter((quirk) => quirks.has(quirk)),
    columns: columns.map((value) => value.slice(0, MOST_COLUMN_TEXT)),
    note_of_score: example.note_of_score ?? "",
  };
}
