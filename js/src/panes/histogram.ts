/** The losses of all rows as a histogram. A brush, dragged or moved by keys, filters to the rows between its two ends. */

import { boxOf, DECORATIVE, focusInPlace, isFocused, type Make, refill, set } from "../dom/dom";
import { clamp, count, loss, lossRange, percentOf, pluralRows } from "../dom/numbers";
import { makeTimer } from "../dom/timer";
import { COUNTING, HIDDEN, joined } from "../dom/words";
import type { LossHistogram } from "../protocol";
import type { State } from "../state/state";
import type { Store } from "../state/store";

type Bins = readonly [first: number, last: number];
/** Ends of a filter; null: an open end. */
type Range = readonly [number | null, number | null];

const PAUSE_MS = 300;
const STEPS_OF_TICKS = [0.1, 0.2, 0.5, 1, 2, 5, 10];
const STEPS: Readonly<Record<string, number>> = {
  ...{ ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -5, PageUp: 5 },
  ...{ Home: Number.NEGATIVE_INFINITY, End: Number.POSITIVE_INFINITY },
};

export function makeHistogram(make: Make<State>, store: Store): HTMLElement {
  let drawn: LossHistogram | null = null;
  let edges: readonly number[] = [];
  let counts: readonly number[] = [];
  let slots: readonly HTMLElement[] = [];
  /** The bins under the brush, also while it is still being drawn; null: no brush. */
  let chosen: Bins | null = null;
  /** The filter that is on. */
  let filtered: Range | null = null;
  /** The bin at which a drag has begun, or the fixed end when a thumb is dragged; null: nothing is dragged. */
  let anchor: number | null = null;
  /** A press that may become a click beside the brush or on it, until the pointer moves to another bin. */
  let pressed: { readonly bin: number; readonly inside: boolean } | null = null;
  const pause = makeTimer(make.signal);

  const edge = (i: number) => edges.at(i) ?? 0;
  const last = () => Math.max(0, edges.length - 2);
  const limit = (bin: number) => clamp(bin, last());
  const ends = (): Bins => chosen ?? [0, last()];
  const binAt = ({ clientX }: PointerEvent) => {
    const { left, width } = boxOf(bars);
    return limit(Math.floor(((clientX - left) / Math.max(1, width)) * (last() + 1)));
  };
  /** A brush that reaches an end of the histogram is open there, so that rounding loses no row at the very end. */
  const rangeOf = ([from, to]: Bins): Range | null =>
    from === 0 && to === last()
      ? null
      : [from === 0 ? null : edge(from), to === last() ? null : edge(to + 1)];
  const binsOf = (range: Range | null): Bins | null => {
    if (!range || edges.length < 2) return null;
    const [low, high] = [range[0] ?? Number.NEGATIVE_INFINITY, range[1] ?? Number.POSITIVE_INFINITY];
    const from = limit(edges.filter((at) => at <= low + 1e-9).length - 1);
    const to = edges.findIndex((at) => at >= high - 1e-9);
    return [from, to < 0 ? last() : Math.max(from, limit(to - 1))];
  };
  const apply = () => {
    pause.stop();
    store.filterBy({ loss_range: chosen && rangeOf(chosen) });
  };
  const choose = (next: Bins | null) => {
    chosen = next;
    drawBrush();
  };
  const cancel = () => {
    anchor = null;
    choose(binsOf(filtered));
  };
  const clear = () => {
    anchor = null;
    choose(null);
    if (filtered) apply();
  };

  const bars = make(".bins", DECORATIVE);
  const brush = make("i.brush");
  const thumbs = ["Lowest loss shown", "Highest loss shown"].map((name) =>
    make(".thumb", { role: "slider", tabindex: 0, label: name }),
  );
  const caption = make("span");
  const ticks = make(".ticks.quiet", DECORATIVE, { hidden: (state) => hidden(state) });
  const hidden = ({ blind, histogram }: State) => blind || !histogram.answer;

  const plot = make(".plot", { hidden }, bars, brush, thumbs, {
    onpointerdown(event) {
      if (event.button !== 0 || edges.length < 2) return;
      event.preventDefault();
      plot.setPointerCapture(event.pointerId);
      pause.stop();
      const bin = binAt(event);
      const [from, to] = ends();
      const thumb = thumbs.findIndex((one) => event.composedPath().includes(one));
      anchor = thumb === 0 ? to : thumb === 1 ? from : bin;
      focusInPlace(thumbs[Math.max(0, thumb)]);
      // A click beside the brush removes it; a drag from there draws another one.
      pressed = thumb < 0 && chosen !== null ? { bin, inside: bin >= from && bin <= to } : null;
      if (!chosen) choose([bin, bin]);
    },
    onpointermove(event) {
      if (anchor === null) return;
      const bin = binAt(event);
      if (pressed?.bin === bin) return;
      pressed = null;
      choose([Math.min(anchor, bin), Math.max(anchor, bin)]);
    },
    onpointerup() {
      if (anchor === null) return;
      anchor = null;
      if (!pressed) apply();
      else if (!pressed.inside) clear();
    },
    onpointercancel: () => anchor !== null && cancel(),
    onkeydown(event) {
      if (event.altKey || event.metaKey || event.ctrlKey) return;
      const step = STEPS[event.key];
      if (event.key === "Escape") anchor === null ? clear() : cancel();
      else if (step === undefined || edges.length < 2) return;
      else {
        const [from, to] = ends();
        choose(
          thumbs.findIndex(isFocused) === 0
            ? [Math.min(limit(from + step), to), to]
            : [from, Math.max(limit(to + step), from)],
        );
        pause.start(PAUSE_MS, apply);
      }
      event.preventDefault();
      event.stopPropagation();
    },
  });

  function drawBrush(): void {
    const bins = last() + 1;
    const [from, to] = ends();
    const range = chosen && rangeOf(chosen);
    brush.style.insetInline = `${percentOf(from, bins)} ${percentOf(bins - 1 - to, bins)}`;
    brush.hidden = !range;
    set(plot, { ".brushed": range !== null });
    thumbs.forEach((thumb, i) => {
      const at = i === 0 ? from : to + 1;
      set(thumb, {
        style: `inset-inline-start:${percentOf(at, bins)}`,
        "aria-valuemin": edge(0),
        "aria-valuemax": edge(-1),
        "aria-valuenow": edge(at),
        "aria-valuetext": loss(edge(at)),
      });
    });
    slots.forEach((slot, i) => {
      set(slot, { ".beside": range && (i < from || i > to) });
    });
    const rows = counts.slice(from, to + 1).reduce((sum, n) => sum + n, 0);
    refill(caption, [
      range ? `${lossRange(range)} · ${pluralRows(rows)}` : "drag to filter · darker: reviewed · log scale",
    ]);
  }

  function drawBars({ edges: between, rows: all, reviewed }: LossHistogram): void {
    edges = between;
    counts = all;
    const most = Math.log1p(Math.max(1, ...all));
    // The last bar may hold everything above its lower end.
    const bins = last() + 1;
    const top = edge(last());
    const step = STEPS_OF_TICKS.find((nats) => top <= 6 * nats) ?? top;
    const marks = Array.from({ length: Math.ceil(top / step) || 1 }, (_, i) => i * step);
    const places = marks.map((nats): [string, number] => [
      String(+nats.toFixed(2)),
      Math.max(0, (nats - edge(0)) / ((top - edge(0)) / last() || 1)),
    ]);
    const open = edge(-1) - top > 1.5 * (edge(1) - edge(0));
    refill(ticks, [
      ...places.map(([label, at]) =>
        make("span", { style: `inset-inline-start:${percentOf(at, bins)}` }, label),
      ),
      make(
        "span",
        { style: `inset-inline-start:${percentOf(bins - (open ? 0.5 : 0), bins)}` },
        open ? `${+top.toFixed(2)} +` : loss(edge(-1)),
      ),
    ]);
    slots = all.map((rows, i) => {
      const done = reviewed[i] ?? 0;
      const range = lossRange([edge(i), i === last() ? null : edge(i + 1)]);
      return make(
        "",
        { title: `${range}: ${pluralRows(rows)}, ${done} reviewed` },
        make(
          "",
          { style: `height:${percentOf(Math.log1p(rows), most)}` },
          make("i", { style: `height:${percentOf(done, rows)}` }),
        ),
      );
    });
    refill(bars, slots);
  }

  make.watch(({ histogram: { answer }, filter }) => {
    if (!answer || (answer === drawn && filter.loss_range === filtered)) return;
    filtered = filter.loss_range;
    if (answer !== drawn) drawBars(answer);
    drawn = answer;
    // A brush that is being drawn stays as it is, whatever answer comes.
    if (anchor === null && !pause.runs) chosen = binsOf(filtered);
    drawBrush();
  });

  const end = (name: string, descending: boolean) =>
    make(
      "button",
      {
        title: `${name} first`,
        "aria-pressed": ({ filter }) => filter.sort === "loss" && filter.descending === descending,
        onclick: () => store.filterBy({ sort: "loss", descending }),
      },
      name,
    );
  return make(
    ".losses",
    make(".title", ({ histogram: { answer } }) =>
      joined(["Loss", answer?.missing ? `${count(answer.missing)} missing` : ""]),
    ),
    make(".ends", { role: "group", label: "Order" }, end("Highest loss", true), end("Lowest loss", false)),
    plot,
    ticks,
    make(".axis.quiet", { hidden }, caption),
    make(".quiet", ({ blind, histogram: { answer, problem } }) =>
      blind ? HIDDEN : problem || (answer ? "" : COUNTING),
    ),
  );
}
