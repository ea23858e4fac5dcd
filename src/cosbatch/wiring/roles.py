"""What speaks for roles: the verbs of their registry, over the ledger of a folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cosbatch.identity.ciphers import Cipher
from cosbatch.identity.credentials import Credentials, StaticCredentials
from cosbatch.ledger.people_port import AuditEntry
from cosbatch.ledger.sql_ledger import SqlLedger, open_sqlite_ledger
from cosbatch.ledger.sql_people import open_sqlite_people
from cosbatch.model.clock import SystemClock
from cosbatch.model.identifiers import RegionName
from cosbatch.service.audit import Record
from cosbatch.service.role_desk import RoleDesk
from cosbatch.service.roles import RoleService
from cosbatch.settings import Settings
from cosbatch.storage.port import ObjectStore
from cosbatch.wiring.keys import key_ring
from cosbatch.wiring.service import check_known, role_desk
from cosbatch.wiring.stores import RegionStores, open_stores, profile_of


def role_service(
    *, ledger: SqlLedger, desk: RoleDesk, cipher: Cipher, stores: RegionStores, record: Record
) -> RoleService:
    """``record`` writes the audit log."""

    def open_store(region: RegionName, credentials: Credentials) -> ObjectStore:
        return stores.signed_by(StaticCredentials(credentials), stores.region(region))

    return RoleService(
        ledger.roles,
        jobs=ledger,
        desk=desk,
        cipher=cipher,
        clock=SystemClock(),
        regions=stores.regions,
        profile_of=profile_of,
        open_store=open_store,
        record=record,
    )


@asynccontextmanager
async def open_roles(settings: Settings, data_dir: Path, *, account: str = "") -> AsyncIterator[RoleService]:
    """The registry of a folder, which gets a ledger and a key where it has none. NoSuchName where somebody asks for an
    ``account`` that there is not."""
    ledger = await open_sqlite_ledger(data_dir)
    try:
        await check_known(ledger, account)
        book = await open_sqlite_people(data_dir)
        try:
            cipher = Cipher(key_ring(settings, data_dir, may_make=not await book.has_sealed()))

            async def record(entry: AuditEntry) -> None:
                await book.record(entry)

            async with open_stores(settings, clock=SystemClock(), kept=ledger.regions) as stores:
                desk = role_desk(settings, ledger, cipher=cipher, regions=stores.regions)
                yield role_service(ledger=ledger, desk=desk, cipher=cipher, stores=stores, record=record)
        finally:
            await book.close()
    finally:
        await ledger.close()
