"""The verbs of the region table: making, changing and deleting regions beside those that the settings declare.

Regions are the whole service's, and whoever makes one says where this service sends requests with credentials in its
hand. So only the operator, who comes in by the command line on the service's own host, changes them; admins of accounts
look.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from cosbatch.ledger.people_port import NO_ACCOUNT
from cosbatch.ledger.port import JobLedger
from cosbatch.ledger.region_port import KeptRegion, RegionLedger
from cosbatch.ledger.role_port import RoleLedger
from cosbatch.model.errors import Fault, InvalidArgument, NameTaken, NoSuchName, NotAllowed
from cosbatch.model.identifiers import RegionName
from cosbatch.model.jobs import JobRequest, region_written
from cosbatch.model.principals import Caller, Role, UserRole
from cosbatch.model.regions import Region
from cosbatch.service.audit import Record, telling
from cosbatch.service.faults import nearest

_NAMED_USERS: Final = 5
"""So many jobs and roles are named in a refusal; the rest is counted."""

CheckRegion = Callable[[str, Mapping[str, Any]], Region]
"""Name and fields, as they would stand in the settings -> region. InvalidArgument with all faults."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRegion:
    """A region and where it stands. Times are Unix seconds; None for one of the settings."""

    region: Region
    is_declared: bool
    created_at: float | None = None
    changed_at: float | None = None


class RegionService:
    """Refusals are RequestErrors: NotAllowed, NoSuchName, NameTaken, InvalidArgument. A name that the settings declare
    is theirs, also where the ledger keeps another region of that name from earlier."""

    def __init__(
        self,
        ledger: RegionLedger,
        *,
        declared: Mapping[RegionName, Region],
        check: CheckRegion,
        jobs: JobLedger,
        roles: RoleLedger,
        declared_roles: Sequence[Role] = (),
        record: Record,
    ) -> None:
        """``record`` tells the audit log of refusals."""
        self._ledger = ledger
        self._declared = declared
        self._check = check
        self._jobs = jobs
        self._roles = roles
        self._declared_roles = declared_roles
        self._record = record

    # --- looking

    async def list_regions(self, caller: Caller) -> list[KnownRegion]:
        """By name."""
        _check_admin(caller)
        return await self.known_regions()

    async def describe_region(self, caller: Caller, name: str) -> KnownRegion:
        _check_admin(caller)
        return await self.known_region(name)

    async def known_regions(self) -> list[KnownRegion]:
        """By name. For whoever shows no more of them than names and kinds to people who are no admins."""
        return sorted(await self._known(), key=lambda known: known.region.name)

    async def known_region(self, name: str) -> KnownRegion:
        """As :meth:`known_regions`. Raises NoSuchName."""
        return await self._find(name)

    # --- changing

    async def create_region(self, caller: Caller, *, name: str, fields: Mapping[str, Any]) -> KnownRegion:
        """``fields`` as in the settings, without credentials: jobs bring a role."""
        async with telling(self._record, caller, "create-region", target=name) as entry:
            _check_operator(caller)
            if name in self._declared:
                raise NameTaken(f"the region {name!r} is declared in the settings; take another name")
            region = self._check(name, fields)
            await self._ledger.add_region(region, entry=replace(entry, account=NO_ACCOUNT, detail=region.endpoint))
            return await self._find(name)

    async def update_region(
        self, caller: Caller, name: str, *, fields: Mapping[str, Any], unset: Collection[str] = ()
    ) -> KnownRegion:
        """``fields`` in place of those that it has; those of ``unset`` get their defaults.

        Which store it is and what it can do (provider, endpoint, addressing, signing_region, profile,
        profile_overrides) stays while an unfinished job names the region: it was planned for that store. The rest may
        change at any time.
        """
        async with telling(self._record, caller, "update-region", target=name) as entry:
            _check_operator(caller)
            kept = await self._kept(name, to="changed")
            merged = {field: value for field, value in fields_of(kept.region).items() if field not in unset}
            region = self._check(name, merged | dict(fields))
            if _store_of(region) != _store_of(kept.region):
                await self._check_unused(kept.region, to="made another store", but_roles=_same_address(region, kept))
            detail = ", ".join(_differences(kept.region, region)) or "nothing differs; connections are made anew"
            told = replace(entry, account=NO_ACCOUNT, detail=detail)
            if not await self._ledger.change_region(region, instead_of=kept.region, entry=told):
                raise InvalidArgument(f"the region {name!r} was changed by somebody else just now; look, and try again")
            return await self._find(name)

    async def delete_region(self, caller: Caller, name: str) -> None:
        """InvalidArgument where an unfinished job or a role names it."""
        async with telling(self._record, caller, "delete-region", target=name) as entry:
            _check_operator(caller)
            kept = await self._kept(name, to="deleted")
            await self._check_unused(kept.region, to="deleted")
            told = replace(entry, account=NO_ACCOUNT, detail=kept.region.endpoint)
            await self._ledger.remove_region(kept.region.name, entry=told)

    # --- finding

    async def _known(self) -> list[KnownRegion]:
        declared = [KnownRegion(region=region, is_declared=True) for region in self._declared.values()]
        kept = [_known_from(kept) for kept in await self._ledger.regions() if kept.region.name not in self._declared]
        return [*declared, *kept]

    async def _find(self, name: str) -> KnownRegion:
        known = {each.region.name: each for each in await self._known()}
        if name not in known:
            way_out = nearest(name, known=sorted(known)) if known else "there is none yet"
            raise NoSuchName(f"there is no region {name!r}; {way_out}")
        return known[RegionName(name)]

    async def _kept(self, name: str, *, to: str) -> KnownRegion:
        found = await self._find(name)
        if found.is_declared:
            raise NotAllowed(f"the region {name!r} is declared in the settings and cannot be {to} here; do it there")
        return found

    # --- who uses it

    async def _check_unused(self, region: Region, *, to: str, but_roles: bool = False) -> None:
        """Beside a job that is being made in this very moment; that one fails, and says which region it has lost."""
        jobs = [f"job {job_id}, which is {status}" async for job_id, status in self._jobs_in(region.name)]
        users = jobs if but_roles else [*jobs, *await self._roles_at(region)]
        if not users:
            return
        more = [f"and {len(users) - _NAMED_USERS} more"] if len(users) > _NAMED_USERS else []
        shown = "; ".join([*users[:_NAMED_USERS], *more])
        way_out = "wait for the ends of jobs or cancel them, and delete such roles first"
        fault = Fault(path="name", value=region.name, problem=f"is named by {shown}", way_out=way_out)
        raise InvalidArgument(f"the region cannot be {to}", faults=[fault])

    async def _jobs_in(self, name: RegionName) -> AsyncIterator[tuple[str, str]]:
        """Id and status of those that the engine has still something to do for, also for their reports alone."""
        for queued in await self._jobs.queued_jobs():
            if name in _regions_of(queued.job.request):
                yield queued.job.id, queued.job.status

    async def _roles_at(self, region: Region) -> list[str]:
        """A role names a region by the endpoint of its STS, which holds as long as some region has it."""
        known = [each.region for each in await self._known() if each.region.name != region.name]
        if any(other.endpoint == region.endpoint for other in known):
            return []
        roles = [*self._declared_roles, *await self._roles.roles(account=None)]
        return [f"role {role.arn}" for role in roles if role.sts_endpoint.removesuffix("/") == region.endpoint]


def fields_of(region: Region) -> dict[str, Any]:
    """As they would stand in the settings."""
    return {
        "provider": region.provider.value,
        "endpoint": region.endpoint,
        "addressing": region.addressing.value,
        "profile": region.profile,
        "profile_overrides": dict(region.profile_overrides),
        "storage_classes": list(region.storage_classes),
        "signing_region": region.signing_region,
        "ca_file": region.ca_file,
        "requests_per_second": region.requests_per_second,
        "bytes_per_second": region.bytes_per_second,
        "max_connections": region.max_connections,
    }


def _known_from(kept: KeptRegion) -> KnownRegion:
    return KnownRegion(region=kept.region, is_declared=False, created_at=kept.created_at, changed_at=kept.changed_at)


def _store_of(region: Region) -> Region:
    """Without what may change under a running job."""
    return replace(
        region, ca_file=None, requests_per_second=None, bytes_per_second=None, max_connections=1, storage_classes=()
    )


def _same_address(region: Region, kept: KnownRegion) -> bool:
    return region.endpoint == kept.region.endpoint


def _differences(before: Region, after: Region) -> list[str]:
    old, new = fields_of(before), fields_of(after)
    return [f"{field}: {old[field]} -> {new[field]}" for field in new if old[field] != new[field]]


def _regions_of(request: JobRequest) -> set[RegionName | None]:
    return {request.region, region_written(request), request.report.region}


def _check_admin(caller: Caller) -> None:
    if not caller.role.may(UserRole.ADMIN):
        raise NotAllowed(f"this needs the role {UserRole.ADMIN}, and yours is {caller.role}; ask an admin")


def _check_operator(caller: Caller) -> None:
    _check_admin(caller)
    if caller.account.id != NO_ACCOUNT:
        raise NotAllowed("regions are changed by the operator, with cosbatch admin or in the settings")
