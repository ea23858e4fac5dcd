import { describe, expect, it } from "vitest";

import { classesOf } from "./classes";
import type { Offer } from "./offers";

const offer = (provider: Offer["provider"], storage_classes: string[]): Offer => ({
  name: "a",
  provider,
  storage_classes,
  canned_acls: [],
  options: {} as Offer["options"],
});

describe("the classes of a region", () => {
  it("are those that its store lists, and no other ones", () => {
    const cos = offer("cos", ["DEEP_ARCHIVE", "ARCHIVE", "COLD", "STANDARD", "STANDARD_IA"]);
    expect(classesOf(cos)).toEqual({
      names: ["STANDARD", "STANDARD_IA", "ARCHIVE", "DEEP_ARCHIVE", "COLD"],
      isOpen: false,
    });
  });

  it("are proposed where any is taken", () => {
    expect(classesOf(offer("s3", []))).toMatchObject({ isOpen: true });
    expect(classesOf(offer("cos", [])).names).toContain("ARCHIVE");
    expect(classesOf(undefined).names[0]).toBe("STANDARD");
  });
});
