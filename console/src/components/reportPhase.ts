import type { Job } from "../api/types";
import { resourceOf } from "./arns";
import type { JobEvent } from "./timeline";

/** How far a job's report is. */
export type ReportPhase =
  /** None was asked for. */
  | { phase: "off" }
  /** It is written when the job ends. */
  | { phase: "later" }
  | { phase: "generating" }
  | { phase: "ready"; place: ReportPlace }
  | { phase: "failed"; reason: string };

export interface ReportPlace {
  bucket: string;
  /** Of all files, ending with a slash. */
  folder: string;
  /** The report's manifest.json. */
  key: string;
  location: string;
}

export function reportPhaseOf(job: Job, events: readonly JobEvent[]): ReportPhase {
  switch (job.report.state) {
    case "none":
      return { phase: "off" };
    case "pending":
      return { phase: job.is_final || job.status === "Completing" ? "generating" : "later" };
    case "delivered": {
      const place = placeOf(job.report.location);
      return place ? { phase: "ready", place } : { phase: "generating" };
    }
    case "failed":
      return { phase: "failed", reason: reasonOf(events) };
  }
}

function placeOf(location: string): ReportPlace | null {
  const found = /^s3:\/\/([^/]+)\/(.+)$/s.exec(location);
  if (!found) return null;
  const [, bucket = "", key = ""] = found;
  return { bucket, key, folder: key.slice(0, key.lastIndexOf("/") + 1), location };
}

/** Of `failed: ...`, what is said behind the state. */
function reasonOf(events: readonly JobEvent[]): string {
  const told = events.filter(({ kind }) => kind === "report").at(-1)?.reason ?? "";
  return told.replace(/^failed: /, "");
}

/** The region whose store has the report: the job's, where the bucket names no other. */
export function reportRegionOf(job: Job): string {
  return resourceOf(job.request.report.bucket ?? "")?.region || job.region;
}
