import type { Job } from "../../api/types";

/** Whether it is known how many bytes a job is about: not where its manifest lists no sizes, and nobody else told. */
export function hasSizes({ findings, progress_summary: progress }: Job): boolean {
  const isUnknown = findings?.listed?.size_bytes === null;
  return !isUnknown || progress.bytes_done > 0;
}
