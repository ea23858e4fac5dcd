import type { Progress } from "../api/types";

export interface Shares {
  succeeded: number;
  failed: number;
  /** Of both, never more than what is true: 0.9999 is not yet all. */
  done: number;
}

/** Shares of 0 to 1 of a job's tasks; null while nobody knows how many there are. */
export function sharesOf(progress: Progress): Shares | null {
  const total = progress.total_number_of_tasks;
  if (total === null) return null;
  if (total === 0) return { succeeded: 1, failed: 0, done: 1 };
  const succeeded = progress.number_of_tasks_succeeded / total;
  const failed = progress.number_of_tasks_failed / total;
  const done = Math.floor(((progress.number_of_tasks_succeeded + progress.number_of_tasks_failed) * 1_000) / total);
  return { succeeded, failed, done: done / 1_000 };
}
