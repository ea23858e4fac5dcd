import { describe, expect, it } from "vitest";

import { overlaps } from "./overlaps";

describe("a job that might read what it writes", () => {
  it.each([
    [["raw/a"], "raw/", "raw/old/", false],
    [["raw/old/a"], "raw/", "raw/old/", true],
    [["raw/raw/a"], "raw/", "", true],
    [["raw/a"], "raw/", "", false],
    [["raw/a", "new/a"], "raw/", "new/", false],
    [["raw/a"], "raw/", "raw/", false],
  ])("%j with %j -> %j: %s", (keys, resources_prefix, target_key_prefix, isSo) => {
    expect(overlaps(keys, { prefix_replace: true, resources_prefix, target_key_prefix })).toBe(isSo);
    expect(overlaps(keys, { prefix_replace: false, resources_prefix, target_key_prefix })).toBe(false);
  });
});
