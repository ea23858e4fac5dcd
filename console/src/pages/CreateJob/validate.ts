import type { Capabilities } from "../../api/types";
import { bytesOf, Findings } from "./checks";
import { CSV, widthOf } from "./columns";
import {
  type CopyDraft,
  type Draft,
  type Field,
  type FieldFault,
  type ManifestField,
  type ManifestLook,
  type StepName,
  type TagDraft,
  type WindowDraft,
} from "./model";

/** What a draft is held against. */
export interface Context {
  readonly capabilities: Pick<Capabilities, "regions" | "operations" | "limits">;
  /** What was last read of the manifest that the draft names; undefined: nothing. */
  readonly look?: ManifestLook | undefined;
  /** The manifest is not there: the store answered so. */
  readonly isMissing?: boolean;
  /** How many objects the job would touch, where that is known exactly. */
  readonly objects?: number | undefined;
}

const KEY_MAX_BYTES = 1024;
const PREFIX_MAX_BYTES = 256;
const TAGS_MAX = 10;
const TAG_KEY_MAX = 128;
const TAG_VALUE_MAX = 256;
const GRANTS_MAX = 100;
const USER_METADATA_MAX_BYTES = 2048;
const RESTORE_DAYS_MAX = 365;
const COUNT_MAX = 1e12;
const PART_MIN_MIB = 5;
const PART_MAX_MIB = 5120;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const META_PREFIX = /^x-(?:cos|amz)-meta-/i;
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;
const CLOCK = /^([01]\d|2[0-3]):[0-5]\d$/;

/** What is wrong with the fields of a step, as far as it can be told before the service is asked. */
export function validate(step: StepName, draft: Draft, context: Context): FieldFault[] {
  const found = new Findings();
  RULES[step](draft, context, found);
  return found.faults;
}

type Rule = (draft: Draft, context: Context, found: Findings) => void;

const RULES: Record<StepName, Rule> = { manifest, operation, other, review };

/* ---------------------------------------------------------------------------------------------- choose inventory */

function manifest(draft: Draft, context: Context, found: Findings): void {
  const { location, spec } = draft.manifest;
  region("region", draft.region, context, found);
  found.bucket("manifest.location.bucket", location.bucket);
  const isNamed = found.required("manifest.location.key", location.key);
  found.bytes("manifest.location.key", location.key, KEY_MAX_BYTES);
  found.oneLine("manifest.location.object_version_id", location.object_version_id);
  if (isNamed && context.isMissing) found.add("manifest.location.key", "create.fault.missing");
  if (spec.format === "" && isNamed && !context.isMissing) {
    found.add("manifest.spec.format", "create.fault.format");
  }
  if (spec.format === CSV) {
    columns(spec.fields, context.look, found);
  }
  if (context.look) looked(draft, context.look, found);
}

function columns(fields: readonly ManifestField[], look: ManifestLook | undefined, found: Findings): void {
  const field = "manifest.spec.fields";
  const count = (name: ManifestField) => fields.filter((each) => each === name).length;
  if (count("Bucket") !== 1 || count("Key") !== 1) found.add(field, "create.fault.columns");
  if (count("VersionId") > 1) found.add(field, "create.fault.columns.version");
  const there = look ? widthOf(look) : 0;
  if (there > 0 && fields.length > 0 && there !== fields.length) {
    found.add(field, "create.fault.columns.count", { mapped: fields.length, there });
  }
}

function looked(draft: Draft, look: ManifestLook, found: Findings): void {
  const { etag } = draft.manifest.location;
  if (etag !== "" && etag !== look.etag) found.add("manifest.location.etag", "create.fault.etag");
  const first = look.faults[0];
  if (first && found.faults.length === 0) {
    const isCsv = draft.manifest.spec.format === CSV;
    const place = isCsv ? "manifest.spec.fields" : "manifest.location.key";
    found.add(place, "create.fault.rows", { path: first.path, problem: first.problem });
  }
}

function region(field: Field, name: string, { capabilities }: Context, found: Findings): void {
  if (!found.required(field, name)) return;
  if (!capabilities.regions.some((each) => each.name === name)) found.add(field, "create.fault.region", { name });
}

/* ---------------------------------------------------------------------------------------------- operation */

function operation(draft: Draft, context: Context, found: Findings): void {
  const { chosen, cos_initiate_restore_object: restore, cos_put_object_tagging: tagging } = draft.operation;
  if (!context.capabilities.operations.some(({ field }) => field === chosen)) {
    found.add("operation", chosen === "" ? "create.fault.operation" : "create.fault.operation.unknown");
  }
  if (chosen === "cos_put_object_copy") copy(draft, context, found);
  if (chosen === "cos_initiate_restore_object") {
    const days = "operation.cos_initiate_restore_object.expiration_in_days";
    found.whole(days, restore.expiration_in_days, 1, RESTORE_DAYS_MAX);
  }
  if (chosen === "cos_put_object_tagging") {
    const field = "operation.cos_put_object_tagging.tag_set";
    tags(field, tagging.tag_set, found, { isNeeded: tagging.tagging_directive !== "Delete" });
  }
}

const COPY = "operation.cos_put_object_copy";

function copy(draft: Draft, context: Context, found: Findings): void {
  const form = draft.operation.cos_put_object_copy;
  const target = form.target_region || draft.region;
  if (target) region(`${COPY}.target_region`, target, context, found);
  found.bucket(`${COPY}.target_resource`, form.target_resource);
  prefixes(form, found);
  dates(form, found);
  metadata(form, found);
  grants(form, found);
  if (form.tagging_directive !== "Copy") tags(`${COPY}.new_object_tagging`, form.new_object_tagging, found);
  const offer = context.capabilities.regions.find(({ name }) => name === target);
  const classes = offer?.storage_classes ?? [];
  if (form.storage_class && classes.length > 0 && !classes.includes(form.storage_class)) {
    found.add(`${COPY}.storage_class`, "create.fault.class", { name: form.storage_class, region: target });
  }
}

function prefixes(form: CopyDraft, found: Findings): void {
  if (!form.prefix_replace) return;
  if (form.resources_prefix === "" && form.target_key_prefix === "") {
    found.add(`${COPY}.target_key_prefix`, "create.fault.prefix");
  }
  found.bytes(`${COPY}.resources_prefix`, form.resources_prefix, KEY_MAX_BYTES);
  found.bytes(`${COPY}.target_key_prefix`, form.target_key_prefix, KEY_MAX_BYTES);
}

function dates(form: CopyDraft, found: Findings): void {
  const { modified_since_constraint: after, un_modified_since_constraint: before } = form;
  const isMoment = (name: "modified_since_constraint" | "un_modified_since_constraint", text: string) => {
    if (text === "") return false;
    if (MOMENT.test(text) && Date.parse(text) >= 0) return true;
    found.add(`${COPY}.${name}`, text.startsWith("T") ? "create.fault.moment.date" : "create.fault.moment");
    return false;
  };
  const hasAfter = isMoment("modified_since_constraint", after);
  const hasBefore = isMoment("un_modified_since_constraint", before);
  if (hasAfter && hasBefore && Date.parse(after) >= Date.parse(before)) {
    found.add(`${COPY}.modified_since_constraint`, "create.fault.dates");
  }
}

function metadata(form: CopyDraft, found: Findings): void {
  if (form.metadata_directive === "Copy") return;
  const { user_metadata: pairs, sse_algorithm: encryption, ...headers } = form.new_object_metadata;
  const place = `${COPY}.new_object_metadata` as const;
  const names = Object.keys(headers) as (keyof typeof headers)[];
  for (const name of names) found.oneLine(`${place}.${name}`, headers[name]);
  const isEmpty = pairs.length === 0 && names.every((name) => headers[name] === "");
  if (form.metadata_directive === "Add" && isEmpty && encryption === "") {
    found.add(`${COPY}.metadata_directive`, "create.fault.metadata");
  }
  userMetadata(`${place}.user_metadata`, pairs, found);
}

function userMetadata(field: Field, pairs: readonly TagDraft[], found: Findings): void {
  const names = pairs.map(({ key }) => key.replace(META_PREFIX, "").toLowerCase());
  names.forEach((name, index) => {
    if (!HEADER_NAME.test(name)) found.add(field, "create.fault.header", undefined, `${field}[${index}].key`);
  });
  for (const [index, { value }] of pairs.entries()) found.oneLine(field, value, `${field}[${index}].value`);
  found.repeated(field, names);
  const bytes = pairs.reduce((sum, { value }, index) => sum + bytesOf(names[index] ?? "") + bytesOf(value), 0);
  if (bytes > USER_METADATA_MAX_BYTES) {
    found.add(field, "create.fault.bytes.all", { bytes, most: USER_METADATA_MAX_BYTES });
  }
}

function grants(form: CopyDraft, found: Findings): void {
  if (form.access !== "add" && form.access !== "replace") return;
  const field = `${COPY}.access_control_grants`;
  if (form.access_control_grants.length === 0) found.add(field, "create.fault.grants");
  if (form.access_control_grants.length > GRANTS_MAX) found.add(field, "create.fault.many", { most: GRANTS_MAX });
  form.access_control_grants.forEach(({ identifier }, index) => {
    const path = `${field}[${index}].grantee.identifier`;
    if (identifier.trim() === "") found.add(field, "create.fault.grantee", undefined, path);
    else found.oneLine(field, identifier, path);
  });
}

function tags(field: Field, set: readonly TagDraft[], found: Findings, { isNeeded = true } = {}): void {
  if (isNeeded && set.length === 0) found.add(field, "create.fault.tags");
  if (set.length > TAGS_MAX) found.add(field, "create.fault.many", { most: TAGS_MAX });
  set.forEach(({ key, value }, index) => {
    const [keyPath, valuePath] = [`${field}[${index}].key`, `${field}[${index}].value`];
    if (key.trim() === "") found.add(field, "create.fault.tag.key", undefined, keyPath);
    if ([...key].length > TAG_KEY_MAX) found.add(field, "create.fault.characters", { most: TAG_KEY_MAX }, keyPath);
    if ([...value].length > TAG_VALUE_MAX) {
      found.add(field, "create.fault.characters", { most: TAG_VALUE_MAX }, valuePath);
    }
  });
  found.repeated(
    field,
    set.map(({ key }) => key),
  );
}

/* ---------------------------------------------------------------------------------------------- other */

function other(draft: Draft, { capabilities }: Context, found: Findings): void {
  const { limits } = capabilities;
  found.bytes("description", draft.description, limits.description_max_bytes);
  found.whole("priority", draft.priority, 1, limits.priority_max);
  if (draft.report.enabled) {
    if (draft.report.region) region("report.region", draft.report.region, { capabilities }, found);
    found.bucket("report.bucket", draft.report.bucket);
    found.bytes("report.prefix", draft.report.prefix, PREFIX_MAX_BYTES);
  }
  if (!draft.failure_threshold.never) found.number("failure_threshold", draft.failure_threshold.percent, 0, 100);
  if (draft.operation.chosen === "cos_put_object_copy") {
    found.number("part_copy_above_bytes", draft.part_copy_above_bytes, 1, PART_MAX_MIB);
    found.number("part_size_bytes", draft.part_size_bytes, PART_MIN_MIB, PART_MAX_MIB);
  }
  if (draft.windows.length > limits.windows_max)
    found.add("windows", "create.fault.many", { most: limits.windows_max });
  draft.windows.forEach((window, index) => {
    hours(window, `windows[${index}]`, found);
  });
}

function hours({ days, begin, end, zone }: WindowDraft, path: string, found: Findings): void {
  if (days.length === 0) found.add("windows", "create.fault.window.days", undefined, path);
  const isClock = CLOCK.test(begin) && (CLOCK.test(end) || end === "24:00");
  if (!isClock) found.add("windows", "create.fault.window.clock", undefined, path);
  else if (begin === end) found.add("windows", "create.fault.window.empty", undefined, path);
  if (!isZone(zone)) found.add("windows", "create.fault.window.zone", { zone }, path);
}

function isZone(name: string): boolean {
  if (!/^[A-Za-z0-9_+/-]{1,64}$/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

/* ---------------------------------------------------------------------------------------------- information check */

function review(draft: Draft, { objects }: Context, found: Findings): void {
  if (draft.operation.chosen !== "cos_delete_object") return;
  const field = "confirm_delete_count";
  if (!found.whole(field, draft.confirm_delete_count, 1, COUNT_MAX)) return;
  if (objects !== undefined && Number(draft.confirm_delete_count) < objects) {
    found.add(field, "create.fault.count", { objects });
  }
}
