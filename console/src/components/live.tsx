import { createContext, type ReactNode, useContext, useMemo, useState } from "react";

interface Live {
  isPaused: boolean;
  setPaused: (isPaused: boolean) => void;
}

const LiveContext = createContext<Live>({ isPaused: false, setPaused: () => undefined });

/** Whether pages keep what they show up to date by themselves. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const [isPaused, setPaused] = useState(false);
  const live = useMemo(() => ({ isPaused, setPaused }), [isPaused]);
  return <LiveContext.Provider value={live}>{children}</LiveContext.Provider>;
}

export function useLive(): Live {
  return useContext(LiveContext);
}
