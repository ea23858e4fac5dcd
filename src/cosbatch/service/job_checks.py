"""Pre-flight of a job that is not made yet, and what pre-flight has found of one that is.

A failed check is an answer here, no error. Nothing is left behind: an upload that is begun is aborted, and what could
not be is named.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from cosbatch.identity.policies import Access
from cosbatch.ledger.port import JobLedger
from cosbatch.ledger.preflight_port import PreflightLedger
from cosbatch.manifests.inspect import Inspection, inspect_manifest
from cosbatch.model.clock import Clock
from cosbatch.model.errors import (
    FailureCode,
    Fault,
    JobFailure,
    ManifestFaulty,
    NoSuchRole,
    NotAllowed,
    RoleNotAssumed,
    StorageError,
)
from cosbatch.model.identifiers import AccountId, Bucket, JobId, ObjectKey, ObjectRef, RegionName
from cosbatch.model.jobs import JobRequest, PlanFindings, region_written
from cosbatch.model.manifests import ManifestRow
from cosbatch.model.preflight import CheckName, Preflight
from cosbatch.model.principals import Caller, UserRole
from cosbatch.model.regions import Region, Versioning, is_same_store
from cosbatch.model.tasks import UploadRecord
from cosbatch.operations.checks import Checks
from cosbatch.operations.job_access import job_access
from cosbatch.operations.preflight import Ground, RoleSession, look_before_start
from cosbatch.operations.preflight_ground import check_spool, manifest_read, manifest_unreadable
from cosbatch.operations.write_check import WriteCheck, WriteTried, try_write
from cosbatch.service.audit import Record, audited
from cosbatch.service.equivalents import Equivalents, equivalents_of
from cosbatch.service.job_guards import count_faults, switch_faults
from cosbatch.storage.patience import LOOK_SECONDS, answered_within
from cosbatch.storage.port import ObjectStore
from cosbatch.storage.profiles import CapabilityProfile

REPORT_CHECK_NAME: Final = "cosbatch-check/manifest.json"
"""Stands in for the report's first file: a job that is not made has no id to name it by."""
CHECK_CLOCK_SECONDS: Final = 6.0
"""How far a store's clock may be behind this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAs:
    """Stores to ask, signed by the region's own credentials or by a role."""

    store: Callable[[RegionName], ObjectStore]
    role: RoleSession | None


OpenStores = Callable[[JobRequest, AccountId, Sequence[Access]], Awaitable[OpenAs]]
"""Assumes the job's role, where it names one, for what is given. Raises RoleNotAssumed, NoSuchRole."""
FreeSpace = Callable[[], Awaitable[float | None]]
EstimateJob = Callable[[JobRequest, Caller], Awaitable[Mapping[str, object] | None]]
"""What the job will cost, as a document; None where it cannot be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobChecked:
    """All that can be said of a job before it is made."""

    preflight: Preflight
    estimate: Mapping[str, object] | None
    request: JobRequest
    """With the ETag that its manifest has now, where it could be read."""
    equivalents: Equivalents


class JobChecker:
    """Checks jobs for the surfaces."""

    def __init__(
        self,
        *,
        jobs: JobLedger,
        preflights: PreflightLedger,
        check_request: Callable[[JobRequest, AccountId], Awaitable[None]],
        regions: Mapping[RegionName, Region],
        profile_of: Callable[[Region], CapabilityProfile],
        open_stores: OpenStores,
        free_space: FreeSpace,
        min_free_share: float,
        deletes_allowed: bool,
        clock: Clock,
        record: Record | None,
        estimate: EstimateJob | None = None,
    ) -> None:
        """``check_request`` raises InvalidArgument with all faults of a request against regions and roles."""
        self._jobs = jobs
        self._preflights = preflights
        self._check_request = check_request
        self._regions = regions
        self._profile_of = profile_of
        self._open_stores = open_stores
        self._free_space = free_space
        self._min_free_share = min_free_share
        self._deletes_allowed = deletes_allowed
        self._clock = clock
        self._record = record
        self._estimate = estimate

    async def job_preflight(self, job_id: JobId, *, caller: Caller) -> Preflight | None:
        """None where nothing was asked of it yet. NoSuchJob where the account has no such job."""
        await self._jobs.job(job_id, account=caller.account.id)
        return await self._preflights.preflight(job_id)

    async def check_job(self, request: JobRequest, *, caller: Caller) -> JobChecked:
        """Asks everything that is asked before a job starts, and makes none. It begins uploads in the job's buckets, so
        that it takes an operator. Raises InvalidArgument where the request itself has faults."""
        async with audited(self._record, caller, "check-job") as write:
            if not caller.role.may(UserRole.OPERATOR):
                text = f"user {caller.user} is a {caller.role} and may not check jobs; that takes an operator"
                raise NotAllowed(text)
            checked = await self.check_unasked(request, caller=caller)
            write.detail = f"{checked.preflight.outcome}"
        return checked

    async def check_unasked(self, request: JobRequest, *, caller: Caller) -> JobChecked:
        """The same. Whoever asks has seen to it that ``caller`` may, and tells the audit log."""
        await self._check_request(request, caller.account.id)
        return await self._check(request, caller)

    async def check_rows(
        self, request: JobRequest, rows: Sequence[ManifestRow], *, source_bucket: Bucket, caller: Caller
    ) -> Preflight:
        """The same as :meth:`check_unasked` of a job whose manifest the service keeps or would write itself: it begins
        with ``rows``. Raises InvalidArgument where the request has faults."""
        await self._check_request(request, caller.account.id)
        checks = Checks()
        await self._check_here(request, caller, checks)
        manifest_read(checks, request.manifest.location, etag="")
        look = self._look(request, caller)
        await look.rest(source_bucket, rows, checks, since=self._clock.now() - CHECK_CLOCK_SECONDS)
        return Preflight(checked_at=self._clock.now(), checks=tuple(checks.found))

    def _look(self, request: JobRequest, caller: Caller) -> _Look:
        return _Look(
            request=request,
            account=caller.account.id,
            regions=self._regions,
            profile_of=self._profile_of,
            open_stores=self._open_stores,
        )

    async def _check(self, request: JobRequest, caller: Caller) -> JobChecked:
        checks = Checks()
        await self._check_here(request, caller, checks)
        look = self._look(request, caller)
        seen = await look.manifest(checks)
        if seen is not None:
            request = _pinned(request, seen)
            look.request = request
            rows = [found.row for found in seen.first_rows if found.row is not None]
            await look.rest(seen.source_bucket, rows, checks, since=self._clock.now() - CHECK_CLOCK_SECONDS)
        estimate = None if self._estimate is None or seen is None else await self._estimate(request, caller)
        return JobChecked(
            preflight=Preflight(checked_at=self._clock.now(), checks=tuple(checks.found)),
            estimate=estimate,
            request=request,
            equivalents=equivalents_of(request),
        )

    async def _check_here(self, request: JobRequest, caller: Caller, checks: Checks) -> None:
        """What this service itself has to say."""
        uncounted = [
            replace(fault, problem=f"{fault.path} {fault.problem}") for fault in count_faults(request, caller=caller)
        ]
        for fault in [*switch_faults(request, deletes_allowed=self._deletes_allowed), *uncounted]:
            checks.failed(CheckName.DELETES, FailureCode.DELETES_NOT_ALLOWED, fault)
        check_spool(checks, free=await self._free_space(), least=self._min_free_share, waits=False)


def _pinned(request: JobRequest, seen: Inspection) -> JobRequest:
    location = replace(request.manifest.location, etag=seen.etag)
    return replace(request, manifest=replace(request.manifest, location=location))


# --- one look


@dataclass(slots=True, kw_only=True)
class _Look:
    """The course of one check, as far as it asks stores."""

    request: JobRequest
    account: AccountId
    regions: Mapping[RegionName, Region]
    profile_of: Callable[[Region], CapabilityProfile]
    open_stores: OpenStores

    async def manifest(self, checks: Checks) -> Inspection | None:
        """None where it, or the role that may read it, cannot be had: why is among the checks."""
        request, location = self.request, self.request.manifest.location
        opened = await self._opened(self._accesses(None), checks)
        if opened is None:
            checks.unknown(CheckName.MANIFEST, "the role cannot be assumed that would read it")
            return None
        try:
            seen = await inspect_manifest(request.manifest, opened.store(request.region))
            if seen.faults:
                raise ManifestFaulty(seen.faults, more=seen.more_faults)
            if location.etag and location.etag != seen.etag:
                raise JobFailure(
                    FailureCode.MANIFEST_ETAG_MISMATCH,
                    f"the manifest has the ETag {seen.etag}, and the job names {location.etag}: it was replaced",
                )
        except (JobFailure, ManifestFaulty) as error:
            manifest_unreadable(checks, location, error)
            return None
        except StorageError as error:
            checks.unknown(CheckName.MANIFEST, f"the store does not answer: {error}", way_out="ask again when it does")
            return None
        manifest_read(checks, location, etag=seen.etag)
        return seen

    async def rest(
        self, source_bucket: Bucket | None, rows: Sequence[ManifestRow], checks: Checks, *, since: float
    ) -> None:
        if source_bucket is None:
            checks.unknown(CheckName.SOURCE_BUCKET, "the manifest's first rows name no bucket")
            return
        opened = await self._opened(self._accesses(source_bucket), checks)
        if opened is None:
            return
        try:
            ground = self._ground(opened, rows, source_bucket)
        except JobFailure as failure:  # a region whose store this service cannot open
            fault = Fault(path="Region", value="", problem=failure.reason)
            checks.failed(CheckName.DESTINATION_BUCKET, failure.failure_code, fault)
            return
        uploads = _UploadsInMind()

        async def ask_write(check: WriteCheck) -> WriteTried:
            async with answered_within(LOOK_SECONDS, store="the store", target=f"PUT {check.target.bucket}"):
                return await try_write(check, uploads=uploads, since=since)

        found = await look_before_start(ground, ask_write=ask_write, waits=False)
        checks.found.extend(found.checks)

    def _ground(self, opened: OpenAs, rows: Sequence[ManifestRow], source_bucket: Bucket) -> Ground:
        request, report = self.request, self.request.report
        target = region_written(request)
        report_region = (report.region or request.region) if report.enabled else None
        source_store = opened.store(request.region)
        return Ground(
            request=request,
            source_bucket=source_bucket,
            source=source_store,
            target=source_store if target == request.region else opened.store(target),
            report=opened.store(report_region) if report_region else None,
            source_region=self.regions[request.region],
            target_region=self.regions[target],
            report_region=self.regions[report_region] if report_region else None,
            report_keys=(_report_key(report.prefix),) if report_region else (),
            rows=rows,
            role=opened.role,
        )

    async def _opened(self, accesses: Sequence[Access], checks: Checks) -> OpenAs | None:
        try:
            return await self.open_stores(self.request, self.account, accesses)
        except NoSuchRole as error:
            fault = Fault(path="RoleArn", value=self.request.role_arn, problem=str(error))
            checks.failed(CheckName.ROLE, FailureCode.ASSUME_ROLE_FAILED, fault)
            return None
        except RoleNotAssumed as error:
            text = f"{self.request.role_arn} cannot be assumed: {error}"
            if error.may_pass:
                checks.unknown(CheckName.ROLE, text, way_out="ask again when its provider answers")
            else:
                way_out = "look at the role's trust policy, external id and key"
                fault = Fault(path="RoleArn", value=self.request.role_arn, problem=text, way_out=way_out)
                checks.failed(CheckName.ROLE, FailureCode.ASSUME_ROLE_FAILED, fault)
            return None

    def _accesses(self, source_bucket: Bucket | None) -> list[Access]:
        source, target = self.regions[self.request.region], self.regions[region_written(self.request)]
        known = None
        if source_bucket is not None:
            known = PlanFindings(
                source_bucket=source_bucket,
                source_versioning=Versioning.ENABLED,
                target_versioning=Versioning.ENABLED,
                manifest_etag="",
            )
        return job_access(
            self.request,
            findings=known,
            source_profile=self.profile_of(source),
            target_profile=self.profile_of(target),
            same_store=is_same_store(source, target),
        )


def _report_key(prefix: str) -> ObjectKey:
    slash = "/" if prefix and not prefix.endswith("/") else ""
    return ObjectKey(f"{prefix}{slash}{REPORT_CHECK_NAME}")


@dataclass(slots=True)
class _UploadsInMind:
    """The uploads that a check has begun, while it lasts."""

    known: list[UploadRecord] = field(default_factory=list)

    async def recorded(self, number: int) -> Sequence[UploadRecord]:
        return [record for record in self.known if record.task_number == number]

    async def add(self, number: int, target: ObjectRef, upload_id: str) -> None:
        self.known.append(UploadRecord(task_number=number, target=target, upload_id=upload_id, fence=0))

    async def remove(self, upload_id: str) -> None:
        self.known = [record for record in self.known if record.upload_id != upload_id]
