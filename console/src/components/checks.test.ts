import { expect, it } from "vitest";

import en from "../i18n/en.json";
import { checkKeyOf, numberedChecks } from "./checks";

const check = (name: string, outcome: "passed" | "failed" | "unknown") => ({
  name,
  outcome,
  detail: "",
  missing_permission: "",
  way_out: "",
});

it("shows first what keeps a job from starting, each in the order in which it was asked", () => {
  const found = numberedChecks([
    check("manifest", "passed"),
    check("role", "unknown"),
    check("options", "failed"),
    check("options", "failed"),
    check("deletes", "passed"),
  ]);
  expect(found.map(({ number }) => number)).toEqual([2, 3, 1, 0, 4]);
});

it.each([
  ["manifest", "check.name.manifest", ""],
  ["option_metadata_replace", "check.name.option", "metadata-replace"],
  ["options", "check.name.options", ""],
])("finds the text of %s", (name, key, option) => {
  expect(checkKeyOf(name)).toEqual({ key, option });
  expect(en).toHaveProperty([key]);
});
