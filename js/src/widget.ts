/** The entry that anywidget loads: connects a view to its model and draws it; nothing else. */

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
import { makeTwins } from "./dialogs/duplicates";
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
  const { place } = store;
  const backToGrid = () => {
    if (!grid.focus()) root.focus();
  };
  /** Opened by a key, the picker moves the cursor on as every decision by key does. */
  const choose = (id: number, anchor: HTMLElement, byKey = false) => {
    const row = store.row(id);
    const { state } = store;
    if (!row || state.locked) return;
    const pick = (label: number) => {
      store.decide("relabel", id, { label });
      if (byKey) place.step(1);
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
  const navigators = makePanes(make, store, panes, makeBanner(make));
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
    showTwins: (row) => twins.open(row, inspector.el),
    backToGrid,
  });
  const pager = makePager(make, store);
  const twins = makeTwins(make, store, selectionBar.focus, backToGrid);

  // A click beside the open picker only closes it, as beside any menu: it must not relabel the row that it falls on.
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
      const row = place.row();
      const anchor = grid.cursorLabel();
      if (row && anchor) choose(row.row, anchor, true);
    },
    note: inspector.writeNote,
    many: selectionBar.start,
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
      ".locked": ({ locked }) => locked,
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
        // VS Code acts on whatever it hears: that is what means nothing here, as Ctrl+S and F1, and never runs a cell.
        const chord = event.ctrlKey || event.metaKey || event.altKey;
        const theirs =
          /^F\d/.test(event.key) || (chord && (typing ? /^[sp]$/i : /^(?!Enter)/).test(event.key));
        if (acted || pressing || !theirs) event.stopPropagation();
      },
    },
    ...[toolbar.el, navigators, chips, grid.el, inspector.el],
    make(".foot", make(".live", pager.el, makeStatus(make, store)), pager.size),
    ...[picker.el, selectionBar.dialog, twins.el, help.el],
  );

  const show = () => {
    make.show(store.state);
    grid.moveFocus();
  };
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
  const id = /^IPY_MODEL_(.+)$/.exec(`${model.get("announcements")}`)?.[1];
  if (id === undefined || !model.widget_manager) return;
  try {
    const told = await model.widget_manager.get_model(id);
    if (signal.aborted) return;
    // Restored from the notebook's file, without a kernel.
    if (told.comm_live === false) store.doubt();
    const hear = () => store.announced(told);
    told.on("change", hear);
    atEnd(signal, () => told.off("change", hear));
    hear();
  } catch {
    // marimo has no manager to ask: what a cell does shows with the next page.
  }
}

export default { render };
