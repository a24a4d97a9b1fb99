/** The entry that anywidget loads: connects a view to its model and draws it; nothing else. */

import "./theme.css";
import "./grid.css";
import "./panels.css";
import "./bulk.css";
import "./reading.css";
import "./navigators.css";
import "./progress.css";
import { makeBanner } from "./banner";
import { makeBulkBar } from "./bulk-bar";
import { makeChips } from "./chips";
import { makeConfusion } from "./confusion";
import { GUARD, type Maker, make, setAttribute } from "./dom";
import { makeFacets } from "./facets";
import { makeGrid } from "./grid";
import { makeHelp } from "./help";
import { makeHistogram } from "./histogram";
import { makeInspector } from "./inspector";
import type { Model } from "./kernel";
import { handleKey } from "./keys";
import { makePager } from "./pager";
import { makePanes } from "./panes";
import { makePicker } from "./picker";
import { makeProgress } from "./progress";
import type { Filter, OpKind } from "./protocol";
import { makeStatus } from "./status";
import { Store } from "./store";
import { followTheme } from "./theme";
import { makeToolbar } from "./toolbar";
import { makeTwins } from "./twins";

interface View {
  readonly model: Model;
  readonly el: HTMLElement;
  /** Aborts when the view goes; anywidget before 0.10 gives none. */
  readonly signal?: AbortSignal;
}

function render({ model, el, signal: outer }: View): () => void {
  const ending = new AbortController();
  const { signal } = ending;
  const end = () => ending.abort();
  if (outer?.aborted) return end;
  outer?.addEventListener("abort", end, { signal });

  const maker: Maker = { document: el.ownerDocument, signal };
  const store = new Store(model, signal);
  const root = draw(maker, store);
  el.append(root);
  guardHost(root);
  followTheme(root, signal);
  signal.addEventListener("abort", () => root.remove());
  followAnnouncements(model, store, signal);
  store.open();
  return end;
}

function draw(maker: Maker, store: Store): HTMLElement {
  const { place } = store;
  const backToGrid = () => {
    if (!grid.focus()) root.focus();
  };
  /** Opened by a key, the picker moves the cursor on as every decision by key does. */
  const choose = (id: number, anchor: HTMLElement, byKey: boolean) => {
    const row = store.row(id);
    const { state } = store;
    if (!row || state.locked) return;
    const pick = (label: number) => {
      store.decide("relabel", id, { label });
      if (byKey) place.step(1);
    };
    picker.open({ title: `New label of row ${id}`, row, pick }, state, anchor);
  };
  const chooseAtCursor = () => {
    const { rows, cursor } = store.state;
    const row = rows[cursor];
    const anchor = grid.cursorLabel();
    if (row && anchor) choose(row.row, anchor, true);
  };
  const picker = makePicker(maker, backToGrid, (name) => store.addLabel(name));
  const bulkBar = makeBulkBar(maker, store.bulk, {
    choose: (title, anchor, pick) => picker.open({ title, row: null, pick }, store.state, anchor),
    backToGrid,
  });
  const help = makeHelp(maker, backToGrid);
  const gridActs = {
    point: (index: number) => place.point(index),
    toggle: (row: number) => {
      const anchor = grid.cursorLabel();
      if (!store.toggle(row) && anchor) choose(row, anchor, false);
    },
    decide: (kind: OpKind, row: number) => store.decide(kind, row),
    redraw: () => show(),
    choose: (row: number, anchor: HTMLElement) => choose(row, anchor, false),
    select: (row: number) => store.bulk.toggle(row),
    selectTo: (row: number) => store.bulk.extendTo(row, store.state.rows[place.cursor]?.row ?? row),
    selectPage: (on: boolean) => store.bulk.choosePage(on),
  };
  const grid = makeGrid(maker, gridActs, bulkBar.el);
  const toolbar = makeToolbar(maker, {
    filterBy: (patch) => store.filterBy(patch),
    undo: () => store.undo(),
    redo: () => store.redo(),
    export: () => void store.export(),
    help: () => help.toggle(toolbar.help),
    backToGrid,
  });
  const inspector = makeInspector(maker, {
    relabel: (row, label) => store.decide("relabel", row, { label }),
    note: (row, note) => store.decide("note", row, { note }),
    wholeText: (row) => store.lookups.wholeText(row),
    twinsOf: (row) => store.lookups.twinsOf(row),
    showTwins: (row) => twins.open(row, store.state, inspector.el),
    showOdd: (odd) => store.showOdd(odd),
    redraw: () => show(),
    backToGrid,
  });
  const twins = makeTwins(maker, store.bulk, {
    twins: (row) => store.lookups.twins(row),
    decide: () => bulkBar.focus(),
    backToGrid,
  });
  const filterBy = (patch: Partial<Filter>) => store.filterBy(patch);
  const banner = makeBanner(maker);
  const panes = makePanes(
    maker,
    {
      histogram: makeHistogram(maker, { filterBy }),
      confusion: makeConfusion(maker, { filterBy }),
      facets: makeFacets(maker, { filterBy }),
      progress: makeProgress(maker, {
        spotCheck: (rows) => void store.spotCheck(rows),
        clearFilters: () => store.clearFilters(),
      }),
    },
    banner.el,
    { open: (pane, open) => store.look(pane, open), goBlind: (blind) => store.goBlind(blind) },
  );
  const chips = makeChips(maker, {
    filterBy,
    clear: () => store.clearFilters(),
    refresh: () => store.refresh(),
    backToGrid,
  });
  const pager = makePager(maker, {
    go: (offset) => place.go(offset),
    turn: (by) => place.turn(by),
    last: () => place.goToLast(),
    resize: (limit) => place.resize(limit),
  });
  const status = makeStatus(maker);
  const foot = make(maker, "div", { class: "lw-foot" }, [pager.el, status.el]);
  const parts = [toolbar, banner, panes, chips, bulkBar, grid, inspector, pager, status];
  const above = [
    toolbar.el,
    panes.el,
    chips.el,
    grid.el,
    inspector.el,
    foot,
    picker.el,
    bulkBar.dialog,
    twins.el,
    help.el,
  ];
  // A click on padding or on the status line lands here, not on the notebook's cell.
  const root = make(maker, "div", { class: "loss-widget", tabindex: "-1" }, above);

  // A click beside the open picker only closes it, as beside any menu: it must not relabel the row that it falls on.
  let closing = false;
  const { signal } = maker;
  const onPress = () => {
    closing = !picker.el.hidden;
  };
  const onClick = (event: MouseEvent) => {
    if (closing && !(event.target instanceof Element && event.target.closest("button")))
      event.stopPropagation();
    closing = false;
  };
  grid.el.addEventListener("pointerdown", onPress, { signal, capture: true });
  grid.el.addEventListener("click", onClick, { signal, capture: true });

  const keyActs = {
    choose: chooseAtCursor,
    note: () => inspector.writeNote(),
    expand: () => inspector.expand(),
    search: () => {
      toolbar.search.focus();
      toolbar.search.select();
    },
    help: () => help.toggle(grid.cursorLabel() ?? toolbar.help),
  };
  root.addEventListener(
    "keydown",
    (event) => {
      const from = event.composedPath()[0];
      const on = (selector: string) => from instanceof Element && from.matches(selector);
      const typing = on("input:not([type=checkbox]), select");
      const pressing = on("button, [type=checkbox]") && (event.key === "Enter" || event.key === " ");
      if (typing || pressing) event.stopPropagation();
      else if (!event.defaultPrevented && handleKey(event, store, keyActs)) {
        event.preventDefault();
        event.stopPropagation();
      }
    },
    { signal },
  );

  function show(): void {
    const { state } = store;
    setAttribute(root, "data-unsaved", String(state.unsaved));
    root.classList.toggle("lw-locked", state.locked !== "");
    for (const part of parts) part.show(state);
  }
  store.listen(show);
  show();
  return root;
}

/** From inside a shadow root the notebook sees only the host as the focused element. */
function guardHost(root: HTMLElement): void {
  const home = root.getRootNode();
  if (home instanceof ShadowRoot) home.host.setAttribute(GUARD, "true");
}

/** What cells and newer widgets do comes over a second, tiny model: a push on the grid's own comm makes clicks wait. */
async function followAnnouncements(model: Model, store: Store, signal: AbortSignal): Promise<void> {
  const reference = model.get("announcements");
  const id = typeof reference === "string" ? /^IPY_MODEL_(.+)$/.exec(reference)?.[1] : undefined;
  if (id === undefined || !model.widget_manager) return;
  try {
    const told = await model.widget_manager.get_model(id);
    if (signal.aborted) return;
    const hear = () =>
      store.announced({
        revision: told.get("revision"),
        read_only: told.get("read_only"),
        snapshot: told.get("snapshot"),
      });
    for (const name of ["revision", "read_only", "snapshot"]) {
      told.on(`change:${name}`, hear);
      signal.addEventListener("abort", () => told.off(`change:${name}`, hear));
    }
    hear();
  } catch {
    // marimo has no manager to ask: what a cell does shows with the next page.
  }
}

export default { render };
