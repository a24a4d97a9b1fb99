import { expect, test } from "vitest";
import { type Look, pieces } from "../src/grid/text-view";

const PLAIN: Look = { search: null, regex: false, showInvisible: false };
const TEXTS = [
  "",
  "a  b\tc\r\nd",
  "İstanbul ISTANBUL ı",
  "\u200bzero\u00a0nb\u202eright",
  "a.b (a.b) A.B",
  "👩‍👧 emoji",
];
const hits = (text: string, look: Partial<Look>) =>
  pieces(text, { ...PLAIN, ...look })
    .filter(({ hit }) => hit)
    .map((piece) => piece.text);

test("whatever is marked, the text stays as it is", () => {
  for (const text of TEXTS)
    for (const search of [null, "a", "A.B", " ", "İ", "\u200b"])
      for (const showInvisible of [false, true])
        for (const regex of [false, true])
          expect(
            pieces(text, { search, regex, showInvisible })
              .map((piece) => piece.text)
              .join(""),
          ).toBe(text);
});

test("hits are literal and blind to case", () => {
  expect(hits("a.b axb A.B", { search: "a.b" })).toEqual(["a.b", "A.B"]);
  expect(hits("a-b [x]/{1}", { search: "[X]/{" })).toEqual(["[x]/{"]);
  expect(hits("anything", { search: "" })).toEqual([]);
});

test("of patterns those are marked that the browser can find soon", () => {
  expect(hits("card 12, card 7", { search: "card \\d+", regex: true })).toEqual(["card 12", "card 7"]);
  for (const search of ["(", "(a+)+$", "(?i)card", "a*?*"])
    expect(hits(`card ${"a".repeat(2_000)}!`, { search, regex: true })).toEqual([]);
});

test("what nobody sees has a sign or its number", () => {
  const signs = (text: string) =>
    pieces(text, { ...PLAIN, showInvisible: true }).flatMap(({ sign }) => sign ?? []);
  expect(signs("a  b\tc\n\u00a0\u200b\u0007\u202e\u3000")).toEqual([
    ...["··", "→", "¶", "NBSP", "U+200B", "U+0007", "U+202E", "U+3000"],
  ]);
  expect(pieces("a b", { search: "a b", regex: false, showInvisible: true }).every(({ hit }) => hit)).toBe(
    true,
  );
});
