/** Where the scores came from, and a warning where the model was trained on the labels that it judges. */

import { DATA_TEXT, type Make } from "../dom/dom";
import { joined } from "../dom/words";
import type { State } from "../state/state";

const IN_SAMPLE =
  "The model was trained on these labels, so it has learned some of their errors, and those have a low loss now. " +
  "Out-of-fold scores (lw.cross_score) find more of them.";

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
      DATA_TEXT,
      { title: provenance, ".alarm": ({ lockReason }) => lockReason },
      provenance,
    ),
  );

/** Why nothing can be decided stands in the status line too, but that may be a screen further down. */
const provenance = ({ snapshot: { made, provenance: from }, lockReason }: State): string =>
  lockReason ||
  joined([from, made.in_sample === null ? "not known whether the model has seen these labels" : ""]);
