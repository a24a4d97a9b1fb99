/** Makes many buttons one tab stop: the arrow keys move among them. */

import { isFocused, type Make, onKeys, set } from "./dom";

export function rovingFocus<S>(make: Make<S>, el: HTMLElement): void {
  const stops = () =>
    [...el.querySelectorAll("button")].filter((stop) => !stop.disabled && !stop.closest("[hidden]"));
  /** Makes the button of the last move the tab stop, or the first button where that is gone. */
  const settle = (last = el.querySelector<HTMLElement>("button[tabindex='0']")) => {
    const all = stops();
    const stop = all.find((each) => each === last) ?? all[0];
    for (const each of el.querySelectorAll("button")) set(each, { tabIndex: each === stop ? 0 : -1 });
  };
  const move = (by: number) => () => {
    const all = stops();
    all[(all.findIndex(isFocused) + by + all.length) % all.length]?.focus();
  };
  const [on, back] = [move(1), move(-1)];
  el.addEventListener("keydown", onKeys({ ArrowDown: on, ArrowRight: on, ArrowUp: back, ArrowLeft: back }), {
    signal: make.signal,
  });
  el.addEventListener("focusin", () => settle(stops().find(isFocused)), { signal: make.signal });
  make.watch(() => el.closest("[hidden]") || settle());
}
