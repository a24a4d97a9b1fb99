/** What is odd about a row, in a word each; the whole sentence is its tooltip. */

import { type Maker, make } from "./dom";
import type { Row } from "./protocol";

const QUIRKS: Readonly<Record<string, readonly [word: string, tip: string]>> = {
  "conflicting duplicates": ["conflict", "The same words stand elsewhere with another label"],
  "exact duplicates": ["twins", "The same words stand elsewhere with the same label"],
  truncated: ["cut", "The model read only the beginning"],
  "unknown tokens": ["unknown", "Tokens that the model does not know"],
  markup: ["markup", "Tags, entities or remains of them"],
  "other script": ["script", "Letters of another script than most rows have"],
  empty: ["empty", "There are no words"],
  unlabelled: ["no label", "Nobody has given it a label"],
};
const MOST = 2;

export const quirkTip = (quirk: string): string => QUIRKS[quirk]?.[1] ?? quirk;

/** Chips for the quirks; a row has room for two. Painted only, for the cell's text is about something else. */
export function quirkChips(maker: Maker, quirks: readonly string[]): HTMLElement[] {
  const rest = quirks.slice(MOST);
  const chip = (word: string, name: string, tip: string) =>
    make(maker, "span", {
      class: "lw-quirk",
      role: "img",
      "aria-label": name,
      title: tip,
      "data-word": word,
    });
  const chips = quirks.slice(0, MOST).map((quirk) => {
    const [word, tip] = QUIRKS[quirk] ?? [quirk, ""];
    return chip(word, quirk, `${quirk}: ${tip}`);
  });
  return rest.length > 0 ? [...chips, chip(`+${rest.length}`, rest.join(", "), rest.join(", "))] : chips;
}

export const isDuplicate = ({ quirks }: Row): boolean =>
  quirks.some((quirk) => quirk.endsWith(" duplicates"));
