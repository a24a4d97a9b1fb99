/** What the keys do while the focus is in the grid. */

import { LAST } from "../state/position";
import type { Plan } from "../state/selection";
import type { Store } from "../state/store";

export interface KeyActs {
  choose(): void;
  note(): void;
  /** A decision on the rows that are chosen; a relabel without a label asks for one. */
  many(plan: Plan): void;
  search(): void;
  help(): void;
  /** The whole text, or its beginning again. */
  expand(): void;
  /** Types into the field that an earlier key has opened; false where none has. */
  type(key: string): boolean;
}

type Action = (() => void) | null | undefined;

/** Acts on a key, or once the page that is on its way has come; false where it means nothing here. */
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
  // By then an earlier key may have opened the picker or the note, and the letters are meant for that.
  const waits = store.place.turning && !command && (key.length === 1 || key === "Escape");
  if (!waits && !action()) return false;
  store.place.perform(() => acts.type(key) || action()?.());
  return true;
}

function actionOf(event: KeyboardEvent, store: Store, acts: KeyActs): Action {
  const { key, ctrlKey, metaKey } = event;
  const { place } = store;
  const command = ctrlKey || metaKey;
  return (
    select(event, store) ??
    (command ? { Home: () => place.go(0), End: place.goToLast }[key] : move(key, store)) ??
    once(event, command ? turnsBack(event, store) : decides(key, store, acts))
  );
}

/** Keys that act once however long they are held. */
const once = ({ repeat }: KeyboardEvent, action: Action): Action =>
  action && repeat ? () => undefined : action;

/** As everywhere: the browser would undo in a text field, and move the focus there. */
const turnsBack = ({ key, shiftKey }: KeyboardEvent, { undo, redo }: Store): Action =>
  ({ z: shiftKey ? redo : undo, Z: redo, y: redo })[key];

/** Chooses rows for one decision. */
function select({ key, shiftKey, ctrlKey, metaKey }: KeyboardEvent, store: Store): Action {
  const { selection, place } = store;
  if (ctrlKey || metaKey) return key === "a" && !shiftKey ? () => selection.choosePage(true) : null;
  if (key === "Escape") return selection.count === 0 ? null : selection.clear;
  if (key === "v" || (key === " " && shiftKey))
    return () => {
      const row = place.row();
      if (row) selection.toggle(row.row);
    };
  const by = shiftKey ? { ArrowDown: 1, ArrowUp: -1 }[key] : undefined;
  if (by === undefined) return null;
  return () => {
    const from = place.row();
    place.point(place.cursor + by);
    const to = place.row();
    if (from && to) selection.extendTo(to.row, from.row);
  };
}

function move(key: string, { place }: Store): Action {
  const down = () => place.step(1);
  const up = () => place.step(-1);
  return {
    ...{ ArrowDown: down, j: down, ArrowUp: up, k: up },
    PageDown: () => place.turn(1),
    PageUp: () => place.turn(-1),
    Home: () => place.point(0),
    End: () => place.point(LAST),
  }[key];
}

/** Decides about the rows that are chosen, else about the cursor row, and moves on from it. */
function decides(key: string, store: Store, acts: KeyActs): Action {
  const chosen = store.selection.count !== 0;
  const onRows = (plan: Plan, act: (row: number) => unknown) => () => {
    if (chosen) return acts.many(plan);
    const row = store.place.row();
    if (!row || store.state.locked) return;
    // Where there is nothing to take, the labels open instead.
    if (act(row.row) === false) acts.choose();
    else store.place.step(1);
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
    Enter: chosen ? () => acts.many({ kind: "relabel" }) : acts.choose,
    n: chosen ? () => acts.many({ kind: "note" }) : acts.note,
    ...{ z: store.undo, Z: store.redo, e: acts.expand },
    ...{ w: store.toggleOdd, b: store.toggleBlind },
  }[key];
}
