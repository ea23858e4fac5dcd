import type { JobForm, OperationName, Schemas } from "../api/types";
import type { TextKey, Values } from "../i18n";
import { resourceOf } from "./arns";

/** What a job was asked to do, in the words of the create page: three sections of labels and values. */
export interface SummarySection {
  id: SectionId;
  title: TextKey;
  pairs: SummaryPair[];
}
export type SectionId = "inventory" | "operation" | "other";

export interface SummaryPair {
  label: TextKey;
  value: SummaryValue;
}

export type SummaryValue =
  /** A sentence of the console. */
  | { kind: "said"; key: TextKey; values?: Values }
  /** What somebody wrote. */
  | { kind: "words"; text: string }
  /** A name of the machine: a bucket, a key, an ARN. */
  | { kind: "code"; text: string }
  | { kind: "number"; number: number }
  | { kind: "bytes"; bytes: number }
  /** A sentence with `{share}` in it. */
  | { kind: "share"; key: TextKey; share: number }
  | { kind: "time"; at: string }
  | { kind: "pairs"; pairs: readonly { key: string; value: string }[] }
  | { kind: "list"; members: readonly string[] }
  | { kind: "columns"; fields: readonly Schemas["ManifestField"][] }
  | { kind: "grants"; grants: readonly { who: string; permission: string }[] }
  | { kind: "job"; id: string };

type CopyForm = Schemas["CopyForm"];

/** As the service's own defaults have it, where the form leaves something out. */
export function summaryOf(form: JobForm): SummarySection[] {
  return [
    { id: "inventory", title: "job.summary.inventory", pairs: inventory(form) },
    { id: "operation", title: "job.summary.operation", pairs: operation(form) },
    { id: "other", title: "job.summary.other", pairs: other(form) },
  ];
}

export function operationNameOf(form: Schemas["OperationForm"]): OperationName {
  if (form.cos_put_object_copy) return "COSPutObjectCopy";
  if (form.cos_initiate_restore_object) return "COSInitiateRestoreObject";
  if (form.cos_put_object_tagging) return "COSPutObjectTagging";
  return "COSDeleteObject";
}

function inventory(form: JobForm): SummaryPair[] {
  const { location, spec } = form.manifest;
  const isCsv = spec.format === "COSBatchOperations_CSV_V1";
  const region: SummaryPair = { label: "job.summary.region", value: code(form.region) };
  if (location.retry_of) {
    const { job_id, error_code } = location.retry_of;
    return [
      region,
      { label: "job.summary.retry-of", value: { kind: "job", id: job_id } },
      ...optional("job.summary.retry-code", error_code),
    ];
  }
  const named = resourceOf(location.object_arn);
  return [
    region,
    { label: "job.summary.format", value: said(`job.summary.format.${spec.format}`) },
    { label: "job.summary.bucket", value: code(named?.bucket ?? "") },
    { label: "job.summary.path", value: code(named?.key ?? location.object_arn) },
    ...optional("job.summary.etag", location.etag),
    ...optional("job.summary.version", location.object_version_id),
    ...when<SummaryPair>(isCsv, {
      label: "job.summary.columns",
      value: { kind: "columns", fields: spec.fields ?? [] },
    }),
    ...when<SummaryPair>(isCsv, {
      label: "job.summary.encoding",
      value: said(`job.summary.encoding.${spec.key_encoding ?? "url"}`),
    }),
  ];
}

function operation(form: JobForm): SummaryPair[] {
  const { operation } = form;
  const kind: SummaryPair = {
    label: "job.summary.kind",
    value: said(`operation.${operationNameOf(operation)}`),
  };
  const restore = operation.cos_initiate_restore_object;
  if (operation.cos_put_object_copy) return [kind, ...copy(operation.cos_put_object_copy, form)];
  if (restore) {
    return [
      kind,
      { label: "job.summary.days", value: said("job.summary.days.value", { days: restore.expiration_in_days }) },
      { label: "job.summary.tier", value: said(`job.summary.tier.${restore.job_tier}`) },
    ];
  }
  if (operation.cos_put_object_tagging) return [kind, ...tagging(operation.cos_put_object_tagging)];
  const count = form.confirm_delete_count;
  return [
    kind,
    {
      label: "job.summary.delete-count",
      value:
        count == null
          ? said("job.summary.delete-count.none")
          : said("job.summary.delete-count.value", { count: count }),
    },
  ];
}

function copy(form: CopyForm, job: JobForm): SummaryPair[] {
  const target = resourceOf(form.target_resource);
  const metadata = form.new_object_metadata;
  const fresh = newMetadata(metadata);
  const tags = form.new_object_tagging ?? [];
  const tagsDirective = form.tagging_directive ?? (tags.length > 0 ? "Replaced" : "Copy");
  const metadataDirective = form.metadata_directive ?? (fresh.length > 0 ? "Replaced" : "Copy");
  return [
    { label: "job.summary.target-bucket", value: code(target?.bucket ?? form.target_resource) },
    { label: "job.summary.target-region", value: code(form.target_region || target?.region || job.region) },
    { label: "job.summary.keys", value: keys(form) },
    {
      label: "job.summary.storage",
      value: form.storage_class ? code(form.storage_class) : said("job.summary.storage.none"),
    },
    { label: "job.summary.encryption", value: said(`job.summary.encryption.${metadata?.sse_algorithm || "none"}`) },
    { label: "job.summary.acl", value: said(`job.summary.acl.${permission(form)}`) },
    ...grants(form),
    { label: "job.summary.metadata", value: said(`job.summary.metadata.${metadataDirective}`) },
    ...pairs("job.summary.new-metadata", fresh),
    { label: "job.summary.tags", value: said(`job.summary.tags.${tagsDirective}`) },
    ...pairs("job.summary.new-tags", tags),
    ...time("job.summary.modified-since", form.modified_since_constraint),
    ...time("job.summary.unmodified-since", form.un_modified_since_constraint),
  ];
}

function keys(form: CopyForm): SummaryValue {
  const { resources_prefix: from = "", target_key_prefix: to = "" } = form;
  if (!form.prefix_replace || (!from && !to)) return said("job.summary.keys.keep");
  if (!from) return said("job.summary.keys.add", { to });
  return to ? said("job.summary.keys.replace", { from, to }) : said("job.summary.keys.remove", { from });
}

function permission(form: CopyForm) {
  const directive = form.access_control_directive;
  if (directive === "Copy" || directive === "Add") return directive;
  return form.canned_access_control_list ?? (form.access_control_grants?.length ? "grants" : "inherit");
}

function grants(form: CopyForm): SummaryPair[] {
  const found = (form.access_control_grants ?? []).map(({ grantee, permission }) => ({
    who: grantee.display_name ? `${grantee.display_name} (${grantee.identifier})` : grantee.identifier,
    permission,
  }));
  return when<SummaryPair>(found.length > 0, {
    label: "job.summary.grants",
    value: { kind: "grants", grants: found },
  });
}

function newMetadata(form: CopyForm["new_object_metadata"]): { key: string; value: string }[] {
  if (!form) return [];
  const headers: [string, string | undefined][] = [
    ["Cache-Control", form.cache_control],
    ["Content-Disposition", form.content_disposition],
    ["Content-Encoding", form.content_encoding],
    ["Content-Language", form.content_language],
    ["Content-Type", form.content_type],
    ["Expires", form.http_expires_date],
  ];
  return [
    ...headers.flatMap(([key, value]) => (value ? [{ key, value }] : [])),
    ...(form.user_metadata ?? []).map(({ key, value = "" }) => ({ key, value })),
  ];
}

function tagging(form: Schemas["TaggingForm"]): SummaryPair[] {
  const tags = form.tag_set ?? [];
  const directive = form.tagging_directive;
  const isNarrow = directive === "Delete" && tags.length > 0;
  return [
    { label: "job.summary.tags", value: said(`job.summary.tags.${isNarrow ? "Delete-some" : directive}`) },
    ...pairs(directive === "Delete" ? "job.summary.removed-tags" : "job.summary.new-tags", tags),
  ];
}

function other(form: JobForm): SummaryPair[] {
  const windows = form.windows ?? [];
  const threshold = form.failure_threshold ?? 0.5;
  return [
    {
      label: "job.summary.description",
      value: form.description ? { kind: "words", text: form.description } : said("job.summary.none"),
    },
    { label: "job.summary.priority", value: { kind: "number", number: form.priority ?? 10 } },
    ...report(form),
    { label: "job.summary.role", value: form.role_arn ? code(form.role_arn) : said("job.summary.role.none") },
    { label: "job.summary.confirmation", value: yesOrNo(form.confirmation_required ?? false) },
    {
      label: "job.summary.dry-run",
      value: said(form.dry_run ? "job.summary.dry-run.on" : "job.summary.no"),
    },
    {
      label: "job.summary.windows",
      value: windows.length > 0 ? { kind: "list", members: windows } : said("job.summary.windows.none"),
    },
    {
      label: "job.summary.threshold",
      value:
        threshold === "never"
          ? said("job.summary.threshold.never")
          : { kind: "share", key: "job.summary.threshold.value", share: threshold },
    },
    { label: "job.summary.verify", value: said(`job.summary.verify.${form.verify ?? "sample"}`) },
    ...parts(form),
    ...optional("job.summary.token", form.client_request_token),
  ];
}

function parts(form: JobForm): SummaryPair[] {
  if (!form.operation.cos_put_object_copy) return [];
  const size = (label: TextKey, bytes: number): SummaryPair => ({ label, value: { kind: "bytes", bytes } });
  return [
    size("job.summary.part-above", form.part_copy_above_bytes ?? 5 * 2 ** 30),
    size("job.summary.part-size", form.part_size_bytes ?? 256 * 2 ** 20),
  ];
}

function report({ report: form, region }: JobForm): SummaryPair[] {
  const isOn = (form.enabled ?? true) && !!form.bucket;
  if (!isOn) return [{ label: "job.summary.report", value: said("job.summary.report.off") }];
  const bucket = form.bucket ?? "";
  const named = resourceOf(bucket);
  return [
    { label: "job.summary.report", value: said(`job.summary.report.${form.report_scope ?? "AllTasks"}`) },
    { label: "job.summary.report-bucket", value: code(named?.bucket ?? bucket) },
    { label: "job.summary.report-region", value: code(named?.region || region) },
    ...optional("job.summary.report-prefix", form.prefix),
    { label: "job.summary.report-format", value: code(form.format ?? "Report_CSV_V1") },
  ];
}

function said(key: TextKey, values?: Values): SummaryValue {
  return values ? { kind: "said", key, values } : { kind: "said", key };
}

function code(text: string): SummaryValue {
  return { kind: "code", text };
}

function yesOrNo(isSo: boolean): SummaryValue {
  return said(isSo ? "job.summary.yes" : "job.summary.no");
}

function optional(label: TextKey, text: string | undefined): SummaryPair[] {
  return text ? [{ label, value: code(text) }] : [];
}

function pairs(label: TextKey, found: readonly { key: string; value?: string }[]): SummaryPair[] {
  const members = found.map(({ key, value = "" }) => ({ key, value }));
  return when<SummaryPair>(members.length > 0, { label, value: { kind: "pairs", pairs: members } });
}

/** Unix seconds, or a text as it was written. */
function time(label: TextKey, at: number | string | null | undefined): SummaryPair[] {
  if (at == null || at === "") return [];
  const date = new Date(typeof at === "number" ? at * 1_000 : /^\d+$/.test(at) ? Number(at) * 1_000 : at);
  if (Number.isNaN(date.getTime())) return [{ label, value: code(String(at)) }];
  return [{ label, value: { kind: "time", at: date.toISOString() } }];
}

function when<Each>(isSo: boolean, each: Each): Each[] {
  return isSo ? [each] : [];
}
