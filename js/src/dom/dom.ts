/** Elements that know what they show: whatever is given as a function is drawn again with every `show`.

`make("button.go", { title: "Go", off: (now) => now.dead, onclick: go }, "Go")` takes a tag (div if there is none) with its
classes, without their `lw-`, and then attributes and children. Strings become text, never markup. */

import { atEnd } from "./timer";

/** Turns the shortcuts of JupyterLab and Notebook off. They look for it on the focused element itself, so every element
that can have the focus needs it: without it `d` `d` deletes the user's cell. */
export const GUARD = "data-lm-suppress-shortcuts";

/** A person changes these too, so they are set again with every `show`. */
const USER_EDITABLE = /^(checked|indeterminate|selectedIndex|value)$/;

type Value = string | number | boolean | null | undefined;

type Name =
  | ("className" | "dir" | "hidden" | "id" | "inputmode" | "maxlength" | "placeholder" | "role" | "scope")
  | (
      | "checked"
      | "indeterminate"
      | "selectedIndex"
      | "spellcheck"
      | "style"
      | "tabindex"
      | "tabIndex"
      | "title"
    )
  | ("disabled" | "type" | "value")
  /** The accessible name, where the text is none. */
  | "label"
  /** A button that cannot be pressed now. */
  | "off"
  /** A class that is on or off. */
  | `.${string}`
  | `aria-${string}`
  | `data-${string}`;

type Listeners = {
  readonly [E in keyof HTMLElementEventMap as `on${E}`]?: (event: HTMLElementEventMap[E]) => unknown;
};
export type Attributes<S = never> = { readonly [N in Name]?: Value | ((now: S) => Value) } & Listeners;

export type Part<S> =
  | (Node | string | number)
  | ((now: S) => string | number)
  | Attributes<S>
  | readonly Part<S>[];

type Tag<N extends string> = N extends `${infer T}.${string}` ? T : N;
type Made<N extends string> =
  Tag<N> extends keyof HTMLElementTagNameMap ? HTMLElementTagNameMap[Tag<N>] : HTMLElement;

/** Makes elements that stay as they are. */
export type Plain = <N extends string>(name: N, ...parts: readonly Part<unknown>[]) => Made<N>;

/** Makes elements that show an `S`. */
export interface Make<S> {
  <N extends string>(name: N, ...parts: readonly Part<S>[]): Made<N>;
  /** Ends every listener of this view. */
  readonly signal: AbortSignal;
  /** Draws all that was made here. */
  show(now: S): void;
  /** Looks with every `show`, and acts when it sees something new. */
  watch<T>(look: (now: S) => T, act?: (seen: T, now: S) => void): void;
}

export function maker<S>(signal: AbortSignal): Make<S> {
  const watches: ((now: S) => void)[] = [];

  function watch<T>(look: (now: S) => T, act?: (seen: T, now: S) => void): void {
    let before: unknown = watches;
    watches.push((now) => {
      const seen = look(now);
      if (seen !== before) act?.(seen, now);
      before = seen;
    });
  }

  function fill(el: HTMLElement, parts: readonly Part<S>[]): void {
    for (const part of parts) {
      if (Array.isArray(part)) fill(el, part);
      else if (typeof part === "function") {
        const text = el.appendChild(document.createTextNode(""));
        watch(part as (now: S) => string, (seen) => {
          text.data = seen;
        });
      } else if (typeof part === "object" && !("nodeType" in part))
        for (const [name, value] of Object.entries(part)) {
          if (name.startsWith("on")) el.addEventListener(name.slice(2), value as () => void, { signal });
          else if (typeof value === "function") {
            const draw = (seen: Value) => put(el, name, seen);
            if (USER_EDITABLE.test(name)) watch((now) => draw(value(now)));
            else watch(value as (now: S) => Value, draw);
          } else put(el, name, value);
        }
      else el.append(part as Node | string);
    }
  }

  const make = <N extends string>(name: N, ...parts: readonly Part<S>[]): Made<N> => {
    const [tag, ...classes] = name.split(".");
    const el = document.createElement(tag || "div");
    el.classList.add(...classes.map((each) => `lw-${each}`));
    if (/^(button|input|select)$/.test(tag ?? "")) put(el, GUARD, true);
    if (tag === "input") put(el, "autocomplete", "off");
    if (tag === "button")
      fill(el, [
        {
          type: "button",
          onclick: (event) => isOff(el) && event.stopImmediatePropagation(),
          // The focus has gone: now the button may really be disabled.
          onblur: () => setOff(el as HTMLButtonElement, isOff(el)),
        },
      ]);
    fill(el, parts);
    return el as Made<N>;
  };
  const show = (now: S) => {
    for (const look of watches) look(now);
  };
  return Object.assign(make, { signal, show, watch });
}

/** Sets those of the attributes that have changed. */
export function set(el: HTMLElement, attributes: { readonly [N in Name]?: Value }): void {
  for (const [name, value] of Object.entries(attributes)) put(el, name, value);
}

function put(el: HTMLElement, name: string, value: Value): void {
  const known = el as unknown as Record<string, Value>;
  if (name === "off") setOff(el as HTMLButtonElement, Boolean(value));
  else if (name === "label") put(el, "aria-label", value);
  else if (name.startsWith(".")) el.classList.toggle(`lw-${name.slice(1)}`, Boolean(value));
  else if (name !== "style" && !name.includes("-") && name in el) {
    if (known[name] !== value) known[name] = value;
  } else if (value === null || value === undefined) el.removeAttribute(name);
  else if (el.getAttribute(name) !== `${value}`) el.setAttribute(name, `${value}`);
  if (name === "tabindex") put(el, GUARD, true);
}

/** Replaces the children. A text in place of a text keeps its node: a new node would be laid out from scratch. */
export function refill(el: HTMLElement, children: readonly (Node | string)[]): void {
  const { firstChild: old, lastChild } = el;
  const [text] = children;
  if (old instanceof Text && old === lastChild && typeof text === "string" && !children[1]) old.data = text;
  else el.replaceChildren(...children);
}

export const boxOf = (el: Element): DOMRect => el.getBoundingClientRect();

export const isFocused = (el: HTMLElement): boolean => el.matches(":focus");

export const focusInPlace = (el: HTMLElement | undefined): void => el?.focus({ preventScroll: true });

/** For what is clicked without taking the focus, so that the keys go on working on the row. */
export const keepsFocus = { onmousedown: (event: Event) => event.preventDefault() };

/** Not for screen readers. */
export const DECORATIVE = { "aria-hidden": true };

/** For text of the data, which may run from right to left. */
export const DATA_TEXT = { dir: "auto" };

/** A bar; `style` gives its width. */
export const shareBar = <S>(make: Make<S>, style: string | ((now: S) => string)): HTMLElement =>
  make("span.share", DECORATIVE, make("i", { style }));

/** A button that shows a sign; `label` is its accessible name. */
export const signButton = <S>(
  make: Make<S>,
  sign: string,
  label: string,
  title: string,
  onclick: () => void,
  off?: (now: S) => Value,
): HTMLButtonElement => make("button", { label, title, onclick, off: off ?? false }, sign);

const isOff = (button: HTMLElement): boolean => button.matches("[disabled], [aria-disabled]");

/** Disables a button. A focused button only gets aria-disabled, so that it keeps the focus. */
function setOff(button: HTMLButtonElement, off: boolean): void {
  const focused = isFocused(button);
  button.disabled = off && !focused;
  put(button, "aria-disabled", (off && focused) || null);
}

/** Whether the element is pressed, or expanded. */
export const isOn = (el: HTMLElement, what: "pressed" | "expanded" = "pressed"): boolean =>
  el.getAttribute(`aria-${what}`) === "true";

export type Keys = Readonly<Record<string, (event: KeyboardEvent) => unknown>>;

/** A listener for keys by their names. It stops what the browser would do, unless the act returns false. */
export const onKeys =
  (keys: Keys) =>
  (event: KeyboardEvent): void => {
    const act = event.isComposing ? undefined : keys[event.key];
    if (act && act(event) !== false) event.preventDefault();
  };

/** Acts when the size of one of these has changed, after the browser has laid the page out. */
export function onResize(signal: AbortSignal, els: readonly Element[], act: () => void): void {
  const watching = new ResizeObserver(act);
  for (const el of els) watching.observe(el);
  atEnd(signal, () => watching.disconnect());
}

/** Types a key that had to wait for its field, as if it was pressed there now; false where the field has no focus. */
export function typeInto(field: HTMLInputElement, key: string): boolean {
  if (!isFocused(field)) return false;
  if (key.length === 1) field.value += key;
  else field.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  field.dispatchEvent(new Event("input"));
  return true;
}

/** Refills a select and keeps the choice, by value. */
export function setOptions(
  make: Plain,
  select: HTMLSelectElement,
  options: readonly { readonly value: string; readonly name: string }[],
): void {
  const chosen = select.value;
  refill(
    select,
    options.map(({ value, name }) => make("option", { value }, name)),
  );
  select.value = chosen;
}
