import { expect, test } from "vitest";
import type { QueryOp, Request } from "../src/protocol";
import { answers, heard, makeModel, openStore } from "./steps";

async function opened(count = 100) {
  const view = openStore(makeModel(count));
  await answers();
  return { ...view, selection: view.store.selection };
}
const verdicts = ({ kernel }: ReturnType<typeof makeModel>) => kernel.rows.map((row) => row.verdict);
const plan = (
  kind: "keep" | "remove" | "unsure" | "note" | "clear" | "relabel",
  label: number | null = null,
) => ({
  ...{ kind, label, note: null },
});

test("rows chosen by hand are decided by one act, drawn at once, and one undo takes it back", async () => {
  const { store, selection, model } = await opened();
  for (const row of [2, 5, 7]) selection.toggle(row);
  selection.toggle(5);
  selection.decide(plan("relabel", 3), null);
  expect([2, 5, 7].map((row) => store.row(row)?.label)).toEqual([3, 1, 3]);
  expect(selection.count).toBe(0);
  await answers();
  expect(heard(model, "decide")).toHaveLength(1);
  // Row 7 had the label 3 already: relabelling to the given label is no verdict.
  expect(verdicts(model).slice(0, 8)).toEqual(["", "", "relabel", "", "", "", "", ""]);
  store.undo();
  await answers();
  expect(verdicts(model).every((verdict) => verdict === "")).toBe(true);
});

test("a choice outlives turning the page, and not another filter", async () => {
  const { store, selection } = await opened();
  selection.selectPage(true);
  store.position.turn(1);
  await answers();
  selection.toggle(12);
  expect([selection.count, selection.page]).toEqual([11, "some"]);
  store.filterBy({ disagreements: true });
  expect(selection.count).toBe(0);
});

test("extending replaces the stretch before it and keeps what was chosen one by one", async () => {
  const { selection } = await opened();
  const chosen = () => Array.from({ length: 10 }, (_, row) => row).filter((row) => selection.has(row));
  selection.toggle(8);
  selection.toggle(2);
  selection.extendTo(5, 2);
  expect(chosen()).toEqual([2, 3, 4, 5, 8]);
  selection.extendTo(3, 5);
  expect(chosen()).toEqual([2, 3, 8]);
  selection.extendTo(0, 3);
  expect(chosen()).toEqual([0, 1, 2, 8]);
});

test("every row of the filter is decided as it was previewed", async () => {
  const { store, selection, model } = await opened();
  store.filterBy({ given: "Sports" });
  await answers();
  selection.selectEverything();
  expect([selection.count, selection.page]).toEqual([25, "all"]);
  const preview = await selection.preview();
  expect([preview.total, preview.rows.length]).toEqual([25, 10]);
  selection.decide(plan("keep"), preview);
  await answers();
  const op = (heard(model, "decide")[0] as Request<"decide">).args.ops[0] as QueryOp;
  expect([op.rows, op.count, op.query.given, op.query.as_of]).toEqual([[], 25, "Sports", preview.revision]);
  expect(verdicts(model).filter((verdict) => verdict === "keep")).toHaveLength(25);
  expect(store.state.rows.every((row) => row.verdict === "keep")).toBe(true);
});

test("rows that a long answer does not tell are asked for again", async () => {
  const { store, selection, model } = await opened(600);
  store.position.turn(25);
  store.position.turn(-25);
  await answers();
  selection.selectEverything();
  selection.decide(plan("unsure"), await selection.preview());
  await answers();
  store.position.go(500);
  await answers();
  expect(store.state.rows.map((row) => row.verdict)).toEqual(new Array(10).fill("unsure"));
  store.undo();
  await answers();
  expect(verdicts(model)).toEqual(new Array(600).fill(""));
  expect(store.state.rows.map((row) => row.verdict)).toEqual(new Array(10).fill(""));
});

test("a row changed elsewhere since is left alone, and the others are decided", async () => {
  const { store, selection, model } = await opened();
  for (const row of [0, 1, 2]) selection.toggle(row);
  model.kernel.decideInPython({ kind: "relabel", rows: [1], label: 3, note: null });
  selection.decide(plan("keep"), null);
  await answers();
  expect(verdicts(model).slice(0, 3)).toEqual(["keep", "relabel", "keep"]);
  expect(store.row(1)?.label).toBe(3);
});

test("nothing is decided in a view that is read-only", async () => {
  const { selection, model } = await (async () => {
    const view = openStore(makeModel(20, { read_only: "A newer grid has this review." }));
    await answers();
    return { ...view, selection: view.store.selection };
  })();
  selection.toggle(0);
  selection.decide(plan("remove"), null);
  await answers();
  expect(heard(model, "decide")).toEqual([]);
});
