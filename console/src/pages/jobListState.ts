import { keepPreviousData, queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useLocation, useNavigate, useSearchParams } from "react-router";

import { type Api, told } from "../api/client";
import { useApi } from "../api/context";
import { useRefetchInterval } from "../api/queries";
import type { JobListPage } from "../api/types";
import { usePreferences } from "../preferences";
import { addressOf, isAlive, type JobListQuery, type JobListView, queryOf, viewOf } from "./jobListView";

const KEPT = "cosbatch.jobs.view";
/** Beside the view: the region that was chosen on top meanwhile. */
const ON_TOP = "on-top";

interface ListState {
  view: JobListView;
  /** How many pages lie before; null: nobody knows, they were come to by an address. */
  pagesBefore: number | null;
  /** Whether one is turned back to the first page, as the one before is not known. */
  isBackToFirst: boolean;
  /** Always the same function. Shows other jobs, from the first page. `isTyping` leaves no trace in the history of each letter. */
  show: (change: Partial<JobListView>, isTyping?: boolean) => void;
  turnTo: (cursor: string) => void;
  turnBack: () => void;
}

/** The pages before, by their cursors. */
interface Way {
  cursors: readonly string[];
  /** From the first page on; else from one that was come to by its address. */
  isWhole: boolean;
}

const BEGINNING: Way = { cursors: [], isWhole: true };

/** The view in the page's address, and the way to it in the browser's own history. */
export function useListState(): ListState {
  const [search] = useSearchParams();
  const navigate = useNavigate();
  const location = useLocation();
  const view = useMemo(() => viewOf(search), [search]);
  const way = useMemo(() => (view.cursor === "" ? BEGINNING : wayIn(location.state)), [view.cursor, location.state]);
  useLastView(search.toString());
  const go = useCallback(
    (next: JobListView, state: Way, isReplaced = false) => {
      void navigate({ search: addressOf(next).toString() }, { state, replace: isReplaced });
    },
    [navigate],
  );
  const show = useCallback(
    (change: Partial<JobListView>, isTyping = false) => {
      // What was typed may come when another view is asked for already: the address knows it first.
      const latest = viewOf(new URLSearchParams(globalThis.location.search));
      go({ ...latest, ...change, cursor: "" }, BEGINNING, isTyping);
    },
    [go],
  );
  return {
    view,
    pagesBefore: way.isWhole ? way.cursors.length : null,
    isBackToFirst: !way.isWhole && way.cursors.length === 0,
    show,
    turnTo: (cursor) => {
      go({ ...view, cursor }, { ...way, cursors: [...way.cursors, view.cursor] });
    },
    turnBack: () => {
      go({ ...view, cursor: way.cursors.at(-1) ?? "" }, { ...way, cursors: way.cursors.slice(0, -1) });
    },
  };
}

function wayIn(state: unknown): Way {
  const unknown: Way = { cursors: [], isWhole: false };
  if (typeof state !== "object" || state === null || !("cursors" in state && "isWhole" in state)) return unknown;
  const { cursors, isWhole } = state;
  const areCursors = Array.isArray(cursors) && cursors.every((each) => typeof each === "string");
  return areCursors ? { cursors, isWhole: isWhole === true } : unknown;
}

/** Whoever comes back to the list without saying what to see sees what was seen last, in the same tab. */
function useLastView(search: string): void {
  const navigate = useNavigate();
  const { region } = usePreferences().preferences;
  const isFirst = useRef(true);
  useEffect(() => {
    const kept = isFirst.current && search === "" ? readKept(region) : "";
    isFirst.current = false;
    if (kept === "") keep(search, region);
    else void navigate({ search: kept }, { replace: true });
  }, [search, region, navigate]);
}

/**
 * The query of the address of what was seen last, in the same tab; empty: the list has not been seen. A region that was
 * chosen on top since then takes the place of the one that was filtered by.
 */
export function readKept(regionOnTop: string): string {
  try {
    const kept = new URLSearchParams(sessionStorage.getItem(KEPT) ?? "");
    if ((kept.get(ON_TOP) ?? "") !== regionOnTop) kept.delete("region");
    kept.delete(ON_TOP);
    return kept.toString();
  } catch {
    return ""; // storage is forbidden
  }
}

function keep(search: string, regionOnTop: string): void {
  const view = viewOf(new URLSearchParams(search));
  const kept = addressOf({ ...view, cursor: "" });
  if (regionOnTop !== "") kept.set(ON_TOP, regionOnTop);
  try {
    sessionStorage.setItem(KEPT, kept.toString());
  } catch {
    // Storage is forbidden or full: the list begins anew each time.
  }
}

export interface JobListAnswer {
  list: ReturnType<typeof useListQuery>["list"];
  /** There is no answer about this view yet, nor a reason why; what `list` tells may be about the view before. */
  isLoading: boolean;
  /** Why there is no answer, or none that is up to date. */
  refusal: Error | null;
  askAgain: () => void;
}

/** The page of jobs of a view. While another view is asked for, the answer before it is told, marked as such. */
export function useJobList(view: JobListView, limit: number): JobListAnswer {
  const { list, queryKey } = useListQuery(view, limit);
  const queries = useQueryClient();
  const hasAnswer = list.data !== undefined && !list.isPlaceholderData;
  const refusal = useRefusal(JSON.stringify(queryKey), {
    hasAnswer,
    error: list.error,
    failureReason: list.failureReason,
  });
  return {
    list,
    isLoading: !hasAnswer && refusal === null,
    refusal,
    askAgain: () => {
      // The pause before the next attempt is not waited for by somebody who asks.
      if (hasAnswer) void list.refetch();
      else void queries.resetQueries({ queryKey, exact: true });
    },
  };
}

function useListQuery(view: JobListView, limit: number) {
  const api = useApi();
  const { region: regionOfAll, timeZone } = usePreferences().preferences;
  const asked = listQuery(api, queryOf(view, { limit, regionOfAll, timeZone }));
  const refetchInterval = useRefetchInterval<JobListPage>((page) => page?.items.some(isAlive) ?? false);
  const list = useQuery({ ...asked, placeholderData: keepPreviousData, refetchInterval });
  return { list, queryKey: asked.queryKey };
}

export function listQuery(api: Api, query: JobListQuery) {
  return queryOptions({
    queryKey: ["jobs", "list", query],
    queryFn: (): Promise<JobListPage> => told(api.GET("/jobs", { params: { query } })),
  });
}

interface Attempts {
  hasAnswer: boolean;
  error: Error | null;
  /** Of the last attempt, while others follow by themselves. */
  failureReason: Error | null;
}

/**
 * Where there is nothing to show, why not: from the first refusal on, and until an answer comes, however often it is
 * asked for meanwhile. Rows that are there are old only when attempts in a row have failed.
 */
function useRefusal(asked: string, { hasAnswer, error, failureReason }: Attempts): Error | null {
  const [before, setBefore] = useState<{ asked: string; refusal: Error | null }>({ asked, refusal: null });
  const latest = error ?? (hasAnswer ? null : failureReason);
  const refusal = latest ?? (hasAnswer || before.asked !== asked ? null : before.refusal);
  if (before.asked !== asked || before.refusal !== refusal) setBefore({ asked, refusal });
  return refusal;
}
