/** What this view shows, and the only code that changes it. Knows nothing of the page it is drawn on. */

import { Bulk } from "./bulk";
import { Kernel, type Model } from "./kernel";
import { Lookups } from "./lookups";
import { Navigators, type PaneName } from "./navigators";
import { Place } from "./place";
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
  type Summary,
} from "./protocol";
import { DecisionQueue } from "./queue";
import { blinded, decided, suggestions } from "./standing";
import { FIRST_FILTER, NO_FILTER, type ShownRow, type State } from "./state";
import { count, some } from "./words";

const LEAST_SCALE = 4;

export class Store {
  readonly place: Place;
  readonly bulk: Bulk;
  readonly lookups: Lookups;
  readonly #navigators: Navigators;
  readonly #kernel: Kernel;
  readonly #queue: DecisionQueue;
  readonly #listeners: (() => void)[] = [];
  readonly #problems = new Map<number, string>();
  #snapshot: Snapshot;
  #summary: Summary;
  #revision: number;
  #readOnly: string;
  #said = "";
  #lossScale = LEAST_SCALE;
  #exporting = false;
  #blind = false;
  #odd = false;
  /** Spot checks drawn in this view. */
  #draws = 0;

  constructor(model: Model, signal: AbortSignal) {
    this.#snapshot = model.get("snapshot") as Snapshot;
    const { rows, reviewed, revision, read_only, page_size } = this.#snapshot;
    this.#summary = {
      ...{ rows, reviewed, relabel: 0, keep: 0, unsure: 0, remove: 0, wrong: 0 },
      ...{
        precision: null,
        precision_last_50: null,
        errors_left: null,
        errors_left_interval: null,
        can_undo: false,
        can_redo: false,
      },
    };
    this.#revision = revision;
    this.#readOnly = read_only;
    const changed = () => this.#changed();
    this.#kernel = new Kernel(model, signal, {
      reply: (reply) => this.#hear(reply),
      liveness: () => {
        this.#queue.liveness();
        if (this.#kernel.dead) this.#exporting = false;
        else if (!this.place.here) this.place.go(0);
        changed();
      },
    });
    this.#queue = new DecisionQueue(this.#kernel, model, signal, {
      answered: (op, result) => this.#answered(op, result),
      lateness: changed,
    });
    this.place = new Place(this.#kernel, FIRST_FILTER, page_size, changed);
    this.#navigators = new Navigators(this.#kernel, signal, changed, () => this.place.reload());
    this.bulk = new Bulk(this.#kernel, this.place, {
      row: (id) => this.row(id),
      send: (op) => !this.#refuse() && this.#send(op),
      settled: () => this.#queue.settled(),
      changed,
    });
    this.lookups = new Lookups(this.#kernel, { changed, say: (sentence) => this.#say(sentence) });
    this.#queue.adopt(model);
  }

  /** Asks for the first page; what is there to draw comes to the listeners. */
  open(): void {
    this.place.go(0);
    this.#askSummary();
  }

  listen(listener: () => void): void {
    this.#listeners.push(listener);
  }

  get state(): State {
    const { place } = this;
    const rows = place.rows().map((row) => this.#shown(row));
    this.#lossScale = rows.reduce((most, row) => Math.max(most, row.loss ?? 0), this.#lossScale);
    const open = this.#queue.open;
    const locked = this.#locked();
    const waiting = open.some((op) => op.kind !== "undo" && op.kind !== "redo");
    return {
      snapshot: this.#snapshot,
      filter: place.filter,
      limit: place.limit,
      offset: place.offset,
      goal: place.goal,
      total: place.total,
      rows,
      cursor: place.cursor,
      here: place.here,
      turning: place.turning,
      late: place.turning && this.#kernel.late,
      problem: place.problem,
      outOfDate: place.here && (place.shown.asOf ?? 0) < this.#revision,
      lossScale: this.#lossScale,
      summary: this.#summary,
      unsaved: open.length,
      locked,
      dead: this.#kernel.dead,
      canUndo: !locked && (waiting || this.#summary.can_undo),
      canRedo: !locked && !waiting && this.#summary.can_redo,
      exporting: this.#exporting,
      navigators: this.#navigators,
      bulk: this.bulk,
      blind: this.#blind,
      odd: this.#odd,
      status: this.#status(locked),
    };
  }

  /** The row as it is drawn: what the kernel has confirmed, and what is still on its way to it. */
  row(id: number): ShownRow | null {
    const row = this.place.shown.row(id);
    return row ? this.#shown(row) : null;
  }

  filterBy(patch: Partial<Filter>): void {
    this.bulk.clear();
    this.place.ask({ ...this.place.filter, ...patch });
  }

  /** Opens or closes a pane: what is closed is not asked for. */
  look(pane: PaneName, open: boolean): void {
    this.#navigators[pane].open = open;
    this.#changed();
  }

  /** Every row again, in the order as it is. */
  clearFilters(): void {
    this.filterBy(NO_FILTER);
  }

  /** Hides what the model thinks, and takes off the filters that would tell it. */
  goBlind(blind: boolean): void {
    this.#blind = blind;
    const { predicted, disagreements, loss_range } = this.place.filter;
    const telling = predicted !== null || disagreements || loss_range !== null;
    if (blind && telling) this.filterBy({ predicted: null, disagreements: false, loss_range: null });
    this.#say(blind ? "Blind: what the model thinks is hidden" : "What the model thinks is shown again");
  }

  /** Makes a label of a new name; null where the kernel refuses, which the status then says. */
  async addLabel(name: string): Promise<number | null> {
    if (this.#refuse()) return null;
    try {
      const { result } = await this.#kernel.ask("add_label", { name }).answer;
      this.#snapshot = { ...this.#snapshot, label_names: result.label_names };
      this.#changed();
      return result.label;
    } catch (error) {
      this.#say((error as Error).message);
      return null;
    }
  }

  /** Paints the characters that nobody sees, or leaves them unseen. */
  showOdd(odd: boolean): void {
    this.#odd = odd;
    this.#changed();
  }

  /** Draws so many rows at random, or more of them, and shows them in the order of the draw. */
  async spotCheck(rows: number): Promise<void> {
    if (this.#refuse()) return;
    try {
      const { result } = await this.#kernel.ask("spot_check", { rows, anew: false }).answer;
      this.#summary = result.summary;
      this.#draws += 1;
      this.#said = `Spot check: ${some(result.errors_left.drawn, "row")} drawn at random`;
      this.filterBy({ ...NO_FILTER, spot_check: true });
    } catch (error) {
      this.#say((error as Error).message);
    }
  }

  /** Sorts and filters again with the decisions made so far. */
  refresh(): void {
    this.filterBy({});
  }

  /** Draws the decision at once and sends it. A verdict that the row already has is taken back. */
  decide(kind: OpKind, id: number, what: { readonly label?: number; readonly note?: string } = {}): void {
    const row = this.row(id);
    if (!row || this.#refuse()) return;
    const { label = null, note = null } = what;
    const open = row.verdict === "relabel" || row.verdict === "";
    if (kind === "relabel" && label === row.label && open)
      return this.#say(`Row ${id} is ${this.#snapshot.label_names[label ?? -1] ?? ""} already`);
    const from = kind === "note" ? null : [row.label];
    this.#send({
      kind: kind === row.verdict && kind !== "relabel" ? "clear" : kind,
      rows: [id],
      label,
      note,
      from,
    });
  }

  /** What a click does: the best label other than the given one, or the given one again. False: no label to take. */
  toggle(id: number): boolean {
    const row = this.row(id);
    if (!row) return true;
    if (row.verdict === "relabel") {
      if (row.given === null) this.decide("clear", id);
      else this.decide("relabel", id, { label: row.given });
      return true;
    }
    return this.suggest(id, 0);
  }

  /** Takes the label of this rank among those other than the given one; false where there is none. */
  suggest(id: number, rank: number): boolean {
    const row = this.row(id);
    const label = row ? suggestions(row)[rank] : undefined;
    if (label === undefined) return false;
    this.decide("relabel", id, { label });
    return true;
  }

  undo(): void {
    if (this.state.canUndo) this.#send({ kind: "undo", rows: [], label: null, note: null, from: null });
    else if (!this.#refuse()) this.#say("Nothing to undo");
  }

  redo(): void {
    if (this.state.canRedo) this.#send({ kind: "redo", rows: [], label: null, note: null, from: null });
    else if (!this.#refuse()) this.#say("Nothing to do again");
  }

  /** Writes the corrected rows in the kernel's working directory, after every decision so far. */
  async export(): Promise<void> {
    if (this.#exporting || this.#kernel.dead) return;
    this.#exporting = true;
    this.#say("Export: writing the corrected rows");
    try {
      await this.#queue.settled();
      const { result } = await this.#kernel.ask("export", {}).answer;
      this.#say(`Wrote ${result.path} with ${some(result.rows, "row")}`);
    } catch (error) {
      this.#say(`Not exported: ${(error as Error).message}`);
    } finally {
      this.#exporting = false;
      this.#changed();
    }
  }

  /** Something was done outside the grid: in a cell, or by a newer widget. */
  announced(told: { revision?: unknown; read_only?: unknown; snapshot?: unknown }): void {
    if (isSnapshot(told.snapshot)) this.#snapshot = told.snapshot;
    if (typeof told.read_only === "string") this.#readOnly = told.read_only;
    if (typeof told.revision === "number" && told.revision > this.#revision) {
      this.#revision = told.revision;
      this.place.reload();
      this.#askSummary();
    }
    this.#changed();
  }

  #askSummary(): void {
    this.#kernel.ask("summary", {}, { patient: true }).answer.then(
      ({ result }) => {
        this.#summary = result;
        this.#changed();
      },
      () => undefined,
    );
  }

  #send(op: Omit<Op, "op_id"> | Omit<BulkOp, "op_id">): void {
    for (const row of op.rows) this.#problems.delete(row);
    this.#queue.push({ ...op, op_id: `${this.#kernel.nextId()}-op` });
    this.#changed();
  }

  #shown(row: Row): ShownRow {
    const ops = this.#queue.open.filter((op) => op.rows.includes(row.row));
    const now = ops.reduce(decided, row);
    return {
      ...(this.#blind ? blinded(now) : now),
      saved: ops.length === 0,
      problem: this.#problems.get(row.row) ?? "",
    };
  }

  #hear(reply: Reply): void {
    const decisions = decisionsIn(reply);
    for (const result of decisions?.results ?? [])
      this.place.learn(result.rows, result.ok ? result.revision : reply.revision);
    if (decisions) this.#summary = decisions.summary;
    if (!reply.ok && reply.error.kind === "read_only") this.#readOnly = reply.error.message;
    this.#revision = Math.max(this.#revision, reply.revision);
    this.#queue.hear(reply);
    this.#changed();
  }

  #answered(op: Op, result: OpResult): void {
    if (result.ok) {
      // The answer tells only the first of many rows.
      if (result.touched + result.left_alone > result.rows.length) this.place.reload();
      const said = `${result.said}${this.#whereabouts(op, result)}`;
      this.#said = result.rows.length === 0 || said.endsWith("saved") ? said : `${said}, saved`;
      return;
    }
    if (result.error.kind === "read_only") this.#readOnly = result.error.message;
    for (const row of op.rows) this.#problems.set(row, result.error.message);
    this.#said = result.error.message;
  }

  /** Undo and redo keep the cursor where it is, so they say where the change was. */
  #whereabouts(op: Op, result: OpResult): string {
    const row = result.rows[0]?.row;
    if ((op.kind !== "undo" && op.kind !== "redo") || row === undefined) return "";
    const { shown, offset, limit } = this.place;
    const at = shown.offsetOf(row);
    if (at === offset) return "";
    return at === null ? " (on another page)" : ` (on page ${count(at / limit + 1)})`;
  }

  #locked(): string {
    if (!this.#kernel.dead) return this.#readOnly;
    const lost = this.#queue.open.length;
    const sentence = "The kernel has stopped: re-run the cell.";
    return lost === 0 ? sentence : `${sentence} ${some(lost, "decision is", "decisions are")} not saved`;
  }

  #status(locked: string): string {
    if (locked) return locked;
    if (this.#queue.late)
      return `Not saved yet: kernel busy, ${some(this.#queue.open.length, "decision")} queued`;
    if (this.place.turning && this.#kernel.late) return "The grid is waiting for the kernel";
    return this.place.problem || this.#said;
  }

  #refuse(): boolean {
    const locked = this.#locked();
    if (locked) this.#changed();
    return locked !== "";
  }

  #say(sentence: string): void {
    this.#said = sentence;
    this.#changed();
  }

  #changed(): void {
    const { filter, here, turning } = this.place;
    const quiet = here && !turning && !this.#kernel.dead;
    this.#navigators.follow({ filter, quiet, revision: this.#revision, draws: this.#draws });
    for (const listener of this.#listeners) listener();
  }
}
