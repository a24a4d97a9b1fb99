/** What the open panes show of all rows: asked for only while somebody looks, each question once at a time. */

import type { Kernel, Question } from "./kernel";
import type { Filter, Verbs } from "./protocol";

type LookVerb = "histogram" | "confusion" | "facets" | "progress";

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

/** What the pane itself sets is no part of its question; null: no filter is. */
const OWN: { readonly [V in LookVerb]: Partial<Filter> | null } = {
  histogram: { loss_range: null },
  confusion: { given: null, predicted: null },
  facets: {},
  progress: null,
};

/** One pane's question, and the newest answer to it. */
export class Look<V extends LookVerb> {
  told: Verbs[V]["result"] | null = null;
  /** Why there is no answer; empty otherwise. */
  problem = "";
  readonly #verb: V;
  readonly #kernel: Kernel;
  readonly #changed: () => void;
  #open = false;
  #moment: Moment | null = null;
  /** What `told` is the answer to. */
  #about = "";
  #revision = -1;
  #out: { readonly question: Question<V>; readonly since: number } | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timed = "";

  constructor(verb: V, kernel: Kernel, signal: AbortSignal, changed: () => void) {
    this.#verb = verb;
    this.#kernel = kernel;
    this.#changed = changed;
    signal.addEventListener("abort", () => clearTimeout(this.#timer));
  }

  get open(): boolean {
    return this.#open;
  }

  set open(open: boolean) {
    this.#open = open;
    if (this.#moment) this.follow(this.#moment);
  }

  /** Asks, now or in a moment, if what is shown is out of date. */
  follow(moment: Moment): void {
    this.#moment = moment;
    const about = this.#question(moment);
    const stale = about !== this.#about;
    if (!this.#open || !moment.quiet || (!stale && moment.revision <= this.#revision)) return;
    if (this.#out) {
      if (Date.now() - this.#out.since < GIVEN_UP_MS) return;
      this.#out.question.drop();
      this.#out = null;
    }
    if (stale && this.#timed !== about) clearTimeout(this.#timer);
    else if (this.#timer !== undefined) return;
    this.#askIn(stale ? 0 : AFTER_DECISION_MS, about);
  }

  #askIn(pause: number, about: string): void {
    clearTimeout(this.#timer);
    this.#timed = about;
    this.#timer = setTimeout(() => this.#ask(), pause);
  }

  #ask(): void {
    this.#timer = undefined;
    const moment = this.#moment;
    if (!moment?.quiet || !this.#open || this.#out) return;
    const about = this.#question(moment);
    const own = OWN[this.#verb];
    const query = { ...moment.filter, ...own, offset: 0, limit: 1, as_of: null };
    const args = (own ? { query } : {}) as Verbs[V]["args"];
    const question = this.#kernel.ask(this.#verb, args, { patient: true });
    this.#out = { question, since: Date.now() };
    question.answer
      .then(
        ({ result, revision }) => this.#take(result, about, revision),
        (error: Error) => this.#fail(error.message, about, moment.revision),
      )
      .finally(() => {
        if (this.#out?.question !== question) return;
        this.#out = null;
        this.#changed();
      });
  }

  #take(told: Verbs[V]["result"], about: string, revision: number): void {
    if (this.#moment && this.#question(this.#moment) !== about) return;
    this.told = told;
    this.problem = "";
    this.#revision = Math.max(revision, this.#moment?.revision ?? 0);
    this.#about = about;
    if ("pending" in told && told.pending.length > 0) {
      this.#revision = -1;
      this.#askIn(BETWEEN_QUIRKS_MS, about);
    }
  }

  #fail(message: string, about: string, revision: number): void {
    if (this.#kernel.dead) return;
    this.problem = message;
    this.#about = about;
    this.#revision = revision;
  }

  #question({ filter, draws }: Moment): string {
    const own = OWN[this.#verb];
    return JSON.stringify(own ? [{ ...filter, ...own, sort: "", descending: true }, draws] : [draws]);
  }
}

export class Navigators {
  readonly histogram: Look<"histogram">;
  readonly confusion: Look<"confusion">;
  readonly facets: Look<"facets">;
  readonly progress: Look<"progress">;

  /** `found`: every quirk has been looked for, after an answer in which some had not. */
  constructor(kernel: Kernel, signal: AbortSignal, changed: () => void, found: () => void) {
    this.histogram = new Look("histogram", kernel, signal, changed);
    this.confusion = new Look("confusion", kernel, signal, changed);
    let pending = 0;
    this.facets = new Look("facets", kernel, signal, () => {
      const before = pending;
      pending = this.facets.told?.pending.length ?? 0;
      if (before > 0 && pending === 0) found();
      changed();
    });
    this.progress = new Look("progress", kernel, signal, changed);
  }

  follow(moment: Moment): void {
    for (const look of [this.histogram, this.confusion, this.facets, this.progress]) look.follow(moment);
  }
}

export type PaneName = Exclude<keyof Navigators, "follow">;
