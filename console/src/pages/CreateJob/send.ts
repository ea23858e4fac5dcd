import { useMutation } from "@tanstack/react-query";

import { type Api } from "../../api/client";
import { told } from "../../api/client";
import { useApi } from "../../api/context";
import { useJobsChanged } from "../../api/queries";
import type { Capabilities, Job, JobForm } from "../../api/types";
import { toJobForm } from "./form";
import type { Draft } from "./model";
import type { FollowUp } from "./origin";

export interface Made {
  readonly job: Job;
  /** False: an earlier attempt had made it. */
  readonly isNew: boolean;
}

export interface Order {
  readonly draft: Draft;
  readonly token: string;
  readonly isDryRun: boolean;
}

/**
 * Makes the job. Repeated with the same order, it answers the job that was made; `onMade` also where the page has been
 * left meanwhile.
 */
export function useSend(capabilities: Capabilities, followUp: FollowUp | null, onMade: () => void) {
  const api = useApi();
  const jobsChanged = useJobsChanged();
  return useMutation({
    mutationFn: async (order: Order): Promise<Made> => {
      // Two jobs, the dry run and the run: each has a token of its own.
      const token = order.isDryRun ? `${order.token}-dry` : order.token;
      const form = toJobForm(order.draft, capabilities, { isDryRun: order.isDryRun });
      return followUp ? follow(api, followUp, { form, token }) : create(api, { ...form, client_request_token: token });
    },
    onSuccess: () => {
      onMade();
      return jobsChanged();
    },
  });
}

async function create(api: Api, body: JobForm): Promise<Made> {
  const call = api.POST("/jobs", { body });
  const job = await told(call);
  return { job, isNew: (await call).response.status === 201 };
}

async function follow(api: Api, { call, job, code }: FollowUp, { form, token }: { form: JobForm; token: string }) {
  const body = { changes: changesOf(form), client_request_token: token };
  const params = { path: { job_id: job.job_id } };
  const answer =
    call === "retry"
      ? api.POST("/jobs/{job_id}/retry", { params, body: { ...body, error_code: code } })
      : api.POST("/jobs/{job_id}/clone", { params, body });
  const made = await told<{ job: Job }>(answer);
  return { job: made.job, isNew: (await answer).response.status === 201 };
}

/** What a job that is made of another one does otherwise: all but region, inventory and operation. Null: not at all. */
export function changesOf(form: JobForm): Record<string, unknown> {
  const { report } = form;
  return {
    description: form.description ?? null,
    priority: form.priority,
    confirmation_required: form.confirmation_required,
    role_arn: form.role_arn ?? null,
    failure_threshold: form.failure_threshold,
    verify: form.verify,
    part_copy_above_bytes: form.part_copy_above_bytes,
    part_size_bytes: form.part_size_bytes,
    windows: form.windows ?? [],
    report: report.enabled
      ? { enabled: true, bucket: report.bucket, prefix: report.prefix ?? null, report_scope: report.report_scope }
      : { enabled: false },
    ...("cos_delete_object" in form.operation ? { confirm_delete_count: form.confirm_delete_count ?? null } : {}),
    dry_run: form.dry_run ?? false, // said in any case: what no change is about stays as it was
  };
}
