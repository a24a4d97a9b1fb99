/** Pages: first, previous, next, last, one by number, and how long they are. */

import { type Maker, make, makeButton, setOff, setOptions, setText } from "./dom";
import type { State } from "./state";
import { count } from "./words";

export interface PagerActs {
  go(offset: number): void;
  turn(by: number): void;
  last(): void;
  resize(limit: number): void;
}

const SIZES = [10, 20, 50, 100];

export function makePager(
  maker: Maker,
  acts: PagerActs,
): { readonly el: HTMLElement; show(state: State): void } {
  const { signal } = maker;
  const button = (name: string, face: string, act: () => void) =>
    makeButton(maker, { "aria-label": name, title: name }, face, act);
  const first = button("First page", "«", () => acts.go(0));
  const previous = button("Previous page", "‹", () => acts.turn(-1));
  const next = button("Next page", "›", () => acts.turn(1));
  const last = button("Last page", "»", () => acts.last());
  const page = make(maker, "input", {
    ...{ type: "text", inputmode: "numeric", "aria-label": "Page", class: "lw-page", autocomplete: "off" },
  });
  const of = make(maker, "span", { class: "lw-quiet" });
  const size = make(maker, "select", { "aria-label": "Rows per page", title: "Rows per page" });
  const el = make(maker, "div", { class: "lw-pager" }, [first, previous, page, of, next, last, size]);
  let limit = 1;
  let pages: number | null = null;
  let drawn = "";

  const goToTyped = () => {
    const typed = Number.parseInt(page.value, 10);
    if (page.value === drawn) return;
    page.value = drawn;
    if (Number.isFinite(typed)) acts.go((Math.max(1, Math.min(typed, pages ?? typed)) - 1) * limit);
  };
  page.addEventListener("blur", goToTyped, { signal });
  page.addEventListener(
    "keydown",
    (event) => {
      if (event.key === "Enter") goToTyped();
      else if (event.key === "Escape") page.value = drawn;
      else return;
      event.preventDefault();
    },
    { signal },
  );
  size.addEventListener("change", () => acts.resize(Number(size.value)), { signal });

  function show(state: State): void {
    const { goal, total, here, rows } = state;
    limit = state.limit;
    pages = total === null ? null : Math.max(1, Math.ceil(total / limit));
    const number = String(goal / limit + 1);
    if (!page.matches(":focus") || page.value === drawn) page.value = number;
    drawn = number;
    page.style.width = `${Math.max(3, number.length + 2)}ch`;
    setText(of, pages === null ? "" : `of ${count(pages)}`);
    const end = total === null ? goal === state.offset && rows.length < limit : goal + limit >= total;
    setOff(first, !here || goal === 0);
    setOff(previous, !here || goal === 0);
    setOff(next, !here || end);
    setOff(last, !here || end || total === null);
    const sizes = [...new Set([...SIZES, limit])].sort((a, b) => a - b);
    setOptions(
      maker,
      size,
      sizes.map((n) => ({ value: String(n), name: `${n} per page` })),
    );
    size.value = String(limit);
  }

  return { el, show };
}
