import { describe, expect, it } from "vitest";

import { queryOf, searchOf } from "./auditQuery";

describe("the filter of the audit log", () => {
  it("stands in the address and comes back from it", () => {
    const query = queryOf(new URLSearchParams("actor=alice&outcome=refused&since=2026-03-04&target=role/x"));
    expect(query).toEqual({ actor: "alice", outcome: "refused", since: "2026-03-04T00:00:00.000Z", target: "role/x" });
    expect(queryOf(searchOf(query))).toEqual(query);
  });

  it.each(["outcome=perhaps", "since=yesterday", "colour=red", "actor="])(
    "leaves out what it does not know: %s",
    (text) => {
      expect(queryOf(new URLSearchParams(text))).toEqual({});
    },
  );
});
