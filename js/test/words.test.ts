import { expect, test } from "vitest";
import { loss, lossRange, percent, plural } from "../src/dom/numbers";
import { chips, reviewed, shorten } from "../src/dom/words";
import { afterDecision, labelsByProbability, suggestions } from "../src/kernel/row-state";
import type { Op, Row, Summary } from "../src/protocol";

const ROW: Row = {
  ...{
    row: 7,
    key: "7",
    text: "t",
    pair: null,
    text_cut: false,
    given: 1,
    label: 1,
    predicted: 2,
    loss: 3,
    loss_after: 3,
  },
  ...{ label_prob: 0.05, predicted_prob: 0.6, verdict: "", note: "", note_of_score: "", margin: -0.55 },
  ...{ tokens: null, unknown_tokens: null, truncated: null, quirks: [], columns: [] },
  probabilities: [
    [2, 0.6],
    [0, 0.35],
    [1, 0.05],
  ],
};
const op = (kind: Op["kind"], label: number | null = null, note: string | null = null): Op => ({
  ...{ op_id: "1", rows: [7], from: null },
  ...{ kind, label, note },
});

test("suggestions are the labels other than the given one, most probable first", () => {
  expect(suggestions(ROW)).toEqual([2, 0]);
  expect(suggestions({ ...ROW, probabilities: null })).toEqual([2]);
  expect(suggestions({ ...ROW, probabilities: null, predicted: 1 })).toEqual([]);
  expect(suggestions({ ...ROW, given: null })).toEqual([2, 0, 1]);
});

test("every label is offered, those without a probability last", () => {
  expect(labelsByProbability(ROW, 5).map(([id]) => id)).toEqual([2, 0, 1, 3, 4]);
  expect(labelsByProbability({ ...ROW, probabilities: null }, 3)).toEqual([
    [2, 0.6],
    [0, null],
    [1, null],
  ]);
});

test("decisions follow the contract: keep, unsure and remove put the given label back", () => {
  const relabelled = afterDecision(ROW, op("relabel", 2));
  expect(relabelled).toMatchObject({ label: 2, verdict: "relabel" });
  expect(relabelled.loss_after).toBeCloseTo(-Math.log(0.6));
  for (const verdict of ["keep", "unsure", "remove"] as const)
    expect(afterDecision(relabelled, op(verdict))).toMatchObject({ label: 1, verdict, loss_after: 3 });
  expect(afterDecision(relabelled, op("relabel", 1))).toMatchObject({ label: 1, verdict: "" });
  expect(afterDecision(relabelled, op("clear"))).toMatchObject({ label: 1, verdict: "" });
  expect(afterDecision(relabelled, op("note", null, "why"))).toMatchObject({
    label: 2,
    verdict: "relabel",
    note: "why",
  });
});

test("numbers as a person reads them", () => {
  expect([0, 0.001, 0.5, 0.994, 0.999, 1, null].map(percent)).toEqual([
    ...["<1 %", "<1 %", "50 %", "99 %", ">99 %", "100 %", ""],
  ]);
  expect([8.138, null].map(loss)).toEqual(["8.14", "–"]);
  expect([plural(1, "row"), plural(10_003, "row")]).toEqual(["1 row", "10,003 rows"]);
});

test("a range of losses with open ends", () => {
  expect(lossRange([2.1, 8.4])).toBe("loss 2.10 to 8.40");
  expect(lossRange([2.1, null])).toBe("loss ≥ 2.10");
  expect(lossRange([0, 0.5])).toBe("loss ≤ 0.50");
});

test("how much is reviewed", () => {
  const summary: Summary = {
    ...{ rows: 10_003, reviewed: 34, relabel: 20, keep: 7, unsure: 0, remove: 7, wrong: 27 },
    ...{ precision: 0.79, precision_last_50: 0.79, judged_last_50: 34, can_undo: true, can_redo: false },
    ...{ errors_left: null, errors_left_interval: null, unmatched: 0 },
  };
  expect(reviewed(summary)).toBe("34 of 10,003 rows reviewed · 27 wrong · last 34 judged: 27 wrong");
  const many = { ...summary, precision_last_50: 0, judged_last_50: 50 };
  expect(reviewed(many)).toBe("34 of 10,003 rows reviewed · 27 wrong · last 50 judged: 0 % wrong");
  expect(reviewed({ ...summary, reviewed: 0 })).toBe("0 of 10,003 rows reviewed");
});

test("each filter is a chip that takes only itself off", () => {
  const all = chips({
    ...{ sort: "loss", descending: true, given: "a", predicted: "b", verdict: "", disagreements: true },
    ...{ loss_range: [1, 2], search: "x", search_regex: false, unlabelled: true },
    ...{ quirk: ["markup", "truncated"], spot_check: true },
  });
  expect(all.map(({ text }) => text)).toEqual([
    ...[
      "text has “x”",
      "given a",
      "no label",
      "predicted b",
      "not reviewed",
      "disagreements",
      "loss 1.00 to 2.00",
      "markup",
      "truncated",
      "spot check, in the order of the draw",
    ],
  ]);
  const fields = ["search", "given", "unlabelled", "predicted", "verdict", "disagreements", "loss_range"];
  expect(all.map(({ without }) => Object.keys(without)[0])).toEqual([
    ...fields,
    ...["quirk", "quirk", "spot_check"],
  ]);
  expect(all.slice(-3).map(({ without }) => Object.values(without)[0])).toEqual([
    ["truncated"],
    ["markup"],
    false,
  ]);
});

test("a name that is too long keeps its beginning and its end", () => {
  expect(shorten("age_limit", 20)).toBe("age_limit");
  const long = shorten("balance_not_updated_after_bank_transfer", 20);
  expect([...long]).toHaveLength(20);
  expect(long).toMatch(/^balance_.*….*_transfer$/);
  expect(shorten("🙂".repeat(30), 10)).toBe(`${"🙂".repeat(5)}…${"🙂".repeat(4)}`);
});
