/** What the open panes show of all rows: asked for only while somebody looks, each question once at a time. */

import { makeTimer } from "../dom/timer";
import type { Filter, Verbs } from "../protocol";
import type { Kernel, Question } from "./kernel";

/** What is asked, and what the pane itself sets and so is no part of its question; null: no filter is. */
const OWN = {
  histogram: { loss_range: null },
  confusion: { given: null, predicted: null },
  facets: {},
  progress: null,
} as const satisfies Partial<Record<keyof Verbs, Partial<Filter> | null>>;

export type PaneName = keyof typeof OWN;

/** What is known for one pane. */
export interface Pane<V extends PaneName> {
  readonly open: boolean;
  /** The newest answer. */
  readonly told: Verbs[V]["result"] | null;
  /** Why there is no answer; empty otherwise. */
  readonly problem: string;
}

export type Panes = { readonly [V in PaneName]: Pane<V> };

/** What the panes are about now. */
export interface Moment {
  readonly filter: Filter;
  readonly revision: number;
  /** Spot checks drawn here: a draw changes the progress, and is no decision. */
  readonly draws: number;
  /** No page is on its way, and the kernel lives: pages go before panes. */
  readonly quiet: boolean;
}

/** Decisions fall quickly: the panes follow once in a while. */
const AFTER_DECISION_MS = 800;
/** An answer that is as late as this was lost, or nobody knows: then the next change asks again. */
const GIVEN_UP_MS = 20_000;
const BETWEEN_QUIRKS_MS = 150;

/** One pane's question, and the newest answer to it. */
function makeLook<V extends PaneName>(verb: V, kernel: Kernel, signal: AbortSignal, changed: () => void) {
  let isOpen = false;
  let moment: Moment | null = null;
  /** What `told` is the answer to. */
  let known = "";
  let revision = -1;
  let out: { readonly question: Question<V>; readonly since: number } | null = null;
  const timer = makeTimer(signal);
  let timed = "";

  const look = {
    told: null as Verbs[V]["result"] | null,
    /** Why there is no answer; empty otherwise. */
    problem: "",

    get open(): boolean {
      return isOpen;
    },
    set open(open: boolean) {
      isOpen = open;
      if (moment) look.follow(moment);
    },

    get pane(): Pane<V> {
      const { told, problem } = look;
      return { open: isOpen, told, problem };
    },

    /** Asks, now or in a moment, if what is shown is out of date. */
    follow(now: Moment): void {
      moment = now;
      const about = aboutOf(now);
      const stale = about !== known;
      if (!isOpen || !now.quiet || (!stale && now.revision <= revision)) return;
      if (out) {
        if (Date.now() - out.since < GIVEN_UP_MS) return;
        out.question.drop();
        out = null;
      }
      if (timer.runs && !(stale && timed !== about)) return;
      askIn(stale ? 0 : AFTER_DECISION_MS, about);
    },
  };

  function askIn(pause: number, about: string): void {
    timed = about;
    timer.start(pause, ask);
  }

  function ask(): void {
    if (!moment?.quiet || !isOpen || out) return;
    const about = aboutOf(moment);
    const asked = moment.revision;
    const own = OWN[verb];
    const query = { ...moment.filter, ...own, offset: 0, limit: 1, as_of: null };
    const question = kernel.ask(verb, (own ? { query } : {}) as Verbs[V]["args"], true);
    out = { question, since: Date.now() };
    question.answer
      .then(
        ({ result, revision: at }) => take(result, about, at),
        (error: Error) => {
          if (kernel.dead) return;
          look.problem = error.message;
          known = about;
          revision = asked;
        },
      )
      .finally(() => {
        if (out?.question !== question) return;
        out = null;
        changed();
      });
  }

  function take(told: Verbs[V]["result"], about: string, at: number): void {
    if (moment && aboutOf(moment) !== about) return;
    look.told = told;
    look.problem = "";
    revision = Math.max(at, moment?.revision ?? 0);
    known = about;
    if ("pending" in told && told.pending.length > 0) {
      revision = -1;
      askIn(BETWEEN_QUIRKS_MS, about);
    }
  }

  const aboutOf = ({ filter, draws }: Moment): string =>
    JSON.stringify([OWN[verb] && { ...filter, ...OWN[verb], sort: "", descending: true }, draws]);

  return look;
}

export type Navigators = ReturnType<typeof makeNavigators>;

/** `found`: every quirk has been looked for, after an answer in which some had not. */
export function makeNavigators(kernel: Kernel, signal: AbortSignal, changed: () => void, found: () => void) {
  const look = <V extends PaneName>(verb: V, then = changed) => makeLook(verb, kernel, signal, then);
  let pending = 0;
  const facets = look("facets", () => {
    const before = pending;
    pending = facets.told?.pending.length ?? 0;
    if (before > 0 && pending === 0) found();
    changed();
  });
  return { histogram: look("histogram"), confusion: look("confusion"), facets, progress: look("progress") };
}
