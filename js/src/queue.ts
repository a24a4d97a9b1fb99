/** Decisions on their way: kept in order until each is answered, resent whole with the same op ids. */

import { backOff, type Kernel } from "./kernel";
import { decisionsIn, type Op, type OpResult, type Problem, type Reply, VERSION } from "./protocol";

const RESEND_MS = [2_000, 5_000, 15_000, 30_000];
const LATE_MS = 1_000;

export class DecisionQueue {
  /** No answer for more than a second. */
  late = false;
  readonly #kernel: Kernel;
  readonly #listeners: { answered: (op: Op, result: OpResult) => void; lateness: () => void };
  #open: Op[] = [];
  /** The newest message, and which ops it carried. */
  #out: { rid: string; ids: ReadonlySet<string> } | null = null;
  readonly #sent = new Map<string, ReadonlySet<string>>();
  #tries = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lateTimer: ReturnType<typeof setTimeout> | undefined;
  #settled: (() => void)[] = [];

  constructor(
    kernel: Kernel,
    signal: AbortSignal,
    listeners: { answered: (op: Op, result: OpResult) => void; lateness: () => void },
  ) {
    this.#kernel = kernel;
    this.#listeners = listeners;
    signal.addEventListener("abort", () => this.#leave());
    // A reload loses nothing; the end of the tab loses what a dead kernel cannot hear.
    const warn = (event: Event) => {
      this.#send();
      if (this.#open.length > 0) event.preventDefault();
    };
    globalThis.addEventListener("beforeunload", warn, { signal });
  }

  get open(): readonly Op[] {
    return this.#open;
  }

  push(...ops: readonly Op[]): void {
    this.#open.push(...ops);
    this.#flush();
  }

  /** Resolves once nothing is open. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#open.length === 0) resolve();
      else this.#settled.push(resolve);
    });
  }

  /** Looks for answers to our ops in any reply: after a hand-over they come under another view's id. */
  hear(reply: Reply): void {
    const ours = this.#sent.get(reply.rid);
    const results = new Map(decisionsIn(reply)?.results.map((result) => [result.op_id, result]));
    const error: Problem = reply.ok
      ? { kind: "internal", message: "The kernel left this decision unanswered; see its log." }
      : reply.error;
    const before = this.#open.length;
    for (const op of [...this.#open]) {
      const refused = ours?.has(op.op_id)
        ? { op_id: op.op_id, ok: false as const, error, rows: [] }
        : undefined;
      const result = results.get(op.op_id) ?? refused;
      if (!result) continue;
      this.#open = this.#open.filter((other) => other !== op);
      this.#listeners.answered(op, result);
    }
    this.#sent.delete(reply.rid);
    if (this.#open.length < before) this.#tries = 0;
    this.#flush();
  }

  /** The kernel has died, or is back. */
  liveness(): void {
    if (this.#kernel.dead) this.#rest();
    else this.#send();
  }

  #flush(): void {
    const { ids } = this.#out ?? {};
    if (this.#open.length > 0 && ids && this.#open.some((op) => ids.has(op.op_id))) return;
    this.#rest();
    if (this.#open.length > 0) return this.#send();
    for (const resolve of this.#settled.splice(0)) resolve();
  }

  #rest(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#lateTimer);
    this.#lateTimer = undefined;
    this.#out = null;
    if (this.#open.length === 0) this.#sent.clear();
    this.#setLate(false);
  }

  #send(): void {
    if (this.#open.length === 0 || this.#kernel.dead) return;
    const rid = this.#kernel.nextId();
    this.#out = { rid, ids: new Set(this.#open.map((op) => op.op_id)) };
    this.#sent.set(rid, this.#out.ids);
    this.#lateTimer ??= setTimeout(() => this.#setLate(true), LATE_MS);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        this.#tries += 1;
        this.#send();
      },
      backOff(RESEND_MS, this.#tries),
    );
    this.#kernel.send({ v: VERSION, rid, verb: "decide", args: { ops: [...this.#open] } });
  }

  #setLate(late: boolean): void {
    if (this.late === late) return;
    this.late = late;
    this.#listeners.lateness();
  }

  /** The last message of a view that goes: the kernel drops what it has seen already. */
  #leave(): void {
    this.#send();
    clearTimeout(this.#timer);
    clearTimeout(this.#lateTimer);
  }
}
