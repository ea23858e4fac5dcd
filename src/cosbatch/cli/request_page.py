"""What a job was asked to do, as people read it; and the plan that is shown before it runs."""

from __future__ import annotations

from typing import Final

from cosbatch.cli.output import counted, pairs, size
from cosbatch.model.identifiers import ObjectKey
from cosbatch.model.jobs import Job, JobRequest
from cosbatch.model.manifests import Manifest
from cosbatch.model.operations import (
    DeleteObject,
    Directive,
    InitiateRestoreObject,
    NewObjectMetadata,
    PutObjectCopy,
    PutObjectTagging,
    TaggingChange,
)
from cosbatch.model.reports import ReportSpec
from cosbatch.operations.outcome import TaskRefused
from cosbatch.operations.target_key import target_key
from cosbatch.service.job_document import iso_time

_LONGEST_KEY_BYTES: Final = 1024
"""In COS 850, elsewhere 1,024: each task is held against its own store's limit."""


def request_pairs(request: JobRequest) -> list[tuple[str, str]]:
    rows = [
        ("Dry run", "nothing is written but the report" if request.dry_run else ""),
        ("Description", request.description),
        ("Region", request.region),
        ("Manifest", _manifest(request.manifest)),
    ]
    rows += _operation_pairs(request)
    threshold = request.failure_threshold
    stop = "never" if threshold is None else f"above {threshold:.0%} failed tasks"
    rows += [("Report to", _report(request.report)), ("Fails", stop), ("Reads back", request.verify.value)]
    windows = "; ".join(str(window) for window in request.windows)
    return [*rows, ("Works in", windows)] if windows else rows


def _manifest(manifest: Manifest) -> str:
    location = manifest.location
    if (failed := location.retry_of) is not None:
        return f"what failed in job {failed.job_id}" + (f" with {failed.error_code}" if failed.error_code else "")
    return f"{location.bucket}/{location.key} ({manifest.spec.format}, ETag {location.etag or '?'})"


def _operation_pairs(request: JobRequest) -> list[tuple[str, str]]:
    match request.operation:
        case PutObjectCopy() as copy:
            return copy_pairs(copy, region=request.region)
        case InitiateRestoreObject(expiration_in_days=days, job_tier=tier):
            return [("Restores", f"archived objects for {counted(days, 'day')}, tier {tier}")]
        case DeleteObject():
            return [("Deletes", "each object, or the version that its row names")]
        case PutObjectTagging() as tagging:
            return [("Tags", _tagging(tagging))]


def _tagging(tagging: PutObjectTagging) -> str:
    tags = ", ".join(f"{tag.key}={tag.value}" for tag in tagging.tag_set)
    match tagging.tagging_directive:
        case TaggingChange.REPLACED:
            return f"replaced by {tags}"
        case TaggingChange.ADD:
            return f"those that are there, with {tags} added"
        case TaggingChange.DELETE:
            return f"{', '.join(tag.key for tag in tagging.tag_set) or 'all'} taken away"


def copy_pairs(copy: PutObjectCopy, *, region: str) -> list[tuple[str, str]]:
    return [
        ("Copies to", f"{copy.target_bucket} in {copy.target_region or region}"),
        ("Prefix", _prefix(copy)),
        ("Metadata", _metadata(copy)),
        ("Encryption", copy.new_object_metadata.sse_algorithm),
        ("Tags", _tags(copy)),
        ("Permission", _permission(copy)),
        ("Storage class", copy.storage_class),
        ("Only if modified after", iso_time(copy.modified_since_constraint) or ""),
        ("Only if not modified after", iso_time(copy.unmodified_since_constraint) or ""),
    ]


def _prefix(copy: PutObjectCopy) -> str:
    return f"{copy.resources_prefix!r} becomes {copy.target_key_prefix!r}" if copy.prefix_replace else ""


def _metadata(copy: PutObjectCopy) -> str:
    if copy.metadata_directive is Directive.COPY:
        return "copied"
    names = ", ".join(_metadata_names(copy.new_object_metadata)) or "nothing"
    return f"replaced by {names}" if copy.metadata_directive is Directive.REPLACED else f"copied, with {names} added"


def _metadata_names(metadata: NewObjectMetadata) -> list[str]:
    headers = {
        "Cache-Control": metadata.cache_control,
        "Content-Disposition": metadata.content_disposition,
        "Content-Encoding": metadata.content_encoding,
        "Content-Type": metadata.content_type,
        "Content-Language": metadata.content_language,
        "Expires": metadata.http_expires_date,
    }
    return [f"{name}: {value}" for name, value in [*headers.items(), *metadata.user_metadata] if value]


def _tags(copy: PutObjectCopy) -> str:
    if copy.tagging_directive is Directive.COPY:
        return "copied"
    tags = ", ".join(f"{tag.key}={tag.value}" for tag in copy.new_object_tagging)
    return f"replaced by {tags}" if copy.tagging_directive is Directive.REPLACED else f"copied, with {tags} added"


def _permission(copy: PutObjectCopy) -> str:
    given = copy.canned_access_control_list or ", ".join(
        f"{grant.permission} for {grant.identifier}" for grant in copy.access_control_grants
    )
    match copy.access_control_directive:
        case None:
            return "the destination bucket's"
        case Directive.COPY:
            return "copied"
        case Directive.REPLACED:
            return f"replaced by {given}"
        case Directive.ADD:
            return f"copied, with {given} added"


def _report(report: ReportSpec) -> str:
    if not report.enabled:
        return "none"
    return f"{report.bucket}/{report.prefix} ({report.scope})"


def _first(request: JobRequest, key: ObjectKey) -> str:
    """The first object, and where a copy of it goes."""
    return f"{key} -> {_target(request.operation, key)}" if isinstance(request.operation, PutObjectCopy) else key


def _target(copy: PutObjectCopy, key: ObjectKey) -> str:
    try:
        return target_key(copy, key, max_key_bytes=_LONGEST_KEY_BYTES)
    except TaskRefused as refusal:
        return f"fails: {refusal}"


def plan_page(job: Job, *, first_key: ObjectKey | None) -> str:
    """Shown before a job runs: how much, from where to where, with what."""
    findings = job.findings
    source = findings.source_bucket if findings else "?"
    listed = findings.listed if findings else None
    first = "" if first_key is None else _first(job.request, first_key)
    is_copy = isinstance(job.request.operation, PutObjectCopy)
    rows = [
        ("Job", job.id),
        ("Objects", counted(job.total or 0, "task")),
        ("Bytes", "" if listed is None or listed.size_bytes is None else size(listed.size_bytes)),
        ("First", first),
        ("Copies from" if is_copy else "In", f"{source} in {job.request.region}"),
        *request_pairs(job.request),
    ]
    return pairs(rows)


def question(job: Job) -> str:
    """What is asked under the plan; a deletion is named, since nothing brings an object back."""
    if isinstance(job.request.operation, DeleteObject):
        return f"Delete what these {counted(job.total or 0, 'row')} name?"
    return "Run it?"


def count_question(job: Job) -> str:
    """A deletion is confirmed by the number that the plan shows, so that nobody says yes by habit."""
    return f"{question(job)} Type their number ({job.total}) to go on"
