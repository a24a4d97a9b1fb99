/** What the panes show. A pane asks only while it is open, and has at most one question on its way. */

import { makeTimer } from "../dom/timer";
import type { Filter, Verbs } from "../protocol";
import type { Kernel, Question } from "./kernel";

/** Each pane, with the filters that it sets itself: its answer leaves them aside. null: its answer is about all rows. */
const OWN_FILTERS = {
  histogram: { loss_range: null },
  confusion: { given: null, predicted: null },
  facets: {},
  progress: null,
} as const satisfies Partial<Record<keyof Verbs, Partial<Filter> | null>>;

export type PaneName = keyof typeof OWN_FILTERS;

/** What a view shows of one pane. */
export interface Pane<V extends PaneName> {
  readonly open: boolean;
  /** The newest answer. */
  readonly answer: Verbs[V]["result"] | null;
  /** Why there is no answer; empty otherwise. */
  readonly problem: string;
}

export type Panes = { readonly [V in PaneName]: Pane<V> };

/** What the answers depend on. */
export interface Moment {
  readonly filter: Filter;
  readonly revision: number;
  /** Spot checks drawn in this view: a draw changes the progress without being a decision. */
  readonly spotChecks: number;
  /** The kernel lives and no page is on its way: pages go before panes. */
  readonly quiet: boolean;
}

/** Decisions come fast, and an answer costs the kernel a pass over all rows: the panes follow once in a while. */
const AFTER_DECISION_MS = 800;
/** After this long an answer counts as lost, and the next change asks again. */
const GIVEN_UP_MS = 20_000;
const BETWEEN_QUIRKS_MS = 150;

function makePane<V extends PaneName>(verb: V, kernel: Kernel, signal: AbortSignal, changed: () => void) {
  let isOpen = false;
  let moment: Moment | null = null;
  /** The question that `answer` is for, as `keyOf` writes it, and the revision that it knows. */
  let answeredFor = "";
  let revision = -1;
  let inFlight: { readonly question: Question<V>; readonly since: number } | null = null;
  const timer = makeTimer(signal);
  /** The question that the timer will ask. */
  let timed = "";

  const pane = {
    answer: null as Verbs[V]["result"] | null,
    problem: "",

    get open(): boolean {
      return isOpen;
    },
    set open(open: boolean) {
      isOpen = open;
      if (moment) pane.update(moment);
    },

    get shown(): Pane<V> {
      const { answer, problem } = pane;
      return { open: isOpen, answer, problem };
    },

    /** Asks, now or in a moment, where what is shown is out of date. */
    update(now: Moment): void {
      moment = now;
      const key = keyOf(now);
      const isStale = key !== answeredFor;
      if (!isOpen || !now.quiet || (!isStale && now.revision <= revision)) return;
      if (inFlight) {
        if (Date.now() - inFlight.since < GIVEN_UP_MS) return;
        inFlight.question.drop();
        inFlight = null;
      }
      if (timer.runs && !(isStale && timed !== key)) return;
      askIn(isStale ? 0 : AFTER_DECISION_MS, key);
    },
  };

  function askIn(pause: number, key: string): void {
    timed = key;
    timer.start(pause, ask);
  }

  function ask(): void {
    if (!moment?.quiet || !isOpen || inFlight) return;
    const key = keyOf(moment);
    const asked = moment.revision;
    const own = OWN_FILTERS[verb];
    const query = { ...moment.filter, ...own, offset: 0, limit: 1, as_of: null };
    const question = kernel.ask(verb, (own ? { query } : {}) as Verbs[V]["args"], true);
    inFlight = { question, since: Date.now() };
    question.answer
      .then(
        ({ result, revision: at }) => take(result, key, at),
        (error: Error) => {
          if (kernel.dead) return;
          pane.problem = error.message;
          answeredFor = key;
          revision = asked;
        },
      )
      .finally(() => {
        if (inFlight?.question !== question) return;
        inFlight = null;
        changed();
      });
  }

  function take(answer: Verbs[V]["result"], key: string, at: number): void {
    if (moment && keyOf(moment) !== key) return;
    pane.answer = answer;
    pane.problem = "";
    revision = Math.max(at, moment?.revision ?? 0);
    answeredFor = key;
    if ("pending" in answer && answer.pending.length > 0) {
      // The kernel looks for one quirk at a time, so that it can answer clicks in between: ask for the next one.
      revision = -1;
      askIn(BETWEEN_QUIRKS_MS, key);
    }
  }

  const keyOf = ({ filter, spotChecks }: Moment): string => {
    const own = OWN_FILTERS[verb];
    return JSON.stringify([own && { ...filter, ...own, sort: "", descending: true }, spotChecks]);
  };

  return pane;
}

export type PaneData = ReturnType<typeof makePaneData>;

/** `allFound` is called when every quirk has been looked for, after an answer in which some had not. */
export function makePaneData(kernel: Kernel, signal: AbortSignal, changed: () => void, allFound: () => void) {
  const pane = <V extends PaneName>(verb: V, then = changed) => makePane(verb, kernel, signal, then);
  let pending = 0;
  const facets = pane("facets", () => {
    const before = pending;
    pending = facets.answer?.pending.length ?? 0;
    if (before > 0 && pending === 0) allFound();
    changed();
  });
  return { histogram: pane("histogram"), confusion: pane("confusion"), facets, progress: pane("progress") };
}
