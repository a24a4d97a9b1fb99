import { expect, test } from "vitest";
import protocol from "../../tests/protocol_cases.json";
import ours from "../ours.json";
import { makeModel } from "./steps";

function* names(value: unknown): Generator<string> {
  if (typeof value !== "object" || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    if (!Array.isArray(value)) yield name;
    yield* names(inner);
  }
}

/** What anywidget hands to `render`, and its model can do. */
const ANYWIDGET =
  "render model el signal experimental get set on off send save_changes widget_manager get_model".split(" ");

test("the names that the bundle shortens are in no message, and none of anywidget's or the browser's", () => {
  const told = new Set([...ANYWIDGET, ...names(protocol.exchanges), ...names(makeModel().get("snapshot"))]);
  const elements = ["div", "button", "input", "select"].map((tag) => document.createElement(tag));
  for (const name of ours) {
    expect(told).not.toContain(name);
    for (const element of [...elements, globalThis]) expect(name in element, name).toBe(false);
  }
});
