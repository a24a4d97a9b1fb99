/** The fake kernel behind anywidget's model, as a view knows it. */

import type { Model } from "../src/kernel/kernel";
import type { Request } from "../src/protocol";
import type { FakeKernel } from "./fake-kernel";

type Callback = (...args: unknown[]) => void;

/** The tiny second widget on whose comm Python tells what it did. */
export class FakeAnnouncements {
  readonly #callbacks = new Map<string, Set<Callback>>();
  readonly #kernel: FakeKernel;

  constructor(kernel: FakeKernel) {
    this.#kernel = kernel;
  }

  get(name: string): unknown {
    const { revision, readOnly: read_only, snapshot } = this.#kernel;
    return { revision, read_only, snapshot }[name];
  }

  on(event: string, callback: Callback): void {
    this.#callbacks.set(event, (this.#callbacks.get(event) ?? new Set()).add(callback));
  }

  off(event: string, callback: Callback): void {
    this.#callbacks.get(event)?.delete(callback);
  }

  tell(): void {
    for (const callback of this.#callbacks.get("change") ?? []) callback();
  }
}

/** Stands in for anywidget's model: what any view sends goes to the kernel, what it answers to every view. */
export class FakeModel implements Model {
  readonly kernel: FakeKernel;
  readonly announcements: FakeAnnouncements;
  readonly widget_manager: { get_model(id: string): Promise<Model> };
  /** A busy kernel hears nothing until `release`. */
  busy = false;
  dead = false;
  /** How many of the next answers get lost on their way. */
  lose = 0;
  readonly #callbacks = new Map<string, Set<Callback>>();
  readonly #held: Request[] = [];

  constructor(kernel: FakeKernel) {
    this.kernel = kernel;
    this.announcements = new FakeAnnouncements(kernel);
    this.widget_manager = { get_model: async () => this.announcements as unknown as Model };
  }

  get(name: string): unknown {
    if (name === "snapshot") return this.kernel.snapshot;
    return name === "announcements" ? "IPY_MODEL_1" : undefined;
  }

  on(event: string, callback: Callback): void {
    this.#callbacks.set(event, (this.#callbacks.get(event) ?? new Set()).add(callback));
  }

  off(event: string, callback: Callback): void {
    this.#callbacks.get(event)?.delete(callback);
  }

  listeners(): number {
    return [...this.#callbacks.values()].reduce((sum, callbacks) => sum + callbacks.size, 0);
  }

  send(content: unknown): void {
    if (this.dead) throw new Error("Cannot send");
    const request = structuredClone(content) as Request;
    if (this.busy) this.#held.push(request);
    else this.#answer(request);
  }

  /** The running cell ends: everything that waited is answered, in order. */
  release(): void {
    this.busy = false;
    for (const request of this.#held.splice(0)) this.#answer(request);
  }

  die(): void {
    this.dead = true;
    this.emit("comm_live_update");
  }

  emit(event: string, ...args: unknown[]): void {
    for (const callback of [...(this.#callbacks.get(event) ?? [])]) callback(...args);
  }

  #answer(request: Request): void {
    const reply = structuredClone(this.kernel.answer(request));
    if (this.lose > 0) {
      this.lose -= 1;
      return;
    }
    const tell = () => this.emit("msg:custom", reply, []);
    const { delay = 0 } = this.kernel.setup;
    if (delay > 0) setTimeout(tell, delay);
    else queueMicrotask(tell);
  }
}
