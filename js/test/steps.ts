/** What the unit tests share: a small review, a view of it, and waiting for the fake kernel's microtasks. */

import type { Request } from "../src/protocol";
import { makeStore, type Store } from "../src/state/store";
import { type Example, FakeKernel, FakeModel, type Setup } from "./fake-kernel";

export const LABELS = ["Business", "Sci/Tech", "Sports", "World"];

/** Given label `row % 4`, predicted the next one with 0.9; a higher row has a lower loss. */
export function example(row: number): Example {
  const low = 0.001 + row * 1e-5;
  const probs = LABELS.map((_, id) => (id === row % 4 ? low : id === (row + 1) % 4 ? 0.9 : (0.1 - low) / 2));
  return { text: `example number ${row}`, given: row % 4, probs };
}

/** `ids`: how the labels are numbered. */
export const examples = (count: number, ids = [0, 1, 2, 3]): Example[] =>
  Array.from({ length: count }, (_, row) => {
    const { given, probs, ...rest } = example(row);
    const named = ids.map((_, id) => probs?.[ids.indexOf(id)] ?? 0);
    return { ...rest, given: ids[given ?? 0] ?? 0, probs: named };
  });

export function makeModel(count = 100, setup: Partial<Setup> = {}): FakeModel {
  return new FakeModel(
    new FakeKernel({ labels: LABELS, examples: examples(count), page_size: 10, ...setup }),
  );
}

export interface Opened {
  readonly model: FakeModel;
  readonly store: Store;
  readonly close: () => void;
}

const opened: Opened[] = [];

export function closeAll(): void {
  for (const view of opened.splice(0)) view.close();
}

export function openStore(model: FakeModel): Opened {
  const ending = new AbortController();
  const store = makeStore(model, ending.signal);
  store.open();
  const view = { model, store, close: () => ending.abort() };
  opened.push(view);
  return view;
}

/** Lets every answer that is on its way arrive; works under fake timers too. */
export async function answers(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

export const heard = (model: FakeModel, verb: string) =>
  model.kernel.heard.filter((request) => request.verb === verb);

export const opIds = (model: FakeModel): string[][] =>
  heard(model, "decide").map((request) => (request as Request<"decide">).args.ops.map((op) => op.op_id));
