/** A label's name where there is little room: its beginning and its end, because names of one family differ in their ends.

The element holds the whole name, for screen readers, copying and finding; only what is painted is shorter. */

import { refill, set } from "../dom/dom";
import { shorten } from "../dom/words";

/** No name is cut to fewer characters than this. */
const LEAST = 9;
/** Names may have wider letters than the probe. */
const MARGIN = 0.9;

/** `room`: how many characters fit on a line. A longer name breaks after its joints, on two lines. True where two are too few. */
export function showName(el: HTMLElement, name: string, room: number): boolean {
  const fits = name.length <= room;
  if (el.textContent !== name || fits === (el.firstElementChild !== null)) {
    const joints = name.split(/(?<=[_/-])/).flatMap((part) => [part, document.createElement("wbr")]);
    refill(el, fits ? [name] : joints);
  }
  const short = fits ? null : shorten(name, Math.max(LEAST, room));
  const long = name.length > 2 * room;
  set(el, { "data-short": short, ".long": long });
  return long;
}

/** Measures what fits: `probe` holds one line of letters in the grid's own type. */
export const measureRoom = (probe: HTMLElement, el: HTMLElement): number =>
  Math.floor((MARGIN * el.clientWidth * probe.textContent.length) / probe.offsetWidth) - 1;
