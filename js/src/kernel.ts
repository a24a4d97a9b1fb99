/** Questions to the kernel: each is answered once, and asked again with the same id while it is not. */

import { isReply, type Problem, type Reply, type Request, VERSION, type Verb, type Verbs } from "./protocol";

/** The part of anywidget's model that we use. */
export interface Model {
  get(name: string): unknown;
  on(event: string, callback: (...args: unknown[]) => void): void;
  off(event: string, callback: (...args: unknown[]) => void): void;
  send(content: unknown): unknown;
  widget_manager?: { get_model(id: string): Promise<Model> };
}

export class KernelError extends Error {
  constructor(
    readonly kind: string,
    message: string,
  ) {
    super(message);
  }
}

export interface Question<V extends Verb> {
  readonly answer: Promise<{ readonly result: Verbs[V]["result"]; readonly revision: number }>;
  /** Somebody waits for this: ask again until it is answered. */
  urge(): void;
  /** Nobody waits any more: the answer is ignored. */
  drop(): void;
}

interface Open {
  readonly request: Request;
  readonly settle: (reply: Reply) => void;
  readonly fail: (error: KernelError) => void;
  timer: ReturnType<typeof setTimeout> | undefined;
  urged: boolean;
}

const RESEND_MS = [1_500, 5_000, 15_000, 30_000];
const LATE_MS = 1_000;

export const backOff = (schedule: readonly number[], tries: number): number =>
  schedule[Math.min(tries, schedule.length - 1)] ?? 30_000;

export class Kernel {
  /** Starts every id of this view: with bare counters two views would take each other's answers. */
  readonly prefix = [...crypto.getRandomValues(new Uint32Array(2))].map((n) => n.toString(36)).join("");
  dead = false;
  /** An urgent question is open for more than a second. */
  late = false;
  readonly #model: Model;
  readonly #open = new Map<string, Open>();
  readonly #listeners: { reply: (reply: Reply) => void; liveness: () => void };
  #count = 0;
  #lateTimer: ReturnType<typeof setTimeout> | undefined;

  /** `reply` hears every answer, also those to other views; `liveness`: dead or late has changed. */
  constructor(
    model: Model,
    signal: AbortSignal,
    listeners: { reply: (reply: Reply) => void; liveness: () => void },
  ) {
    this.#model = model;
    this.#listeners = listeners;
    const hear = (message: unknown) => this.#hear(message);
    const doubt = () => this.#doubt();
    model.on("msg:custom", hear);
    model.on("comm_live_update", doubt);
    signal.addEventListener("abort", () => {
      model.off("msg:custom", hear);
      model.off("comm_live_update", doubt);
      for (const open of this.#open.values()) clearTimeout(open.timer);
      this.#open.clear();
      clearTimeout(this.#lateTimer);
    });
  }

  nextId(): string {
    this.#count += 1;
    return `${this.prefix}-${this.#count}`;
  }

  ask<V extends Verb>(verb: V, args: Verbs[V]["args"], { patient = false } = {}): Question<V> {
    const request: Request<V> = { v: VERSION, rid: this.nextId(), verb, args };
    const { rid } = request;
    const answer = new Promise<{ result: Verbs[V]["result"]; revision: number }>((resolve, reject) => {
      this.#open.set(rid, {
        request,
        settle: (reply) => {
          if (reply.ok) resolve({ result: reply.result as Verbs[V]["result"], revision: reply.revision });
          else reject(new KernelError(reply.error.kind, reply.error.message));
        },
        fail: reject,
        timer: undefined,
        urged: false,
      });
    });
    if (this.send(request) && !patient) this.#urge(rid);
    return { answer, urge: () => this.#urge(rid), drop: () => this.#close(rid) };
  }

  /** Sends once; false where the kernel is gone. */
  send(request: Request): boolean {
    try {
      // Where the host's send returns a promise, a dead comm rejects it instead of throwing.
      Promise.resolve(this.#model.send(request)).catch(() => this.#die());
      return true;
    } catch {
      this.#die();
      return false;
    }
  }

  #urge(rid: string): void {
    const open = this.#open.get(rid);
    if (!open || open.urged) return;
    open.urged = true;
    let tries = 0;
    const again = () => {
      open.timer = setTimeout(
        () => {
          tries += 1;
          if (this.send(open.request)) again();
        },
        backOff(RESEND_MS, tries),
      );
    };
    again();
    this.#lateTimer ??= setTimeout(() => this.#setLate(true), LATE_MS);
  }

  #close(rid: string): void {
    clearTimeout(this.#open.get(rid)?.timer);
    this.#open.delete(rid);
    if ([...this.#open.values()].some((open) => open.urged)) return;
    clearTimeout(this.#lateTimer);
    this.#lateTimer = undefined;
    this.#setLate(false);
  }

  #setLate(late: boolean): void {
    if (this.late === late) return;
    this.late = late;
    this.#listeners.liveness();
  }

  #hear(message: unknown): void {
    if (!isReply(message)) return;
    if (this.dead) {
      this.dead = false;
      this.#listeners.liveness();
    }
    const open = this.#open.get(message.rid);
    this.#close(message.rid);
    this.#listeners.reply(message);
    open?.settle(message);
  }

  /** The comm has changed its state. Hosts tell so when the kernel goes, but not which way: one question tells. */
  #doubt(): void {
    this.#die();
    this.send({ v: VERSION, rid: this.nextId(), verb: "summary", args: {} });
  }

  #die(): void {
    const gone: Problem = { kind: "dead", message: "The kernel has stopped: re-run the cell." };
    for (const [rid, open] of [...this.#open]) {
      this.#close(rid);
      open.fail(new KernelError(gone.kind, gone.message));
    }
    if (this.dead) return;
    this.dead = true;
    this.#listeners.liveness();
  }
}
