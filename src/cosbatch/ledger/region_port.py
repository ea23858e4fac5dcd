"""What service and engine ask of the ledger about regions: those that were made by hand, beside the settings'.

No secret is in them: a job brings the role that its requests are signed with. Every change brings the entry of the
audit log that tells of it, and both are made in one transaction or neither is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from cosbatch.ledger.people_port import AuditEntry
from cosbatch.model.identifiers import RegionName
from cosbatch.model.regions import Region


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRegion:
    """A region as it stands in the ledger. Times are Unix seconds on the ledger's clock."""

    region: Region
    created_at: float
    changed_at: float


class RegionLedger(Protocol):
    """Regions are the whole service's, not an account's."""

    async def add_region(self, region: Region, *, entry: AuditEntry) -> None:
        """NameTaken where there is one of its name."""
        ...

    async def regions(self) -> list[KeptRegion]:
        """By name."""
        ...

    async def change_region(self, region: Region, *, instead_of: Region, entry: AuditEntry) -> bool:
        """The region of this name is from now on so. False, and nothing is changed, where it is no longer
        ``instead_of``. NoSuchName where there is none. ``changed_at`` becomes later also where all stays as it is."""
        ...

    async def remove_region(self, name: RegionName, *, entry: AuditEntry) -> None:
        """NoSuchName where there is none."""
        ...
