/** Given × predicted labels: a matrix of few labels, the largest cells first of many; a cell filters to its rows. */

import { focusInPlace, isFocused, isOn, type Make, type Part, refill, set } from "../dom/dom";
import { rove } from "../dom/roving-focus";
import { count, HIDDEN, joined, shorten, some, someRows } from "../dom/words";
import type { Cell, Confusion } from "../protocol";
import type { State } from "../state/state";
import type { Store } from "../state/store";

/** With more labels than this a matrix is mostly empty, and its names are cut. */
const MATRIX = 6;
const FIRST = 40;

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

  function makeCell(cell: Cell, by: string, ...children: Part<unknown>[]): HTMLElement {
    const { given, predicted } = cell;
    const title = `${name(given)}, predicted ${name(predicted)}: ${someRows(cell.rows)}${judged(cell, ", ")}`;
    const el = make(
      `button.${by}`,
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
    const shown = whole ? [...differ, ...diagonal] : differ.slice(0, FIRST);
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
          hidden: whole || left === 0,
          onclick() {
            whole = true;
            drawn = null;
            store.changed();
            focusInPlace(cells);
          },
        },
        `and ${some(left, "smaller pair")}, or those that agree`,
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
        // Painted only: read aloud it stands in the button's name, in words.
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

  function draw(told: Confusion): void {
    const focused = buttons.find(({ el }) => isFocused(el))?.cell;
    const scrolled = cells.scrollTop;
    buttons = [];
    if (names.length <= MATRIX) drawMatrix(told);
    else drawList(told);
    cells.scrollTop = scrolled;
    if (!focused) return;
    // The cell that had the focus has it again, or the list where it is gone.
    const same = buttons.find(
      ({ cell }) => cell.given === focused.given && cell.predicted === focused.predicted,
    );
    focusInPlace(same?.el ?? cells);
  }

  const blank = ({ confusion: { told, problem }, blind }: State): string => {
    if (blind) return HIDDEN;
    if (!told || problem) return problem || "Counting…";
    return cells.hidden ? "No pairs of labels here." : "";
  };
  const cells = make(".cells", {
    tabindex: -1,
    hidden: ({ confusion: { told }, blind }) => blind || !told || told.total + told.diagonal.length === 0,
  });
  const el = make(
    ".confusion",
    make(".title", ({ confusion: { told }, blind }) =>
      joined(["Given → predicted", told && !blind ? `${someRows(told.rows)} differ` : ""]),
    ),
    cells,
    make(".quiet", blank),
  );
  make.watch(({ confusion: { told }, filter, snapshot }) => {
    if (!told || cells.hidden) return;
    if (told !== drawn || names !== snapshot.label_names) {
      names = snapshot.label_names;
      drawn = told;
      draw(told);
    }
    for (const { el: button, cell } of buttons)
      set(button, {
        "aria-pressed": filter.given === name(cell.given) && filter.predicted === name(cell.predicted),
      });
  });
  rove(make, cells);
  return el;
}

const judged = ({ reviewed, wrong }: Cell, before = ""): string =>
  reviewed > 0 ? `${before}${wrong} of ${reviewed} wrong` : "";
