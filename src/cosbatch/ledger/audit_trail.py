"""The audit log as those write to it who do nothing else with people."""

from __future__ import annotations

from functools import partial

from cosbatch.ledger import people_audit
from cosbatch.ledger.people_port import AuditEntry
from cosbatch.ledger.transaction import Database


class SqlAuditTrail:
    """Implements the service's port AuditTrail."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, entry: AuditEntry) -> None:
        """LedgerUnavailable where the database does not answer."""
        await self._database.write(partial(people_audit.record, entry=entry))
