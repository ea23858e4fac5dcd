import { createContext, useContext } from "react";

/** Calls a listener each so many milliseconds, until what it returns is called. */
export type Beat = (everyMs: number, listener: () => void) => () => void;

/**
 * One timer for all who wait for the same beat: they are told together, and the page changes once instead of once for
 * each of a hundred rows.
 */
export function createBeat(): Beat {
  const waiting = new Map<number, { timer: ReturnType<typeof setInterval>; listeners: Set<() => void> }>();
  return (everyMs, listener) => {
    let those = waiting.get(everyMs);
    if (!those) {
      const listeners = new Set<() => void>();
      const timer = setInterval(() => {
        for (const each of listeners) each();
      }, everyMs);
      those = { timer, listeners };
      waiting.set(everyMs, those);
    }
    const { timer, listeners } = those;
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0) return;
      clearInterval(timer);
      if (waiting.get(everyMs)?.timer === timer) waiting.delete(everyMs);
    };
  };
}

const BeatContext = createContext(createBeat());

export function useBeat(): Beat {
  return useContext(BeatContext);
}
