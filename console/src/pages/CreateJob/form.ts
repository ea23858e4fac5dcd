import type { Capabilities, JobForm } from "../../api/types";
import { resourceOf } from "../../components/arns";
import {
  type AccessChoice,
  type Change,
  changed,
  type CopyDraft,
  type Day,
  DAYS,
  type Draft,
  emptyDraft,
  type OperationField,
  type WindowDraft,
} from "./model";
import { writePlace } from "./places";

type Offer = Pick<Capabilities, "regions">;
type CopyForm = NonNullable<JobForm["operation"]["cos_put_object_copy"]>;

const MIB = 2 ** 20;
const WINDOW = /^(?:([a-z,-]+) )?(\d\d:\d\d)-(\d\d:\d\d) (\S+)$/;

/** The body of POST /jobs. `isDryRun`: nothing is to be written. What is not filled in is left out. */
export function toJobForm(draft: Draft, { regions }: Offer, { isDryRun = false } = {}): JobForm {
  const { location, spec } = draft.manifest;
  const isCsv = spec.format === "COSBatchOperations_CSV_V1";
  const isDeletion = draft.operation.chosen === "cos_delete_object";
  return {
    region: draft.region,
    manifest: {
      location: {
        object_arn: writePlace({ ...location, region: draft.region }, { regions }),
        ...filled({ etag: location.etag, object_version_id: location.object_version_id }),
      },
      spec: {
        format: spec.format || "COSBatchOperations_CSV_V1",
        ...(isCsv ? { fields: [...spec.fields], key_encoding: spec.key_encoding } : {}),
      },
    },
    operation: operationForm(draft, regions),
    report: reportForm(draft, regions),
    priority: number(draft.priority),
    // Nothing is written, so there is nothing to confirm: one click, and it tells what would become of each object.
    confirmation_required: draft.confirmation_required && !isDryRun,
    failure_threshold: draft.failure_threshold.never ? "never" : number(draft.failure_threshold.percent) / 100,
    verify: draft.verify,
    part_copy_above_bytes: Math.round(number(draft.part_copy_above_bytes) * MIB),
    part_size_bytes: Math.round(number(draft.part_size_bytes) * MIB),
    ...filled({ description: draft.description, role_arn: draft.role_arn }),
    ...(draft.windows.length > 0 ? { windows: draft.windows.map(writeWindow) } : {}),
    ...(isDeletion && draft.confirm_delete_count ? { confirm_delete_count: number(draft.confirm_delete_count) } : {}),
    ...(isDryRun ? { dry_run: true } : {}),
  };
}

function operationForm(draft: Draft, regions: Offer["regions"]): JobForm["operation"] {
  const { chosen, cos_initiate_restore_object: restore, cos_put_object_tagging: tagging } = draft.operation;
  switch (chosen) {
    case "cos_put_object_copy":
      return { [chosen]: copyForm(draft.operation.cos_put_object_copy, draft.region, regions) };
    case "cos_initiate_restore_object":
      return { [chosen]: { expiration_in_days: number(restore.expiration_in_days), job_tier: restore.job_tier } };
    case "cos_put_object_tagging": {
      const byKey = tagging.tagging_directive === "Delete";
      const tags = tagging.tag_set.map(({ key, value }) => (byKey ? { key } : { key, value }));
      return { [chosen]: { tagging_directive: tagging.tagging_directive, tag_set: tags } };
    }
    case "cos_delete_object":
      return { [chosen]: {} };
    case "":
      return {};
  }
}

function copyForm(copy: CopyDraft, region: string, regions: Offer["regions"]): CopyForm {
  const target = copy.target_region || region;
  const metadata = copy.new_object_metadata;
  const isNew = copy.metadata_directive !== "Copy";
  const { user_metadata: pairs, sse_algorithm, ...headers } = metadata;
  const written = {
    ...filled({ sse_algorithm }),
    ...(isNew ? filled(headers) : {}),
    ...(isNew && pairs.length > 0 ? { user_metadata: [...pairs] } : {}),
  };
  return {
    target_resource: writePlace({ bucket: copy.target_resource, key: "", region: target }, { regions }),
    ...filled({ target_region: target === region ? "" : target }),
    ...accessForm(copy),
    ...(copy.prefix_replace
      ? {
          prefix_replace: true,
          ...filled({ resources_prefix: copy.resources_prefix, target_key_prefix: copy.target_key_prefix }),
        }
      : {}),
    ...filled({
      modified_since_constraint: copy.modified_since_constraint,
      un_modified_since_constraint: copy.un_modified_since_constraint,
      storage_class: copy.storage_class,
    }),
    metadata_directive: copy.metadata_directive,
    ...(Object.keys(written).length > 0 ? { new_object_metadata: written } : {}),
    tagging_directive: copy.tagging_directive,
    ...(copy.tagging_directive === "Copy" ? {} : { new_object_tagging: [...copy.new_object_tagging] }),
  };
}

function accessForm({ access, access_control_grants: grants }: CopyDraft): Partial<CopyForm> {
  switch (access) {
    case "inherit":
      return {};
    case "copy":
      return { access_control_directive: "Copy" };
    case "private":
    case "public-read":
      return { access_control_directive: "Replaced", canned_access_control_list: access };
    case "add":
    case "replace":
      return {
        access_control_directive: access === "add" ? "Add" : "Replaced",
        access_control_grants: grants.map(({ identifier, permission }) => ({ grantee: { identifier }, permission })),
      };
  }
}

function reportForm({ report, region }: Draft, regions: Offer["regions"]): JobForm["report"] {
  if (!report.enabled) return { enabled: false };
  const isElsewhere = report.region !== "" && report.region !== region;
  const place = { bucket: report.bucket, key: "", region: report.region || region };
  return {
    enabled: true,
    bucket: writePlace(place, { regions, isElsewhere }),
    ...filled({ prefix: report.prefix }),
    report_scope: report.report_scope,
  };
}

/** Those fields that have something in them: the service takes an empty one for an absent one. */
function filled<Fields extends Record<string, string>>(fields: Fields): Partial<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== "")) as Partial<Fields>;
}

function number(text: string): number {
  return text.trim() === "" ? Number.NaN : Number(text);
}

/** A draft that asks for what a job document asks for. It is not made sure that the service offers all of it still. */
export function fromJobForm(form: JobForm, offer: Offer): Draft {
  const manifest = resourceOf(form.manifest.location.object_arn);
  const { spec } = form.manifest;
  const part: Change = {
    region: form.region,
    manifest: {
      location: {
        bucket: manifest?.bucket ?? "",
        key: manifest?.key ?? "",
        object_version_id: form.manifest.location.object_version_id ?? "",
        etag: form.manifest.location.etag ?? "",
      },
      spec: { format: spec.format, fields: spec.fields ?? [], key_encoding: spec.key_encoding ?? "url" },
    },
    operation: readOperation(form),
    report: readReport(form),
    ...present({
      priority: text(form.priority),
      description: form.description,
      // A dry run does not wait; the job that is made of it should.
      confirmation_required: form.dry_run === true || (form.confirmation_required ?? false),
      role_arn: form.role_arn,
      failure_threshold: readThreshold(form.failure_threshold),
      verify: form.verify,
      part_copy_above_bytes: text(form.part_copy_above_bytes, MIB),
      part_size_bytes: text(form.part_size_bytes, MIB),
      windows: form.windows?.map(readWindow),
      confirm_delete_count: text(form.confirm_delete_count ?? undefined),
    }),
  };
  return changed(emptyDraft(offer), part);
}

function readOperation({ region, operation }: JobForm): Change<Draft["operation"]> {
  const chosen = (Object.keys(operation) as OperationField[]).find((name) => operation[name] != null) ?? "";
  const { cos_put_object_copy: copy, cos_initiate_restore_object: restore, cos_put_object_tagging: tags } = operation;
  return {
    chosen,
    ...(copy ? { cos_put_object_copy: readCopy(copy, region) } : {}),
    ...(restore
      ? {
          cos_initiate_restore_object: {
            expiration_in_days: String(restore.expiration_in_days),
            job_tier: restore.job_tier,
          },
        }
      : {}),
    ...(tags
      ? { cos_put_object_tagging: { tagging_directive: tags.tagging_directive, tag_set: readPairs(tags.tag_set) } }
      : {}),
  };
}

function readCopy(copy: CopyForm, region: string): Change<CopyDraft> {
  const target = resourceOf(copy.target_resource);
  const named = copy.target_region || target?.region || region;
  const { user_metadata, ...headers } = copy.new_object_metadata ?? {};
  const hasHeaders = Object.entries(headers).some(([name, value]) => name !== "sse_algorithm" && value);
  const isNew = hasHeaders || (user_metadata ?? []).length > 0;
  const tags = readPairs(copy.new_object_tagging);
  return {
    target_resource: target?.bucket ?? "",
    target_region: named === region ? "" : named,
    access: readAccess(copy),
    access_control_grants: (copy.access_control_grants ?? []).map(({ grantee, permission }) => ({
      identifier: grantee.identifier,
      permission,
    })),
    prefix_replace: copy.prefix_replace ?? false,
    resources_prefix: copy.resources_prefix ?? "",
    target_key_prefix: copy.target_key_prefix ?? "",
    modified_since_constraint: readMoment(copy.modified_since_constraint),
    un_modified_since_constraint: readMoment(copy.un_modified_since_constraint),
    metadata_directive: copy.metadata_directive ?? (isNew ? "Replaced" : "Copy"),
    new_object_metadata: { ...headers, user_metadata: readPairs(user_metadata) },
    storage_class: copy.storage_class ?? "",
    tagging_directive: copy.tagging_directive ?? (tags.length > 0 ? "Replaced" : "Copy"),
    new_object_tagging: tags,
  };
}

function readAccess(copy: CopyForm): AccessChoice {
  if (copy.canned_access_control_list) return copy.canned_access_control_list;
  if (copy.access_control_directive === "Copy") return "copy";
  if (copy.access_control_directive === "Add") return "add";
  return (copy.access_control_grants ?? []).length > 0 ? "replace" : "inherit";
}

function readReport({ region, report }: JobForm): Change<Draft["report"]> {
  const place = resourceOf(report.bucket ?? "");
  return {
    enabled: (report.enabled ?? true) && place !== null,
    bucket: place?.bucket ?? "",
    region: place?.region && place.region !== region ? place.region : "",
    prefix: report.prefix ?? "",
    report_scope: report.report_scope ?? "AllTasks",
  };
}

function readPairs(pairs: readonly { key: string; value?: string }[] = []) {
  return pairs.map(({ key, value = "" }) => ({ key, value }));
}

function readThreshold(threshold: JobForm["failure_threshold"]): Change<Draft["failure_threshold"]> | undefined {
  if (threshold === undefined) return undefined;
  return threshold === "never" ? { never: true } : { never: false, percent: text(shift(threshold)) ?? "" };
}

/** A share as percents, without the digits that a multiplication of binary fractions adds. */
function shift(share: number): number {
  return Number((share * 100).toPrecision(12));
}

/** Seconds since 1970 as the text that is typed; a text stays what it is. */
function readMoment(moment: number | string | null | undefined): string {
  if (typeof moment === "number") return new Date(moment * 1000).toISOString().replace(".000Z", "Z");
  return moment ?? "";
}

function text(value: number | undefined, unit = 1): string | undefined {
  return value === undefined ? undefined : String(value / unit);
}

/** Without the fields that say nothing, so that they leave what is there. */
function present<Fields extends object>(fields: Fields): { [Name in keyof Fields]?: NonNullable<Fields[Name]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Fields]?: NonNullable<Fields[Name]>;
  };
}

/** `mon,tue 22:00-06:00 Asia/Shanghai`; without days: every day. */
export function writeWindow({ days, begin, end, zone }: WindowDraft): string {
  const named = days.length === DAYS.length ? "" : `${DAYS.filter((day) => days.includes(day)).join(",")} `;
  return `${named}${begin}-${end} ${zone}`;
}

export function readWindow(written: string): WindowDraft {
  const [, days, begin = "", end = "", zone = ""] = WINDOW.exec(written) ?? [];
  return { days: days === undefined ? DAYS : days.split(",").flatMap(readDays), begin, end, zone };
}

/** `fri`, or `fri-mon` over the end of the week. */
function readDays(written: string): Day[] {
  const [first = -1, last = first] = written.split("-").map((name) => DAYS.findIndex((day) => day === name));
  if (first < 0 || last < 0) return [];
  const count = ((last - first + DAYS.length) % DAYS.length) + 1;
  return Array.from({ length: count }, (_, step) => DAYS[(first + step) % DAYS.length]).filter(
    (day) => day !== undefined,
  );
}
