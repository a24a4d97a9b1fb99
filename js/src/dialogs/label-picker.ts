/** The label picker: every label, most likely first, found by typing. The focus goes back to the row. */

import {
  boxOf,
  DATA_TEXT,
  focusInPlace,
  isFocused,
  keepsFocus,
  type Make,
  onKeys,
  refill,
  set,
  shareBar,
} from "../dom/dom";
import { clamp, percent, percentOf } from "../dom/numbers";
import { labelsByProbability } from "../kernel/row-state";
import type { ShownRow, State } from "../state/state";

/** Whose label is asked for, and what to do with the answer. */
export interface Question {
  readonly title: string;
  /** null: several rows. */
  readonly row: ShownRow | null;
  /** For several rows: the label to begin at. Without one no label is active until something is typed. */
  readonly label?: number | null;
  pick(label: number): void;
}

export interface Picker {
  readonly el: HTMLElement;
  open(question: Question, state: State, anchor: HTMLElement): void;
  /** Takes the letters that were typed before it was open. */
  readonly field: HTMLInputElement;
}

interface Option {
  readonly el: HTMLElement;
  readonly id: number;
  readonly words: string;
}

let pickers = 0;
const NOWHERE = -1;
const NONE = "No such label.";
/** Several rows have no probabilities and no label in common. */
const UNKNOWN = { given: null, label: null, predicted: null, predicted_prob: null, probabilities: null };

/** `back` returns the focus; `add` makes a new label and gives its id, or null where the kernel refuses. */
export function makePicker(
  make: Make<State>,
  back: () => void,
  add: (name: string) => Promise<number | null>,
): Picker {
  pickers += 1;
  const prefix = `lw-picker-${pickers}`;
  let options: Option[] = [];
  let matching: Option[] = [];
  let active = 0;
  let asked: Question | null = null;
  let takesNew = false;

  const hide = () => {
    el.hidden = true;
    asked = null;
  };
  const close = () => {
    hide();
    back();
  };
  const take = (option: Option | undefined) => {
    const question = asked;
    if (!option || !question) return;
    close();
    question.pick(option.id);
  };
  const addLabel = () => {
    const question = asked;
    const name = input.value.trim();
    close();
    add(name).then((label) => label !== null && question?.pick(label));
  };
  const round = (by: number) => point((active + by + matching.length) % Math.max(1, matching.length));

  const input = make("input.find", {
    ...{ type: "text", role: "combobox", placeholder: "Type to find a label" },
    ...{ spellcheck: false, "aria-expanded": true, "aria-autocomplete": "list", "aria-controls": prefix },
    oninput: filter,
  });
  const list = make(".list", {
    ...{ role: "listbox", id: prefix, label: "Labels by probability" },
    ...keepsFocus,
    onclick: (event) => take(options.find((option) => event.composedPath().includes(option.el))),
  });
  const none = make(".quiet.nothing");
  const adding = make("button.add", { onclick: addLabel });
  const el = make(
    ".picker",
    {
      hidden: true,
      onkeydown(event) {
        // Everything typed here is for this field alone.
        event.stopPropagation();
        keys(event);
      },
      onfocusout({ relatedTarget: to }) {
        if (!(to instanceof Node && el.contains(to))) hide();
      },
    },
    ...[input, list, none, adding],
  );
  const keys = onKeys({
    ArrowDown: () => (adding.hidden ? round(1) : adding.focus()),
    ArrowUp: () => (isFocused(adding) ? input.focus() : round(-1)),
    PageDown: () => point(active + 8),
    PageUp: () => point(Math.max(0, active - 8)),
    // A new label needs its own button: a slip of the finger and Enter must not make one.
    Enter: () => (isFocused(adding) ? addLabel() : take(matching[active])),
    Tab: close,
    Escape: close,
  });

  function open(question: Question, { snapshot }: State, anchor: HTMLElement): void {
    asked = question;
    takesNew = snapshot.takes_new_labels;
    const of = question.row ?? UNKNOWN;
    options = labelsByProbability(of, snapshot.label_names.length).map(([id, probability], i) => {
      const name = snapshot.label_names[id] ?? "";
      const option = make(
        ".option",
        { role: "option", id: `${prefix}-${i}` },
        make("span.name", DATA_TEXT, { title: name }, name),
        make("span.mark", id === of.given ? "given" : id === of.label ? "now" : ""),
        of.probabilities === null ? "" : shareBar(make, `width:${percentOf(probability ?? 0, 1)}`),
        make("span.percent", percent(probability)),
      );
      return { el: option, id, words: name.toLowerCase() };
    });
    refill(
      list,
      options.map((option) => option.el),
    );
    set(input, { label: question.title, value: "" });
    el.hidden = false;
    filter();
    // Begin at the most likely label that the row does not have: Enter takes it.
    point(
      options.findIndex((option) => (question.row ? option.id !== of.label : option.id === question.label)),
    );
    place(el, anchor);
    focusInPlace(input);
  }

  function filter(): void {
    const typed = input.value.trim();
    const parts = typed.toLowerCase().split(/[\s_-]+/);
    matching = options.filter((option) => parts.every((part) => option.words.includes(part)));
    for (const option of options) option.el.hidden = true;
    for (const option of matching) option.el.hidden = false;
    const found = matching.length > 0;
    none.hidden = found;
    list.hidden = !found;
    adding.hidden = found || !takesNew || typed === "";
    adding.textContent = `Add “${typed}”`;
    none.textContent = takesNew ? NONE : `${NONE} This column takes no new ones.`;
    point(typed || asked?.row ? 0 : NOWHERE);
  }

  function point(index: number): void {
    active = index < 0 ? NOWHERE : clamp(index, matching.length - 1);
    const chosen = matching[active];
    for (const option of options)
      set(option.el, { "aria-selected": option === chosen, ".on": option === chosen });
    set(input, { "aria-activedescendant": chosen ? chosen.el.id : null });
    if (!chosen) return;
    const { offsetTop: top, offsetHeight: height } = chosen.el;
    list.scrollTop = Math.min(top, Math.max(list.scrollTop, top + height - list.clientHeight));
  }

  return { el, open, field: input };
}

/** Below the anchor, or above it where there is more room; never outside the widget, because some hosts clip it there. */
function place(el: HTMLElement, anchor: HTMLElement): void {
  const parent = el.offsetParent;
  if (!parent) return;
  const home = boxOf(parent);
  const at = boxOf(anchor);
  let [top, bottom] = [Math.max(home.top, 0), Math.min(home.bottom, innerHeight)];
  // The part of the notebook that scrolls ends before its window does.
  for (let up = el.parentElement; up && up !== document.body; up = up.parentElement)
    if (getComputedStyle(up).overflowY !== "visible") {
      const box = boxOf(up);
      [top, bottom] = [Math.max(top, box.top), Math.min(bottom, box.bottom)];
    }
  const below = bottom - at.bottom;
  const above = at.top - top;
  const { offsetHeight: height, offsetWidth: width } = el;
  const up = below < height && above > below;
  const start = up ? at.top - height - 2 : at.bottom + 2;
  el.style.top = `${parent.scrollTop + top - home.top + clamp(start - top, bottom - top - height - 2)}px`;
  el.style.left = `${clamp(at.left - home.left, parent.clientWidth - width - 8)}px`;
}
