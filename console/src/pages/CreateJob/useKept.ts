import { useEffect, useReducer, useRef, useState } from "react";

import { forget, keep, mintToken, readKept } from "./kept";
import type { Draft } from "./model";
import { nameOf, type Visit } from "./origin";
import { reduce } from "./state";

export type KeptVisit = ReturnType<typeof useKept>;

/** The draft of a visit, kept in this tab from when something of it is changed, or it is sent. */
export function useKept(visit: Visit, user: string) {
  const name = nameOf(visit.origin);
  const [before] = useState(() => readKept(user, name));
  const [isRestored, setRestored] = useState(() => before !== null && !isSame(before.draft, visit.beginning));
  const [token, setToken] = useState(() => before?.token ?? mintToken());
  const [state, dispatch] = useReducer(reduce, {
    draft: before?.draft ?? visit.beginning,
    step: before && visit.steps.includes(before.step) ? before.step : visit.first,
    judged: [],
    told: [],
  });
  const { draft, step } = state;
  const isDirty = !isSame(draft, visit.beginning);
  const isSent = useRef(before?.isSent ?? false);
  const isForgotten = useRef(false);
  useEffect(() => {
    if (isForgotten.current) return;
    if (isDirty || isSent.current) keep(user, name, { draft, step, token, isSent: isSent.current });
    else forget(user, name); // what was changed is taken back
  }, [isDirty, user, name, draft, step, token]);
  return {
    state,
    dispatch,
    isDirty,
    token,
    /** It is sent: an answer can be lost, and after a reload the same token makes no second job. */
    keepSent: () => {
      isSent.current = true;
      keep(user, name, { draft, step, token, isSent: true });
    },
    /** Of an earlier visit, and nobody has said yet that it is right so. */
    isRestored,
    acceptRestored: () => {
      setRestored(false);
    },
    renewToken: () => {
      setToken(mintToken());
    },
    startOver: () => {
      forget(user, name);
      isSent.current = false;
      setRestored(false);
      setToken(mintToken());
      dispatch({ type: "replace", draft: visit.beginning, step: visit.first });
    },
    forget: () => {
      isForgotten.current = true;
      forget(user, name);
    },
  };
}

function isSame(draft: Draft, other: Draft): boolean {
  return JSON.stringify(draft) === JSON.stringify(other);
}
