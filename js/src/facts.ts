/** Why the row under the cursor is where it is: what the model makes of it, and what is odd about it, in one line. */

import { type Maker, make, makeButton, setText } from "./dom";
import type { Row } from "./protocol";
import { quirkChips } from "./quirks";
import type { State } from "./state";
import { count, loss, percent, some } from "./words";

export interface FactsActs {
  twinsOf(row: Row): number | null;
  /** Shows the rows of the same words. */
  showTwins(row: Row): void;
}

export interface Facts {
  readonly el: HTMLElement;
  show(state: State, row: Row): void;
}

export function makeFacts(maker: Maker, acts: FactsActs): Facts {
  const title = make(maker, "b");
  const list = make(maker, "span", { class: "lw-facts-list" });
  const chips = make(maker, "span", { class: "lw-quirks" });
  const twins = makeButton(maker, { class: "lw-twins" }, "", () => row && acts.showTwins(row));
  const el = make(maker, "div", { class: "lw-facts" }, [title, list, chips, twins]);
  let row: Row | null = null;
  let drawn = "";

  function show({ snapshot }: State, now: Row): void {
    row = now;
    setText(title, `Row ${row.row}`);
    const facts = factsOf(row, snapshot.label_names);
    const key = JSON.stringify([facts, row.quirks]);
    if (key !== drawn) {
      drawn = key;
      list.replaceChildren(
        ...facts.map(([name, value]) =>
          make(maker, "span", { class: "lw-fact", title: `${name} ${value}`.trim() }, [
            make(maker, "span", { class: "lw-quiet" }, [name]),
            value === "" ? "" : ` ${value}`,
          ]),
        ),
      );
      chips.replaceChildren(...quirkChips(maker, row.quirks));
    }
    const others = acts.twinsOf(row);
    twins.classList.toggle("lw-away", !others);
    if (others) setText(twins, `${some(others, "other row")} of the same words`);
  }

  return { el, show };
}

function factsOf(row: Row, names: readonly string[]): readonly (readonly [name: string, value: string])[] {
  const chance = (word: string, label: number | null, probability: number | null) =>
    label === null || probability === null
      ? []
      : [[`${word} ${names[label] ?? ""}`, percent(probability)] as const];
  const { loss: nats, margin, tokens, unknown_tokens: unknown } = row;
  const read = [row.truncated ? "cut" : "", unknown ? `${count(unknown)} unknown` : ""].filter(Boolean);
  return [
    ...(nats === null ? [] : [["loss", loss(nats)] as const]),
    ...(row.given === null ? [["no label", ""] as const] : chance("given", row.given, row.label_prob)),
    ...chance("predicted", row.predicted, row.predicted_prob),
    ...(margin === null ? [] : [["margin", margin.toFixed(2).replace("-", "−")] as const]),
    ...(tokens === null
      ? []
      : [["tokens", `${count(tokens)}${read.length > 0 ? ` (${read.join(", ")})` : ""}`] as const]),
    ...(row.note_of_score ? [[row.note_of_score, ""] as const] : []),
  ];
}
