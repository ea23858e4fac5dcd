import { describe, expect, it } from "vitest";

import { jobFrom } from "../../api/jobs.test-data";
import type { Job } from "../../api/types";
import { type Banner, bannersOf } from "./banners";

const UNTIL = "2026-12-26T08:00:12.345Z";
const LATE: Job["report"] = { state: "delivered", location: "s3://b/k", tried_until: null };
const UNDELIVERED: Partial<Job> = {
  hold: { bucket: "b", reason: "the report is not delivered: no route", since: "2026-12-25T08:00:12.345Z" },
  report: { state: "pending", location: "", tried_until: UNTIL },
};
const FOUND = { bucket: "b", reason: "no route", since: "2026-12-25T08:00:12.345Z", until: UNTIL };

describe("what the owner of a job must know", () => {
  it("is nothing while all goes well", () => {
    expect(bannersOf(jobFrom())).toEqual([]);
  });

  it.each<[string, Partial<Job>, Banner[]]>([
    [
      "a job that waits for its confirmation",
      { status: "Suspended", expires_at: UNTIL },
      [{ kind: "confirm", total: 120_000, until: UNTIL, isDeletion: false }],
    ],
    [
      "a deletion that waits for its confirmation",
      { status: "Suspended", operation_name: "COSDeleteObject" },
      [{ kind: "confirm", total: 120_000, until: null, isDeletion: true }],
    ],
    [
      "a dry run of a deletion, which deletes nothing",
      { status: "Suspended", operation_name: "COSDeleteObject", dry_run: true },
      [{ kind: "confirm", total: 120_000, until: null, isDeletion: false }, { kind: "dry-run" }],
    ],
    ["a job before its window", { status: "Ready", waiting_until: UNTIL }, [{ kind: "window", until: UNTIL }]],
    [
      "a job of which no window opens within a week",
      { status: "Paused", paused_by: "window" },
      [{ kind: "window", until: null }],
    ],
    ["a job in the queue", { status: "Ready" }, []],
    [
      "a job behind a greater one",
      { status: "Ready", waits_for_job: "j2" },
      [{ kind: "greater-job", jobId: "j2", isPaused: false }],
    ],
    [
      "a job that was pre-empted, also outside its window",
      { status: "Paused", paused_by: "priority", waits_for_job: "j2", waiting_until: UNTIL },
      [{ kind: "greater-job", jobId: "j2", isPaused: true }],
    ],
    [
      "a job that a user paused",
      { status: "Paused", paused_by: "user", status_update_reason: "lunch" },
      [{ kind: "paused", reason: "lunch" }],
    ],
    [
      "a cancelled job",
      { status: "Cancelled", is_final: true, status_update_reason: "wrong bucket" },
      [{ kind: "cancelled", reason: "wrong bucket" }],
    ],
    [
      "a bucket that does not answer",
      { hold: { bucket: "b", reason: "no route", since: UNTIL }, expires_at: UNTIL },
      [{ kind: "hold", bucket: "b", reason: "no route", since: UNTIL, until: UNTIL }],
    ],
    [
      "a cancelled job whose report is not delivered",
      { ...UNDELIVERED, status: "Cancelled", is_final: true, status_update_reason: "wrong bucket" },
      [
        { kind: "undelivered", found: FOUND, isFinal: true },
        { kind: "cancelled", reason: "wrong bucket" },
      ],
    ],
    [
      "a complete job whose report is asked for once more",
      { ...UNDELIVERED, status: "Complete", is_final: true },
      [{ kind: "undelivered", found: FOUND, isFinal: true }],
    ],
    [
      "a job that fails by its report in the end",
      { ...UNDELIVERED, status: "Completing", expires_at: UNTIL },
      [{ kind: "undelivered", found: FOUND, isFinal: false }],
    ],
    ["a job that has ended and waits for nothing", { ...UNDELIVERED, report: LATE, is_final: true }, []],
    [
      "options that the store ignored",
      { ignored_options: { "storage-class": 1 } },
      [{ kind: "ignored", options: [{ name: "storage-class", count: 1 }] }],
    ],
  ])("%s", (_, changes, banners) => {
    expect(bannersOf(jobFrom(changes))).toEqual(banners);
  });

  const failing = (share: number, changes: Partial<Job> = {}) =>
    jobFrom({ progress_summary: { ...jobFrom().progress_summary, failure_rate: share }, ...changes });

  it.each<[number, number | "never" | undefined, boolean]>([
    [0.51, undefined, true],
    [0.5, undefined, false],
    [0.3, 0.2, true],
    [1, "never", false],
  ])("says of %d failed with a limit of %s whether it is too much", (share, limit, isOver) => {
    const request = { ...jobFrom().request, ...(limit === undefined ? {} : { failure_threshold: limit }) };
    expect(bannersOf(failing(share, { request })).some(({ kind }) => kind === "over-threshold")).toBe(isOver);
  });

  it("says once that it failed by its threshold", () => {
    const failure_reasons: Job["failure_reasons"] = [
      { failure_code: "FailureThresholdExceeded", failure_reason: "too many" },
    ];
    expect(bannersOf(failing(0.9, { status: "Failed", is_final: true, failure_reasons }))).toEqual([
      { kind: "failed", code: "FailureThresholdExceeded", reason: "too many" },
    ]);
  });
});
