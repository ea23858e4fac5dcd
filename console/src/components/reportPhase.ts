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
  /** Its delivery has failed, and is tried again. */
  | ({ phase: "undelivered" } & Undelivered)
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

export interface Undelivered {
  bucket: string;
  reason: string;
  since: string;
  /** It is tried again so long. */
  until: string;
}

const BEGIN = /^the report is not delivered: /;

/** What keeps the report of a job from being delivered; null where nothing does, as far as anybody knows. */
export function undeliveredOf({ hold, report }: Pick<Job, "hold" | "report">): Undelivered | null {
  const until = report.tried_until;
  return hold && until !== null
    ? { bucket: hold.bucket, reason: hold.reason.replace(BEGIN, ""), since: hold.since, until }
    : null;
}

export function reportPhaseOf(job: Job, events: readonly JobEvent[]): ReportPhase {
  switch (job.report.state) {
    case "none":
      return { phase: "off" };
    case "pending": {
      const undelivered = undeliveredOf(job);
      if (undelivered) return { phase: "undelivered", ...undelivered };
      return { phase: job.is_final || job.status === "Completing" ? "generating" : "later" };
    }
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
