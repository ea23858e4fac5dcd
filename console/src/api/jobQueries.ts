import { queryOptions, useQuery } from "@tanstack/react-query";

import { type Api, told } from "./client";
import { useApi } from "./context";
import { useRefetchInterval } from "./queries";
import type { Job, Schemas } from "./types";

const PAGE = 1_000;
const PAGES_MAX = 5;
/** Of one code, the service keeps no more. */
const SAMPLES_MAX = 20;

/** A job is alive until it has ended and its report has too. */
export function isAlive(job: Job | undefined): boolean {
  return job !== undefined && (!job.is_final || job.report.state === "pending");
}

export function useJob(id: string) {
  return useQuery({ ...jobQuery(useApi(), id), refetchInterval: useRefetchInterval(isAlive) });
}

export function jobQuery(api: Api, id: string) {
  return queryOptions({
    queryKey: ["job", id],
    queryFn: (): Promise<Job> => told(api.GET("/jobs/{job_id}", { params: { path: { job_id: id } } })),
  });
}

/** The first thousands of events of a job, the oldest first; `isWhole` false: there are more. */
export function useJobEvents(id: string, isJobAlive: boolean) {
  const api = useApi();
  return useQuery({
    queryKey: ["job", id, "events"],
    queryFn: async () => {
      const events: Schemas["JobEventView"][] = [];
      let cursor: string | null = null;
      for (let page = 0; page < PAGES_MAX; page += 1) {
        const query: { limit: number; cursor?: string } = { limit: PAGE, ...(cursor === null ? {} : { cursor }) };
        const found: Schemas["JobEventPage"] = await told(
          api.GET("/jobs/{job_id}/events", { params: { path: { job_id: id }, query } }),
        );
        events.push(...found.items);
        cursor = found.next_cursor;
        if (cursor === null) break;
      }
      return { events, isWhole: cursor === null };
    },
    refetchInterval: useRefetchInterval(() => isJobAlive),
  });
}

/** Until another range has come, the one before it is told (`isPlaceholderData`): a job's pace is the same in each. */
export function useJobSeries(id: string, range: Schemas["SeriesRange"], isJobAlive: boolean) {
  const api = useApi();
  return useQuery({
    placeholderData: (before, query) => (query?.queryKey[1] === id ? before : undefined),
    queryKey: ["job", id, "series", range],
    queryFn: () => told(api.GET("/jobs/{job_id}/series", { params: { path: { job_id: id }, query: { range } } })),
    refetchInterval: useRefetchInterval(() => isJobAlive),
  });
}

export function useJobFailures(id: string, isJobAlive: boolean) {
  const api = useApi();
  return useQuery({
    queryKey: ["job", id, "failures"],
    queryFn: () => told(api.GET("/jobs/{job_id}/failures", { params: { path: { job_id: id } } })),
    refetchInterval: useRefetchInterval(() => isJobAlive),
  });
}

/** The first failures of a code: they stay the same once there are as many as are kept. */
export function useFailuresOfCode(id: string, code: string, isJobAlive: boolean) {
  const api = useApi();
  const interval = useRefetchInterval<Schemas["FailuresOfCodeView"]>(() => true);
  return useQuery({
    queryKey: ["job", id, "failures", code],
    staleTime: 30_000,
    refetchInterval: (query) =>
      isJobAlive && (query.state.data?.samples.length ?? 0) < SAMPLES_MAX ? interval(query) : false,
    queryFn: () => told(api.GET("/jobs/{job_id}/failures/{code}", { params: { path: { job_id: id, code } } })),
  });
}

export function useReportPreview(id: string, scope: Schemas["ReportScope"], isJobAlive: boolean) {
  const api = useApi();
  const interval = useRefetchInterval<unknown>(() => false); // there is more to read than of a status
  return useQuery({
    refetchInterval: isJobAlive ? interval : false,
    queryKey: ["job", id, "report", scope],
    queryFn: () =>
      told(api.GET("/jobs/{job_id}/report/preview", { params: { path: { job_id: id }, query: { scope, limit: 10 } } })),
  });
}

/** A folder of a bucket, looked into with a role; without one as the region itself is. */
interface Folder {
  region: string;
  bucket: string;
  folder: string;
  role: string;
}

/** The files of a delivered report, for their sizes. */
export function useReportFiles({ region, bucket, folder, role }: Folder, isAllowed: boolean) {
  const api = useApi();
  return useQuery({
    queryKey: ["objects", region, bucket, folder, role],
    enabled: isAllowed,
    staleTime: 60_000,
    queryFn: () =>
      told(
        api.GET("/objects", {
          params: {
            query: { region, bucket, prefix: folder, limit: 200, ...(role ? { role_arn: role } : {}) },
          },
        }),
      ),
  });
}

export function useJobPreflight(id: string, isJobAlive: boolean) {
  const api = useApi();
  return useQuery({
    queryKey: ["job", id, "preflight"],
    queryFn: () => told(api.GET("/jobs/{job_id}/preflight", { params: { path: { job_id: id } } })),
    refetchInterval: useRefetchInterval(() => isJobAlive),
  });
}

export function useJobEstimate(id: string) {
  const api = useApi();
  return useQuery({
    queryKey: ["job", id, "estimate"],
    queryFn: () => told(api.GET("/jobs/{job_id}/estimate", { params: { path: { job_id: id } } })),
  });
}
