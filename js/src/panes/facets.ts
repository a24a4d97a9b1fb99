/** Verdicts, disagreements and data issues with their counts; each is a filter that is on or off. */

import { isOn, type Make } from "../dom/dom";
import { count } from "../dom/numbers";
import { rovingFocus } from "../dom/roving-focus";
import { COUNTING, nullIfEmpty, VERDICT_SIGNS, VERDICT_WORDS } from "../dom/words";
import type { Facets, Filter, Verdict } from "../protocol";
import type { State } from "../state/state";
import type { Store } from "../state/store";

export function makeFacets(make: Make<State>, store: Store): HTMLElement {
  /** `rows` gives the count; undefined while nobody has counted. */
  const toggle = (
    label: string,
    title: string,
    isSet: (filter: Filter) => boolean,
    rows: (answer: Facets) => number | undefined,
    patch: (on: boolean) => Partial<Filter>,
    hidden: (state: State) => boolean = () => false,
  ) => {
    const counted = ({ facets }: State) => facets.answer && rows(facets.answer);
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
      `${label} `,
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
    // Once found it stays, so that the others keep their places.
    let found = false;
    return toggle(
      quirk,
      tip,
      isSet,
      (answer) => answer.quirks[quirk],
      (on) => {
        const others = store.position.filter.quirk?.filter((other) => other !== quirk) ?? [];
        return { quirk: nullIfEmpty(on ? [...others, quirk] : others) };
      },
      ({ filter, facets }) => {
        found ||= isSet(filter) || Boolean(facets.answer?.quirks[quirk]);
        return !found;
      },
    );
  };
  const issues = group("Data issues");
  const known = new Set<string>();
  make.watch(({ snapshot }) => {
    for (const entry of Object.entries(snapshot.quirks)) {
      if (!known.has(entry[0])) issues.append(quirkToggle(entry));
      known.add(entry[0]);
    }
  });

  const pending = ({ facets: { answer, problem } }: State): string => {
    if (!answer || problem) return problem || COUNTING;
    if (answer.pending.length > 0) return `Looking for ${answer.pending.join(", ")}…`;
    return issues.querySelector("button:not([hidden])") ? "" : "No data issues were found in the texts.";
  };
  const el = make(
    ".facets",
    make(".title", "Verdicts and data issues"),
    group(
      "Verdicts",
      ...(Object.keys(VERDICT_WORDS) as Verdict[]).map((verdict) => {
        const words = VERDICT_WORDS[verdict];
        return toggle(
          `${words} ${VERDICT_SIGNS[verdict]}`.trim(),
          `Only rows that are ${words}`,
          (filter) => filter.verdict === verdict,
          (answer) => answer.verdicts[verdict],
          (on) => ({ verdict: on ? verdict : null }),
        );
      }),
      toggle(
        "disagreements",
        "Only rows whose predicted label is not the given one",
        ({ disagreements }) => disagreements,
        (answer) => answer.disagreements,
        (disagreements) => ({ disagreements }),
        ({ blind }) => blind,
      ),
    ),
    issues,
    make(".quiet.pending", pending),
  );
  rovingFocus(make, el);
  return el;
}
