/** Asks before a decision on many rows: how many, the first ten of them, and what would be done. */

import { type Bulk, MOST_ROWS, type Plan } from "./bulk";
import { type Maker, make, makeButton, setOff, setText } from "./dom";
import type { Preview } from "./protocol";
import { count, some } from "./words";

export interface Confirm {
  readonly el: HTMLElement;
  /** Opens under the anchor, for the head of a long grid may be off the screen. */
  open(plan: Plan, names: readonly string[], anchor: HTMLElement): void;
}

const LONGEST_NOTE = 2_000;

/** `back` returns the focus. */
export function makeConfirm(maker: Maker, bulk: Bulk, back: () => void): Confirm {
  const { signal } = maker;
  const title = make(maker, "div", { class: "lw-question" });
  const about = make(maker, "div", { class: "lw-quiet", role: "status" });
  const list = make(maker, "ol", { class: "lw-previewed" });
  const note = make(maker, "input", {
    ...{ type: "text", "aria-label": "Note on the selected rows", placeholder: "Note", dir: "auto" },
    ...{ autocomplete: "off", maxlength: String(LONGEST_NOTE) },
  });
  const go = makeButton(maker, { class: "lw-go" }, "", () => decide());
  const cancel = makeButton(maker, { title: "Cancel (Escape)" }, "Cancel", () => close());
  const el = make(maker, "div", { class: "lw-confirm", role: "dialog", "aria-label": "", tabindex: "-1" }, [
    title,
    about,
    note,
    list,
    make(maker, "div", { class: "lw-answers" }, [go, cancel]),
  ]);
  el.hidden = true;
  let plan: Plan | null = null;
  let preview: Preview | null = null;
  /** Answers to an earlier question come too late. */
  let asked = 0;

  function open(next: Plan, names: readonly string[], anchor: HTMLElement): void {
    plan = next;
    preview = null;
    asked += 1;
    const mine = asked;
    const says = sentence(next, names);
    const rows = bulk.count === null ? "all rows of this filter" : some(bulk.count, "row");
    ask(`${says(rows)}?`, says(rows));
    setText(about, "Looking at what that would be on …");
    list.replaceChildren();
    note.hidden = next.kind !== "note";
    note.value = "";
    setOff(go, true);
    el.hidden = false;
    const home = el.offsetParent?.getBoundingClientRect();
    if (home) el.style.top = `${anchor.getBoundingClientRect().bottom - home.top + 6}px`;
    (note.hidden ? cancel : note).focus({ preventScroll: true });
    bulk.preview().then(
      (found) => {
        if (mine !== asked || el.hidden) return;
        preview = found;
        const counted = some(found.total, "row");
        ask(`${says(counted)}?`, says(counted));
        setText(about, account(found));
        list.replaceChildren(...found.rows.map((row) => line(maker, row, names)));
        setOff(go, found.total === 0 || found.total > MOST_ROWS);
        if (note.hidden && cancel.matches(":focus")) go.focus({ preventScroll: true });
      },
      (error: Error) => mine === asked && setText(about, error.message),
    );
  }

  function ask(question: string, answer: string): void {
    setText(title, question);
    setText(go, answer);
    el.setAttribute("aria-label", question);
  }

  function decide(): void {
    if (!plan || !preview) return;
    bulk.decide(plan.kind === "note" ? { ...plan, note: note.value } : plan, preview);
    close();
  }

  function close(): void {
    asked += 1;
    el.hidden = true;
    back();
  }

  el.addEventListener(
    "keydown",
    (event) => {
      event.stopPropagation();
      if (event.isComposing) return;
      if (event.key === "Escape") close();
      else if (event.key === "Enter" && note.matches(":focus")) decide();
      else if (event.key === "Tab") goRound(event.shiftKey);
      else return;
      event.preventDefault();
    },
    { signal },
  );

  /** What is under the question is not to be reached while it stands. */
  function goRound(backwards: boolean): void {
    const stops = [note, go, cancel].filter((stop) => !stop.hidden && !stop.disabled);
    const at = stops.findIndex((stop) => stop.matches(":focus"));
    stops.at((at + (backwards ? -1 : 1)) % stops.length)?.focus();
  }

  return { el, open };
}

function sentence({ kind, label }: Plan, names: readonly string[]): (rows: string) => string {
  switch (kind) {
    case "relabel":
      return (rows) => `Give ${rows} the label “${names[label ?? -1] ?? ""}”`;
    case "keep":
      return (rows) => `Keep ${rows}`;
    case "unsure":
      return (rows) => `Mark ${rows} unsure`;
    case "remove":
      return (rows) => `Remove ${rows}`;
    case "clear":
      return (rows) => `Take back the verdicts on ${rows}`;
    default:
      return (rows) => `Write one note on ${rows}`;
  }
}

function account({ total, reviewed, rows }: Preview): string {
  if (total > MOST_ROWS)
    return `At most ${count(MOST_ROWS)} rows can be decided here at once: filter further, or decide in a cell.`;
  const parts = [reviewed > 0 ? `${some(reviewed, "of them is", "of them are")} reviewed already` : ""];
  if (total > rows.length) parts.push(`the first ${rows.length} are shown`);
  parts.push("one Undo takes it back");
  return parts.filter(Boolean).join(" · ");
}

function line(maker: Maker, row: Preview["rows"][number], names: readonly string[]): HTMLElement {
  const label = row.label === null ? "no label" : (names[row.label] ?? "");
  return make(maker, "li", {}, [
    make(maker, "span", { class: "lw-quiet lw-number" }, [String(row.row)]),
    make(maker, "span", { class: "lw-name", dir: "auto", title: row.text }, [row.text.slice(0, 300)]),
    make(maker, "span", { class: "lw-name lw-quiet", dir: "auto", title: label }, [label]),
  ]);
}
