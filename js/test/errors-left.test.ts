import { expect, test } from "vitest";
import { soFar } from "../src/errors-left";
import type { ErrorsLeft } from "../src/protocol";

const nothing: ErrorsLeft = {
  ...{ drawn: 50, judged: 0, wrong: 0, kept: 0, needed: 20, population: 9_000, found: 0, error_rate: null },
  ...{ error_rate_interval: null, errors_left: null, errors_left_interval: null },
};
const told = (errors_left: number, low: number, high: number): ErrorsLeft => ({
  ...{ ...nothing, judged: 50, wrong: 5, kept: 45, needed: 0, error_rate: 0.1, error_rate_interval: [0, 1] },
  ...{ errors_left, errors_left_interval: [low, high] },
});

test("nothing is claimed before enough rows are judged: no number of errors, how many more, and which is next", () => {
  expect(soFar(null, 9_000)).toMatch(/^Nobody knows yet/);
  const early = soFar({ ...nothing, judged: 8, wrong: 3, kept: 5, needed: 12 }, 9_000);
  expect(early).toBe("Spot check: 12 more to judge before it says anything. Number 9 of 50 is next.");
  const unsure = soFar({ ...nothing, judged: 40, wrong: 1, kept: 4, needed: 15 }, 9_000);
  expect(unsure).toMatch(/Draw more rows: unsure ones do not count\.$/);
});

test("it says how many are left, how sure that is, and whether to go on", () => {
  expect(soFar(told(310.4, 189.7, 480.2), 8_950)).toBe(
    "About 310 errors left among 8,950 rows not reviewed; with 95 % confidence 189 to 481. Go on: there is more to find.",
  );
  expect(soFar(told(0, 0, 80), 8_950)).toMatch(
    /at most 80\. At most 1 % of the rest is wrong: you can stop here\.$/,
  );
  expect(soFar(told(60, 10, 200), 8_950)).toMatch(/spot-check more rows to know, or go on\.$/);
  expect(soFar(told(0, 0, 0), 0)).toMatch(/you can stop here\.$/);
});

test("the interval is never told narrower than it is", () => {
  for (let i = 0; i < 50; i += 1) {
    const [low, high] = [i * 1.37, i * 3.91 + 0.5];
    const numbers = soFar(told((low + high) / 2, low, high), 5_000).match(
      /confidence (?:at most )?([\d,]+)(?: to ([\d,]+))?/,
    );
    const [from, to] = numbers?.[2] ? [Number(numbers[1]), Number(numbers[2])] : [0, Number(numbers?.[1])];
    expect(from).toBeLessThanOrEqual(low);
    expect(to).toBeGreaterThanOrEqual(high);
  }
});
