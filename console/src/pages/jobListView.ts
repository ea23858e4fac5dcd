import type { JobGroup, JobStatus, ListedJob, OperationName, Schemas } from "../api/types";
import { beginOf, day, endOf } from "../components/days";
import { undeliveredOf } from "../components/reportPhase";
import type { TimeZone } from "../preferences";

/** Which jobs the list shows, and in which order: all of it stands in the page's address. */
export interface JobListView {
  statuses: readonly JobStatus[];
  group: JobGroup | null;
  q: string;
  operation: OperationName | null;
  region: string;
  creator: string;
  /** Days as YYYY-MM-DD, both included; empty: no bound. What is no day bounds nothing, and is told of. */
  from: string;
  to: string;
  sort: JobSort;
  isDescending: boolean;
  /** Of the page; empty: the first one. */
  cursor: string;
}

export type JobSort = Schemas["JobSort"];

export const STATUSES: readonly JobStatus[] = [
  "New",
  "Preparing",
  "Suspended",
  "Ready",
  "Active",
  "Pausing",
  "Paused",
  "Completing",
  "Complete",
  "Cancelling",
  "Cancelled",
  "Failing",
  "Failed",
];
export const GROUPS: readonly JobGroup[] = [
  "in_progress",
  "needs_attention",
  "paused",
  "failed",
  "complete",
  "cancelled",
];
export const OPERATIONS: readonly OperationName[] = [
  "COSPutObjectCopy",
  "COSInitiateRestoreObject",
  "COSDeleteObject",
  "COSPutObjectTagging",
];
const SORTS: readonly JobSort[] = ["created", "priority", "progress", "total", "failed", "finished"];
const TEXT_MAX = 256;

export const ALL_JOBS: JobListView = {
  statuses: [],
  group: null,
  q: "",
  operation: null,
  region: "",
  creator: "",
  from: "",
  to: "",
  sort: "created",
  isDescending: true,
  cursor: "",
};

/** What an address asks for; words that mean nothing are left out. */
export function viewOf(search: URLSearchParams): JobListView {
  const asked = (name: string) => (search.get(name) ?? "").slice(0, TEXT_MAX);
  const words = search.getAll("status").flatMap((each) => each.split(","));
  return {
    statuses: STATUSES.filter((status) => words.includes(status)),
    group: oneOf(GROUPS, asked("group")),
    q: asked("q"),
    operation: oneOf(OPERATIONS, asked("op")),
    region: asked("region"),
    creator: asked("creator"),
    from: asked("from"),
    to: asked("to"),
    sort: oneOf(SORTS, asked("sort")) ?? "created",
    isDescending: asked("direction") !== "asc",
    cursor: search.get("cursor") ?? "",
  };
}

/** The address of a view: without all that goes without saying. */
export function addressOf(view: JobListView): URLSearchParams {
  const search = new URLSearchParams();
  const say = (name: string, value: string) => {
    if (value !== "") search.set(name, value);
  };
  say("status", view.statuses.join(","));
  say("group", view.group ?? "");
  say("q", view.q);
  say("op", view.operation ?? "");
  say("region", view.region);
  say("creator", view.creator);
  say("from", view.from);
  say("to", view.to);
  say("sort", view.sort === "created" ? "" : view.sort);
  say("direction", view.isDescending ? "" : "asc");
  say("cursor", view.cursor);
  return search;
}

/** Whether a view may leave out jobs: an empty list then says nothing about whether there are any. */
export function isFiltered(view: JobListView): boolean {
  const { q, operation, region, creator, from, to, statuses, group } = view;
  const texts = [q, region, creator, day(from), day(to)];
  return statuses.length > 0 || group !== null || operation !== null || texts.some(Boolean);
}

/** The same order without any filter, from the first page. */
export function withoutFilters({ sort, isDescending }: JobListView): JobListView {
  return { ...ALL_JOBS, sort, isDescending };
}

export interface JobListQuery {
  status?: JobStatus[];
  group?: JobGroup[];
  q?: string;
  operation?: OperationName;
  region?: string;
  creator?: string;
  created_from?: string;
  created_to?: string;
  sort: JobSort;
  direction: Schemas["SortDirection"];
  limit: number;
  cursor?: string;
}

/** What the API is asked for a view. `regionOfAll` is the one chosen for the whole console; the view's own goes first. */
export function queryOf(
  view: JobListView,
  { limit, regionOfAll, timeZone }: { limit: number; regionOfAll: string; timeZone: TimeZone },
): JobListQuery {
  const region = view.region || regionOfAll;
  return {
    sort: view.sort,
    direction: view.isDescending ? "desc" : "asc",
    limit,
    ...(view.statuses.length > 0 && { status: [...view.statuses] }),
    ...(view.group && { group: [view.group] }),
    ...(view.q && { q: view.q }),
    ...(view.operation && { operation: view.operation }),
    ...(region && { region }),
    ...(view.creator && { creator: view.creator }),
    ...(day(view.from) && { created_from: beginOf(view.from, timeZone) }),
    ...(day(view.to) && { created_to: endOf(view.to, timeZone) }),
    ...(view.cursor && { cursor: view.cursor }),
  };
}

function oneOf<Word extends string>(words: readonly Word[], text: string): Word | null {
  return words.find((word) => word === text) ?? null;
}

/** Whether a job may change in the next seconds by itself. One that waits for a person is asked about less often. */
export function isAlive(job: ListedJob): boolean {
  if (job.is_final) return job.report.state === "pending";
  if (job.status === "Suspended") return false;
  return !(job.status === "Paused" && job.paused_by === "user");
}

export type Note =
  | { kind: "hold"; bucket: string }
  | { kind: "undelivered" }
  | { kind: "waits-for"; jobId: string }
  | { kind: "window"; until: string }
  | { kind: "by-user" }
  | { kind: "failures" };

/** Why a job does not run, or what is wrong with it, where its status alone does not say so. */
export function noteOf(job: ListedJob): Note | null {
  if (undeliveredOf(job)) return { kind: "undelivered" };
  if (!job.is_final && job.hold) return { kind: "hold", bucket: job.hold.bucket };
  if (job.waits_for_job) return { kind: "waits-for", jobId: job.waits_for_job };
  if (job.waiting_until) return { kind: "window", until: job.waiting_until };
  if (job.status === "Paused" && job.paused_by === "user") return { kind: "by-user" };
  if (job.is_over_failure_threshold && job.status !== "Failed") return { kind: "failures" };
  return null;
}

/** Jobs that have ended since they were last told of. */
export function endedSince(before: readonly ListedJob[], now: readonly ListedJob[]): ListedJob[] {
  const running = new Set(before.filter((job) => !job.is_final).map(({ job_id: id }) => id));
  return now.filter((job) => job.is_final && running.has(job.job_id));
}

/** Which of all jobs a page shows: `101-120`; of a page that was come to by its address nobody knows. */
export function rangeOf(pagesBefore: number, limit: number, items: number): { first: number; last: number } | null {
  if (items === 0) return null;
  return { first: pagesBefore * limit + 1, last: pagesBefore * limit + items };
}
