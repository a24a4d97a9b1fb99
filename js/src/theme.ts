/** Dark or light, as the notebook is; watched, for the theme can change under a grid that is on screen. */

const VSCODE_DARK = ["vscode-dark", "vscode-high-contrast"];

export function followTheme(root: HTMLElement, signal: AbortSignal): void {
  const document = root.ownerDocument;
  const view = document.defaultView;
  const draw = () => root.classList.toggle("lw-dark", isDark(root));
  const observer = view ? new view.MutationObserver(draw) : null;
  const attributeFilter = ["class", "style", "data-jp-theme-light", "data-vscode-theme-kind", "data-theme"];
  for (const watched of [document.documentElement, document.body])
    observer?.observe(watched, { attributes: true, attributeFilter });
  signal.addEventListener("abort", () => observer?.disconnect());
  view?.matchMedia?.("(prefers-color-scheme: dark)").addEventListener("change", draw, { signal });
  draw();
}

function isDark(root: HTMLElement): boolean {
  const { body, defaultView } = root.ownerDocument;
  const jupyter = body.getAttribute("data-jp-theme-light");
  if (jupyter !== null) return jupyter === "false";
  if (body.classList.contains("vscode-light")) return false;
  if (VSCODE_DARK.some((name) => body.classList.contains(name)))
    return !body.classList.contains("vscode-high-contrast-light");
  const behind = backgroundBehind(root);
  if (behind !== null) return behind < 0.5;
  return defaultView?.matchMedia?.("(prefers-color-scheme: dark)").matches ?? false;
}

/** The luminance, 0 to 1, of the first painted background above the root; null where nothing is painted. */
function backgroundBehind(root: HTMLElement): number | null {
  const view = root.ownerDocument.defaultView;
  let node: Node | null = root.parentNode;
  while (node && view) {
    if (node.nodeType === Node.ELEMENT_NODE) {
      const [red = 0, green = 0, blue = 0, alpha = 1] = (
        view
          .getComputedStyle(node as Element)
          .backgroundColor.match(/^rgba?\(.*\)$/)?.[0]
          .match(/[\d.]+/g) ?? [0, 0, 0, 0]
      ).map(Number);
      if (alpha > 0.5) return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
    }
    node = node.parentNode ?? (node as ShadowRoot).host ?? null;
  }
  return null;
}
