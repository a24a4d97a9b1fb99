/** What belongs to the row under the cursor: its whole text, its likeliest labels with their keys, its note. */

import { type Maker, make, makeButton, setAttribute, setOff, setText } from "./dom";
import type { Row } from "./protocol";
import { labelsByProbability, suggestions } from "./standing";
import type { State } from "./state";
import { loss, percent } from "./words";

export interface InspectorActs {
  relabel(row: number, label: number): void;
  note(row: number, note: string): void;
  wholeText(row: Row): { readonly text: string; readonly pair: string | null } | null;
  redraw(): void;
  backToGrid(): void;
}

export interface Inspector {
  readonly el: HTMLElement;
  show(state: State): void;
  /** Puts the focus into the note. */
  writeNote(): void;
}

const KEYS = ["a", "s", "d"];
const LINES = 5;
const LONGEST_NOTE = 2_000;

export function makeInspector(maker: Maker, acts: InspectorActs): Inspector {
  const { signal } = maker;
  const title = make(maker, "div", { class: "lw-title" });
  const text = make(maker, "div", { class: "lw-full", dir: "auto" });
  const pair = make(maker, "div", { class: "lw-full lw-second", dir: "auto" });
  const frame = make(maker, "div", { class: "lw-frame" }, [text, pair]);
  const more = makeButton(maker, { class: "lw-more", "aria-expanded": "false" }, "Show all", () => {
    expanded = !expanded;
    measured = -1;
    acts.redraw();
  });
  const reading = make(maker, "div", { class: "lw-reading" }, [title, frame, more]);

  const lines = Array.from({ length: LINES }, () => {
    const key = make(maker, "kbd");
    const name = make(maker, "span", { class: "lw-name", dir: "auto" });
    const fill = make(maker, "i");
    const share = make(maker, "span", { class: "lw-share", "aria-hidden": "true" }, [fill]);
    const chance = make(maker, "span", { class: "lw-percent" });
    const button = makeButton(maker, { class: "lw-likely", tabindex: "-1" }, "", () => {
      if (row && label !== null) acts.relabel(row.row, label);
    });
    button.replaceChildren(key, name, share, chance);
    button.addEventListener("mousedown", (event) => event.preventDefault(), { signal });
    let label: number | null = null;
    const take = (next: number | null) => {
      label = next;
    };
    return { button, key, name, fill, chance, take };
  });
  const heading = make(maker, "div", { class: "lw-title" }, ["Labels by probability"]);
  const labels = make(maker, "div", { class: "lw-likelies" }, [
    heading,
    ...lines.map(({ button }) => button),
  ]);

  const note = make(maker, "input", {
    ...{ type: "text", class: "lw-note", "aria-label": "Note", placeholder: "Note (n)", dir: "auto" },
    ...{ autocomplete: "off", maxlength: String(LONGEST_NOTE) },
  });
  const el = make(maker, "div", { class: "lw-inspector" }, [reading, labels, note]);
  let row: Row | null = null;
  let expanded = false;
  /** Whose text was measured last: that costs a layout. */
  let measured = -1;
  /** The row that a note was begun for: the cursor may have moved on when the field loses the focus. */
  let writing: Row | null = null;

  const keep = () => {
    if (writing && note.value !== writing.note) acts.note(writing.row, note.value);
    writing = null;
  };
  note.addEventListener("focus", () => (writing = row), { signal });
  note.addEventListener("blur", keep, { signal });
  note.addEventListener(
    "keydown",
    (event) => {
      if (event.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return;
      event.preventDefault();
      if (event.key === "Escape") note.value = writing?.note ?? "";
      acts.backToGrid();
    },
    { signal },
  );

  function show(state: State): void {
    row = state.rows[state.cursor] ?? null;
    const names = state.snapshot.label_names;
    el.classList.toggle("lw-nothing-here", row === null);
    note.disabled = row === null || state.locked !== "";
    if (!row) return;
    setText(title, describe(row, names));
    const whole = expanded && row.text_cut ? acts.wholeText(row) : null;
    setText(text, whole?.text ?? row.text);
    setText(pair, whole?.pair ?? row.pair ?? "");
    pair.hidden = row.pair === null;
    el.classList.toggle("lw-expanded", expanded);
    if (measured !== row.row || expanded) {
      measured = frame.clientHeight > 0 ? row.row : -1;
      const cut = row.text_cut || frame.scrollHeight > frame.clientHeight + 1;
      more.classList.toggle("lw-away", !expanded && !cut);
    }
    setText(more, expanded ? "Show less" : "Show all");
    setAttribute(more, "aria-expanded", String(expanded));

    const likely = labelsByProbability(row, names.length);
    const others = suggestions(row);
    setText(heading, state.snapshot.has_probs && !state.blind ? "Labels by probability" : "Labels");
    lines.forEach(({ button, key, name, fill, chance, take }, i) => {
      const [id, probability] = likely[i] ?? [null, null];
      take(id);
      button.classList.toggle("lw-away", id === null);
      if (id === null || !row) return;
      setText(key, KEYS[others.indexOf(id)] ?? "");
      setText(name, names[id] ?? "");
      name.title = names[id] ?? "";
      name.classList.toggle("lw-now", id === row.label);
      fill.style.width = `${(100 * (probability ?? 0)).toFixed(1)}%`;
      setText(chance, percent(probability));
      setOff(button, state.locked !== "");
    });
    if (!note.matches(":focus") && note.value !== row.note) note.value = row.note;
  }

  return { el, show, writeNote: () => note.focus() };
}

function describe(row: Row, names: readonly string[]): string {
  const given =
    row.given === null ? "no label" : `given ${names[row.given] ?? ""} ${percent(row.label_prob)}`;
  const parts = [
    `Row ${row.row}`,
    row.loss === null ? "" : `loss ${loss(row.loss)}`,
    given,
    row.note_of_score,
  ];
  return parts.filter(Boolean).join(" · ").trim();
}
