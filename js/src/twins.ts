/** The rows of the same words as one row, side by side; chosen together, they can be decided alike. */

import type { Bulk } from "./bulk";
import { type Maker, make, makeButton, setOff, setText } from "./dom";
import type { Row, Verbs } from "./protocol";
import type { State } from "./state";
import { some, VERDICT_WORDS } from "./words";

export interface TwinsPanel {
  readonly el: HTMLElement;
  open(row: Row, state: State, anchor: HTMLElement): void;
}

interface TwinsActs {
  twins(row: number): Promise<Verbs["twins"]["result"]>;
  /** Where the rows, now chosen, can be decided. */
  decide(): void;
  backToGrid(): void;
}

export function makeTwins(maker: Maker, bulk: Bulk, acts: TwinsActs): TwinsPanel {
  const title = make(maker, "div", { class: "lw-question" });
  const about = make(maker, "div", { class: "lw-quiet", role: "status" });
  const list = make(maker, "ol", {
    class: "lw-previewed",
    tabindex: "0",
    "aria-label": "Rows of the same words",
  });
  const alike = makeButton(maker, { class: "lw-go" }, "Decide all alike", () => {
    bulk.chooseOnly(alikes);
    el.hidden = true;
    acts.decide();
  });
  const close = () => {
    el.hidden = true;
    acts.backToGrid();
  };
  const el = make(maker, "div", { class: "lw-confirm", role: "dialog", tabindex: "-1" }, [
    title,
    about,
    list,
    make(maker, "div", { class: "lw-answers" }, [
      alike,
      makeButton(maker, { title: "Close (Escape)" }, "Close", close),
    ]),
  ]);
  el.hidden = true;
  el.setAttribute("aria-label", "Rows of the same words");
  let alikes: readonly Row[] = [];
  el.addEventListener(
    "keydown",
    (event) => {
      event.stopPropagation();
      if (event.key !== "Escape") return;
      event.preventDefault();
      close();
    },
    { signal: maker.signal },
  );

  function open(row: Row, { snapshot, locked }: State, anchor: HTMLElement): void {
    const names = snapshot.label_names;
    const name = (id: number | null) => (id === null ? "no label" : (names[id] ?? ""));
    const line = (each: Row) =>
      make(maker, "li", {}, [
        make(maker, "span", { class: "lw-quiet lw-number" }, [String(each.row)]),
        make(maker, "span", { class: "lw-name", dir: "auto", title: each.text }, [each.text.slice(0, 300)]),
        make(maker, "span", { class: "lw-name", dir: "auto", title: name(each.label) }, [
          `${name(each.label)}${each.verdict ? ` · ${VERDICT_WORDS[each.verdict]}` : ""}`,
        ]),
      ]);
    alikes = [];
    setText(title, `“${row.text.slice(0, 80)}”`);
    setText(about, "Looking for the rows of the same words …");
    list.replaceChildren();
    setOff(alike, true);
    el.hidden = false;
    const home = el.offsetParent?.getBoundingClientRect();
    if (home) {
      const top = anchor.getBoundingClientRect().top - home.top - el.offsetHeight - 6;
      el.style.top = `${Math.max(6, top)}px`;
    }
    el.focus({ preventScroll: true });
    acts.twins(row.row).then(
      ({ total, rows }) => {
        alikes = [row, ...rows];
        const shown = total > rows.length ? `, the first ${rows.length} of them here` : "";
        setText(about, `${some(total, "other row")} of the same words${shown}`);
        list.replaceChildren(...alikes.map(line));
        setOff(alike, locked !== "");
      },
      (error: Error) => setText(about, error.message),
    );
  }

  return { el, open };
}
