/** Asks before a decision on many rows: how many, the first ten of them, and what would be done. */

import { type Bulk, MOST_ROWS, type Plan } from "./bulk";
import { makeDialog, rowLine } from "./dialog";
import { isFocused, type Make, set } from "./draw";
import type { Preview, Verdict } from "./protocol";
import { nameOf } from "./standing";
import type { State } from "./state";
import { count, joined, some, VERDICT_WORDS } from "./words";

export interface Confirm {
  readonly el: HTMLElement;
  /** Opens under the anchor. */
  open(plan: Plan, state: State, anchor: HTMLElement): void;
}

export const LONGEST_NOTE = 2_000;

const SENTENCES: Readonly<Record<Plan["kind"], (rows: string, label: string) => string>> = {
  relabel: (rows, label) => `Give ${rows} the label “${label}”`,
  keep: (rows) => `Keep ${rows}`,
  unsure: (rows) => `Mark ${rows} unsure`,
  remove: (rows) => `Remove ${rows}`,
  clear: (rows) => `Take back the verdicts on ${rows}`,
  note: (rows) => `Write one note on ${rows}`,
};

/** `back` returns the focus. */
export function makeConfirm(make: Make<State>, bulk: Bulk, back: () => void): Confirm {
  let plan: Plan | null = null;
  let preview: Preview | null = null;
  /** Answers to an earlier question come too late. */
  let asked = 0;

  const decide = (fresh = false) => {
    if (!plan || !preview) return;
    bulk.decide(plan.kind === "note" ? { ...plan, note: note.value } : plan, preview, fresh);
    dialog.close();
  };
  const title = make(".question");
  const about = make(".quiet", { role: "status" });
  const list = make("ol.previewed");
  const note = make("input", {
    ...{ type: "text", "aria-label": "Note on the selected rows", placeholder: "Note", dir: "auto" },
    ...{ autocomplete: "off", maxlength: LONGEST_NOTE },
  });
  const go = make("button.go", { onclick: () => decide() });
  const only = make("button", { onclick: () => decide(true) });
  const cancel = make("button", { title: "Cancel (Escape)", onclick: () => dialog.close() }, "Cancel");
  const dialog = makeDialog(
    make,
    ".confirm",
    () => {
      asked += 1;
      back();
    },
    {
      Enter: () => isFocused(note) && decide(),
      // What is under the question is not to be reached while it stands.
      Tab({ shiftKey }) {
        const stops = [note, go, only, cancel].filter((stop) => !stop.hidden && !stop.disabled);
        stops.at((stops.findIndex(isFocused) + (shiftKey ? -1 : 1)) % stops.length)?.focus();
      },
    },
    ...[title, about, note, list],
    make(".answers", go, only, cancel),
  );

  function open(next: Plan, state: State, anchor: HTMLElement): void {
    plan = next;
    preview = null;
    asked += 1;
    const mine = asked;
    const ask = (rows: string) => {
      const answer = SENTENCES[next.kind](rows, nameOf(state, next.label ?? -1) ?? "");
      title.textContent = `${answer}?`;
      go.textContent = answer;
      set(dialog.el, { "aria-label": `${answer}?` });
    };
    ask(bulk.count === null ? "all rows of this filter" : some(bulk.count, "row"));
    about.textContent = "Looking at what that would be on …";
    list.replaceChildren();
    note.hidden = next.kind !== "note";
    note.value = "";
    set(go, { off: true });
    only.hidden = true;
    dialog.open(anchor, (_, below) => below + 6);
    (note.hidden ? cancel : note).focus({ preventScroll: true });
    bulk.preview().then(
      (found) => {
        if (mine !== asked) return;
        preview = found;
        ask(some(found.total, "row"));
        about.textContent = account(found);
        const label = nameOf(state, next.label ?? -1) ?? "";
        list.replaceChildren(
          ...found.rows.map((row) =>
            rowLine(
              make,
              row,
              "span.name.quiet",
              joined([nameOf(state, row.label) ?? "no label", label], " → "),
            ),
          ),
        );
        set(go, { off: found.total === 0 || found.total > MOST_ROWS });
        const fresh = found.verdicts[""];
        only.textContent = `Only the ${count(fresh)} not reviewed`;
        only.hidden = !replaces(next) || go.disabled || fresh === 0 || fresh === found.total;
      },
      (error: Error) => {
        if (mine === asked) about.textContent = error.message;
      },
    );
  }

  return { el: dialog.el, open };
}

/** Whether it takes the place of earlier verdicts. */
const replaces = ({ kind }: Plan): boolean => kind !== "note" && kind !== "clear";

/** What is reviewed already, by verdict: "reviewed already: 2 relabelled, 1 kept". */
function already(verdicts: Preview["verdicts"]): string {
  const kinds = (Object.keys(VERDICT_WORDS) as Verdict[]).filter((kind) => kind && verdicts[kind]);
  const told = kinds.map((kind) => `${count(verdicts[kind])} ${VERDICT_WORDS[kind]}`);
  return told.length > 0 ? `reviewed already: ${joined(told, ", ")}` : "";
}

const account = ({ total, verdicts, rows }: Preview): string =>
  total > MOST_ROWS
    ? `At most ${count(MOST_ROWS)} rows can be decided here at once: filter further, or decide in a cell.`
    : joined([
        already(verdicts),
        total > rows.length ? `the first ${rows.length} are shown` : "",
        "one Undo takes it back",
      ]);
