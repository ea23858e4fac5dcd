import { describe, expect, it } from "vitest";

import { isEmulated, isRefused, type Offer, offerOf, type Option, refusedBy } from "./offers";

function offer(name: string, options: Offer["options"]): Offer {
  return {
    name,
    provider: "s3",
    storage_classes: [],
    canned_acls: ["private"],
    options: { grants: "applied", "storage-class": "applied", "object-acl": "applied", ...options },
  };
}

describe("what a store offers", () => {
  it.each<[Offer["options"], Option, boolean, boolean]>([
    [{}, "grants", false, false],
    [{ grants: "emulated" }, "grants", false, true],
    [{ grants: "refused" }, "grants", true, false],
    [{ "storage-class": "emulated" }, "storage-class", true, false],
  ])("of %j: %s", (options, option, refused, emulated) => {
    expect(isRefused(offer("a", options), option)).toBe(refused);
    expect(isEmulated(offer("a", options), option)).toBe(emulated);
  });

  it("says nothing of a region that nobody knows", () => {
    expect(offerOf({ regions: [offer("a", {})] }, "b")).toBeUndefined();
    expect(isRefused(undefined, "grants")).toBe(false);
    expect(isEmulated(undefined, "grants")).toBe(false);
  });

  it("names the store that refuses", () => {
    const [source, target] = [offer("a", {}), offer("b", { "object-acl": "refused" })];
    expect(refusedBy("object-acl", source, target)?.name).toBe("b");
    expect(refusedBy("grants", source, target)).toBeUndefined();
  });
});
