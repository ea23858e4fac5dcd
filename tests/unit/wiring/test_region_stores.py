"""The stores of a process while the region table changes under it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from cosbatch.engine.job_credentials import JobCredentialSource
from cosbatch.identity.ciphers import Cipher, KeyRing
from cosbatch.identity.credentials import Credentials
from cosbatch.identity.roles import purpose_of_job, seal_credentials
from cosbatch.ledger.people_port import AuditEntry
from cosbatch.ledger.role_port import CredentialTerms, JobCredentials
from cosbatch.ledger.sql_ledger import SqlLedger, open_memory_ledger
from cosbatch.model.clock import SystemClock
from cosbatch.model.errors import InvalidArgument, JobFailure, ServiceUnavailable
from cosbatch.model.identifiers import AccountId, Bucket, JobId, ObjectKey, ObjectRef, RegionName
from cosbatch.model.regions import CappedPlace, Provider, RateKind, Region
from cosbatch.service.people import local_operator
from cosbatch.settings import RegionSettings, Settings
from cosbatch.wiring.regions import known_regions, open_regions
from cosbatch.wiring.service import job_service
from cosbatch.wiring.stores import RegionStores, open_stores
from tests.capturing_store import CapturingStore
from tests.contract.ledgers import HandClock, new_job, request

HERE, THERE = RegionName("here"), RegionName("there")
BUCKET = Bucket("the-bucket")
REF = ObjectRef(BUCKET, ObjectKey("k"))
FOUND = {"etag": '"e"', "last-modified": "Tue, 14 Nov 2023 22:13:20 GMT"}
CIPHER = Cipher(KeyRing(current=bytes(32)))
ENTRY = AuditEntry(account=AccountId(""), actor="root", via="cli", action="a", target="t")


def region(name: RegionName, endpoint: str) -> Region:
    return Region(name=name, provider=Provider.S3, endpoint=endpoint, profile="s3", signing_region="us-east-1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    ledger: SqlLedger
    stores: RegionStores
    job: JobId
    clock: HandClock

    async def make(self, made: Region) -> None:
        await self.ledger.regions.add_region(made, entry=ENTRY)
        await self.stores.look_again()

    async def change(self, old: Region, new: Region) -> None:
        assert await self.ledger.regions.change_region(new, instead_of=old, entry=ENTRY)
        await self.stores.look_again()


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    clock = HandClock()
    ledger = open_memory_ledger(clock)
    job = await new_job(ledger)
    terms = CredentialTerms(assumed_at=0.0, expires_at=None, is_narrowed=True, is_for_tasks=True)
    key = Credentials(access_key_id="AKIA1", secret_access_key="s")
    sealed = seal_credentials(key, cipher=CIPHER, purpose=purpose_of_job(job.id))
    await ledger.roles.keep_credentials(job.id, JobCredentials(terms=terms, sealed=sealed))

    def source_of(job_id: JobId) -> JobCredentialSource:
        return JobCredentialSource(job_id, roles=ledger.roles, cipher=CIPHER, clock=SystemClock(), for_tasks=True)

    async with open_stores(
        Settings(regions={HERE: RegionSettings(endpoint="http://127.0.0.1:1")}),
        clock=SystemClock(),
        waits_for_shares=True,
        source_of=source_of,
        kept=ledger.regions,
    ) as stores:
        yield Rig(ledger=ledger, stores=stores, job=job.id, clock=clock)
    await ledger.close()


@pytest.fixture
async def server() -> AsyncIterator[CapturingStore]:
    async with CapturingStore() as running:
        yield running


async def connections_are(server: CapturingStore, count: int) -> None:
    async with asyncio.timeout(10):
        while server.connections != count:
            await asyncio.sleep(0.001)


async def test_a_region_is_known_as_soon_as_somebody_looks(rig: Rig, server: CapturingStore) -> None:
    regions = rig.stores.regions
    await rig.ledger.regions.add_region(region(THERE, server.endpoint), entry=ENTRY)
    with pytest.raises(JobFailure, match="there is no region 'there'"):
        rig.stores.plain(THERE, acting=rig.job)

    await rig.stores.look_again()

    assert set(regions) == {HERE, THERE}
    server.answer(headers=FOUND)
    assert (await rig.stores.plain(THERE, acting=rig.job).head(REF)).etag == "e"


async def test_a_region_that_was_deleted_is_known_no_more(rig: Rig) -> None:
    await rig.make(region(THERE, "http://127.0.0.1:2"))
    await rig.ledger.regions.remove_region(THERE, entry=ENTRY)
    await rig.stores.look_again()
    assert set(rig.stores.regions) == {HERE}
    with pytest.raises(JobFailure, match="put it back"):
        rig.stores.region(THERE)


async def test_what_the_settings_declare_is_theirs(rig: Rig) -> None:
    await rig.make(region(HERE, "http://elsewhere"))
    assert rig.stores.region(HERE).endpoint == "http://127.0.0.1:1"


async def test_jobs_without_a_role_cannot_use_it(rig: Rig, server: CapturingStore) -> None:
    await rig.make(region(THERE, server.endpoint))
    with pytest.raises(JobFailure, match="region there has no credentials of its own"):
        await rig.stores.plain(THERE).head(REF)
    assert server.requests == []


async def test_who_has_the_old_store_goes_on_and_its_client_is_closed_after_the_last(
    rig: Rig, server: CapturingStore
) -> None:
    first = region(THERE, server.endpoint)
    await rig.make(first)
    for _ in range(3):
        server.answer(headers=FOUND)
    old = rig.stores.plain(THERE, acting=rig.job)
    await old.head(REF)
    await connections_are(server, 1)

    await rig.change(first, replace(first, max_connections=7))

    new = rig.stores.plain(THERE, acting=rig.job)
    assert new is not old
    await new.head(REF)
    await old.head(REF)
    await rig.stores.look_again()
    await connections_are(server, 2)
    del old
    await rig.stores.look_again()
    await connections_are(server, 1)
    assert len(server.requests) == 3


async def test_written_again_as_it_was_its_connections_are_made_anew(rig: Rig, server: CapturingStore) -> None:
    made = region(THERE, server.endpoint)
    await rig.make(made)
    server.answer(headers=FOUND)
    await rig.stores.plain(THERE, acting=rig.job).head(REF)
    await connections_are(server, 1)
    rig.clock.tick()
    await rig.change(made, made)
    await connections_are(server, 0)


async def test_the_other_regions_keep_their_connections(rig: Rig, server: CapturingStore) -> None:
    await rig.make(region(THERE, server.endpoint))
    for _ in range(2):
        server.answer(headers=FOUND)
    await rig.stores.plain(THERE, acting=rig.job).head(REF)
    await rig.make(region(RegionName("third"), "http://127.0.0.1:3"))
    await rig.stores.plain(THERE, acting=rig.job).head(REF)
    assert server.connections == 1


async def test_a_store_is_sent_on_to_a_region_that_is_new(rig: Rig, server: CapturingStore) -> None:
    async with CapturingStore() as other:
        await rig.make(region(THERE, server.endpoint))
        rig.stores.plain(THERE, acting=rig.job)
        await rig.make(region(RegionName("third"), other.endpoint))
        server.answer(status=307, headers={"location": f"{other.endpoint}/the-bucket/k"})
        other.answer(headers=FOUND)
        await rig.stores.plain(THERE, acting=rig.job).head(REF)
        assert [request.path for request in other.requests] == ["/the-bucket/k"]


def may_send(stores: RegionStores) -> bool:
    pacer = stores._board(THERE).pacer(BUCKET)
    ticket = pacer.try_admit()
    if ticket:
        pacer.release(ticket)
    return bool(ticket)


async def test_a_cap_holds_at_once_and_is_lifted_at_once(rig: Rig, server: CapturingStore) -> None:
    free = region(THERE, server.endpoint)
    await rig.make(free)
    assert may_send(rig.stores)
    assert not rig.stores.caps_requests

    capped = replace(free, requests_per_second=50.0, max_connections=3)
    await rig.change(free, capped)
    assert rig.stores.caps_requests
    assert rig.stores.cap_of(THERE, RateKind.REQUESTS) == 50.0
    assert rig.stores.pace_of(THERE, BUCKET).limit == 3
    assert not may_send(rig.stores), "it has no share of the cap yet"

    rig.stores.set_rate(CappedPlace(THERE, BUCKET, RateKind.REQUESTS), 50.0, until=float("inf"))
    assert may_send(rig.stores)
    await rig.change(capped, replace(capped, requests_per_second=40.0))
    assert may_send(rig.stores), "its share holds until it gets one of the new cap"

    await rig.change(replace(capped, requests_per_second=40.0), free)
    assert may_send(rig.stores)
    rig.stores.set_rate(CappedPlace(THERE, BUCKET, RateKind.REQUESTS), 0.0, until=0.0)
    assert may_send(rig.stores), "a share that goes back late stops nobody"


async def test_a_ca_file_that_this_host_cannot_read_is_told(rig: Rig, tmp_path: Path) -> None:
    await rig.make(replace(region(THERE, "https://127.0.0.1:2"), ca_file=str(tmp_path / "gone.pem")))
    with pytest.raises(JobFailure, match="the ca_file of region there cannot be used here: No such file"):
        rig.stores.plain(THERE, acting=rig.job)


async def test_no_job_is_made_where_it_cannot_be_read(rig: Rig, tmp_path: Path) -> None:
    await rig.make(replace(region(THERE, "https://127.0.0.1:2"), ca_file=str(tmp_path / "gone.pem")))
    service = job_service(Settings(), rig.ledger, rig.stores, desk=None)
    with pytest.raises(ServiceUnavailable, match="the store of region there cannot be asked") as refused:
        await service.pin_manifest(request(region=THERE))
    assert str(tmp_path) not in str(refused.value)


async def test_a_job_may_name_a_region_that_was_made_a_moment_ago(rig: Rig, server: CapturingStore) -> None:
    service = job_service(Settings(), rig.ledger, rig.stores, desk=None)
    await rig.ledger.regions.add_region(region(THERE, server.endpoint), entry=ENTRY)
    with pytest.raises(InvalidArgument, match=r'region: is not in the region table .*did you mean "there"'):
        await service.pin_manifest(request(region=RegionName("ther")))
    with pytest.raises(JobFailure, match="has no credentials of its own"):
        await service.pin_manifest(request(region=THERE))


async def test_the_regions_of_a_folder_are_those_of_both_places(tmp_path: Path) -> None:
    settings = Settings(regions={HERE: RegionSettings(endpoint="http://h")})
    assert set(await known_regions(settings, tmp_path / "state")) == {HERE}
    assert not (tmp_path / "state").exists()
    async with open_regions(settings, tmp_path / "state", may_make=True) as service:
        await service.create_region(local_operator("root"), name=THERE, fields={"endpoint": "http://t"})
    assert set(await known_regions(settings, tmp_path / "state")) == {HERE, THERE}


@pytest.mark.parametrize("size_bytes", [0, 4000])
async def test_a_cap_on_bytes_waits_for_a_share_and_changes_with_its_region(rig: Rig, size_bytes: int) -> None:
    free = region(THERE, "http://127.0.0.1:2")
    capped = replace(free, bytes_per_second=1000.0)
    ours = CappedPlace(THERE, BUCKET, RateKind.BYTES)

    async def may_begin() -> bool:
        gate = rig.stores._board(THERE).byte_gate(BUCKET)
        try:
            async with asyncio.timeout(0.01):
                await gate.enter(size_bytes, None) if gate else None
        except TimeoutError:
            return False
        return True

    await rig.make(capped)
    assert rig.stores.cap_of(THERE, RateKind.BYTES) == 1000.0
    assert not rig.stores.caps_requests
    assert not await may_begin(), "it has no share of the cap yet"
    rig.stores.set_rate(ours, 500.0, until=float("inf"))
    assert rig.stores.wanting_rate(since=float("inf")) == set()
    assert await may_begin()
    assert rig.stores.wanting_rate(since=float("inf")) == ({ours} if size_bytes else set()), "it is owed for seconds"
    assert await may_begin() == (size_bytes == 0)
    await rig.change(capped, free)
    assert await may_begin()
    rig.stores.set_rate(ours, 0.0, until=0.0)
    assert await may_begin(), "a share that goes back late stops nobody"


async def test_who_takes_no_part_in_shares_keeps_no_cap_on_bytes() -> None:
    ledger = open_memory_ledger(HandClock())
    await ledger.regions.add_region(replace(region(THERE, "http://127.0.0.1:2"), bytes_per_second=1.0), entry=ENTRY)
    async with open_stores(Settings(regions={}), clock=HandClock(), kept=ledger.regions) as stores:
        assert stores._board(THERE).byte_gate(BUCKET) is None
    await ledger.close()
