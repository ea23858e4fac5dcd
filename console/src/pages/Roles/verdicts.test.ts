import { describe, expect, it } from "vitest";

import type { JobForm, Schemas } from "../../api/types";
import { missingOf, outcomeOf, summaryOf, type Tried, withRole } from "./verdicts";

function tried(...verdicts: Schemas["Verdict"][]): Tried[] {
  const purposes = ["manifest read", "source read", "target write", "report write"] as const;
  return purposes.flatMap((purpose, at) => {
    const verdict = verdicts[at];
    return verdict ? [{ purpose, verdict, detail: "HEAD logs/a" }] : [];
  });
}

describe("what a test of a role has found", () => {
  it.each([
    [["may", "may", "may", "may"], "passed", "roles.test.granted", 4],
    [["may", "not tested"], "passed", "roles.test.granted", 1],
    [["may", "may not", "may", "may not"], "failed", "roles.test.refused", 2],
    [["not tested", "not tested"], "unknown", null, 0],
    [[], "unknown", null, 0],
  ] as const)("%j: %s", (verdicts, outcome, text, count) => {
    const accesses = tried(...verdicts);
    expect(outcomeOf(accesses)).toBe(outcome);
    expect(summaryOf(accesses)?.text ?? null).toBe(text);
    expect(summaryOf(accesses)?.purposes.length ?? 0).toBe(count);
  });

  it("names what was refused", () => {
    expect(summaryOf(tried("may", "may not"))?.purposes).toEqual(["roles.purpose.source"]);
  });
});

it("tells each missing permission once", () => {
  const check = (missing_permission: string): Schemas["CheckView"] => ({
    name: "destination_writable",
    outcome: missing_permission ? "failed" : "passed",
    detail: "",
    missing_permission,
    way_out: "",
  });
  const write = "s3:PutObject on arn:aws:s3:::archive/*";
  expect(missingOf([check(""), check(write), check(write)])).toEqual([write]);
});

it("checks a job as another one under the role", () => {
  const job = { region: "r", role_arn: "old", client_request_token: "t", priority: 3 } as JobForm;
  expect(withRole(job, "new")).toEqual({ region: "r", role_arn: "new", client_request_token: "", priority: 3 });
});
