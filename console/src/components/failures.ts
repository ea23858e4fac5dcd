/** A key as it stands in reports and manifests: URL-encoded, but for the slashes. */
export function encodedKey(key: string): string {
  return encodeURIComponent(key).replaceAll("%2F", "/");
}

/** Where all results of a job, or those that failed, or those of one code, can be downloaded. */
export function reportHref(jobId: string, only: { failed?: boolean; code?: string } = {}): string {
  const query = new URLSearchParams({ format: "csv" });
  if (only.failed || only.code !== undefined) query.set("scope", "FailedTasksOnly");
  if (only.code !== undefined) query.set("code", only.code);
  return `/api/v1/jobs/${encodeURIComponent(jobId)}/report?${query.toString()}`;
}

/** Where all failures without a place of their own are counted. */
export const OTHER_CODES = "(other codes)";

/** Totals, times, rates and failures of a job as JSON. */
export function summaryHref(jobId: string): string {
  return `/api/v1/jobs/${encodeURIComponent(jobId)}/summary?format=json`;
}
