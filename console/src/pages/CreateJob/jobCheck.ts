import { useQuery } from "@tanstack/react-query";

import { type Api, told } from "../../api/client";
import { useApi } from "../../api/context";
import type { Capabilities, JobForm, Schemas } from "../../api/types";
import { toJobForm } from "./form";
import { changed, type Draft } from "./model";
import type { FollowUp } from "./origin";
import { changesOf } from "./send";

export type Checked = Schemas["JobCheckedView"];

interface JobCheckOptions {
  /** The retry or clone that is to be checked; null: a job of its own. */
  followUp: FollowUp | null;
  isOff: boolean;
}

/**
 * What the service says of a job before it is made: asked once for each job that is looked at, and when the user wants
 * it, for it begins uploads in the job's buckets. How much a deletion may delete does not count: that is typed below.
 */
export function useJobCheck(draft: Draft, capabilities: Capabilities, { followUp, isOff }: JobCheckOptions) {
  const api = useApi();
  const form = toJobForm(changed(draft, { confirm_delete_count: "" }), capabilities);
  const { call, job, code } = followUp ?? {};
  return useQuery({
    queryKey: ["job-check", call, job?.job_id, code, JSON.stringify(form)],
    enabled: !isOff,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    retry: false,
    queryFn: async (): Promise<Checked> =>
      withoutCount(
        await told<Checked>(followUp ? askFollowUp(api, followUp, form) : api.POST("/jobs:check", { body: form })),
      ),
  });
}

function askFollowUp(api: Api, { call, job, code }: FollowUp, form: JobForm) {
  const params = { path: { job_id: job.job_id } };
  const changes = changesOf(form);
  return call === "retry"
    ? api.POST("/jobs/{job_id}/retry:check", { params, body: { changes, error_code: code } })
    : api.POST("/jobs/{job_id}/clone:check", { params, body: { changes } });
}

/** Without the check that a deletion names its number, and with what comes of the others. */
export function withoutCount(checked: Checked): Checked {
  const checks = checked.checks.filter(
    ({ name, outcome, detail }) =>
      !(name === "deletes" && outcome === "failed" && detail.startsWith("confirm_delete_count")),
  );
  const outcome = (["failed", "unknown"] as const).find((each) => checks.some((check) => check.outcome === each));
  return { ...checked, checks, outcome: outcome ?? "passed" };
}
