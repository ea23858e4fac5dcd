import { describe, expect, it } from "vitest";

import { changeOf, tokensOf, unreadOf } from "./jobListTokens";
import { ALL_JOBS, type JobListView } from "./jobListView";

const VIEW: JobListView = {
  ...ALL_JOBS,
  statuses: ["Active", "Failed"],
  operation: "COSDeleteObject",
  creator: "lin",
  region: "local",
  from: "2026-11-01",
  to: "2026-11-30",
};

describe("the filter of properties", () => {
  it("shows a view, and makes the same one of what it shows", () => {
    const tokens = tokensOf(VIEW);
    expect(tokens.map(({ propertyKey }) => propertyKey)).toEqual([
      "status",
      "operation",
      "creator",
      "region",
      "from",
      "to",
    ]);
    expect({ ...ALL_JOBS, ...changeOf(tokens, ALL_JOBS) }).toEqual(VIEW);
    expect(tokensOf(ALL_JOBS)).toEqual([]);
    expect({ ...ALL_JOBS, ...changeOf([], ALL_JOBS) }).toEqual(ALL_JOBS);
  });

  it("keeps the last value of a property, and joins statuses", () => {
    const change = changeOf(
      [
        { propertyKey: "creator", operator: "=", value: "lin" },
        { propertyKey: "creator", operator: "=", value: " mei " },
        { propertyKey: "status", operator: "=", value: ["Failed"] },
        { propertyKey: "status", operator: "=", value: "New" },
      ],
      ALL_JOBS,
    );
    expect(change.creator).toBe("mei");
    expect(change.statuses).toEqual(["New", "Failed"]);
  });

  it("leaves the quick filter where exact statuses are asked for, and only there", () => {
    const grouped: JobListView = { ...ALL_JOBS, group: "failed" };
    expect(changeOf([{ propertyKey: "status", operator: "=", value: ["New"] }], grouped).group).toBeNull();
    expect(changeOf([{ propertyKey: "creator", operator: "=", value: "lin" }], grouped).group).toBe("failed");
  });

  it("takes no word for what it is not", () => {
    const change = changeOf(
      [
        { propertyKey: "status", operator: "=", value: ["Dead"] },
        { propertyKey: "operation", operator: "=", value: "Move" },
      ],
      ALL_JOBS,
    );
    expect(change).toMatchObject({ statuses: [], operation: null });
  });

  it("tells of a bound that is no day, and shows no token of it", () => {
    const change = changeOf([{ propertyKey: "from", operator: ">=", value: "2026-02-31" }], ALL_JOBS);
    const view = { ...ALL_JOBS, ...change };
    expect(unreadOf(view)).toEqual([{ property: "from", value: "2026-02-31" }]);
    expect(tokensOf(view)).toEqual([]);
    expect(unreadOf({ ...ALL_JOBS, from: "2026-02-28" })).toEqual([]);
  });
});
