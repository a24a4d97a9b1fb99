/** The acts of this view, so that an undo shows at once; what is guessed stands until the kernel has answered. */

import { decided, stateOf } from "../kernel/row-state";
import type { Op, Row, RowState } from "../protocol";

/** How one row stood before and after an act; null of many rows, which the kernel alone knows. */
type Act = { readonly undo: RowState; readonly redo: RowState } | null;

export const turnsBack = (op: Pick<Op, "kind">): op is { kind: "undo" | "redo" } =>
  op.kind === "undo" || op.kind === "redo";

export function makeHistory() {
  let done: Act[] = [];
  let undone: Act[] = [];
  const guesses = new WeakMap<Op, RowState>();

  return {
    get canRedo(): boolean {
      return undone.length > 0;
    },

    /** Takes the act in, on this row if on one; tells how an undo or redo will leave its row. */
    take(op: Op, row: Row | null): RowState | undefined {
      if (!turnsBack(op)) {
        done.push(row && { undo: stateOf(row), redo: stateOf(decided(row, op)) });
        undone = [];
        return;
      }
      const [from, to] = op.kind === "undo" ? [done, undone] : [undone, done];
      const act = from.pop();
      if (act !== undefined) to.push(act);
      if (act) guesses.set(op, act[op.kind]);
      return act?.[op.kind];
    },

    guess: (op: Op): RowState | undefined => guesses.get(op),

    /** Somebody else has acted, or an act was refused. */
    forget(): void {
      done = [];
      undone = [];
    },
  };
}
