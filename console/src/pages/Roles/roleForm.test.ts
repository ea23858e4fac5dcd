import { describe, expect, it } from "vitest";

import type { JobForm } from "../../api/types";
import {
  bucketsOf,
  EMPTY,
  fieldOfFault,
  formOf,
  hasKey,
  isComplete,
  isOfKey,
  keyOf,
  returnOf,
  type RoleDraft,
} from "./roleForm";

const JOB = { region: "ap-guangzhou", priority: 10 } as JobForm;
const FILLED: RoleDraft = {
  provider: "aws-sts",
  role_arn: " arn:aws:iam::123456789012:role/batch ",
  description: "nightly archive",
  access_key_id: "AKIA",
  secret_access_key: "secret",
  session_token: "",
  external_id: "cosbatch-7",
  sts_endpoint: "http://127.0.0.1:8333",
  sts_region: "us-east-1",
  writable_buckets: "archive-1250000000\nreports-1250000000",
  isMade: true,
  source_bucket: "logs-1250000000",
  principal: "arn:aws:iam::123456789012:user/operator",
};
const REGISTERED = { make_for: null, source_bucket: "", principal: "" };
const WITHOUT_STS = { external_id: "", sts_endpoint: "", sts_region: "" };

describe("another key of a role", () => {
  it("is sent without the blanks that came with it, and without the rest of the role", () => {
    const typed = { ...FILLED, access_key_id: " AKIA2 ", secret_access_key: "another\n", session_token: " t " };
    expect(keyOf(typed)).toEqual({ access_key_id: "AKIA2", secret_access_key: "another", session_token: "t" });
  });

  it.each([
    [{}, true],
    [{ access_key_id: " " }, false],
    [{ secret_access_key: "" }, false],
  ])("with %j is complete: %s", (part, expected) => {
    expect(hasKey({ ...FILLED, ...part })).toBe(expected);
  });

  it.each([
    ["key", true],
    ["secret_access_key", true],
    ["role_arn", false],
    ["", false],
  ])("a fault of %s is its own: %s", (path, expected) => {
    expect(isOfKey(path)).toBe(expected);
  });
});

describe("the form of a role", () => {
  it("asks the provider of an STS to make it, where that is wanted", () => {
    expect(formOf(FILLED, JOB)).toEqual({
      role_arn: "arn:aws:iam::123456789012:role/batch",
      provider: "aws-sts",
      access_key_id: "AKIA",
      secret_access_key: "secret",
      session_token: "",
      external_id: "cosbatch-7",
      sts_endpoint: "http://127.0.0.1:8333",
      sts_region: "us-east-1",
      description: "nightly archive",
      writable_buckets: ["archive-1250000000", "reports-1250000000"],
      make_for: JOB,
      source_bucket: "logs-1250000000",
      principal: "arn:aws:iam::123456789012:user/operator",
    });
  });

  it.each([
    ["aws-sts", false, REGISTERED],
    ["tencent-sts", false, REGISTERED],
    ["tencent-sts", true, { make_for: JOB, sts_region: "us-east-1", external_id: "cosbatch-7" }],
    ["stored", false, { ...REGISTERED, ...WITHOUT_STS }],
    ["stored", true, { ...REGISTERED, ...WITHOUT_STS }],
  ] as const)("of %s, made there: %s", (provider, isMade, expected) => {
    expect(formOf({ ...FILLED, provider, isMade }, JOB)).toMatchObject({ provider, ...expected });
  });

  it.each([
    [{}, JOB, true],
    [{}, null, false],
    [{ isMade: false }, null, true],
    [{ provider: "stored" as const }, null, true],
    [{ role_arn: " " }, JOB, false],
    [{ access_key_id: "" }, JOB, false],
    [{ secret_access_key: "" }, JOB, false],
  ])("is complete or not: %j", (change, job, expected) => {
    expect(isComplete({ ...FILLED, ...change }, job)).toBe(expected);
  });

  it("is not complete while it is empty", () => {
    expect(isComplete(EMPTY, null)).toBe(false);
  });
});

it.each([
  ["", []],
  [" a,b\n c ；d、a ", ["a", "b", "c", "d"]],
])("buckets in %j", (text, buckets) => {
  expect(bucketsOf(text)).toEqual(buckets);
});

it.each([
  ["arn", "role_arn"],
  ["role_arn", "role_arn"],
  ["key", "access_key_id"],
  ["writable_buckets[3]", "writable_buckets"],
  ["sts_endpoint", "sts_endpoint"],
  ["provider", undefined],
  ["make_for.manifest", undefined],
])("a fault of %s stands at %s", (path, field) => {
  expect(fieldOfFault(path)).toBe(field);
});

it.each([
  ["/jobs/create", "/jobs/create"],
  ["/ui/jobs/create?from=1", "/jobs/create?from=1"],
  ["//example.com", null],
  ["/ui//example.com", null],
  ["/\\example.com", null],
  ["https://example.com", null],
  ["", null],
])("leads back to %j: %j", (text, expected) => {
  expect(returnOf(new URLSearchParams({ return: text }))).toBe(expected);
});
