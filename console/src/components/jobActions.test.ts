import { describe, expect, it } from "vitest";

import type { JobAction, JobStatus, OperationId, Progress } from "../api/types";
import {
  type ActionJob,
  byteLength,
  countToConfirm,
  type Means,
  offersFor,
  primaryOf,
  priorityIn,
  queueLength,
  wordToCancel,
} from "./jobActions";
import { sharesOf } from "./jobProgressShares";

const ALL: Means = { may: () => true, canPause: true };

function progress(total: number | null, succeeded = 0, failed = 0): Progress {
  return {
    total_number_of_tasks: total,
    number_of_tasks_succeeded: succeeded,
    number_of_tasks_failed: failed,
    number_of_tasks_skipped: 0,
    number_of_tasks_remaining: total === null ? null : total - succeeded - failed,
    number_of_tasks_retryable: failed,
    planned_rows: total ?? 0,
    planned_chunks: 1,
    closed_chunks: 0,
    bytes_done: 0,
    requests: 0,
    failure_rate: null,
  };
}

function job(status: JobStatus, actions: JobAction[], more: Partial<ActionJob> = {}): ActionJob {
  return {
    job_id: "019ac01f-7b00-7000-8000-0123456789ab",
    region: "ap-guangzhou",
    description: "logs",
    operation_name: "COSPutObjectCopy",
    dry_run: false,
    status,
    is_final: ["Complete", "Cancelled", "Failed"].includes(status),
    actions,
    priority: 10,
    progress_summary: progress(1_000),
    ...more,
  };
}

/** What the service says of a job in each status (service/possible_calls.py). */
const BY_STATE: [JobStatus, JobAction[], JobAction | null, JobAction[]][] = [
  ["Suspended", ["clone", "confirm", "cancel", "change_priority"], "confirm", ["change_priority", "cancel", "clone"]],
  ["New", ["clone", "cancel", "change_priority"], null, ["change_priority", "cancel", "clone"]],
  ["Preparing", ["clone", "cancel", "change_priority"], null, ["change_priority", "cancel", "clone"]],
  ["Ready", ["clone", "cancel", "change_priority"], null, ["change_priority", "cancel", "clone"]],
  ["Active", ["clone", "pause", "cancel", "change_priority"], null, ["pause", "change_priority", "cancel", "clone"]],
  ["Paused", ["clone", "resume", "cancel", "change_priority"], "resume", ["change_priority", "cancel", "clone"]],
  ["Paused", ["clone", "cancel", "change_priority"], null, ["change_priority", "cancel", "clone"]],
  ["Pausing", ["clone", "cancel", "change_priority"], null, ["cancel", "clone"]],
  ["Completing", ["clone", "change_priority"], null, ["clone"]],
  ["Cancelling", ["clone", "change_priority"], null, ["clone"]],
  ["Failing", ["clone", "change_priority"], null, ["clone"]],
  ["Complete", ["clone", "redeliver", "delete"], null, ["clone", "redeliver", "delete"]],
  ["Complete", ["retry", "clone", "redeliver", "delete"], "retry", ["clone", "redeliver", "delete"]],
  ["Failed", ["retry", "clone", "delete"], "clone", ["retry", "delete"]],
  ["Cancelled", ["clone", "delete"], "clone", ["delete"]],
];

describe("what is offered of one job", () => {
  it.each(BY_STATE)("in %s with %j is first %s, then %j", (status, actions, primary, others) => {
    const shown = job(status, actions);
    expect(primaryOf(shown, ALL)).toBe(primary);
    const possible = offersFor([shown], ALL).filter(({ whyNot }) => whyNot === null);
    expect(possible.map(({ action }) => action).filter((action) => action !== primary)).toEqual(others);
  });

  it("names what is not possible now, and why", () => {
    const offers = offersFor([job("New", ["clone", "cancel", "change_priority"])], ALL);
    expect(offers).toHaveLength(9);
    expect(offers.find(({ action }) => action === "confirm")?.whyNot).toBe("not-now");
  });

  it.each([
    [{}, 0, "nothing-to-retry"],
    [{}, 2, "not-now"],
    [{ dry_run: true }, 0, "not-now"],
    [{ is_final: false }, 0, "not-now"],
  ])("says why what failed cannot be tried again: %j with %i that could", (more, retryable, whyNot) => {
    const summary = { ...progress(10, 7, 3), number_of_tasks_retryable: retryable };
    const shown = job("Complete", ["clone", "delete"], { progress_summary: summary, ...more });
    expect(offersFor([shown], ALL).find(({ action }) => action === "retry")?.whyNot).toBe(whyNot);
  });

  it("leaves out what the caller may not do, and pauses where the service has none", () => {
    const may = (call: OperationId) => call !== "update_job_priority" && call !== "clone_job";
    const shown = job("Active", ["clone", "pause", "cancel", "change_priority"]);
    expect(offersFor([shown], { may, canPause: false }).map(({ action }) => action)).toEqual([
      "confirm",
      "cancel",
      "retry",
      "redeliver",
      "delete",
    ]);
    expect(offersFor([shown], { may: () => false, canPause: true })).toEqual([]);
    expect(primaryOf(job("Failed", ["clone"]), { may, canPause: true })).toBeNull();
  });
});

describe("what is offered of a selection", () => {
  const active = job("Active", ["clone", "pause", "cancel", "change_priority"]);
  const paused = job("Paused", ["clone", "resume", "cancel", "change_priority"]);
  const offers = offersFor([active, paused], ALL);
  const offer = (action: JobAction) => offers.find((each) => each.action === action);

  it("is asked of those of which it is possible", () => {
    expect(offer("pause")).toEqual({ action: "pause", jobs: [active], whyNot: null });
    expect(offer("cancel")?.jobs).toEqual([active, paused]);
  });

  it("leads to the wizard with one job only", () => {
    expect(offer("clone")?.whyNot).toBe("one-only");
    expect(offersFor([active], ALL).find(({ action }) => action === "clone")?.whyNot).toBeNull();
  });

  it("says that it is possible of none", () => {
    expect(offer("delete")?.whyNot).toBe("none-of-them");
  });
});

describe("what is typed before a job is cancelled", () => {
  const small = job("Active", ["cancel"], { progress_summary: progress(1_000_000, 90_000, 10_000) });
  const great = job("Active", ["cancel"], { progress_summary: progress(1_000_000, 90_000, 10_001) });
  const deleting = job("New", ["cancel"], { operation_name: "COSDeleteObject" });
  const trying = job("New", ["cancel"], { operation_name: "COSDeleteObject", dry_run: true });

  it.each([
    ["nothing up to 100,000 done", [small], ""],
    ["its short id beyond them", [great], "019ac01f-7b00"],
    ["its short id where it deletes", [deleting], "019ac01f-7b00"],
    ["nothing where it only tries to", [trying], ""],
    ["the number of jobs where one of many needs it", [small, deleting, trying], "3"],
    ["nothing where none of many does", [small, trying], ""],
    ["nothing for no jobs", [], ""],
  ])("is %s", (_name, jobs, word) => {
    expect(wordToCancel(jobs)).toBe(word);
  });

  it("is the count of objects before deletions run", () => {
    expect(countToConfirm([small, trying])).toBe("");
    expect(countToConfirm([deleting, deleting, small])).toBe("2000");
  });
});

describe("texts that people type", () => {
  it.each([
    ["0", null],
    ["1", 1],
    ["10", 10],
    [" 7 ", 7],
    ["2147483647", 2_147_483_647],
    ["2147483648", null],
    ["-1", null],
    ["1.5", null],
    ["1e3", null],
    ["", null],
  ])("are a priority or not: %j", (text, priority) => {
    expect(priorityIn(text)).toBe(priority);
  });

  it("are as long as the service counts them", () => {
    expect(byteLength("ab")).toBe(2);
    expect(byteLength("日志")).toBe(6);
  });
});

describe("the queue", () => {
  const byStatus = { Ready: 2, Active: 1, Paused: 1, Suspended: 5, Complete: 9 };

  it("counts what waits or runs, without the jobs themselves", () => {
    expect(queueLength(byStatus, 10, [])).toBe(4);
    expect(queueLength(byStatus, 10, [job("Ready", [])])).toBe(3);
    expect(queueLength(byStatus, 11, [job("Ready", [])])).toBe(4);
    expect(queueLength(byStatus, 10, [job("Suspended", [])])).toBe(4);
    expect(queueLength({}, 10, [job("Ready", [])])).toBe(0);
  });
});

describe("progress", () => {
  it.each([
    ["unknown before the plan is complete", progress(null, 5), null],
    ["all of nothing", progress(0), { succeeded: 1, failed: 0, done: 1 }],
    ["of both", progress(1_000, 600, 100), { succeeded: 0.6, failed: 0.1, done: 0.7 }],
    ["never rounded up to all", progress(100_000, 99_999), { succeeded: 0.99999, failed: 0, done: 0.999 }],
    ["all", progress(3, 2, 1), { succeeded: 2 / 3, failed: 1 / 3, done: 1 }],
  ])("is %s", (_name, told, shares) => {
    expect(sharesOf(told)).toEqual(shares);
  });
});
