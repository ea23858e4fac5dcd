import { describe, expect, it } from "vitest";

import { roleName } from "./roleNames";

describe("a role's name", () => {
  it.each([
    ["qcs::cam::uin/100000000001:roleName/demo-copy", "demo-copy"],
    ["qcs::cam::uin/100000000001:role/4611", "4611"],
    ["arn:aws:iam::123456789012:role/team/batch", "batch"],
    ["something else", "something else"],
  ])("of %s", (arn, name) => {
    expect(roleName(arn)).toBe(name);
  });
});
