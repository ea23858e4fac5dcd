"""A retry that is not made yet is checked and estimated from what is kept of the old job, and nothing is left of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from cosbatch.identity.policies import Access, Purpose
from cosbatch.ledger.people_port import AuditEntry
from cosbatch.ledger.sql_ledger import open_memory_ledger
from cosbatch.manifests.plain import RowBatch
from cosbatch.model.errors import IllegalMove, InvalidArgument, NoSuchJob, NoSuchResults, NotAllowed
from cosbatch.model.identifiers import AccountId, Bucket, ObjectKey, ObjectRef, RegionName
from cosbatch.model.jobs import Job, JobRequest
from cosbatch.model.manifests import FailedRows, Manifest, ManifestRow
from cosbatch.model.preflight import Check, CheckName, CheckOutcome
from cosbatch.model.prices import PriceTable
from cosbatch.model.principals import UserRole
from cosbatch.model.regions import Region
from cosbatch.operations.estimate import EstimateLimits, estimate_rows
from cosbatch.operations.port import JobFacts
from cosbatch.service.estimates import Estimates
from cosbatch.service.follow_up import FollowUp
from cosbatch.service.job_checks import JobChecker, OpenAs
from cosbatch.service.retry_checks import RetryChecked, RetryChecker
from cosbatch.service.service import JobService
from cosbatch.storage.memory import MemoryStore
from cosbatch.storage.memory_spool import MemorySpool
from cosbatch.storage.port import ObjectStore
from cosbatch.storage.profiles import PROFILES, CapabilityProfile
from tests.contract.ledgers import FINDINGS, HandClock
from tests.unit.service.ended_jobs import SOURCE, Outcome, end, work
from tests.unit.service.job_builders import AWAY, HOME, caller_of, job_request, region

ME, OTHER, VIEWER = caller_of("me"), caller_of("other"), caller_of("me", user="vera", role=UserRole.VIEWER)
SOME: list[list[Outcome]] = [[("a", ""), ("b", "NoSuchKey")], [("c", "AccessDenied"), ("d", "NoSuchKey")]]


class Ground:
    def __init__(self, profile: CapabilityProfile) -> None:
        self._profile = profile

    def region(self, name: RegionName, /) -> Region:
        return region(name)

    def profile(self, name: RegionName, /) -> CapabilityProfile:
        return self._profile

    async def manifest_store(self, request: JobRequest, /, *, account: AccountId) -> ObjectStore:
        raise AssertionError("a retry has no manifest in any store")


class Rig:
    def __init__(self) -> None:
        clock = HandClock()
        self.profile = replace(PROFILES["cos"], tells_write_by_upload=True)
        self.store = MemoryStore(profile=self.profile, clock=clock)
        for name in (SOURCE, "cold-125", "logs-125"):
            self.store.create_bucket(name, region=HOME)
        self.ledger = open_memory_ledger(clock)
        self.spool = MemorySpool()
        self.entries: list[AuditEntry] = []
        self.assumed: list[list[Access]] = []
        regions = {name: region(name) for name in (HOME, AWAY)}
        self.jobs = JobService(self.ledger, regions=regions, look=self._look)
        desk = FollowUp(self.jobs, ledger=self.ledger, spool=self.spool)
        checker = JobChecker(
            jobs=self.ledger,
            preflights=self.ledger.preflights,
            check_request=self.jobs.check_request,
            regions=regions,
            profile_of=lambda _: self.profile,
            open_stores=self._open,
            free_space=self._free,
            min_free_share=0.2,
            deletes_allowed=False,
            clock=clock,
            record=None,
        )
        prices = PriceTable(currency="CNY", regions={})
        estimates = Estimates(Ground(self.profile), ledger=self.ledger, prices=prices, clock=clock)
        self.checker = RetryChecker(desk, checker, estimates=estimates, record=self._record)

    async def _look(self, manifest: Manifest, *, region: RegionName) -> str:
        return "e1"

    async def _record(self, entry: AuditEntry) -> None:
        self.entries.append(entry)

    async def _free(self) -> float | None:
        return 0.5

    async def _open(self, request: JobRequest, account: AccountId, accesses: Sequence[Access]) -> OpenAs:
        self.assumed.append(list(accesses))
        return OpenAs(store=lambda _: self.store, role=None)

    async def ended(self, chunks: list[list[Outcome]] | None = None, **changes: Any) -> Job:
        job = await self.jobs.create_job(job_request(**changes), caller=ME)
        await work(self.ledger, self.spool, job.id, SOME if chunks is None else chunks)
        return await end(self.ledger, job.id)

    async def fill(self, *keys: str) -> None:
        for key in keys:
            await self.store.put(ObjectRef(SOURCE, ObjectKey(key)), b"x")

    async def check(self, old: Job, **named: Any) -> RetryChecked:
        return await self.checker.check_retry(old.id, **{"caller": ME, **named})


def named(checked: RetryChecked) -> dict[str, Check]:
    return {check.name: check for check in checked.preflight.checks}


async def test_a_retry_that_is_well() -> None:
    rig = Rig()
    await rig.fill("b", "c", "d")
    old = await rig.ended()
    checked = await rig.check(old, error_code="NoSuchKey", changes={"priority": 9})
    found = named(checked)
    assert checked.preflight.outcome is CheckOutcome.PASSED
    assert f"what failed in job {old.id} with NoSuchKey" in found[CheckName.MANIFEST].detail
    assert {CheckName.FIRST_ROWS, CheckName.DESTINATION_WRITABLE, CheckName.REPORT_WRITABLE} <= set(found)
    assert (checked.request.priority, checked.request.description) == (9, f"Retry of {old.id}")
    assert checked.request.manifest.location.retry_of == FailedRows(job_id=old.id, error_code="NoSuchKey")


async def test_its_rows_are_counted_and_no_others() -> None:
    rig = Rig()
    old = await rig.ended()
    counts = []
    for code in ("", "NoSuchKey", "AccessDenied"):
        estimate = (await rig.check(old, error_code=code)).estimate
        assert estimate is not None
        counts.append((estimate.rows, estimate.objects, estimate.size_bytes, estimate.is_exact))
    assert counts == [(3, 3, 21, True), (2, 2, 14, True), (1, 1, 7, True)]


async def batches(*sizes: int) -> AsyncIterator[tuple[RowBatch, int]]:
    """Of one row each, of which each stands for two failures."""
    for number, size in enumerate(sizes):
        row = ManifestRow(ObjectKey(f"k{number}"), None, size, None, False, "", "")
        yield RowBatch.of_rows([row]), 2


@pytest.mark.parametrize(
    ("most", "rows", "size_bytes", "is_exact"), [(None, 3, 60, True), (3, 3, 60, True), (1, 3, 30, False)]
)
async def test_what_is_not_read_is_scaled_up(most: int | None, rows: int, size_bytes: int, is_exact: bool) -> None:
    profile = PROFILES["cos"]
    facts = JobFacts(
        request=job_request(), findings=FINDINGS, source_profile=profile, target_profile=profile, same_store=True
    )
    found = await estimate_rows(
        facts,
        batches(10, 20, 30),
        whole=6,
        prices=PriceTable(currency="CNY", regions={}),
        rate=None,
        limits=EstimateLimits(rows=most),
        clock=HandClock(),
    )
    assert (found.rows, found.size_bytes, found.is_exact) == (rows, size_bytes, is_exact)
    assert found.rows_read == (most or 3)


async def test_what_a_check_finds_of_its_first_rows_is_about_them() -> None:
    rig = Rig()
    await rig.fill("a")
    gone = named(await rig.check(await rig.ended()))[CheckName.FIRST_ROWS]
    assert gone.outcome is not CheckOutcome.PASSED
    await rig.fill("b", "c", "d")
    assert named(await rig.check(await rig.ended()))[CheckName.FIRST_ROWS].outcome is CheckOutcome.PASSED


async def test_nothing_is_written_and_no_job_is_made() -> None:
    rig = Rig()
    await rig.fill("b", "c", "d")
    old = await rig.ended()
    files = await rig.spool.list("jobs/")
    await rig.check(old)
    assert await rig.spool.list("jobs/") == files
    assert [job.id for job in await rig.ledger.jobs()] == [old.id]
    assert rig.store.open_uploads() == ()
    assert (await rig.store.list_objects(Bucket("cold-125"))).objects == ()
    told = [(entry.action, entry.target, entry.outcome, entry.detail) for entry in rig.entries]
    assert told == [("check-retry", old.id, "done", "passed")]


async def test_a_role_is_assumed_for_the_objects_and_no_manifest() -> None:
    rig = Rig()
    await rig.check(await rig.ended())
    (accesses,) = rig.assumed
    assert Purpose.MANIFEST_READ not in {access.purpose for access in accesses}
    assert [access.bucket for access in accesses if access.purpose is Purpose.SOURCE_READ] == [SOURCE]


async def test_what_keeps_a_retry_from_being_made_is_no_answer() -> None:
    rig = Rig()
    running = await rig.jobs.create_job(job_request(), caller=ME)
    old, well = await rig.ended(), await rig.ended([[("a", "")]])
    never = await rig.ended([[("a", "NotLatestVersion")]])
    with pytest.raises(IllegalMove, match="only what has failed in a job that has ended"):
        await rig.check(running)
    for job, code in ((well, ""), (never, ""), (old, "SlowDown")):
        with pytest.raises(NoSuchResults):
            await rig.check(job, error_code=code)
    for code, changes in (
        ("NotLatestVersion", {}),
        ("", {"region": AWAY}),
        ("", {"role_arn": "arn:aws:iam::1:role/a"}),
    ):
        with pytest.raises(InvalidArgument):
            await rig.check(old, error_code=code, changes=changes)
    assert rig.assumed == []
    assert {entry.outcome for entry in rig.entries} == {"refused"}


async def test_results_that_are_gone_are_told() -> None:
    rig = Rig()
    old = await rig.ended()
    for name in await rig.spool.list(f"jobs/{old.id}/"):
        await rig.spool.delete(name)
    with pytest.raises(NoSuchResults, match="not kept any more"):
        await rig.check(old)


async def test_who_may() -> None:
    rig = Rig()
    old = await rig.ended()
    with pytest.raises(NotAllowed):
        await rig.check(old, caller=VIEWER)
    with pytest.raises(NoSuchJob):
        await rig.check(old, caller=OTHER)
    assert [entry.outcome for entry in rig.entries] == ["refused"] * 2


async def test_a_region_that_is_gone_is_a_fault_of_the_request() -> None:
    rig = Rig()
    old = await rig.ended()
    rig.jobs._regions = {AWAY: region(AWAY)}
    with pytest.raises(InvalidArgument) as caught:
        await rig.check(old)
    assert "region" in {fault.path for fault in caught.value.faults}
