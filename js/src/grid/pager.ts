/** Turns the pages: first, previous, next, last, one by number; and sets how long they are. */

import { isFocused, type Make, onKeys, set, setOptions, signButton } from "../dom/dom";
import { count } from "../dom/numbers";
import type { State } from "../state/state";
import type { Store } from "../state/store";

const SIZES = [10, 20, 50, 100];

export interface Pager {
  readonly el: HTMLElement;
  /** Sets how long the pages are. */
  readonly size: HTMLSelectElement;
}

export function makePager(make: Make<State>, { position }: Store): Pager {
  const button = (name: string, sign: string, off: (state: State) => boolean, act: () => void) =>
    signButton(make, sign, name, name, act, off);
  let drawn = "";
  const goToTyped = () => {
    const typed = Number.parseInt(page.value, 10);
    if (page.value === drawn) return;
    page.value = drawn;
    const { total, limit } = position;
    const last = total === null ? typed : pagesOf(total, limit);
    if (Number.isFinite(typed)) position.go((Math.max(1, Math.min(typed, last)) - 1) * limit);
  };
  const page = make("input.page", {
    ...{ type: "text", inputmode: "numeric", label: "Page" },
    style: (state) => `width:${Math.max(3, pageOf(state).length + 2)}ch`,
    onblur: goToTyped,
    onkeydown: onKeys({
      Enter: goToTyped,
      Escape: () => {
        page.value = drawn;
      },
    }),
  });
  const size = make("select", {
    ...{ label: "Rows per page", title: "Rows per page" },
    onchange() {
      position.resize(Number(size.value));
    },
  });
  make.watch((state) => {
    if (!isFocused(page) || page.value === drawn) set(page, { value: pageOf(state) });
    drawn = pageOf(state);
  });
  make.watch(
    ({ limit }) => limit,
    (limit) => {
      const sizes = [...new Set([...SIZES, limit])].sort((a, b) => a - b);
      setOptions(
        make,
        size,
        sizes.map((n) => ({ value: `${n}`, name: `${n} per page` })),
      );
      set(size, { value: `${limit}` });
    },
  );
  const el = make(
    ".pager",
    button("First page", "«", isFirst, () => position.go(0)),
    button("Previous page", "‹", isFirst, () => position.turn(-1)),
    page,
    make("span.quiet", ({ total, limit }) => (total === null ? "" : `of ${count(pagesOf(total, limit))}`)),
    button("Next page", "›", isLast, () => position.turn(1)),
    button("Last page", "»", (state) => isLast(state) || state.total === null, position.goToLast),
  );
  return { el, size };
}

const pageOf = ({ wantedOffset, limit }: State): string => `${wantedOffset / limit + 1}`;

const pagesOf = (total: number, limit: number): number => Math.max(1, Math.ceil(total / limit));

const isFirst = ({ hasPage, wantedOffset }: State): boolean => !hasPage || wantedOffset === 0;

const isLast = ({ hasPage, wantedOffset, offset, limit, total, rows }: State): boolean =>
  !hasPage ||
  (total === null ? wantedOffset === offset && rows.length < limit : wantedOffset + limit >= total);
