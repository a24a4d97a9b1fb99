/** What a page does not bring along and a person may want of one row: its whole text, and the rows of the same words. */

import type { Row, Verbs } from "../protocol";
import type { Kernel } from "./kernel";
import { isDuplicate } from "./row-state";

type Text = Verbs["text"]["result"];

export type Lookups = ReturnType<typeof makeLookups>;

export function makeLookups(kernel: Kernel, changed: () => void, say: (sentence: string) => void) {
  /** null while the answer is on its way. */
  const texts = new Map<number, Text | null>();
  const twins = new Map<number, number | null>();

  function find<T>(found: Map<number, T | null>, row: number, ask: () => Promise<T>): T | null {
    const known = found.get(row);
    if (known !== undefined) return known;
    found.set(row, null);
    ask().then(
      (result) => {
        found.set(row, result);
        changed();
      },
      (error: Error) => {
        found.delete(row);
        say(error.message);
      },
    );
    return null;
  }

  return {
    /** The whole text where the page brought only its beginning: now if it is here, else later with a redraw. */
    wholeText: (row: Row): Text | null =>
      row.text_cut ? find(texts, row.row, () => kernel.find("text", { row: row.row })) : row,

    /** How many other rows have the same words: now if that is known, else later with a redraw. */
    twinsOf: (row: Row): number | null =>
      isDuplicate(row)
        ? find(twins, row.row, async () => (await kernel.find("twins", { row: row.row }, true)).total)
        : 0,

    /** Those rows as they stand now. */
    twins: (row: number): Promise<Verbs["twins"]["result"]> => kernel.find("twins", { row }),
  };
}
