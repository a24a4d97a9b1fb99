/** What the fake kernel says of its rows as a whole, counted plainly. */

import type {
  Cell,
  Confusion,
  ErrorsLeft,
  Facets,
  LossHistogram,
  Progress,
  Row,
  Verdict,
} from "../src/protocol";
import { QUIRKS } from "./fake-rows";
import { whatIsLeft } from "./fake-words";

const isWrong = ({ verdict }: Row) => verdict === "relabel" || verdict === "remove";
const isReviewed = ({ verdict }: Row) => verdict !== "";
/** The given label's loss, not rounded as in a row: a row must not change its bin for being sent. */
type LossOf = (row: Row) => number | null;

export function histogram(all: readonly Row[], rows: readonly Row[], lossOf: LossOf): LossHistogram {
  const losses = (some: readonly Row[]) => some.flatMap((row) => lossOf(row) ?? []);
  const top = Math.max(0.01, ...losses(all));
  const power = 10 ** Math.floor(Math.log10(top / 50));
  const width = power * ([1, 2, 2.5, 5, 10].find((step) => step * power >= top / 50) ?? 10);
  const bins = Math.ceil(top / width);
  const count = (chosen: readonly Row[]) => {
    const counts = new Array<number>(bins).fill(0);
    for (const loss of losses(chosen)) {
      const bin = Math.min(bins - 1, Math.floor(loss / width));
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
    return counts;
  };
  return {
    edges: Array.from({ length: bins + 1 }, (_, i) => Number((i * width).toFixed(6))),
    rows: count(rows),
    reviewed: count(rows.filter(isReviewed)),
    missing: rows.filter(({ loss }) => loss === null).length,
  };
}

export function confusion(rows: readonly Row[]): Confusion {
  const cells = new Map<string, Cell>();
  for (const row of rows) {
    const { given, predicted } = row;
    if (given === null || predicted === null) continue;
    const old = cells.get(`${given},${predicted}`) ?? { given, predicted, rows: 0, reviewed: 0, wrong: 0 };
    const [reviewed, wrong] = [old.reviewed + Number(isReviewed(row)), old.wrong + Number(isWrong(row))];
    cells.set(`${given},${predicted}`, { ...old, rows: old.rows + 1, reviewed, wrong });
  }
  const largest = [...cells.values()].sort((a, b) => b.rows - a.rows);
  const differ = largest.filter(({ given, predicted }) => given !== predicted);
  return {
    cells: differ.slice(0, 300),
    total: differ.length,
    rows: differ.reduce((sum, cell) => sum + cell.rows, 0),
    diagonal: largest.filter(({ given, predicted }) => given === predicted),
  };
}

/** `under(changes)`: the rows of the filter with these changes. */
export function facets(under: (changes: object) => readonly Row[]): Facets {
  const rows = under({});
  const verdicts = { "": 0, relabel: 0, keep: 0, unsure: 0, remove: 0 } satisfies Record<Verdict, number>;
  for (const { verdict } of under({ verdict: null })) verdicts[verdict] += 1;
  return {
    rows: rows.length,
    verdicts,
    disagreements: under({ disagreements: true }).length,
    quirks: Object.fromEntries(
      QUIRKS.map((quirk) => [quirk, rows.filter((row) => row.quirks.includes(quirk)).length]),
    ),
    pending: [],
  };
}

const EDGES = [0, 0.125, 0.25, 0.5, 1, 2, 4, 8, Number.POSITIVE_INFINITY];

/** `order`: the reviewed rows, the latest last. */
export function progress(
  rows: readonly Row[],
  order: readonly Row[],
  errors_left: ErrorsLeft | null,
  lossOf: LossOf,
): Progress {
  let wrong = 0;
  const curve = order.map((row, i) => {
    wrong += Number(isWrong(row));
    return [i + 1, wrong] as const;
  });
  const bands = EDGES.slice(0, -1).map((low, i) => {
    const high = EDGES[i + 1] ?? low;
    const isIn = (loss: number | null) => loss !== null && loss >= low && loss < high;
    const own = rows.filter((row) => isIn(lossOf(row)));
    const [bad, keep] = [own.filter(isWrong).length, own.filter(({ verdict }) => verdict === "keep").length];
    return {
      ...{ low, high: Number.isFinite(high) ? high : null, rows: own.length },
      ...{ reviewed: own.filter(isReviewed).length, wrong: bad, keep },
      precision: bad + keep ? bad / (bad + keep) : null,
    };
  });
  return { curve: [[0, 0], ...curve], bands: bands.reverse(), errors_left };
}

/** The 95 % interval of a share (Wilson 1927). */
function wilson(hits: number, of: number): readonly [number, number] {
  const z = 1.959963984540054;
  if (of === 0) return [0, 1];
  const share = hits / of;
  const [middle, half] = [
    (share + (z * z) / (2 * of)) / (1 + (z * z) / of),
    (z / (1 + (z * z) / of)) * Math.sqrt((share * (1 - share)) / of + (z * z) / (4 * of * of)),
  ];
  return [hits === 0 ? 0 : middle - half, hits === of ? 1 : middle + half];
}

/** `population`: the labelled rows that were not reviewed at the draw. */
export function errorsLeft(drawn: readonly Row[], population: readonly Row[]): ErrorsLeft {
  const gap = drawn.findIndex((row) => !isReviewed(row));
  const judged = gap < 0 ? drawn : drawn.slice(0, gap);
  const wrong = judged.filter(isWrong).length;
  const kept = judged.filter(({ verdict }) => verdict === "keep").length;
  const found = population.filter(isWrong).length;
  const needed = Math.max(Math.min(20, population.length) - wrong - kept, 0);
  const rate = wrong + kept ? wrong / (wrong + kept) : 0;
  const most = population.filter((row) => !isReviewed(row)).length;
  const left = (share: number) => Math.min(most, Math.max(0, share * population.length - found));
  const interval = wilson(wrong, wrong + kept);
  const answer = {
    ...{ drawn: drawn.length, judged: judged.length, wrong, kept, needed },
    ...{ population: population.length, found, unreviewed: most },
    error_rate: needed ? null : rate,
    error_rate_interval: needed ? null : interval,
    errors_left: needed ? null : left(rate),
    errors_left_interval: needed ? null : ([left(interval[0]), left(interval[1])] as const),
  };
  return { ...answer, said: whatIsLeft(answer) };
}
