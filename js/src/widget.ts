/** The entry that anywidget loads: connects a view to its model and puts its parts together. */

import "./dom/theme.css";
import "./grid/grid.css";
import "./grid/label-name.css";
import "./panes/toolbar.css";
import "./panes/filter-chips.css";
import "./grid/inspector.css";
import "./dialogs/label-picker.css";
import "./dialogs/help.css";
import "./grid/pager.css";
import "./dialogs/selection-bar.css";
import "./grid/text-view.css";
import "./panes/panes.css";
import "./panes/progress.css";
import "./grid/dock.css";
import { makeDuplicatesDialog } from "./dialogs/duplicates";
import { makeHelp } from "./dialogs/help";
import { makePicker } from "./dialogs/label-picker";
import { makeSelectionBar } from "./dialogs/selection-bar";
import { GUARD, maker, typeInto } from "./dom/dom";
import { followHost } from "./dom/host";
import { atEnd } from "./dom/timer";
import { makeGrid } from "./grid/grid";
import { makeInspector } from "./grid/inspector";
import { handleKey } from "./grid/keys";
import { makePager } from "./grid/pager";
import { makeStatus } from "./grid/status";
import type { Model } from "./kernel/kernel";
import { makeBanner } from "./panes/banner";
import { makeConfusion } from "./panes/confusion";
import { makeFacets } from "./panes/facets";
import { makeChips } from "./panes/filter-chips";
import { makeHistogram } from "./panes/histogram";
import { makePanes } from "./panes/panes";
import { makeProgress } from "./panes/progress";
import { makeToolbar } from "./panes/toolbar";
import type { State } from "./state/state";
import { makeStore, type Store } from "./state/store";

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

  const store = makeStore(model, signal);
  const root = draw(store, signal);
  el.append(root);
  guardHost(root);
  followHost(root, signal);
  atEnd(signal, () => root.remove());
  followAnnouncements(model, store, signal);
  store.open();
  return end;
}

function draw(store: Store, signal: AbortSignal): HTMLElement {
  const make = maker<State>(signal);
  const { position } = store;
  const backToGrid = () => {
    if (!grid.focus()) root.focus();
  };
  /** Opens the picker. Opened by a key, it moves the cursor on, as every decision by key does. */
  const choose = (id: number, anchor: HTMLElement, byKey = false) => {
    const row = store.row(id);
    const { state } = store;
    if (!row || state.lockReason) return;
    const pick = (label: number) => {
      store.decide("relabel", id, { label });
      if (byKey) position.moveCursor(1);
    };
    picker.open({ title: `New label of row ${id}`, row, pick }, state, anchor);
  };
  const picker = makePicker(make, backToGrid, store.addLabel);
  const help = makeHelp(make, backToGrid);
  const toggleHelp = () => help.toggle(grid.cursorLabel() ?? toolbar.help);
  const panes = {
    histogram: makeHistogram,
    confusion: makeConfusion,
    facets: makeFacets,
    progress: (inner: typeof make, of: Store) => makeProgress(inner, of, backToGrid),
  };
  const toolbar = makeToolbar(make, store, { help: () => help.toggle(toolbar.help), backToGrid });
  const panesStrip = makePanes(make, store, panes, makeBanner(make));
  const chips = makeChips(make, store, backToGrid);
  const selectionBar = makeSelectionBar(
    make,
    store,
    (title, anchor, pick) =>
      picker.open({ title, row: null, label: store.selection.predicted, pick }, store.state, anchor),
    backToGrid,
  );
  const grid = makeGrid(make, store, selectionBar.el, choose);
  const inspector = makeInspector(make, store, {
    showDuplicates: (row) => duplicates.open(row, inspector.el),
    backToGrid,
  });
  const pager = makePager(make, store);
  const duplicates = makeDuplicatesDialog(make, store, selectionBar.focus, backToGrid);

  // A click beside the open picker only closes it, as with any menu: it must not relabel the row that it falls on.
  let closing = false;
  const first = { signal, capture: true };
  grid.el.addEventListener(
    "pointerdown",
    () => {
      closing = !picker.el.hidden;
    },
    first,
  );
  grid.el.addEventListener(
    "click",
    (event) => {
      if (closing && !(event.target instanceof Element && event.target.closest("button")))
        event.stopPropagation();
      closing = false;
    },
    first,
  );

  const keyActs = {
    choose() {
      const row = position.row();
      const anchor = grid.cursorLabel();
      if (row && anchor) choose(row.row, anchor, true);
    },
    note: inspector.writeNote,
    decideSelection: selectionBar.start,
    expand: inspector.expand,
    search() {
      toolbar.search.focus();
      toolbar.search.select();
    },
    help: toggleHelp,
    type: (key: string) => typeInto(picker.field, key) || typeInto(inspector.note, key),
  };
  // A click on padding or on the status line lands here, not on the notebook's cell.
  const root = make(
    "",
    {
      className: "loss-widget",
      tabindex: -1,
      "data-unsaved": ({ unsaved }) => unsaved,
      ".locked": ({ lockReason }) => lockReason,
      ".with-columns": store.state.snapshot.columns.length > 0,
      ".reading-all": inspector.isExpanded,
      ".losses-only": ({ snapshot }) => !snapshot.has_predictions,
      onkeydown(event) {
        const from = event.composedPath()[0];
        const on = (selector: string) => from instanceof Element && from.matches(selector);
        const typing = on("input:not([type=checkbox]), select");
        const pressing = on("button, [type=checkbox]") && (event.key === "Enter" || event.key === " ");
        const acted = !typing && !pressing && !event.defaultPrevented && handleKey(event, store, keyActs);
        if (acted) event.preventDefault();
        // VS Code acts on every key that bubbles up: let those through that mean nothing here, like Ctrl+S and F1, and never
        // one that runs a cell.
        const chord = event.ctrlKey || event.metaKey || event.altKey;
        const theirs =
          /^F\d/.test(event.key) || (chord && (typing ? /^[sp]$/i : /^(?!Enter)/).test(event.key));
        if (acted || pressing || !theirs) event.stopPropagation();
      },
    },
    ...[toolbar.el, panesStrip, chips, grid.el, inspector.el],
    make(".foot", make(".live", pager.el, makeStatus(make, store)), pager.size),
    ...[picker.el, selectionBar.dialog, duplicates.el, help.el],
  );

  const show = () => {
    make.show(store.state);
    grid.moveFocus();
  };
  store.listen(show);
  show();
  return root;
}

/** Seen from outside a shadow root, its host is the focused element: it needs the guard too. */
function guardHost(root: HTMLElement): void {
  const home = root.getRootNode();
  if (home instanceof ShadowRoot) home.host.setAttribute(GUARD, "true");
}

/** Follows what cells and newer widgets do. It comes over a second, tiny model: on ipykernel 7 a push on the grid's own comm
would make every later click wait for the end of the cell. */
async function followAnnouncements(model: Model, store: Store, signal: AbortSignal): Promise<void> {
  const id = /^IPY_MODEL_(.+)$/.exec(`${model.get("announcements")}`)?.[1];
  if (id === undefined || !model.widget_manager) return;
  try {
    const announcements = await model.widget_manager.get_model(id);
    if (signal.aborted) return;
    // Restored from the notebook's file, without a kernel.
    if (announcements.comm_live === false) store.checkKernel();
    const hear = () => store.announced(announcements);
    announcements.on("change", hear);
    atEnd(signal, () => announcements.off("change", hear));
    hear();
  } catch {
    // marimo has no widget manager: what a cell does shows with the next page.
  }
}

export default { render };
