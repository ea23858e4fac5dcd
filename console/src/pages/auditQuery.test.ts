import { describe, expect, it } from "vitest";

import { addressOf, queryOf, searchOf, tokensOf, unreadOf, viewOf, viewOfTokens } from "./auditQuery";

const ADDRESS = "account=acme&actor=alice&target=role%2Fx&outcome=refused&since=2026-03-04&until=2026-03-31";
const VIEW = viewOf(new URLSearchParams(ADDRESS));
const UTC = { timeZone: "utc", ofAccount: true } as const;

describe("the filter of the audit log", () => {
  it("stands in the address and comes back from it", () => {
    expect(VIEW).toMatchObject({ account: "acme", actor: "alice", action: "", since: "2026-03-04" });
    expect(addressOf(VIEW).toString()).toBe(ADDRESS);
    expect(viewOf(new URLSearchParams("colour=red&actor="))).toEqual(viewOf(new URLSearchParams()));
  });

  it("asks from the beginning of the first day to the end of the last one", () => {
    expect(queryOf(VIEW, UTC)).toEqual({
      account: "acme",
      actor: "alice",
      target: "role/x",
      outcome: "refused",
      since: "2026-03-04T00:00:00.000Z",
      until: "2026-04-01T00:00:00.000Z",
    });
    const here = queryOf(VIEW, { ...UTC, timeZone: "local" });
    expect(here.since).toBe(new Date(2026, 2, 4).toISOString());
    expect(here.until).toBe(new Date(2026, 3, 1).toISOString());
  });

  it("asks for no account who has one only", () => {
    expect(queryOf(VIEW, { ...UTC, ofAccount: false })).not.toHaveProperty("account");
  });

  it("is a part of an address of the API", () => {
    expect(searchOf(queryOf(viewOf(new URLSearchParams("actor=a b&since=2026-03-04")), UTC))).toBe(
      "actor=a+b&since=2026-03-04T00%3A00%3A00.000Z",
    );
  });

  it("is tokens, of which the last one of a property counts", () => {
    const tokens = tokensOf(VIEW);
    expect(tokens.map(({ propertyKey, operator }) => `${propertyKey} ${operator}`)).toEqual([
      "account =",
      "actor =",
      "target =",
      "outcome =",
      "since >=",
      "until <=",
    ]);
    expect(viewOfTokens(tokens)).toEqual(VIEW);
    const more = [...tokens, { propertyKey: "actor", operator: "=", value: " bob " }];
    expect(viewOfTokens(more)).toEqual({ ...VIEW, actor: "bob" });
    expect(viewOfTokens([{ propertyKey: "since", operator: ">=", value: null }])).toEqual(
      viewOf(new URLSearchParams()),
    );
  });

  it.each([
    ["outcome=perhaps", { property: "outcome", value: "perhaps", kind: "word" }],
    ["since=yesterday", { property: "since", value: "yesterday", kind: "day" }],
    ["until=2026-02-30", { property: "until", value: "2026-02-30", kind: "day" }],
  ])("leaves out nothing by what it cannot read, and says so: %s", (text, unread) => {
    const view = viewOf(new URLSearchParams(text));
    expect(queryOf(view, UTC)).toEqual({});
    expect(tokensOf(view)).toEqual([]);
    expect(unreadOf(view)).toEqual([unread]);
    expect(unreadOf(VIEW)).toEqual([]);
  });
});
