/** What this view shows, and the only code that changes it. Knows nothing of the page it is drawn on. */

import { count, joined, some, someRows } from "../dom/words";
import { makeQueue } from "../kernel/decision-queue";
import { GONE, type Kernel, type Model, makeKernel, WAITING } from "../kernel/kernel";
import { makeNavigators, type PaneName } from "../kernel/pane-data";
import { makeLookups } from "../kernel/row-details";
import { blinded, decided, suggestions } from "../kernel/row-state";
import { makeUnsent } from "../kernel/unsent";
import {
  type BulkOp,
  decisionsIn,
  type Filter,
  isSnapshot,
  type Op,
  type OpKind,
  type OpResult,
  type Reply,
  type Row,
  type Snapshot,
  type Verb,
  type Verbs,
} from "../protocol";
import { makePlace } from "./position";
import { makeSelection } from "./selection";
import { FIRST_FILTER, NO_FILTER, type ShownRow, type State } from "./state";
import { makeHistory, turnsBack } from "./undo-history";

const LEAST_SCALE = 4;

export type Store = ReturnType<typeof makeStore>;

export function makeStore(model: Model, signal: AbortSignal) {
  const listeners: (() => void)[] = [];
  const problems = new Map<number, string>();
  let snapshot = model.get("snapshot") as Snapshot;
  let { revision, read_only: readOnly, summary } = snapshot;
  let said = "";
  let lossScale = LEAST_SCALE;
  let exporting = false;
  let blind = false;
  let odd = false;
  const history = makeHistory();
  /** Spot checks drawn in this view. */
  let draws = 0;

  const kernel: Kernel = makeKernel(model, signal, hear, () => {
    queue.liveness();
    if (kernel.dead) exporting = false;
    else if (!place.here) place.go(0);
    changed();
  });
  const queue = makeQueue(kernel, signal, answered, changed);
  const unsent = makeUnsent(snapshot.review);
  const place = makePlace(kernel, FIRST_FILTER, snapshot.page_size, changed);
  const navigators = makeNavigators(kernel, signal, changed, () => place.reload());
  const lookups = makeLookups(kernel, changed, say);

  const store = {
    place,
    lookups,
    selection: makeSelection(kernel, place, {
      row,
      send: (op) => !refuse() && send(op),
      settled: () => queue.settled(),
      changed,
    }),

    /** Asks for the first page; what is there to draw comes to the listeners. */
    open(): void {
      place.go(0);
      askSummary();
    },

    /** The host has no kernel for this notebook. */
    doubt: kernel.doubt,

    listen(listener: () => void): void {
      listeners.push(listener);
    },

    /** Draws once more what is shown. */
    changed,

    get state(): State {
      const rows = place.rows().map(shown);
      lossScale = Math.max(lossScale, ...rows.map((each) => each.loss ?? 0));
      const { open } = queue;
      const { filter, limit, offset, goal, total, ahead, cursor, here, turning, problem } = place;
      const { everything, count: chosen, page } = store.selection;
      const why = locked();
      const waiting = !open.every(turnsBack);
      return {
        ...{ snapshot, filter, limit, offset, goal, total, rows },
        ahead: ahead === null ? null : { offset: ahead, rows: place.shown.at(ahead).map(shown) },
        ...{ cursor, here, turning, problem },
        late: turning && kernel.late,
        outOfDate: here && (place.shown.asOf ?? 0) < revision,
        ...{ lossScale, summary },
        unsaved: open.length,
        locked: why,
        dead: kernel.dead,
        canUndo: !why && (waiting || summary.can_undo),
        canRedo: !why && (history.canRedo || (!waiting && summary.can_redo)),
        selected: { everything, count: chosen, page },
        histogram: navigators.histogram.pane,
        confusion: navigators.confusion.pane,
        facets: navigators.facets.pane,
        progress: navigators.progress.pane,
        ...{ exporting, blind, odd },
        status: status(),
      };
    },

    row,

    filterBy(patch: Partial<Filter>): void {
      store.selection.clear();
      place.ask({ ...place.filter, ...patch });
    },

    /** Opens or closes a pane: what is closed is not asked for. */
    look(pane: PaneName, open: boolean): void {
      navigators[pane].open = open;
      changed();
    },

    /** Every row again, in the order as it is. */
    clearFilters: (): void => store.filterBy(NO_FILTER),

    /** Hides what the model thinks, and takes off the filters that would tell it; or shows it again. */
    toggleBlind(): void {
      blind = !blind;
      const { predicted, disagreements, loss_range } = place.filter;
      const telling = predicted !== null || disagreements || loss_range !== null;
      if (blind && telling) store.filterBy({ predicted: null, disagreements: false, loss_range: null });
      say(`What the model thinks is ${blind ? "hidden" : "shown again"}`);
    },

    /** Makes a label of a new name; null where the kernel refuses, which the status then says. */
    async addLabel(name: string): Promise<number | null> {
      const added = await act("add_label", { name });
      if (!added) return null;
      snapshot = { ...snapshot, label_names: added.label_names };
      changed();
      return added.label;
    },

    /** Paints the characters that nobody sees, or leaves them unseen. */
    toggleOdd(): void {
      odd = !odd;
      changed();
    },

    /** Draws so many rows at random, or more of them, and shows them in the order of the draw. */
    async spotCheck(rows: number): Promise<void> {
      const checked = await act("spot_check", { rows, anew: false });
      if (!checked) return;
      summary = checked.summary;
      draws += 1;
      said = `Spot check: ${someRows(checked.errors_left.drawn)} drawn at random`;
      store.filterBy({ ...NO_FILTER, spot_check: true });
    },

    /** Sorts and filters again with the decisions made so far. */
    refresh: (): void => store.filterBy({}),

    /** Draws the decision at once and sends it. A verdict that the row already has is taken back. */
    decide(kind: OpKind, id: number, what: Partial<Pick<Op, "label" | "note">> = {}): void {
      const now = row(id);
      if (!now || refuse()) return;
      const { label = null } = what;
      const open = now.verdict === "relabel" || now.verdict === "";
      if (kind === "relabel" && label === now.label && open)
        return say(`Row ${id} is ${snapshot.label_names[label ?? -1] ?? ""} already`);
      send({
        ...what,
        kind: kind === now.verdict && kind !== "relabel" ? "clear" : kind,
        rows: [id],
        from: kind === "note" ? null : [now.label],
      });
    },

    /** What a click does: the best label other than the given one, or the given one again. False: no label to take. */
    toggle(id: number): boolean {
      const now = row(id);
      if (now?.verdict !== "relabel") return !now || store.suggest(id, 0);
      if (now.given === null) store.decide("clear", id);
      else store.decide("relabel", id, { label: now.given });
      return true;
    },

    /** Takes the label of this rank among those other than the given one; false where there is none. */
    suggest(id: number, rank: number): boolean {
      const now = row(id);
      const label = now ? suggestions(now)[rank] : undefined;
      if (label === undefined) return false;
      store.decide("relabel", id, { label });
      return true;
    },

    undo: (): void => turnBack("undo", store.state.canUndo, "Nothing to undo"),

    redo: (): void => turnBack("redo", store.state.canRedo, "Nothing to do again"),

    /** Writes the corrected rows in the kernel's working directory, after every decision so far. */
    async export(): Promise<void> {
      if (exporting || kernel.dead) return;
      exporting = true;
      say("Writing corrected rows");
      try {
        await queue.settled();
        const { path, rows } = await kernel.find("export", {});
        say(`Wrote ${path} with ${someRows(rows)}`);
      } catch (error) {
        say(`Not exported: ${(error as Error).message}`);
      } finally {
        exporting = false;
        changed();
      }
    },

    /** The decisions that are not saved, as lines of a file. */
    unsent: (): readonly string[] => unsent.lines(queue.open, snapshot),

    /** Something was done outside the grid: in a cell, or by a newer widget. */
    announced(told: Pick<Model, "get">): void {
      const [renewed, locked, now, news] = ["snapshot", "read_only", "revision", "said"].map((name) =>
        told.get(name),
      );
      if (isSnapshot(renewed)) snapshot = renewed;
      if (typeof locked === "string") readOnly = locked;
      if (typeof now === "number" && now > revision) {
        revision = now;
        history.forget();
        // What was done before this view opened is no news.
        if (place.here && typeof news === "string") said = news;
        place.reload();
        askSummary();
      }
      changed();
    },
  };

  /** The row as it is drawn: what the kernel has confirmed, and what is still on its way to it. */
  function row(id: number): ShownRow | null {
    const known = place.shown.row(id);
    return known ? shown(known) : null;
  }

  /** Asks for what is not done without an answer; null where that cannot be, which the status then says. */
  async function act<V extends Verb>(verb: V, args: Verbs[V]["args"]): Promise<Verbs[V]["result"] | null> {
    if (refuse()) return null;
    try {
      return await kernel.find(verb, args);
    } catch (error) {
      say((error as Error).message);
      return null;
    }
  }

  function askSummary(): void {
    kernel.find("summary", {}, true).then(
      (result) => {
        summary = result;
        changed();
      },
      () => undefined,
    );
  }

  function send(op: Partial<BulkOp> & Pick<Op, "kind">): void {
    const whole = { rows: [], label: null, note: null, from: null, ...op, op_id: `${kernel.nextId()}-op` };
    for (const row of whole.rows) problems.delete(row);
    const rows = whole.rows.flatMap((id) => place.shown.row(id) ?? []);
    unsent.add(whole, snapshot.label_names, rows);
    const [only, another] = whole.rows;
    const guess = history.take(whole, only === undefined || another !== undefined ? null : row(only));
    queue.push(whole);
    const back = place.rows().findIndex((each) => each.row === guess?.row);
    // Redo moves on as the decision did.
    if (back >= 0) place.point(whole.kind === "undo" ? back : back + 1);
    changed();
  }

  /** Sends what an earlier view of this review left unanswered, before or after a restart of the kernel. */
  async function takeOver(): Promise<void> {
    queue.push(...(await unsent.take(snapshot.label_names, store.addLabel)));
    changed();
  }

  function shown(row: Row): ShownRow {
    const ops = queue.open.filter((op) => op.rows.includes(row.row) || history.guess(op)?.row === row.row);
    const now = ops.reduce((before, op) => ({ ...decided(before, op), ...history.guess(op) }), row);
    return {
      ...(blind ? blinded(now) : now),
      saved: ops.length === 0,
      problem: problems.get(row.row) ?? "",
      selected: store.selection.has(row.row),
    };
  }

  function hear(reply: Reply): void {
    const decisions = decisionsIn(reply);
    for (const result of decisions?.results ?? [])
      place.learn(result.rows, result.ok ? result.revision : reply.revision);
    if (decisions) summary = decisions.summary;
    if (!reply.ok && reply.error.kind === "read_only") readOnly = reply.error.message;
    const isNews = decisions || !reply.ok || reply.revision > revision;
    revision = Math.max(revision, reply.revision);
    queue.hear(reply);
    // Other answers are drawn by who asked for them; a page that was fetched ahead by nobody yet.
    if (isNews) changed();
  }

  function answered(op: Op, result: OpResult): void {
    // A newer widget goes on with the review: its next view takes this decision over.
    if (result.ok || result.error.kind !== "read_only") unsent.drop(op.op_id);
    if (result.ok) {
      // The answer tells only the first of many rows.
      if (result.touched + result.left_alone > result.rows.length) place.reload();
      said = `${result.said}${whereabouts(op, result)}`;
      if (result.rows.length > 0 && !said.endsWith("saved")) said += ", saved";
      return;
    }
    const { kind, message } = result.error;
    if (kind === "read_only") readOnly = message;
    for (const row of op.rows) problems.set(row, message);
    history.forget();
    said = message;
  }

  function turnBack(kind: "undo" | "redo", can: boolean, otherwise: string): void {
    if (can) send({ kind });
    else if (!refuse()) say(otherwise);
  }

  /** Of undo and redo on other pages. */
  function whereabouts(op: Op, result: OpResult): string {
    const row = result.rows[0]?.row;
    if (!turnsBack(op) || row === undefined) return "";
    const at = place.shown.offsetOf(row);
    if (at === place.offset) return "";
    return at === undefined ? " (on another page)" : ` (on page ${count(at / place.limit + 1)})`;
  }

  function locked(): string {
    if (!kernel.dead) return readOnly;
    const unsaved = queue.open.length;
    if (unsaved === 0) return GONE;
    return `${GONE} ${some(unsaved, "decision is", "decisions are")} not saved yet, and will be then`;
  }

  function status(): string {
    if (queue.late && !locked())
      return joined([
        `Not saved yet: kernel busy, ${some(queue.open.length, "decision")} queued`,
        place.turning && "the page comes when the cell ends",
      ]);
    const waiting = place.turning && kernel.late && WAITING;
    const check = place.filter.spot_check ? navigators.progress.told?.errors_left : null;
    const done = check && check.judged >= check.drawn && "the spot check is done";
    return locked() || waiting || place.problem || joined([said, done]);
  }

  function refuse(): boolean {
    if (locked()) changed();
    return locked() !== "";
  }

  function say(sentence: string): void {
    said = sentence;
    changed();
  }

  function changed(): void {
    const { filter, here, turning } = place;
    const quiet = here && !turning && !kernel.dead;
    for (const look of Object.values(navigators)) look.follow({ filter, quiet, revision, draws });
    for (const listener of listeners) listener();
  }

  if (!readOnly) void takeOver();
  return store;
}
