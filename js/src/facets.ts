/** Kinds of rows with their counts: verdicts, disagreements, and what is odd; each a filter that is on or off. */

import { type Maker, make, makeButton, setAttribute, setOff, setText } from "./dom";
import type { Facets, Filter, Verdict } from "./protocol";
import { quirkTip } from "./quirks";
import type { State } from "./state";
import { count, VERDICT_SIGNS, VERDICT_WORDS } from "./words";

interface Toggle {
  readonly el: HTMLButtonElement;
  /** `rows`: null while nobody has counted. */
  show(on: boolean, rows: number | null): void;
}

export function makeFacets(
  maker: Maker,
  acts: { filterBy(patch: Partial<Filter>): void },
): { readonly el: HTMLElement; show(state: State): void } {
  let filter: Filter | null = null;
  const toggle = (says: string, tip: string, act: (on: boolean) => void): Toggle => {
    const number = make(maker, "span", { class: "lw-number lw-quiet" });
    const el = makeButton(maker, { class: "lw-chip lw-facet", title: tip }, "", () =>
      act(el.getAttribute("aria-pressed") !== "true"),
    );
    el.replaceChildren(`${says} `, number);
    return {
      el,
      show: (on, rows) => {
        setAttribute(el, "aria-pressed", String(on));
        setText(number, rows === null ? "…" : count(rows));
        setOff(el, rows === 0 && !on);
      },
    };
  };
  const verdicts = (Object.keys(VERDICT_WORDS) as Verdict[]).map((verdict) => {
    const says = `${VERDICT_WORDS[verdict]} ${VERDICT_SIGNS[verdict]}`.trim();
    return {
      verdict,
      ...toggle(says, `Only rows that are ${says}`, (on) => acts.filterBy({ verdict: on ? verdict : null })),
    };
  });
  const differ = toggle("disagreements", "The model's label is not the given one", (disagreements) =>
    acts.filterBy({ disagreements }),
  );
  const quirks = new Map<string, Toggle>();
  const odd = make(maker, "div", { class: "lw-group", role: "group", "aria-label": "Odd rows" });
  const pending = make(maker, "div", { class: "lw-quiet lw-pending" });
  const group = (name: string, children: readonly Node[]) =>
    make(maker, "div", { class: "lw-group", role: "group", "aria-label": name }, children);
  const el = make(maker, "div", { class: "lw-facets" }, [
    make(maker, "div", { class: "lw-title" }, ["Kinds of rows"]),
    group("Verdicts", [...verdicts.map((one) => one.el), differ.el]),
    odd,
    pending,
  ]);

  function quirkToggle(quirk: string): Toggle {
    const known = quirks.get(quirk);
    if (known) return known;
    const made = toggle(quirk, quirkTip(quirk), (on) => {
      const others = (filter?.quirk ?? []).filter((other) => other !== quirk);
      const now = on ? [...others, quirk] : others;
      acts.filterBy({ quirk: now.length > 0 ? now : null });
    });
    // Once seen it stays, so that the others keep their places.
    made.el.hidden = true;
    quirks.set(quirk, made);
    odd.append(made.el);
    return made;
  }

  function show(state: State): void {
    const { told, problem } = state.navigators.facets;
    filter = state.filter;
    for (const one of verdicts) one.show(filter.verdict === one.verdict, told?.verdicts[one.verdict] ?? null);
    differ.show(filter.disagreements, told?.disagreements ?? null);
    differ.el.hidden = state.blind;
    for (const quirk of state.snapshot.quirks) {
      const one = quirkToggle(quirk);
      const on = filter.quirk?.includes(quirk) === true;
      const rows = told?.quirks[quirk] ?? null;
      one.show(on, rows);
      if (on || rows) one.el.hidden = false;
    }
    setText(
      pending,
      problem ||
        describe(
          told,
          [...quirks.values()].every((one) => one.el.hidden),
        ),
    );
  }

  return { el, show };
}

function describe(told: Facets | null, plain: boolean): string {
  if (!told) return "Counting…";
  if (told.pending.length > 0) return `Looking for ${told.pending.join(", ")}…`;
  return plain ? "Nothing odd was found in the texts." : "";
}
