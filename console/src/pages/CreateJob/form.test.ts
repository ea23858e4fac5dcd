import { describe, expect, it } from "vitest";

import type { JobForm } from "../../api/types";
import { fromJobForm, readWindow, toJobForm, writeWindow } from "./form";
import { changed, DAYS, type Draft, emptyDraft } from "./model";
import { edited } from "./state";

const options: Record<string, never> = {};
const REGIONS = [
  { name: "ap-guangzhou", provider: "cos" as const, storage_classes: [], canned_acls: [], options },
  { name: "ap-shanghai", provider: "cos" as const, storage_classes: [], canned_acls: [], options },
  { name: "office", provider: "s3" as const, storage_classes: [], canned_acls: [], options },
];
const OFFER = { regions: REGIONS };

const BASE: JobForm = {
  region: "ap-guangzhou",
  manifest: {
    location: { object_arn: "qcs::cos:ap-guangzhou::lists-1250000000/in/a.csv", etag: "e1" },
    spec: { format: "COSBatchOperations_CSV_V1", fields: ["Bucket", "Ignore", "Key"], key_encoding: "raw" },
  },
  operation: { cos_delete_object: {} },
  report: { enabled: false },
  priority: 10,
  confirmation_required: true,
  failure_threshold: 0.5,
  verify: "sample",
  part_copy_above_bytes: 5368709120,
  part_size_bytes: 268435456,
};
const COPY = { target_resource: "qcs::cos:ap-guangzhou::archive-1250000000" };
const KEPT = { metadata_directive: "Copy" as const, tagging_directive: "Copy" as const };
const copying = (copy: Partial<NonNullable<JobForm["operation"]["cos_put_object_copy"]>>): JobForm => ({
  ...BASE,
  operation: { cos_put_object_copy: { ...COPY, ...KEPT, ...copy } },
});

describe("a job document and its draft", () => {
  const documents: [string, JobForm][] = [
    ["a deletion that names its number", { ...BASE, confirm_delete_count: 1200 }],
    ["a plain copy", copying({})],
    [
      "a copy into another region",
      copying({ target_resource: "qcs::cos:ap-shanghai::archive-1250000000", target_region: "ap-shanghai" }),
    ],
    ["other prefixes", copying({ prefix_replace: true, resources_prefix: "photos/", target_key_prefix: "2025/" })],
    ["a prefix taken away", copying({ prefix_replace: true, resources_prefix: "photos/" })],
    ["dates", copying({ modified_since_constraint: "2025-08-01T00:00:00Z" })],
    ["a storage class", copying({ storage_class: "DEEP_ARCHIVE" })],
    ["encryption alone", copying({ new_object_metadata: { sse_algorithm: "AES256" } })],
    [
      "new metadata",
      copying({
        metadata_directive: "Replaced",
        new_object_metadata: { cache_control: "no-cache", user_metadata: [{ key: "team", value: "图片" }] },
      }),
    ],
    ["new tags", copying({ tagging_directive: "Add", new_object_tagging: [{ key: "a", value: "" }] })],
    ["a canned list", copying({ access_control_directive: "Replaced", canned_access_control_list: "public-read" })],
    ["the source's access list", copying({ access_control_directive: "Copy" })],
    [
      "grants",
      copying({
        access_control_directive: "Add",
        access_control_grants: [{ grantee: { identifier: "100000000001" }, permission: "READ" }],
      }),
    ],
    ["a restore", { ...BASE, operation: { cos_initiate_restore_object: { expiration_in_days: 7, job_tier: "Bulk" } } }],
    [
      "tags by their keys",
      { ...BASE, operation: { cos_put_object_tagging: { tagging_directive: "Delete", tag_set: [{ key: "a" }] } } },
    ],
    [
      "tags",
      {
        ...BASE,
        operation: { cos_put_object_tagging: { tagging_directive: "Replaced", tag_set: [{ key: "a", value: "b" }] } },
      },
    ],
    [
      "an inventory, and a report",
      {
        ...BASE,
        manifest: {
          location: { object_arn: "qcs::cos:ap-guangzhou::lists-1250000000/manifest.json", object_version_id: "v1" },
          spec: { format: "COSInventoryReport_CSV_V1" },
        },
        report: {
          enabled: true,
          bucket: "qcs::cos:ap-guangzhou::reports-1250000000",
          prefix: "batch",
          report_scope: "FailedTasksOnly",
        },
      },
    ],
    [
      "a report in another region",
      {
        ...BASE,
        report: { enabled: true, bucket: "qcs::cos:ap-shanghai::reports-1250000000", report_scope: "AllTasks" },
      },
    ],
    [
      "another provider's names",
      {
        ...BASE,
        region: "office",
        manifest: { ...BASE.manifest, location: { object_arn: "arn:aws:s3:::lists/in/a b.csv" } },
        operation: { cos_put_object_copy: { target_resource: "arn:aws:s3:::archive", ...KEPT } },
        report: { enabled: true, bucket: "arn:aws:s3:::reports", report_scope: "AllTasks" },
      },
    ],
    [
      "everything beside the operation",
      {
        ...BASE,
        description: "2025 年日志转归档",
        priority: 2147483647,
        confirmation_required: false,
        role_arn: "qcs::cam::uin/100000000001:roleName/batch",
        failure_threshold: "never",
        verify: "all",
        part_copy_above_bytes: 1,
        part_size_bytes: 5 * 2 ** 20,
        windows: ["22:00-06:00 Asia/Shanghai", "sat,sun 00:00-24:00 UTC"],
      },
    ],
    ["a share with digits", { ...BASE, failure_threshold: 0.07 }],
  ];

  it.each(documents)("say the same: %s", (_, document) => {
    expect(toJobForm(fromJobForm(document, OFFER), OFFER)).toEqual(document);
  });

  it("read the other spellings of the same", () => {
    const draft = fromJobForm(
      {
        region: "ap-guangzhou",
        manifest: {
          location: { object_arn: "arn:aws:s3:::lists-1250000000/a.csv" },
          spec: { format: "COSBatchOperations_CSV_V1", fields: ["Bucket", "Key"] },
        },
        operation: {
          cos_put_object_copy: {
            target_resource: "qcs::cos:ap-shanghai:uid/1250000000:archive-1250000000",
            new_object_metadata: { content_type: "image/png" },
            new_object_tagging: [{ key: "a" }],
            modified_since_constraint: 1754006400,
            canned_access_control_list: "private",
          },
        },
        report: {},
      },
      OFFER,
    );
    expect(draft.operation.cos_put_object_copy).toMatchObject({
      target_resource: "archive-1250000000",
      target_region: "ap-shanghai",
      metadata_directive: "Replaced",
      tagging_directive: "Replaced",
      modified_since_constraint: "2025-08-01T00:00:00Z",
      access: "private",
    });
    expect(draft.report.enabled).toBe(false);
    expect(draft.confirmation_required).toBe(false);
    expect(draft.priority).toBe("10");
  });

  it("ask for a dry run only where it is wanted", () => {
    const draft = fromJobForm({ ...BASE, dry_run: true }, OFFER);
    expect(toJobForm(draft, OFFER).dry_run).toBeUndefined();
    expect(toJobForm(draft, OFFER, { isDryRun: true }).dry_run).toBe(true);
  });

  it("lets a dry run begin by itself, and a job that is made of one wait", () => {
    const draft = fromJobForm({ ...BASE, dry_run: true, confirmation_required: false }, OFFER);
    expect(draft.confirmation_required).toBe(true);
    expect(toJobForm(draft, OFFER).confirmation_required).toBe(true);
    expect(toJobForm(draft, OFFER, { isDryRun: true }).confirmation_required).toBe(false);
  });

  it("leave out what belongs to another choice", () => {
    const draft = changed(fromJobForm(copying({}), OFFER), {
      confirm_delete_count: "5",
      operation: {
        cos_put_object_copy: {
          resources_prefix: "kept",
          new_object_metadata: { cache_control: "kept" },
          new_object_tagging: [{ key: "kept", value: "" }],
        },
      },
    });
    expect(toJobForm(draft, OFFER)).toEqual(copying({}));
  });
});

describe("windows", () => {
  it.each([
    ["22:00-06:00 Asia/Shanghai", DAYS, "22:00-06:00 Asia/Shanghai"],
    ["mon-fri 09:00-18:00 UTC", ["mon", "tue", "wed", "thu", "fri"], "mon,tue,wed,thu,fri 09:00-18:00 UTC"],
    ["sat-mon,wed 09:00-18:00 UTC", ["sat", "sun", "mon", "wed"], "mon,wed,sat,sun 09:00-18:00 UTC"],
  ])("are read and written: %s", (text, days, written) => {
    expect(readWindow(text).days).toEqual(days);
    expect(writeWindow(readWindow(text))).toBe(written);
  });
});

describe("a change of a draft", () => {
  const draft: Draft = fromJobForm(BASE, OFFER);

  it("goes into mappings and replaces lists", () => {
    const after = changed(draft, { report: { prefix: "p" }, manifest: { spec: { fields: ["Key"] } } });
    expect(after.report).toEqual({ ...draft.report, prefix: "p" });
    expect(after.manifest.spec).toEqual({ ...draft.manifest.spec, fields: ["Key"] });
    expect(after.manifest.location).toBe(draft.manifest.location);
  });

  it("of the place forgets what was read there", () => {
    const after = edited(draft, { manifest: { location: { key: "b.csv" } } });
    expect(after.manifest.location).toEqual({ ...draft.manifest.location, key: "b.csv", etag: "" });
    expect(after.manifest.spec).toEqual({ format: "", format_is_chosen: false, fields: [], key_encoding: "raw" });
  });

  it("of the place leaves the format that was chosen", () => {
    const chosen = changed(draft, { manifest: { spec: { format_is_chosen: true } } });
    const after = edited(edited(chosen, { manifest: { location: { bucket: "b" } } }), { region: "office" });
    expect(after.manifest.spec).toMatchObject({ format: "COSBatchOperations_CSV_V1", fields: [] });
  });

  it("of anything else does not", () => {
    expect(edited(draft, { priority: "1" }).manifest).toBe(draft.manifest);
    expect(edited(draft, { manifest: { location: { etag: "e2" } } }).manifest.spec).toEqual(draft.manifest.spec);
  });
});

it("a new draft takes the one region that there is, or the one that is looked at", () => {
  expect(emptyDraft({ regions: REGIONS.slice(0, 1) }).region).toBe("ap-guangzhou");
  expect(emptyDraft(OFFER).region).toBe("");
  expect(emptyDraft(OFFER, "office").region).toBe("office");
  expect(emptyDraft(OFFER, "gone").region).toBe("");
});
