/** Numbers as a person reads them, and as a style sheet does. */

export const count: (n: number) => string = new Intl.NumberFormat("en-US").format;

/** "1 row", "2 rows". */
export const plural = (n: number, one: string, many = `${one}s`): string =>
  `${count(n)} ${n === 1 ? one : many}`;

export const pluralRows = (n: number): string => plural(n, "row");

/** The number, or the end of 0 … most that is next to it. */
export const clamp = (n: number, most: number): number => Math.max(0, Math.min(n, most));

/** How much of the whole, as a length of CSS. */
export const percentOf = (part: number, whole: number): string =>
  `${whole > 0 ? ((100 * part) / whole).toFixed(2) : 0}%`;

export function percent(probability: number | null): string {
  if (probability === null) return "";
  const rounded = Math.round(probability * 100);
  // The kernel sends four digits: what comes as 0 is only very small.
  if (rounded === 0) return "<1 %";
  if (rounded === 100 && probability < 1) return ">99 %";
  return `${rounded} %`;
}

export const loss = (nats: number | null): string => (nats === null ? "–" : nats.toFixed(2));

/** null: an open end. */
export function lossRange([low, high]: readonly [number | null, number | null]): string {
  if (high === null) return `loss ≥ ${loss(low)}`;
  return low === null || low <= 0 ? `loss ≤ ${loss(high)}` : `loss ${loss(low)} to ${loss(high)}`;
}
