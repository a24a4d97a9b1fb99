/** Timers that end with the view. */

export const atEnd = (signal: AbortSignal, act: () => void): void => signal.addEventListener("abort", act);

/** Does one thing later: the newest that was asked for. */
export function makeTimer(signal: AbortSignal) {
  const timer = {
    /** Whether something is still to be done. */
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

/** Knows whether an answer is late by more than a second; calls `changed` when that changes. */
export function makeLateness(signal: AbortSignal, changed: () => void) {
  const timer = makeTimer(signal);
  const lateness = {
    late: false,
    /** An answer is awaited from now on. */
    begin(): void {
      if (!timer.runs && !lateness.late) timer.start(LATE_MS, () => set(true));
    },
    end(): void {
      timer.stop();
      set(false);
    },
  };
  const set = (late: boolean) => {
    if (lateness.late === late) return;
    lateness.late = late;
    changed();
  };
  return lateness;
}
