/** Decisions on their way: kept in order until each is answered, and resent whole with the same op ids.

The kernel drops an op id that it has seen, so sending too often does no harm, and sending too little loses clicks. */

import { atEnd, makeLateness, makeTimer } from "../dom/timer";
import { NO_ANSWER } from "../dom/words";
import { decisionsIn, type Op, type OpResult, type Problem, type Reply, VERSION } from "../protocol";
import { backOff, type Kernel } from "./kernel";

const RESEND_MS = [2_000, 5_000, 15_000, 30_000];

export function makeDecisionQueue(
  kernel: Kernel,
  signal: AbortSignal,
  answered: (op: Op, result: OpResult) => void,
  onLateness: () => void,
) {
  let pending: Op[] = [];
  /** The ops that the newest message carries; null where no answer is awaited. */
  let inFlight: ReadonlySet<string> | null = null;
  /** The ops of every message that is not answered, by its `rid`. */
  const sent = new Map<string, ReadonlySet<string>>();
  let tries = 0;
  const waitingForAll: (() => void)[] = [];
  // A view that goes sends once more: its last message may have been lost.
  atEnd(signal, send);
  const timer = makeTimer(signal);
  const lateness = makeLateness(signal, onLateness);
  // After a reload the next view sends what is left (unsent.ts). The end of the tab loses it: the browser asks first.
  const warn = (event: Event) => {
    send();
    if (pending.length > 0) event.preventDefault();
  };
  globalThis.addEventListener("beforeunload", warn, { signal });

  const queue = {
    /** Not answered yet, oldest first. */
    get pending(): readonly Op[] {
      return pending;
    },

    /** An answer is late by more than a second. */
    get late(): boolean {
      return lateness.late;
    },

    push(...ops: readonly Op[]): void {
      pending.push(...ops);
      flush();
    },

    /** Resolves once every decision is answered. */
    settled: (): Promise<void> =>
      new Promise((resolve) => {
        waitingForAll.push(resolve);
        if (pending.length === 0) settle();
      }),

    /** Looks for answers to our ops in every reply: after a hand-over they come under another view's id. */
    receive(reply: Reply): void {
      const ours = sent.get(reply.rid);
      const results = new Map(decisionsIn(reply)?.results.map((result) => [result.op_id, result]));
      const error: Problem = reply.ok ? { kind: "internal", message: NO_ANSWER } : reply.error;
      const before = pending.length;
      for (const op of [...pending]) {
        const { op_id } = op;
        const refused = ours?.has(op_id) ? { op_id, ok: false as const, error, rows: [] } : undefined;
        const result = results.get(op_id) ?? refused;
        if (!result) continue;
        pending = pending.filter((other) => other !== op);
        answered(op, result);
      }
      sent.delete(reply.rid);
      if (pending.length < before) tries = 0;
      flush();
    },

    /** The kernel has died, or is back. */
    followKernel(): void {
      if (kernel.dead) pause();
      else send();
    },
  };

  /** Sends the next message once the one before is answered: what is decided meanwhile travels together. */
  function flush(): void {
    if (pending.some((op) => inFlight?.has(op.op_id))) return;
    pause();
    if (pending.length > 0) send();
    else settle();
  }

  function settle(): void {
    for (const resolve of waitingForAll.splice(0)) resolve();
  }

  function pause(): void {
    timer.stop();
    inFlight = null;
    if (pending.length === 0) sent.clear();
    lateness.end();
  }

  function send(): void {
    if (pending.length === 0 || kernel.dead) return;
    const rid = kernel.nextId();
    inFlight = new Set(pending.map((op) => op.op_id));
    sent.set(rid, inFlight);
    lateness.begin();
    timer.start(backOff(RESEND_MS, tries), () => {
      tries += 1;
      send();
    });
    kernel.send({ v: VERSION, rid, verb: "decide", args: { ops: [...pending] } });
  }

  return queue;
}
