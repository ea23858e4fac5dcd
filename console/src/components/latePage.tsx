import { type ComponentType, useEffect, useState } from "react";

import { MissingPart, usePart } from "./part";

type Load = () => Promise<ComponentType>;

/**
 * For a route's `lazy`. Where the page cannot be had, it is tried again whenever it is gone to, and breaks with
 * MissingPart; the router, of a page that it never had, would show nothing at all when the console begins with it.
 */
export function late(load: Load): () => Promise<{ Component: ComponentType }> {
  return async () => {
    try {
      return { Component: await load() };
    } catch {
      return { Component: triedAgain(load) };
    }
  };
}

function triedAgain(load: Load): ComponentType {
  return function TriedAgain() {
    const { Part, ask } = usePart(load);
    const [failure, setFailure] = useState<MissingPart | null>(null);
    useEffect(() => {
      ask().catch((cause: unknown) => {
        setFailure(new MissingPart("a page could not be loaded", { cause }));
      });
    }, [ask]);
    if (failure) throw failure;
    return Part && <Part />;
  };
}
