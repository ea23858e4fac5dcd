"""A job as plain values: the request in the form that :mod:`cosbatch.service.job_schema` reads, its digest, and the job
with its progress, as machines get it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cosbatch.model.arns import format_bucket_arn
from cosbatch.model.job_summaries import JobSummary
from cosbatch.model.jobs import Job, JobEvent, JobRequest
from cosbatch.model.manifests import Manifest
from cosbatch.model.operations import (
    DeleteObject,
    Grant,
    InitiateRestoreObject,
    NewObjectMetadata,
    OperationParameters,
    PutObjectCopy,
    PutObjectTagging,
    Tag,
)
from cosbatch.model.reports import ReportSpec, Tally


def request_digest(request: JobRequest) -> str:
    """SHA-256 of the request's one canonical spelling: what a ClientRequestToken is held against."""
    canonical = json.dumps(request_document(request), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def request_document(request: JobRequest) -> dict[str, Any]:
    """The request as a job file has it, without the fields that are empty. Reading it back gives the same request."""
    return _without_empty(
        {
            "region": request.region,
            "description": request.description,
            "priority": request.priority,
            "confirmation_required": request.confirmation_required,
            "role_arn": request.role_arn,
            "manifest": _manifest(request.manifest),
            "operation": _operation(request.operation),
            "report": _report(request.report),
            "failure_threshold": "never" if request.failure_threshold is None else request.failure_threshold,
            "verify": request.verify.value,
            "part_copy_above_bytes": request.part_copy_above_bytes,
            "part_size_bytes": request.part_size_bytes,
            "windows": [str(window) for window in request.windows],
            "confirm_delete_count": request.confirm_delete_count,
            "dry_run": request.dry_run or None,  # absent where it is none: digests of older requests stay what they are
        }
    )


def _without_empty(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None and value not in ("", [], {})}


def _manifest(manifest: Manifest) -> dict[str, Any]:
    """One in the work area also says whose failed rows it lists. It cannot be asked for in a document: that it is read
    back is true of every other."""
    failed = manifest.location.retry_of
    location = _without_empty(
        {
            "object_arn": f"{format_bucket_arn(manifest.location.bucket)}/{manifest.location.key}",
            "etag": manifest.location.etag,
            "object_version_id": manifest.location.version_id,
            "retry_of": failed and _without_empty({"job_id": failed.job_id, "error_code": failed.error_code}),
        }
    )
    spec = _without_empty(
        {
            "format": manifest.spec.format.value,
            "fields": [field.value for field in manifest.spec.fields],
            "key_encoding": manifest.spec.key_encoding.value,
        }
    )
    return {"location": location, "spec": spec}


def _operation(parameters: OperationParameters) -> dict[str, Any]:
    match parameters:
        case PutObjectCopy():
            return {"cos_put_object_copy": _copy(parameters)}
        case InitiateRestoreObject(expiration_in_days=days, job_tier=tier):
            return {"cos_initiate_restore_object": {"expiration_in_days": days, "job_tier": tier.value}}
        case DeleteObject():
            return {"cos_delete_object": {}}
        case PutObjectTagging(tagging_directive=directive, tag_set=tags):
            return {"cos_put_object_tagging": {"tagging_directive": directive.value, "tag_set": _tags(tags)}}


def _copy(copy: PutObjectCopy) -> dict[str, Any]:
    directive, canned = copy.access_control_directive, copy.canned_access_control_list
    return _without_empty(
        {
            "target_resource": format_bucket_arn(copy.target_bucket),
            "target_region": copy.target_region,
            "access_control_directive": directive and directive.value,
            "access_control_grants": [_grant(grant) for grant in copy.access_control_grants],
            "canned_access_control_list": canned and canned.value,
            "prefix_replace": copy.prefix_replace,
            "resources_prefix": copy.resources_prefix,
            "target_key_prefix": copy.target_key_prefix,
            "modified_since_constraint": copy.modified_since_constraint,
            "un_modified_since_constraint": copy.unmodified_since_constraint,
            "metadata_directive": copy.metadata_directive.value,
            "new_object_metadata": _new_object_metadata(copy.new_object_metadata),
            "storage_class": copy.storage_class,
            "tagging_directive": copy.tagging_directive.value,
            "new_object_tagging": _tags(copy.new_object_tagging),
        }
    )


def _grant(grant: Grant) -> dict[str, Any]:
    grantee = {
        "identifier": grant.identifier,
        "type_identifier": grant.type_identifier.value,
        "display_name": grant.display_name,
    }
    return {"grantee": _without_empty(grantee), "permission": grant.permission.value}


def _new_object_metadata(metadata: NewObjectMetadata) -> dict[str, Any]:
    return _without_empty(
        {
            "cache_control": metadata.cache_control,
            "content_disposition": metadata.content_disposition,
            "content_encoding": metadata.content_encoding,
            "content_type": metadata.content_type,
            "content_language": metadata.content_language,
            "http_expires_date": metadata.http_expires_date,
            "sse_algorithm": metadata.sse_algorithm,
            "user_metadata": [{"key": key, "value": value} for key, value in metadata.user_metadata],
        }
    )


def _tags(tags: tuple[Tag, ...]) -> list[dict[str, str]]:
    return [{"key": tag.key, "value": tag.value} for tag in tags]


def _report(report: ReportSpec) -> dict[str, Any]:
    if not report.enabled or report.bucket is None:
        return {"enabled": False}
    return _without_empty(
        {
            "enabled": True,
            "bucket": format_bucket_arn(report.bucket, region=report.region),
            "format": report.format.value,
            "prefix": report.prefix,
            "report_scope": report.scope.value,
        }
    )


# --- jobs, for machines


def job_document(job: Job) -> dict[str, Any]:
    """COS's DescribeJob in snake_case, and what is ours beside it; times are ISO 8601 in UTC, absent ones null."""
    return {
        "job_id": job.id,
        "status": job.status.value,
        "status_update_reason": job.status_reason,
        "operation_name": job.operation_name.value,
        "creation_time": iso_time(job.created_at),
        "started_time": iso_time(job.started_at),
        "termination_date": iso_time(job.ended_at),
        "suspended_date": iso_time(job.suspended_at),
        "suspended_cause": job.suspended_cause,
        "paused_by": job.paused_by and job.paused_by.value,
        "client_request_token": job.token,
        "progress_summary": progress_document(job),
        "failure_reasons": _failure(job),
        "failures_by_code": _codes(job.tally),
        "hold": job.hold and {"bucket": job.hold.bucket, "reason": job.hold.reason, "since": iso_time(job.hold.since)},
        "report_state": job.report_state.value,
        "report_location": job.report_location,
        **request_document(job.request),
        "dry_run": job.request.dry_run,
        "priority": job.priority,
    }


def summary_document(job: JobSummary) -> dict[str, Any]:
    """Of a list, with the names of :func:`job_document`."""
    return {
        "job_id": job.id,
        "region": job.region,
        "operation_name": job.operation_name.value,
        "description": job.description,
        "status": job.status.value,
        "priority": job.priority,
        "creation_time": iso_time(job.created_at),
        "started_time": iso_time(job.started_at),
        "termination_date": iso_time(job.ended_at),
        "progress_summary": {
            "total_number_of_tasks": job.total,
            "number_of_tasks_succeeded": job.succeeded,
            "number_of_tasks_failed": job.failed,
            "planned_rows": job.planned_rows,
        },
    }


def progress_document(job: Job) -> dict[str, int | None]:
    return {
        "total_number_of_tasks": job.total,
        "number_of_tasks_succeeded": job.tally.succeeded,
        "number_of_tasks_failed": job.tally.failed,
        "number_of_tasks_skipped": job.tally.skipped,
        "planned_rows": job.planned_rows,
        "bytes_done": job.tally.bytes_done,
        "requests": job.tally.requests,
    }


def _failure(job: Job) -> list[dict[str, str]]:
    if job.failure_code is None:
        return []
    return [{"failure_code": job.failure_code.value, "failure_reason": job.failure_reason}]


def _codes(tally: Tally) -> dict[str, dict[str, Any]]:
    return {code: {"count": found.count, "sample_keys": list(found.samples)} for code, found in tally.codes.items()}


def event_document(event: JobEvent) -> dict[str, Any]:
    return {
        "at": iso_time(event.at),
        "actor": event.actor.value,
        "by": event.by,
        "kind": event.kind,
        "status": event.status.value,
        "reason": event.reason,
    }


def iso_time(unix_seconds: float | None) -> str | None:
    """``2025-08-02T03:00:00Z``."""
    if unix_seconds is None:
        return None
    return datetime.fromtimestamp(unix_seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
