"""What speaks for regions: the verbs of their table, over the ledger of a folder; and which ones there are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from cosbatch.ledger.sql_ledger import SqlLedger, open_sqlite_ledger
from cosbatch.model.identifiers import RegionName
from cosbatch.model.regions import Region
from cosbatch.service.regions import RegionService
from cosbatch.settings import Settings, checked_region, declared_roles, region_table
from cosbatch.wiring.admin import check_ledger, seen_at_work
from cosbatch.wiring.region_table import RegionTable
from cosbatch.wiring.service import has_jobs


def region_service(settings: Settings, *, ledger: SqlLedger) -> RegionService:
    return RegionService(
        ledger.regions,
        declared=region_table(settings),
        check=checked_region,
        jobs=ledger,
        roles=ledger.roles,
        declared_roles=[role for role, _ in declared_roles(settings)],
        record=ledger.people.record,
    )


@asynccontextmanager
async def open_regions(settings: Settings, data_dir: Path, *, may_make: bool = False) -> AsyncIterator[RegionService]:
    """The table of a folder. InvalidArgument where it has no ledger and none ``may_make`` one."""
    if not may_make:
        check_ledger(data_dir)
    with seen_at_work(data_dir, role="admin"):
        ledger = await open_sqlite_ledger(data_dir)
        try:
            yield region_service(settings, ledger=ledger)
        finally:
            await ledger.close()


async def known_regions(settings: Settings, data_dir: Path) -> Mapping[RegionName, Region]:
    """Of the settings and of a folder's ledger, which is not made where there is none."""
    if not has_jobs(data_dir):
        return region_table(settings)
    ledger = await open_sqlite_ledger(data_dir)
    try:
        table = RegionTable(region_table(settings), kept=ledger.regions)
        await table.look()
        return table.regions
    finally:
        await ledger.close()
