import { beforeEach, describe, expect, it } from "vitest";

import type { Job, JobForm, Schemas } from "../../api/types";
import { indented } from "./Equivalents";
import { withoutCount } from "./jobCheck";
import { forget, keep, mintToken, readKept } from "./kept";
import { lookForm } from "./look";
import { type Change, changed, type Draft, emptyDraft } from "./model";
import { failedOf, nameOf, originOf } from "./origin";
import { exampleOf } from "./preview";
import { changesOf } from "./send";
import { reduce, type WizardState } from "./state";

const OFFER = {
  regions: [{ name: "office", provider: "s3" as const, storage_classes: [], canned_acls: [], options: {} }],
};
const DRAFT: Draft = changed(emptyDraft(OFFER), {
  manifest: {
    location: { bucket: "lists", key: "a.csv", etag: "e1" },
    spec: { format: "COSBatchOperations_CSV_V1", fields: ["Bucket", "Key"] },
  },
});

describe("what a visit begins with", () => {
  it.each([
    ["", { kind: "new" }, "new"],
    ["?sample=1", { kind: "sample" }, "sample"],
    ["?from=j1", { kind: "clone", jobId: "j1" }, "clone j1"],
    ["?retry=j1", { kind: "retry", jobId: "j1", code: "" }, "retry j1"],
    ["?retry=j1&code=AccessDenied", { kind: "retry", jobId: "j1", code: "AccessDenied" }, "retry j1 AccessDenied"],
  ])("%s", (search, origin, name) => {
    expect(originOf(new URLSearchParams(search))).toEqual(origin);
    expect(nameOf(originOf(new URLSearchParams(search)))).toBe(name);
  });

  it("counts what is done again", () => {
    const job = {
      progress_summary: { number_of_tasks_failed: 9, number_of_tasks_retryable: 5 },
      failures_by_code: { AccessDenied: { count: 3, sample_keys: [] } },
    } as unknown as Job;
    expect([failedOf(job, ""), failedOf(job, "AccessDenied"), failedOf(job, "NoSuchKey")]).toEqual([5, 3, 0]);
  });
});

describe("what is kept in the tab", () => {
  beforeEach(() => {
    sessionStorage.clear();
  });

  it("is each user's own, and each beginning's", () => {
    keep("lin", "new", { draft: DRAFT, step: "other", token: "t", isSent: false });
    expect(readKept("lin", "new")).toMatchObject({ draft: DRAFT, step: "other", token: "t", isSent: false });
    expect(readKept("mei", "new")).toBeNull();
    expect(readKept("lin", "clone j1")).toBeNull();
    forget("lin", "new");
    expect(readKept("lin", "new")).toBeNull();
  });

  it("is nothing where an earlier console, or somebody else, has written", () => {
    keep("lin", "new", { draft: DRAFT, step: "other", token: "t", isSent: false });
    const [key = ""] = Object.keys(sessionStorage);
    for (const text of ["{", "null", "7", '{"version":0,"draft":{}}']) {
      sessionStorage.setItem(key, text);
      expect(readKept("lin", "new")).toBeNull();
    }
  });

  it("has a token that is no other visit's", () => {
    expect(mintToken()).toMatch(/^[0-9a-f]{32}$/);
    expect(mintToken()).not.toBe(mintToken());
  });
});

describe("the state of the wizard", () => {
  const fault = { field: "report.bucket", path: "report.bucket", said: { text: "is missing" } } as const;
  const state: WizardState = { draft: DRAFT, step: "other", judged: ["other"], told: [fault] };

  it("keeps what the service said of a field until it is changed", () => {
    const elsewhere = reduce(state, { type: "change", part: { report: { prefix: "p" } } });
    expect(elsewhere.told).toEqual([fault]);
    expect(reduce(state, { type: "change", part: { report: { bucket: "b" } } }).told).toEqual([]);
  });

  it("judges a step once", () => {
    expect(reduce(state, { type: "judge", steps: ["other", "review"] }).judged).toEqual(["other", "review"]);
  });

  it("forgets all of it when it begins anew", () => {
    expect(reduce(state, { type: "replace", draft: DRAFT, step: "manifest" })).toEqual({
      draft: DRAFT,
      step: "manifest",
      judged: [],
      told: [],
    });
  });
});

describe("what is asked of an inventory", () => {
  it.each<[string, Change, readonly string[]]>([
    ["a whole mapping", {}, ["Bucket", "Key"]],
    ["half a mapping is guessed", { manifest: { spec: { fields: ["Key"] } } }, []],
    ["an inventory has its own", { manifest: { spec: { format: "COSInventoryReport_CSV_V1" } } }, []],
  ])("%s", (_, part, fields) => {
    expect(lookForm(changed(DRAFT, part), OFFER)?.manifest.spec?.fields).toEqual(fields);
  });

  it("a chosen format only of a file that was read", () => {
    const chosen = changed(DRAFT, { manifest: { spec: { format_is_chosen: true } } });
    const unread = changed(chosen, { manifest: { location: { etag: "" } } });
    expect(lookForm(chosen, OFFER)?.manifest.spec?.format).toBe("COSBatchOperations_CSV_V1");
    expect(lookForm(unread, OFFER)?.manifest.spec?.format).toBeNull();
  });

  it.each<Change>([
    { region: "" },
    { manifest: { location: { bucket: "" } } },
    { manifest: { location: { key: " " } } },
  ])("nothing while it is not named: %j", (part) => {
    expect(lookForm(changed(DRAFT, part), OFFER)).toBeNull();
  });
});

describe("the example of the first key", () => {
  const row = (key: string) => ({ row: { key } });
  const look = {
    first_rows: [row("a/1"), row("photos/2"), { row: null }, row("photos/3")],
  } as unknown as Schemas["ManifestLookView"];
  const copying = (copy: Partial<Draft["operation"]["cos_put_object_copy"]>) =>
    changed(DRAFT, { operation: { chosen: "cos_put_object_copy", cos_put_object_copy: copy } });

  it.each([
    ["keeps keys", {}, { from: "a/1", to: "a/1" }, 0],
    [
      "replaces a prefix",
      { prefix_replace: true, resources_prefix: "photos/", target_key_prefix: "p/" },
      { from: "photos/2", to: "p/2" },
      1,
    ],
    ["takes a prefix away", { prefix_replace: true, resources_prefix: "photos/" }, { from: "photos/2", to: "2" }, 1],
    ["adds a prefix", { prefix_replace: true, target_key_prefix: "p/" }, { from: "a/1", to: "p/a/1" }, 0],
    ["has none", { prefix_replace: true, resources_prefix: "no/" }, null, 3],
  ])("%s", (_, copy, first, mismatches) => {
    expect(exampleOf(copying(copy), look)).toEqual({ first, rows: 3, mismatches });
  });
});

describe("what a job that is made of another one does otherwise", () => {
  const form: JobForm = {
    region: "office",
    manifest: { location: { object_arn: "arn:aws:s3:::lists/a" }, spec: { format: "COSBatchOperations_CSV_V1" } },
    operation: { cos_delete_object: {} },
    report: { enabled: true, bucket: "arn:aws:s3:::reports", report_scope: "AllTasks" },
    priority: 3,
  };

  it("is never its region, inventory or operation; what is empty is taken away", () => {
    expect(changesOf(form)).toEqual({
      description: null,
      priority: 3,
      role_arn: null,
      windows: [],
      report: { enabled: true, bucket: "arn:aws:s3:::reports", prefix: null, report_scope: "AllTasks" },
      confirm_delete_count: null,
      confirmation_required: undefined,
      failure_threshold: undefined,
      verify: undefined,
      part_copy_above_bytes: undefined,
      part_size_bytes: undefined,
      dry_run: false, // also of a dry run that is cloned
    });
  });

  it("may be a dry run, or without a report", () => {
    expect(changesOf({ ...form, dry_run: true, report: { enabled: false } })).toMatchObject({
      dry_run: true,
      report: { enabled: false },
    });
  });
});

it("a deletion whose number is not typed yet is not said to fail for that", () => {
  const check = (name: string, outcome: Schemas["CheckOutcome"], detail = "") => ({
    name,
    outcome,
    detail,
    missing_permission: "",
    way_out: "",
  });
  const checked = (checks: Schemas["CheckView"][]) => ({ outcome: "failed", checks }) as Schemas["JobCheckedView"];
  const count = check("deletes", "failed", "confirm_delete_count is missing: a deletion says how many");
  const off = check("deletes", "failed", "deletions are switched off in this service");
  expect(withoutCount(checked([check("manifest", "passed"), count]))).toMatchObject({ outcome: "passed" });
  expect(withoutCount(checked([check("manifest", "unknown"), count]))).toMatchObject({ outcome: "unknown" });
  expect(withoutCount(checked([off, count]))).toMatchObject({ outcome: "failed", checks: [off] });
});

it("XML is shown an element a line", () => {
  expect(indented("<A><B>x</B><C><D/></C></A>")).toBe("<A>\n  <B>x</B>\n  <C>\n    <D/>\n  </C>\n</A>");
  expect(indented("")).toBe("");
});
