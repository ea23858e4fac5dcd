import { describe, expect, it } from "vitest";

import { doerOf, type JobEvent, kindOf, staysOf } from "./timeline";

const event = (changes: Partial<JobEvent>): JobEvent => ({
  at: "2026-11-26T08:00:00.000Z",
  actor: "engine",
  by: "",
  kind: "moved",
  status: "New",
  reason: "",
  ...changes,
});

describe("the statuses of a job", () => {
  it("last until the next one; other events do not count", () => {
    const stays = staysOf([
      event({ kind: "created", actor: "user", by: "alice via rest", reason: "asked for" }),
      event({ at: "2026-11-26T08:00:02.500Z", status: "Preparing" }),
      event({ at: "2026-11-26T08:00:03.000Z", kind: "priority", status: "Preparing", reason: "10 -> 20" }),
      event({ at: "2026-11-26T08:01:02.500Z", status: "Ready" }),
    ]);
    expect(stays.map(({ status, seconds, by }) => [status, seconds, by])).toEqual([
      ["New", 2.5, "alice via rest"],
      ["Preparing", 60, ""],
      ["Ready", null, ""],
    ]);
  });

  it("tell a reason once, where two have the same of the same one", () => {
    const stays = staysOf([
      event({ status: "Active", reason: "its turn" }),
      event({ status: "Failing", reason: "the bucket is gone" }),
      event({ status: "Failed", reason: "the bucket is gone" }),
    ]);
    expect(stays.map(({ reason }) => reason)).toEqual(["its turn", "the bucket is gone", ""]);
    const asked = [event({ by: "lin via rest", reason: "enough" }), event({ by: "mei via rest", reason: "enough" })];
    expect(staysOf(asked).map(({ reason }) => reason)).toEqual(["enough", "enough"]);
  });
});

it.each([
  ["hold", "logs-1: connection refused", "hold"],
  ["hold-ended", "logs-1: connection refused", "hold-ended"],
  ["hold", "reports-1: the report is not delivered: connection refused", "hold.report"],
  ["hold-ended", "reports-1: the report is not delivered: a: b", "hold-ended.report"],
  ["moved", "reports-1: the report is not delivered: connection refused", "moved"],
  ["hold", "logs-1: it says: the report is not delivered: no", "hold"],
])("calls %s of %j %s", (kind, reason, called) => {
  expect(kindOf({ kind, reason })).toBe(called);
});

it.each([
  ["alice via rest", { who: "alice", way: "rest" }],
  ["a via b via cos", { who: "a via b", way: "cos" }],
  ["alice", { who: "alice", way: "" }],
  ["", null],
])("knows who %j is", (by, doer) => {
  expect(doerOf(by)).toEqual(doer);
});
