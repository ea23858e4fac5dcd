import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import en from "../../i18n/en.json";
import {
  faultsBeside,
  type FieldFault,
  fieldFaults,
  fieldOf,
  FIELDS,
  isReplaced,
  type StepName,
  stepOf,
} from "./model";

interface Shape {
  $ref?: string;
  anyOf?: Shape[];
  items?: Shape;
  properties?: Record<string, Shape>;
}
const DOCUMENT = join(import.meta.dirname, "../../../../docs/reference/openapi.json");
const { components } = JSON.parse(readFileSync(DOCUMENT, "utf-8")) as {
  components: { schemas: Record<string, Shape> };
};

/** Every path that a fault of a job document can have. */
function pathsOf(shape: Shape, path: string): string[] {
  if (shape.$ref) return pathsOf(components.schemas[shape.$ref.split("/").at(-1) ?? ""] ?? {}, path);
  const own = path ? [path] : [];
  const within = (shape.anyOf ?? []).flatMap((each) => pathsOf(each, path).filter((found) => found !== path));
  const members = shape.items ? pathsOf(shape.items, `${path}[0]`) : [];
  const fields = Object.entries(shape.properties ?? {}).flatMap(([name, field]) =>
    pathsOf(field, path ? `${path}.${name}` : name),
  );
  return [...own, ...within, ...members, ...fields];
}

/** The steps of what is at the top of a job document; client_request_token and dry_run are no fields. */
const STEP_OF: Record<string, StepName> = {
  region: "manifest",
  manifest: "manifest",
  operation: "operation",
  report: "other",
  priority: "other",
  description: "other",
  confirmation_required: "other",
  role_arn: "other",
  failure_threshold: "other",
  verify: "other",
  part_copy_above_bytes: "other",
  part_size_bytes: "other",
  windows: "other",
  confirm_delete_count: "review",
  client_request_token: "review",
  dry_run: "review",
};

const PATHS = pathsOf({ $ref: "#/components/schemas/JobForm" }, "");

describe("a path of a job document", () => {
  it("is one of many", () => {
    expect(PATHS.length).toBeGreaterThan(60);
    expect(PATHS).toContain("operation.cos_put_object_copy.access_control_grants[0].grantee.identifier");
  });

  it.each(PATHS)("is filled in on its step: %s", (path) => {
    expect(stepOf(path)).toBe(STEP_OF[path.split(/[.[]/)[0] ?? ""]);
  });

  it("has a field, but for what nobody types", () => {
    expect(PATHS.filter((path) => fieldOf(path) === null)).toEqual(["client_request_token", "dry_run"]);
  });

  it.each([
    ["operation.cos_put_object_copy.new_object_tagging[2].key", "operation.cos_put_object_copy.new_object_tagging"],
    ["manifest.location.object_arn", "manifest.location.key"],
    ["operation.cos_put_object_copy.canned_access_control_list", "operation.cos_put_object_copy.access"],
    ["windows[1]", "windows"],
    ["operation.cos_delete_object", "operation"],
    ["prioritys", null],
    ["", null],
  ])("%s is about %s", (path, field) => {
    expect(fieldOf(path)).toBe(field);
  });
});

it("each field has a label", () => {
  expect(FIELDS.filter((field) => !(`field.${field}` in en))).toEqual([]);
});

it("faults that no field is for are left", () => {
  const fault = { value: "", problem: "is missing", way_out: "add it" };
  expect(
    fieldFaults([
      { ...fault, path: "report.bucket" },
      { ...fault, path: "nothing" },
    ]),
  ).toEqual([{ field: "report.bucket", path: "report.bucket", said: { text: "is missing; add it" } }]);
});

it("a fault that is told elsewhere as well is told once, and another one of its field is kept", () => {
  const fault = (text: string): FieldFault => ({ field: "report.bucket", path: "report.bucket", said: { text } });
  const [known, own] = [fault("is missing; add it"), fault("is in another region; name that")];
  expect(faultsBeside([known, own], [{ ...known }])).toEqual([own]);
  expect(faultsBeside([known], [])).toEqual([known]);
});

it.each([
  ["report.bucket", "report.region"],
  ["operation.cos_put_object_copy.target_resource", "operation.cos_put_object_copy.target_region"],
  ["operation.cos_put_object_copy", "operation.cos_put_object_copy.target_region"],
  ["region", "region"],
])("a region in %s that is not known is a fault of %s", (path, field) => {
  const fault = { path, value: "mars", problem: "is not in the region table", way_out: "known are local, office" };
  const said = { text: "is not in the region table; known are local, office" };
  expect(fieldFaults([fault])).toEqual([{ field, path, said }]);
});

it("an inventory that was replaced is told in the user's language", () => {
  const path = "manifest.location.etag";
  const fault = { path, value: "1", way_out: "look at the manifest again and write its ETag, or leave it out" };
  const replaced = { ...fault, problem: "is not the manifest's ETag, which is 2: the manifest was replaced" };
  const tooLong = { ...fault, problem: "is longer than 1024 characters", way_out: "" };
  expect(fieldFaults([replaced])).toEqual([{ field: path, path, said: { key: "create.fault.etag" } }]);
  expect(isReplaced([replaced])).toBe(true);
  expect(fieldFaults([tooLong])).toEqual([{ field: path, path, said: { text: "is longer than 1024 characters" } }]);
  expect(isReplaced([tooLong, { ...replaced, path: "description" }])).toBe(false);
});
