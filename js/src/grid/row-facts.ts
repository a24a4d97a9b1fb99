/** Why the row under the cursor is where it is, in one line: what the model makes of it, its data issues, its duplicates. */

import { type Make, refill } from "../dom/dom";
import { count, loss, percent, plural } from "../dom/numbers";
import { joined } from "../dom/words";
import { labelName } from "../kernel/row-state";
import type { Row } from "../protocol";
import type { State } from "../state/state";
import type { Store } from "../state/store";
import { quirkChips } from "./quirks";

type Fact = readonly [name: string, value: string];

/** One for each fact that a row can have. */
const SLOTS = [0, 1, 2, 3, 4, 5];

/** `showDuplicates` shows the rows with the same words. */
export function makeFacts(make: Make<State>, store: Store, showDuplicates: (row: Row) => void): HTMLElement {
  const rowOf = ({ rows, cursor }: State) => rows[cursor];
  const duplicateCount = (state: State) => {
    const row = rowOf(state);
    return row ? store.rowDetails.countDuplicates(row) : null;
  };
  let facts: readonly Fact[] = [];
  make.watch((state) => {
    const row = rowOf(state);
    facts = row ? factsOf(row, state) : [];
  });
  // The same elements for every row: a new element would be matched against every style rule of the notebook.
  const list = make(
    "span.facts-list",
    SLOTS.map((i) => fact(make, () => facts[i])),
  );
  const chips = make("span.quirks");
  make.watch(
    (state) => rowOf(state)?.quirks.join(),
    (_, state) => refill(chips, quirkChips(make, rowOf(state)?.quirks ?? [], state.snapshot.quirks)),
  );
  return make(
    ".facts",
    make("b", (state) => `Row ${rowOf(state)?.row}`),
    list,
    chips,
    make(
      "button.duplicates",
      {
        ".away": (state) => !duplicateCount(state),
        onclick() {
          const row = rowOf(store.state);
          if (row) showDuplicates(row);
        },
      },
      (state) => `${plural(duplicateCount(state) ?? 0, "other row")} with the same words`,
    ),
  );
}

/** A name and its value, which may be text of any direction. */
export function fact<S>(make: Make<S>, find: () => Fact | undefined): HTMLElement {
  const part = (i: 0 | 1) => () => find()?.[i] ?? "";
  return make(
    "span.fact",
    { hidden: () => !find(), title: () => find()?.join(" ").trim() },
    make("span.quiet", part(0)),
    " ",
    make("bdi", part(1)),
  );
}

function factsOf(row: Row, state: State): readonly Fact[] {
  const chance = (word: string, label: number | null, probability: number | null) =>
    probability === null ? [] : [[`${word} ${labelName(state, label)}`, percent(probability)] as const];
  const { loss: nats, margin, tokens, unknown_tokens: unknown } = row;
  const read = joined([row.truncated ? "cut" : "", unknown ? `${count(unknown)} unknown` : ""], ", ");
  return [
    ...(nats === null ? [] : [["loss", loss(nats)] as const]),
    ...(row.given === null ? [] : chance("given", row.given, row.label_prob)),
    ...(row.predicted === null ? [] : chance("predicted", row.predicted, row.predicted_prob)),
    ...(margin === null ? [] : [["margin", margin.toFixed(2).replace("-", "−")] as const]),
    ...(tokens === null ? [] : [["tokens", `${count(tokens)}${read && ` (${read})`}`] as const]),
    ...(row.note_of_score ? [[row.note_of_score, ""] as const] : []),
  ];
}
