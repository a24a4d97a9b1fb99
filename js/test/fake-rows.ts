/** Examples as the fake kernel's rows. */

import type { Row } from "../src/protocol";

export interface Example {
  readonly text: string;
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

export function toRow(example: Example, row: number, cutAt: number): Row {
  const { text, pair = null, given, probs } = example;
  const probabilities = probs
    ? probs.map((p, id) => [id, p] as const).sort((a, b) => b[1] - a[1] || a[0] - b[0])
    : null;
  const best = probabilities?.[0];
  const other = probabilities?.find(([id]) => id !== given);
  const label_prob = given === null ? null : (probs?.[given] ?? null);
  const loss = given === null ? null : (example.loss ?? -Math.log(label_prob ?? 1));
  const own = [...(given === null ? ["unlabelled"] : []), ...(text.trim() ? [] : ["empty"])];
  const quirks = new Set([...(example.quirks ?? []), ...own]);
  return {
    ...{
      row,
      key: row.toString(16).padStart(16, "0"),
      text: text.slice(0, cutAt),
      pair,
      text_cut: text.length > cutAt,
      given,
      label: given,
    },
    ...{ predicted: best?.[0] ?? example.predicted ?? null, predicted_prob: best?.[1] ?? null, label_prob },
    ...{ loss, loss_after: loss, verdict: "", note: "", probabilities },
    ...{ tokens: example.tokens ?? null, unknown_tokens: null, truncated: null },
    margin: label_prob !== null && other ? label_prob - other[1] : null,
    quirks: QUIRKS.filter((quirk) => quirks.has(quirk)),
    columns: example.columns ?? [],
    note_of_score: example.note_of_score ?? "",
  };
}
