/** Whatever gets lost, late or resent: every decision is applied once, in order, and the view ends as the kernel does. */

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { OpKind } from "../src/protocol";
import { answers, makeModel, openStore } from "./steps";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** Mulberry32: the same storm for the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

test.each(Array.from({ length: 20 }, (_, seed) => seed))("storm %i", async (seed) => {
  const next = random(seed);
  const model = makeModel(40, { delay: seed % 2 ? 30 : 0 });
  const { store } = openStore(model);
  await vi.advanceTimersByTimeAsync(100);
  const sent: string[] = [];
  const push = model.send.bind(model);
  model.send = (content) => {
    const { args } = content as { args: { ops?: { op_id: string }[] } };
    for (const { op_id } of args.ops ?? []) if (!sent.includes(op_id)) sent.push(op_id);
    push(content);
  };
  for (let step = 0; step < 120; step += 1) {
    const row = Math.floor(next() * 10);
    const verdicts: OpKind[] = ["keep", "unsure", "remove"];
    const act = next();
    if (act < 0.35) store.toggle(row);
    else if (act < 0.6) store.decide(verdicts[Math.floor(next() * 3)] ?? "keep", row);
    else if (act < 0.7) store.suggest(row, Math.floor(next() * 3));
    else if (act < 0.78) store.decide("note", row, { note: `note ${step}` });
    else if (act < 0.88) model.busy = !model.busy;
    else if (act < 0.94) model.lose += 1;
    else await vi.advanceTimersByTimeAsync(next() * 4_000);
    if (!model.busy) model.release();
    if (next() < 0.3) await answers();
  }
  model.lose = 0;
  model.release();
  await vi.advanceTimersByTimeAsync(120_000);
  expect(store.state.unsaved).toBe(0);
  expect(model.kernel.applied).toEqual(sent);
  for (const { saved: _, selected: __, problem, ...shown } of store.state.rows) {
    expect(shown).toEqual(model.kernel.rows[shown.row]);
    expect(problem).toBe("");
  }
});
