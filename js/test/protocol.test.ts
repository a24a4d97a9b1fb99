/** Both languages read tests/protocol_cases.json: what the kernel's side sends there is what this side is tested with. */

import { expect, test } from "vitest";
import cases from "../../tests/protocol_cases.json";
import { decisionsIn, isReply, type Reply, type Request, VERSION } from "../src/protocol";
import { FakeKernel, FakeModel, type Setup } from "./fake-kernel";
import { answers, openStore } from "./steps";

const kernel = (setup: Partial<Setup> = {}) =>
  new FakeKernel({
    ...setup,
    labels: ["bad", "good", "Sci/Tech"],
    examples: [
      { text: "fine", given: 1, probs: [0.125, 0.75, 0.125] },
      { text: "awful", given: 1, probs: [0.75, 0.125, 0.125] },
      { text: "long ".repeat(500), given: null, probs: [0.25, 0.25, 0.5], note_of_score: "no label" },
    ],
  });

/** Names and types instead of values. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shape);
  if (value === null || typeof value !== "object") return value === null ? "null" : typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, shape(part)]));
}

const states = (reply: Reply) =>
  decisionsIn(reply)?.results.map(({ ok, rows }) => [
    ok,
    ...rows.map(({ loss_after: _, ...state }) => state),
  ]);

test("every answer of the kernel is understood, and the fake kernel gives the same one", () => {
  const fake = kernel();
  for (const { name, request, reply } of cases.exchanges) {
    const mine = fake.answer(request as unknown as Request);
    expect(isReply(reply), name).toBe(true);
    expect(shape(mine), name).toEqual(shape(reply));
    expect(states(mine), name).toEqual(states(reply as Reply));
    expect(mine.revision, name).toBe(reply.revision);
  }
});

test("what the kernel refuses is never sent", async () => {
  const model = new FakeModel(kernel({ countLater: true }));
  const { store } = openStore(model);
  await answers();
  store.filterBy({ search: "l" });
  await answers();
  store.toggle(0);
  store.decide("note", 1, { note: "short" });
  store.decide("keep", 2);
  await answers();
  store.undo();
  const long = store.row(2);
  if (long) store.rowDetails.wholeText(long);
  await store.export();
  const requests = cases.exchanges.map(({ request }) => request);
  for (const message of model.kernel.heard) {
    expect(message.v).toBe(VERSION);
    const [like] = requests.filter(({ verb }) => verb === message.verb);
    expect(Object.keys(message).sort()).toEqual(Object.keys(like ?? {}).sort());
    expect(Object.keys(message.args)).toEqual(Object.keys(like?.args ?? {}));
    if ("query" in message.args) {
      const query = (like?.args as { query?: object } | undefined)?.query ?? {};
      expect(Object.keys(message.args.query).sort()).toEqual(Object.keys(query).sort());
    }
    if ("ops" in message.args)
      for (const op of message.args.ops)
        expect(Object.keys(op).sort()).toEqual(["from", "kind", "label", "note", "op_id", "rows"]);
  }
  expect(new Set(model.kernel.heard.map(({ verb }) => verb)).size).toBe(6);
});
