/** Kinds of rows with their counts: verdicts, disagreements, and what is odd; each a filter that is on or off. */

import { isOn, type Make } from "../dom/dom";
import { rove } from "../dom/roving-focus";
import { count, orNull, VERDICT_SIGNS, VERDICT_WORDS } from "../dom/words";
import type { Facets, Filter, Verdict } from "../protocol";
import type { State } from "../state/state";
import type { Store } from "../state/store";

export function makeFacets(make: Make<State>, store: Store): HTMLElement {
  /** `rows`: none while nobody has counted. */
  const toggle = (
    says: string,
    title: string,
    isSet: (filter: Filter) => boolean,
    rows: (told: Facets) => number | undefined,
    patch: (on: boolean) => Partial<Filter>,
    hidden: (state: State) => boolean = () => false,
  ) => {
    const counted = ({ facets }: State) => facets.told && rows(facets.told);
    const el = make(
      "button.chip.facet",
      {
        ...{ title, hidden },
        "aria-pressed": ({ filter }) => isSet(filter),
        off: (state) => counted(state) === 0 && !isSet(state.filter),
        onclick() {
          store.filterBy(patch(!isOn(el)));
        },
      },
      `${says} `,
      make("span.number.quiet", (state) => {
        const n = counted(state);
        return typeof n === "number" ? count(n) : "…";
      }),
    );
    return el;
  };
  const group = (name: string, ...children: HTMLElement[]) =>
    make(".group", { role: "group", label: name }, children);

  const quirkToggle = ([quirk, tip]: [string, string]) => {
    const isSet = (filter: Filter) => filter.quirk?.includes(quirk) === true;
    // Once seen it stays, so that the others keep their places.
    let seen = false;
    return toggle(
      quirk,
      tip,
      isSet,
      (told) => told.quirks[quirk],
      (on) => {
        const others = store.place.filter.quirk?.filter((other) => other !== quirk) ?? [];
        return { quirk: orNull(on ? [...others, quirk] : others) };
      },
      ({ filter, facets }) => {
        seen ||= isSet(filter) || Boolean(facets.told?.quirks[quirk]);
        return !seen;
      },
    );
  };
  const odd = group("Odd rows");
  const known = new Set<string>();
  make.watch(({ snapshot }) => {
    for (const entry of Object.entries(snapshot.quirks)) {
      if (!known.has(entry[0])) odd.append(quirkToggle(entry));
      known.add(entry[0]);
    }
  });

  const pending = ({ facets: { told, problem } }: State): string => {
    if (!told || problem) return problem || "Counting…";
    if (told.pending.length > 0) return `Looking for ${told.pending.join(", ")}…`;
    return odd.querySelector("button:not([hidden])") ? "" : "Nothing odd was found in the texts.";
  };
  const el = make(
    ".facets",
    make(".title", "Kinds of rows"),
    group(
      "Verdicts",
      ...(Object.keys(VERDICT_WORDS) as Verdict[]).map((verdict) => {
        const says = `${VERDICT_WORDS[verdict]} ${VERDICT_SIGNS[verdict]}`.trim();
        return toggle(
          says,
          "",
          (filter) => filter.verdict === verdict,
          (told) => told.verdicts[verdict],
          (on) => ({ verdict: on ? verdict : null }),
        );
      }),
      toggle(
        "disagreements",
        "The model's label is not the given one",
        ({ disagreements }) => disagreements,
        (told) => told.disagreements,
        (disagreements) => ({ disagreements }),
        ({ blind }) => blind,
      ),
    ),
    odd,
    make(".quiet.pending", pending),
  );
  rove(make, el);
  return el;
}
