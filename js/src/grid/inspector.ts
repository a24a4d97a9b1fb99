/** The row under the cursor: why it is here, its whole text, its most likely labels, its note. */

import {
  DATA_TEXT,
  isFocused,
  keepsFocus,
  type Make,
  maker,
  onKeys,
  onResize,
  set,
  shareBar,
} from "../dom/dom";
import { percent, percentOf } from "../dom/numbers";
import { joined } from "../dom/words";
import { labelName, labelsByProbability, suggestions } from "../kernel/row-state";
import { LONGEST_NOTE, type Row } from "../protocol";
import type { ShownRow, State } from "../state/state";
import type { Store } from "../state/store";
import { fact, makeFacts } from "./row-facts";
import { makeTextView } from "./text-view";

export interface Inspector {
  readonly el: HTMLElement;
  readonly note: HTMLInputElement;
  /** Focuses the note. */
  writeNote(): void;
  /** Shows the whole text, or its beginning again. */
  expand(): void;
  isExpanded(): boolean;
}

const KEYS = ["a", "s", "d"];
const MOST_DIGITS = 9;
const LINES = [0, 1, 2, 3, 4];

/** A label and its probability, where there is one on this line. */
type Line = readonly [label: number, probability: number | null] | undefined;

export function makeInspector(
  outer: Make<State>,
  store: Store,
  acts: { showDuplicates(row: Row): void; backToGrid(): void },
): Inspector {
  const make = maker<State>(outer.signal);
  let row: ShownRow | undefined;
  let likely: readonly Line[] = [];
  let expanded = false;
  /** Whether the text is longer than its frame. */
  let over = false;
  /** The row that a note was begun for: the cursor may have moved on when the field loses the focus. */
  let writing: Row | undefined;

  const expand = () => {
    expanded = !expanded;
    store.changed();
  };
  const isExpanded = () => expanded;
  const texts = makeTextView(make, ".full");
  texts.els[1]?.classList.add("lw-second");
  // What scrolls can be reached by key.
  const frame = make(
    ".frame",
    { tabindex: 0, role: "group", label: "Whole text" },
    texts.els.map((text) => text),
  );
  const more = make(
    "button.more",
    {
      title: () => (expanded ? "Show less of the text (e)" : "Show the whole text (e)"),
      "aria-expanded": isExpanded,
      ".away": () => !expanded && !over && !row?.text_cut,
      onclick: expand,
    },
    () => (expanded ? "Show less" : "Show all"),
  );
  const names = store.state.snapshot.columns;
  const columns = make(
    ".columns",
    { hidden: names.length === 0 },
    names.map((name, i) => fact(make, () => [name, row?.columns[i] ?? ""])),
  );

  const line = (i: number) => {
    const label = () => likely[i]?.[0] ?? null;
    const name = (state: State) => labelName(state, label()) ?? "";
    const chance = () => likely[i]?.[1] ?? null;
    return make(
      "button.likely",
      {
        tabindex: -1,
        ".away": () => label() === null,
        off: ({ lockReason }) => lockReason,
        ...keepsFocus,
        onclick() {
          const id = label();
          if (row && id !== null) store.decide("relabel", row.row, { label: id });
        },
      },
      make("kbd", () => {
        const id = label() ?? MOST_DIGITS;
        return (row && KEYS[suggestions(row).indexOf(id)]) ?? (id < MOST_DIGITS ? id + 1 : "");
      }),
      make("span.name", DATA_TEXT, { title: name, ".now": () => label() === row?.label }, name),
      make("span.mark", ({ snapshot }) =>
        joined(
          [
            label() === row?.given ? "given" : "",
            snapshot.has_probs && label() === row?.predicted ? "model" : "",
          ],
          ", ",
        ),
      ),
      shareBar(make, () => `width:${percentOf(chance() ?? 0, 1)}`),
      make("span.percent", () => percent(chance())),
    );
  };

  const note = make("input.note", {
    ...{ type: "text", label: "Note", placeholder: "Note (n)", dir: "auto" },
    maxlength: LONGEST_NOTE,
    onfocus() {
      writing = row;
    },
    onblur() {
      if (writing && note.value !== writing.note) store.decide("note", writing.row, { note: note.value });
      writing = undefined;
    },
    onkeydown: onKeys({
      Enter: acts.backToGrid,
      Escape() {
        note.value = writing?.note ?? "";
        acts.backToGrid();
      },
    }),
  });
  const facts = makeFacts(make, store, acts.showDuplicates);
  const el = make(
    ".inspector",
    { ".expanded": isExpanded },
    make(".why", facts),
    make(
      ".reading",
      make(".title", "Text"),
      make(
        ".corner",
        more,
        make(
          "button.show-invisible",
          {
            title: "Show spaces, line ends and invisible characters (w)",
            label: "Show spaces, line ends and invisible characters",
            "aria-pressed": ({ showInvisible }) => showInvisible,
            onclick: store.toggleInvisible,
          },
          "¶",
        ),
      ),
      frame,
      columns,
    ),
    make(
      ".likelies",
      make(".title", ({ snapshot, blind }) =>
        snapshot.has_probs && !blind ? "Labels by probability" : "Labels",
      ),
      LINES.map(line),
    ),
    note,
  );

  outer.watch((state) => {
    row = state.rows[state.cursor];
    el.classList.toggle("lw-nothing-here", !row);
    set(note, { disabled: !row || state.lockReason !== "" });
    if (!row) return;
    likely = likeliest(row, state.snapshot.label_names.length);
    const whole = (expanded && store.rowDetails.wholeText(row)) || row;
    texts.show(state, whole.text, row.pair === null ? null : whole.pair);
    make.show(state);
    if (!isFocused(note)) set(note, { value: row.note });
  });

  // Measured when the page has been laid out anyway: in the middle of a redraw it would cost one more layout.
  onResize(make.signal, [frame, ...texts.els], () => {
    const now = frame.scrollHeight > frame.clientHeight + 1;
    if (now === over) return;
    over = now;
    store.changed();
  });

  return { el, note, writeNote: () => note.focus(), expand, isExpanded };
}

/** The most likely labels; the given one is always among them. */
function likeliest(row: Row, count: number): readonly Line[] {
  const all = labelsByProbability(row, count);
  const own = all.findIndex(([id]) => id === row.given);
  return own < LINES.length ? all : [...all.slice(0, LINES.length - 1), all[own]];
}
