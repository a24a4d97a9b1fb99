/** The confusion matrix of given and predicted labels. With many labels it is a list, largest cells first. A cell filters to its rows. */

import { focusInPlace, isFocused, isOn, type Make, type Part, refill, set } from "../dom/dom";
import { count, plural, pluralRows } from "../dom/numbers";
import { rovingFocus } from "../dom/roving-focus";
import { COUNTING, HIDDEN, joined, shorten } from "../dom/words";
import type { Cell, Confusion } from "../protocol";
import type { State } from "../state/state";
import type { Store } from "../state/store";

/** With more labels than this a matrix is mostly empty, and its names are cut. */
const MOST_IN_MATRIX = 6;
/** The list begins with so many pairs. */
const FIRST_PAIRS = 40;

interface Button {
  readonly el: HTMLButtonElement;
  readonly cell: Cell;
}

export function makeConfusion(make: Make<State>, store: Store): HTMLElement {
  let names: readonly string[] = [];
  let buttons: Button[] = [];
  let whole = false;
  let drawn: Confusion | null = null;

  const name = (id: number) => names[id] ?? "";

  function makeCell(cell: Cell, className: string, ...children: Part<unknown>[]): HTMLElement {
    const { given, predicted } = cell;
    const title = `${name(given)}, predicted ${name(predicted)}: ${pluralRows(cell.rows)}${judged(cell, ", ")}`;
    const el = make(
      `button.${className}`,
      {
        ...{ title, label: title, ".agree": given === predicted },
        onclick() {
          const on = isOn(el);
          store.filterBy({ given: on ? null : name(given), predicted: on ? null : name(predicted) });
        },
      },
      children,
    );
    buttons.push({ el, cell });
    return el;
  }

  function drawList({ cells: differ, total, diagonal }: Confusion): void {
    const label = (id: number) => make("bdi", name(id));
    const shown = whole ? [...differ, ...diagonal] : differ.slice(0, FIRST_PAIRS);
    const left = total + diagonal.length - shown.length;
    refill(cells, [
      ...shown.map((cell) =>
        makeCell(
          cell,
          "line-cell",
          make(
            "span.pair",
            make(".name", label(cell.given)),
            make(".name", cell.given === cell.predicted ? "= " : "→ ", label(cell.predicted)),
          ),
          make("b.percent", count(cell.rows)),
          make("span.quiet", judged(cell) || "–"),
        ),
      ),
      make(
        "button.rest-cells",
        {
          title: `${plural(left, "more pair")}, those that agree among them`,
          hidden: whole || left === 0,
          onclick() {
            whole = true;
            drawn = null;
            store.changed();
            focusInPlace(cells);
          },
        },
        "Show all pairs",
      ),
    ]);
  }

  function drawMatrix({ cells: differ, diagonal }: Confusion): void {
    const all = [...differ, ...diagonal];
    const most = Math.max(1, ...differ.map(({ rows }) => rows));
    const head = (scope: string) => (label: string) =>
      make("th", { scope, title: label, dir: "auto" }, shorten(label, 14));
    const square = (given: number, predicted: number) => {
      const cell = all.find((each) => each.given === given && each.predicted === predicted);
      if (!cell?.rows) return make("td.quiet", "·");
      const button = makeCell(
        cell,
        "matrix-cell",
        make("b", count(cell.rows)),
        // Painted by the style sheet: screen readers have it in the button's name, in words.
        make("small", { "data-wrong": cell.reviewed > 0 ? `${cell.wrong}/${cell.reviewed}` : null }),
      );
      const part = given === predicted ? 0 : cell.rows / most;
      button.style.setProperty("--lw-share", `${(6 + 34 * part).toFixed(0)}%`);
      return make("td", button);
    };
    refill(cells, [
      make(
        "table",
        make("tr", make("td.quiet", "given ↓"), names.map(head("col"))),
        names.map((label, given) =>
          make(
            "tr",
            head("row")(label),
            names.map((_, predicted) => square(given, predicted)),
          ),
        ),
      ),
    ]);
  }

  function draw(answer: Confusion): void {
    const focused = buttons.find(({ el }) => isFocused(el))?.cell;
    const scrolled = cells.scrollTop;
    buttons = [];
    if (names.length <= MOST_IN_MATRIX) drawMatrix(answer);
    else drawList(answer);
    cells.scrollTop = scrolled;
    if (!focused) return;
    // The cell that had the focus gets it again, or the list where that cell is gone.
    const same = buttons.find(
      ({ cell }) => cell.given === focused.given && cell.predicted === focused.predicted,
    );
    focusInPlace(same?.el ?? cells);
  }

  const blank = ({ confusion: { answer, problem }, blind }: State): string => {
    if (blind) return HIDDEN;
    if (!answer || problem) return problem || COUNTING;
    return cells.hidden ? "No row here has a given and a predicted label." : "";
  };
  const cells = make(".cells", {
    tabindex: -1,
    hidden: ({ confusion: { answer }, blind }) =>
      blind || !answer || answer.total + answer.diagonal.length === 0,
  });
  const el = make(
    ".confusion",
    make(".title", ({ confusion: { answer }, blind }) =>
      joined(["Given → predicted", answer && !blind ? `${pluralRows(answer.rows)} differ` : ""]),
    ),
    cells,
    make(".quiet", blank),
  );
  make.watch(({ confusion: { answer }, filter, snapshot }) => {
    if (!answer || cells.hidden) return;
    if (answer !== drawn || names !== snapshot.label_names) {
      names = snapshot.label_names;
      drawn = answer;
      draw(answer);
    }
    for (const { el: button, cell } of buttons)
      set(button, {
        "aria-pressed": filter.given === name(cell.given) && filter.predicted === name(cell.predicted),
      });
  });
  rovingFocus(make, cells);
  return el;
}

const judged = ({ reviewed, wrong }: Cell, before = ""): string =>
  reviewed > 0 ? `${before}${wrong} of ${reviewed} wrong` : "";
