/** A label's name in little room: its beginning and its end, for names of one family differ in their ends.

The element holds the whole name, for reading aloud, copying and finding; only what is painted is shorter. */

import { set } from "./draw";

/** How many characters fit beside each other in the label and the predicted column. */
export interface Room {
  readonly label: number;
  readonly predicted: number;
}

export const ENDLESS: Room = { label: 1e9, predicted: 1e9 };
const LEAST = 9;
/** Some names have wider letters than the probe. */
const WIDER = 0.9;

export function showName(el: HTMLElement, name: string, room: number): void {
  if (el.textContent !== name) el.textContent = name;
  set(el, { "data-short": name.length > room ? shorten(name, Math.max(LEAST, room)) : null });
}

export function shorten(name: string, room: number): string {
  const letters = [...name];
  if (letters.length <= room) return name;
  const end = Math.floor((room - 1) * 0.55);
  return `${letters.slice(0, room - 1 - end).join("")}…${letters.slice(-end).join("")}`;
}

/** Measures what fits: `probe` holds one line of letters in the grid's own type. */
export function measureRoom(probe: HTMLElement, label: HTMLElement, predicted: HTMLElement): Room {
  const letter = probe.offsetWidth / Math.max(1, probe.textContent.length);
  if (letter === 0) return ENDLESS;
  // Where the grid is narrow the model's label stands in one line with its probability.
  const beside = predicted.offsetTop > label.offsetTop ? 14 : 0;
  const fits = (el: HTMLElement) => Math.floor((WIDER * el.clientWidth) / letter) - 1;
  return { label: fits(label), predicted: fits(predicted) - beside };
}
