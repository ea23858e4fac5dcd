import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { isEmulated } from "../CreateJob/offers";
import {
  defaultProfile,
  offeredOptions,
  OPTIONS,
  overridden,
  overridesIn,
  type Profile,
  profileOf,
  supportsOf,
} from "./overrides";

const DOCUMENT = join(import.meta.dirname, "../../../../docs/reference/openapi.json");
const { components } = JSON.parse(readFileSync(DOCUMENT, "utf-8")) as {
  components: { schemas: { Option: { enum: string[] } } };
};
const CEPH: Profile = {
  name: "ceph",
  storage_classes: [],
  options: { restore: "refused", grants: "emulated" },
};
const OFFER = {
  name: "archive",
  provider: "s3" as const,
  storage_classes: [],
  canned_acls: [],
  options: { restore: "applied", grants: "emulated" } as const,
};

describe("what a region says otherwise than its profile", () => {
  it("can be said of everything that a job can ask of a store", () => {
    expect([...OPTIONS].sort()).toEqual([...components.schemas.Option.enum].sort());
  });

  it("can be that it is emulated only where something can be put in the store's place", () => {
    expect(supportsOf("grants", undefined)).toEqual(["applied", "emulated", "refused"]);
    expect(supportsOf("part-copy", undefined)).toEqual(["applied", "refused"]);
    expect(supportsOf("part-copy", "emulated")).toContain("emulated");
  });

  it.each(OPTIONS)("offers to emulate %s where the create page takes it as emulated", (option) => {
    const isTaken = isEmulated({ ...OFFER, options: { [option]: "emulated" } }, option);
    expect(supportsOf(option, undefined).includes("emulated")).toBe(isTaken);
  });

  it("is read as far as it is known", () => {
    expect(overridesIn({ restore: "refused", grants: "sometimes", flight: "applied" })).toEqual({ restore: "refused" });
  });

  it("is changed and taken back option by option", () => {
    const said = overridden({ restore: "refused" }, "grants", "applied");
    expect(said).toEqual({ restore: "refused", grants: "applied" });
    expect(overridden(said, "restore", "applied")).toEqual({ grants: "applied", restore: "applied" });
    expect(overridden(said, "restore", undefined)).toEqual({ grants: "applied" });
  });

  it("is told apart from what the profile says", () => {
    expect(offeredOptions(OFFER, CEPH, { restore: "applied" })).toEqual([
      { option: "grants", support: "emulated", isOwn: false },
      { option: "restore", support: "applied", isOwn: true },
    ]);
  });

  it("is seen also by who is not told of it, for it is not what the profile says", () => {
    const seen = offeredOptions(OFFER, CEPH, undefined);
    expect(seen.filter(({ isOwn }) => isOwn).map(({ option }) => option)).toEqual(["restore"]);
    expect(offeredOptions(OFFER, undefined, undefined).some(({ isOwn }) => isOwn)).toBe(false);
  });
});

it("a region that names no profile has that of its protocol", () => {
  expect(profileOf([CEPH], "ceph")).toBe(CEPH);
  expect(profileOf([CEPH], "generic")).toBeUndefined();
  expect([defaultProfile("cos"), defaultProfile("s3")]).toEqual(["cos", "generic"]);
});
