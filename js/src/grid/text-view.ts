/** Text as a person reads it: search hits are marked and, on demand, invisible characters painted. The text itself stays as it is. */

import { DATA_TEXT, type Plain, refill, set } from "../dom/dom";
import type { State } from "../state/state";

export interface Look {
  readonly search: string | null;
  readonly regex: boolean;
  /** Spaces, line ends and invisible characters are painted. */
  readonly showInvisible: boolean;
}

export interface Piece {
  readonly text: string;
  readonly hit: boolean;
  /** What is painted in its place; null: the text itself. */
  readonly sign: string | null;
}

const INVISIBLE = / +|[\p{Cc}\p{Cf}\p{Z}\p{Co}\p{Cn}\ufffd]/gu;
const SIGNS: Readonly<Record<string, string>> = {
  "\t": "→",
  "\n": "¶",
  "\r": "␍",
  "\u00a0": "NBSP",
  "\u00ad": "SHY",
};
/** A repeated group may keep the browser's regex engine busy for ever. The kernel searches with RE2, which has no such patterns. */
const ENDLESS = /\)[*+{?]/;

const lookOf = ({ filter, showInvisible }: State): Look => ({
  search: filter.search,
  regex: filter.search_regex,
  showInvisible,
});

export function pieces(text: string, { search, regex, showInvisible }: Look): readonly Piece[] {
  const found: Piece[] = [];
  for (const [part, hit] of split(text, matcher(search, regex)))
    for (const [piece, isInvisible] of showInvisible ? split(part, INVISIBLE) : [[part, false] as const])
      found.push({ text: piece, hit, sign: isInvisible ? signOf(piece) : null });
  return found;
}

/** The two texts of a row, of which the second is often missing. Each is drawn again only where it or its look has changed. */
export interface TextView {
  readonly els: readonly HTMLElement[];
  show(state: State, text: string, pair: string | null): void;
}

export function makeTextView(make: Plain, name: string): TextView {
  const texts = [0, 1].map((i) => ({ el: make(name, DATA_TEXT), i, drawn: "" }));
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
          const inner = sign ? make("span.invisible", { "data-sign": sign }, piece) : piece;
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

/** Cuts the text at every match; each part comes with whether it is one. */
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
