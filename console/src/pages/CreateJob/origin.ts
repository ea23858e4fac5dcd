import type { Capabilities, Job, JobForm } from "../../api/types";
import { fromJobForm } from "./form";
import { changed, type Draft, emptyDraft, type StepName, STEPS } from "./model";

/** What the wizard begins with. */
export type Origin =
  | { readonly kind: "new" }
  | { readonly kind: "sample" }
  | { readonly kind: "clone"; readonly jobId: string }
  /** `code`: only what failed with it; empty: all that failed. */
  | { readonly kind: "retry"; readonly jobId: string; readonly code: string };

/** `?from=ID`, `?retry=ID&code=`, `?sample=1`. */
export function originOf(search: URLSearchParams): Origin {
  const retried = search.get("retry");
  if (retried) return { kind: "retry", jobId: retried, code: search.get("code") ?? "" };
  const cloned = search.get("from");
  if (cloned) return { kind: "clone", jobId: cloned };
  return search.get("sample") ? { kind: "sample" } : { kind: "new" };
}

/** Of two visits with the same name, the second one goes on with what was typed in the first. */
export function nameOf(origin: Origin): string {
  return "jobId" in origin
    ? `${origin.kind} ${origin.jobId} ${"code" in origin ? origin.code : ""}`.trim()
    : origin.kind;
}

/** What a visit is about, when everything is known that it begins with. */
export interface Visit {
  readonly origin: Origin;
  readonly beginning: Draft;
  readonly steps: readonly StepName[];
  readonly first: StepName;
  /**
   * Made of another job in the service: what that job keeps of its inventory cannot be named by another one. Null: a
   * job of its own.
   */
  readonly followUp: FollowUp | null;
  /** Of the inventory when the job was made that is cloned; empty: no matter. */
  readonly etagBefore: string;
}

export interface FollowUp {
  readonly call: "retry" | "clone";
  readonly job: Job;
  readonly code: string;
}

const ONLY_OTHER: readonly StepName[] = ["other", "review"];

export function beginNew(capabilities: Capabilities, region: string): Visit {
  const beginning = emptyDraft(capabilities, region);
  return { origin: { kind: "new" }, beginning, steps: STEPS, first: "manifest", followUp: null, etagBefore: "" };
}

export function beginSample(capabilities: Capabilities, sample: JobForm): Visit {
  const beginning = fromJobForm(sample, capabilities);
  return { origin: { kind: "sample" }, beginning, steps: STEPS, first: "review", followUp: null, etagBefore: "" };
}

export function beginClone(capabilities: Capabilities, job: Job): Visit {
  const origin: Origin = { kind: "clone", jobId: job.job_id };
  const { request } = job;
  // It is written anew for each deletion, by whoever looks at what it deletes.
  const beginning = changed(fromJobForm(request, capabilities), { confirm_delete_count: "" });
  if (request.manifest.location.retry_of) {
    const followUp: FollowUp = { call: "clone", job, code: "" };
    return { origin, beginning, steps: ONLY_OTHER, first: "review", followUp, etagBefore: "" };
  }
  const etag = request.manifest.location.etag || (job.findings?.manifest_etag ?? "");
  const pinned = changed(beginning, { manifest: { location: { etag } } });
  return { origin, beginning: pinned, steps: STEPS, first: "manifest", followUp: null, etagBefore: etag };
}

export function beginRetry(capabilities: Capabilities, job: Job, { code, description }: Retried): Visit {
  const beginning = changed(fromJobForm(job.request, capabilities), { description, confirm_delete_count: "" });
  return {
    origin: { kind: "retry", jobId: job.job_id, code },
    beginning,
    steps: ONLY_OTHER,
    first: "review",
    followUp: { call: "retry", job, code },
    etagBefore: "",
  };
}

interface Retried {
  code: string;
  description: string;
}

/** How many tasks a retry does again, at least: those that failed, or failed so. */
export function failedOf(job: Job, code: string): number {
  if (!code) return job.progress_summary.number_of_tasks_retryable;
  return job.failures_by_code[code]?.count ?? 0;
}
