/** The data issues of a row ("quirks" in the protocol and in Python), as chips: the name, and a sentence as its tooltip. */

import type { Plain } from "../dom/dom";
import type { Snapshot } from "../protocol";

/** A row has room for two. */
const MOST = 2;

/** The words are painted by the style sheet: as text they would become part of the cell's text. */
export function quirkChips(make: Plain, quirks: readonly string[], tips: Snapshot["quirks"]): HTMLElement[] {
  const chip = (word: string, title: string, label = word) =>
    make("span.quirk", { role: "img", label, title, "data-word": word });
  const rest = quirks.slice(MOST).join(", ");
  const chips = quirks.slice(0, MOST).map((quirk) => chip(quirk, tips[quirk] ?? ""));
  return rest ? [...chips, chip(`+${quirks.length - MOST}`, rest, rest)] : chips;
}
