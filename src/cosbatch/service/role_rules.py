"""What a job that names a role is refused for before it is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from cosbatch.model.errors import Fault, InvalidArgument, NoSuchRole, RoleNotAssumed, ServiceUnavailable
from cosbatch.model.identifiers import AccountId, RegionName
from cosbatch.model.jobs import JobRequest, region_written
from cosbatch.model.manifests import Manifest
from cosbatch.model.regions import Region, is_same_store

_PATH = "role_arn"


class JobRoles(Protocol):
    """What making a job asks about its role."""

    async def is_known(self, arn: str, *, account: AccountId) -> bool:
        """Whether it is in the account's registry."""
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
    elif not await roles.is_known(request.role_arn, account=account):
        problem, way_out = "is no role that is registered here", "register it first, or name one of those that are"
        faults.append(Fault(path=_PATH, value=request.role_arn, problem=problem, way_out=way_out))
    return faults


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
