/** Where the scores came from; a plain warning where the model had seen the labels that it judges. */

import { type Make, OF_DATA } from "../dom/dom";
import { joined } from "../dom/words";
import type { State } from "../state/state";

const IN_SAMPLE =
  "The model was trained on these labels: the errors that it has learned have a low loss. " +
  "Out-of-fold scores (lw.cross_score) find more.";

export const makeBanner = (make: Make<State>): HTMLElement =>
  make(
    ".banner",
    make(
      "span.warning",
      { role: "note", hidden: ({ snapshot }) => snapshot.made.in_sample !== true },
      make("b", "In-sample scores. "),
      IN_SAMPLE,
    ),
    make(
      "span.quiet.provenance",
      OF_DATA,
      { title: provenance, ".alarm": ({ locked }) => locked },
      provenance,
    ),
  );

/** The status line says why nothing can be decided, too, but may be a screen below. */
const provenance = ({ snapshot: { made, provenance: from }, locked }: State): string =>
  locked ||
  joined([from, made.in_sample === null ? "not known whether the model has seen these labels" : ""]);
