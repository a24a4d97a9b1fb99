/** One row slot of the grid: made once, refilled for every page. */

import { watchClicks } from "../dom/clicks";
import {
  focusInPlace,
  keepsFocus,
  type Make,
  maker,
  OF_DATA,
  PAINTED,
  type Part,
  refill,
  set,
} from "../dom/dom";
import { ACTS, joined, loss, percent, share, VERDICT_SIGNS, VERDICT_WORDS } from "../dom/words";
import { nameOf, probabilityOf, suggestions } from "../kernel/row-state";
import type { ShownRow, State } from "../state/state";
import type { Store } from "../state/store";
import { showName } from "./label-name";
import { quirkChips } from "./quirks";
import { makeTexts } from "./text-view";

export interface RowSlot {
  readonly el: HTMLElement;
  readonly labelCell: HTMLElement;
  /** `room`: how many characters fit beside each other in the label cell; `isRead`: not only drawn ahead. */
  show(state: State, row: ShownRow | null, room: number, isRead: boolean): void;
  /** Says of itself no longer which row it is. */
  leave(): void;
}

/** Characters that stand beside a name: a sign, an arrow, "click → " in smaller type; and how bold type is wider. */
const SIGN = 2;
const ARROW = 3;
const CLICK = 7;
const BOLD = 0.9;

/** `choose` opens the picker at the label cell. */
export function makeRow(
  { signal }: Make<State>,
  index: number,
  store: Store,
  choose: (row: number, anchor: HTMLElement) => void,
): RowSlot {
  const { place, selection } = store;
  const make = maker<ShownRow>(signal);
  let current: ShownRow | null = null;
  let state = store.state;
  let isCursor = false;
  let room: number;
  /** All that the row is drawn from, as it was drawn last. */
  let drawn: readonly unknown[] = [];
  /** The offset of the page that it says to be on. */
  let told: number | null = null;

  const isNew = (row: ShownRow) => row.verdict === "relabel";
  const isOffered = (row: ShownRow) => !isNew(row) && !state.locked;
  const name = (id: number | null) => nameOf(state, id) ?? "";
  const point = () => {
    place.point(index);
    focusInPlace(el);
  };

  const texts = makeTexts(make, ".words");
  const given = make("span.name", OF_DATA, { ".none": (row) => row.given === null });
  const chosen = make("span.name.chosen", OF_DATA, { hidden: (row) => !isNew(row) });
  const hinted = make("span.name", OF_DATA);
  const predicted = make("span.name", OF_DATA, { title: (row) => name(row.predicted) });
  const quirks = make("span.quirks");
  const cell = (column: string, ...parts: Part<ShownRow>[]) =>
    make(`.cell.${column}`, { role: "gridcell", "data-column": column }, parts);
  const bar = (kind: string, nats: (row: ShownRow) => number | null) =>
    make(`i.bar-${kind}`, {
      style: (row) => `width:${share(Math.min(state.lossScale, nats(row) ?? 0), state.lossScale)}`,
    });

  const labelCell = cell(
    "label",
    {
      onclick(event) {
        if (clicks.chooses(event)) return;
        event.stopPropagation();
        if (!current || clicks.isNotOne(event)) return;
        place.point(index);
        choose(current.row, labelCell);
      },
    },
    make(
      ".line",
      given,
      make("span.sign", PAINTED, (row) => VERDICT_SIGNS[row.verdict]),
      make("span.hint", { hidden: (row) => !isNew(row) || state.locked !== "" }, "↩ click restores"),
    ),
    make(
      ".line",
      make("span.quiet", { hidden: (row) => !isNew(row) }, "→ "),
      chosen,
      make("span.quiet.rest", (row) => (isNew(row) ? "" : percent(row.label_prob))),
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
      // For the looks: what the row says of itself comes and goes with every turn of the page.
      "data-look": ({ verdict }) => verdict,
      ".agrees": (row) => row.predicted === row.given,
      onfocus: () => place.point(index),
      // A click with Shift would select the text in between.
      onmousedown: (event) => event.shiftKey && event.preventDefault(),
      onclick(event) {
        if (!current) return;
        const how = clicks.chooses(event);
        if (how) return select(current.row, how);
        if (clicks.isNotOne(event)) return;
        place.point(index);
        if (!store.toggle(current.row)) choose(current.row, labelCell);
      },
    },
    // The box and all around it; the row is drawn from what is chosen, not from what the box thinks.
    cell(
      "select",
      {
        ...keepsFocus,
        onclick(event) {
          event.stopPropagation();
          drawn = [];
          if (current) select(current.row, clicks.chooses(event) ?? "also");
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
          isNew(row) && row.loss_after !== null ? ` → ${loss(row.loss_after)}` : "",
        ),
        make("span.noted", { hidden: (row) => !row.note_of_score, title: (row) => row.note_of_score }, "i"),
      ),
      make(
        ".bar",
        PAINTED,
        bar("before", (row) => row.loss),
        bar("now", (row) => (isNew(row) ? row.loss_after : row.loss)),
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
              off: () => state.locked,
              onclick(event) {
                if (!current || event.detail > 1) return;
                place.point(index);
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
    if (how === "up to") selection.extendTo(row, place.row()?.row ?? row);
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
      showName(chosen, isNew(row) ? name(row.label) : "", Math.floor((room - ARROW) * BOLD)),
    ];
    set(labelCell, { ".tight": isLong.includes(true) });
    labelCell.title = joined([given.textContent, chosen.textContent], " → ");
    showName(hinted, isOffered(row) ? hintFor(row, name) : "", room - CLICK);
    showName(predicted, name(row.predicted), Math.floor(room * BOLD));
  });
  // Without a label the label cell says so already.
  const odd = (row: ShownRow) => row.quirks.filter((quirk) => quirk !== "unlabelled");
  make.watch(
    (row) => odd(row).join(),
    (_, row) => refill(quirks, quirkChips(make, odd(row), state.snapshot.quirks)),
  );

  function show(now: State, row: ShownRow | null, space: number, isRead: boolean): void {
    const { snapshot, filter } = now;
    current = row;
    state = now;
    isCursor = row !== null && index === now.cursor;
    room = space;
    const view = [now.locked, now.lossScale, now.odd, snapshot, filter, room, isCursor];
    const draws = [...view, ...Object.values(row ?? {})];
    const isDrawn = same(draws, drawn);
    drawn = draws;
    if (row && !isDrawn) make.show(row);
    if (isRead && !(isDrawn && told === now.offset)) tell(row, now.offset);
  }

  /** Says of itself which row it is; `offset`: null for none. */
  function tell(row: ShownRow | null, offset: number | null): void {
    told = offset;
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

  function leave(): void {
    if (told !== null) tell(null, null);
  }

  return { el, labelCell, show, leave };
}

const same = (some: readonly unknown[], others: readonly unknown[]): boolean =>
  some.length === others.length && some.every((each, i) => each === others[i]);

function hintFor(row: ShownRow, name: (id: number) => string): string {
  const [best] = suggestions(row);
  if (best === undefined) return "all labels";
  return joined([name(best), best === row.predicted ? "" : percent(probabilityOf(row, best))]);
}
