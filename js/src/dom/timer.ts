/** Does one thing later: the newest that was asked for, and nothing after the end of the view. */

export const atEnd = (signal: AbortSignal, act: () => void): void => signal.addEventListener("abort", act);

export function makeTimer(signal: AbortSignal) {
  const timer = {
    /** Whether there is something to do. */
    runs: false,
    stop(): void {
      clearTimeout(id);
      timer.runs = false;
    },
    start(ms: number, act: () => void): void {
      timer.stop();
      timer.runs = true;
      id = setTimeout(() => {
        timer.runs = false;
        act();
      }, ms);
    },
  };
  let id: ReturnType<typeof setTimeout> | undefined;
  atEnd(signal, timer.stop);
  return timer;
}

const LATE_MS = 1_000;

/** Whether what is awaited is late by more than a second; `changed`: that has changed. */
export function makeWaiting(signal: AbortSignal, changed: () => void) {
  const timer = makeTimer(signal);
  const waiting = {
    late: false,
    begin(): void {
      if (!timer.runs && !waiting.late) timer.start(LATE_MS, () => set(true));
    },
    end(): void {
      timer.stop();
      set(false);
    },
  };
  const set = (late: boolean) => {
    if (waiting.late === late) return;
    waiting.late = late;
    changed();
  };
  return waiting;
}
