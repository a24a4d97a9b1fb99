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

  /** What a click with a modifier chooses: everything up to this row, or this row too; null for other clicks. */
  chooses(event: MouseEvent): "up to" | "also" | null {
    if (event.altKey || this.#dragged(event)) return null;
    if (event.shiftKey) return "up to";
    return event.ctrlKey || event.metaKey ? "also" : null;
  }

  isNotOne(event: MouseEvent): boolean {
    if (event.detail > 1 || event.shiftKey || event.ctrlKey || event.metaKey || event.altKey) return true;
    if (event.detail === 0) return false;
    if (this.#dragged(event)) return true;
    const now = this.#selected();
    return now !== "" && now !== this.#down.selected;
  }

  #dragged({ clientX, clientY }: MouseEvent): boolean {
    return Math.hypot(clientX - this.#down.x, clientY - this.#down.y) > DRAG_PX;
  }

  /** The text selected in this row: what was selected before the press may still be so at the click. */
  #selected(): string {
    const home = this.#el.getRootNode() as Document & { getSelection?: () => Selection | null };
    const selection = home.getSelection?.() ?? this.#el.ownerDocument.getSelection();
    return selection?.type === "Range" && selection.containsNode(this.#el, true) ? String(selection) : "";
  }
}
