"""What pre-flight asks of a bucket: whether it is there, where it is, its versioning and its object lock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from cosbatch.identity.policies import named_permission
from cosbatch.model.errors import FailureCode, Fault, JobFailure, StorageError, StorageReason
from cosbatch.model.identifiers import Bucket, RegionName
from cosbatch.model.jobs import JobRequest
from cosbatch.model.manifests import ManifestField
from cosbatch.model.operations import DeleteObject
from cosbatch.model.preflight import CheckName
from cosbatch.model.regions import Provider, Region, Versioning
from cosbatch.operations.checks import Checks
from cosbatch.storage.disposition import Action, disposition
from cosbatch.storage.port import LockRule, ObjectStore
from cosbatch.storage.profiles import Option, Support
from cosbatch.storage.telling_why import bucket_region_or_cause

Answer = TypeVar("Answer")

DEFINITE: Final = frozenset({Action.FAIL_TASK, Action.FAIL_JOB})
_REFUSED: Final = frozenset({StorageReason.ACCESS_DENIED, StorageReason.CREDENTIALS_REFUSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A bucket that the job names, and where it says that it is."""

    bucket: Bucket
    store: ObjectStore
    region: Region | None
    path: str
    """The job's field that names it."""
    missing: FailureCode
    """What the job fails with where there is no such bucket."""
    bucket_check: CheckName
    region_check: CheckName
    versions_path: str = ""
    """The field that a refusal to tell of its versions is laid to; empty: ``path``."""

    def permission(self, action: str, *, key_prefix: str = "") -> str:
        """As the store's provider writes it."""
        region = self.region
        return named_permission(
            action,
            self.bucket,
            region=RegionName(region.signing_region) if region else RegionName(""),
            in_cam=region is not None and region.provider is Provider.COS,
            key_prefix=key_prefix,
        )


@dataclass(slots=True, kw_only=True)
class Looks:
    """Asks stores, and keeps what came of it."""

    checks: Checks
    waits: bool
    """What may pass by itself is raised; else it is told as unknown."""
    _closed: set[tuple[int, Bucket]] = field(default_factory=set)
    """Buckets that were refused or did not answer: nothing more is asked of them."""

    def close(self, site: Site) -> None:
        self._closed.add((id(site.store), site.bucket))

    def is_closed(self, site: Site) -> bool:
        return (id(site.store), site.bucket) in self._closed

    async def ask(
        self, question: Callable[[], Awaitable[Answer]], *, site: Site, name: str, action: str = "", path: str = ""
    ) -> Answer | None:
        """The answer; None where there is none, and why is among the checks. ``action`` is what the question takes."""
        try:
            return await question()
        except JobFailure as failure:  # nothing was sent: there is nothing to sign with, for one
            if self.waits:
                raise
            self.close(site)
            fault = Fault(path=path or site.path, value=site.bucket, problem=failure.reason)
            self.checks.failed(name, failure.failure_code, fault)
            return None
        except StorageError as error:
            problem = problem_of(error, site, path=path or site.path)
            if problem is not None:
                code, fault = problem
                permission = site.permission(action) if action and error.reason in _REFUSED else ""
                self.checks.failed(name, code, fault, missing_permission=permission)
                return None
            if self.waits:
                raise
            self.close(site)
            if error.reason is StorageReason.CREDENTIALS_REFUSED:
                refused = Fault(
                    path=path or site.path, value=site.bucket, problem=f"the store refuses the key: {error}"
                )
                self.checks.failed(name, FailureCode.ROLE_LACKS_PERMISSION, refused)
                return None
            self.checks.unknown(name, f"the store does not answer: {error}", way_out="ask again when it does")
            return None


def problem_of(error: StorageError, site: Site, *, path: str) -> tuple[FailureCode, Fault] | None:
    """None where the error says nothing about the job."""
    way_out = ""
    match error.reason:
        case StorageReason.NO_SUCH_BUCKET | StorageReason.NO_SUCH_KEY:
            code, problem = site.missing, "there is no such bucket"
        case StorageReason.ACCESS_DENIED:
            code, problem = FailureCode.ROLE_LACKS_PERMISSION, f"the store refuses to answer ({error.code})"
            if error.target:
                problem = f"the store refuses {error.target} ({error.code})"
        case StorageReason.WRONG_REGION:
            code, problem = FailureCode.REGION_MISMATCH, f"the bucket is in another region: {error.message}"
        case _ if disposition(error, writes=False).action is Action.FAIL_TASK:
            code, problem = FailureCode.ROLE_LACKS_PERMISSION, f"the store refuses to tell of it: {error}"
        case _:
            return None
    return code, Fault(path=path, value=site.bucket, problem=problem, way_out=way_out)


# --- there, and where the job says


async def check_site(site: Site, looks: Looks) -> None:
    """There, and in the region that the job says."""
    checks = looks.checks
    actual = await looks.ask(
        lambda: bucket_region_or_cause(site.store, site.bucket),
        site=site,
        name=site.bucket_check,
        action="s3:ListBucket",
    )
    if actual is None:
        looks.close(site)
        checks.unknown(site.region_check, "the bucket could not be asked")
        return
    checks.passed(site.bucket_check, f"{site.bucket} is there")
    _check_region(site, actual, checks)


def _check_region(site: Site, actual: str, checks: Checks) -> None:
    region, name = site.region, site.region_check
    if region is None:
        return
    if not names_its_regions(region):
        checks.passed(
            name, f"{site.bucket} is at the endpoint of {region.name}; such a store names no regions to compare"
        )
    elif not actual:
        checks.unknown(name, "the store does not say in which region the bucket is")
    elif actual == region.signing_region:
        checks.passed(name, f"{site.bucket} is in {actual}")
    else:
        problem = f"the bucket is in {actual}, and the job's region {region.name} is {region.signing_region}"
        fault = Fault(
            path=site.path, value=site.bucket, problem=problem, way_out="name the region that the bucket is in"
        )
        checks.failed(name, FailureCode.REGION_MISMATCH, fault)


def names_its_regions(region: Region) -> bool:
    """Whether the store's own name of a bucket's region can be held against the region table. Other stores answer
    nothing, or a name that their operator chose: their regions stay unchecked."""
    return region.provider is Provider.COS or region.profile == "s3"


# --- versions


async def check_versioning(site: Site, looks: Looks) -> Versioning:
    """Of the bucket that is written. NEVER where nobody can tell, and where the store has no versions to ask for."""
    checks, name = looks.checks, CheckName.VERSIONING
    if site.store.profile.supports(Option.VERSIONS) is Support.REFUSED:
        checks.passed(name, f"a {site.store.profile.name} store keeps no versions: what is written over is gone")
        return Versioning.NEVER
    if looks.is_closed(site):
        checks.unknown(name, "the bucket could not be asked")
        return Versioning.NEVER
    found = await looks.ask(
        lambda: site.store.versioning(site.bucket),
        site=site,
        name=name,
        action="s3:GetBucketVersioning",
        path=site.versions_path,
    )
    if found is None:
        return Versioning.NEVER
    checks.passed(name, f"{site.bucket}: {_WHAT_IT_MEANS[found]}")
    return found


_WHAT_IT_MEANS: Final = {
    Versioning.NEVER: "it keeps no versions: what is written over or deleted is gone",
    Versioning.SUSPENDED: "its versioning is suspended: what is written over or deleted without a version id is gone",
    Versioning.ENABLED: "it keeps versions: what is written over or deleted stays as an earlier version",
}


# --- object lock


async def check_object_lock(site: Site, request: JobRequest, looks: Looks) -> None:
    """Never fails: a retention ends, and which objects it still holds, no rule of a bucket says."""
    checks, name = looks.checks, CheckName.OBJECT_LOCK
    if looks.is_closed(site):
        checks.unknown(name, "the bucket could not be asked")
        return
    try:
        rule = await site.store.object_lock(site.bucket)
    except StorageError as error:
        _tell_no_answer(error, site, looks)
        return
    _tell_rule(rule, site, request, checks)


def _tell_no_answer(error: StorageError, site: Site, looks: Looks) -> None:
    """Many stores have no such question, and a role need not be allowed to ask it."""
    is_definite = disposition(error, writes=False).action in DEFINITE
    if not is_definite and looks.waits:
        raise error
    refused = error.reason in _REFUSED
    looks.checks.unknown(
        CheckName.OBJECT_LOCK,
        f"the store does not tell: {error.code}",
        missing_permission=site.permission("s3:GetBucketObjectLockConfiguration") if refused else "",
        way_out="let the job's credentials ask for it" if refused else "",
    )


def _tell_rule(rule: LockRule | None, site: Site, request: JobRequest, checks: Checks) -> None:
    name = CheckName.OBJECT_LOCK
    removes_versions = (
        isinstance(request.operation, DeleteObject) and ManifestField.VERSION_ID in request.manifest.spec.fields
    )
    if rule is None:
        checks.passed(name, f"{site.bucket} has no object lock")
    elif removes_versions:
        checks.unknown(
            name,
            f"{site.bucket} has object lock{_kept(rule)}: versions that are held still will not be deleted",
            way_out="leave out versions that are younger than that, or delete without version ids",
        )
    else:
        checks.passed(name, f"{site.bucket} has object lock{_kept(rule)}: that stands in no way of this job")


def _kept(rule: LockRule) -> str:
    return f", and keeps what is written for {rule.keeps} ({rule.mode})" if rule.mode else ""
