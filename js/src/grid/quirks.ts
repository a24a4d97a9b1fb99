/** What is odd about a row, by name; the whole sentence is its tooltip. */

import type { Plain } from "../dom/dom";
import type { Snapshot } from "../protocol";

const MOST = 2;

/** Chips for the quirks; a row has room for two. Painted only, for the cell's text is about something else. */
export function quirkChips(make: Plain, quirks: readonly string[], tips: Snapshot["quirks"]): HTMLElement[] {
  const chip = (word: string, title: string, label = word) =>
    make("span.quirk", { role: "img", label, title, "data-word": word });
  const rest = quirks.slice(MOST).join(", ");
  const chips = quirks.slice(0, MOST).map((quirk) => chip(quirk, tips[quirk] ?? ""));
  return rest ? [...chips, chip(`+${quirks.length - MOST}`, rest, rest)] : chips;
}
