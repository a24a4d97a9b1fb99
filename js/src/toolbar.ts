/** The strip above the grid: search, filters, order, undo and redo, export, help. */

import { type Maker, make, makeButton, setAttribute, setOff, setOptions, setText } from "./dom";
import type { Filter, Verdict } from "./protocol";
import type { State } from "./state";
import { VERDICT_WORDS } from "./words";

export interface ToolbarActs {
  filterBy(patch: Partial<Filter>): void;
  undo(): void;
  redo(): void;
  export(): void;
  help(): void;
  backToGrid(): void;
}

export interface Toolbar {
  readonly el: HTMLElement;
  readonly search: HTMLInputElement;
  readonly help: HTMLButtonElement;
  show(state: State): void;
}

const PAUSE_MS = 250;
/** Beside the label names: a value that no label has as its place in the list. */
const ANY = "any";
const VERDICTS: readonly Verdict[] = ["", "relabel", "keep", "unsure", "remove"];

export function makeToolbar(maker: Maker, acts: ToolbarActs): Toolbar {
  const { signal } = maker;
  const search = make(maker, "input", {
    ...{ type: "search", "aria-label": "Search text", placeholder: "Search text  /", class: "lw-search" },
    ...{ autocomplete: "off", spellcheck: "false" },
  });
  let pause: ReturnType<typeof setTimeout> | undefined;
  let asked = "";
  /** Whatever is asked takes along what has been typed so far. */
  const filterBy = (patch: Partial<Filter>) => {
    clearTimeout(pause);
    asked = search.value;
    acts.filterBy({ search: asked === "" ? null : asked, ...patch });
  };
  const ask = () => {
    if (search.value !== asked) filterBy({});
  };
  const select = (name: string, take: (select: HTMLSelectElement) => void) => {
    const element = make(maker, "select", { "aria-label": name, title: name });
    element.addEventListener("change", () => take(element), { signal });
    return element;
  };
  let names: readonly string[] = [];
  const given = select("Given label", ({ selectedIndex: i }) =>
    filterBy({ given: names[i - 1] ?? null, unlabelled: i > names.length ? true : null }),
  );
  const predicted = select("Predicted label", ({ selectedIndex: i }) =>
    filterBy({ predicted: names[i - 1] ?? null }),
  );
  const verdict = select("Verdict", ({ selectedIndex: i }) => filterBy({ verdict: VERDICTS[i - 1] ?? null }));
  const sort = select("Sort by", ({ value }) => filterBy({ sort: value, descending: value !== "row" }));
  const direction = makeButton(maker, { class: "lw-direction" }, "↓", () =>
    filterBy({ descending: direction.textContent !== "↓" }),
  );
  const only = make(maker, "input", { type: "checkbox" });
  only.addEventListener("change", () => filterBy({ disagreements: only.checked }), { signal });
  const undo = makeButton(maker, { "aria-label": "Undo", title: "Undo (z)" }, "↶", () => acts.undo());
  const redo = makeButton(maker, { "aria-label": "Redo", title: "Redo (Shift+Z)" }, "↷", () => acts.redo());
  const save = makeButton(maker, { title: "Writes corrected.parquet beside the notebook" }, "Export", () =>
    acts.export(),
  );
  const help = makeButton(maker, { "aria-label": "Help", title: "Help and keys (?)" }, "?", () =>
    acts.help(),
  );

  search.addEventListener(
    "input",
    (event) => {
      clearTimeout(pause);
      if (!(event as InputEvent).isComposing) pause = setTimeout(ask, PAUSE_MS);
    },
    { signal },
  );
  search.addEventListener("compositionend", ask, { signal });
  search.addEventListener("blur", ask, { signal });
  signal.addEventListener("abort", () => clearTimeout(pause));
  search.addEventListener(
    "keydown",
    (event) => {
      if (event.isComposing) return;
      if (event.key === "Enter") ask();
      else if (event.key === "Escape" || event.key === "ArrowDown") acts.backToGrid();
      else return;
      event.preventDefault();
    },
    { signal },
  );

  const ordered = make(maker, "span", { class: "lw-sort" }, [sort, direction]);
  const el = make(maker, "div", { class: "lw-toolbar" }, [
    search,
    make(maker, "div", { class: "lw-filters" }, [given, predicted, verdict, ordered]),
    make(maker, "label", { class: "lw-check" }, [only, "Disagreements only"]),
    make(maker, "div", { class: "lw-acts" }, [undo, redo, save, help]),
  ]);

  function show({ snapshot, filter, canUndo, canRedo, exporting, dead, blind }: State): void {
    if (names !== snapshot.label_names) {
      names = snapshot.label_names;
      const labels = names.map((name) => ({ value: name, name }));
      const none = { value: "none", name: "no label" };
      setOptions(maker, given, [{ value: ANY, name: "Given: any" }, ...labels, none]);
      setOptions(maker, predicted, [{ value: ANY, name: "Predicted: any" }, ...labels]);
    }
    setOptions(maker, verdict, [
      { value: ANY, name: "Verdict: any" },
      ...VERDICTS.map((value) => ({ value, name: VERDICT_WORDS[value] })),
    ]);
    setOptions(maker, sort, snapshot.sorts);
    given.selectedIndex =
      filter.unlabelled === true
        ? names.length + 1
        : filter.given === null
          ? 0
          : names.indexOf(filter.given) + 1;
    predicted.selectedIndex = filter.predicted === null ? 0 : names.indexOf(filter.predicted) + 1;
    verdict.selectedIndex = filter.verdict === null ? 0 : VERDICTS.indexOf(filter.verdict) + 1;
    for (const element of [given, predicted, verdict])
      element.classList.toggle("lw-set", element.selectedIndex > 0);
    sort.value = filter.sort;
    setText(direction, filter.descending ? "↓" : "↑");
    setAttribute(direction, "aria-label", filter.descending ? "Highest first" : "Lowest first");
    direction.title = `${filter.descending ? "Highest" : "Lowest"} first: click to turn round`;
    only.checked = filter.disagreements;
    for (const telling of [predicted, only]) telling.disabled = blind;
    if (!search.matches(":focus") || asked === search.value) {
      asked = filter.search ?? "";
      if (search.value !== asked) search.value = asked;
    }
    setOff(undo, !canUndo);
    setOff(redo, !canRedo);
    setOff(save, exporting || dead);
  }

  return { el, search, help, show };
}
