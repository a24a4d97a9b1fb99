/** The decisions of this view, so that an undo shows at once. Only the kernel knows what an undo really does: what
this view guesses stands until the kernel has answered. */

import { afterDecision, rowStateOf } from "../kernel/row-state";
import type { Op, Row, RowState } from "../protocol";

/** The state of one row before and after a decision; null for a decision on many rows, which the kernel alone knows. */
type Entry = { readonly undo: RowState; readonly redo: RowState } | null;

export const isUndoOrRedo = (op: Pick<Op, "kind">): op is { kind: "undo" | "redo" } =>
  op.kind === "undo" || op.kind === "redo";

export function makeUndoHistory() {
  let done: Entry[] = [];
  let undone: Entry[] = [];
  const guesses = new WeakMap<Op, RowState>();

  return {
    get canRedo(): boolean {
      return undone.length > 0;
    },

    /** Records an op, on this row if it is on one. For an undo or redo: the state that it will probably bring back. */
    record(op: Op, row: Row | null): RowState | undefined {
      if (!isUndoOrRedo(op)) {
        done.push(row && { undo: rowStateOf(row), redo: rowStateOf(afterDecision(row, op)) });
        undone = [];
        return;
      }
      const [from, to] = op.kind === "undo" ? [done, undone] : [undone, done];
      const entry = from.pop();
      if (entry !== undefined) to.push(entry);
      if (entry) guesses.set(op, entry[op.kind]);
      return entry?.[op.kind];
    },

    guess: (op: Op): RowState | undefined => guesses.get(op),

    /** Somebody else has decided, or a decision was refused: what comes next to be undone is not known here. */
    forget(): void {
      done = [];
      undone = [];
    },
  };
}
