"""What is asked of the stores before a job may start: the buckets, their regions and versioning, and the options."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from cosbatch.model.errors import FailureCode, Fault, StorageError, StorageReason
from cosbatch.model.identifiers import Bucket, ObjectKey
from cosbatch.model.jobs import JobRequest, PlanFindings, operation_name_of
from cosbatch.model.operations import PutObjectCopy
from cosbatch.model.regions import Provider, Region, Versioning
from cosbatch.operations.problems import Problems
from cosbatch.operations.registry import operation_for
from cosbatch.operations.target_key import overlap_rule
from cosbatch.storage.disposition import Action, disposition
from cosbatch.storage.port import ObjectStore
from cosbatch.storage.profiles import Option, Support
from cosbatch.storage.telling_why import bucket_region_or_cause

__all__ = ["names_its_regions", "overlap_rule", "prepare_job"]

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A bucket that the job names, and where it says that it is."""

    bucket: Bucket
    store: ObjectStore
    region: Region | None
    path: str
    missing: FailureCode
    """What the job fails with where there is no such bucket."""


async def prepare_job(
    request: JobRequest,
    *,
    source_bucket: Bucket,
    source: ObjectStore,
    target: ObjectStore,
    report: ObjectStore | None,
    report_keys: Sequence[ObjectKey] = (),
    source_region: Region,
    target_region: Region,
) -> PlanFindings:
    """``report_keys``: where the report will go. Raises JobFailure with all that is wrong. A store that does
    not answer raises its StorageError: that is no fault of the job, and is worth another try."""
    problems = Problems()
    for fault in operation_for(operation_name_of(request.operation)).check(
        request, source=source.profile, target=target.profile
    ):
        problems.add(FailureCode.UNSUPPORTED_OPTION, fault)
    for fault in _report_key_faults(report, report_keys, prefix=request.report.prefix):
        problems.add(FailureCode.UNSUPPORTED_OPTION, fault)
    target_bucket = _target_bucket(request, source_bucket)
    places = [
        _source_place(source_bucket, source, source_region),
        *_target_places(request, source_bucket, target, target_region),
        *_report_places(request, report),
    ]
    for place in places:
        await _check_place(place, problems)
    is_one = (target_bucket, target_region.name) == (source_bucket, source_region.name)
    path = "Manifest.Location" if is_one else "Operation"
    target_versioning = await _versioning(target, target_bucket, path, problems)
    problems.raise_any()
    return PlanFindings(
        source_bucket=source_bucket,
        source_versioning=target_versioning if is_one else Versioning.NEVER,  # nobody asks for that of a bucket read
        target_versioning=target_versioning,
        manifest_etag=request.manifest.location.etag,
    )


def _target_bucket(request: JobRequest, source_bucket: Bucket) -> Bucket:
    operation = request.operation
    return operation.target_bucket if isinstance(operation, PutObjectCopy) else source_bucket


def _source_place(bucket: Bucket, store: ObjectStore, region: Region) -> _Place:
    return _Place(
        bucket=bucket,
        store=store,
        region=region,
        path="Manifest.Location",
        missing=FailureCode.SOURCE_NOT_FOUND,
    )


def _target_places(request: JobRequest, source_bucket: Bucket, store: ObjectStore, region: Region) -> Iterator[_Place]:
    bucket = _target_bucket(request, source_bucket)
    if bucket != source_bucket or region.name != request.region:
        path, missing = "Operation.COSPutObjectCopy.TargetResource", FailureCode.TARGET_NOT_FOUND
        yield _Place(bucket=bucket, store=store, region=region, path=path, missing=missing)


def _report_places(request: JobRequest, store: ObjectStore | None) -> Iterator[_Place]:
    spec = request.report
    if spec.enabled and spec.bucket and store:
        missing = FailureCode.REPORT_BUCKET_NOT_FOUND
        yield _Place(bucket=spec.bucket, store=store, region=None, path="Report.Bucket", missing=missing)


def _report_key_faults(store: ObjectStore | None, keys: Sequence[ObjectKey], *, prefix: str) -> Iterator[Fault]:
    """A report that the store cannot keep would be found out about when every object is copied."""
    if store is None:
        return
    profile, way_out = store.profile, "choose another prefix for the report"
    if not all(profile.takes_key(key) for key in keys):
        problem = f"the store (profile {profile.name}) takes no keys like {keys[0]}"
        yield Fault(path="Report.Prefix", value=prefix, problem=problem, way_out=way_out)
    longest = max((len(key.encode()) for key in keys), default=0)
    if longest > profile.max_key_bytes:
        problem = f"the report's keys have up to {longest} bytes, the store takes {profile.max_key_bytes}"
        yield Fault(path="Report.Prefix", value=prefix, problem=problem, way_out=way_out)


async def _check_place(place: _Place, problems: Problems) -> None:
    """There, readable, and where the job says."""
    actual = await _ask(lambda: bucket_region_or_cause(place.store, place.bucket), place, problems)
    if not actual or place.region is None or not names_its_regions(place.region):
        return
    if actual != place.region.signing_region:
        problem = (
            f"the bucket is in {actual}, and the job's region {place.region.name} is {place.region.signing_region}"
        )
        problems.add(FailureCode.REGION_MISMATCH, Fault(path=place.path, value=place.bucket, problem=problem))


def names_its_regions(region: Region) -> bool:
    """Whether the store's own name of a bucket's region can be held against the region table. Other stores answer
    nothing, or a name that their operator chose: their regions stay unchecked."""
    return region.provider is Provider.COS or region.profile == "s3"


async def _versioning(store: ObjectStore, bucket: Bucket, path: str, problems: Problems) -> Versioning:
    """NEVER where there is a problem (then the job does not start), and where the store has no versions to ask for."""
    if problems.found or store.profile.supports(Option.VERSIONS) is Support.REFUSED:
        return Versioning.NEVER
    place = _Place(bucket=bucket, store=store, region=None, path=path, missing=FailureCode.TARGET_NOT_FOUND)
    return await _ask(lambda: store.versioning(bucket), place, problems) or Versioning.NEVER


async def _ask(question: Callable[[], Awaitable[Answer]], place: _Place, problems: Problems) -> Answer | None:
    try:
        return await question()
    except StorageError as error:
        problem = _problem_of(error, place)
        if problem is None:
            raise
        problems.add(*problem)
        return None


def _problem_of(error: StorageError, place: _Place) -> tuple[FailureCode, Fault] | None:
    """None where the error says nothing about the job."""
    match error.reason:
        case StorageReason.NO_SUCH_BUCKET | StorageReason.NO_SUCH_KEY:
            code, problem = place.missing, "there is no such bucket"
        case StorageReason.ACCESS_DENIED:
            code, problem = FailureCode.ROLE_LACKS_PERMISSION, f"the store refuses {error.target or 'to answer'}"
            problem += f" ({error.code})"
        case StorageReason.WRONG_REGION:
            code, problem = FailureCode.REGION_MISMATCH, f"the bucket is in another region: {error.message}"
        case _ if disposition(error, writes=False).action is Action.FAIL_TASK:
            code, problem = FailureCode.ROLE_LACKS_PERMISSION, f"the store refuses to tell of it: {error}"
        case _:
            return None
    return code, Fault(path=place.path, value=place.bucket, problem=problem)
