/** One row slot of the grid: made once, refilled for every page. */

import { Clicks } from "./clicks";
import { type Maker, make, makeButton, setAttribute, setOff, setText } from "./dom";
import { type Room, showName } from "./name";
import type { OpKind } from "./protocol";
import { quirkChips } from "./quirks";
import { lookOf, makeSeen } from "./seen";
import { probabilityOf, suggestions } from "./standing";
import type { ShownRow, State } from "./state";
import { loss, percent, VERDICT_SIGNS, VERDICT_WORDS } from "./words";

export interface RowActs {
  point(index: number): void;
  toggle(row: number): void;
  decide(kind: OpKind, row: number): void;
  choose(row: number, anchor: HTMLElement): void;
  /** Takes the row into the choice for one decision, or out of it. */
  select(row: number): void;
  /** Chooses every row from the last one chosen, else the cursor, up to this one. */
  selectTo(row: number): void;
}

export interface RowSlot {
  readonly el: HTMLElement;
  readonly labelCell: HTMLElement;
  /** The label and the predicted cell, for measuring how long a name may be. */
  readonly cells: readonly [HTMLElement, HTMLElement];
  show(state: State, row: ShownRow | null, room: Room): void;
}

const BUTTONS = [
  { kind: "keep", name: "Keep", face: "✓", tip: "Keep: the given label is right (y)" },
  { kind: "unsure", name: "Unsure", face: "?", tip: "Unsure: cannot be decided (u)" },
  { kind: "remove", name: "Remove", face: "✕", tip: "Remove: no label fits, or not an example (x)" },
] as const;
/** Characters that stand beside a name: a sign, an arrow, "click → " in smaller type; and how bold type is wider. */
const SIGN = 2;
const ARROW = 3;
const CLICK = 7;
const BOLD = 0.9;

export function makeRow(maker: Maker, index: number, acts: RowActs): RowSlot {
  const { signal } = maker;
  let current: ShownRow | null = null;

  const number = make(maker, "span", { class: "lw-number" });
  const after = make(maker, "span", { class: "lw-after" });
  const noted = make(maker, "span", { class: "lw-noted" }, ["ⓘ"]);
  const before = make(maker, "i", { class: "lw-bar-before" });
  const now = make(maker, "i", { class: "lw-bar-now" });
  const bar = make(maker, "div", { class: "lw-bar", "aria-hidden": "true" }, [before, now]);
  const text = make(maker, "div", { class: "lw-words", dir: "auto" });
  const pair = make(maker, "div", { class: "lw-words", dir: "auto" });
  const seeText = makeSeen(maker, text);
  const seePair = makeSeen(maker, pair);
  const given = make(maker, "span", { class: "lw-name", dir: "auto" });
  const sign = make(maker, "span", { class: "lw-sign", "aria-hidden": "true" });
  const restore = make(maker, "span", { class: "lw-hint" }, ["↩ click restores"]);
  const arrow = make(maker, "span", { class: "lw-quiet" }, ["→ "]);
  const chosen = make(maker, "span", { class: "lw-name lw-chosen", dir: "auto" });
  const givenProbability = make(maker, "span", { class: "lw-quiet lw-rest" });
  const hinted = make(maker, "span", { class: "lw-name", dir: "auto" });
  const hint = make(maker, "span", { class: "lw-hint lw-ghost" }, ["click → ", hinted]);
  const predicted = make(maker, "div", { class: "lw-name lw-line", dir: "auto" });
  const probability = make(maker, "span", { class: "lw-quiet" });
  const quirks = make(maker, "span", { class: "lw-quirks" });
  let quirky = "";
  const word = make(maker, "div", { class: "lw-word lw-quiet" });

  const buttons = BUTTONS.map(({ kind, name, face, tip }) =>
    makeButton(
      maker,
      { "aria-label": name, title: tip, tabindex: "-1", class: `lw-${kind}` },
      face,
      (event) => {
        event.stopPropagation();
        if (!current || event.detail > 1) return;
        acts.point(index);
        acts.decide(kind, current.row);
        el.focus({ preventScroll: true });
      },
    ),
  );
  const box = make(maker, "input", { type: "checkbox", tabindex: "-1" });
  const cell = (column: string, children: readonly Node[]) =>
    make(maker, "div", { role: "gridcell", "data-column": column, class: `lw-cell lw-${column}` }, children);
  const line = (children: readonly Node[]) => make(maker, "div", { class: "lw-line" }, children);
  const labelCell = cell("label", [
    line([given, sign, restore]),
    line([arrow, chosen, givenProbability, hint]),
  ]);
  const predictedCell = cell("predicted", [predicted, line([probability, quirks])]);
  const verdictCell = cell("verdict", [make(maker, "div", { class: "lw-buttons" }, buttons), word]);
  const selectCell = cell("select", [box]);
  const el = make(maker, "div", { class: "lw-row", tabindex: "-1" }, [
    selectCell,
    cell("loss", [make(maker, "div", { class: "lw-line" }, [number, after, noted]), bar]),
    cell("text", [text, pair]),
    labelCell,
    predictedCell,
    verdictCell,
  ]);

  const clicks = new Clicks(el, signal);
  el.addEventListener("focus", () => acts.point(index), { signal });
  // The row keeps the focus when one of its buttons is pressed, so that the keys go on working.
  verdictCell.addEventListener("mousedown", (event) => event.preventDefault(), { signal });
  verdictCell.addEventListener("click", (event) => event.stopPropagation(), { signal });
  // The box and all around it; the row is drawn from what is chosen, not from what the box thinks.
  selectCell.addEventListener("mousedown", (event) => event.preventDefault(), { signal });
  selectCell.addEventListener(
    "click",
    (event) => {
      event.stopPropagation();
      if (current) choose(current.row, clicks.chooses(event) ?? "also");
    },
    { signal },
  );
  // A click with Shift would select the text in between.
  el.addEventListener("mousedown", (event) => event.shiftKey && event.preventDefault(), { signal });
  function choose(row: number, how: "up to" | "also"): void {
    if (how === "up to") acts.selectTo(row);
    else acts.select(row);
    acts.point(index);
    el.focus({ preventScroll: true });
  }
  labelCell.addEventListener(
    "click",
    (event) => {
      if (clicks.chooses(event)) return;
      event.stopPropagation();
      if (!current || clicks.isNotOne(event)) return;
      acts.point(index);
      acts.choose(current.row, labelCell);
    },
    { signal },
  );
  el.addEventListener(
    "click",
    (event) => {
      if (!current) return;
      const how = clicks.chooses(event);
      if (how) return choose(current.row, how);
      if (clicks.isNotOne(event)) return;
      acts.point(index);
      acts.toggle(current.row);
    },
    { signal },
  );

  function show(state: State, row: ShownRow | null, room: Room): void {
    current = row;
    setAttribute(el, "role", row ? "row" : null);
    el.classList.toggle("lw-unused", row === null);
    const cursor = row !== null && index === state.cursor;
    el.classList.toggle("lw-cursor", cursor);
    el.tabIndex = cursor ? 0 : -1;
    const name = (id: number | null) => (id === null ? "" : (state.snapshot.label_names[id] ?? ""));
    setAttribute(el, "data-row", row && String(row.row));
    setAttribute(el, "aria-rowindex", row && String(state.offset + index + 2));
    setAttribute(el, "data-verdict", row?.verdict ?? null);
    setAttribute(el, "data-label", row && name(row.label));
    setAttribute(el, "data-saved", row && String(row.saved));
    setAttribute(el, "aria-selected", row && String(state.bulk.has(row.row)));
    if (!row) return;

    box.checked = state.bulk.has(row.row);
    setAttribute(box, "aria-label", `Select row ${row.row}`);
    const relabelled = row.verdict === "relabel";
    setText(number, loss(row.loss));
    setText(after, relabelled && row.loss_after !== null ? ` → ${loss(row.loss_after)}` : "");
    noted.hidden = row.note_of_score === "";
    noted.title = row.note_of_score;
    before.style.width = barWidth(row.loss, state);
    now.style.width = barWidth(relabelled ? row.loss_after : row.loss, state);
    const look = lookOf(state);
    seeText(row.text, look);
    seePair(row.pair ?? "", look);
    const [first = "", second = ""] = row.pair === null ? [] : state.snapshot.text_columns;
    setAttribute(text, "data-name", first || null);
    setAttribute(pair, "data-name", second || null);
    el.classList.toggle("lw-paired", row.pair !== null);
    showName(
      given,
      row.given === null ? "no label" : name(row.given),
      Math.floor((room.label - SIGN) * (row.verdict === "keep" ? BOLD : 1)),
    );
    given.classList.toggle("lw-none", row.given === null);
    setText(sign, VERDICT_SIGNS[row.verdict]);
    restore.hidden = !relabelled || state.locked !== "";
    arrow.hidden = !relabelled;
    chosen.hidden = !relabelled;
    showName(chosen, relabelled ? name(row.label) : "", Math.floor((room.label - ARROW) * BOLD));
    labelCell.title = `${[given.textContent, chosen.textContent].filter(Boolean).join(" → ")}\nClick to choose another label (Enter)`;
    setText(givenProbability, relabelled ? "" : percent(row.label_prob));
    const offered = !relabelled && !state.locked;
    hint.hidden = !offered;
    showName(hinted, offered ? hintFor(row, name) : "", room.label - CLICK);
    el.classList.toggle("lw-hinted", offered);
    showName(predicted, name(row.predicted), room.predicted);
    predicted.title = name(row.predicted);
    setText(probability, row.problem || percent(row.predicted_prob));
    probability.title = row.problem;
    probability.classList.toggle("lw-problem", row.problem !== "");
    el.classList.toggle("lw-agrees", row.predicted === row.given);
    // Without a label the label cell says so already.
    const odd = row.quirks.filter((quirk) => quirk !== "unlabelled");
    if (odd.join() !== quirky) {
      quirky = odd.join();
      quirks.replaceChildren(...quirkChips(maker, odd));
    }
    setText(word, (row.verdict ? VERDICT_WORDS[row.verdict] : "") + (row.note ? " ✎" : ""));
    word.title = row.note;
    buttons.forEach((button, i) => {
      setAttribute(button, "aria-pressed", String(row.verdict === BUTTONS[i]?.kind));
      setOff(button, state.locked !== "");
    });
  }

  return { el, labelCell, cells: [labelCell, predictedCell], show };
}

const barWidth = (nats: number | null, { lossScale }: State): string =>
  `${Math.min(100, (100 * (nats ?? 0)) / lossScale).toFixed(1)}%`;

function hintFor(row: ShownRow, name: (id: number) => string): string {
  const [best] = suggestions(row);
  if (best === undefined) return "all labels";
  const probability = best === row.predicted ? "" : percent(probabilityOf(row, best));
  return `${name(best)}${probability ? ` · ${probability}` : ""}`;
}
