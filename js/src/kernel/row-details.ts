/** Details that a page does not bring along, asked for when a person looks: a row's whole text, and its duplicates. */

import type { Row, Verbs } from "../protocol";
import type { Kernel } from "./kernel";
import { isDuplicate } from "./row-state";

type Text = Verbs["text"]["result"];

export type RowDetails = ReturnType<typeof makeRowDetails>;

export function makeRowDetails(kernel: Kernel, changed: () => void, say: (sentence: string) => void) {
  /** By row; null while the answer is on its way. */
  const texts = new Map<number, Text | null>();
  const duplicateCounts = new Map<number, number | null>();

  /** What is known of the row. Where nothing is: null, and a redraw once the answer has come. */
  function look<T>(known: Map<number, T | null>, row: number, ask: () => Promise<T>): T | null {
    const before = known.get(row);
    if (before !== undefined) return before;
    known.set(row, null);
    ask().then(
      (result) => {
        known.set(row, result);
        changed();
      },
      (error: Error) => {
        known.delete(row);
        say(error.message);
      },
    );
    return null;
  }

  return {
    /** The whole text, where the page brought only its beginning. */
    wholeText: (row: Row): Text | null =>
      row.text_cut ? look(texts, row.row, () => kernel.call("text", { row: row.row })) : row,

    /** How many other rows have the same words. */
    countDuplicates(row: Row): number | null {
      if (!isDuplicate(row)) return 0;
      const ask = async () => (await kernel.call("duplicates", { row: row.row }, true)).total;
      return look(duplicateCounts, row.row, ask);
    },

    /** Those rows as they are now. */
    duplicatesOf: (row: number): Promise<Verbs["duplicates"]["result"]> => kernel.call("duplicates", { row }),
  };
}
