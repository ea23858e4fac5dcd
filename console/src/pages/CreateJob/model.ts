import type { Capabilities, Fault, JobForm, Schemas } from "../../api/types";
import type { TextKey, Values } from "../../i18n";

export type ManifestLook = Schemas["ManifestLookView"];
export type ManifestFormat = Schemas["ManifestFormat"];
export type ManifestField = Schemas["ManifestField"];
export type KeyEncoding = Schemas["KeyEncoding"];
export type Directive = Schemas["Directive"];
export type TaggingChange = Schemas["TaggingChange"];
export type RestoreTier = Schemas["RestoreTier"];
export type Permission = Schemas["Permission"];
export type OperationField = keyof JobForm["operation"];

/** What becomes of the access list of a copy; the API says it with a directive, a canned list and grants. */
export const ACCESS_CHOICES = ["inherit", "private", "public-read", "copy", "add", "replace"] as const;
export type AccessChoice = (typeof ACCESS_CHOICES)[number];

export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Day = (typeof DAYS)[number];

export interface TagDraft {
  readonly key: string;
  readonly value: string;
}

export interface GrantDraft {
  readonly identifier: string;
  readonly permission: Permission;
}

/** Hours in which a job may work. Days are those on which it opens; all seven: every day. */
export interface WindowDraft {
  readonly days: readonly Day[];
  /** HH:MM on a wall clock of the zone; an end at or before the begin is on the next day. */
  readonly begin: string;
  readonly end: string;
  readonly zone: string;
}

/**
 * What is typed into the wizard. Its fields have the names and places of those of a job document, but for four things:
 * buckets are names, and resource names are made of them; what is typed as a number is kept as text; every operation
 * keeps its fields while another one is chosen; and who has said the format is kept beside it.
 */
export interface Draft {
  readonly region: string;
  readonly manifest: {
    readonly location: {
      readonly bucket: string;
      readonly key: string;
      readonly object_version_id: string;
      /** As it was last read; empty: the job takes what is there when it is made. */
      readonly etag: string;
    };
    readonly spec: {
      /** Empty: what the content looks like. */
      readonly format: ManifestFormat | "";
      /** By the user, not found by reading: so it outlives that another file is named. */
      readonly format_is_chosen: boolean;
      /** Of a CSV only; empty: not mapped yet. */
      readonly fields: readonly ManifestField[];
      readonly key_encoding: KeyEncoding;
    };
  };
  readonly operation: {
    readonly chosen: OperationField | "";
    readonly cos_put_object_copy: CopyDraft;
    readonly cos_initiate_restore_object: { readonly expiration_in_days: string; readonly job_tier: RestoreTier };
    readonly cos_put_object_tagging: {
      readonly tagging_directive: TaggingChange;
      readonly tag_set: readonly TagDraft[];
    };
  };
  readonly report: {
    readonly enabled: boolean;
    readonly bucket: string;
    /** Of the bucket; empty: the job's own. */
    readonly region: string;
    readonly prefix: string;
    readonly report_scope: Schemas["ReportScope"];
  };
  readonly priority: string;
  readonly description: string;
  readonly confirmation_required: boolean;
  readonly role_arn: string;
  readonly failure_threshold: {
    /** A job that goes on whatever fails. */
    readonly never: boolean;
    readonly percent: string;
  };
  readonly verify: Schemas["Verify"];
  /** In MiB. */
  readonly part_copy_above_bytes: string;
  readonly part_size_bytes: string;
  readonly windows: readonly WindowDraft[];
  readonly confirm_delete_count: string;
}

export interface CopyDraft {
  /** The name of the bucket. */
  readonly target_resource: string;
  /** Empty: the job's own. */
  readonly target_region: string;
  readonly access: AccessChoice;
  /** Of `add` and `replace`. */
  readonly access_control_grants: readonly GrantDraft[];
  readonly prefix_replace: boolean;
  readonly resources_prefix: string;
  readonly target_key_prefix: string;
  /** ISO 8601 with a zone, `2025-08-01T00:00:00Z`, or what is typed of it without one; empty: any date. */
  readonly modified_since_constraint: string;
  readonly un_modified_since_constraint: string;
  readonly metadata_directive: Directive;
  readonly new_object_metadata: MetadataDraft;
  /** Empty: the default of the destination. */
  readonly storage_class: string;
  readonly tagging_directive: Directive;
  readonly new_object_tagging: readonly TagDraft[];
}

export interface MetadataDraft {
  readonly cache_control: string;
  readonly content_disposition: string;
  readonly content_encoding: string;
  readonly content_type: string;
  readonly content_language: string;
  readonly http_expires_date: string;
  /** Goes with every directive. */
  readonly sse_algorithm: "" | "AES256";
  /** Names without `x-cos-meta-`. */
  readonly user_metadata: readonly TagDraft[];
}

export const PRIORITY_DEFAULT = "10";

/** Where the user begins. `region`: the one that the console's lists show, where it is among the service's. */
export function emptyDraft(capabilities: Pick<Capabilities, "regions">, region = ""): Draft {
  const names = capabilities.regions.map(({ name }) => name);
  return {
    region: names.includes(region) ? region : names.length === 1 ? (names[0] ?? "") : "",
    manifest: {
      location: { bucket: "", key: "", object_version_id: "", etag: "" },
      spec: { format: "", format_is_chosen: false, fields: [], key_encoding: "url" },
    },
    operation: {
      chosen: "",
      cos_put_object_copy: {
        target_resource: "",
        target_region: "",
        access: "inherit",
        access_control_grants: [],
        prefix_replace: false,
        resources_prefix: "",
        target_key_prefix: "",
        modified_since_constraint: "",
        un_modified_since_constraint: "",
        metadata_directive: "Copy",
        new_object_metadata: {
          cache_control: "",
          content_disposition: "",
          content_encoding: "",
          content_type: "",
          content_language: "",
          http_expires_date: "",
          sse_algorithm: "",
          user_metadata: [],
        },
        storage_class: "",
        tagging_directive: "Copy",
        new_object_tagging: [],
      },
      cos_initiate_restore_object: { expiration_in_days: "", job_tier: "Standard" },
      cos_put_object_tagging: { tagging_directive: "Replaced", tag_set: [] },
    },
    report: { enabled: true, bucket: "", region: "", prefix: "", report_scope: "AllTasks" },
    priority: PRIORITY_DEFAULT,
    description: "",
    confirmation_required: true,
    role_arn: "",
    failure_threshold: { never: false, percent: "50" },
    verify: "sample",
    part_copy_above_bytes: "5120",
    part_size_bytes: "256",
    windows: [],
    confirm_delete_count: "",
  };
}

/** A part of a draft: mappings are gone into, lists and values take the place of the old ones. */
export type Change<Whole = Draft> = {
  readonly [Name in keyof Whole]?: Whole[Name] extends readonly unknown[]
    ? Whole[Name]
    : Whole[Name] extends object
      ? Change<Whole[Name]>
      : Whole[Name];
};

export function changed<Whole extends object>(whole: Whole, part: Change<Whole>): Whole {
  const after: Record<string, unknown> = Object.fromEntries(Object.entries(whole));
  for (const [name, value] of Object.entries(part)) {
    const before = after[name];
    after[name] = isMapping(before) && isMapping(value) ? changed(before, value) : value;
  }
  return after as Whole;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/* ---------------------------------------------------------------------------------------------- steps and fields */

export const STEPS = ["manifest", "operation", "other", "review"] as const;
export type StepName = (typeof STEPS)[number];

const COPY = "operation.cos_put_object_copy";
const METADATA = `${COPY}.new_object_metadata`;

/** Everything that a fault can be shown beside: the label of each is the text `field.NAME`. */
export const FIELDS = [
  "region",
  "manifest.location.bucket",
  "manifest.location.key",
  "manifest.location.object_version_id",
  "manifest.location.etag",
  "manifest.spec.format",
  "manifest.spec.fields",
  "manifest.spec.key_encoding",
  "operation",
  `${COPY}.target_resource`,
  `${COPY}.target_region`,
  `${COPY}.access`,
  `${COPY}.access_control_grants`,
  `${COPY}.prefix_replace`,
  `${COPY}.resources_prefix`,
  `${COPY}.target_key_prefix`,
  `${COPY}.modified_since_constraint`,
  `${COPY}.un_modified_since_constraint`,
  `${COPY}.metadata_directive`,
  `${METADATA}.cache_control`,
  `${METADATA}.content_disposition`,
  `${METADATA}.content_encoding`,
  `${METADATA}.content_type`,
  `${METADATA}.content_language`,
  `${METADATA}.http_expires_date`,
  `${METADATA}.sse_algorithm`,
  `${METADATA}.user_metadata`,
  `${COPY}.storage_class`,
  `${COPY}.tagging_directive`,
  `${COPY}.new_object_tagging`,
  "operation.cos_initiate_restore_object.expiration_in_days",
  "operation.cos_initiate_restore_object.job_tier",
  "operation.cos_put_object_tagging.tagging_directive",
  "operation.cos_put_object_tagging.tag_set",
  "report.enabled",
  "report.bucket",
  "report.region",
  "report.prefix",
  "report.report_scope",
  "priority",
  "description",
  "confirmation_required",
  "role_arn",
  "failure_threshold",
  "verify",
  "part_copy_above_bytes",
  "part_size_bytes",
  "windows",
  "confirm_delete_count",
] as const;
export type Field = (typeof FIELDS)[number];

const KNOWN = new Map<string, Field>([
  ...FIELDS.map((field): [string, Field] => [field, field]),
  ["manifest.location.object_arn", "manifest.location.key"],
  ["manifest.location", "manifest.location.key"],
  ["manifest.spec", "manifest.spec.format"],
  ["manifest", "manifest.location.key"],
  [COPY, `${COPY}.target_resource`],
  [`${COPY}.access_control_directive`, `${COPY}.access`],
  [`${COPY}.canned_access_control_list`, `${COPY}.access`],
  [METADATA, `${COPY}.metadata_directive`],
  ["operation.cos_initiate_restore_object", "operation.cos_initiate_restore_object.expiration_in_days"],
  ["operation.cos_put_object_tagging", "operation.cos_put_object_tagging.tag_set"],
  ["report.format", "report.enabled"],
  ["report", "report.enabled"],
]);

/** The field of the wizard that a path of a job document is about: `...tag_set[2].key` is about the tags. Null: none. */
export function fieldOf(path: string): Field | null {
  for (let rest = path; rest; rest = rest.replace(/(\[\d+\]|\.?[^.[\]]+)$/, "")) {
    const field = KNOWN.get(rest);
    if (field) return field;
  }
  return null;
}

/** Where a path of a job document is filled in; what no field is for is shown at the end. */
export function stepOf(path: string): StepName {
  const field = fieldOf(path);
  if (field === null || field === "confirm_delete_count") return "review";
  if (field === "region" || field.startsWith("manifest.")) return "manifest";
  return field.startsWith("operation") ? "operation" : "other";
}

/* ---------------------------------------------------------------------------------------------- faults */

/** What is wrong with a field: a text of ours, or what the service said. */
export interface FieldFault {
  readonly field: Field;
  /** Below the field, as in a job document: `...tag_set[2].key`. */
  readonly path: string;
  readonly said: { readonly key: TextKey; readonly values?: Values } | { readonly text: string };
}

/** Of what is told, what is not told elsewhere as well. */
export function faultsBeside(told: readonly FieldFault[], elsewhere: readonly FieldFault[]): FieldFault[] {
  const known = new Set(elsewhere.map((fault) => JSON.stringify(fault)));
  return told.filter((fault) => !known.has(JSON.stringify(fault)));
}

/** `is not the manifest's ETag, which is ...` */
const REPLACED = /^is not the manifest's ETag\b/;

/** A resource name says bucket and region in one: which of the two is wrong, the problem tells. */
const UNKNOWN_REGION = "is not in the region table";
const REGION_OF = new Map<Field, Field>([
  ["report.bucket", "report.region"],
  [`${COPY}.target_resource`, `${COPY}.target_region`],
]);

/** Those of the service's faults that a field is for; the others are left to the alert. */
export function fieldFaults(faults: readonly Fault[]): FieldFault[] {
  return faults.flatMap(({ path, problem, way_out }): FieldFault[] => {
    const named = fieldOf(path);
    if (!named) return [];
    const field = problem === UNKNOWN_REGION ? (REGION_OF.get(named) ?? named) : named;
    if (field === "manifest.location.etag" && REPLACED.test(problem)) {
      return [{ field, path, said: { key: "create.fault.etag" } }];
    }
    return [{ field, path, said: { text: way_out ? `${problem}; ${way_out}` : problem } }];
  });
}

/** Whether the service found that the inventory is not any more the one that the draft was made of. */
export function isReplaced(faults: readonly Fault[]): boolean {
  return fieldFaults(faults).some(({ said }) => "key" in said && said.key === "create.fault.etag");
}

/* ---------------------------------------------------------------------------------------------- what steps get */

/** What was last read of the manifest that the draft names. */
export interface Look {
  /** Of an earlier draft while `isFetching`; undefined: never read, or not readable (`error`). */
  readonly data: ManifestLook | undefined;
  readonly error: Error | null;
  readonly isFetching: boolean;
  /** Whether region, bucket and path are there, so that it can be read at all. */
  readonly isAsked: boolean;
  readonly read: () => void;
}

/** What each step is given. It keeps no state of the draft's of its own. */
export interface StepProps {
  readonly draft: Draft;
  readonly change: (part: Change) => void;
  /** Of this step; empty until the user wanted to go on. */
  readonly faults: readonly FieldFault[];
  readonly capabilities: Capabilities;
  readonly look: Look;
}
