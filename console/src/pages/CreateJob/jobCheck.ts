import { useQuery } from "@tanstack/react-query";

import { type Api, told } from "../../api/client";
import { useApi } from "../../api/context";
import type { Capabilities, JobForm, Schemas } from "../../api/types";
import { toJobForm } from "./form";
import { changed, type Draft } from "./model";
import type { FollowUp } from "./origin";
import { changesOf } from "./send";

/** A retry has no other words: only the service can make it. */
export type Checked = Omit<Schemas["JobCheckedView"], "equivalents"> &
  Partial<Pick<Schemas["JobCheckedView"], "equivalents">>;

interface JobCheckOptions {
  /** The retry that is to be checked; null: a job of its own. */
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
  const retried = followUp && { jobId: followUp.job.job_id, code: followUp.code };
  return useQuery({
    queryKey: ["job-check", JSON.stringify(retried), JSON.stringify(form)],
    enabled: !isOff,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    retry: false,
    queryFn: async (): Promise<Checked> =>
      withoutCount(
        await told<Checked>(retried ? askRetry(api, retried, form) : api.POST("/jobs:check", { body: form })),
      ),
  });
}

function askRetry(api: Api, { jobId, code }: { jobId: string; code: string }, form: JobForm) {
  const params = { path: { job_id: jobId } };
  return api.POST("/jobs/{job_id}/retry:check", { params, body: { changes: changesOf(form), error_code: code } });
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
