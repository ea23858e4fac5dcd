import type { Job } from "../../api/types";
import { type Undelivered, undeliveredOf } from "../../components/reportPhase";

/** What the owner of a job must know at once, in the order in which it matters. */
export type Banner =
  /** Why the whole job failed. */
  | { kind: "failed"; code: string; reason: string }
  /** A bucket does not answer; `until`: then the job fails. */
  | { kind: "hold"; bucket: string; reason: string; since: string; until: string | null }
  /** Its report cannot be delivered for now; a job that has not ended fails by it in the end. */
  | { kind: "undelivered"; found: Undelivered; isFinal: boolean }
  /** It waits for its confirmation; `until`: then it fails. */
  | { kind: "confirm"; total: number | null; until: string | null; isDeletion: boolean }
  | { kind: "greater-job"; jobId: string; isPaused: boolean }
  /** Outside its working hours; `until` null: none begin within a week. */
  | { kind: "window"; until: string | null }
  | { kind: "paused"; reason: string }
  | { kind: "cancelled"; reason: string }
  | { kind: "ignored"; options: readonly { name: string; count: number }[] }
  | { kind: "over-threshold"; share: number; limit: number; isDryRun: boolean }
  /** Of a dry run: rows that another row would write over. */
  | { kind: "shared-targets"; count: number }
  | { kind: "dry-run" };

export function bannersOf(job: Job): Banner[] {
  return [
    ...job.failure_reasons.map(({ failure_code: code, failure_reason: reason }): Banner => ({
      kind: "failed",
      code,
      reason,
    })),
    ...holds(job),
    ...waits(job),
    ...results(job),
    ...(job.dry_run ? [{ kind: "dry-run" } as const] : []),
  ];
}

/** What is waited for: by a job that has ended, nothing but the bucket of its report. */
function holds(job: Job): Banner[] {
  const { hold, expires_at: until, is_final: isFinal } = job;
  const found = undeliveredOf(job);
  if (found) return [{ kind: "undelivered", found, isFinal }];
  if (isFinal || !hold) return [];
  return [{ kind: "hold", bucket: hold.bucket, reason: hold.reason, since: hold.since, until }];
}

/** Why nothing moves although nothing is wrong: one reason at most. */
function waits(job: Job): Banner[] {
  const reason = job.status_update_reason;
  if (job.status === "Suspended") {
    const total = job.progress_summary.total_number_of_tasks;
    const isDeletion = job.operation_name === "COSDeleteObject" && !job.dry_run;
    return [{ kind: "confirm", total, until: job.expires_at, isDeletion }];
  }
  if (job.status === "Cancelled" || job.status === "Cancelling") return [{ kind: "cancelled", reason }];
  const isPaused = job.status === "Paused" || job.status === "Pausing";
  if (!isPaused && job.status !== "Ready") return [];
  if (job.waits_for_job) return [{ kind: "greater-job", jobId: job.waits_for_job, isPaused }];
  if (job.waiting_until || job.paused_by === "window") return [{ kind: "window", until: job.waiting_until }];
  return isPaused && job.paused_by === "user" ? [{ kind: "paused", reason }] : [];
}

function results(job: Job): Banner[] {
  const ignored = Object.entries(job.ignored_options).map(([name, count]) => ({ name, count }));
  const share = job.progress_summary.failure_rate;
  const limit = job.request.failure_threshold ?? 0.5;
  const hasFailedByIt = job.failure_reasons.some(({ failure_code: code }) => code === "FailureThresholdExceeded");
  const isOver = share !== null && limit !== "never" && share > limit && !hasFailedByIt;
  const shared = job.findings?.shared_targets ?? 0;
  return [
    ...(ignored.length > 0 ? [{ kind: "ignored", options: ignored } as const] : []),
    ...(isOver ? [{ kind: "over-threshold", share, limit, isDryRun: job.dry_run } as const] : []),
    ...(shared > 0 ? [{ kind: "shared-targets", count: shared } as const] : []),
  ];
}
