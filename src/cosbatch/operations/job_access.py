"""What a job does where: for the policies of its role, for its session policy, and for the test of a role."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from cosbatch.identity.policies import Access, Purpose
from cosbatch.model.identifiers import Bucket, RegionName
from cosbatch.model.jobs import JobRequest, PlanFindings, operation_name_of, region_written
from cosbatch.model.manifests import Manifest, ManifestFormat
from cosbatch.model.operations import PutObjectCopy
from cosbatch.model.regions import Versioning
from cosbatch.operations.port import JobFacts, Needs
from cosbatch.operations.registry import operation_for
from cosbatch.storage.profiles import CapabilityProfile

_MANIFEST_ACTIONS: Final = ("s3:ListBucket", "s3:GetObject", "s3:GetObjectVersion")
_LOCK_ACTION: Final = "s3:GetBucketObjectLockConfiguration"
_LOOK_ACTIONS: Final = ("s3:ListBucket", "s3:GetBucketVersioning")
"""What planning asks of the bucket that the manifest names."""
_REPORT_ACTIONS: Final = (
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:PutObject",
    "s3:GetObject",
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
)
_READING: Final = ("s3:Get", "s3:List")
_ONE_FILE: Final = frozenset({ManifestFormat.COS_CSV})
"""Formats whose manifest is one object; an inventory's names others in the same bucket."""


def job_access(
    request: JobRequest,
    *,
    findings: PlanFindings | None,
    source_profile: CapabilityProfile,
    target_profile: CapabilityProfile,
    same_store: bool,
) -> list[Access]:
    """Everything that the job does; a dry run writes its report alone. Without ``findings``, which name the source
    bucket, what planning does: of the bucket that the manifest will name it asks no more than whether it is there and
    keeps versions."""
    facts = JobFacts(
        request=request,
        findings=findings or _not_yet_known(),
        source_profile=source_profile,
        target_profile=target_profile,
        same_store=same_store,
    )
    needs = operation_for(operation_name_of(request.operation)).needs(facts)
    accesses = [*_manifest(request), *_report(request)]
    if findings is None:
        accesses.append(Access(purpose=Purpose.SOURCE_READ, region=request.region, bucket=None, actions=_LOOK_ACTIONS))
        if isinstance(request.operation, PutObjectCopy):
            accesses.append(_target(request, request.operation.target_bucket, needs))
        return accesses
    accesses.append(
        Access(
            purpose=Purpose.SOURCE_READ,
            region=request.region,
            bucket=findings.source_bucket,
            actions=(*_LOOK_ACTIONS, *_allowed(needs.source_actions, request)),
        )
    )
    accesses.append(_target(request, needs.target_bucket or findings.source_bucket, needs))
    return accesses


def with_source(accesses: list[Access], bucket: Bucket) -> list[Access]:
    """The same, of a source bucket that somebody names beforehand."""
    return [
        Access(purpose=access.purpose, region=access.region, bucket=bucket, actions=access.actions)
        if access.bucket is None
        else access
        for access in accesses
    ]


def _manifest(request: JobRequest) -> Iterator[Access]:
    """None for one in the service's own work area."""
    if request.manifest.location.retry_of is None:
        yield manifest_access(request.manifest, region=request.region)


def manifest_access(manifest: Manifest, *, region: RegionName) -> Access:
    location = manifest.location
    is_one_file = manifest.spec.format in _ONE_FILE
    return Access(
        purpose=Purpose.MANIFEST_READ,
        region=region,
        bucket=location.bucket,
        actions=_MANIFEST_ACTIONS,
        key_prefix=location.key if is_one_file else "",
    )


def _target(request: JobRequest, bucket: Bucket, needs: Needs) -> Access:
    actions = _allowed((*needs.target_actions, _LOCK_ACTION), request)
    return Access(purpose=Purpose.TARGET_WRITE, region=region_written(request), bucket=bucket, actions=actions)


def _allowed(actions: Sequence[str], request: JobRequest) -> tuple[str, ...]:
    """Of a dry run only what reads: credentials that are made for it can do no more, whatever is asked of them."""
    return tuple(action for action in actions if not request.dry_run or action.startswith(_READING))


def _report(request: JobRequest) -> Iterator[Access]:
    report = request.report
    if report.enabled and report.bucket is not None:
        yield Access(
            purpose=Purpose.REPORT_WRITE,
            region=report.region or request.region,
            bucket=report.bucket,
            actions=_REPORT_ACTIONS,
            key_prefix=report.prefix,
        )


def _not_yet_known() -> PlanFindings:
    """With versions in the target more may be needed than without: nothing must be missing."""
    return PlanFindings(
        source_bucket=Bucket(""),
        source_versioning=Versioning.ENABLED,
        target_versioning=Versioning.ENABLED,
        manifest_etag="",
    )
