/** Decisions on their way: kept in order until each is answered, resent whole with the same op ids. */

import { atEnd, makeTimer, makeWaiting } from "../dom/timer";
import { decisionsIn, type Op, type OpResult, type Problem, type Reply, VERSION } from "../protocol";
import { backOff, type Kernel } from "./kernel";

const RESEND_MS = [2_000, 5_000, 15_000, 30_000];

export function makeQueue(
  kernel: Kernel,
  signal: AbortSignal,
  answered: (op: Op, result: OpResult) => void,
  lateness: () => void,
) {
  let open: Op[] = [];
  /** The ops that the newest message carried. */
  let out: ReadonlySet<string> | null = null;
  const sent = new Map<string, ReadonlySet<string>>();
  let tries = 0;
  const settled: (() => void)[] = [];
  // The last message of a view that goes: the kernel drops what it has seen already.
  atEnd(signal, send);
  const timer = makeTimer(signal);
  const waiting = makeWaiting(signal, lateness);
  // A reload loses nothing; the end of the tab loses what a dead kernel cannot hear.
  const warn = (event: Event) => {
    send();
    if (open.length > 0) event.preventDefault();
  };
  globalThis.addEventListener("beforeunload", warn, { signal });

  const queue = {
    get open(): readonly Op[] {
      return open;
    },

    /** No answer for more than a second. */
    get late(): boolean {
      return waiting.late;
    },

    push(...ops: readonly Op[]): void {
      open.push(...ops);
      flush();
    },

    /** Resolves once nothing is open. */
    settled: (): Promise<void> =>
      new Promise((resolve) => {
        settled.push(resolve);
        if (open.length === 0) settle();
      }),

    /** Looks for answers to our ops in any reply: after a hand-over they come under another view's id. */
    hear(reply: Reply): void {
      const ours = sent.get(reply.rid);
      const results = new Map(decisionsIn(reply)?.results.map((result) => [result.op_id, result]));
      const error: Problem = reply.ok
        ? { kind: "internal", message: "The kernel gave no answer; see its log." }
        : reply.error;
      const before = open.length;
      for (const op of [...open]) {
        const { op_id } = op;
        const refused = ours?.has(op_id) ? { op_id, ok: false as const, error, rows: [] } : undefined;
        const result = results.get(op_id) ?? refused;
        if (!result) continue;
        open = open.filter((other) => other !== op);
        answered(op, result);
      }
      sent.delete(reply.rid);
      if (open.length < before) tries = 0;
      flush();
    },

    /** The kernel has died, or is back. */
    liveness(): void {
      if (kernel.dead) rest();
      else send();
    },
  };

  function flush(): void {
    if (open.some((op) => out?.has(op.op_id))) return;
    rest();
    if (open.length > 0) send();
    else settle();
  }

  function settle(): void {
    for (const resolve of settled.splice(0)) resolve();
  }

  function rest(): void {
    timer.stop();
    out = null;
    if (open.length === 0) sent.clear();
    waiting.end();
  }

  function send(): void {
    if (open.length === 0 || kernel.dead) return;
    const rid = kernel.nextId();
    out = new Set(open.map((op) => op.op_id));
    sent.set(rid, out);
    waiting.begin();
    timer.start(backOff(RESEND_MS, tries), () => {
      tries += 1;
      send();
    });
    kernel.send({ v: VERSION, rid, verb: "decide", args: { ops: [...open] } });
  }

  return queue;
}
