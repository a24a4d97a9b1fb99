/** Dark or light, as the notebook is; watched, for the theme can change under a grid that is on screen. */

import { set } from "./draw";
import { atEnd } from "./timer";

const PREFERS_DARK = "(prefers-color-scheme: dark)";

export function followTheme(root: HTMLElement, signal: AbortSignal): void {
  const draw = () => set(root, { ".dark": isDark(root) });
  const observer = new MutationObserver(draw);
  for (const watched of [document.documentElement, document.body])
    observer.observe(watched, { attributes: true });
  atEnd(signal, () => observer.disconnect());
  matchMedia(PREFERS_DARK).addEventListener("change", draw, { signal });
  draw();
}

function isDark(root: HTMLElement): boolean {
  const { className, dataset } = document.body;
  if (dataset.jpThemeLight !== undefined) return dataset.jpThemeLight === "false";
  if (/vscode-(light|dark|high)/.test(className)) return !/vscode-(high-contrast-)?light/.test(className);
  const behind = backgroundBehind(root);
  return behind === null ? matchMedia(PREFERS_DARK).matches : behind < 0.5;
}

/** How light, 0 to 1, the first painted background above the root is; null where nothing is painted. */
function backgroundBehind(root: HTMLElement): number | null {
  for (let node: Node | null = root.parentNode; node; node = node.parentNode ?? (node as ShadowRoot).host) {
    if (!(node instanceof Element)) continue;
    const painted = /^rgba?\((.*)\)$/.exec(getComputedStyle(node).backgroundColor)?.[1] ?? "0 0 0 0";
    const [red = 0, green = 0, blue = 0, alpha = 1] = (painted.match(/[\d.]+/g) ?? []).map(Number);
    if (alpha > 0.5) return (red + green + blue) / 765;
  }
  return null;
}
