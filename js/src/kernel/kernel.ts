/** Questions to the kernel. Each gets one answer; until then it is asked again with the same id. */

import { atEnd, makeLateness } from "../dom/timer";
import { GONE } from "../dom/words";
import { isReply, type Reply, type Request, VERSION, type Verb, type Verbs } from "../protocol";

/** The part of anywidget's model that we use. */
export interface Model {
  get(name: string): unknown;
  on(event: string, callback: (...args: unknown[]) => void): void;
  off(event: string, callback: (...args: unknown[]) => void): void;
  send(content: unknown): unknown;
  widget_manager?: { get_model(id: string): Promise<Model & { readonly comm_live?: boolean }> };
}

export interface Question<V extends Verb> {
  readonly answer: Promise<{ readonly result: Verbs[V]["result"]; readonly revision: number }>;
  /** Somebody waits for the answer: asks again and again until it comes. */
  urge(): void;
  /** Nobody waits any more: the answer is ignored. */
  drop(): void;
}

/** A question without an answer. */
interface Open {
  readonly request: Request;
  settle(reply: Reply): void;
  fail(error: Error): void;
  timer?: ReturnType<typeof setTimeout>;
  urged?: true;
}

const RESEND_MS = [1_500, 5_000, 15_000, 30_000];

export const backOff = (schedule: readonly number[], tries: number): number =>
  schedule[Math.min(tries, schedule.length - 1)] ?? 30_000;

export type Kernel = ReturnType<typeof makeKernel>;

/** `onReply` gets every answer, also those to other views; `onLiveness` is called when `dead` or `late` changes. */
export function makeKernel(
  model: Model,
  signal: AbortSignal,
  onReply: (reply: Reply) => void,
  onLiveness: () => void,
) {
  /** Starts every id of this view: with bare counters two views would take each other's answers. */
  const prefix = [...crypto.getRandomValues(new Uint32Array(2))].map((n) => n.toString(36)).join("");
  const questions = new Map<string, Open>();
  const lateness = makeLateness(signal, onLiveness);
  let count = 0;

  const kernel = {
    dead: false,

    /** An answer that somebody waits for is late by more than a second. */
    get late(): boolean {
      return lateness.late;
    },

    nextId(): string {
      count += 1;
      return `${prefix}-${count}`;
    },

    /** `patient`: asks once, until somebody urges. */
    ask<V extends Verb>(verb: V, args: Verbs[V]["args"], patient = false): Question<V> {
      const request: Request<V> = { v: VERSION, rid: kernel.nextId(), verb, args };
      const { rid } = request;
      const answer = new Promise<{ result: Verbs[V]["result"]; revision: number }>((resolve, fail) => {
        questions.set(rid, {
          request,
          settle(reply) {
            if (reply.ok) resolve({ result: reply.result as Verbs[V]["result"], revision: reply.revision });
            else fail(new Error(reply.error.message));
          },
          fail,
        });
      });
      if (kernel.send(request) && !patient) urge(rid);
      return { answer, urge: () => urge(rid), drop: () => close(rid) };
    },

    /** Asks, and gives the result alone. */
    call: async <V extends Verb>(
      verb: V,
      args: Verbs[V]["args"],
      patient = false,
    ): Promise<Verbs[V]["result"]> => (await kernel.ask(verb, args, patient).answer).result,

    /** Hosts don't say whether the kernel left or returned; one request finds out. */
    checkAlive(): void {
      markDead();
      kernel.send({ v: VERSION, rid: kernel.nextId(), verb: "summary", args: {} });
    },

    /** Sends once; false where the kernel is gone. */
    send(request: Request): boolean {
      try {
        // Where the host's send returns a promise, a dead comm rejects it instead of throwing.
        Promise.resolve(model.send(request)).catch(markDead);
        return true;
      } catch {
        markDead();
        return false;
      }
    },
  };

  function urge(rid: string): void {
    const open = questions.get(rid);
    if (!open || open.urged) return;
    open.urged = true;
    let tries = 0;
    const again = () => {
      open.timer = setTimeout(
        () => {
          tries += 1;
          if (kernel.send(open.request)) again();
        },
        backOff(RESEND_MS, tries),
      );
    };
    again();
    lateness.begin();
  }

  function close(rid: string): void {
    clearTimeout(questions.get(rid)?.timer);
    questions.delete(rid);
    if (![...questions.values()].some((open) => open.urged)) lateness.end();
  }

  function receive(message: unknown): void {
    if (!isReply(message)) return;
    if (kernel.dead) {
      kernel.dead = false;
      onLiveness();
    }
    const open = questions.get(message.rid);
    close(message.rid);
    onReply(message);
    open?.settle(message);
  }

  function markDead(): void {
    for (const [rid, open] of [...questions]) {
      close(rid);
      open.fail(new Error(GONE));
    }
    if (kernel.dead) return;
    kernel.dead = true;
    onLiveness();
  }

  model.on("msg:custom", receive);
  model.on("comm_live_update", kernel.checkAlive);
  atEnd(signal, () => {
    model.off("msg:custom", receive);
    model.off("comm_live_update", kernel.checkAlive);
    for (const { timer } of questions.values()) clearTimeout(timer);
    questions.clear();
  });

  return kernel;
}
