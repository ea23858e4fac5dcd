"""Retries and clones that are not made yet are checked and estimated from what is kept of the old job, and nothing is
left of them."""

from __future__ import annotations

import json
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
from cosbatch.service.follow_up_checks import FollowUpChecker, RetryChecked
from cosbatch.service.job_checks import JobChecked, JobChecker, OpenAs
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
        self.desk = FollowUp(self.jobs, ledger=self.ledger, spool=self.spool)
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
        self.checker = FollowUpChecker(self.desk, checker, estimates=estimates, record=self._record)

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


def named(checked: RetryChecked | JobChecked) -> dict[str, Check]:
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
    words = checked.equivalents
    assert words.xml == ""
    assert json.loads(words.json) == {"error_code": "NoSuchKey", "changes": {"priority": 9}}
    assert words.cli().endswith(f"cosbatch retry-failed {old.id} --code NoSuchKey --changes changes.yaml\n")
    there = words.cli(server="https://b")
    assert there.endswith(
        f"cosbatch retry-failed {old.id} --code NoSuchKey --changes changes.yaml --server https://b\n"
    )


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


class TestClone:
    async def retry(self, rig: Rig) -> Job:
        old = await rig.ended()
        return (await rig.desk.retry_failed(old.id, caller=ME, error_code="NoSuchKey")).job

    async def test_of_a_retry_is_checked_by_the_rows_that_are_kept(self) -> None:
        rig = Rig()
        await rig.fill("b", "d")
        retry = await self.retry(rig)
        files = await rig.spool.list("jobs/")
        checked = await rig.checker.check_clone(retry.id, caller=ME, changes={"priority": 9, "description": "it's"})
        found = named(checked)
        assert checked.preflight.outcome is CheckOutcome.PASSED
        assert "with NoSuchKey can be read" in found[CheckName.MANIFEST].detail
        assert {CheckName.FIRST_ROWS, CheckName.DESTINATION_WRITABLE, CheckName.REPORT_WRITABLE} <= set(found)
        assert checked.estimate is not None
        assert [checked.estimate[name] for name in ("rows", "size_bytes", "is_exact")] == [2, 14, True]
        assert checked.request == replace(retry.request, priority=9, description="it's")
        assert json.loads(checked.equivalents.json) == {"changes": {"priority": 9, "description": "it's"}}
        assert checked.equivalents.cli().endswith(f"cosbatch clone-job {retry.id} --changes changes.yaml\n")
        # Nothing is left of it.
        assert await rig.spool.list("jobs/") == files
        assert {job.id for job in await rig.ledger.jobs()} == {retry.id, *await old_ids(rig, retry)}
        assert rig.store.open_uploads() == ()
        assert [(entry.action, entry.detail) for entry in rig.entries] == [("check-clone", "passed")]

    async def test_needs_no_plan_of_the_retry(self) -> None:
        rig = Rig()
        retry = await self.retry(rig)
        assert retry.findings is None
        gone = named(await rig.checker.check_clone(retry.id, caller=ME))[CheckName.FIRST_ROWS]
        assert gone.outcome is not CheckOutcome.PASSED
        checked = await rig.checker.check_clone(retry.id, caller=ME)
        assert (checked.equivalents.json, checked.equivalents.cli()) == ("{}", f"cosbatch clone-job {retry.id}\n")
        there = checked.equivalents.cli(server="https://b")
        assert there.endswith(f"\ncosbatch clone-job {retry.id} --server https://b\n")

    async def test_of_another_manifest_is_checked_as_any_job(self) -> None:
        rig = Rig()
        retry = await self.retry(rig)
        location = {"object_arn": "qcs::cos:ap-guangzhou:uid/125:logs-125/list.csv"}
        spec = {"format": "COSBatchOperations_CSV_V1", "fields": ["Bucket", "Key"]}
        changes = {"manifest": {"location": location, "spec": spec}}
        checked = await rig.checker.check_clone(retry.id, caller=ME, changes=changes)
        manifest = named(checked)[CheckName.MANIFEST]
        assert (manifest.outcome, "logs-125/list.csv" in manifest.detail) == (CheckOutcome.FAILED, True)
        assert checked.equivalents.cli().endswith("cosbatch run job.yaml\n")
        assert [entry.action for entry in rig.entries] == ["check-clone"]

    @pytest.mark.parametrize("is_damaged", [True, False])
    async def test_of_rows_that_cannot_be_read_any_more(self, is_damaged: bool) -> None:
        rig = Rig()
        retry = await self.retry(rig)
        for name in await rig.spool.list(f"jobs/{retry.id}/"):
            await rig.spool.delete(name)
            if is_damaged:
                await rig.spool.put(name, b"{}")
        with pytest.raises(NoSuchResults, match="cannot be read any more"):
            await rig.checker.check_clone(retry.id, caller=ME)

    async def test_takes_who_may_make_jobs(self) -> None:
        rig = Rig()
        retry = await self.retry(rig)
        with pytest.raises(NotAllowed):
            await rig.checker.check_clone(retry.id, caller=VIEWER)
        with pytest.raises(NoSuchJob):
            await rig.checker.check_clone(retry.id, caller=OTHER)
        with pytest.raises(InvalidArgument):
            await rig.checker.check_clone(retry.id, caller=ME, changes={"client_request_token": "once"})
        assert [entry.outcome for entry in rig.entries] == ["refused"] * 3


async def old_ids(rig: Rig, retry: Job) -> list[str]:
    assert retry.request.manifest.location.retry_of is not None
    return [retry.request.manifest.location.retry_of.job_id]
