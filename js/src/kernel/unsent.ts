/** Decisions that no kernel has answered, kept for the next view of the same review, and as a file to download. */

import type { Op, Row, Snapshot } from "../protocol";
import { afterDecision } from "./row-state";

/** A decision with its labels by name: a kernel that is started again may give them other ids. */
interface Kept {
  readonly op: Omit<Op, "label" | "from"> & {
    readonly label: string | null;
    readonly from: readonly (string | null)[] | null;
  };
  readonly at: string;
  /** Its rows as they were, as far as this view has seen them. */
  readonly rows?: readonly Row[];
}

/** Lives as long as the web page: kernels and widgets may come and go. */
const page = globalThis as { [key: symbol]: unknown };
const KEY = Symbol.for("loss_widget.unsent");
page[KEY] ??= new Map();
const memory = page[KEY] as Map<string, readonly Kept[]>;

export type Unsent = ReturnType<typeof makeUnsent>;

export function makeUnsent(review: string) {
  const key = `loss_widget.unsent.${review}`;

  function read(): readonly Kept[] {
    const known = memory.get(key);
    if (known) return known;
    try {
      return JSON.parse(sessionStorage.getItem(key) ?? "[]") as readonly Kept[];
    } catch {
      return []; // a frame without storage
    }
  }

  function write(all: readonly Kept[]): void {
    memory.set(key, all);
    try {
      // No text of the data leaves the page's memory.
      if (all.length > 0) sessionStorage.setItem(key, JSON.stringify(all.map(({ op, at }) => ({ op, at }))));
      else sessionStorage.removeItem(key);
    } catch {
      // No storage, or a full one: what is left outlives the view, not the page.
    }
  }

  return {
    add(op: Op, names: readonly string[], rows: readonly Row[]): void {
      const name = (id: number | null) => (id === null ? id : (names[id] ?? null));
      const kept = { ...op, label: name(op.label), from: op.from?.map(name) ?? null };
      write([...read(), { op: kept, at: new Date().toISOString(), rows }]);
    },

    drop(id: string): void {
      write(read().filter(({ op }) => op.op_id !== id));
    },

    /** The decisions that are left, in the ids of these labels. `add` makes a label that is not among them. */
    async restore(
      names: readonly string[],
      add: (name: string) => Promise<number | null>,
    ): Promise<readonly Op[]> {
      const ids = new Map<string | null, number | null>(names.map((name, id) => [name, id]));
      const ops = read().map(({ op }) => op);
      for (const { label } of ops) if (label !== null && !ids.has(label)) ids.set(label, await add(label));
      const id = (name: string | null) => ids.get(name) ?? null;
      return ops.map((op) => ({ ...op, label: id(op.label), from: op.from?.map(id) ?? null }));
    },

    /** JSON lines for `lw.apply_changes`: one for each row that this view has seen, as these decisions leave it. */
    lines(pending: readonly Op[], { label_values }: Snapshot): readonly string[] {
      const standing: Op[] = [];
      const undone: Op[] = [];
      for (const op of pending) {
        if (op.kind === "undo") undone.push(...standing.splice(-1));
        else standing.push(...(op.kind === "redo" ? undone.splice(-1) : [op]));
      }
      const kept = new Map(read().map((entry) => [entry.op.op_id, entry]));
      const lines = new Map<number, Row & { readonly at?: string | undefined }>();
      for (const op of standing) {
        const { rows = [], at } = kept.get(op.op_id) ?? {};
        for (const row of rows) lines.set(row.row, { ...afterDecision(lines.get(row.row) ?? row, op), at });
      }
      const value = (label: number | null) => (label === null ? null : label_values[label]);
      return [...lines.values()].map(({ row, key, text, given, label, verdict, note, at }) =>
        JSON.stringify({
          ...{ row, key, text: text.slice(0, 80), verdict, old_label: value(given), new_label: value(label) },
          ...{ note, reviewed_at: at },
        }),
      );
    },
  };
}
