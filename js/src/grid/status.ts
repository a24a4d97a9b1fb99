/** What happened last, and how much is reviewed: told politely to a screen reader too. */

import { type Make, OF_DATA, PAINTED } from "../dom/dom";
import { reviewed, share } from "../dom/words";
import type { State } from "../state/state";
import type { Store } from "../state/store";

export function makeStatus(make: Make<State>, store: Store): HTMLElement {
  const download = () => {
    const href = URL.createObjectURL(new Blob([`${store.unsent().join("\n")}\n`]));
    Object.assign(document.createElement("a"), { href, download: "unsaved-decisions.jsonl" }).click();
  };
  /** Of what is reviewed, for nobody reviews all rows. */
  const part = (kind: "wrong" | "keep" | "unsure") =>
    make(`i.part-${kind}`, {
      style: ({ summary }) => `width:${share(summary[kind], summary.reviewed)}`,
    });
  return make(
    ".progress",
    make(
      ".status",
      { role: "status", "aria-live": "polite" },
      make("span.said", OF_DATA, { ".alarm": ({ locked }) => locked !== "" }, ({ status }) => status),
      " ",
      make("span.quiet.done", ({ summary }) => reviewed(summary)),
    ),
    make(
      "button",
      {
        title: "For lw.apply_changes",
        hidden: ({ dead, unsaved }) => !dead || !unsaved || !store.unsent().length,
        onclick: download,
      },
      "Download them",
    ),
    make(
      ".meter",
      {
        ...PAINTED,
        title: ({ summary: { wrong, keep, unsure } }) => `${wrong} wrong, ${keep} kept, ${unsure} unsure`,
      },
      part("wrong"),
      part("keep"),
      part("unsure"),
    ),
  );
}
