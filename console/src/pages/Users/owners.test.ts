import { describe, expect, it } from "vitest";

import { ownerOf, queryOf, withOwner } from "./owners";

const SEARCH = new URLSearchParams("tab=keys&account=acme&user=lin");
const ALL = { accounts: true, users: true };

describe("whose keys are listed", () => {
  it("stands in the address", () => {
    expect(ownerOf(SEARCH, ALL)).toEqual({ account: "acme", user: "lin" });
    expect(ownerOf(new URLSearchParams("tab=keys"), ALL)).toEqual({ account: "", user: "" });
  });

  it.each([
    [
      { accounts: false, users: true },
      { account: "", user: "lin" },
    ],
    [
      { accounts: false, users: false },
      { account: "", user: "" },
    ],
  ])("is nobody else's to who sees no others: %j", (sees, owner) => {
    expect(ownerOf(SEARCH, sees)).toEqual(owner);
  });

  it.each([
    [{ user: "wang" }, "tab=keys&account=acme&user=wang"],
    [{ user: "" }, "tab=keys&account=acme"],
    [{ account: "other" }, "tab=keys&account=other"],
    [{ account: "" }, "tab=keys"],
  ])("is changed by %j, and the rest of the address stays", (change, address) => {
    expect(withOwner(SEARCH, change).toString()).toBe(address);
    expect(SEARCH.toString()).toBe("tab=keys&account=acme&user=lin");
  });

  it("is asked for as far as there is one", () => {
    expect(queryOf({ account: "", user: "" })).toEqual({});
    expect(queryOf({ account: "acme", user: "lin" })).toEqual({ account: "acme", user: "lin" });
  });
});
