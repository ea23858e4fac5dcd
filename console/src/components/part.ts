import { type ComponentType, useCallback, useState } from "react";

/** What was to be loaded cannot be had: the service does not answer, or is another version. */
export class MissingPart extends Error {
  override readonly name = "MissingPart";
}

interface LatePart<Props> {
  /** Null until it is there. */
  Part: ComponentType<Props> | null;
  /** Loads it. Rejects where it cannot be had: the service does not answer, or is another version. */
  ask: () => Promise<void>;
}

/** A part of a page that few look at: it is loaded when it is asked for. `load` is to be the same each time. */
export function usePart<Props>(load: () => Promise<ComponentType<Props>>): LatePart<Props> {
  const [loaded, setLoaded] = useState<{ Part: ComponentType<Props> } | null>(null);
  const ask = useCallback(async () => {
    const Part = await load();
    setLoaded({ Part });
  }, [load]);
  return { Part: loaded?.Part ?? null, ask };
}
