/** Both languages read tests/protocol_cases.json: what the kernel's side sends there is what this side is tested with. */

import { expect, test } from "vitest";
import cases from "../../tests/protocol_cases.json";
import { isReply, type Request, VERSION } from "../src/protocol";
import { FakeKernel, FakeModel, type Setup } from "./fake-kernel";
import { answers, openStore } from "./steps";

const kernel = (setup: Partial<Setup> = {}) =>
  new FakeKernel({
    ...setup,
    labels: ["bad", "good", "Sci/Tech"],
    examples: [
      { key: "c9bd05c544b11bd4", text: "fine", given: 1, probs: [0.125, 0.75, 0.125] },
      { key: "2363ffc0cdff9083", text: "awful", given: 1, probs: [0.75, 0.125, 0.125] },
      {
        ...{ key: "858e523d7476e25d", text: "long ".repeat(500), given: null, probs: [0.25, 0.25, 0.5] },
        note_of_score: "no label",
      },
    ],
  });

test("the fake kernel answers as the kernel does, sentences included", () => {
  const fake = kernel();
  for (const { name, request, reply } of cases.exchanges) {
    expect(isReply(reply), name).toBe(true);
    expect(close(fake.answer(request as unknown as Request)), name).toEqual(close(reply));
  }
});

/** The kernel's numbers without what two ways to add differ by. */
function close(value: unknown): unknown {
  if (typeof value === "number") return Number(value.toPrecision(9));
  if (Array.isArray(value)) return value.map(close);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, close(part)]));
}

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
