import type { FlashbarProps } from "@cloudscape-design/components/flashbar";
import { createContext, type ReactNode, useCallback, useContext, useMemo, useRef, useState } from "react";

import { useT } from "../i18n";

export interface Flash {
  type: "success" | "info" | "warning" | "error";
  header?: string;
  content: ReactNode;
  /** A later flash of the same id replaces it. */
  id?: string;
  action?: ReactNode;
}

interface Flashes {
  shown: readonly FlashbarProps.MessageDefinition[];
  flash: (flash: Flash) => void;
}

const FlashContext = createContext<Flashes | null>(null);

/** Results of what the user did, on top of the page that the user is led to. */
export function FlashProvider({ children }: { children: ReactNode }) {
  const [shown, setShown] = useState<readonly FlashbarProps.MessageDefinition[]>([]);
  const made = useRef(0);
  const flash = useCallback(({ type, header, content, id = `flash-${(made.current += 1)}`, action }: Flash) => {
    const dismiss = () => {
      setShown((before) => before.filter((each) => each.id !== id));
    };
    const message = { id, type, header, content, action, dismissible: true, onDismiss: dismiss };
    setShown((before) => [message, ...before.filter((each) => each.id !== id)].slice(0, 5));
  }, []);
  const dismissLabel = useT()("shell.notifications.dismiss");
  const flashes = useMemo(
    () => ({ shown: shown.map((each) => ({ ...each, dismissLabel })), flash }),
    [shown, flash, dismissLabel],
  );
  return <FlashContext.Provider value={flashes}>{children}</FlashContext.Provider>;
}

export function useFlashes(): Flashes {
  const flashes = useContext(FlashContext);
  if (!flashes) throw new Error("useFlashes outside of FlashProvider");
  return flashes;
}
