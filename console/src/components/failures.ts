import type { Schemas } from "../api/types";

/** A key as it stands in reports: URL-encoded, but for the slashes. What JavaScript leaves alone beyond that is encoded, too. */
export function encodedKey(key: string): string {
  const percent = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(key)
    .replaceAll("%2F", "/")
    .replaceAll(/[!'()*]/g, percent);
}

interface Results {
  /** Those that failed, and no others. */
  failed?: boolean;
  /** Those that failed with one code. */
  code?: string;
  format?: Schemas["RowForm"];
}

/** Where the results of a job can be downloaded: all, or those that failed; as CSV unless something else is said. */
export function reportHref(jobId: string, only: Results = {}): string {
  const query = new URLSearchParams({ format: only.format ?? "csv" });
  if (only.failed || only.code !== undefined) query.set("scope", "FailedTasksOnly");
  if (only.code !== undefined) query.set("code", only.code);
  return `/api/v1/jobs/${encodeURIComponent(jobId)}/report?${query.toString()}`;
}

/** Where all failures without a place of their own are counted. */
export const OTHER_CODES = "(other codes)";

/** Totals, times, rates and failures of a job. */
export function summaryHref(jobId: string, format: Schemas["SummaryForm"] = "json"): string {
  return `/api/v1/jobs/${encodeURIComponent(jobId)}/summary?format=${format}`;
}
