/** The sentences of the fake kernel, word by word those of the kernel: protocol.test.ts holds them to that. */

import type { ErrorsLeft, OpKind, RowState, Verdict } from "../src/protocol";

const VERDICTS: Readonly<Record<Verdict, (given: string, label: string) => string>> = {
  "": (given) => `${given}, not reviewed`,
  relabel: (given, label) => `${given} → ${label}`,
  keep: (given) => `${given} kept`,
  unsure: (given) => `${given}, unsure`,
  remove: (given) => `${given}, removed`,
};
const ACTS: Readonly<Record<OpKind, string>> = {
  ...{ relabel: "relabelled", keep: "kept", unsure: "unsure", remove: "removed" },
  ...{ clear: "cleared", note: "noted", undo: "undone", redo: "redone" },
};

const many = (n: number): string => new Intl.NumberFormat("en-US").format(n);
export const listing = (rows: readonly number[]): string =>
  `${rows.slice(0, 12).join(", ")}${rows.length > 12 ? ` … and ${rows.length - 12} more` : ""}`;

/** What a decision did. `act`: the kind that was undone or redone; `named` gives the name of a label. */
export function whatHappened(
  op: { readonly kind: OpKind; readonly act: OpKind | "" },
  rows: readonly (RowState & { readonly given: number | null })[],
  counts: { readonly touched: number; readonly left_alone: number },
  named: (id: number | null) => string,
): string {
  const { kind, act } = op;
  const { touched, left_alone } = counts;
  if (left_alone > 0) {
    const were =
      left_alone === 1
        ? "1 row was left alone: it was"
        : `${many(left_alone)} rows were left alone: they were`;
    const rest = { touched, left_alone: 0 };
    return `${touched > 0 ? whatHappened(op, rows, rest, named) : "Nothing changed"}; ${were} changed since`;
  }
  const [row] = rows;
  if (touched === 0 || !row)
    return kind === "undo" || kind === "redo" ? `Nothing to ${kind}` : "Nothing changed";
  if (touched > 1)
    return `${many(touched)} rows: ${ACTS[kind]}${kind === "relabel" ? ` → ${named(row.label)}` : ""}`;
  const turned = { undo: "Undone", redo: "Redone" }[kind as string];
  if (turned && act === "note") return `${turned}: note on row ${row.row}`;
  const state =
    kind === "note"
      ? `note ${row.note ? "saved" : "deleted"}`
      : VERDICTS[row.verdict](named(row.given), named(row.label));
  return `${turned ? `${turned}. ` : ""}Row ${row.row}: ${state}`;
}

export function whatIsLeft(left: Omit<ErrorsLeft, "said">): string {
  const { judged, drawn, needed, unreviewed } = left;
  const next = judged < drawn ? ` Number ${many(judged + 1)} of ${many(drawn)} is next.` : "";
  if (left.errors_left === null || left.errors_left_interval === null) {
    const short = judged + needed > drawn ? " Draw more rows: unsure ones do not count." : "";
    return `Spot check: ${many(needed)} more to judge before it says anything.${next}${short}`;
  }
  const [low, high] = left.errors_left_interval;
  const count = Math.round(left.errors_left);
  const between =
    low >= 1 ? `${many(Math.floor(low))} to ${many(Math.ceil(high))}` : `at most ${many(Math.ceil(high))}`;
  const few = 0.01 * unreviewed;
  const advice =
    high <= few
      ? "At most 1 % of the rest is wrong: you can stop here."
      : low > few
        ? "Go on: there is more to find."
        : "It may be less than 1 % of the rest: spot-check more rows to know, or go on.";
  return (
    `About ${many(count)} ${count === 1 ? "error" : "errors"} left among ${many(unreviewed)} rows not reviewed; ` +
    `with 95 % confidence ${between}. ${advice}${next}`
  );
}
