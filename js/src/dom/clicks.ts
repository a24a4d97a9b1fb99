/** Tells plain clicks from the second half of a double click, from drags that select text, and from clicks with Ctrl or Shift. */

/** A pointer that moves further than this selects text. */
const DRAG_PX = 4;

export interface Clicks {
  /** What a click with Shift or Ctrl selects: every row up to this one, or this row too; null for other clicks. */
  selects(event: MouseEvent): "up to" | "also" | null;
  isNotPlain(event: MouseEvent): boolean;
}

export function watchClicks(el: HTMLElement, signal: AbortSignal): Clicks {
  let down = { x: 0, y: 0, selected: "" };

  /** The text selected in this row. What was selected before the press may still be selected at the click. */
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
    selects(event) {
      if (event.altKey || dragged(event)) return null;
      if (event.shiftKey) return "up to";
      return event.ctrlKey || event.metaKey ? "also" : null;
    },

    isNotPlain(event) {
      const { detail, shiftKey, ctrlKey, metaKey, altKey } = event;
      if (detail > 1 || shiftKey || ctrlKey || metaKey || altKey) return true;
      if (detail === 0) return false;
      const now = selected();
      return dragged(event) || (now !== "" && now !== down.selected);
    },
  };
}
