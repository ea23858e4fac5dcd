"""The RegionLedger in plain Python objects, beside the book of people in memory. No call of it ever suspends."""

from __future__ import annotations

from dataclasses import replace

from cosbatch.ledger.people_port import AuditEntry, PeopleBook
from cosbatch.ledger.region_port import KeptRegion, RegionLedger
from cosbatch.ledger.region_rules import no_such_region, region_is_there
from cosbatch.model.clock import Clock
from cosbatch.model.identifiers import RegionName
from cosbatch.model.regions import Region


class MemoryRegionLedger(RegionLedger):
    """The port's docstrings say what each method promises."""

    def __init__(self, book: PeopleBook, *, clock: Clock) -> None:
        """``book`` takes the entries of the audit log."""
        self._book = book
        self._clock = clock
        self._kept: dict[RegionName, KeptRegion] = {}

    async def add_region(self, region: Region, *, entry: AuditEntry) -> None:
        if region.name in self._kept:
            raise region_is_there(region.name)
        now = self._clock.now()
        self._kept[region.name] = KeptRegion(region=region, created_at=now, changed_at=now)
        await self._book.record(entry)

    async def regions(self) -> list[KeptRegion]:
        return [self._kept[name] for name in sorted(self._kept)]

    async def change_region(self, region: Region, *, instead_of: Region, entry: AuditEntry) -> bool:
        if region.name not in self._kept:
            raise no_such_region(region.name)
        kept = self._kept[region.name]
        if kept.region != instead_of:
            return False
        self._kept[region.name] = replace(kept, region=region, changed_at=self._clock.now())
        await self._book.record(entry)
        return True

    async def remove_region(self, name: RegionName, *, entry: AuditEntry) -> None:
        if self._kept.pop(name, None) is None:
            raise no_such_region(name)
        await self._book.record(entry)
