"""What a job that names a role is refused for before it is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from cosbatch.model.errors import Fault, InvalidArgument, NoSuchRole, RoleNotAssumed, ServiceUnavailable
from cosbatch.model.identifiers import AccountId, RegionName
from cosbatch.model.jobs import JobRequest, region_written
from cosbatch.model.manifests import Manifest
from cosbatch.model.principals import Role
from cosbatch.model.regions import Region, is_same_store
from cosbatch.service.job_guards import bucket_faults

_PATH = "role_arn"


class JobRoles(Protocol):
    """What making a job asks about its role."""

    async def find(self, arn: str, *, account: AccountId) -> Role:
        """NoSuchRole where it is not in the account's registry."""
        ...

    async def look(self, manifest: Manifest, *, region: RegionName, account: AccountId, role_arn: str) -> str:
        """The manifest's ETag as the role sees it. Raises StorageError, RoleNotAssumed, NoSuchRole."""
        ...


async def role_faults(
    request: JobRequest, *, account: AccountId, roles: JobRoles | None, regions: Mapping[RegionName, Region]
) -> list[Fault]:
    """That the role is not the account's, or that the job also works where it is not known."""
    if not request.role_arn:
        return []
    faults = list(_other_stores(request, regions))
    if roles is None:
        problem, way_out = "names a role, but this program has no registry of roles", "leave it out"
        faults.append(Fault(path=_PATH, value=request.role_arn, problem=problem, way_out=way_out))
        return faults
    if await _found(request, account=account, roles=roles) is None:
        problem, way_out = "is no role that is registered here", "register it first, or name one of those that are"
        faults.append(Fault(path=_PATH, value=request.role_arn, problem=problem, way_out=way_out))
    return faults


async def allow_list_faults(request: JobRequest, *, account: AccountId, roles: JobRoles | None) -> list[Fault]:
    """Buckets that the job names and its role may not be used to write. Which bucket the manifest names is seen when
    the job is planned."""
    if not request.role_arn or roles is None:
        return []
    role = await _found(request, account=account, roles=roles)
    return [] if role is None else list(bucket_faults(request, writable_buckets=role.writable_buckets))


async def _found(request: JobRequest, *, account: AccountId, roles: JobRoles) -> Role | None:
    try:
        return await roles.find(request.role_arn, account=account)
    except NoSuchRole:
        return None


def _other_stores(request: JobRequest, regions: Mapping[RegionName, Region]) -> Iterator[Fault]:
    """A role's credentials are good where its provider is known: in the job's own store."""
    named = {region_written(request), request.report.region or request.region}
    home = regions.get(request.region)
    for name in sorted(named - {request.region}):
        other = regions.get(name)
        if home and other and not is_same_store(home, other):
            yield Fault(
                path=_PATH,
                value=request.role_arn,
                problem=f"is not known to the store of region {name}, which the job writes too",
                way_out="leave it out, so that each region's own credentials are used, or stay in one store",
            )


async def look_as_role(request: JobRequest, *, account: AccountId, roles: JobRoles) -> str:
    """The manifest's ETag. What a role's provider has said is told as the caller's fault; ServiceUnavailable where it
    does not answer."""
    try:
        return await roles.look(request.manifest, region=request.region, account=account, role_arn=request.role_arn)
    except NoSuchRole as error:
        raise InvalidArgument("the role is gone", faults=[Fault(path=_PATH, value="", problem=str(error))]) from error
    except RoleNotAssumed as error:
        if error.may_pass:
            raise ServiceUnavailable(f"the role's provider does not answer: {error}") from error
        fault = Fault(
            path=_PATH,
            value=request.role_arn,
            problem=f"cannot be assumed: {error}",
            way_out="look at the role's trust policy, external id and key",
        )
        raise InvalidArgument("the role cannot be assumed", faults=[fault]) from error
