import { describe, expect, it } from "vitest";

import { speak } from "../i18n";
import en from "../i18n/en.json";
import { doerOf, type JobEvent, spokenReasonOf, staysOf } from "./timeline";

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
});

it.each([
  ["alice via rest", { who: "alice", way: "rest" }],
  ["a via b via cos", { who: "a via b", way: "cos" }],
  ["alice", { who: "alice", way: "" }],
  ["", null],
])("knows who %j is", (by, doer) => {
  expect(doerOf(by)).toEqual(doer);
});

describe("reasons", () => {
  const { t } = speak("en", en);
  it.each([
    ["asked for", "Asked for"],
    ["awaiting confirmation: 40 objects or versions are to be deleted", "40 objects or versions"],
    ["pre-empted by job 01a2-b, which has priority 50", "Pre-empted by job 01a2-b, which has priority 50"],
    ["outside its windows until 2026-11-26T14:00:00Z", "until 2026-11-26T14:00:00Z"],
    ["1000 of 1000 tasks failed; the job's threshold is 20%", "1000 of 1000 objects failed; the job allows 20%"],
    ["delivered: s3://reports/job-1/manifest.json", "Delivered: s3://reports/job-1/manifest.json"],
    ["failed: the bucket says\nno", "Not delivered: the bucket says\nno"],
  ])("of the service are spoken: %s", (reason, said) => {
    const spoken = spokenReasonOf(reason);
    expect(spoken && t(spoken.key, spoken.values)).toContain(said);
  });

  it.each(["wrong bucket", "asked for it", "10 -> 20"])("of somebody else are shown as they are: %s", (reason) => {
    expect(spokenReasonOf(reason)).toBeNull();
  });
});
