import { describe, expect, it } from "vitest";

import type { JobForm, Schemas } from "../api/types";
import type { TextKey } from "../i18n";
import { resourceOf } from "./arns";
import { operationNameOf, type SectionId, summaryOf, type SummaryValue } from "./jobSummary";

function form(changes: Partial<JobForm> = {}): JobForm {
  return {
    region: "ap-guangzhou",
    manifest: {
      location: { object_arn: "qcs::cos:ap-guangzhou:uid/1250000000:lists-1250000000/a b/manifest.json" },
      spec: { format: "COSInventoryReport_CSV_V1" },
    },
    operation: { cos_put_object_copy: { target_resource: "arn:aws:s3:::archive" } },
    report: { enabled: false },
    ...changes,
  };
}

function values(asked: JobForm, id: SectionId): Partial<Record<TextKey, SummaryValue>> {
  const section = summaryOf(asked).find((each) => each.id === id);
  return Object.fromEntries(section?.pairs.map(({ label, value }) => [label, value]) ?? []);
}

const copyOf = (changes: Partial<Schemas["CopyForm"]>) =>
  values(
    form({ operation: { cos_put_object_copy: { target_resource: "arn:aws:s3:::archive", ...changes } } }),
    "operation",
  );

describe("resource names", () => {
  it.each([
    ["qcs::cos:ap-guangzhou::logs-1/2025/a.csv", { region: "ap-guangzhou", bucket: "logs-1", key: "2025/a.csv" }],
    ["qcs::cos:ap-guangzhou:uid/1:logs-1", { region: "ap-guangzhou", bucket: "logs-1", key: "" }],
    ["arn:aws-cn:s3:::logs/a\nb", { region: "", bucket: "logs", key: "a\nb" }],
    ["logs/a.csv", null],
  ])("of %s", (arn, found) => {
    expect(resourceOf(arn)).toEqual(found);
  });
});

describe("a job in words", () => {
  it("has the create page's three sections", () => {
    expect(summaryOf(form()).map(({ id }) => id)).toEqual(["inventory", "operation", "other"]);
  });

  it("tells an inventory without columns", () => {
    const found = values(form(), "inventory");
    expect(found["job.summary.bucket"]).toEqual({ kind: "code", text: "lists-1250000000" });
    expect(found["job.summary.path"]).toEqual({ kind: "code", text: "a b/manifest.json" });
    expect(found["job.summary.columns"]).toBeUndefined();
    expect(found["job.summary.encoding"]).toBeUndefined();
  });

  it("tells the columns of a CSV, and that its keys are decoded", () => {
    const manifest: JobForm["manifest"] = {
      location: { object_arn: "arn:aws:s3:::lists/a.csv", etag: "abc", object_version_id: "v1" },
      spec: { format: "COSBatchOperations_CSV_V1", fields: ["Bucket", "Key"] },
    };
    expect(values(form({ manifest }), "inventory")).toMatchObject({
      "job.summary.columns": { fields: ["Bucket", "Key"] },
      "job.summary.encoding": { key: "job.summary.encoding.url" },
      "job.summary.etag": { text: "abc" },
      "job.summary.version": { text: "v1" },
    });
  });

  it("tells whose failed objects a retry takes up", () => {
    const manifest: JobForm["manifest"] = {
      location: { object_arn: "arn:aws:s3:::work/x", retry_of: { job_id: "j1", error_code: "AccessDenied" } },
      spec: { format: "COSBatchOperations_CSV_V1" },
    };
    const found = values(form({ manifest }), "inventory");
    expect(found["job.summary.retry-of"]).toEqual({ kind: "job", id: "j1" });
    expect(found["job.summary.retry-code"]).toEqual({ kind: "code", text: "AccessDenied" });
    expect(found["job.summary.path"]).toBeUndefined();
  });

  it.each<[Partial<Schemas["CopyForm"]>, TextKey, Partial<SummaryValue>]>([
    [{}, "job.summary.target-region", { kind: "code", text: "ap-guangzhou" }],
    [
      { target_resource: "qcs::cos:ap-beijing::b-1" },
      "job.summary.target-region",
      { kind: "code", text: "ap-beijing" },
    ],
    [{ target_region: "x" }, "job.summary.target-region", { kind: "code", text: "x" }],
    [{}, "job.summary.keys", { kind: "said", key: "job.summary.keys.keep" }],
    [
      { prefix_replace: true, target_key_prefix: "b/" },
      "job.summary.keys",
      { key: "job.summary.keys.add", values: { to: "b/" } },
    ],
    [{ prefix_replace: true, resources_prefix: "a/" }, "job.summary.keys", { key: "job.summary.keys.remove" }],
    [
      { prefix_replace: true, resources_prefix: "a/", target_key_prefix: "b/" },
      "job.summary.keys",
      { key: "job.summary.keys.replace", values: { from: "a/", to: "b/" } },
    ],
    [
      { prefix_replace: false, resources_prefix: "a/", target_key_prefix: "b/" },
      "job.summary.keys",
      { key: "job.summary.keys.keep" },
    ],
    [{}, "job.summary.acl", { key: "job.summary.acl.inherit" }],
    [{ canned_access_control_list: "public-read" }, "job.summary.acl", { key: "job.summary.acl.public-read" }],
    [{ access_control_directive: "Copy" }, "job.summary.acl", { key: "job.summary.acl.Copy" }],
    [
      { access_control_grants: [{ grantee: { identifier: "g" }, permission: "READ" }] },
      "job.summary.acl",
      { key: "job.summary.acl.grants" },
    ],
    [{}, "job.summary.metadata", { key: "job.summary.metadata.Copy" }],
    [
      { new_object_metadata: { user_metadata: [{ key: "a", value: "1" }] } },
      "job.summary.metadata",
      { key: "job.summary.metadata.Replaced" },
    ],
    [
      { metadata_directive: "Add", new_object_metadata: { cache_control: "no-store" } },
      "job.summary.new-metadata",
      { kind: "pairs", pairs: [{ key: "Cache-Control", value: "no-store" }] },
    ],
    [{}, "job.summary.encryption", { key: "job.summary.encryption.none" }],
    [
      { new_object_metadata: { sse_algorithm: "AES256" } },
      "job.summary.encryption",
      { key: "job.summary.encryption.AES256" },
    ],
    [{ new_object_tagging: [{ key: "a" }] }, "job.summary.tags", { key: "job.summary.tags.Replaced" }],
    [{ modified_since_constraint: 0 }, "job.summary.modified-since", { kind: "time", at: "1970-01-01T00:00:00.000Z" }],
    [
      { un_modified_since_constraint: "2025-08-01T00:00:00+08:00" },
      "job.summary.unmodified-since",
      { kind: "time", at: "2025-07-31T16:00:00.000Z" },
    ],
    [{ modified_since_constraint: "soon" }, "job.summary.modified-since", { kind: "code", text: "soon" }],
  ])("tells %j as %s", (changes, label, value) => {
    expect(copyOf(changes)[label]).toMatchObject(value);
  });

  it.each<[Schemas["OperationForm"], Schemas["OperationName"], TextKey, Partial<SummaryValue>]>([
    [
      { cos_initiate_restore_object: { expiration_in_days: 3, job_tier: "Bulk" } },
      "COSInitiateRestoreObject",
      "job.summary.days",
      { values: { days: 3 } },
    ],
    [
      { cos_put_object_tagging: { tagging_directive: "Delete" } },
      "COSPutObjectTagging",
      "job.summary.tags",
      { key: "job.summary.tags.Delete" },
    ],
    [
      { cos_put_object_tagging: { tagging_directive: "Delete", tag_set: [{ key: "a" }] } },
      "COSPutObjectTagging",
      "job.summary.removed-tags",
      { pairs: [{ key: "a", value: "" }] },
    ],
    [{ cos_delete_object: {} }, "COSDeleteObject", "job.summary.delete-count", { values: { count: 7 } }],
  ])("tells %j", (operation, name, label, value) => {
    expect(operationNameOf(operation)).toBe(name);
    expect(values(form({ operation, confirm_delete_count: 7 }), "operation")[label]).toMatchObject(value);
  });

  it("tells the service's own defaults where nothing is said", () => {
    expect(values(form(), "other")).toMatchObject({
      "job.summary.priority": { number: 10 },
      "job.summary.report": { key: "job.summary.report.off" },
      "job.summary.role": { key: "job.summary.role.none" },
      "job.summary.confirmation": { key: "job.summary.no" },
      "job.summary.windows": { key: "job.summary.windows.none" },
      "job.summary.threshold": { share: 0.5 },
      "job.summary.verify": { key: "job.summary.verify.sample" },
      "job.summary.part-above": { bytes: 5_368_709_120 },
    });
  });

  it("tells what was chosen", () => {
    const found = values(
      form({
        report: { bucket: "qcs::cos:ap-guangzhou::reports-1", prefix: "batch", report_scope: "FailedTasksOnly" },
        failure_threshold: "never",
        windows: ["mon-fri 22:00-06:00 Asia/Shanghai"],
        dry_run: true,
        operation: { cos_delete_object: {} },
      }),
      "other",
    );
    expect(found).toMatchObject({
      "job.summary.report": { key: "job.summary.report.FailedTasksOnly" },
      "job.summary.report-bucket": { text: "reports-1" },
      "job.summary.report-region": { text: "ap-guangzhou" },
      "job.summary.report-prefix": { text: "batch" },
      "job.summary.threshold": { key: "job.summary.threshold.never" },
      "job.summary.windows": { members: ["mon-fri 22:00-06:00 Asia/Shanghai"] },
      "job.summary.dry-run": { key: "job.summary.dry-run.on" },
    });
    expect(found["job.summary.part-size"]).toBeUndefined();
  });
});
