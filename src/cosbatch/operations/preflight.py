"""What is asked before a job may start, in one place: of its parameters, its role, its buckets and its first rows.

The engine asks before a job gets Ready, the service for a job that is not made yet. No object changes by it: objects
and buckets are looked at, and a multipart upload is begun and aborted where the job will write.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from cosbatch.model.errors import FailureCode, Fault
from cosbatch.model.identifiers import Bucket, ObjectKey
from cosbatch.model.jobs import JobRequest, PlanFindings
from cosbatch.model.manifests import ManifestRow
from cosbatch.model.operations import PutObjectCopy
from cosbatch.model.preflight import Check, CheckName
from cosbatch.model.regions import Region, Versioning, is_same_store
from cosbatch.operations.checks import Checks
from cosbatch.operations.port import JobFacts
from cosbatch.operations.preflight_options import check_options
from cosbatch.operations.preflight_rows import check_rows
from cosbatch.operations.preflight_sites import Looks, Site, check_object_lock, check_site, check_versioning
from cosbatch.operations.write_check import WriteCheck, WriteTried, report_check, target_check
from cosbatch.storage.port import ObjectStore

AskWrite = Callable[[WriteCheck], Awaitable[WriteTried]]
"""Begins an upload and aborts it, and keeps in mind what it has begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleSession:
    """What a job with a role acts with."""

    arn: str
    is_narrowed: bool
    """A session policy holds it to what the job does."""
    writable_buckets: tuple[Bucket, ...] = ()
    """Those that the role is registered for; empty: any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What pre-flight stands on: a job, the stores that it acts on, and what its manifest says."""

    request: JobRequest
    source_bucket: Bucket
    source: ObjectStore
    target: ObjectStore
    """The same object as ``source`` where both buckets are in one region."""
    report: ObjectStore | None
    source_region: Region
    target_region: Region
    report_region: Region | None = None
    report_keys: Sequence[ObjectKey] = ()
    """Where the report will go."""
    rows: Sequence[ManifestRow] = ()
    """The first of the manifest."""
    role: RoleSession | None = None

    @property
    def target_bucket(self) -> Bucket:
        operation = self.request.operation
        return operation.target_bucket if isinstance(operation, PutObjectCopy) else self.source_bucket

    @property
    def is_one_bucket(self) -> bool:
        here = (self.source_bucket, self.source_region.name)
        return (self.target_bucket, self.target_region.name) == here

    def facts(self, findings: PlanFindings) -> JobFacts:
        return JobFacts(
            request=self.request,
            findings=findings,
            source_profile=self.source.profile,
            target_profile=self.target.profile,
            same_store=is_same_store(self.source_region, self.target_region),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    checks: tuple[Check, ...]
    findings: PlanFindings
    """Good where no check has failed."""
    asked_target: bool
    """Some row's key was there to ask with whether the destination may be written; True where nothing can be asked."""


async def look_before_start(ground: Ground, *, ask_write: AskWrite, waits: bool, sees_objects: bool = True) -> Found:
    """Every check of a job whose manifest can be read.

    ``waits``: what may pass by itself is raised as a StorageError, for it is no fault of the job; else it is told as
    unknown, and the same store is not asked again. ``sees_objects``: the credentials may look at objects of the source;
    else :func:`look_at_objects` is for later.
    """
    checks = Checks()
    looks = Looks(checks=checks, waits=waits)
    _check_role(ground, checks)
    _check_allowed(ground, checks)
    check_options(ground.facts(_findings(ground, Versioning.NEVER)), checks)
    _check_report_keys(ground, checks)
    source, target, report = _source_site(ground), _target_site(ground), _report_site(ground)
    for site in (source, target, report):
        if site is not None:
            await check_site(site, looks)
    written = target or source
    findings = _findings(ground, await check_versioning(written, looks))
    if sees_objects:
        await check_object_lock(written, ground.request, looks)
        await check_rows(source, ground.rows, request=ground.request, looks=looks)
    asked_target = await _check_destination(ground, written, findings, looks, ask_write=ask_write)
    if report is not None and ground.report is not None and ground.report_keys:
        check = report_check(report.bucket, ground.report_keys[0], store=ground.report)
        await _check_write(check, report, CheckName.REPORT_WRITABLE, looks, ask_write=ask_write)
    return Found(checks=tuple(checks.found), findings=findings, asked_target=asked_target)


async def look_at_objects(ground: Ground) -> tuple[Check, ...]:
    """What :func:`look_before_start` has left out."""
    looks = Looks(checks=Checks(), waits=True)
    source = _source_site(ground)
    await check_object_lock(_target_site(ground) or source, ground.request, looks)
    await check_rows(source, ground.rows, request=ground.request, looks=looks)
    return tuple(looks.checks.found)


def objects_unseen(why: str) -> tuple[Check, ...]:
    """In place of :func:`look_at_objects` where it cannot be done."""
    checks = Checks()
    for name in (CheckName.OBJECT_LOCK, CheckName.SOURCE_READABLE, CheckName.FIRST_ROWS):
        checks.unknown(name, why, way_out="the first tasks will tell")
    return tuple(checks.found)


async def look_at_destination(
    ground: Ground, rows: Sequence[ManifestRow], findings: PlanFindings, *, ask_write: AskWrite
) -> Check | None:
    """Asks again whether the destination may be written, with a key of later rows; None where none of them has one."""
    written = _target_site(ground) or _source_site(ground)
    looks = Looks(checks=Checks(), waits=True)
    check = target_check(ground.facts(findings), rows, store=ground.target)
    if check is None:
        return None
    await _check_write(check, written, CheckName.DESTINATION_WRITABLE, looks, ask_write=ask_write)
    return looks.checks.found[0]


def _findings(ground: Ground, target_versioning: Versioning) -> PlanFindings:
    return PlanFindings(
        source_bucket=ground.source_bucket,
        # Nobody asks for that of a bucket that is only read.
        source_versioning=target_versioning if ground.is_one_bucket else Versioning.NEVER,
        target_versioning=target_versioning,
        manifest_etag=ground.request.manifest.location.etag,
    )


# --- where


def _source_site(ground: Ground) -> Site:
    return Site(
        bucket=ground.source_bucket,
        store=ground.source,
        region=ground.source_region,
        path="Manifest.Location",
        missing=FailureCode.SOURCE_NOT_FOUND,
        bucket_check=CheckName.SOURCE_BUCKET,
        region_check=CheckName.SOURCE_REGION,
    )


def _target_site(ground: Ground) -> Site | None:
    """None where it is the source's bucket."""
    if ground.is_one_bucket:
        return None
    return Site(
        bucket=ground.target_bucket,
        store=ground.target,
        region=ground.target_region,
        path="Operation.COSPutObjectCopy.TargetResource",
        missing=FailureCode.TARGET_NOT_FOUND,
        bucket_check=CheckName.DESTINATION_BUCKET,
        region_check=CheckName.DESTINATION_REGION,
        versions_path="Operation",
    )


def _report_site(ground: Ground) -> Site | None:
    spec = ground.request.report
    if not (spec.enabled and spec.bucket and ground.report):
        return None
    return Site(
        bucket=spec.bucket,
        store=ground.report,
        region=ground.report_region,
        path="Report.Bucket",
        missing=FailureCode.REPORT_BUCKET_NOT_FOUND,
        bucket_check=CheckName.REPORT_BUCKET,
        region_check=CheckName.REPORT_REGION,
    )


# --- the role


def _check_role(ground: Ground, checks: Checks) -> None:
    role = ground.role
    if not ground.request.role_arn:
        checks.passed(CheckName.ROLE, "the job names no role: the region's own credentials sign")
    elif role is None:
        checks.unknown(CheckName.ROLE, "nothing is known of what the role's credentials may do")
    elif role.is_narrowed:
        checks.passed(CheckName.ROLE, f"{role.arn} was assumed, narrowed to what the job does")
    else:
        detail = f"{role.arn} was assumed; its provider does not narrow it, so the job has all that the role may do"
        checks.passed(CheckName.ROLE, detail)


def _check_allowed(ground: Ground, checks: Checks) -> None:
    role = ground.role
    if role is None or not role.writable_buckets:
        return
    refused = list(not_allowed(ground.request, role, source_bucket=ground.source_bucket))
    for fault in refused:
        checks.failed(CheckName.ALLOWED_BUCKETS, FailureCode.BUCKET_NOT_ALLOWED, fault)
    if not refused:
        checks.passed(CheckName.ALLOWED_BUCKETS, f"{role.arn} may be used to write the buckets of the job")


def not_allowed(request: JobRequest, role: RoleSession, *, source_bucket: Bucket | None) -> Iterator[Fault]:
    """The buckets that the job writes or deletes from, and that the role is not registered for. ``source_bucket`` is
    None where the manifest, which names it, was not read yet."""
    written = [(source_bucket, "Manifest.Location")]
    if isinstance(request.operation, PutObjectCopy):
        written = [(request.operation.target_bucket, "Operation.COSPutObjectCopy.TargetResource")]
    if request.report.enabled:
        written.append((request.report.bucket, "Report.Bucket"))
    for bucket, path in written:
        if bucket is not None and role.writable_buckets and bucket not in role.writable_buckets:
            yield Fault(
                path=path,
                value=bucket,
                problem=f"{role.arn} is registered here for writing {', '.join(role.writable_buckets)} alone",
                way_out="name one of these buckets or another role, or let an admin register the bucket for the role",
            )


# --- writing


def _check_report_keys(ground: Ground, checks: Checks) -> None:
    """A report that the store cannot keep would be found out about when every object is copied."""
    if ground.report is None or not ground.report_keys:
        return
    prefix = ground.request.report.prefix
    faults = list(_report_key_faults(ground.report, ground.report_keys, prefix=prefix))
    for fault in faults:
        checks.failed(CheckName.REPORT_KEYS, FailureCode.UNSUPPORTED_OPTION, fault)
    if not faults:
        checks.passed(CheckName.REPORT_KEYS, f"the store takes keys like {ground.report_keys[0]}")


def _report_key_faults(store: ObjectStore, keys: Sequence[ObjectKey], *, prefix: str) -> Iterator[Fault]:
    profile, way_out = store.profile, "choose another prefix for the report"
    if not all(profile.takes_key(key) for key in keys):
        problem = f"the store (profile {profile.name}) takes no keys like {keys[0]}"
        yield Fault(path="Report.Prefix", value=prefix, problem=problem, way_out=way_out)
    longest = max(len(key.encode()) for key in keys)
    if longest > profile.max_key_bytes:
        problem = f"the report's keys have up to {longest} bytes, the store takes {profile.max_key_bytes}"
        yield Fault(path="Report.Prefix", value=prefix, problem=problem, way_out=way_out)


async def _check_destination(
    ground: Ground, written: Site, findings: PlanFindings, looks: Looks, *, ask_write: AskWrite
) -> bool:
    """Whether it was asked, or cannot be."""
    name = CheckName.DESTINATION_WRITABLE
    if ground.request.dry_run:
        looks.checks.unknown(name, "a dry run writes nothing there", way_out="check the job without dry_run")
        return True
    if not isinstance(ground.request.operation, PutObjectCopy):
        looks.checks.unknown(
            name,
            "only an object itself could tell: what is done to it cannot be tried without doing it",
            way_out="the first tasks will tell; run a small manifest first",
        )
        return True
    if not ground.target.profile.tells_write_by_upload:
        why = "this store has a permission of its own for uploads, so that one tells nothing"
        looks.checks.unknown(name, why, way_out="the first tasks will tell; run a small manifest first")
        return True
    check = target_check(ground.facts(findings), ground.rows, store=ground.target)
    if check is None:
        looks.checks.unknown(name, "none of the first rows names a key that would be written")
        return False
    await _check_write(check, written, name, looks, ask_write=ask_write)
    return True


async def _check_write(check: WriteCheck, site: Site, name: CheckName, looks: Looks, *, ask_write: AskWrite) -> None:
    place = f"{check.target.bucket}/{check.target.key}"
    if looks.is_closed(site):
        looks.checks.unknown(name, "the bucket could not be asked")
        return
    tried = await looks.ask(lambda: ask_write(check), site=site, name=name)
    if tried is None:
        return
    if tried.fault is not None:
        permission = site.permission(tried.missing_action)
        looks.checks.failed(name, FailureCode.ROLE_LACKS_PERMISSION, tried.fault, missing_permission=permission)
    elif tried.why_unknown:
        looks.checks.unknown(name, tried.why_unknown, way_out="the first tasks will tell")
    else:
        looks.checks.passed(name, f"an upload of {place} was begun and aborted")
