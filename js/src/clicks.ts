/** Tells a click from a double click's second half, from a drag that selects text, and from a modified one. */

/** A pointer that moves further than this selects text. */
const DRAG_PX = 4;

export class Clicks {
  readonly #el: HTMLElement;
  #down = { x: 0, y: 0, selected: "" };

  constructor(el: HTMLElement, signal: AbortSignal) {
    this.#el = el;
    el.addEventListener(
      "pointerdown",
      ({ clientX: x, clientY: y }) => {
        this.#down = { x, y, selected: this.#selected() };
      },
      { signal },
    );
  }

  isNotOne(event: MouseEvent): boolean {
    if (event.detail > 1 || event.shiftKey || event.ctrlKey || event.metaKey || event.altKey) return true;
    if (event.detail === 0) return false;
    const { x, y, selected } = this.#down;
    if (Math.hypot(event.clientX - x, event.clientY - y) > DRAG_PX) return true;
    const now = this.#selected();
    return now !== "" && now !== selected;
  }

  /** The text selected in this row: what was selected before the press may still be so at the click. */
  #selected(): string {
    const home = this.#el.getRootNode() as Document & { getSelection?: () => Selection | null };
    const selection = home.getSelection?.() ?? this.#el.ownerDocument.getSelection();
    return selection?.type === "Range" && selection.containsNode(this.#el, true) ? String(selection) : "";
  }
}
