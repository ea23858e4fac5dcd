import { describe, expect, it } from "vitest";

import { crumbsOf, folderOf, looksLikeManifest, nameIn } from "./objectNames";

describe("names in a bucket", () => {
  it("lead down to a folder", () => {
    expect(crumbsOf("b", "")).toEqual([{ name: "b", prefix: "" }]);
    expect(crumbsOf("b", "a/2/")).toEqual([
      { name: "b", prefix: "" },
      { name: "a", prefix: "a/" },
      { name: "2", prefix: "a/2/" },
    ]);
  });

  it("keep steps without a name apart", () => {
    expect(crumbsOf("b", "a//").at(-1)).toEqual({ name: "/", prefix: "a//" });
  });

  it.each([
    ["list.csv", ""],
    ["a/list.csv", "a/"],
    ["a/", "a/"],
    ["", ""],
  ])("tell the folder of %j", (key, folder) => {
    expect(folderOf(key)).toBe(folder);
  });

  it("are short inside of their folder, and never empty", () => {
    expect(nameIn("a/", "a/list.csv")).toBe("list.csv");
    expect(nameIn("a/", "a/b/")).toBe("b/");
    expect(nameIn("a/", "a/")).toBe("a/");
  });

  it.each([
    ["inv/manifest.json", true],
    ["a/List.CSV", true],
    ["a/list.csv.gz", true],
    ["a/list.gz", false],
    ["csv", false],
  ])("tell whether %j may be a manifest", (key, may) => {
    expect(looksLikeManifest(key)).toBe(may);
  });
});
