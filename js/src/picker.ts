/** The label picker: every label by probability, found by typing; the focus goes back to the row. */

import { type Maker, make, makeButton, setAttribute, setText } from "./dom";
import { labelsByProbability } from "./standing";
import type { ShownRow, State } from "./state";
import { percent } from "./words";

/** Whose label is asked for, and what becomes of the answer. */
export interface Question {
  readonly title: string;
  /** null: of many rows. */
  readonly row: ShownRow | null;
  pick(label: number): void;
}

export interface Picker {
  readonly el: HTMLElement;
  open(question: Question, state: State, anchor: HTMLElement): void;
  close(): void;
}

interface Option {
  readonly el: HTMLElement;
  readonly id: number;
  readonly words: string;
}

let pickers = 0;
const NONE = "No label has these letters.";
const FIXED = "This column takes no new ones.";
/** Many rows have no probabilities and no label in common. */
const UNKNOWN = { given: null, label: null, predicted: null, predicted_prob: null, probabilities: null };

/** `back` returns the focus; `add` makes a label of a new name and gives its id, or null where that cannot be. */
export function makePicker(
  maker: Maker,
  back: () => void,
  add: (name: string) => Promise<number | null>,
): Picker {
  const { signal } = maker;
  pickers += 1;
  const prefix = `lw-picker-${pickers}`;
  const input = make(maker, "input", {
    ...{
      type: "text",
      role: "combobox",
      class: "lw-find",
      placeholder: "Type to find a label",
      autocomplete: "off",
    },
    ...{
      spellcheck: "false",
      "aria-label": "New label",
      "aria-expanded": "true",
      "aria-autocomplete": "list",
    },
    "aria-controls": prefix,
  });
  const list = make(maker, "div", {
    role: "listbox",
    id: prefix,
    "aria-label": "Labels by probability",
    class: "lw-list",
  });
  const none = make(maker, "div", { class: "lw-quiet lw-nothing" }, [NONE]);
  const adding = makeButton(maker, { class: "lw-add" }, "", () => addLabel());
  const el = make(maker, "div", { class: "lw-picker" }, [input, list, none, adding]);
  el.hidden = true;
  let options: Option[] = [];
  let matching: Option[] = [];
  let active = 0;
  let asked: Question | null = null;
  let takesNew = false;

  function open(question: Question, state: State, anchor: HTMLElement): void {
    asked = question;
    const names = state.snapshot.label_names;
    takesNew = state.snapshot.takes_new_labels;
    const of = question.row ?? UNKNOWN;
    options = labelsByProbability(of, names.length).map(([id, probability], i) => {
      const name = names[id] ?? "";
      const marks = [id === of.given ? "given" : "", id === of.label && id !== of.given ? "now" : ""];
      const fill = make(maker, "i");
      fill.style.width = `${(100 * (probability ?? 0)).toFixed(1)}%`;
      const option = make(maker, "div", { role: "option", id: `${prefix}-${i}`, class: "lw-option" }, [
        make(maker, "span", { class: "lw-name", dir: "auto", title: name }, [name]),
        make(maker, "span", { class: "lw-mark" }, [marks.join("")]),
        make(maker, "span", { class: "lw-share", "aria-hidden": "true" }, [fill]),
        make(maker, "span", { class: "lw-percent" }, [percent(probability)]),
      ]);
      return { el: option, id, words: name.toLowerCase() };
    });
    list.replaceChildren(...options.map((option) => option.el));
    setAttribute(input, "aria-label", question.title);
    input.value = "";
    el.hidden = false;
    filter();
    // The best label other than the one it has now: Enter takes it.
    const first = options.findIndex((option) => option.id !== of.label);
    point(Math.max(0, first));
    place(el, anchor);
    input.focus({ preventScroll: true });
  }

  function close(): void {
    el.hidden = true;
    asked = null;
  }

  function filter(): void {
    const parts = input.value
      .toLowerCase()
      .split(/[\s_-]+/)
      .filter(Boolean);
    matching = options.filter((option) => parts.every((part) => option.words.includes(part)));
    for (const option of options) option.el.hidden = true;
    for (const option of matching) option.el.hidden = false;
    none.hidden = matching.length > 0;
    list.hidden = matching.length === 0;
    adding.hidden = matching.length > 0 || !takesNew || input.value.trim() === "";
    setText(adding, `Add “${input.value.trim()}”`);
    setText(none, takesNew ? NONE : `${NONE} ${FIXED}`);
    point(0);
  }

  function point(index: number): void {
    active = Math.max(0, Math.min(index, matching.length - 1));
    for (const option of options)
      setAttribute(option.el, "aria-selected", String(option === matching[active]));
    const chosen = matching[active];
    setAttribute(input, "aria-activedescendant", chosen ? chosen.el.id : null);
    if (!chosen) return;
    const above = chosen.el.offsetTop - list.scrollTop;
    if (above < 0) list.scrollTop += above;
    else if (above + chosen.el.offsetHeight > list.clientHeight)
      list.scrollTop += above + chosen.el.offsetHeight - list.clientHeight;
  }

  function take(option: Option | undefined): void {
    if (!option || !asked) return;
    const { pick } = asked;
    close();
    back();
    pick(option.id);
  }

  function addLabel(): void {
    const question = asked;
    const name = input.value.trim();
    close();
    back();
    add(name).then((label) => label !== null && question?.pick(label));
  }

  const jumps: Record<string, () => void> = {
    ArrowDown: () => (adding.hidden ? point((active + 1) % Math.max(1, matching.length)) : adding.focus()),
    ArrowUp: () =>
      adding.matches(":focus")
        ? input.focus()
        : point((active - 1 + matching.length) % Math.max(1, matching.length)),
    PageDown: () => point(active + 8),
    PageUp: () => point(active - 8),
    // Not by the Enter that takes a label: a slip of the finger is no new label.
    Enter: () => (adding.matches(":focus") ? addLabel() : take(matching[active])),
    Tab: () => cancel(),
    Escape: () => cancel(),
  };
  const cancel = () => {
    close();
    back();
  };
  el.addEventListener(
    "keydown",
    (event) => {
      // Everything typed here is for this field alone.
      event.stopPropagation();
      const jump = event.isComposing ? undefined : jumps[event.key];
      if (!jump) return;
      event.preventDefault();
      jump();
    },
    { signal },
  );
  input.addEventListener("input", filter, { signal });
  list.addEventListener("mousedown", (event) => event.preventDefault(), { signal });
  list.addEventListener(
    "click",
    (event) => take(options.find((option) => event.composedPath().includes(option.el))),
    { signal },
  );
  el.addEventListener(
    "focusout",
    (event) => {
      if (!(event.relatedTarget instanceof Node && el.contains(event.relatedTarget))) close();
    },
    { signal },
  );
  return { el, open, close };
}

/** Below the anchor, or above where there is more room; never outside the widget, which clips it in some hosts. */
function place(el: HTMLElement, anchor: HTMLElement): void {
  const home = el.offsetParent?.getBoundingClientRect();
  if (!home) return;
  const at = anchor.getBoundingClientRect();
  const view = el.ownerDocument.defaultView;
  const below = Math.min(home.bottom, view?.innerHeight ?? home.bottom) - at.bottom;
  const above = at.top - Math.max(home.top, 0);
  const { offsetHeight: height, offsetWidth: width } = el;
  const up = below < height && above > below;
  const top = up ? at.top - height - 2 : at.bottom + 2;
  const inside = Math.max(0, Math.min(top - home.top, home.height - height - 2));
  el.style.top = `${inside}px`;
  el.style.left = `${Math.max(0, Math.min(at.left - home.left, home.width - width - 8))}px`;
}
