/** What a spot check says, in sentences: how many errors are left, and whether to go on. */

import type { ErrorsLeft } from "./protocol";
import { count, percent, some, someRows } from "./words";

/** Fewer errors than this among the rest, and the time is better spent elsewhere. */
export const FEW = 0.01;

/** `rest`: rows not reviewed. Nothing is claimed before enough rows are judged. */
export function soFar(left: ErrorsLeft | null, rest: number): string {
  if (!left)
    return "Nobody knows yet how many errors are left. A spot check tells: judge some rows drawn at random from those not reviewed.";
  const { drawn, judged, needed, errors_left, errors_left_interval } = left;
  const next = judged < drawn ? ` Number ${count(judged + 1)} of ${count(drawn)} is next.` : "";
  if (needed > 0 || errors_left === null || errors_left_interval === null) {
    const short = judged + needed > drawn ? " Draw more rows: unsure ones do not count." : "";
    return `Spot check: ${count(needed)} more to judge before it says anything.${next}${short}`;
  }
  const [low, high] = errors_left_interval;
  const told = `About ${some(Math.round(errors_left), "error")} left among ${someRows(rest)} not reviewed; with 95 % confidence ${between(low, high)}.`;
  return `${told} ${advice(low, high, rest)}${next}`;
}

function between(low: number, high: number): string {
  const [from, to] = [Math.floor(low), Math.ceil(high)];
  if (from <= 0) return `at most ${count(to)}`;
  return `${count(from)} to ${count(to)}`;
}

function advice(low: number, high: number, rest: number): string {
  const few = percent(FEW);
  if (rest <= 0 || high <= FEW * rest) return `At most ${few} of the rest is wrong: you can stop here.`;
  if (low > FEW * rest) return "Go on: there is more to find.";
  return `It may be less than ${few} of the rest: spot-check more rows to know, or go on.`;
}
