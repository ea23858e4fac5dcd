import { describe, expect, it } from "vitest";

import type { Capabilities } from "../../api/types";
import { writeMoment } from "../../components/moments";
import { lookFrom } from "./look.test-data";
import { type Change, changed, type Draft, emptyDraft, type StepName } from "./model";
import { type Context, validate } from "./validate";

const REGIONS: Capabilities["regions"] = [
  { name: "ap-guangzhou", provider: "cos", storage_classes: ["STANDARD", "ARCHIVE"], canned_acls: [], options: {} },
  { name: "office", provider: "s3", storage_classes: [], canned_acls: [], options: {} },
];
const OPERATIONS: Capabilities["operations"] = [
  { name: "COSPutObjectCopy", field: "cos_put_object_copy", parameters: [] },
  { name: "COSInitiateRestoreObject", field: "cos_initiate_restore_object", parameters: [] },
  { name: "COSPutObjectTagging", field: "cos_put_object_tagging", parameters: [] },
  { name: "COSDeleteObject", field: "cos_delete_object", parameters: [] },
];
const LIMITS: Capabilities["limits"] = {
  priority_max: 2147483647,
  description_max_bytes: 256,
  client_request_token_max_bytes: 64,
  status_update_reason_max_bytes: 256,
  windows_max: 2,
  page_default: 50,
  page_max: 1000,
  body_max_bytes: 524288,
  body_max_depth: 32,
  calls_per_minute: 3000,
  logins_per_minute: 60,
};
const CONTEXT: Context = { capabilities: { regions: REGIONS, operations: OPERATIONS, limits: LIMITS } };

const LOOK = lookFrom({ etag: "e1" });

/** A draft with which every step is content. */
const GOOD: Draft = changed(emptyDraft(CONTEXT.capabilities, "ap-guangzhou"), {
  manifest: {
    location: { bucket: "lists-1250000000", key: "a.csv" },
    spec: { format: "COSBatchOperations_CSV_V1", fields: ["Bucket", "Key"] },
  },
  operation: { chosen: "cos_put_object_copy", cos_put_object_copy: { target_resource: "archive-1250000000" } },
  report: { bucket: "reports-1250000000" },
});

type Found = [path: string, key: string];

function found(step: StepName, part: Change, context: Partial<Context> = {}): Found[] {
  return validate(step, changed(GOOD, part), { ...CONTEXT, ...context }).map(({ path, said }) => [
    path,
    "key" in said ? said.key : said.text,
  ]);
}

type Row = [what: string, part: Change, expected: Found[], context?: Partial<Context>];

const HAN_85 = "汉".repeat(85); // 255 bytes
const COPY = "operation.cos_put_object_copy";
const copy = (part: Change<Draft["operation"]["cos_put_object_copy"]>): Change => ({
  operation: { cos_put_object_copy: part },
});
const tagging = (part: Change<Draft["operation"]["cos_put_object_tagging"]>): Change => ({
  operation: { chosen: "cos_put_object_tagging", cos_put_object_tagging: part },
});
const window = { days: ["mon"], begin: "22:00", end: "06:00", zone: "Asia/Shanghai" } as const;

it("nothing is wrong with a good draft", () => {
  for (const step of ["manifest", "operation", "other", "review"] as const) expect(found(step, {})).toEqual([]);
});

describe("choose inventory", () => {
  const fields = "manifest.spec.fields";
  it.each<Row>([
    ["no region", { region: "" }, [["region", "form.required"]]],
    ["a region that is gone", { region: "mars" }, [["region", "create.fault.region"]]],
    ["no bucket", { manifest: { location: { bucket: "" } } }, [["manifest.location.bucket", "form.required"]]],
    [
      "no name of a bucket",
      { manifest: { location: { bucket: "-a" } } },
      [["manifest.location.bucket", "create.fault.bucket"]],
    ],
    ["no path", { manifest: { location: { key: " " } } }, [["manifest.location.key", "form.required"]]],
    [
      "a path of 1025 bytes",
      { manifest: { location: { key: "k".repeat(1025) } } },
      [["manifest.location.key", "create.fault.bytes"]],
    ],
    ["no file", {}, [["manifest.location.key", "create.fault.missing"]], { isMissing: true }],
    ["no format", { manifest: { spec: { format: "" } } }, [["manifest.spec.format", "create.fault.format"]]],
    [
      "an inventory names its own columns",
      { manifest: { spec: { format: "COSInventoryReport_CSV_V1", fields: [] } } },
      [],
    ],
    ["no column", { manifest: { spec: { fields: [] } } }, [[fields, "create.fault.columns"]]],
    ["no key", { manifest: { spec: { fields: ["Bucket", "Ignore"] } } }, [[fields, "create.fault.columns"]]],
    ["no bucket", { manifest: { spec: { fields: ["Key"] } } }, [[fields, "create.fault.columns"]]],
    ["two keys", { manifest: { spec: { fields: ["Bucket", "Key", "Key"] } } }, [[fields, "create.fault.columns"]]],
    [
      "two buckets",
      { manifest: { spec: { fields: ["Bucket", "Bucket", "Key"] } } },
      [[fields, "create.fault.columns"]],
    ],
    ["a version", { manifest: { spec: { fields: ["Bucket", "Key", "VersionId", "Ignore"] } } }, []],
    [
      "two versions",
      { manifest: { spec: { fields: ["Bucket", "Key", "VersionId", "VersionId"] } } },
      [[fields, "create.fault.columns.version"]],
    ],
    [
      "more columns than there are",
      { manifest: { spec: { fields: ["Bucket", "Key", "Ignore"] } } },
      [[fields, "create.fault.columns.count"]],
      { look: LOOK },
    ],
    ["the file that was read", { manifest: { location: { etag: "e1" } } }, [], { look: LOOK }],
    [
      "another file than was read",
      { manifest: { location: { etag: "e0" } } },
      [["manifest.location.etag", "create.fault.etag"]],
      { look: LOOK },
    ],
    [
      "a faulty row",
      {},
      [[fields, "create.fault.rows"]],
      { look: { ...LOOK, faults: [{ path: "line 2", value: "", problem: "has 3 columns", way_out: "" }] } },
    ],
  ])("%s", (_, part, expected, context) => {
    expect(found("manifest", part, context)).toEqual(expected);
  });
});

describe("operation configuration", () => {
  const metadata = `${COPY}.new_object_metadata`;
  it.each<Row>([
    ["no operation", { operation: { chosen: "" } }, [["operation", "create.fault.operation"]]],
    ["no destination", copy({ target_resource: "" }), [[`${COPY}.target_resource`, "form.required"]]],
    ["a region that is gone", copy({ target_region: "mars" }), [[`${COPY}.target_region`, "create.fault.region"]]],
    ["prefixes without any", copy({ prefix_replace: true }), [[`${COPY}.target_key_prefix`, "create.fault.prefix"]]],
    ["one prefix", copy({ prefix_replace: true, target_key_prefix: "2025/" }), []],
    [
      "a prefix of 1026 bytes",
      copy({ prefix_replace: true, target_key_prefix: "汉".repeat(342) }),
      [[`${COPY}.target_key_prefix`, "create.fault.bytes"]],
    ],
    ["a class of the region", copy({ storage_class: "ARCHIVE" }), []],
    ["a class of no region", copy({ storage_class: "COLD" }), [[`${COPY}.storage_class`, "create.fault.class"]]],
    ["any class where the region names none", copy({ target_region: "office", storage_class: "COLD" }), []],
    [
      "a date without a zone",
      copy({ modified_since_constraint: "2025-01-01T00:00:00" }),
      [[`${COPY}.modified_since_constraint`, "create.fault.moment"]],
    ],
    ...(["modified_since_constraint", "un_modified_since_constraint"] as const).map((name): Row => [
      `a time without a date in ${name}`,
      copy({ [name]: writeMoment({ date: "", time: "10:00:00" }, "utc") }),
      [[`${COPY}.${name}`, "create.fault.moment.date"]],
    ]),
    ["neither date nor time", copy({ modified_since_constraint: writeMoment({ date: "", time: "" }, "utc") }), []],
    [
      "dates that let nothing pass",
      copy({ modified_since_constraint: "2025-01-02T00:00:00Z", un_modified_since_constraint: "2025-01-01T00:00:00Z" }),
      [[`${COPY}.modified_since_constraint`, "create.fault.dates"]],
    ],
    [
      "dates in order",
      copy({
        modified_since_constraint: "2025-01-01T00:00:00Z",
        un_modified_since_constraint: "2025-01-01T09:00:00+08:00",
      }),
      [],
    ],
    ["nothing to add", copy({ metadata_directive: "Add" }), [[`${COPY}.metadata_directive`, "create.fault.metadata"]]],
    ["replaced by nothing", copy({ metadata_directive: "Replaced" }), []],
    [
      "a header of two lines",
      copy({ metadata_directive: "Replaced", new_object_metadata: { cache_control: "a\nb" } }),
      [[`${metadata}.cache_control`, "create.fault.line"]],
    ],
    [
      "names that cannot be headers, or stand twice",
      copy({
        metadata_directive: "Replaced",
        new_object_metadata: {
          user_metadata: [
            { key: "", value: "" },
            { key: "团队", value: "" },
            { key: "Team", value: "" },
            { key: "x-cos-meta-team", value: "" },
          ],
        },
      }),
      [
        [`${metadata}.user_metadata[0].key`, "create.fault.header"],
        [`${metadata}.user_metadata[1].key`, "create.fault.header"],
        [`${metadata}.user_metadata[3].key`, "create.fault.twice"],
      ],
    ],
    [
      "2,049 bytes of metadata",
      copy({
        metadata_directive: "Replaced",
        new_object_metadata: { user_metadata: [{ key: "k", value: "v".repeat(2048) }] },
      }),
      [[`${metadata}.user_metadata`, "create.fault.bytes.all"]],
    ],
    ["no grant", copy({ access: "add" }), [[`${COPY}.access_control_grants`, "create.fault.grants"]]],
    [
      "a grant to nobody",
      copy({ access: "replace", access_control_grants: [{ identifier: " ", permission: "READ" }] }),
      [[`${COPY}.access_control_grants[0].grantee.identifier`, "create.fault.grantee"]],
    ],
    ["no tag", copy({ tagging_directive: "Add" }), [[`${COPY}.new_object_tagging`, "create.fault.tags"]]],
    [
      "faulty tags",
      tagging({
        tag_set: [
          { key: "", value: "" },
          { key: "k".repeat(129), value: "" },
          { key: "a", value: "汉".repeat(257) },
          { key: "a", value: "" },
        ],
      }),
      [
        ["operation.cos_put_object_tagging.tag_set[0].key", "create.fault.tag.key"],
        ["operation.cos_put_object_tagging.tag_set[1].key", "create.fault.characters"],
        ["operation.cos_put_object_tagging.tag_set[2].value", "create.fault.characters"],
        ["operation.cos_put_object_tagging.tag_set[3].key", "create.fault.twice"],
      ],
    ],
    [
      "eleven tags",
      tagging({ tag_set: Array.from({ length: 11 }, (_, index) => ({ key: `k${index}`, value: "" })) }),
      [["operation.cos_put_object_tagging.tag_set", "create.fault.many"]],
    ],
    ["all tags taken away", tagging({ tagging_directive: "Delete" }), []],
    ["no tags to set", tagging({}), [["operation.cos_put_object_tagging.tag_set", "create.fault.tags"]]],
    ...(["", "0", "366", "1.5", "x"] as const).map((days): Row => [
      `restored for "${days}" days`,
      {
        operation: { chosen: "cos_initiate_restore_object", cos_initiate_restore_object: { expiration_in_days: days } },
      },
      [
        [
          "operation.cos_initiate_restore_object.expiration_in_days",
          days === "" ? "form.required" : "create.fault.whole",
        ],
      ],
    ]),
    [
      "restored for a year",
      {
        operation: {
          chosen: "cos_initiate_restore_object",
          cos_initiate_restore_object: { expiration_in_days: "365" },
        },
      },
      [],
    ],
  ])("%s", (_, part, expected, context) => {
    expect(found("operation", part, context)).toEqual(expected);
  });
});

describe("other configurations", () => {
  it.each<Row>([
    ["256 bytes", { description: `${HAN_85}a` }, []],
    ["257 bytes", { description: `${HAN_85}ab` }, [["description", "create.fault.bytes"]]],
    ["priority 1", { priority: "1" }, []],
    ["the greatest priority", { priority: "2147483647" }, []],
    ["a greater one", { priority: "2147483648" }, [["priority", "create.fault.whole"]]],
    ["priority 0", { priority: "0" }, [["priority", "create.fault.whole"]]],
    ["a negative one", { priority: "-1" }, [["priority", "create.fault.whole"]]],
    ["half a priority", { priority: "1.5" }, [["priority", "create.fault.whole"]]],
    ["none", { priority: "" }, [["priority", "form.required"]]],
    ["a report without a bucket", { report: { bucket: "" } }, [["report.bucket", "form.required"]]],
    ["a report in a region of its own", { report: { region: "office" } }, []],
    ["a report in no region", { report: { region: "nowhere" } }, [["report.region", "create.fault.region"]]],
    ["no report, and so in no region", { report: { enabled: false, region: "nowhere" } }, []],
    ["no report", { report: { enabled: false, bucket: "" } }, []],
    ["a prefix of 257 bytes", { report: { prefix: "p".repeat(257) } }, [["report.prefix", "create.fault.bytes"]]],
    ["more than everything", { failure_threshold: { percent: "101" } }, [["failure_threshold", "create.fault.number"]]],
    ["no limit", { failure_threshold: { never: true, percent: "x" } }, []],
    ["parts too small", { part_size_bytes: "4.9" }, [["part_size_bytes", "create.fault.number"]]],
    ["parts too large", { part_copy_above_bytes: "5121" }, [["part_copy_above_bytes", "create.fault.number"]]],
    ["parts of what is not copied", { operation: { chosen: "cos_delete_object" }, part_size_bytes: "0" }, []],
    ["hours", { windows: [window, { ...window, end: "24:00" }] }, []],
    ["too many hours", { windows: [window, window, window] }, [["windows", "create.fault.many"]]],
    ["no day", { windows: [{ ...window, days: [] }] }, [["windows[0]", "create.fault.window.days"]]],
    ["25 o'clock", { windows: [window, { ...window, end: "25:00" }] }, [["windows[1]", "create.fault.window.clock"]]],
    ["no time at all", { windows: [{ ...window, end: "22:00" }] }, [["windows[0]", "create.fault.window.empty"]]],
    ["no such zone", { windows: [{ ...window, zone: "Mars/Crater" }] }, [["windows[0]", "create.fault.window.zone"]]],
  ])("%s", (_, part, expected, context) => {
    expect(found("other", part, context)).toEqual(expected);
  });
});

describe("information check", () => {
  const deleting = (confirm_delete_count: string): Change => ({
    operation: { chosen: "cos_delete_object" },
    confirm_delete_count,
  });
  it.each<Row>([
    ["a deletion without a number", deleting(""), [["confirm_delete_count", "form.required"]]],
    ["a deletion of nothing", deleting("0"), [["confirm_delete_count", "create.fault.whole"]]],
    ["a deletion of fewer", deleting("299"), [["confirm_delete_count", "create.fault.count"]], { objects: 300 }],
    ["a deletion of all", deleting("300"), [], { objects: 300 }],
    ["a deletion of nobody knows how many", deleting("1"), []],
  ])("%s", (_, part, expected, context) => {
    expect(found("review", part, context)).toEqual(expected);
  });
});
