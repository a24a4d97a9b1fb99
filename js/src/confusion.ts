/** Given × predicted labels: a matrix of few labels, the largest cells first of many; a cell filters to its rows. */

import { type Maker, make, makeButton, setAttribute, setText } from "./dom";
import { shorten, showName } from "./name";
import type { Cell, Confusion, Filter } from "./protocol";
import type { State } from "./state";
import { count, some } from "./words";

/** With more labels than this a matrix is mostly empty, and its names are cut. */
const MATRIX = 6;
const FIRST = 40;
/** The width of a letter, and what stands beside the two names, in px. */
const LETTER = 6.3;
const BESIDE = 175;

interface Button {
  readonly el: HTMLButtonElement;
  readonly given: number;
  readonly predicted: number;
}

export function makeConfusion(
  maker: Maker,
  acts: { filterBy(patch: Partial<Filter>): void },
): { readonly el: HTMLElement; show(state: State): void } {
  const title = make(maker, "div", { class: "lw-title" });
  const cells = make(maker, "div", { class: "lw-cells", tabindex: "-1" });
  const blank = make(maker, "div", { class: "lw-quiet" });
  const el = make(maker, "div", { class: "lw-confusion" }, [title, cells, blank]);
  let drawn: Confusion | null = null;
  let names: readonly string[] = [];
  let buttons: readonly Button[] = [];
  let whole = false;

  const name = (id: number) => names[id] ?? "";

  function makeCell(cell: Cell, children: readonly (Node | string)[], by: string): Button {
    const { given, predicted, rows } = cell;
    const says = `${name(given)}, predicted ${name(predicted)}: ${some(rows, "row")}${judged(cell) && `, ${judged(cell)}`}`;
    const button = makeButton(maker, { class: by, "aria-label": says, title: says }, "", () => {
      const on = button.getAttribute("aria-pressed") === "true";
      acts.filterBy({ given: on ? null : name(given), predicted: on ? null : name(predicted) });
    });
    button.classList.toggle("lw-agree", given === predicted);
    button.replaceChildren(...children);
    return { el: button, given, predicted };
  }

  function drawList({ cells: differ, total, diagonal }: Confusion): void {
    const room = el.clientWidth ? Math.max(9, Math.floor((el.clientWidth - BESIDE) / 2 / LETTER)) : 99;
    const label = (id: number) => {
      const span = make(maker, "span", { class: "lw-name", dir: "auto" });
      showName(span, name(id), room);
      return span;
    };
    const line = (cell: Cell) => {
      const sign = cell.given === cell.predicted ? "=" : "→";
      const parts = [
        make(maker, "span", { class: "lw-pair" }, [label(cell.given), ` ${sign} `, label(cell.predicted)]),
        make(maker, "b", { class: "lw-percent" }, [count(cell.rows)]),
        make(maker, "span", { class: "lw-quiet" }, [judged(cell) || "–"]),
      ];
      return makeCell(cell, parts, "lw-line-cell");
    };
    const shown = whole ? [...differ, ...diagonal] : differ.slice(0, FIRST);
    buttons = shown.map(line);
    const left = total + diagonal.length - shown.length;
    const more = makeButton(
      maker,
      { class: "lw-rest-cells" },
      `and ${some(left, "smaller pair")}, or those that agree`,
      () => {
        whole = true;
        if (drawn) draw(drawn);
        cells.focus({ preventScroll: true });
      },
    );
    more.hidden = whole || left === 0;
    cells.replaceChildren(...buttons.map((button) => button.el), more);
  }

  function drawMatrix({ cells: differ, diagonal }: Confusion): void {
    const all = [...differ, ...diagonal];
    const found = new Map(all.map((cell) => [`${cell.given},${cell.predicted}`, cell]));
    const most = Math.max(1, ...differ.map(({ rows }) => rows));
    const ids = names.map((_, id) => id);
    const made: Button[] = [];
    const head = (id: number, scope: string) =>
      make(maker, "th", { scope, title: name(id), dir: "auto" }, [shorten(name(id), 14)]);
    const rows = ids.map((given) => {
      const line = ids.map((predicted) => {
        const cell = found.get(`${given},${predicted}`) ?? {
          given,
          predicted,
          rows: 0,
          reviewed: 0,
          wrong: 0,
        };
        if (cell.rows === 0) return make(maker, "td", { class: "lw-quiet" }, ["·"]);
        const parts = [
          make(maker, "b", {}, [count(cell.rows)]),
          // Painted only: read aloud it stands in the button's name, in words.
          make(maker, "small", cell.reviewed > 0 ? { "data-wrong": `${cell.wrong}/${cell.reviewed}` } : {}),
        ];
        const button = makeCell(cell, parts, "lw-matrix-cell");
        const share = given === predicted ? 0 : cell.rows / most;
        button.el.style.setProperty("--lw-share", `${(6 + 34 * share).toFixed(0)}%`);
        made.push(button);
        return make(maker, "td", {}, [button.el]);
      });
      return make(maker, "tr", {}, [head(given, "row"), ...line]);
    });
    buttons = made;
    const corner = make(maker, "td", { class: "lw-quiet" }, ["given ↓ predicted →"]);
    const top = make(maker, "tr", {}, [corner, ...ids.map((id) => head(id, "col"))]);
    cells.replaceChildren(make(maker, "table", {}, [top, ...rows]));
  }

  function draw(told: Confusion): void {
    const focused = buttons.find((button) => button.el.matches(":focus"));
    const scrolled = cells.scrollTop;
    if (names.length <= MATRIX) drawMatrix(told);
    else drawList(told);
    cells.scrollTop = scrolled;
    // The cell that had the focus has it again, or the list where it is gone.
    const same = buttons.find(
      ({ given, predicted }) => given === focused?.given && predicted === focused.predicted,
    );
    if (focused) (same?.el ?? cells).focus({ preventScroll: true });
  }

  function show({ navigators, filter, snapshot, blind }: State): void {
    const { told, problem } = navigators.confusion;
    cells.hidden = blind || told === null || told.total + told.diagonal.length === 0;
    const unknown = "No row here has a given and a predicted label.";
    setText(
      blank,
      blind
        ? "Hidden while you review blind."
        : problem || (told ? (cells.hidden ? unknown : "") : "Counting the labels…"),
    );
    setText(
      title,
      told && !blind ? `Given → predicted · ${some(told.rows, "row")} differ` : "Given → predicted",
    );
    if (!told || cells.hidden) return;
    if (told !== drawn || names !== snapshot.label_names) {
      names = snapshot.label_names;
      drawn = told;
      draw(told);
    }
    for (const { el: button, given, predicted } of buttons) {
      const on = filter.given === name(given) && filter.predicted === name(predicted);
      setAttribute(button, "aria-pressed", String(on));
    }
  }

  return { el, show };
}

const judged = ({ reviewed, wrong }: Cell): string => (reviewed > 0 ? `${wrong} of ${reviewed} wrong` : "");
