"""The RegionLedger over a SQL database."""

from __future__ import annotations

import json
from functools import partial
from typing import Any, Final

from sqlalchemy import Row, bindparam, delete, insert, select, update

from cosbatch.ledger.people_audit import record
from cosbatch.ledger.people_port import AuditEntry
from cosbatch.ledger.region_port import KeptRegion, RegionLedger
from cosbatch.ledger.region_rules import no_such_region, region_is_there
from cosbatch.ledger.region_tables import region as table
from cosbatch.ledger.transaction import Database, Transaction
from cosbatch.model.identifiers import RegionName
from cosbatch.model.regions import Addressing, Provider, Region

_THE_REGION: Final = table.c.name == bindparam("the_name")
_REGIONS: Final = select(table).order_by(table.c.name)
_REGION: Final = select(table).where(_THE_REGION)
_ADD: Final = insert(table)
_CHANGE: Final = update(table).where(_THE_REGION)
_REMOVE: Final = delete(table).where(_THE_REGION)


class SqlRegionLedger(RegionLedger):
    """The port's docstrings say what each method promises."""

    def __init__(self, database: Database) -> None:
        """``database`` belongs to the JobLedger beside it, which closes it."""
        self._database = database

    async def add_region(self, region: Region, *, entry: AuditEntry) -> None:
        await self._database.write(partial(_add, region=region, entry=entry))

    async def regions(self) -> list[KeptRegion]:
        rows = await self._database.read(lambda tx: tx.all(_REGIONS))
        return [_kept_from(row) for row in rows]

    async def change_region(self, region: Region, *, instead_of: Region, entry: AuditEntry) -> bool:
        return await self._database.write(partial(_change, region=region, instead_of=instead_of, entry=entry))

    async def remove_region(self, name: RegionName, *, entry: AuditEntry) -> None:
        await self._database.write(partial(_remove, name=name, entry=entry))


def _add(tx: Transaction, *, region: Region, entry: AuditEntry) -> None:
    if tx.one(_REGION, {"the_name": region.name}) is not None:
        raise region_is_there(region.name)
    named = {"name": region.name, "created_at": tx.now(), "changed_at": tx.now()}
    tx.change(_ADD, named | _columns(region))
    record(tx, entry=entry)


def _change(tx: Transaction, *, region: Region, instead_of: Region, entry: AuditEntry) -> bool:
    row = tx.one(_REGION, {"the_name": region.name})
    if row is None:
        raise no_such_region(region.name)
    if _kept_from(row).region != instead_of:
        return False
    tx.change(_CHANGE, {"the_name": region.name, "changed_at": tx.now()} | _columns(region))
    record(tx, entry=entry)
    return True


def _remove(tx: Transaction, *, name: RegionName, entry: AuditEntry) -> None:
    if not tx.change(_REMOVE, {"the_name": name}):
        raise no_such_region(name)
    record(tx, entry=entry)


def _columns(region: Region) -> dict[str, Any]:
    return {
        "provider": region.provider.value,
        "endpoint": region.endpoint,
        "addressing": region.addressing.value,
        "profile": region.profile,
        "profile_overrides": json.dumps(region.profile_overrides),
        "storage_classes": json.dumps(region.storage_classes),
        "signing_region": region.signing_region,
        "ca_file": region.ca_file,
        "requests_per_second": region.requests_per_second,
        "bytes_per_second": region.bytes_per_second,
        "max_connections": region.max_connections,
    }


def _kept_from(row: Row[Any]) -> KeptRegion:
    region = Region(
        name=RegionName(row.name),
        provider=Provider(row.provider),
        endpoint=row.endpoint,
        addressing=Addressing(row.addressing),
        profile=row.profile,
        profile_overrides=tuple((option, support) for option, support in json.loads(row.profile_overrides)),
        storage_classes=tuple(json.loads(row.storage_classes)),
        signing_region=row.signing_region,
        ca_file=row.ca_file,
        requests_per_second=row.requests_per_second,
        bytes_per_second=row.bytes_per_second,
        max_connections=row.max_connections,
    )
    return KeptRegion(region=region, created_at=row.created_at, changed_at=row.changed_at)
