"""The region table of one process: the regions of the settings, and those that the ledger keeps beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

from cosbatch.ledger.region_port import KeptRegion, RegionLedger
from cosbatch.model.identifiers import RegionName
from cosbatch.model.regions import Region


class RegionTable:
    """A name that the settings declare is theirs."""

    def __init__(self, declared: Mapping[RegionName, Region], *, kept: RegionLedger | None) -> None:
        self._declared = declared
        self._ledger = kept
        self._kept: dict[RegionName, KeptRegion] = {}
        self._regions = dict(declared)
        self._looking = asyncio.Lock()
        self.regions: Mapping[RegionName, Region] = MappingProxyType(self._regions)
        """As of the last look; the same object always shows the latest."""

    async def look(self) -> frozenset[RegionName]:
        """Those that are new, changed, or gone since the last look. A region that was written again as it was counts as
        changed: what stands in its ca_file may be another authority."""
        if self._ledger is None:
            return frozenset()
        async with self._looking:  # of two answers the later one must win
            found = {kept.region.name: kept for kept in await self._ledger.regions()}
            now = {name: kept for name, kept in found.items() if name not in self._declared}
            before, self._kept = self._kept, now
        names = now.keys() | before.keys()
        changed = frozenset(name for name in names if now.get(name) != before.get(name))
        if changed:
            self._regions.clear()
            self._regions |= self._declared
            self._regions |= {name: kept.region for name, kept in now.items()}
        return changed
