import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { FakeModel, Setup } from "./fake-kernel";
import { answers, closeAll, examples, heard, LABELS, makeModel, openStore, opIds } from "./steps";

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  closeAll();
  vi.useRealTimers();
});

/** A view whose first page is there, on a kernel that is busy from now on. */
async function busyView(model: FakeModel = makeModel()) {
  const view = openStore(model);
  await answers();
  model.busy = true;
  const before = heard(model, "decide").length;
  return { ...view, sent: () => opIds(model).slice(before) };
}

test("a decision is drawn at once and counted as unsaved until the kernel answers", async () => {
  const { model, store } = await busyView();
  store.toggle(3);
  expect(store.row(3)).toMatchObject({ label: 0, verdict: "relabel", saved: false });
  expect(store.state.unsaved).toBe(1);
  model.release();
  await answers();
  expect(store.row(3)).toMatchObject({ label: 0, verdict: "relabel", saved: true });
  expect(store.state.unsaved).toBe(0);
  expect(store.state.status).toBe("Row 3: World → Business, saved");
});

test("while one message is out, later decisions wait and then go together, in order", async () => {
  const { model, store, sent } = await busyView();
  for (const row of [0, 1, 2, 3]) store.toggle(row);
  model.release();
  await answers();
  expect(sent().map((ids) => ids.length)).toEqual([1, 3]);
  expect(model.kernel.applied).toEqual(sent().flat());
});

test("unanswered decisions are resent whole after 2, 5, 15 and 30 s, and applied once", async () => {
  const { model, store, sent } = await busyView();
  store.toggle(0);
  store.toggle(1);
  for (const seconds of [2, 5, 15, 30, 30]) await vi.advanceTimersByTimeAsync(seconds * 1_000);
  model.release();
  await answers();
  const [first, ...again] = sent();
  expect(first).toHaveLength(1);
  expect(again).toHaveLength(5);
  for (const ids of again) expect(ids).toEqual([first?.[0], expect.any(String)]);
  expect(model.kernel.applied).toHaveLength(2);
  expect(store.state.unsaved).toBe(0);
});

test("an undo that is not answered yet can be done again", async () => {
  const { model, store } = await busyView();
  store.toggle(0);
  store.undo();
  store.redo();
  expect(store.state.unsaved).toBe(3);
  model.release();
  await answers();
  expect(store.row(0)).toMatchObject({ label: 1, verdict: "relabel", saved: true });
});

test("a lost answer is asked for again with the same op id", async () => {
  const model = makeModel();
  const { store } = openStore(model);
  await answers();
  model.lose = 1;
  store.toggle(0);
  await answers();
  expect(store.state.unsaved).toBe(1);
  await vi.advanceTimersByTimeAsync(2_000);
  await answers();
  expect(store.state.unsaved).toBe(0);
  expect(model.kernel.applied).toHaveLength(1);
  expect(opIds(model)).toHaveLength(2);
});

test("after a second without an answer the status says that the kernel is busy", async () => {
  const { model, store } = await busyView();
  for (const row of [0, 1, 2]) store.toggle(row);
  expect(store.state.status).not.toContain("busy");
  await vi.advanceTimersByTimeAsync(1_000);
  expect(store.state.status).toBe("Not saved yet: kernel busy, 3 decisions queued");
  model.release();
  await answers();
  expect(store.state.status).toBe("Row 2: Sports → World, saved");
});

test("the first page is asked for again after 1.5 s, with the same rid", async () => {
  const model = makeModel();
  model.busy = true;
  const { store } = openStore(model);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(store.state.status).toBe("The grid is waiting for the kernel");
  await vi.advanceTimersByTimeAsync(500);
  model.release();
  await answers();
  const [first, second] = heard(model, "page");
  expect(second?.rid).toBe(first?.rid);
  expect(store.state.rows).toHaveLength(10);
});

test("a dead kernel keeps the rows, locks decisions and says how many are not saved", async () => {
  const { model, store } = await busyView();
  store.toggle(0);
  store.toggle(1);
  model.die();
  expect(store.state.lockReason).toBe(
    "The kernel has stopped: re-run the cell. 2 decisions are not saved yet, and will be then",
  );
  expect(store.state.rows).toHaveLength(10);
  store.toggle(5);
  expect(store.row(5)?.verdict).toBe("");
});

test("a send that throws is a dead kernel too", async () => {
  const { model, store } = await busyView();
  model.dead = true;
  store.toggle(0);
  expect(store.state.dead).toBe(true);
  expect(store.state.lockReason).toContain("1 decision is not saved");
});

test("a kernel that answers after all is alive again, and gets what was not saved", async () => {
  const { model, store } = await busyView();
  store.toggle(0);
  model.emit("comm_live_update");
  expect(store.state.dead).toBe(true);
  model.release();
  await answers();
  expect(store.state).toMatchObject({ dead: false, unsaved: 0 });
  expect(model.kernel.applied).toHaveLength(1);
});

test("decisions of a view that is closed go out with its end, and to the next view of the model", async () => {
  const model = makeModel();
  const first = await busyView(model);
  for (const row of [0, 1, 2]) first.store.toggle(row);
  first.close();
  const second = openStore(model);
  await answers();
  expect(second.store.state.unsaved).toBe(3);
  model.release();
  await answers();
  expect(model.kernel.applied).toHaveLength(3);
  expect(second.store.state.unsaved).toBe(0);
  expect(second.store.row(2)).toMatchObject({ verdict: "relabel", saved: true });
});

/** A view whose kernel died before it answered three decisions, and the kernel of the re-run cell. */
async function afterDeath(setup: Partial<Setup> = {}) {
  const review = crypto.randomUUID();
  const old = await busyView(makeModel(100, { review }));
  old.store.toggle(0);
  old.store.decide("remove", 1);
  old.store.decide("note", 1, { note: "twice" });
  old.model.die();
  return { review, old, model: makeModel(100, { review, ...setup }) };
}

test("the kernel of the re-run cell gets what the dead one left unanswered, once", async () => {
  const { old, model } = await afterDeath();
  old.close();
  const ids = old.store.state.unsaved;
  const { store } = openStore(model);
  await answers();
  expect(ids).toBe(3);
  expect(store.state.unsaved).toBe(0);
  expect(store.row(0)).toMatchObject({ verdict: "relabel", label: 1, saved: true });
  expect(store.row(1)).toMatchObject({ verdict: "remove", note: "twice" });
  const third = makeModel(100, { review: model.kernel.snapshot.review });
  openStore(third);
  await answers();
  expect(heard(third, "decide")).toEqual([]);
});

test("what was left unanswered is about labels by name, and brings one that is not there", async () => {
  const review = crypto.randomUUID();
  const labels = [...LABELS, "Weather"];
  const old = await busyView(makeModel(100, { review, labels }));
  old.store.decide("relabel", 0, { label: 4 });
  old.store.decide("relabel", 1, { label: 3 });
  old.model.die();
  const other = ["World", "Sports", "Sci/Tech", "Business"];
  const model = makeModel(100, { review, labels: other, examples: examples(100, [3, 2, 1, 0]) });
  const { store } = openStore(model);
  await answers();
  expect(store.state).toMatchObject({ unsaved: 0, snapshot: { label_names: [...other, "Weather"] } });
  expect(store.row(0)).toMatchObject({ verdict: "relabel", label: 4 });
  expect(store.row(1)).toMatchObject({ verdict: "relabel", label: 0 });
});

test("another review does not get it, nor a grid that only reads", async () => {
  const { model } = await afterDeath({ read_only: "Only to read." });
  const stranger = makeModel();
  for (const fake of [model, stranger]) openStore(fake);
  await answers();
  expect(heard(model, "decide")).toEqual([]);
  expect(heard(stranger, "decide")).toEqual([]);
});

test("a decision that the row is not any more what it was made on is refused in words", async () => {
  const { model } = await afterDeath();
  model.kernel.decideInPython({ kind: "relabel", rows: [0], label: 2, note: null });
  const { store } = openStore(model);
  await answers();
  expect(store.state.unsaved).toBe(0);
  expect(store.row(0)).toMatchObject({ label: 2, problem: expect.stringContaining("another one by now") });
});

test("the file has each row once, as the decisions leave it, without those undone", async () => {
  const { store } = await busyView(makeModel(100, { label_values: [7, 8, 9, 10] }));
  store.toggle(0);
  store.decide("keep", 0);
  store.toggle(2);
  store.undo();
  store.decide("unsure", 3);
  store.undo();
  store.redo();
  const lines = store.unsent().map((line) => JSON.parse(line));
  expect(lines).toMatchObject([
    {
      row: 0,
      key: "0000000000000000",
      text: "example number 0",
      verdict: "keep",
      old_label: 7,
      new_label: 7,
    },
    { row: 3, verdict: "unsure", old_label: 10, new_label: 10, note: "" },
  ]);
  expect(new Date(lines[0].reviewed_at).getTime()).toBe(Date.now());
});

test("a page that is left sends everything, and warns while something is not answered", async () => {
  const { model, store, sent } = await busyView();
  const leave = () => globalThis.dispatchEvent(new Event("beforeunload", { cancelable: true }));
  for (const row of [0, 1, 2]) store.toggle(row);
  expect(leave()).toBe(false);
  expect(sent()).toHaveLength(0);
  model.release();
  expect(sent().map((ids) => ids.length)).toEqual([1, 3]);
  await answers();
  expect(leave()).toBe(true);
});

test("two views have different ids and take only their own answers, but learn from all of them", async () => {
  const model = makeModel();
  const one = openStore(model);
  const two = openStore(model);
  await answers();
  one.store.toggle(4);
  await answers();
  expect(two.store.row(4)).toMatchObject({ verdict: "relabel", label: 1 });
  expect(two.store.state.summary.reviewed).toBe(1);
  expect(new Set(model.kernel.heard.map((request) => request.rid)).size).toBe(model.kernel.heard.length);
});

test("a message that is not an answer of ours is ignored", async () => {
  const { model, store } = await busyView();
  for (const message of [null, "x", { rid: 1 }, { rid: "a", ok: true }, { rid: "a", ok: false, revision: 1 }])
    model.emit("msg:custom", message, []);
  expect(store.state.dead).toBe(false);
});
