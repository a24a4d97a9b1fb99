/** Text as it is read: search hits marked and, on demand, the characters that nobody sees; its content stays as it is. */

import { OF_DATA, type Plain, refill, set } from "../dom/dom";
import type { State } from "../state/state";

export interface Look {
  readonly search: string | null;
  readonly regex: boolean;
  /** Spaces, line ends and invisible characters are painted. */
  readonly odd: boolean;
}

export interface Piece {
  readonly text: string;
  readonly hit: boolean;
  /** What is painted in its place; null: itself. */
  readonly sign: string | null;
}

const ODD = / +|[\p{Cc}\p{Cf}\p{Z}\p{Co}\p{Cn}\ufffd]/gu;
const SIGNS: Readonly<Record<string, string>> = {
  "\t": "→",
  "\n": "¶",
  "\r": "␍",
  "\u00a0": "NBSP",
  "\u00ad": "SHY",
};
/** A repeated group may take a browser's engine for ever; RE2, which searches, has no such patterns. */
const ENDLESS = /\)[*+{?]/;

const lookOf = ({ filter, odd }: State): Look => ({
  search: filter.search,
  regex: filter.search_regex,
  odd,
});

export function pieces(text: string, { search, regex, odd }: Look): readonly Piece[] {
  const found: Piece[] = [];
  for (const [part, hit] of split(text, matcher(search, regex)))
    for (const [piece, isOdd] of odd ? split(part, ODD) : [[part, false] as const])
      found.push({ text: piece, hit, sign: isOdd ? signOf(piece) : null });
  return found;
}

/** The two texts of a row, each drawn again only where it or its look has changed; the second is often none. */
export interface Texts {
  readonly els: readonly HTMLElement[];
  show(state: State, text: string, pair: string | null): void;
}

export function makeTexts(make: Plain, name: string): Texts {
  const texts = [0, 1].map((i) => ({ el: make(name, OF_DATA), i, drawn: "" }));
  const show = (state: State, ...words: readonly [string, string | null]) => {
    for (const text of texts) {
      const { el, i, drawn } = text;
      const column = words[1] === null ? "" : state.snapshot.text_columns[i];
      set(el, { "data-name": column || null, hidden: words[i] === null });
      text.drawn = JSON.stringify([words[i], lookOf(state)]);
      if (text.drawn === drawn) continue;
      refill(
        el,
        pieces(words[i] ?? "", lookOf(state)).map(({ text: piece, hit, sign }) => {
          const inner = sign ? make("span.odd", { "data-sign": sign }, piece) : piece;
          return hit ? make("mark", inner) : inner;
        }),
      );
    }
  };
  return { els: texts.map(({ el }) => el), show };
}

function matcher(search: string | null, regex: boolean): RegExp | null {
  if (!search || (regex && ENDLESS.test(search))) return null;
  try {
    return new RegExp(regex ? search : search.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&"), "giu");
  } catch {
    return null;
  }
}

/** The text cut at every match, each part with whether it is one. */
function split(text: string, at: RegExp | null): readonly (readonly [string, boolean])[] {
  const parts: (readonly [string, boolean])[] = [];
  let end = 0;
  for (const { 0: match, index } of at ? text.matchAll(at) : []) {
    if (match === "") continue;
    if (index > end) parts.push([text.slice(end, index), false]);
    parts.push([match, true]);
    end = index + match.length;
  }
  if (end < text.length) parts.push([text.slice(end), false]);
  return parts;
}

function signOf(piece: string): string {
  if (piece.startsWith(" ")) return "·".repeat(piece.length);
  const code = (piece.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  return SIGNS[piece] ?? `U+${code}`;
}
