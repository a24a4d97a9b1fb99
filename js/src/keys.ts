/** What the keys do while the focus is in the grid. */

import type { OpKind } from "./protocol";
import type { Store } from "./store";

export interface KeyActs {
  choose(): void;
  note(): void;
  search(): void;
  help(): void;
  /** The whole text, or its beginning again. */
  expand(): void;
}

const VERDICT_KEYS: Readonly<Record<string, OpKind>> = { y: "keep", u: "unsure", x: "remove" };
const RANK_KEYS: Readonly<Record<string, number>> = { a: 0, " ": 0, s: 1, d: 2 };

/** Acts on a key; false where it means nothing here. */
export function handleKey(event: KeyboardEvent, store: Store, acts: KeyActs): boolean {
  if (event.isComposing || event.key === "Process" || event.altKey) return false;
  const selects = select(event, store);
  if (selects) {
    store.place.perform(selects);
    return true;
  }
  if (event.metaKey) return false;
  const panel = event.ctrlKey ? undefined : { "/": acts.search, "?": acts.help }[event.key];
  if (panel) {
    panel();
    return true;
  }
  const action = event.ctrlKey
    ? jump(event.key, store)
    : (move(event.key, store) ?? decide(event, store, acts));
  if (!action) return false;
  store.place.perform(action);
  return true;
}

/** Chooses rows for one decision; the other keys are about the row under the cursor whatever is chosen. */
function select({ key, shiftKey, ctrlKey, metaKey }: KeyboardEvent, store: Store): (() => void) | null {
  const { bulk, place, state } = store;
  if (ctrlKey || metaKey) return key === "a" && !shiftKey ? () => bulk.choosePage(true) : null;
  if (key === "Escape") return (bulk.count ?? 1) > 0 ? () => bulk.clear() : null;
  const at = () => place.rows()[place.cursor]?.row;
  if (key === "v" || (key === " " && shiftKey))
    return () => {
      const row = at();
      if (row !== undefined) bulk.toggle(row);
    };
  const by = shiftKey ? { ArrowDown: 1, ArrowUp: -1 }[key] : undefined;
  if (by === undefined) return null;
  return () => {
    const from = at();
    place.point(state.cursor + by);
    const to = at();
    if (from !== undefined && to !== undefined) bulk.extendTo(to, from);
  };
}

function jump(key: string, { place }: Store): (() => void) | null {
  if (key === "Home") return () => place.go(0);
  if (key === "End") return () => place.goToLast();
  return null;
}

function move(key: string, { place }: Store): (() => void) | null {
  switch (key) {
    case "ArrowDown":
    case "j":
      return () => place.step(1);
    case "ArrowUp":
    case "k":
      return () => place.step(-1);
    case "PageDown":
      return () => place.turn(1);
    case "PageUp":
      return () => place.turn(-1);
    case "Home":
      return () => place.point(0);
    case "End":
      return () => place.point(Number.MAX_SAFE_INTEGER);
    default:
      return null;
  }
}

const nothing = () => undefined;

/** Keys that act once however long they are held. */
function decide(event: KeyboardEvent, store: Store, acts: KeyActs): (() => void) | null {
  const { key } = event;
  const action = once(key, store, acts);
  return action && event.repeat ? nothing : action;
}

function once(key: string, store: Store, acts: KeyActs): (() => void) | null {
  const { place } = store;
  /** Decides about the cursor row, then moves on; where there is nothing to take, the labels open instead. */
  const onRow = (act: (row: number) => boolean) => () => {
    const { rows, cursor, locked } = store.state;
    const row = rows[cursor];
    if (!row || locked) return;
    if (act(row.row)) place.step(1);
    else acts.choose();
  };
  const verdict = VERDICT_KEYS[key];
  if (verdict)
    return onRow((row) => {
      store.decide(verdict, row);
      return true;
    });
  const rank = RANK_KEYS[key];
  if (rank !== undefined) return onRow((row) => store.suggest(row, rank));
  if (/^[1-9]$/.test(key))
    return onRow((row) => {
      const label = Number(key) - 1;
      if (label >= store.state.snapshot.label_names.length) return true;
      store.decide("relabel", row, { label });
      return true;
    });
  switch (key) {
    case "Enter":
      return () => acts.choose();
    case "z":
      return () => store.undo();
    case "Z":
      return () => store.redo();
    case "n":
      return () => acts.note();
    case "e":
      return () => acts.expand();
    case "w":
      return () => store.showOdd(!store.state.odd);
    case "b":
      return () => store.goBlind(!store.state.blind);
    default:
      return null;
  }
}
