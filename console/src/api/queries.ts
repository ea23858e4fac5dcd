import { type Query, queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useRef } from "react";

import { useLive } from "../components/live";
import { type Api, told } from "./client";
import { useApi } from "./context";
import { ApiError, pauseAskedFor } from "./errors";
import type { Capabilities, OperationId, Session } from "./types";

const LIVE_MS = 2_000;
const QUIET_MS = 30_000;

/** Who is logged in; null for nobody. */
export function useSession() {
  return useQuery(sessionQuery(useApi()));
}

export function sessionQuery(api: Api) {
  return queryOptions({
    queryKey: ["session"],
    staleTime: 60_000,
    queryFn: async (): Promise<Session | null> => {
      try {
        const session = await told(api.GET("/session"));
        api.rememberSession(session);
        return session;
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) return null;
        throw error;
      }
    },
  });
}

/** What the service can do; asked once a minute at most, for it changes with its settings only. */
export function useCapabilities() {
  return useQuery(capabilitiesQuery(useApi()));
}

export function capabilitiesQuery(api: Api) {
  return queryOptions({
    queryKey: ["capabilities"],
    staleTime: 60_000,
    queryFn: (): Promise<Capabilities> => told(api.GET("/capabilities")),
  });
}

/** Whether the caller may make a call: `useMay()("create_job")`. False until it is known. */
export function useMay(): (call: OperationId) => boolean {
  const allowed = useSession().data?.operations;
  return useCallback((call) => allowed?.includes(call) ?? false, [allowed]);
}

/** Whether the caller may look into a store as a job does: without a role it acts as the region itself, which is for admins. */
export function useMayLook(call: "list_objects" | "inspect_manifest"): (role: string | null | undefined) => boolean {
  const isAdmin = useSession().data?.role === "admin";
  const may = useMay()(call);
  return (role) => may && (isAdmin || Boolean(role));
}

/**
 * How often a query is asked again: each 2 s while what it shows is alive, else each 30 s; more and more rarely while
 * nothing answers, and no sooner than the service asks for; not at all while updates are paused. (React Query itself
 * stops in a hidden tab.)
 */
export function useRefetchInterval<Data>(isAlive: (data: Data | undefined) => boolean) {
  const { isPaused } = useLive();
  const answered = useRef({ answers: 0, refusalsBefore: 0 });
  return ({ state }: Pick<Query<Data>, "state">): number | false => {
    if (isPaused) return false;
    const { dataUpdateCount: answers, errorUpdateCount: refusals, error } = state;
    if (answers !== answered.current.answers) answered.current = { answers, refusalsBefore: refusals };
    if (error === null) return isAlive(state.data) ? LIVE_MS : QUIET_MS;
    const failures = Math.max(1, refusals - answered.current.refusalsBefore);
    return Math.max(Math.min(LIVE_MS * 2 ** failures, QUIET_MS), pauseAskedFor(error));
  };
}

/** Asks everything about jobs again, after one of them was changed. */
export function useJobsChanged(): () => Promise<void> {
  const queries = useQueryClient();
  return () =>
    queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] === "jobs" || queryKey[0] === "job" });
}
