/** What the keys do while the focus is in the grid. */

import type { Store } from "./store";

export interface KeyActs {
  choose(): void;
  note(): void;
  search(): void;
  help(): void;
  /** The whole text, or its beginning again. */
  expand(): void;
}

type Action = (() => void) | null | undefined;

/** Acts on a key; false where it means nothing here. */
export function handleKey(event: KeyboardEvent, store: Store, acts: KeyActs): boolean {
  const { key, ctrlKey, metaKey } = event;
  if (event.isComposing || key === "Process" || event.altKey) return false;
  const selects = select(event, store);
  if (!selects && metaKey) return false;
  const panel = !selects && !ctrlKey && { "/": acts.search, "?": acts.help }[key];
  if (panel) {
    panel();
    return true;
  }
  const { place } = store;
  const action =
    selects ??
    (ctrlKey
      ? { Home: () => place.go(0), End: place.goToLast }[key]
      : (move(key, store) ?? once(event, store, acts)));
  if (!action) return false;
  place.perform(action);
  return true;
}

/** Chooses rows for one decision; the other keys are about the row under the cursor whatever is chosen. */
function select({ key, shiftKey, ctrlKey, metaKey }: KeyboardEvent, store: Store): Action {
  const { bulk, place } = store;
  if (ctrlKey || metaKey) return key === "a" && !shiftKey ? () => bulk.choosePage(true) : null;
  if (key === "Escape") return bulk.count === 0 ? null : bulk.clear;
  if (key === "v" || (key === " " && shiftKey))
    return () => {
      const row = place.row();
      if (row) bulk.toggle(row.row);
    };
  const by = shiftKey ? { ArrowDown: 1, ArrowUp: -1 }[key] : undefined;
  if (by === undefined) return null;
  return () => {
    const from = place.row();
    place.point(place.cursor + by);
    const to = place.row();
    if (from && to) bulk.extendTo(to.row, from.row);
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
    End: () => place.point(Number.MAX_SAFE_INTEGER),
  }[key];
}

/** Keys that act once however long they are held. */
function once({ key, repeat }: KeyboardEvent, store: Store, acts: KeyActs): Action {
  /** Decides about the cursor row, then moves on; where there is nothing to take, the labels open instead. */
  const onRow = (act: (row: number) => unknown) => () => {
    const row = store.place.row();
    if (!row || store.state.locked) return;
    if (act(row.row) === false) acts.choose();
    else store.place.step(1);
  };
  const suggest = (rank: number) => onRow((row) => store.suggest(row, rank));
  const number = () =>
    onRow((row) => {
      const label = Number(key) - 1;
      if (label < store.state.snapshot.label_names.length) store.decide("relabel", row, { label });
    });
  const action = /^[1-9]$/.test(key)
    ? number()
    : {
        y: onRow((row) => store.decide("keep", row)),
        u: onRow((row) => store.decide("unsure", row)),
        x: onRow((row) => store.decide("remove", row)),
        ...{ a: suggest(0), " ": suggest(0), s: suggest(1), d: suggest(2) },
        ...{ Enter: acts.choose, z: store.undo, Z: store.redo, n: acts.note, e: acts.expand },
        ...{ w: store.toggleOdd, b: store.toggleBlind },
      }[key];
  return action && repeat ? () => undefined : action;
}
