import { beforeEach, expect, test } from "vitest";
import { GUARD } from "../src/dom/dom";
import widget from "../src/widget";
import { answers, makeModel } from "./steps";

let el: HTMLElement;
beforeEach(() => {
  el = document.createElement("div");
  document.body.replaceChildren(el);
});

test("a view leaves nothing behind: by its own end, or by the signal of the host", async () => {
  for (const how of ["returned", "signal"]) {
    const model = makeModel();
    const outer = new AbortController();
    const end = widget.render({ model, el, signal: outer.signal });
    await answers();
    expect(el.children).toHaveLength(1);
    if (how === "returned") end();
    else outer.abort();
    expect(el.children).toHaveLength(0);
    expect(model.listeners()).toBe(0);
  }
});

test("an old host that gives no signal, and one without a widget manager", async () => {
  const model = makeModel();
  Object.assign(model, { widget_manager: undefined });
  const end = widget.render({ model, el });
  await answers();
  expect(el.querySelectorAll("[data-row]")).toHaveLength(10);
  end();
  expect(el.children).toHaveLength(0);
});

test("a view that is over before it begins draws nothing", () => {
  widget.render({ model: makeModel(), el, signal: AbortSignal.abort() });
  expect(el.children).toHaveLength(0);
});

test("rows are refilled, never replaced", async () => {
  widget.render({ model: makeModel(), el });
  await answers();
  const before = [...el.querySelectorAll("[data-row]")];
  (el.querySelector("[aria-label='Next page']") as HTMLElement).click();
  await answers();
  const after = [...el.querySelectorAll("[data-row]")];
  expect(after).toEqual(before);
  expect(after[0]?.getAttribute("data-row")).toBe("10");
});

test("texts are text", async () => {
  const text = "<img src=x onerror=alert(1)>";
  widget.render({ model: makeModel(1, { examples: [{ text, given: 0, probs: [0.1, 0.7, 0.1, 0.1] }] }), el });
  await answers();
  expect(el.querySelector("[data-column=text]")?.textContent).toBe(text);
  expect(el.querySelector("img")).toBeNull();
});

test("every focusable element is guarded, and only slots in use are rows", async () => {
  widget.render({ model: makeModel(13), el });
  await answers();
  (el.querySelector("[aria-label='Next page']") as HTMLElement).click();
  await answers();
  expect(el.querySelectorAll("[role=row]")).toHaveLength(4);
  expect(el.querySelectorAll("[data-row]")).toHaveLength(3);
  for (const element of el.querySelectorAll(".loss-widget, button, input, select, [tabindex]"))
    expect(element.getAttribute(GUARD)).toBe("true");
});
