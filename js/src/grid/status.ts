/** What happened last, and how much is reviewed; a screen reader reads it out when it is idle. */

import { DATA_TEXT, DECORATIVE, type Make } from "../dom/dom";
import { percentOf } from "../dom/numbers";
import { reviewed } from "../dom/words";
import type { State } from "../state/state";
import type { Store } from "../state/store";

export function makeStatus(make: Make<State>, store: Store): HTMLElement {
  const download = () => {
    const href = URL.createObjectURL(new Blob([`${store.unsent().join("\n")}\n`]));
    Object.assign(document.createElement("a"), { href, download: "unsaved-decisions.jsonl" }).click();
  };
  /** Shares of the reviewed rows, because nobody reviews all rows. */
  const part = (kind: "wrong" | "keep" | "unsure") =>
    make(`i.part-${kind}`, {
      style: ({ summary }) => `width:${percentOf(summary[kind], summary.reviewed)}`,
    });
  return make(
    ".progress",
    make(
      ".status",
      { role: "status", "aria-live": "polite" },
      make(
        "span.said",
        DATA_TEXT,
        { ".alarm": ({ lockReason }) => lockReason !== "" },
        ({ status }) => status,
      ),
      " ",
      make("span.quiet.done", ({ summary }) => reviewed(summary)),
    ),
    make(
      "button",
      {
        title: "Download the unsaved decisions, for lw.apply_changes",
        hidden: ({ dead, unsaved }) => !dead || !unsaved || !store.unsent().length,
        onclick: download,
      },
      "Download them",
    ),
    make(
      ".meter",
      {
        ...DECORATIVE,
        title: ({ summary: { wrong, keep, unsure } }) => `${wrong} wrong, ${keep} kept, ${unsure} unsure`,
      },
      part("wrong"),
      part("keep"),
      part("unsure"),
    ),
  );
}
