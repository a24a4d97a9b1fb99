/** Requests and replies: how the messages travel, and how to know them. What they hold is in messages.ts and verbs.ts. */

import type { Problem, Snapshot } from "./messages";
import type { Decided, Verbs } from "./verbs";

export * from "./messages";
export * from "./verbs";

/** The longest note that the grid takes. */
export const LONGEST_NOTE = 2_000;

export type Verb = keyof Verbs;

/** `rid`, never `id`: a string field named id leaks memory in ipykernel 7.4. */
export interface Request<V extends Verb = Verb> {
  readonly v: number;
  readonly rid: string;
  readonly verb: V;
  readonly args: Verbs[V]["args"];
}

export type Reply =
  | { readonly rid: string; readonly ok: true; readonly revision: number; readonly result: unknown }
  | { readonly rid: string; readonly ok: false; readonly revision: number; readonly error: Problem };

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

export const isSnapshot = (value: unknown): value is Snapshot =>
  isObject(value) && Array.isArray(value.label_names) && typeof value.rows === "number";

/** Whether a custom message is an answer of ours; anything else on the comm is ignored. */
export function isReply(message: unknown): message is Reply {
  if (!isObject(message) || typeof message.rid !== "string" || typeof message.revision !== "number")
    return false;
  return typeof message.ok === "boolean" && isObject(message.ok ? message.result : message.error);
}

/** The answers to decisions in a reply, whoever asked; null where it is about something else. */
export function decisionsIn(reply: Reply): Decided | null {
  if (!reply.ok || !isObject(reply.result) || !Array.isArray(reply.result.results)) return null;
  return reply.result as unknown as Decided;
}
