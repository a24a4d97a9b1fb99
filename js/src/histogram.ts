/** The losses of all rows as a histogram: a brush, dragged or by keys, leaves the rows between its two ends. */

import { type Maker, make, makeButton, setAttribute, setText } from "./dom";
import type { Filter, LossHistogram } from "./protocol";
import type { State } from "./state";
import { loss, lossRange, NO_END, some } from "./words";

export interface HistogramActs {
  filterBy(patch: Partial<Filter>): void;
}

type Bins = readonly [first: number, last: number];

const PAUSE_MS = 300;
const STEPS: Readonly<Record<string, number>> = {
  ...{ ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -5, PageUp: 5 },
  ...{ Home: Number.NEGATIVE_INFINITY, End: Number.POSITIVE_INFINITY },
};

export function makeHistogram(
  maker: Maker,
  acts: HistogramActs,
): { readonly el: HTMLElement; show(state: State): void } {
  const { signal } = maker;
  const title = make(maker, "div", { class: "lw-title" }, ["Loss"]);
  const end = (name: string, descending: boolean) =>
    makeButton(maker, { title: `${name} first` }, name, () => acts.filterBy({ sort: "loss", descending }));
  const ends = [end("Highest loss", true), end("Lowest loss", false)];
  const order = make(maker, "div", { class: "lw-ends", role: "group", "aria-label": "Order" }, ends);
  const bars = make(maker, "div", { class: "lw-bins", "aria-hidden": "true" });
  const brush = make(maker, "i", { class: "lw-brush" });
  const thumbs = ["Lowest loss shown", "Highest loss shown"].map((name) =>
    make(maker, "div", { role: "slider", tabindex: "0", "aria-label": name, class: "lw-thumb" }),
  );
  const plot = make(maker, "div", { class: "lw-plot" }, [bars, brush, ...thumbs]);
  const [low, high] = ["", ""].map((face) => make(maker, "span", {}, [face])) as [HTMLElement, HTMLElement];
  const says = make(maker, "span");
  const axis = make(maker, "div", { class: "lw-axis lw-quiet" }, [low, says, high]);
  const blank = make(maker, "div", { class: "lw-quiet" });
  const el = make(maker, "div", { class: "lw-losses" }, [title, order, plot, axis, blank]);

  let drawn: LossHistogram | null = null;
  let shownRange = "";
  let edges: readonly number[] = [];
  let counts: readonly number[] = [];
  /** The bins that are chosen, also while the brush is still being drawn. */
  let chosen: Bins | null = null;
  let filtered: readonly [number, number] | null = null;
  let anchor: number | null = null;
  let pause: ReturnType<typeof setTimeout> | undefined;
  signal.addEventListener("abort", () => clearTimeout(pause));

  const last = () => Math.max(0, edges.length - 2);
  const limit = (bin: number) => Math.max(0, Math.min(bin, last()));
  const binAt = ({ clientX }: PointerEvent) => {
    const { left, width } = bars.getBoundingClientRect();
    return limit(Math.floor(((clientX - left) / Math.max(1, width)) * (last() + 1)));
  };
  /** The open ends stay open: rows at the very ends are never lost to rounding. */
  const rangeOf = ([from, to]: Bins): readonly [number, number] | null => {
    if (from === 0 && to === last()) return null;
    return [
      from === 0 ? Math.min(0, edges[0] ?? 0) : (edges[from] ?? 0),
      to === last() ? NO_END : (edges[to + 1] ?? 0),
    ];
  };
  const binsOf = (range: readonly [number, number] | null): Bins | null => {
    if (!range || edges.length < 2) return null;
    const from = edges.filter((edge) => edge <= range[0] + 1e-9).length - 1;
    const to = edges.findIndex((edge) => edge >= range[1] - 1e-9);
    return [limit(from), to < 0 ? last() : Math.max(limit(from), limit(to - 1))];
  };
  const apply = () => {
    clearTimeout(pause);
    pause = undefined;
    acts.filterBy({ loss_range: chosen && rangeOf(chosen) });
  };
  const choose = (next: Bins | null) => {
    chosen = next;
    drawBrush();
  };
  const clear = () => {
    anchor = null;
    choose(null);
    if (filtered) apply();
  };

  plot.addEventListener(
    "pointerdown",
    (event) => {
      if (event.button !== 0 || edges.length < 2) return;
      event.preventDefault();
      plot.setPointerCapture(event.pointerId);
      clearTimeout(pause);
      const bin = binAt(event);
      const [from, to] = chosen ?? [0, last()];
      const thumb = thumbs.findIndex((one) => event.composedPath().includes(one));
      anchor = thumb === 0 ? to : thumb === 1 ? from : bin;
      thumbs[Math.max(0, thumb)]?.focus({ preventScroll: true });
      // A click beside the brush takes it off; a drag from there draws another.
      pressed = thumb < 0 && chosen !== null ? { bin, inside: bin >= from && bin <= to } : null;
      if (!chosen) choose([bin, bin]);
    },
    { signal },
  );
  let pressed: { readonly bin: number; readonly inside: boolean } | null = null;
  plot.addEventListener(
    "pointermove",
    (event) => {
      if (anchor === null) return;
      const bin = binAt(event);
      if (pressed?.bin === bin) return;
      pressed = null;
      choose([Math.min(anchor, bin), Math.max(anchor, bin)]);
    },
    { signal },
  );
  plot.addEventListener(
    "pointerup",
    () => {
      if (anchor === null) return;
      anchor = null;
      if (!pressed) apply();
      else if (!pressed.inside) clear();
    },
    { signal },
  );
  plot.addEventListener("pointercancel", () => anchor !== null && cancel(), { signal });
  const cancel = () => {
    anchor = null;
    choose(binsOf(filtered));
  };
  plot.addEventListener(
    "keydown",
    (event) => {
      if (event.altKey || event.metaKey || event.ctrlKey) return;
      const thumb = thumbs.findIndex((one) => one.matches(":focus"));
      const step = STEPS[event.key];
      if (event.key === "Escape") anchor === null ? clear() : cancel();
      else if (step === undefined || edges.length < 2) return;
      else {
        const [from, to] = chosen ?? [0, last()];
        choose(
          thumb === 0 ? [Math.min(limit(from + step), to), to] : [from, Math.max(limit(to + step), from)],
        );
        clearTimeout(pause);
        pause = setTimeout(apply, PAUSE_MS);
      }
      event.preventDefault();
      event.stopPropagation();
    },
    { signal },
  );

  function drawBrush(): void {
    const bins = last() + 1;
    const [from, to] = chosen ?? [0, last()];
    const range = chosen && rangeOf(chosen);
    brush.style.insetInline = `${(100 * from) / bins}% ${(100 * (bins - 1 - to)) / bins}%`;
    brush.hidden = !range;
    plot.classList.toggle("lw-brushed", range !== null);
    const at = [from, to + 1];
    thumbs.forEach((thumb, i) => {
      thumb.style.insetInlineStart = `${(100 * (at[i] ?? 0)) / bins}%`;
      const value = edges[at[i] ?? 0] ?? 0;
      setAttribute(thumb, "aria-valuemin", String(edges[0] ?? 0));
      setAttribute(thumb, "aria-valuemax", String(edges.at(-1) ?? 0));
      setAttribute(thumb, "aria-valuenow", String(value));
      setAttribute(thumb, "aria-valuetext", loss(value));
    });
    [...bars.children].forEach((bar, i) => {
      bar.classList.toggle("lw-beside", range !== null && (i < from || i > to));
    });
    const within = counts.slice(from, to + 1).reduce((sum, n) => sum + n, 0);
    setText(
      says,
      range
        ? `${lossRange(range)} · ${some(within, "row")}`
        : "drag to filter · strong: reviewed · log scale",
    );
  }

  function drawBars(told: LossHistogram): void {
    edges = told.edges;
    counts = told.rows;
    const most = Math.log1p(Math.max(1, ...told.rows));
    bars.replaceChildren(
      ...told.rows.map((rows, i) => {
        const done = told.reviewed[i] ?? 0;
        const share = make(maker, "i");
        share.style.height = `${(100 * done) / Math.max(1, rows)}%`;
        const bar = make(maker, "div", {}, [share]);
        bar.style.height = `${((100 * Math.log1p(rows)) / most).toFixed(1)}%`;
        const range = lossRange([edges[i] ?? 0, i === last() ? NO_END : (edges[i + 1] ?? 0)]);
        const slot = make(maker, "div", { title: `${range}: ${some(rows, "row")}, ${done} reviewed` }, [bar]);
        return slot;
      }),
    );
    setText(low, loss(edges[0] ?? 0));
    setText(high, `${loss(edges.at(-1) ?? 0)}`);
    const missing = told.missing > 0 ? ` · ${some(told.missing, "row")} without a loss` : "";
    setText(title, `Loss${missing}`);
  }

  function show({ navigators, filter, blind }: State): void {
    const { told, problem } = navigators.histogram;
    const hidden = blind || told === null;
    for (const part of [plot, axis]) part.hidden = hidden;
    setText(
      blank,
      blind ? "Hidden while you review blind." : problem || (told ? "" : "Counting the losses…"),
    );
    ends.forEach((button, i) => {
      const descending = i === 0;
      setAttribute(
        button,
        "aria-pressed",
        String(filter.sort === "loss" && filter.descending === descending),
      );
    });
    if (!told) return;
    const range = JSON.stringify(filter.loss_range);
    if (told === drawn && range === shownRange) return;
    if (told !== drawn) drawBars(told);
    drawn = told;
    shownRange = range;
    filtered = filter.loss_range;
    // A brush that is being drawn stays as it is.
    if (anchor === null && pause === undefined) choose(binsOf(filtered));
    else drawBrush();
  }

  return { el, show };
}
