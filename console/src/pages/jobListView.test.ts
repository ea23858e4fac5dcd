import { describe, expect, it } from "vitest";

import type { ListedJob } from "../api/types";
import {
  addressOf,
  ALL_JOBS,
  endedSince,
  isAlive,
  isFiltered,
  type JobListView,
  noteOf,
  queryOf,
  rangeOf,
  viewOf,
  withoutFilters,
} from "./jobListView";

const FULL: JobListView = {
  statuses: ["Active", "Failed"],
  group: null,
  q: "logs 日志",
  operation: "COSPutObjectCopy",
  region: "ap-guangzhou",
  creator: "lin",
  from: "2026-11-01",
  to: "2026-11-30",
  sort: "failed",
  isDescending: false,
  cursor: "abc",
};
const UTC = { limit: 20, regionOfAll: "", timeZone: "utc" } as const;

function job(more: Partial<ListedJob> = {}): ListedJob {
  return {
    job_id: "019ac01f-7b00-7000-8000-0123456789ab",
    region: "ap-guangzhou",
    operation_name: "COSPutObjectCopy",
    description: "logs",
    creator: "lin",
    dry_run: false,
    status: "Active",
    status_update_reason: "",
    is_final: false,
    actions: [],
    priority: 10,
    creation_time: "2026-11-26T08:00:00.000Z",
    changed_time: "2026-11-26T08:00:00.000Z",
    started_time: null,
    termination_date: null,
    suspended_cause: "",
    paused_by: null,
    waiting_until: null,
    waits_for_job: null,
    expires_at: null,
    removed_after: null,
    progress: null,
    progress_summary: {
      total_number_of_tasks: 10,
      number_of_tasks_succeeded: 0,
      number_of_tasks_failed: 0,
      number_of_tasks_skipped: 0,
      number_of_tasks_remaining: 10,
      number_of_tasks_retryable: 0,
      planned_rows: 10,
      planned_chunks: 1,
      closed_chunks: 0,
      bytes_done: 0,
      requests: 0,
      failure_rate: null,
    },
    is_over_failure_threshold: false,
    results_per_second: null,
    eta_seconds: null,
    failure_reasons: [],
    hold: null,
    report: { state: "none", location: "", tried_until: null },
    manifest_bucket: "m",
    manifest_key: "k",
    target_bucket: null,
    ...more,
  };
}

describe("the address of a list", () => {
  it("says everything that is not as always, and is read back", () => {
    expect(viewOf(addressOf(FULL))).toEqual(FULL);
    const grouped: JobListView = { ...ALL_JOBS, group: "needs_attention" };
    expect(addressOf(grouped).toString()).toBe("group=needs_attention");
    expect(viewOf(addressOf(grouped))).toEqual(grouped);
    expect(addressOf(ALL_JOBS).toString()).toBe("");
    expect(viewOf(new URLSearchParams())).toEqual(ALL_JOBS);
  });

  it("is not believed where its words mean nothing", () => {
    const search = new URLSearchParams("status=Active,Dead&status=New&group=mine&op=Move&sort=name");
    expect(viewOf(search)).toEqual({ ...ALL_JOBS, statuses: ["New", "Active"] });
  });

  it("tells filters from order and page", () => {
    expect(isFiltered(ALL_JOBS)).toBe(false);
    expect(isFiltered({ ...ALL_JOBS, sort: "failed", cursor: "x" })).toBe(false);
    for (const filter of [{ q: "a" }, { group: "paused" }, { from: "2026-01-01" }, { statuses: ["New"] }] as const) {
      expect(isFiltered({ ...ALL_JOBS, ...filter })).toBe(true);
    }
    expect(isFiltered({ ...ALL_JOBS, from: "2026-02-30", to: "now" })).toBe(false);
    expect(withoutFilters(FULL)).toEqual({ ...ALL_JOBS, sort: "failed", isDescending: false });
  });
});

describe("what the API is asked", () => {
  it("is the whole view", () => {
    expect(queryOf(FULL, UTC)).toEqual({
      status: ["Active", "Failed"],
      q: "logs 日志",
      operation: "COSPutObjectCopy",
      region: "ap-guangzhou",
      creator: "lin",
      created_from: "2026-11-01T00:00:00.000Z",
      created_to: "2026-12-01T00:00:00.000Z",
      sort: "failed",
      direction: "asc",
      limit: 20,
      cursor: "abc",
    });
  });

  it("is no more than order and length where there is no filter", () => {
    expect(queryOf(ALL_JOBS, UTC)).toEqual({ sort: "created", direction: "desc", limit: 20 });
  });

  it("keeps to the region of the whole console, but for one that is asked for", () => {
    expect(queryOf(ALL_JOBS, { ...UTC, regionOfAll: "local" }).region).toBe("local");
    expect(queryOf(FULL, { ...UTC, regionOfAll: "local" }).region).toBe("ap-guangzhou");
  });

  it("means days of the chosen time zone", () => {
    const local = queryOf({ ...ALL_JOBS, from: "2026-11-01" }, { ...UTC, timeZone: "local" });
    expect(local.created_from).toBe(new Date(2026, 10, 1).toISOString());
  });

  it("has no bound where there is no day", () => {
    expect(queryOf({ ...ALL_JOBS, from: "2026-02-30", to: "now" }, UTC)).toEqual(queryOf(ALL_JOBS, UTC));
  });
});

describe("a job in the list", () => {
  it.each([
    ["runs", {}, true],
    ["waits for a person to confirm it", { status: "Suspended" }, false],
    ["was paused by a person", { status: "Paused", paused_by: "user" }, false],
    ["gives way to another one", { status: "Paused", paused_by: "priority" }, true],
    ["has ended", { status: "Complete", is_final: true }, false],
    [
      "has ended without its report",
      { status: "Complete", is_final: true, report: { state: "pending", location: "", tried_until: null } },
      true,
    ],
  ] satisfies [string, Partial<ListedJob>, boolean][])(
    "is asked about often or not when it %s",
    (_name, more, alive) => {
      expect(isAlive(job(more))).toBe(alive);
    },
  );

  it.each([
    ["nothing", {}, null],
    [
      "the bucket that does not answer",
      { hold: { bucket: "b", reason: "", since: "" } },
      { kind: "hold", bucket: "b" },
    ],
    [
      "the report that is not delivered, of a job that has ended",
      {
        status: "Cancelled",
        is_final: true,
        hold: { bucket: "b", reason: "", since: "" },
        report: { state: "pending", location: "", tried_until: "t" },
      },
      { kind: "undelivered" },
    ],
    ["the job it gives way to", { status: "Paused", waits_for_job: "j" }, { kind: "waits-for", jobId: "j" }],
    ["its window", { status: "Ready", waiting_until: "t" }, { kind: "window", until: "t" }],
    ["a person", { status: "Paused", paused_by: "user" }, { kind: "by-user" }],
    ["its failures", { is_over_failure_threshold: true }, { kind: "failures" }],
    [
      "nothing where it has failed by them",
      { is_over_failure_threshold: true, status: "Failed", is_final: true },
      null,
    ],
  ] satisfies [string, Partial<ListedJob>, unknown][])("names %s", (_name, more, note) => {
    expect(noteOf(job(more))).toEqual(note);
  });

  it("is told of when it ends", () => {
    const ended = job({ status: "Complete", is_final: true });
    expect(endedSince([job()], [ended])).toEqual([ended]);
    expect(endedSince([ended], [ended])).toEqual([]);
    expect(endedSince([], [ended])).toEqual([]);
  });
});

describe("a page of the list", () => {
  it("says which jobs of all it shows", () => {
    expect(rangeOf(0, 20, 20)).toEqual({ first: 1, last: 20 });
    expect(rangeOf(2, 20, 3)).toEqual({ first: 41, last: 43 });
    expect(rangeOf(0, 20, 0)).toBeNull();
  });
});
