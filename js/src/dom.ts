/** Making elements as the status line does; the other components use draw.ts. */

import { GUARD } from "./draw";

export interface Maker {
  readonly document: Document;
  /** Ends every listener of this view. */
  readonly signal: AbortSignal;
}

type Attributes = Readonly<Record<string, string>>;

export function make<T extends keyof HTMLElementTagNameMap>(
  { document }: Maker,
  tag: T,
  attributes: Attributes = {},
  children: readonly (Node | string)[] = [],
): HTMLElementTagNameMap[T] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (["button", "input", "select", "textarea"].includes(tag) || "tabindex" in attributes)
    element.setAttribute(GUARD, "true");
  element.append(...children);
  return element;
}

/** A button that calls back unless it does nothing now. */
export function makeButton(
  maker: Maker,
  attributes: Attributes,
  face: string,
  act: (event: MouseEvent) => void,
): HTMLButtonElement {
  const button = make(maker, "button", { type: "button", ...attributes }, [face]);
  const { signal } = maker;
  button.addEventListener("click", (event) => !isOff(button) && act(event), { signal });
  // The focus has gone, so that the button may be disabled for good.
  button.addEventListener("blur", () => setOff(button, isOff(button)), { signal });
  return button;
}

const isOff = (button: HTMLButtonElement): boolean =>
  button.disabled || button.getAttribute("aria-disabled") === "true";

/** Disables a button; one that has the focus only looks and acts so, for else the focus would be lost. */
export function setOff(button: HTMLButtonElement, off: boolean): void {
  const focused = button.matches(":focus");
  button.disabled = off && !focused;
  setAttribute(button, "aria-disabled", off && focused ? "true" : null);
}

export function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttribute(element: HTMLElement, name: string, value: string | null): void {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}
