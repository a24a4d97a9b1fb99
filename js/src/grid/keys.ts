/** What the keys do while the focus is in the grid. */

import { LAST } from "../state/position";
import type { Plan } from "../state/selection";
import type { Store } from "../state/store";

export interface KeyActs {
  choose(): void;
  note(): void;
  /** Decides on the selected rows; a relabel without a label asks for one. */
  decideSelection(plan: Plan): void;
  search(): void;
  help(): void;
  /** Shows the whole text, or its beginning again. */
  expand(): void;
  /** Types into the field that an earlier key has opened; false where none has. */
  type(key: string): boolean;
}

type Action = (() => void) | null | undefined;

/** Acts on a key, now or once the page that is on its way has come; false where the key means nothing here. */
export function handleKey(event: KeyboardEvent, store: Store, acts: KeyActs): boolean {
  const { key, ctrlKey, metaKey, altKey, isComposing } = event;
  if (isComposing || key === "Process" || altKey) return false;
  const command = ctrlKey || metaKey;
  const panel = !command && { "/": acts.search, "?": acts.help }[key];
  if (panel) {
    panel();
    return true;
  }
  const action = () => actionOf(event, store, acts);
  // By the time the page comes an earlier key may have opened the picker or the note: the letters are meant for that field.
  const waits = store.position.turning && !command && (key.length === 1 || key === "Escape");
  if (!waits && !action()) return false;
  store.position.whenOnScreen(() => acts.type(key) || action()?.());
  return true;
}

function actionOf(event: KeyboardEvent, store: Store, acts: KeyActs): Action {
  const { key, ctrlKey, metaKey } = event;
  const { position } = store;
  const command = ctrlKey || metaKey;
  return (
    select(event, store) ??
    (command ? { Home: () => position.go(0), End: position.goToLast }[key] : move(key, store)) ??
    once(event, command ? undoOrRedo(event, store) : decides(key, store, acts))
  );
}

/** For keys that act once, however long they are held. */
const once = ({ repeat }: KeyboardEvent, action: Action): Action =>
  action && repeat ? () => undefined : action;

/** Taken from the browser, which would undo in some text field and move the focus there. */
const undoOrRedo = ({ key, shiftKey }: KeyboardEvent, { undo, redo }: Store): Action =>
  ({ z: shiftKey ? redo : undo, Z: redo, y: redo })[key];

/** Selects rows for one decision. */
function select({ key, shiftKey, ctrlKey, metaKey }: KeyboardEvent, store: Store): Action {
  const { selection, position } = store;
  if (ctrlKey || metaKey) return key === "a" && !shiftKey ? () => selection.selectPage(true) : null;
  if (key === "Escape") return selection.count === 0 ? null : selection.clear;
  if (key === "v" || (key === " " && shiftKey))
    return () => {
      const row = position.row();
      if (row) selection.toggle(row.row);
    };
  const by = shiftKey ? { ArrowDown: 1, ArrowUp: -1 }[key] : undefined;
  if (by === undefined) return null;
  return () => {
    const from = position.row();
    position.setCursor(position.cursor + by);
    const to = position.row();
    if (from && to) selection.extendTo(to.row, from.row);
  };
}

function move(key: string, { position }: Store): Action {
  const down = () => position.moveCursor(1);
  const up = () => position.moveCursor(-1);
  return {
    ...{ ArrowDown: down, j: down, ArrowUp: up, k: up },
    PageDown: () => position.turn(1),
    PageUp: () => position.turn(-1),
    Home: () => position.setCursor(0),
    End: () => position.setCursor(LAST),
  }[key];
}

/** Decides on the selected rows, else on the cursor row, and moves on from that. */
function decides(key: string, store: Store, acts: KeyActs): Action {
  const hasSelection = store.selection.count !== 0;
  const onRows = (plan: Plan, act: (row: number) => unknown) => () => {
    if (hasSelection) return acts.decideSelection(plan);
    const row = store.position.row();
    if (!row || store.state.lockReason) return;
    // Where there is no label to take, the picker opens instead.
    if (act(row.row) === false) acts.choose();
    else store.position.moveCursor(1);
  };
  const verdict = (kind: "keep" | "unsure" | "remove") =>
    onRows({ kind }, (row) => {
      if (store.row(row)?.verdict !== kind) store.decide(kind, row);
    });
  const suggest = (rank: number) => onRows({ kind: "relabel" }, (row) => store.suggest(row, rank));
  const label = Number(key) - 1;
  if (/^[1-9]$/.test(key))
    return label < store.state.snapshot.label_names.length
      ? onRows({ kind: "relabel", label }, (row) => store.decide("relabel", row, { label }))
      : () => undefined;
  return {
    ...{ y: verdict("keep"), u: verdict("unsure"), x: verdict("remove") },
    ...{ a: suggest(0), " ": suggest(0), s: suggest(1), d: suggest(2) },
    Enter: hasSelection ? () => acts.decideSelection({ kind: "relabel" }) : acts.choose,
    n: hasSelection ? () => acts.decideSelection({ kind: "note" }) : acts.note,
    ...{ z: store.undo, Z: store.redo, e: acts.expand },
    ...{ w: store.toggleInvisible, b: store.toggleBlind },
  }[key];
}
