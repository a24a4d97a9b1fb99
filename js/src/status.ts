/** What happened last, and how much is reviewed: told politely to a screen reader too. */

import { type Maker, make, setText } from "./dom";
import type { State } from "./state";
import { reviewed } from "./words";

export function makeStatus(maker: Maker): { readonly el: HTMLElement; show(state: State): void } {
  const said = make(maker, "span", { class: "lw-said", dir: "auto" });
  const done = make(maker, "span", { class: "lw-quiet lw-done" });
  const live = make(maker, "div", { role: "status", "aria-live": "polite", class: "lw-status" }, [
    said,
    " ",
    done,
  ]);
  const parts = (["wrong", "keep", "unsure"] as const).map((kind) => {
    const part = make(maker, "i", { class: `lw-part-${kind}` });
    return { kind, part };
  });
  const meter = make(
    maker,
    "div",
    { class: "lw-meter", "aria-hidden": "true" },
    parts.map(({ part }) => part),
  );
  const el = make(maker, "div", { class: "lw-progress" }, [live, meter]);

  /** Of what is reviewed, for nobody reviews all rows. */
  function show({ status, summary, locked }: State): void {
    setText(said, status);
    said.classList.toggle("lw-alarm", locked !== "");
    setText(done, reviewed(summary));
    meter.title = `${summary.wrong} wrong, ${summary.keep} kept, ${summary.unsure} unsure`;
    for (const { kind, part } of parts)
      part.style.width = `${((100 * summary[kind]) / Math.max(1, summary.reviewed)).toFixed(2)}%`;
  }

  return { el, show };
}
