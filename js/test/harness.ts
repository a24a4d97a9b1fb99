/** What tests/ui loads beside the built bundle: fake kernels by name, and views of them in the page. */

import { FakeKernel, FakeModel, type Setup } from "./fake-kernel";

interface WidgetModule {
  default: { render(view: { model: FakeModel; el: HTMLElement; signal: AbortSignal }): () => void };
}

interface Shown {
  readonly model: FakeModel;
  readonly close: () => void;
}

/** Draws one more view of a model in its own host element, as another cell output would. */
async function show(model: FakeModel, { shadow = false, width = "" } = {}): Promise<Shown> {
  const { default: widget } = (await import("/widget.js" as string)) as WidgetModule;
  const host = document.body.appendChild(document.createElement("div"));
  host.className = "host";
  if (width) host.style.width = width;
  let el: HTMLElement = host;
  if (shadow) {
    const root = host.attachShadow({ mode: "open" });
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = "/widget.css";
    const loaded = new Promise((resolve) => style.addEventListener("load", resolve));
    el = document.createElement("div");
    root.append(style, el);
    await loaded;
  }
  const ending = new AbortController();
  widget.render({ model, el, signal: ending.signal });
  return { model, close: () => ending.abort() };
}

function makeModel(setup: Setup, state: Partial<Pick<FakeModel, "busy" | "dead">> = {}): FakeModel {
  return Object.assign(new FakeModel(new FakeKernel(setup)), state);
}

Object.assign(globalThis, { harness: { makeModel, show } });
