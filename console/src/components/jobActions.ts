import type { JobAction, JobStatus, ListedJob, OperationId, Progress } from "../api/types";

/** What the actions need to know of a job; jobs of lists and jobs by themselves both have it. */
export type ActionJob = Pick<
  ListedJob,
  | "job_id"
  | "region"
  | "description"
  | "operation_name"
  | "dry_run"
  | "status"
  | "is_final"
  | "actions"
  | "priority"
  | "progress_summary"
>;

/** Who asks, and of which service. */
export interface Means {
  may: (call: OperationId) => boolean;
  canPause: boolean;
}

export type WhyNot = "not-now" | "none-of-them" | "one-only" | "nothing-to-retry";

export interface Offer {
  action: JobAction;
  /** Those of the selection that it can be asked of now. */
  jobs: readonly ActionJob[];
  /** Null: it can be asked. */
  whyNot: WhyNot | null;
}

/** The menu's order: what moves a job on, what changes it, what makes another one, what takes it away. */
export const ACTIONS: readonly JobAction[] = [
  "confirm",
  "pause",
  "resume",
  "change_priority",
  "cancel",
  "clone",
  "retry",
  "redeliver",
  "delete",
];

const CALL_OF: Record<JobAction, OperationId> = {
  confirm: "update_job_status",
  pause: "pause_job",
  resume: "resume_job",
  change_priority: "update_job_priority",
  cancel: "update_job_status",
  clone: "clone_job",
  retry: "retry_failed",
  redeliver: "redeliver_report",
  delete: "delete_job",
};

/** They lead to the wizard, which makes one job. */
const OF_ONE_JOB: ReadonlySet<JobAction> = new Set(["clone", "retry"]);

/** A job on its way out of a status: its priority would change nothing any more, though the service takes it. */
const PASSING: ReadonlySet<JobStatus> = new Set(["Pausing", "Completing", "Cancelling", "Failing"]);

/** What the caller may ask for at all, and of which of the jobs it is possible now. */
export function offersFor(jobs: readonly ActionJob[], means: Means): Offer[] {
  return ACTIONS.filter((action) => isKnown(action, means)).map((action) => {
    const able = jobs.filter((job) => isPossible(action, job));
    return { action, jobs: able, whyNot: whyNotOf(action, jobs, able) };
  });
}

function isKnown(action: JobAction, { may, canPause }: Means): boolean {
  if ((action === "pause" || action === "resume") && !canPause) return false;
  return may(CALL_OF[action]);
}

function isPossible(action: JobAction, job: ActionJob): boolean {
  if (action === "change_priority" && PASSING.has(job.status)) return false;
  return job.actions.includes(action);
}

function whyNotOf(action: JobAction, jobs: readonly ActionJob[], able: readonly ActionJob[]): WhyNot | null {
  if (OF_ONE_JOB.has(action) && jobs.length > 1) return "one-only";
  if (able.length > 0) return null;
  if (action === "retry" && jobs.some(hasOnlyUnsent)) return "nothing-to-retry";
  return jobs.length > 1 ? "none-of-them" : "not-now";
}

/** It has ended with failures, and none of them is of an object that was sent. */
function hasOnlyUnsent({ is_final: isFinal, dry_run: isDryRun, progress_summary: progress }: ActionJob): boolean {
  return isFinal && !isDryRun && progress.number_of_tasks_failed > 0 && progress.number_of_tasks_retryable === 0;
}

const PRIMARIES: readonly JobAction[] = ["confirm", "resume", "retry"];
const REPEATED: ReadonlySet<JobStatus> = new Set(["Failed", "Cancelled"]);

/** What most people want to do next with a job, as a button of its own; null: nothing stands out. */
export function primaryOf(job: ActionJob, means: Means): JobAction | null {
  const possible = new Set(
    offersFor([job], means)
      .filter(({ whyNot }) => whyNot === null)
      .map(({ action }) => action),
  );
  if (REPEATED.has(job.status)) return possible.has("clone") ? "clone" : null;
  return PRIMARIES.find((action) => possible.has(action)) ?? null;
}

/** Beyond so many objects done a job is not cancelled by a slip of the hand. */
const GUARDED_ABOVE_DONE = 100_000;
const SHORT_ID_LENGTH = 13;

export function shortId(jobId: string): string {
  return jobId.slice(0, SHORT_ID_LENGTH);
}

/** What a job is called where there is room for one thing. */
export function nameOf({ description, job_id: jobId }: Pick<ActionJob, "description" | "job_id">): string {
  return description || shortId(jobId);
}

export function deletes({ operation_name: operation, dry_run: isDryRun }: ActionJob): boolean {
  return operation === "COSDeleteObject" && !isDryRun;
}

export function doneOf(progress: Progress): number {
  return progress.number_of_tasks_succeeded + progress.number_of_tasks_failed;
}

/** What is to be typed before these jobs are cancelled: an id, or how many they are; empty: nothing. */
export function wordToCancel(jobs: readonly ActionJob[]): string {
  const guarded = jobs.filter((job) => deletes(job) || doneOf(job.progress_summary) > GUARDED_ABOVE_DONE);
  const [first] = guarded;
  if (!first) return "";
  return jobs.length === 1 ? shortId(first.job_id) : String(jobs.length);
}

/** How many objects go when these jobs are confirmed: as text to be typed; empty where none deletes. */
export function countToConfirm(jobs: readonly ActionJob[]): string {
  const deleting = jobs.filter(deletes);
  if (deleting.length === 0) return "";
  return String(deleting.reduce((sum, job) => sum + (job.progress_summary.total_number_of_tasks ?? 0), 0));
}

export const REASON_MAX_BYTES = 256;
export const PRIORITY_MAX = 2_147_483_647;

/** Length in UTF-8, which is what the service counts: a Chinese character is 3. */
export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** Whether the service takes it as a reason; an empty one is none. */
export function isReasonFit(reason: string): boolean {
  return byteLength(reason) <= REASON_MAX_BYTES;
}

/** A priority as it was typed; null where it is none. 0, which is for programs alone, is none here. */
export function priorityIn(text: string): number | null {
  if (!/^\d{1,10}$/.test(text.trim())) return null;
  const priority = Number(text);
  return priority >= 1 && priority <= PRIORITY_MAX ? priority : null;
}

/** Jobs that run or may run, by what the list counts. */
const WAITING_OR_RUNNING: readonly JobStatus[] = ["Ready", "Active", "Pausing", "Paused"];

/** How many other jobs stand at a priority or above it. */
export function queueLength(
  byStatus: Record<string, number>,
  priority: number,
  jobs: readonly Pick<ActionJob, "status" | "priority">[],
): number {
  const all = WAITING_OR_RUNNING.reduce((sum, status) => sum + (byStatus[status] ?? 0), 0);
  const own = jobs.filter((job) => WAITING_OR_RUNNING.includes(job.status) && job.priority >= priority).length;
  return Math.max(0, all - own);
}
