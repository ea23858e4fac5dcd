"""What every RegionLedger promises: regions of the whole service, each change with its line of the audit log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from cosbatch.ledger import sqlite
from cosbatch.ledger.memory_people import MemoryPeople
from cosbatch.ledger.memory_regions import MemoryRegionLedger
from cosbatch.ledger.people_port import PeopleBook
from cosbatch.ledger.region_port import KeptRegion, RegionLedger
from cosbatch.ledger.regions import SqlRegionLedger
from cosbatch.ledger.sql_ledger import open_sqlite_ledger
from cosbatch.ledger.sql_people import SqlPeople
from cosbatch.ledger.transaction import Database
from cosbatch.model.errors import NameTaken, NoSuchName
from cosbatch.model.identifiers import RegionName
from cosbatch.model.regions import Addressing, Provider, Region
from tests.contract.ledgers import ADAPTERS, HandClock
from tests.contract.people import entry

HERE = RegionName("here")
REGION = Region(
    name=HERE,
    provider=Provider.COS,
    endpoint="https://cos.ap-guangzhou.myqcloud.com",
    profile="cos",
    signing_region="ap-guangzhou",
    addressing=Addressing.VIRTUAL_HOST,
    ca_file="/etc/ssl/own.pem",
    requests_per_second=12.5,
    bytes_per_second=2.5e6,
    max_connections=7,
    storage_classes=("STANDARD", "COLD"),
    profile_overrides=(("sse-aes256", "refused"), ("restore", "applied")),
)
PLAIN = Region(
    name=RegionName("there"), provider=Provider.S3, endpoint="http://h:1", profile="s3", signing_region="us-east-1"
)


@dataclass(frozen=True, slots=True)
class Pair:
    regions: RegionLedger
    book: PeopleBook
    clock: HandClock

    async def told(self) -> list[str]:
        """Newest first."""
        return [line.entry.action for line in await self.book.audit()]


@pytest.fixture(params=ADAPTERS)
async def pair(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Pair]:
    clock = HandClock()
    if request.param == "memory":
        people = MemoryPeople(clock)
        yield Pair(MemoryRegionLedger(people, clock=clock), people, clock)
        return
    database: Database = sqlite.open_memory(clock=clock)
    if request.param == "sqlite-file":
        database = await sqlite.open_file(tmp_path, clock=clock, patience_seconds=30)
    yield Pair(SqlRegionLedger(database), SqlPeople(database), clock)
    await database.close()


async def test_a_region_comes_back_as_it_was_given(pair: Pair) -> None:
    for region in (PLAIN, REGION):
        await pair.regions.add_region(region, entry=entry("create-region"))

    now = pair.clock.now()
    assert await pair.regions.regions() == [
        KeptRegion(region=REGION, created_at=now, changed_at=now),
        KeptRegion(region=PLAIN, created_at=now, changed_at=now),
    ]
    assert await pair.told() == ["create-region", "create-region"]


async def test_a_name_is_given_once(pair: Pair) -> None:
    await pair.regions.add_region(REGION, entry=entry("create-region"))

    with pytest.raises(NameTaken, match="'here'"):
        await pair.regions.add_region(replace(PLAIN, name=HERE), entry=entry("create-region"))

    assert [kept.region for kept in await pair.regions.regions()] == [REGION]
    assert len(await pair.told()) == 1


async def test_a_change_tells_when_it_was_made(pair: Pair) -> None:
    await pair.regions.add_region(REGION, entry=entry("create-region"))
    made_at = pair.clock.now()
    wanted = replace(PLAIN, name=HERE)
    changed_at = pair.clock.tick()

    assert await pair.regions.change_region(wanted, instead_of=REGION, entry=entry("update-region"))

    assert await pair.regions.regions() == [KeptRegion(region=wanted, created_at=made_at, changed_at=changed_at)]
    later = pair.clock.tick()
    assert await pair.regions.change_region(wanted, instead_of=wanted, entry=entry("update-region"))
    assert [kept.changed_at for kept in await pair.regions.regions()] == [later]
    assert await pair.told() == ["update-region", "update-region", "create-region"]


async def test_of_two_that_change_it_one_is_told_no(pair: Pair) -> None:
    await pair.regions.add_region(REGION, entry=entry("create-region"))
    first, second = replace(REGION, max_connections=8), replace(REGION, ca_file=None)
    assert await pair.regions.change_region(first, instead_of=REGION, entry=entry("update-region"))

    assert not await pair.regions.change_region(second, instead_of=REGION, entry=entry("update-region"))

    assert [kept.region for kept in await pair.regions.regions()] == [first]
    assert await pair.told() == ["update-region", "create-region"]


async def test_a_removed_region_is_gone(pair: Pair) -> None:
    await pair.regions.add_region(REGION, entry=entry("create-region"))
    await pair.regions.remove_region(HERE, entry=entry("delete-region"))

    assert await pair.regions.regions() == []
    for change in (
        pair.regions.remove_region(HERE, entry=entry("delete-region")),
        pair.regions.change_region(REGION, instead_of=REGION, entry=entry("update-region")),
    ):
        with pytest.raises(NoSuchName, match="'here'"):
            await change
    assert await pair.told() == ["delete-region", "create-region"]
    await pair.regions.add_region(PLAIN, entry=entry("create-region"))
    assert [kept.region for kept in await pair.regions.regions()] == [PLAIN]


async def test_regions_outlive_the_process(tmp_path: Path) -> None:
    first = await open_sqlite_ledger(tmp_path, clock=HandClock())
    await first.regions.add_region(REGION, entry=entry("create-region"))
    await first.close()

    second = await open_sqlite_ledger(tmp_path, clock=HandClock())
    assert [kept.region for kept in await second.regions.regions()] == [REGION]
    await second.close()
