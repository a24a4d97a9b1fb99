/** The state of a row: what a decision makes of it, and which labels the model suggests. */

import type { Op, Row, RowState, Snapshot } from "../protocol";

/** The row after a decision, as the kernel will have it too. Only the kernel knows what an undo or redo does. */
export function afterDecision(row: Row, { kind, label, note }: Op): Row {
  if (kind === "undo" || kind === "redo") return row;
  if (kind === "note") return { ...row, note: note ?? "" };
  if (kind === "relabel" && label !== row.given)
    return { ...row, label, verdict: kind, loss_after: lossOf(row, label) };
  const verdict = kind === "clear" || kind === "relabel" ? "" : kind;
  return { ...row, verdict, label: row.given, loss_after: row.loss };
}

export const rowStateOf = ({ row, label, verdict, note, loss_after }: Row): RowState => ({
  row,
  label,
  verdict,
  note,
  loss_after,
});

/** The row without anything that the model thinks of it. Hidden here once, it is hidden in every part of the view. */
export function blinded<R extends Row>(row: R): R {
  const unknown = { predicted: null, predicted_prob: null, probabilities: null, label_prob: null };
  return { ...row, ...unknown, loss: null, loss_after: null, margin: null };
}

export function probabilityOf(row: Row, label: number | null): number | null {
  if (label === null) return null;
  const found = row.probabilities?.find(([id]) => id === label);
  if (found) return found[1];
  if (label === row.predicted) return row.predicted_prob;
  return label === row.given ? row.label_prob : null;
}

function lossOf(row: Row, label: number | null): number | null {
  const probability = probabilityOf(row, label);
  return probability !== null && probability > 0 ? -Math.log(probability) : null;
}

/** The labels other than the given one, most likely first: a click and `a` take the first, `s` and `d` the next two. */
export function suggestions(row: Row): readonly number[] {
  const ids = row.probabilities?.map(([id]) => id) ?? (row.predicted === null ? [] : [row.predicted]);
  return ids.filter((id) => id !== row.given);
}

/** Every label with its probability, most likely first. Labels without one follow in the order of their ids. */
export function labelsByProbability(
  row: Pick<Row, "probabilities" | "predicted" | "predicted_prob">,
  count: number,
): readonly (readonly [number, number | null])[] {
  const known: (readonly [number, number | null])[] = [...(row.probabilities ?? [])];
  if (known.length === 0 && row.predicted !== null) known.push([row.predicted, row.predicted_prob]);
  const seen = new Set(known.map(([id]) => id));
  for (let id = 0; id < count; id += 1) if (!seen.has(id)) known.push([id, null]);
  return known;
}

/** The name of a label; null: no label. */
export const labelName = ({ snapshot }: { readonly snapshot: Snapshot }, id: number | null): string | null =>
  id === null ? null : (snapshot.label_names[id] ?? "");

/** Whether other rows have the same words. */
export const isDuplicate = ({ quirks }: Row): boolean =>
  quirks.some((quirk) => quirk.endsWith(" duplicates"));
