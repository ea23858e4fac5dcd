import type { FlashbarProps } from "@cloudscape-design/components/flashbar";
import { createContext, type ReactNode, useCallback, useContext, useMemo, useRef, useState } from "react";

import { type Speech, useSpeech } from "../i18n";

/** A text in the language of the moment: a message may stand there while another one is chosen. */
type Said = (speech: Speech) => string;

export interface Flash {
  type: "success" | "info" | "warning" | "error";
  header?: Said;
  content: (speech: Speech) => ReactNode;
  /** A later flash of the same id replaces it. */
  id?: string;
}

type KeptFlash = Flash & { id: string };

interface Flashes {
  shown: readonly FlashbarProps.MessageDefinition[];
  flash: (flash: Flash) => void;
}

const FlashContext = createContext<Flashes | null>(null);

/** Results of what the user did, on top of the page that the user is led to. */
export function FlashProvider({ children }: { children: ReactNode }) {
  const [kept, setKept] = useState<readonly KeptFlash[]>([]);
  const made = useRef(0);
  const flash = useCallback(({ id = `flash-${(made.current += 1)}`, ...told }: Flash) => {
    setKept((before) => [{ id, ...told }, ...before.filter((each) => each.id !== id)].slice(0, 5));
  }, []);
  const speech = useSpeech();
  const flashes = useMemo(() => {
    const shown = kept.map(({ id, type, header, content }) => ({
      id,
      type,
      header: header?.(speech),
      content: content(speech),
      dismissible: true,
      dismissLabel: speech.t("shell.notifications.dismiss"),
      onDismiss: () => {
        setKept((before) => before.filter((each) => each.id !== id));
      },
    }));
    return { shown, flash };
  }, [kept, flash, speech]);
  return <FlashContext.Provider value={flashes}>{children}</FlashContext.Provider>;
}

export function useFlashes(): Flashes {
  const flashes = useContext(FlashContext);
  if (!flashes) throw new Error("useFlashes outside of FlashProvider");
  return flashes;
}
