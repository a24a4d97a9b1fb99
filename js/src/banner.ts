/** Where the scores came from; a plain warning where the model had seen the labels that it judges. */

import { type Maker, make, setText } from "./dom";
import type { State } from "./state";

const IN_SAMPLE =
  "The model was trained on these labels: it has learned some of their errors, too, and those have a low loss now. " +
  "Out-of-fold scores (lw.cross_score) find more.";

export function makeBanner(maker: Maker): { readonly el: HTMLElement; show(state: State): void } {
  const provenance = make(maker, "span", { class: "lw-quiet lw-provenance", dir: "auto" });
  const says = make(maker, "span");
  const warning = make(maker, "span", { class: "lw-warning", role: "note" }, [
    make(maker, "b", {}, ["In-sample scores. "]),
    says,
  ]);
  const el = make(maker, "div", { class: "lw-banner" }, [warning, provenance]);

  /** The status line says why nothing can be decided, too, but may be a screen below. */
  function show({ snapshot, locked }: State): void {
    const { made, provenance: from } = snapshot;
    const unknown = made.in_sample === null ? "not known whether the model has seen these labels" : "";
    const quiet = [from, unknown].filter(Boolean).join(" · ");
    setText(provenance, locked || quiet);
    provenance.title = locked || quiet;
    provenance.classList.toggle("lw-alarm", locked !== "");
    warning.hidden = made.in_sample !== true;
    setText(says, IN_SAMPLE);
  }

  return { el, show };
}
