import { expect, it } from "vitest";

import { jobOf, namedAction } from "./auditActions";

const JOB = "01a21b3c-0000-7000-8000-00000000000a";

it.each([
  ["update-job-status", "update-job-status"],
  ["list-jobs", undefined],
  ["", undefined],
])("an action that is known has a name: %s", (code, named) => {
  expect(namedAction(code)).toBe(named);
});

it.each([
  ["update-job-status", JOB, JOB],
  ["delete-job", JOB, undefined],
  ["revoke-token", JOB, undefined],
  ["pause-job", "no-job", undefined],
  ["create-job", "", undefined],
])("the target is a job that has a page: %s of %s", (action, target, job) => {
  expect(jobOf({ action, target, account: "first" }, "first")).toBe(job);
  expect(jobOf({ action, target, account: "second" }, "first")).toBeUndefined();
});
