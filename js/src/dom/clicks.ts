/** Tells a click from a double click's second half, from a drag that selects text, and from a modified one. */

/** A pointer that moves further than this selects text. */
const DRAG_PX = 4;

export interface Clicks {
  /** What a click with a modifier chooses: everything up to this row, or this row too; null for other clicks. */
  chooses(event: MouseEvent): "up to" | "also" | null;
  isNotOne(event: MouseEvent): boolean;
}

export function watchClicks(el: HTMLElement, signal: AbortSignal): Clicks {
  let down = { x: 0, y: 0, selected: "" };

  /** The text selected in this row: what was selected before the press may still be so at the click. */
  function selected(): string {
    const home = el.getRootNode() as Document & { getSelection?: () => Selection | null };
    const selection = home.getSelection?.() ?? document.getSelection();
    return selection?.type === "Range" && selection.containsNode(el, true) ? String(selection) : "";
  }

  const dragged = ({ clientX, clientY }: MouseEvent): boolean =>
    Math.hypot(clientX - down.x, clientY - down.y) > DRAG_PX;

  el.addEventListener(
    "pointerdown",
    ({ clientX: x, clientY: y }) => {
      down = { x, y, selected: selected() };
    },
    { signal },
  );

  return {
    chooses(event) {
      if (event.altKey || dragged(event)) return null;
      if (event.shiftKey) return "up to";
      return event.ctrlKey || event.metaKey ? "also" : null;
    },

    isNotOne(event) {
      const { detail, shiftKey, ctrlKey, metaKey, altKey } = event;
      if (detail > 1 || shiftKey || ctrlKey || metaKey || altKey) return true;
      if (detail === 0) return false;
      const now = selected();
      return dragged(event) || (now !== "" && now !== down.selected);
    },
  };
}
