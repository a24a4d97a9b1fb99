/** What belongs to the row under the cursor: why it is here, its whole text, its likeliest labels, its note. */

import { type Maker, make, makeButton, setAttribute, setOff, setText } from "./dom";
import { type FactsActs, makeFacts } from "./facts";
import type { Row } from "./protocol";
import { lookOf, makeSeen } from "./seen";
import { labelsByProbability, suggestions } from "./standing";
import type { State } from "./state";
import { percent } from "./words";

export interface InspectorActs extends FactsActs {
  relabel(row: number, label: number): void;
  note(row: number, note: string): void;
  wholeText(row: Row): { readonly text: string; readonly pair: string | null } | null;
  showOdd(odd: boolean): void;
  redraw(): void;
  backToGrid(): void;
}

export interface Inspector {
  readonly el: HTMLElement;
  show(state: State): void;
  /** Puts the focus into the note. */
  writeNote(): void;
  /** The whole text, or its beginning again. */
  expand(): void;
}

const KEYS = ["a", "s", "d"];
const LINES = 5;
const LONGEST_NOTE = 2_000;

export function makeInspector(maker: Maker, acts: InspectorActs): Inspector {
  const { signal } = maker;
  const facts = makeFacts(maker, acts);
  const text = make(maker, "div", { class: "lw-full", dir: "auto" });
  const pair = make(maker, "div", { class: "lw-full lw-second", dir: "auto" });
  const seeText = makeSeen(maker, text);
  const seePair = makeSeen(maker, pair);
  // What scrolls can be reached by key.
  const frame = make(
    maker,
    "div",
    { class: "lw-frame", tabindex: "0", role: "group", "aria-label": "Whole text" },
    [text, pair],
  );
  const columns = make(maker, "div", { class: "lw-columns" });
  const expand = () => {
    expanded = !expanded;
    measured = -1;
    acts.redraw();
  };
  const tip = "The whole text (e)";
  const more = makeButton(
    maker,
    { class: "lw-more", title: tip, "aria-expanded": "false" },
    "Show all",
    expand,
  );
  const odd = makeButton(
    maker,
    {
      class: "lw-show-odd",
      title: "Spaces, line ends and invisible characters (w)",
      "aria-pressed": "false",
    },
    "¶",
    () => acts.showOdd(odd.getAttribute("aria-pressed") !== "true"),
  );
  odd.setAttribute("aria-label", "Show spaces and odd characters");
  const corner = make(maker, "div", { class: "lw-corner" }, [more, odd]);
  const reading = make(maker, "div", { class: "lw-reading" }, [
    make(maker, "div", { class: "lw-title" }, ["Text"]),
    corner,
    frame,
    columns,
  ]);

  const lines = Array.from({ length: LINES }, () => {
    const key = make(maker, "kbd");
    const name = make(maker, "span", { class: "lw-name", dir: "auto" });
    const fill = make(maker, "i");
    const mark = make(maker, "span", { class: "lw-mark" });
    const share = make(maker, "span", { class: "lw-share", "aria-hidden": "true" }, [fill]);
    const chance = make(maker, "span", { class: "lw-percent" });
    const button = makeButton(maker, { class: "lw-likely", tabindex: "-1" }, "", () => {
      if (row && label !== null) acts.relabel(row.row, label);
    });
    button.replaceChildren(key, name, mark, share, chance);
    button.addEventListener("mousedown", (event) => event.preventDefault(), { signal });
    let label: number | null = null;
    const take = (next: number | null) => {
      label = next;
    };
    return { button, key, name, mark, fill, chance, take };
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
  const el = make(maker, "div", { class: "lw-inspector" }, [facts.el, reading, labels, note]);
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
    facts.show(state, row);
    setAttribute(odd, "aria-pressed", String(state.odd));
    showColumns(state, row);
    const whole = expanded && row.text_cut ? acts.wholeText(row) : null;
    const look = lookOf(state);
    seeText(whole?.text ?? row.text, look);
    seePair(whole?.pair ?? row.pair ?? "", look);
    const [first = "", second = ""] = row.pair === null ? [] : state.snapshot.text_columns;
    setAttribute(text, "data-name", first || null);
    setAttribute(pair, "data-name", second || null);
    pair.hidden = row.pair === null;
    el.classList.toggle("lw-expanded", expanded);
    if (measured !== row.row || expanded) {
      measured = frame.clientHeight > 0 ? row.row : -1;
      const cut = row.text_cut || frame.scrollHeight > frame.clientHeight + 1;
      more.classList.toggle("lw-away", !expanded && !cut);
    }
    setText(more, expanded ? "Show less" : "Show all");
    setAttribute(more, "aria-expanded", String(expanded));

    const likely = likeliest(row, names.length);
    const others = suggestions(row);
    setText(heading, state.snapshot.has_probs && !state.blind ? "Labels by probability" : "Labels");
    lines.forEach(({ button, key, name, mark, fill, chance, take }, i) => {
      const [id, probability] = likely[i] ?? [null, null];
      take(id);
      button.classList.toggle("lw-away", id === null);
      if (id === null || !row) return;
      setText(key, KEYS[others.indexOf(id)] ?? "");
      setText(name, names[id] ?? "");
      name.title = names[id] ?? "";
      name.classList.toggle("lw-now", id === row.label);
      const marks = [
        id === row.given ? "given" : "",
        state.snapshot.has_probs && id === row.predicted ? "model" : "",
      ];
      setText(mark, marks.filter(Boolean).join(", "));
      fill.style.width = `${(100 * (probability ?? 0)).toFixed(1)}%`;
      setText(chance, percent(probability));
      setOff(button, state.locked !== "");
    });
    if (!note.matches(":focus") && note.value !== row.note) note.value = row.note;
  }

  let told: readonly string[] = [];
  function showColumns({ snapshot }: State, { columns: values }: Row): void {
    columns.hidden = snapshot.columns.length === 0;
    if (values === told) return;
    told = values;
    columns.replaceChildren(
      ...snapshot.columns.map((name, i) =>
        make(maker, "span", { class: "lw-fact", title: `${name}: ${values[i] ?? ""}` }, [
          make(maker, "span", { class: "lw-quiet" }, [name]),
          make(maker, "bdi", {}, [` ${values[i] ?? ""}`]),
        ]),
      ),
    );
  }

  return { el, show, writeNote: () => note.focus(), expand };
}

/** The most probable labels; the given one is always among them. */
function likeliest(row: Row, count: number): readonly (readonly [number, number | null])[] {
  const all = labelsByProbability(row, count);
  const given = all.findIndex(([id]) => id === row.given);
  const own = all[given];
  return own && given >= LINES ? [...all.slice(0, LINES - 1), own] : all;
}
