/** What is odd about a row, in a word each; the whole sentence is its tooltip. */

import type { Plain } from "./draw";
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
export function quirkChips(make: Plain, quirks: readonly string[]): HTMLElement[] {
  const chip = (word: string, name: string, title: string) =>
    make("span.quirk", { role: "img", label: name, title, "data-word": word });
  const rest = quirks.slice(MOST).join(", ");
  const chips = quirks.slice(0, MOST).map((quirk) => {
    const [word, tip] = QUIRKS[quirk] ?? [quirk, ""];
    return chip(word, quirk, `${quirk}: ${tip}`);
  });
  return rest ? [...chips, chip(`+${quirks.length - MOST}`, rest, rest)] : chips;
}

export const isDuplicate = ({ quirks }: Row): boolean =>
  quirks.some((quirk) => quirk.endsWith(" duplicates"));
