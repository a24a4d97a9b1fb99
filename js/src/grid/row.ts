/** One row slot of the grid: made once, refilled for every page. */

import { watchClicks } from "../dom/clicks";
import {
  DATA_TEXT,
  DECORATIVE,
  focusInPlace,
  keepsFocus,
  type Make,
  maker,
  type Part,
  refill,
  set,
} from "../dom/dom";
import { loss, percent, percentOf } from "../dom/numbers";
import { ACTS, joined, VERDICT_SIGNS, VERDICT_WORDS } from "../dom/words";
import { labelName, probabilityOf, suggestions } from "../kernel/row-state";
import type { ShownRow, State } from "../state/state";
import type { Store } from "../state/store";
import { showName } from "./label-name";
import { quirkChips } from "./quirks";
import { makeTextView } from "./text-view";

export interface RowSlot {
  readonly el: HTMLElement;
  readonly labelCell: HTMLElement;
  /** `room`: how many characters fit side by side in the label cell; `isRead`: on screen, not drawn ahead. */
  show(state: State, row: ShownRow | null, room: number, isRead: boolean): void;
  /** Takes off what the row says of itself to screen readers and tests. */
  clearDescription(): void;
}

/** Characters beside a name (a sign, an arrow, "click → " in smaller type), and how much less of bold type fits. */
const SIGN = 2;
const ARROW = 3;
const CLICK = 7;
const BOLD = 0.9;

const CHOOSE_LABEL = "Click to choose another label (Enter)";

/** `choose` opens the picker at the label cell. */
export function makeRow(
  { signal }: Make<State>,
  index: number,
  store: Store,
  choose: (row: number, anchor: HTMLElement) => void,
): RowSlot {
  const { position, selection } = store;
  const make = maker<ShownRow>(signal);
  let current: ShownRow | null = null;
  let state = store.state;
  let isCursor = false;
  let room: number;
  /** Everything that the row was drawn from: while it stays the same there is nothing to draw. */
  let drawnFrom: readonly unknown[] = [];
  /** The offset of the page that the row describes itself as part of; null: of none. */
  let describedOffset: number | null = null;

  const isRelabelled = (row: ShownRow) => row.verdict === "relabel";
  const isOffered = (row: ShownRow) => !isRelabelled(row) && !state.lockReason;
  const name = (id: number | null) => labelName(state, id) ?? "";
  const point = () => {
    position.setCursor(index);
    focusInPlace(el);
  };

  const texts = makeTextView(make, ".words");
  const given = make("span.name", DATA_TEXT, { ".none": (row) => row.given === null });
  const chosen = make("span.name.chosen", DATA_TEXT, { hidden: (row) => !isRelabelled(row) });
  const hinted = make("span.name", DATA_TEXT);
  const predicted = make("span.name", DATA_TEXT, { title: (row) => name(row.predicted) });
  const quirks = make("span.quirks");
  const cell = (column: string, ...parts: Part<ShownRow>[]) =>
    make(`.cell.${column}`, { role: "gridcell", "data-column": column }, parts);
  const bar = (kind: string, nats: (row: ShownRow) => number | null) =>
    make(`i.bar-${kind}`, {
      style: (row) => `width:${percentOf(Math.min(state.lossScale, nats(row) ?? 0), state.lossScale)}`,
    });

  const labelCell = cell(
    "label",
    {
      onclick(event) {
        if (clicks.selects(event)) return;
        event.stopPropagation();
        if (!current || clicks.isNotPlain(event)) return;
        position.setCursor(index);
        choose(current.row, labelCell);
      },
    },
    make(
      ".line",
      given,
      make("span.sign", DECORATIVE, (row) => VERDICT_SIGNS[row.verdict]),
      make(
        "span.hint",
        { hidden: (row) => !isRelabelled(row) || state.lockReason !== "" },
        "↩ click restores",
      ),
    ),
    make(
      ".line",
      make("span.quiet", { hidden: (row) => !isRelabelled(row) }, "→ "),
      chosen,
      make("span.quiet.rest", (row) => (isRelabelled(row) ? "" : percent(row.label_prob))),
      make("span.hint.ghost", { hidden: (row) => !isOffered(row) }, "click → ", hinted),
    ),
  );
  const predictedCell = cell(
    "predicted",
    { ".troubled": (row) => row.problem },
    predicted,
    make(
      "span.quiet",
      { title: (row) => row.problem, ".problem": (row) => row.problem },
      (row) => row.problem || percent(row.predicted_prob),
    ),
  );
  const el = make(
    ".row",
    {
      tabindex: -1,
      ".paired": (row) => row.pair !== null,
      ".cursor": () => isCursor,
      ".hinted": isOffered,
      ".selected": ({ selected }) => selected,
      ".waiting": (row) => !row.saved,
      // For the style sheet. `data-verdict` would not do: it comes and goes with every turn of the page.
      "data-look": ({ verdict }) => verdict,
      ".agrees": (row) => row.predicted === row.given,
      onfocus: () => position.setCursor(index),
      // A click with Shift would select the text in between.
      onmousedown: (event) => event.shiftKey && event.preventDefault(),
      onclick(event) {
        if (!current) return;
        const how = clicks.selects(event);
        if (how) return select(current.row, how);
        if (clicks.isNotPlain(event)) return;
        position.setCursor(index);
        if (!store.toggle(current.row)) choose(current.row, labelCell);
      },
    },
    // The whole cell is the box's target. The row is drawn from what is selected, not from what the browser made of the box.
    cell(
      "select",
      {
        ...keepsFocus,
        onclick(event) {
          event.stopPropagation();
          drawnFrom = [];
          if (current) select(current.row, clicks.selects(event) ?? "also");
        },
      },
      make("input", {
        ...{ type: "checkbox", tabindex: -1 },
        checked: ({ selected }) => selected,
        label: ({ row }) => `Select row ${row}`,
      }),
    ),
    cell(
      "loss",
      make(
        ".line",
        make("span.number", (row) => loss(row.loss)),
        make("span.after", (row) =>
          isRelabelled(row) && row.loss_after !== null ? ` → ${loss(row.loss_after)}` : "",
        ),
        make("span.noted", { hidden: (row) => !row.note_of_score, title: (row) => row.note_of_score }, "i"),
      ),
      make(
        ".bar",
        DECORATIVE,
        bar("before", (row) => row.loss),
        bar("now", (row) => (isRelabelled(row) ? row.loss_after : row.loss)),
      ),
    ),
    cell("text", texts.els, quirks),
    labelCell,
    predictedCell,
    cell(
      "verdict",
      { ...keepsFocus, onclick: (event) => event.stopPropagation() },
      make(
        ".buttons",
        ACTS.map(([kind, word, meaning]) =>
          make(
            `button.${kind}`,
            {
              ...{ label: word, title: `${word}: ${meaning}`, tabindex: -1 },
              "aria-pressed": (row) => row.verdict === kind,
              off: () => state.lockReason,
              onclick(event) {
                if (!current || event.detail > 1) return;
                position.setCursor(index);
                store.decide(kind, current.row);
                focusInPlace(el);
              },
            },
            VERDICT_SIGNS[kind],
          ),
        ),
      ),
      make(
        ".word.quiet",
        { title: ({ note }) => note },
        ({ verdict, note }) => (verdict && VERDICT_WORDS[verdict]) + (note && " ✎"),
      ),
    ),
  );
  const clicks = watchClicks(el, signal);

  function select(row: number, how: "up to" | "also"): void {
    if (how === "up to") selection.extendTo(row, position.row()?.row ?? row);
    else selection.toggle(row);
    point();
  }

  make.watch((row) => {
    texts.show(state, row.text, row.pair);
    const isLong = [
      showName(
        given,
        row.given === null ? "no label" : name(row.given),
        Math.floor((room - SIGN) * (row.verdict === "keep" ? BOLD : 1)),
      ),
      showName(chosen, isRelabelled(row) ? name(row.label) : "", Math.floor((room - ARROW) * BOLD)),
    ];
    set(labelCell, { ".tight": isLong.includes(true) });
    labelCell.title = `${joined([given.textContent, chosen.textContent], " → ")}\n${CHOOSE_LABEL}`;
    showName(hinted, isOffered(row) ? hintFor(row, name) : "", room - CLICK);
    showName(predicted, name(row.predicted), Math.floor(room * BOLD));
  });
  // The label cell says "no label" already.
  const visibleQuirks = (row: ShownRow) => row.quirks.filter((quirk) => quirk !== "unlabelled");
  make.watch(
    (row) => visibleQuirks(row).join(),
    (_, row) => refill(quirks, quirkChips(make, visibleQuirks(row), state.snapshot.quirks)),
  );

  function show(now: State, row: ShownRow | null, space: number, isRead: boolean): void {
    const { snapshot, filter } = now;
    current = row;
    state = now;
    isCursor = row !== null && index === now.cursor;
    room = space;
    const view = [now.lockReason, now.lossScale, now.showInvisible, snapshot, filter, room, isCursor];
    const draws = [...view, ...Object.values(row ?? {})];
    const isDrawn = same(draws, drawnFrom);
    drawnFrom = draws;
    if (row && !isDrawn) make.show(row);
    if (isRead && !(isDrawn && describedOffset === now.offset)) describe(row, now.offset);
  }

  /** Says which row it is, to screen readers and tests; `offset`: null for none. */
  function describe(row: ShownRow | null, offset: number | null): void {
    describedOffset = offset;
    set(el, {
      role: row && "row",
      ".unused": !current,
      tabIndex: row && isCursor ? 0 : -1,
      "data-row": row?.row,
      "aria-rowindex": row && (offset ?? 0) + index + 2,
      "data-verdict": row?.verdict,
      "data-label": row && name(row.label),
      "data-saved": row?.saved,
      "aria-selected": row?.selected,
    });
  }

  function clearDescription(): void {
    if (describedOffset !== null) describe(null, null);
  }

  return { el, labelCell, show, clearDescription };
}

const same = (some: readonly unknown[], others: readonly unknown[]): boolean =>
  some.length === others.length && some.every((each, i) => each === others[i]);

function hintFor(row: ShownRow, name: (id: number) => string): string {
  const [best] = suggestions(row);
  if (best === undefined) return "all labels";
  return joined([name(best), best === row.predicted ? "" : percent(probabilityOf(row, best))]);
}
