import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Facets } from "../src/protocol";
import { answers, heard, makeModel, type Opened, openStore } from "./steps";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Everything that is waiting is asked and answered. */
async function settle(ms = 2_000): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) {
    await answers();
    await vi.advanceTimersByTimeAsync(ms / 10);
  }
  await answers();
}

async function opened(count = 100): Promise<Opened> {
  const view = openStore(makeModel(count));
  await settle();
  return view;
}

test("a closed pane asks nothing, an open one once", async () => {
  const { model, store } = await opened();
  expect(heard(model, "histogram")).toHaveLength(0);
  store.setPaneOpen("histogram", true);
  await settle();
  expect(heard(model, "histogram")).toHaveLength(1);
  expect(store.state.histogram.answer?.rows.reduce((sum, n) => sum + n)).toBe(100);
});

test("what a pane itself sets does not change what it shows, other filters do", async () => {
  const { model, store } = await opened();
  store.setPaneOpen("histogram", true);
  store.setPaneOpen("confusion", true);
  await settle();
  store.filterBy({ loss_range: [0, 7] });
  store.filterBy({ given: "World" });
  await settle();
  expect(heard(model, "confusion")).toHaveLength(2);
  expect(heard(model, "histogram")).toHaveLength(2);
  expect(store.state.histogram.answer?.rows.reduce((sum, n) => sum + n)).toBe(25);
});

test("many quick decisions make few questions, and the last answer counts them all", async () => {
  const { model, store } = await opened();
  store.setPaneOpen("confusion", true);
  await settle();
  for (let row = 0; row < 10; row += 1) {
    store.decide("keep", row);
    await answers();
    await vi.advanceTimersByTimeAsync(100);
  }
  await settle();
  expect(heard(model, "confusion").length).toBeLessThanOrEqual(4);
  expect(store.state.confusion.answer?.cells.reduce((sum, { reviewed }) => sum + reviewed, 0)).toBe(10);
});

test("while the kernel is busy one question waits, however many filters are tried; its late answer is not shown", async () => {
  const { model, store } = await opened();
  store.setPaneOpen("confusion", true);
  model.busy = true;
  await settle();
  for (const predicted of ["World", "Sports"]) {
    store.filterBy({ search: predicted });
    await settle();
  }
  model.release();
  await answers();
  expect(store.state.confusion.answer).toBeNull();
  await settle();
  expect(heard(model, "confusion").length).toBe(2);
  expect(store.state.confusion.answer?.rows).toBe(0);
});

test("quirks that the kernel has yet to look for are asked for until none is left, then the rows are read again", async () => {
  const { model, store } = await opened();
  const whole = model.kernel.answer.bind(model.kernel);
  let left = 3;
  model.kernel.answer = (request) => {
    const reply = whole(request);
    if (request.verb !== "facets" || !reply.ok) return reply;
    left = Math.max(0, left - 1);
    return { ...reply, result: { ...(reply.result as Facets), pending: ["markup", "empty"].slice(0, left) } };
  };
  const pages = heard(model, "page").length;
  store.setPaneOpen("facets", true);
  await settle();
  expect(heard(model, "facets")).toHaveLength(3);
  expect(heard(model, "page").length).toBeGreaterThan(pages);
});

test("a pane that was refused says why, and asks again with the next filter", async () => {
  const { model, store } = await opened();
  const whole = model.kernel.answer.bind(model.kernel);
  const error = { kind: "input" as const, message: "No such thing" };
  model.kernel.answer = (request) =>
    request.verb === "confusion" ? { ...whole(request), ok: false as const, error } : whole(request);
  store.setPaneOpen("confusion", true);
  await settle(60_000);
  expect(store.state.confusion.problem).toBe("No such thing");
  expect(heard(model, "confusion")).toHaveLength(1);
  model.kernel.answer = whole;
  store.filterBy({ verdict: "" });
  await settle();
  expect(store.state.confusion.problem).toBe("");
  expect(store.state.confusion.answer?.rows).toBe(100);
});

test("blind, no row tells what the model thinks, a click has nothing to take, and telling filters are off", async () => {
  const { store } = await opened();
  store.filterBy({ predicted: "World", disagreements: true, given: "Sports" });
  await settle();
  store.toggleBlind();
  await settle();
  expect(store.state.filter).toMatchObject({ predicted: null, disagreements: false, given: "Sports" });
  for (const row of store.state.rows) {
    expect(row).toMatchObject({ predicted: null, probabilities: null, loss: null, margin: null });
    expect(store.toggle(row.row)).toBe(false);
  }
  store.decide("relabel", 2, { label: 0 });
  await settle();
  expect(store.row(2)).toMatchObject({ verdict: "relabel", label: 0, loss_after: null });
  store.toggleBlind();
  expect(store.row(2)?.loss_after).toBeGreaterThan(0);
});

test("a spot check shows the drawn rows alone, and the progress of it", async () => {
  const { model, store } = await opened();
  store.setPaneOpen("progress", true);
  store.filterBy({ given: "Sports", loss_range: [0, 1] });
  await settle();
  expect(store.state.progress.answer?.errors_left).toBeNull();
  await store.spotCheck(30);
  await settle();
  expect(store.state.filter).toMatchObject({ spot_check: true, given: null, loss_range: null });
  expect(store.state.total).toBe(30);
  expect(store.state.progress.answer?.errors_left).toMatchObject({ drawn: 30, judged: 0, needed: 20 });
  model.die();
  await store.spotCheck(60);
  expect(heard(model, "spot_check")).toHaveLength(1);
});
