import { expect, test } from "vitest";
import { answers, heard, makeModel, openStore } from "./steps";

/** With the first page and the one after it, which is asked for when the first is on screen. */
const onScreen = () => new Promise((told) => requestAnimationFrame(() => setTimeout(told)));

async function opened(count = 100, setup = {}) {
  const view = openStore(makeModel(count, setup));
  await answers();
  await onScreen();
  await answers();
  return view;
}

const told = (all: Record<string, unknown>) => ({ get: (name: string) => all[name] });

const shown = (store: { state: { rows: readonly { row: number }[] } }) =>
  store.state.rows.map(({ row }) => row);

test("the first page is asked for once, then both neighbours, all of one order", async () => {
  const { model, store } = await opened();
  expect(shown(store)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  store.position.turn(1);
  expect(shown(store)[0]).toBe(10);
  await onScreen();
  const queries = heard(model, "page").map(
    ({ args }) => (args as { query: { offset: number; as_of: unknown } }).query,
  );
  expect(queries.map(({ offset }) => offset)).toEqual([0, 10, 20]);
  expect(queries.map(({ as_of }) => as_of)).toEqual([null, 0, 0]);
});

test("the page ahead lies the way of the last turn, and waits until the one that is read is on screen", async () => {
  const { store } = await opened();
  const ahead = () => store.state.nextPage?.rows.map(({ row }) => row)[0];
  expect(ahead()).toBe(10);
  store.position.turn(1);
  expect(ahead()).toBeUndefined();
  await onScreen();
  await answers();
  expect(ahead()).toBe(20);
  store.position.turn(-1);
  await onScreen();
  expect(ahead()).toBeUndefined(); // before the first page there is none
  store.position.turn(1);
  await onScreen();
  store.decide("keep", 20);
  expect(store.state.nextPage?.rows[0]?.verdict).toBe("keep");
});

test("a second click puts the given label back", async () => {
  const { model, store } = await opened();
  store.toggle(0);
  await answers();
  expect(model.kernel.rows[0]).toMatchObject({ verdict: "relabel", label: 1 });
  store.toggle(0);
  expect(store.row(0)).toMatchObject({ verdict: "", label: 0 });
  await answers();
  expect(model.kernel.rows[0]).toMatchObject({ verdict: "", label: 0 });
});

test("a verdict pressed again is taken back; keep after a relabel puts the given label back", async () => {
  const { model, store } = await opened();
  store.toggle(0);
  store.decide("keep", 0);
  await answers();
  expect(model.kernel.rows[0]).toMatchObject({ verdict: "keep", label: 0 });
  store.decide("keep", 0);
  await answers();
  expect(model.kernel.rows[0]?.verdict).toBe("");
});

test("a refused decision shows the row's true state and the sentence", async () => {
  const { model, store } = await opened();
  model.kernel.decideInPython({ kind: "relabel", rows: [0], label: 3, note: null });
  store.toggle(0);
  expect(store.row(0)?.label).toBe(1);
  await answers();
  expect(store.row(0)).toMatchObject({ label: 3, verdict: "relabel", saved: true });
  expect(store.row(0)?.problem).toContain("has another one by now");
  expect(store.state.status).toContain("has another one by now");
  store.toggle(0);
  expect(store.row(0)?.problem).toBe("");
});

test("the loss after a relabel is known before the kernel answers", async () => {
  const { store } = await opened();
  store.toggle(0);
  expect(store.row(0)?.loss_after).toBeCloseTo(-Math.log(0.9), 5);
});

test("the order is frozen while labelling, and a refresh sorts and filters again", async () => {
  const { store } = await opened();
  store.filterBy({ verdict: "" });
  await answers();
  store.decide("keep", 0);
  await answers();
  expect(shown(store)[0]).toBe(0);
  store.position.turn(1);
  await answers();
  expect(shown(store)[0]).toBe(10);
  expect(store.state.outOfDate).toBe(true);
  store.refresh();
  await answers();
  expect(shown(store)[0]).toBe(1);
  expect(store.state.outOfDate).toBe(false);
});

test("undo and redo show at once and take the cursor along", async () => {
  const { store } = await opened();
  for (const row of [0, 1]) {
    store.decide("keep", row);
    store.position.moveCursor(1);
  }
  await answers();
  store.undo();
  expect(store.row(1)).toMatchObject({ verdict: "", saved: false });
  expect(store.state.cursor).toBe(1);
  store.redo();
  store.undo();
  store.redo();
  expect(store.row(1)).toMatchObject({ verdict: "keep", saved: false });
  expect(store.state.cursor).toBe(2);
  await answers();
  expect(store.row(1)).toMatchObject({ verdict: "keep", saved: true });
  expect(store.state.status).toBe("Redone. Row 1: Sci/Tech kept, saved");
});

test("what was decided right after an undo stands", async () => {
  const { store, model } = await opened();
  store.decide("relabel", 0, { label: 2 });
  store.undo();
  store.decide("keep", 0);
  expect(store.row(0)?.verdict).toBe("keep");
  await answers();
  expect(store.row(0)).toMatchObject({ verdict: "keep", saved: true });
  store.undo();
  model.kernel.decideInPython({ kind: "note", rows: [0], label: null, note: "by hand" });
  store.announced(told({ revision: model.kernel.revision }));
  await answers();
  store.undo();
  expect(store.state.cursor).toBe(0);
  await answers();
});

test("undo and redo come from the kernel, and say where the change was", async () => {
  const { store } = await opened();
  expect(store.state).toMatchObject({ canUndo: false, canRedo: false });
  store.decide("keep", 0);
  await answers();
  store.position.turn(1);
  await answers();
  store.undo();
  await answers();
  expect(store.state.status).toBe("Undone. Row 0: Business, not reviewed (on page 1), saved");
  expect(store.row(0)?.verdict).toBe("");
  expect(store.state).toMatchObject({ canUndo: false, canRedo: true, offset: 10 });
  store.redo();
  await answers();
  expect(store.row(0)?.verdict).toBe("keep");
});

test("a page size change keeps the cursor's row, in the same order", async () => {
  const { model, store } = await opened();
  store.position.turn(2);
  await answers();
  store.position.setCursor(5);
  store.position.resize(20);
  await answers();
  expect(store.state).toMatchObject({ offset: 20, cursor: 5, limit: 20 });
  expect(store.state.rows[5]?.row).toBe(25);
  expect(heard(model, "page").at(-1)?.args).toMatchObject({ query: { as_of: 0 } });
});

test("keys pressed while a page is on its way wait for it", async () => {
  const { model, store } = await opened();
  store.position.setCursor(9);
  model.busy = true;
  store.position.go(50);
  store.position.whenOnScreen(() => store.decide("keep", store.state.rows[0]?.row ?? -1));
  expect(store.state.unsaved).toBe(0);
  model.release();
  await answers();
  expect(model.kernel.rows[50]?.verdict).toBe("keep");
});

test("a search without a known total asks for the count, and stops at the last page", async () => {
  const { model, store } = await opened(25, { countLater: true });
  expect(store.state.total).toBe(25);
  expect(heard(model, "count")).toHaveLength(1);
  store.position.goToLast();
  await answers();
  expect(shown(store)).toEqual([20, 21, 22, 23, 24]);
  store.position.turn(1);
  expect(store.state.offset).toBe(20);
});

test("only the newest question is drawn", async () => {
  const { model, store } = await opened();
  model.busy = true;
  store.filterBy({ search: "number 1" });
  store.filterBy({ search: "number 77" });
  model.release();
  await answers();
  expect(shown(store)).toEqual([77]);
});

test("a question that the kernel refuses leaves the rows and says why", async () => {
  const { store } = await opened();
  store.filterBy({ search: "(", search_regex: true });
  await answers();
  expect(store.state.problem).toContain("does not close");
  expect(store.state.filter.search).toBeNull();
  expect(shown(store)).toHaveLength(10);
});

test("what a cell did is said and fetched, in the same order", async () => {
  const { model, store } = await opened();
  store.announced(told({ revision: 0 }));
  expect(
    heard(model, "page").filter((r) => (r.args as { query: { offset: number } }).query.offset === 0),
  ).toHaveLength(1);
  model.kernel.decideInPython({ kind: "keep", rows: [2], label: null, note: null });
  store.announced(told({ revision: model.kernel.revision, said: "Row 2: Sports kept, in a cell" }));
  expect(store.state.status).toBe("Row 2: Sports kept, in a cell");
  await answers();
  expect(store.row(2)?.verdict).toBe("keep");
  expect(store.state.summary.reviewed).toBe(1);
});

test("a newer widget turns this one read-only", async () => {
  const { model, store } = await opened();
  store.announced(told({ read_only: "A newer widget has taken over." }));
  expect(store.state.lockReason).toBe("A newer widget has taken over.");
  store.toggle(0);
  expect(heard(model, "decide")).toHaveLength(0);
});

test("a kernel that refuses as read-only locks the grid and takes the drawing back", async () => {
  const { model, store } = await opened();
  model.kernel.readOnly = "Another process holds the journal.";
  store.toggle(0);
  await answers();
  expect(store.row(0)).toMatchObject({ verdict: "", saved: true });
  expect(store.state.lockReason).toBe("Another process holds the journal.");
});

test("export waits for the decisions before it", async () => {
  const { model, store } = await opened();
  model.busy = true;
  store.decide("remove", 0);
  const done = store.export();
  expect(store.state.exporting).toBe(true);
  model.release();
  await done;
  expect(store.state.status).toBe("Wrote corrected.parquet with 99 rows");
});

test("the whole text is asked for once", async () => {
  const { model, store } = await opened(10, { cutTextAt: 4 });
  const [row] = store.state.rows;
  if (!row) throw new Error("no row");
  expect(store.rowDetails.wholeText(row)).toBeNull();
  expect(store.rowDetails.wholeText(row)).toBeNull();
  await answers();
  expect(store.rowDetails.wholeText(row)?.text).toBe("example number 0");
  expect(heard(model, "text")).toHaveLength(1);
});
