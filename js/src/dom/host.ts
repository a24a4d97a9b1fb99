/** What the host looks like, as classes of the root. Watched, because a person can change the theme under a grid on screen. */

import { set } from "./dom";
import { atEnd } from "./timer";

const PREFERS_DARK = "(prefers-color-scheme: dark)";
/** The window is too low to show everything at its full size; dock.css and panes.ts go by it. */
const LOW = "(max-height: 899px)";
const VS_CODE = /vscode-(light|dark|high)/;

export function followHost(root: HTMLElement, signal: AbortSignal): void {
  const draw = () => {
    const framed = isFramed();
    set(root, { ".dark": isDark(root), ".framed": framed, ".low": framed || matchMedia(LOW).matches });
  };
  const observer = new MutationObserver(draw);
  for (const watched of [document.documentElement, document.body])
    observer.observe(watched, { attributes: true });
  atEnd(signal, () => observer.disconnect());
  for (const query of [PREFERS_DARK, LOW]) matchMedia(query).addEventListener("change", draw, { signal });
  draw();
}

const isColab = () => (globalThis as { google?: { colab?: unknown } }).google?.colab;

/** VS Code and Colab show outputs in a frame as tall as its content: the frame never scrolls, so nothing sticks in it. */
const isFramed = () => VS_CODE.test(document.body.className) || Boolean(isColab());

function isDark(root: HTMLElement): boolean {
  const { className, dataset } = document.body;
  if (dataset.jpThemeLight !== undefined) return dataset.jpThemeLight === "false";
  if (VS_CODE.test(className)) return !/vscode-(high-contrast-)?light/.test(className);
  // Colab marks its frames with an attribute (googlecolab/colabtools#1214); they need not paint a background.
  if (isColab()) return document.documentElement.matches("[theme=dark]");
  const behind = backgroundBehind(root);
  return behind === null ? matchMedia(PREFERS_DARK).matches : behind < 0.5;
}

/** The lightness, 0 to 1, of the first painted background above the root; null where nothing is painted. */
function backgroundBehind(root: HTMLElement): number | null {
  for (let node: Node | null = root.parentNode; node; node = node.parentNode ?? (node as ShadowRoot).host) {
    if (!(node instanceof Element)) continue;
    const painted = /^rgba?\((.*)\)$/.exec(getComputedStyle(node).backgroundColor)?.[1] ?? "0 0 0 0";
    const [red = 0, green = 0, blue = 0, alpha = 1] = (painted.match(/[\d.]+/g) ?? []).map(Number);
    if (alpha > 0.5) return (red + green + blue) / (3 * 255);
  }
  return null;
}
