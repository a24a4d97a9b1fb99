/** What a page does not bring along and a person may want of one row: its whole text, and the rows of the same words. */

import type { Kernel } from "./kernel";
import type { Row, Verbs } from "./protocol";
import { isDuplicate } from "./quirks";

type Text = Verbs["text"]["result"];
type Twins = Verbs["twins"]["result"];

export class Lookups {
  readonly #kernel: Kernel;
  readonly #listeners: { changed(): void; say(sentence: string): void };
  /** null while the answer is on its way. */
  readonly #texts = new Map<number, Text | null>();
  readonly #twins = new Map<number, number | null>();

  constructor(kernel: Kernel, listeners: { changed(): void; say(sentence: string): void }) {
    this.#kernel = kernel;
    this.#listeners = listeners;
  }

  /** The whole text where the page brought only its beginning: now if it is here, else later with a redraw. */
  wholeText(row: Row): Text | null {
    if (!row.text_cut) return row;
    return this.#find(this.#texts, row.row, () => this.#kernel.ask("text", { row: row.row }).answer);
  }

  /** How many other rows have the same words: now if that is known, else later with a redraw. */
  twinsOf(row: Row): number | null {
    if (!isDuplicate(row)) return 0;
    return this.#find(this.#twins, row.row, async () => {
      const { result } = await this.#kernel.ask("twins", { row: row.row }, { patient: true }).answer;
      return { result: result.total };
    });
  }

  /** Those rows as they stand now. */
  async twins(row: number): Promise<Twins> {
    return (await this.#kernel.ask("twins", { row }).answer).result;
  }

  #find<T>(found: Map<number, T | null>, row: number, ask: () => Promise<{ result: T }>): T | null {
    const known = found.get(row);
    if (known !== undefined) return known;
    found.set(row, null);
    ask().then(
      ({ result }) => {
        found.set(row, result);
        this.#listeners.changed();
      },
      (error: Error) => {
        found.delete(row);
        this.#listeners.say(error.message);
      },
    );
    return null;
  }
}
