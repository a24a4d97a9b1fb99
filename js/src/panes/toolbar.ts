/** The strip above the grid: search, filters, order, undo and redo, export, help. */

import { isFocused, type Make, onKeys, set, setOptions, signButton } from "../dom/dom";
import { makeTimer } from "../dom/timer";
import { VERDICT_WORDS } from "../dom/words";
import type { Filter, Verdict } from "../protocol";
import type { State } from "../state/state";
import type { Store } from "../state/store";

export interface Toolbar {
  readonly el: HTMLElement;
  readonly search: HTMLInputElement;
  readonly help: HTMLButtonElement;
}

const PAUSE_MS = 250;
/** Stands beside the label names, which are distinguished by their index: a label may be called "any". */
const ANY = "any";
const VERDICTS = Object.keys(VERDICT_WORDS) as Verdict[];

export function makeToolbar(
  make: Make<State>,
  store: Store,
  acts: { help(): void; backToGrid(): void },
): Toolbar {
  let asked = "";
  let names: readonly string[] = [];
  const pause = makeTimer(make.signal);
  /** Every change of a filter takes along what has been typed into the search so far. */
  const filterBy = (patch: Partial<Filter>) => {
    pause.stop();
    asked = search.value;
    store.filterBy({ search: asked || null, ...patch });
  };
  const ask = () => {
    if (search.value !== asked) filterBy({});
  };
  const search = make("input.search", {
    ...{ type: "search", label: "Search text", placeholder: "Search text  /" },
    spellcheck: false,
    oninput: (event) => {
      pause.stop();
      if (!(event as InputEvent).isComposing) pause.start(PAUSE_MS, ask);
    },
    oncompositionend: ask,
    onblur: ask,
    onkeydown: onKeys({ Enter: ask, Escape: acts.backToGrid, ArrowDown: acts.backToGrid }),
  });
  /** `chosen` gives the index of the option, -1 for the first one: any. `take` makes a filter of an index. */
  const select = (
    name: string,
    chosen: (filter: Filter) => number,
    take: (index: number) => Partial<Filter>,
  ) => {
    const el = make("select", {
      ...{ label: name, title: name },
      onchange() {
        filterBy(take(el.selectedIndex - 1));
      },
    });
    return { el, chosen };
  };
  const given = select(
    "Given label",
    (filter) => (filter.unlabelled ? names.length : names.indexOf(filter.given as string)),
    (i) => ({ given: names[i] ?? null, unlabelled: i === names.length || null }),
  );
  const predicted = select(
    "Predicted label",
    (filter) => names.indexOf(filter.predicted as string),
    (i) => ({ predicted: names[i] ?? null }),
  );
  const verdict = select(
    "Verdict",
    (filter) => VERDICTS.indexOf(filter.verdict as Verdict),
    (i) => ({ verdict: VERDICTS[i] ?? null }),
  );
  setOptions(make, verdict.el, [
    { value: ANY, name: "Verdict: any" },
    ...VERDICTS.map((value) => ({ value, name: VERDICT_WORDS[value] })),
  ]);
  const sort = make("select", {
    ...{ label: "Sort by", title: "Sort by" },
    onchange() {
      const { sorts } = store.state.snapshot;
      filterBy({ sort: sort.value, descending: sorts[sort.selectedIndex]?.descending ?? true });
    },
  });
  const order = ({ filter }: State) => (filter.descending ? "Highest first" : "Lowest first");
  const only = make("input", {
    type: "checkbox",
    checked: ({ filter }) => filter.disagreements,
    disabled: ({ blind }) => blind,
    onchange() {
      filterBy({ disagreements: only.checked });
    },
  });
  const help = signButton(make, "?", "Help", "Help and keys (?)", acts.help);

  make.watch(
    ({ snapshot }) => snapshot.sorts,
    (sorts) => setOptions(make, sort, sorts),
  );
  make.watch(({ snapshot, filter, blind }) => {
    if (names !== snapshot.label_names) {
      names = snapshot.label_names;
      const labels = names.map((name) => ({ value: name, name }));
      const none = { value: "none", name: "no label" };
      setOptions(make, given.el, [{ value: ANY, name: "Given: any" }, ...labels, none]);
      setOptions(make, predicted.el, [{ value: ANY, name: "Predicted: any" }, ...labels]);
    }
    for (const { el, chosen } of [given, predicted, verdict]) {
      const index = chosen(filter) + 1;
      set(el, { selectedIndex: index, ".set": index > 0 });
    }
    set(predicted.el, { disabled: blind });
    set(sort, { value: filter.sort });
    if (!isFocused(search) || asked === search.value) {
      asked = filter.search ?? "";
      set(search, { value: asked });
    }
  });

  const el = make(
    ".toolbar",
    search,
    make(
      ".filters",
      [given, predicted, verdict].map((each) => each.el),
      make(
        "span.sort",
        sort,
        make(
          "button.direction",
          {
            label: order,
            title: (state) => `${order(state)}: click to reverse`,
            onclick: () => filterBy({ descending: !store.position.filter.descending }),
          },
          ({ filter }) => (filter.descending ? "↓" : "↑"),
        ),
      ),
    ),
    make(
      "label.check",
      { title: "Only rows whose predicted label is not the given one" },
      only,
      "Disagreements only",
    ),
    make(
      ".acts",
      signButton(make, "↶", "Undo", "Undo (z)", store.undo, ({ canUndo }) => !canUndo),
      signButton(make, "↷", "Redo", "Redo (Shift+Z)", store.redo, ({ canRedo }) => !canRedo),
      make(
        "button",
        {
          title: "Write the corrected rows to corrected.parquet, beside the notebook",
          off: ({ exporting, dead }) => exporting || dead,
          onclick: store.export,
        },
        "Export",
      ),
      help,
    ),
  );
  return { el, search, help };
}
