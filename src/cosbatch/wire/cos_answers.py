"""What COS's wire answers: the results of the calls. Source: COS API, DescribeJob (436/38609), ListJobs (436/38611),
UpdateJobPriority (436/38612), UpdateJobStatus (436/38613)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from cosbatch.model.arns import format_bucket_arn
from cosbatch.model.identifiers import Bucket, RegionName
from cosbatch.model.jobs import Job, JobRequest
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
from cosbatch.model.reports import ReportSpec
from cosbatch.wire.xml import Element, branch, leaf, parse, write

REASON_MAX_BYTES: Final = 256
CAUSE_MAX_BYTES: Final = 1024
_APPID: Final = re.compile(r"-([0-9]+)\Z")
_META_PREFIX: Final = "x-cos-meta-"


def write_create_job(job: Job) -> bytes:
    return write(branch("CreateJobResult", leaf("JobId", job.id)))


def write_update_job_priority(job: Job) -> bytes:
    return write(branch("UpdateJobPriorityResult", leaf("JobId", job.id), leaf("Priority", str(job.priority))))


def write_update_job_status(job: Job) -> bytes:
    """The status is the one that the job has now: one that is to be cancelled may be Cancelling."""
    return write(
        branch(
            "UpdateJobStatusResult",
            leaf("JobId", job.id),
            leaf("Status", job.status),
            leaf("StatusUpdateReason", _cut(job.status_reason, REASON_MAX_BYTES)),
        )
    )


def write_list_jobs(jobs: Iterable[Job], *, next_token: str) -> bytes:
    """``NextToken`` stands there empty where nothing follows."""
    members = branch("Jobs", *(_member(job) for job in jobs))
    return write(branch("ListJobsResult", members, leaf("NextToken", next_token)))


def _member(job: Job) -> Element:
    return branch(
        "member",
        leaf("CreationTime", _time(job.created_at)),
        _text("Description", job.request.description),
        leaf("JobId", job.id),
        leaf("Operation", job.operation_name),
        leaf("Priority", str(job.priority)),
        _progress(job),
        leaf("Status", job.status),
        _moment("TerminationDate", job.ended_at),
    )


def write_describe_job(job: Job) -> bytes:
    """Times that are not there yet have no element; a failure that is not there has empty ones (COS's sample)."""
    written = {part.name: part for part in _parts(job.request)}
    return write(
        branch(
            "DescribeJobResult",
            branch(
                "Job",
                leaf("ConfirmationRequired", _boolean(job.request.confirmation_required)),
                leaf("CreationTime", _time(job.created_at)),
                _text("Description", job.request.description),
                _failure(job),
                leaf("JobId", job.id),
                written.get("Manifest"),
                written.get("Operation"),
                leaf("Priority", str(job.priority)),
                _progress(job),
                written.get("Report"),
                _text("RoleArn", job.request.role_arn),
                leaf("Status", job.status),
                _text("StatusUpdateReason", _cut(job.status_reason, REASON_MAX_BYTES)),
                _text("SuspendedCause", _cut(job.suspended_cause, CAUSE_MAX_BYTES)),
                _moment("SuspendedDate", job.suspended_at),
                _moment("TerminationDate", job.ended_at),
            ),
        )
    )


def _parts(request: JobRequest) -> Sequence[Element]:
    """As this wire brought them, if it did: who holds the answer against what it has sent finds no difference."""
    return parse(request.as_written.encode()).children if request.as_written else request_parts(request)


def _failure(job: Job) -> Element:
    code = job.failure_code or ""
    reason = leaf("FailureReason", _cut(job.failure_reason, REASON_MAX_BYTES) if code else "")
    return branch("FailureReasons", branch("JobFailure", leaf("FailureCode", code), reason))


def _progress(job: Job) -> Element:
    """While the plan is made, the total is what is planned so far."""
    total = job.planned_rows if job.total is None else job.total
    return branch(
        "ProgressSummary",
        leaf("NumberOfTasksFailed", str(job.tally.failed)),
        leaf("NumberOfTasksSucceeded", str(job.tally.succeeded)),
        leaf("TotalNumberOfTasks", str(total)),
    )


# --- a request in the words of this wire


def request_parts(request: JobRequest) -> list[Element]:
    """Manifest, Operation and Report. What is ours and not COS's, the key encoding for one, has no element."""
    return [
        _manifest(request.manifest, region=request.region),
        branch("Operation", _operation(request.operation, region=request.region)),
        _report(request.report, region=request.region),
    ]


def _manifest(manifest: Manifest, *, region: RegionName) -> Element:
    place, spec = manifest.location, manifest.spec
    location = branch(
        "Location",
        leaf("ETag", f'"{place.etag}"'),
        leaf("ObjectArn", f"{_arn(place.bucket, region=region)}/{place.key}"),
        _text("ObjectVersionId", place.version_id or ""),
    )
    columns = branch("Fields", *(leaf("member", column) for column in spec.fields)) if spec.fields else None
    return branch("Manifest", location, branch("Spec", columns, leaf("Format", spec.format)))


def _operation(operation: OperationParameters, *, region: RegionName) -> Element:
    match operation:
        case PutObjectCopy():
            return _copy(operation, region=region)
        case InitiateRestoreObject(expiration_in_days=days, job_tier=tier):
            return branch("COSInitiateRestoreObject", leaf("ExpirationInDays", str(days)), leaf("JobTier", tier))
        case DeleteObject():
            return branch("COSDeleteObject")
        case PutObjectTagging(tagging_directive=directive, tag_set=tags):
            return branch("COSPutObjectTagging", leaf("TaggingDirective", directive), _tags("TagSet", tags))


def _copy(copy: PutObjectCopy, *, region: RegionName) -> Element:
    return branch(
        "COSPutObjectCopy",
        _text("AccessControlDirective", copy.access_control_directive or ""),
        _grants(copy.access_control_grants),
        _text("CannedAccessControlList", copy.canned_access_control_list or ""),
        leaf("PrefixReplace", "true") if copy.prefix_replace else None,
        _text("ResourcesPrefix", copy.resources_prefix),
        _text("TargetKeyPrefix", copy.target_key_prefix),
        _seconds("ModifiedSinceConstraint", copy.modified_since_constraint),
        _seconds("UnModifiedSinceConstraint", copy.unmodified_since_constraint),
        leaf("MetadataDirective", copy.metadata_directive),
        _new_object_metadata(copy.new_object_metadata),
        leaf("TaggingDirective", copy.tagging_directive),
        _tags("NewObjectTagging", copy.new_object_tagging),
        _text("StorageClass", copy.storage_class),
        leaf("TargetResource", _arn(copy.target_bucket, region=copy.target_region or region)),
    )


def _grants(grants: Sequence[Grant]) -> Element | None:
    if not grants:
        return None
    return branch("AccessControlGrants", *(_grant(grant) for grant in grants))


def _grant(grant: Grant) -> Element:
    grantee = branch(
        "Grantee",
        _text("DisplayName", grant.display_name),
        leaf("Identifier", grant.identifier),
        leaf("TypeIdentifier", grant.type_identifier),
    )
    return branch("COSGrant", grantee, leaf("Permission", grant.permission))


def _new_object_metadata(metadata: NewObjectMetadata) -> Element | None:
    if metadata == NewObjectMetadata():
        return None
    pairs = [
        branch("member", leaf("Key", _META_PREFIX + key), leaf("Value", value)) for key, value in metadata.user_metadata
    ]
    return branch(
        "NewObjectMetadata",
        _text("CacheControl", metadata.cache_control),
        _text("ContentDisposition", metadata.content_disposition),
        _text("ContentEncoding", metadata.content_encoding),
        _text("ContentType", metadata.content_type),
        _text("HttpExpiresDate", metadata.http_expires_date),
        _text("SSEAlgorithm", metadata.sse_algorithm),
        branch("UserMetadata", *pairs) if pairs else None,
    )


def _tags(name: str, tags: Sequence[Tag]) -> Element | None:
    if not tags:
        return None
    return branch(name, *(branch("COSTag", leaf("Key", tag.key), leaf("Value", tag.value)) for tag in tags))


def _report(report: ReportSpec, *, region: RegionName) -> Element:
    if not report.enabled or report.bucket is None:
        return branch("Report", leaf("Enabled", "false"))
    return branch(
        "Report",
        leaf("Bucket", _arn(report.bucket, region=report.region or region)),
        leaf("Enabled", "true"),
        leaf("Format", report.format),
        _text("Prefix", report.prefix),
        leaf("ReportScope", report.scope),
    )


def _arn(bucket: Bucket, *, region: RegionName) -> str:
    """In COS's newer spelling, where the bucket's name ends with an appid."""
    found = _APPID.search(bucket)
    return format_bucket_arn(bucket, region=region, appid=found[1] if found else "")


def _text(name: str, text: str) -> Element | None:
    return leaf(name, text) if text else None


def _seconds(name: str, unix_seconds: int | None) -> Element | None:
    return None if unix_seconds is None else leaf(name, str(unix_seconds))


def _moment(name: str, unix_seconds: float | None) -> Element | None:
    return None if unix_seconds is None else leaf(name, _time(unix_seconds))


def _time(unix_seconds: float) -> str:
    return datetime.fromtimestamp(unix_seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _cut(text: str, limit_bytes: int) -> str:
    """COS counts bytes of UTF-8; no character is cut in two."""
    return text.encode()[:limit_bytes].decode("utf-8", "ignore")
