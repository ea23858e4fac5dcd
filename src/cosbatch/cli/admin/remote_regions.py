"""Regions of a service that is called over the network."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, cast

from cosbatch.cli.admin.remote_people import PAGE
from cosbatch.client import AsyncClient
from cosbatch.client import region_shapes as told
from cosbatch.model.errors import Fault, InvalidArgument
from cosbatch.model.identifiers import RegionName
from cosbatch.model.regions import Addressing, Region
from cosbatch.service.regions import KnownRegion

_NUMBERS: Final[Mapping[str, type[float] | type[int]]] = {
    "requests_per_second": float,
    "bytes_per_second": float,
    "max_connections": int,
}


class RemoteRegions:
    """Implements :class:`cosbatch.cli.admin.ports.RegionDesk`. Addresses and limits are told to admins alone."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def create_region(self, *, name: str, fields: Mapping[str, Any]) -> KnownRegion:
        return _known(await self._client.create_region(name, _fields(fields)))

    async def list_regions(self) -> Sequence[KnownRegion]:
        return [_known(one) async for one in self._client.every(self._client.list_regions, limit=PAGE)]

    async def describe_region(self, name: str) -> KnownRegion:
        return _known(await self._client.describe_region(name))

    async def update_region(self, name: str, *, fields: Mapping[str, Any], unset: Collection[str]) -> KnownRegion:
        changes = _fields({**fields, **dict.fromkeys(unset)})
        return _known(await self._client.update_region(name, changes))

    async def delete_region(self, name: str) -> None:
        await self._client.delete_region(name)


def _fields(given: Mapping[str, Any]) -> told.RegionFields:
    """Options are as they were typed; the API takes numbers, and nothing that is of the service's host alone."""
    here = [name for name in given if name not in told.RegionFields.__annotations__]
    faults = [_only_there(name, given[name]) for name in here]
    written = dict(given)
    for name, kind in _NUMBERS.items():
        if written.get(name) is None:
            continue
        try:
            written[name] = kind(written[name])
        except ValueError:
            problem, way_out = "is no number", "write a number"
            faults.append(Fault(path=name, value=str(written[name]), problem=problem, way_out=way_out))
    if faults:
        raise InvalidArgument("the region cannot be made or changed so", faults=faults)
    return cast("told.RegionFields", written)


def _only_there(name: str, value: object) -> Fault:
    way_out = "use cosbatch admin on the service's own host for it"
    problem = "cannot be said over the network"
    return Fault(path=name, value="" if value is None else str(value), problem=problem, way_out=way_out)


def _known(found: told.Region) -> KnownRegion:
    connection = found.connection
    region = Region(
        name=RegionName(found.name),
        provider=found.provider,
        endpoint=connection.endpoint if connection else "",
        profile=found.profile,
        signing_region=connection.signing_region if connection else "",
        addressing=connection.addressing if connection else Addressing.PATH,
        ca_file=connection.ca_file if connection else None,
        requests_per_second=connection.requests_per_second if connection else None,
        bytes_per_second=connection.bytes_per_second if connection else None,
        storage_classes=found.storage_classes,
        profile_overrides=tuple(connection.profile_overrides.items()) if connection else (),
        **({"max_connections": connection.max_connections} if connection else {}),
    )
    return KnownRegion(
        region=region, is_declared=found.is_declared, created_at=found.created_at, changed_at=found.changed_at
    )
