/** What this view shows, and the only code that changes it. It knows nothing of the web page: tests need no DOM. */

import { count } from "../dom/numbers";
import * as words from "../dom/words";
import { makeDecisionQueue } from "../kernel/decision-queue";
import { type Kernel, type Model, makeKernel } from "../kernel/kernel";
import { makePaneData, type PaneName } from "../kernel/pane-data";
import { makeRowDetails } from "../kernel/row-details";
import { afterDecision, blinded, labelName, suggestions } from "../kernel/row-state";
import { makeUnsent } from "../kernel/unsent";
import {
  decisionsIn,
  type Filter,
  isSnapshot,
  type Op,
  type OpKind,
  type OpResult,
  type QueryOp,
  type Reply,
  type Row,
  type Snapshot,
  type Verb,
  type Verbs,
} from "../protocol";
import { makePosition } from "./position";
import { makeSelection } from "./selection";
import { FIRST_FILTER, NO_FILTER, type ShownRow, type State } from "./state";
import { isUndoOrRedo, makeUndoHistory } from "./undo-history";

/** Loss bars are drawn on this scale until a row has a higher loss. */
const LEAST_SCALE = 4;

export type Store = ReturnType<typeof makeStore>;

export function makeStore(model: Model, signal: AbortSignal) {
  const listeners: (() => void)[] = [];
  /** Why the last decision about a row was refused. */
  const problems = new Map<number, string>();
  let snapshot = model.get("snapshot") as Snapshot;
  let { revision, read_only: readOnly, summary } = snapshot;
  let lastMessage = "";
  let lossScale = LEAST_SCALE;
  let exporting = false;
  let blind = false;
  let showInvisible = false;
  const history = makeUndoHistory();
  /** Spot checks drawn in this view. */
  let spotChecks = 0;

  const kernel: Kernel = makeKernel(model, signal, receive, () => {
    queue.followKernel();
    if (kernel.dead) exporting = false;
    else if (!position.hasPage) position.go(0);
    changed();
  });
  const queue = makeDecisionQueue(kernel, signal, answered, changed);
  const unsent = makeUnsent(snapshot.review);
  const position = makePosition(kernel, FIRST_FILTER, snapshot.page_size, changed);
  const paneData = makePaneData(kernel, signal, changed, () => position.reload());
  const rowDetails = makeRowDetails(kernel, changed, say);

  const store = {
    position,
    rowDetails,
    selection: makeSelection(kernel, position, {
      row,
      send: (op) => !refuse() && send(op),
      settled: () => queue.settled(),
      changed,
    }),

    /** Asks for the first page. The listeners draw what comes. */
    open(): void {
      position.go(0);
      askSummary();
    },

    /** The host has no kernel for this notebook. */
    checkKernel: kernel.checkAlive,

    listen(listener: () => void): void {
      listeners.push(listener);
    },

    /** Draws again. */
    changed,

    get state(): State {
      const rows = position.rows().map(withPending);
      lossScale = Math.max(lossScale, ...rows.map((each) => each.loss ?? 0));
      const { pending } = queue;
      const { filter, limit, offset, wantedOffset, total, nextOffset, cursor, hasPage, turning, problem } =
        position;
      const { everything, count: chosen, page } = store.selection;
      const why = lockReason();
      const waiting = !pending.every(isUndoOrRedo);
      return {
        ...{ snapshot, filter, limit, offset, wantedOffset, total, rows },
        nextPage:
          nextOffset === null
            ? null
            : { offset: nextOffset, rows: position.pages.rowsAt(nextOffset).map(withPending) },
        ...{ cursor, hasPage, turning, problem },
        late: turning && kernel.late,
        outOfDate: hasPage && (position.pages.asOf ?? 0) < revision,
        ...{ lossScale, summary },
        unsaved: pending.length,
        lockReason: why,
        dead: kernel.dead,
        canUndo: !why && (waiting || summary.can_undo),
        canRedo: !why && (history.canRedo || (!waiting && summary.can_redo)),
        selected: { everything, count: chosen, page },
        histogram: paneData.histogram.shown,
        confusion: paneData.confusion.shown,
        facets: paneData.facets.shown,
        progress: paneData.progress.shown,
        ...{ exporting, blind, showInvisible },
        status: status(),
      };
    },

    row,

    filterBy(patch: Partial<Filter>): void {
      store.selection.clear();
      position.changeFilter({ ...position.filter, ...patch });
    },

    /** Opens or closes a pane. */
    setPaneOpen(pane: PaneName, open: boolean): void {
      paneData[pane].open = open;
      changed();
    },

    /** Shows every row again, in the same sort order. */
    clearFilters: (): void => store.filterBy(NO_FILTER),

    /** Hides what the model thinks, and takes off the filters that would give it away; or shows it again. */
    toggleBlind(): void {
      blind = !blind;
      const { predicted, disagreements, loss_range } = position.filter;
      const givesAway = predicted !== null || disagreements || loss_range !== null;
      if (blind && givesAway) store.filterBy({ predicted: null, disagreements: false, loss_range: null });
      say(words.modelView(blind));
    },

    /** Adds a label to the review; null where the kernel refuses, and the status says why. */
    async addLabel(name: string): Promise<number | null> {
      const added = await act("add_label", { name });
      if (!added) return null;
      snapshot = { ...snapshot, label_names: added.label_names };
      changed();
      return added.label;
    },

    /** Paints spaces, line ends and invisible characters, or stops painting them. */
    toggleInvisible(): void {
      showInvisible = !showInvisible;
      changed();
    },

    /** Draws a random sample, or enlarges the existing one to `rows`, and shows it in the order of the draw. */
    async spotCheck(rows: number): Promise<void> {
      const checked = await act("spot_check", { rows, anew: false });
      if (!checked) return;
      summary = checked.summary;
      spotChecks += 1;
      lastMessage = words.spotCheckDrawn(checked.errors_left.drawn);
      store.filterBy({ ...NO_FILTER, spot_check: true });
    },

    /** Sorts and filters again with the decisions made so far. */
    refresh: (): void => store.filterBy({}),

    /** Draws the decision at once and sends it. A verdict that the row already has is cleared. */
    decide(kind: OpKind, id: number, what: Partial<Pick<Op, "label" | "note">> = {}): void {
      const now = row(id);
      if (!now || refuse()) return;
      const { label = null } = what;
      const isSame = label === now.label && (now.verdict === "relabel" || now.verdict === "");
      if (kind === "relabel" && isSame)
        return say(words.alreadyLabelled(id, labelName({ snapshot }, label) ?? ""));
      send({
        ...what,
        kind: kind === now.verdict && kind !== "relabel" ? "clear" : kind,
        rows: [id],
        from: kind === "note" ? null : [now.label],
      });
    },

    /** What a click does: takes the most likely other label, or the given one again. False: there is no label to take. */
    toggle(id: number): boolean {
      const now = row(id);
      if (now?.verdict !== "relabel") return !now || store.suggest(id, 0);
      if (now.given === null) store.decide("clear", id);
      else store.decide("relabel", id, { label: now.given });
      return true;
    },

    /** Takes the label of this rank among all but the given one; false where there is none. */
    suggest(id: number, rank: number): boolean {
      const now = row(id);
      const label = now ? suggestions(now)[rank] : undefined;
      if (label === undefined) return false;
      store.decide("relabel", id, { label });
      return true;
    },

    undo: (): void => undoOrRedo("undo", store.state.canUndo),

    redo: (): void => undoOrRedo("redo", store.state.canRedo),

    /** Writes the corrected rows in the kernel's working directory, after every decision so far. */
    async export(): Promise<void> {
      if (exporting || kernel.dead) return;
      exporting = true;
      say(words.EXPORTING);
      try {
        await queue.settled();
        const { path, rows } = await kernel.call("export", {});
        say(words.exported(path, rows));
      } catch (error) {
        say(words.notExported((error as Error).message));
      } finally {
        exporting = false;
        changed();
      }
    },

    /** The decisions that are not saved, as lines of a file for `lw.apply_changes`. */
    unsent: (): readonly string[] => unsent.lines(queue.pending, snapshot),

    /** Something was done outside the grid: in a cell, or by a newer widget. */
    announced(announcement: Pick<Model, "get">): void {
      const [newSnapshot, newReadOnly, newRevision, said] = ["snapshot", "read_only", "revision", "said"].map(
        (name) => announcement.get(name),
      );
      if (isSnapshot(newSnapshot)) snapshot = newSnapshot;
      if (typeof newReadOnly === "string") readOnly = newReadOnly;
      if (typeof newRevision === "number" && newRevision > revision) {
        revision = newRevision;
        history.forget();
        // What was done before this view opened is no news.
        if (position.hasPage && typeof said === "string") lastMessage = said;
        position.reload();
        askSummary();
      }
      changed();
    },
  };

  /** The row as it is drawn: confirmed by the kernel, with the decisions that are still on their way to it. */
  function row(id: number): ShownRow | null {
    const known = position.pages.row(id);
    return known ? withPending(known) : null;
  }

  /** Asks for what cannot be drawn before the answer; null where that fails, and the status says why. */
  async function act<V extends Verb>(verb: V, args: Verbs[V]["args"]): Promise<Verbs[V]["result"] | null> {
    if (refuse()) return null;
    try {
      return await kernel.call(verb, args);
    } catch (error) {
      say((error as Error).message);
      return null;
    }
  }

  function askSummary(): void {
    kernel.call("summary", {}, true).then(
      (result) => {
        summary = result;
        changed();
      },
      () => undefined,
    );
  }

  function send(op: Partial<QueryOp> & Pick<Op, "kind">): void {
    const whole = { rows: [], label: null, note: null, from: null, ...op, op_id: `${kernel.nextId()}-op` };
    for (const row of whole.rows) problems.delete(row);
    const rows = whole.rows.flatMap((id) => position.pages.row(id) ?? []);
    unsent.add(whole, snapshot.label_names, rows);
    const [first] = whole.rows;
    const guess = history.record(whole, first !== undefined && whole.rows.length === 1 ? row(first) : null);
    queue.push(whole);
    const index = position.rows().findIndex((each) => each.row === guess?.row);
    // Undo puts the cursor back on the row; redo moves on from it, as the decision did.
    if (index >= 0) position.setCursor(whole.kind === "undo" ? index : index + 1);
    changed();
  }

  /** Sends what an earlier view of this review left unanswered, even if the kernel was restarted since. */
  async function resendUnsent(): Promise<void> {
    queue.push(...(await unsent.restore(snapshot.label_names, store.addLabel)));
    changed();
  }

  function withPending(row: Row): ShownRow {
    const ops = queue.pending.filter((op) => op.rows.includes(row.row) || history.guess(op)?.row === row.row);
    const now = ops.reduce((before, op) => ({ ...afterDecision(before, op), ...history.guess(op) }), row);
    return {
      ...(blind ? blinded(now) : now),
      saved: ops.length === 0,
      problem: problems.get(row.row) ?? "",
      selected: store.selection.has(row.row),
    };
  }

  function receive(reply: Reply): void {
    const decisions = decisionsIn(reply);
    for (const result of decisions?.results ?? [])
      position.learn(result.rows, result.ok ? result.revision : reply.revision);
    if (decisions) summary = decisions.summary;
    if (!reply.ok && reply.error.kind === "read_only") readOnly = reply.error.message;
    const isNews = decisions || !reply.ok || reply.revision > revision;
    revision = Math.max(revision, reply.revision);
    queue.receive(reply);
    // Every other answer is drawn by whoever asked for it; a page that was fetched ahead need not be drawn.
    if (isNews) changed();
  }

  function answered(op: Op, result: OpResult): void {
    // Read-only: a newer widget has the review now, and its next view sends this decision again.
    if (result.ok || result.error.kind !== "read_only") unsent.drop(op.op_id);
    if (result.ok) {
      // The answer holds only the first of many rows.
      if (result.touched + result.left_alone > result.rows.length) position.reload();
      lastMessage = `${result.said}${whereabouts(op, result)}`;
      if (result.rows.length > 0 && !lastMessage.endsWith("saved")) lastMessage += ", saved";
      return;
    }
    const { kind, message } = result.error;
    if (kind === "read_only") readOnly = message;
    for (const row of op.rows) problems.set(row, message);
    history.forget();
    lastMessage = message;
  }

  function undoOrRedo(kind: "undo" | "redo", can: boolean): void {
    if (can) send({ kind });
    else if (!refuse()) say(words.NOTHING_TO[kind]);
  }

  /** Where the row of an undo or redo is, if not on this page. */
  function whereabouts(op: Op, result: OpResult): string {
    const row = result.rows[0]?.row;
    if (!isUndoOrRedo(op) || row === undefined) return "";
    const at = position.pages.offsetOf(row);
    if (at === position.offset) return "";
    return at === undefined ? " (on another page)" : ` (on page ${count(at / position.limit + 1)})`;
  }

  /** Why nothing can be decided; empty where it can. */
  function lockReason(): string {
    return kernel.dead ? words.goneWithUnsaved(queue.pending.length) : readOnly;
  }

  function status(): string {
    if (queue.late && !lockReason())
      return words.joined([words.kernelBusy(queue.pending.length), position.turning && words.PAGE_WAITS]);
    const waiting = position.turning && kernel.late && words.WAITING;
    const check = position.filter.spot_check ? paneData.progress.answer?.errors_left : null;
    const done = check && check.judged >= check.drawn && words.SPOT_CHECK_DONE;
    return lockReason() || waiting || position.problem || words.joined([lastMessage, done]);
  }

  /** True where nothing can be decided; the status then says why. */
  function refuse(): boolean {
    if (lockReason()) changed();
    return lockReason() !== "";
  }

  function say(sentence: string): void {
    lastMessage = sentence;
    changed();
  }

  function changed(): void {
    const { filter, hasPage, turning } = position;
    const quiet = hasPage && !turning && !kernel.dead;
    for (const pane of Object.values(paneData)) pane.update({ filter, quiet, revision, spotChecks });
    for (const listener of listeners) listener();
  }

  if (!readOnly) void resendUnsent();
  return store;
}
