import { describe, expect, it } from "vitest";

import { jobFrom } from "../api/jobs.test-data";
import type { Job } from "../api/types";
import { reportPhaseOf, reportRegionOf } from "./reportPhase";
import type { JobEvent } from "./timeline";

const SINCE = "2026-11-26T08:00:00.000Z";
const UNTIL = "2026-11-27T08:00:00.000Z";

const told = (reason: string): JobEvent => ({
  at: "2026-11-26T08:00:00.000Z",
  actor: "engine",
  by: "",
  kind: "report",
  status: "Complete",
  reason,
});

describe("a report", () => {
  it.each<[Partial<Job>, string]>([
    [{ report: { state: "none", location: "", tried_until: null } }, "off"],
    [{ status: "Active" }, "later"],
    [{ status: "Completing" }, "generating"],
    [{ status: "Complete", is_final: true }, "generating"],
    [{ report: { state: "failed", location: "", tried_until: null } }, "failed"],
  ])("of %j is %s", (changes, phase) => {
    expect(reportPhaseOf(jobFrom(changes), []).phase).toBe(phase);
  });

  it("is where its address says", () => {
    const location = "s3://reports-1/batch/job-1/manifest.json";
    expect(reportPhaseOf(jobFrom({ report: { state: "delivered", location, tried_until: null } }), [])).toEqual({
      phase: "ready",
      place: { bucket: "reports-1", key: "batch/job-1/manifest.json", folder: "batch/job-1/", location },
    });
  });

  it.each(["Completing", "Complete", "Cancelled", "Failed"] as const)(
    "of a job that is %s and could not be delivered says why, and until when it is tried",
    (status) => {
      const hold = { bucket: "reports-1", reason: "the report is not delivered: connection refused", since: SINCE };
      const report = { state: "pending", location: "", tried_until: UNTIL } as const;
      const job = jobFrom({ status, is_final: status !== "Completing", hold, report });
      expect(reportPhaseOf(job, [])).toEqual({
        phase: "undelivered",
        bucket: "reports-1",
        reason: "connection refused",
        since: SINCE,
        until: UNTIL,
      });
    },
  );

  it("of a job that waits for another bucket is to come", () => {
    const hold = { bucket: "photos-1", reason: "no route", since: SINCE };
    expect(reportPhaseOf(jobFrom({ hold }), [])).toEqual({ phase: "later" });
  });

  it("failed for the reason that was told last", () => {
    const events = [told("failed: no route"), told("pending: asked for once more"), told("failed: access denied")];
    const failed = jobFrom({ report: { state: "failed", location: "", tried_until: null } });
    expect(reportPhaseOf(failed, events)).toEqual({ phase: "failed", reason: "access denied" });
  });

  it("lies in the region that its bucket names, else in the job's", () => {
    const job = jobFrom();
    expect(reportRegionOf(job)).toBe("ap-guangzhou");
    const elsewhere = { ...job.request, report: { bucket: "qcs::cos:ap-beijing::reports-1" } };
    expect(reportRegionOf(jobFrom({ request: elsewhere }))).toBe("ap-beijing");
    expect(reportRegionOf(jobFrom({ request: { ...job.request, report: { bucket: "arn:aws:s3:::r" } } }))).toBe(
      "ap-guangzhou",
    );
  });
});
