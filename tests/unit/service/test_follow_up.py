"""What is asked of a job that is there already: who may, what is told, what is refused."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from cosbatch.ledger.people_port import AuditEntry
from cosbatch.ledger.sql_ledger import open_memory_ledger
from cosbatch.model.errors import (
    IllegalMove,
    InvalidArgument,
    NoSuchJob,
    NoSuchResults,
    NotAllowed,
    ServiceUnavailable,
    SpoolError,
    TokenReused,
    TooManyJobs,
)
from cosbatch.model.identifiers import JobId, RegionName
from cosbatch.model.jobs import Job
from cosbatch.model.manifests import FailedRows, Manifest
from cosbatch.model.principals import UserRole
from cosbatch.model.reports import ReportState
from cosbatch.model.states import JobStatus
from cosbatch.service.follow_up import FollowUp
from cosbatch.service.service import JobService
from cosbatch.storage.memory_spool import MemorySpool
from tests.contract.ledgers import HandClock
from tests.unit.service.ended_jobs import Outcome, end, work
from tests.unit.service.job_builders import AWAY, HOME, caller_of, job_content, job_request, region

ME, OTHER, VIEWER = caller_of("me"), caller_of("other"), caller_of("me", user="vera", role=UserRole.VIEWER)
SOME: list[list[Outcome]] = [[("a", ""), ("b", "NoSuchKey")], [("c", "AccessDenied"), ("d", "NoSuchKey")]]


class FullSpool(MemorySpool):
    is_full = False
    held: asyncio.Event | None = None
    """Puts wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = asyncio.Event()
        self.puts: list[str] = []

    async def put(self, name: str, content: bytes) -> None:
        if self.is_full:
            raise SpoolError(f"cannot write {name}: the disk is full")
        self.puts.append(name)
        self.reached.set()
        if self.held is not None:
            await self.held.wait()
        await super().put(name, content)


class Rig:
    def __init__(self, *, max_unfinished_jobs: int | None = None) -> None:
        self.etag = "e1"
        self.ledger = open_memory_ledger(HandClock())
        self.spool = FullSpool()
        self.entries: list[AuditEntry] = []
        regions = {name: region(name) for name in (HOME, AWAY)}
        self.jobs = JobService(self.ledger, regions=regions, look=self._look, max_unfinished_jobs=max_unfinished_jobs)
        self.desk = FollowUp(self.jobs, ledger=self.ledger, spool=self.spool, record=self._record)

    async def _look(self, manifest: Manifest, *, region: RegionName) -> str:
        return self.etag

    async def _record(self, entry: AuditEntry) -> None:
        self.entries.append(entry)

    def told(self) -> list[tuple[str, str, str]]:
        return [(entry.action, entry.outcome, entry.detail) for entry in self.entries]

    async def job(self, **changes: Any) -> Job:
        return await self.jobs.create_job(job_request(**changes), caller=ME)

    async def ended(self, chunks: list[list[Outcome]] | None = None, **changes: Any) -> Job:
        job = await self.job(**changes)
        await work(self.ledger, self.spool, job.id, SOME if chunks is None else chunks)
        return await end(self.ledger, job.id)

    async def manifests(self) -> list[str]:
        return [name for name in await self.spool.list("jobs/") if "/manifest/" in name]


async def test_a_retry_is_the_old_job_over_what_failed() -> None:
    rig = Rig()
    old = await rig.ended(priority=7, verify="all")
    made = await rig.desk.retry_failed(old.id, caller=ME, error_code="NoSuchKey", changes={"priority": 9})
    request = made.job.request
    assert (made.is_new, made.job.status, made.job.account) == (True, JobStatus.NEW, "me")
    assert request == replace(old.request, manifest=request.manifest, description=f"Retry of {old.id}", priority=9)
    assert request.manifest.location.retry_of == FailedRows(job_id=old.id, error_code="NoSuchKey")
    assert rig.told() == [("retry-failed", "done", f"made {made.job.id} of NoSuchKey")]
    assert [(event.kind, event.by) for event in await rig.ledger.events(made.job.id)] == [("created", str(ME))]


async def test_a_call_that_is_made_again_waits_for_the_first_and_finds_its_job() -> None:
    """Of a client that did not wait, or a proxy between: nothing is read and written twice."""
    rig = Rig()
    old = await rig.ended()
    rig.spool.held, before = asyncio.Event(), len(rig.spool.puts)
    rig.spool.reached.clear()
    first = asyncio.create_task(rig.desk.retry_failed(old.id, caller=ME, token="t"))  # no secret
    await rig.spool.reached.wait()
    again = asyncio.create_task(rig.desk.retry_failed(old.id, caller=ME, token="t"))  # no secret
    other = asyncio.create_task(rig.desk.clone_job(old.id, caller=ME))
    await other
    rig.spool.held.set()
    made, found = await first, await again
    assert (made.is_new, found.is_new, found.job) == (True, False, made.job)
    assert len(rig.spool.puts) - before == len([name for name in rig.spool.puts if made.job.id in name])
    assert len(await rig.ledger.jobs()) == 3


async def test_a_description_of_ones_own_stays() -> None:
    rig = Rig()
    old = await rig.ended()
    made = await rig.desk.retry_failed(old.id, caller=ME, changes={"description": "mine"})
    assert made.job.request.description == "mine"


@pytest.mark.parametrize("verb", ["retry_failed", "clone_job", "redeliver_report"])
async def test_who_may(verb: str) -> None:
    rig = Rig()
    old = await rig.ended()
    call = getattr(rig.desk, verb)
    with pytest.raises(NotAllowed):
        await call(old.id, caller=VIEWER)
    with pytest.raises(NoSuchJob):
        await call(old.id, caller=OTHER)
    with pytest.raises(NoSuchJob):
        await call(JobId("nothing"), caller=ME)
    assert [(action, outcome) for action, outcome, _ in rig.told()] == [(verb.replace("_", "-"), "refused")] * 3
    assert await rig.manifests() == []
    assert len(await rig.ledger.jobs()) == 1


async def test_only_what_has_ended_is_retried() -> None:
    rig = Rig()
    job = await rig.job()
    with pytest.raises(IllegalMove, match="has ended"):
        await rig.desk.retry_failed(job.id, caller=ME)
    await work(rig.ledger, rig.spool, job.id, SOME)
    with pytest.raises(IllegalMove, match="has ended"):
        await rig.desk.retry_failed(job.id, caller=ME)


async def test_nothing_to_retry_is_told_with_what_there_is() -> None:
    rig = Rig()
    old = await rig.ended()
    with pytest.raises(NoSuchResults, match="codes: AccessDenied, NoSuchKey"):
        await rig.desk.retry_failed(old.id, caller=ME, error_code="SlowDown")
    good = await rig.ended([[("a", "")]])
    with pytest.raises(NoSuchResults, match="nothing to retry"):
        await rig.desk.retry_failed(good.id, caller=ME)
    with pytest.raises(InvalidArgument) as refusal:
        await rig.desk.retry_failed(old.id, caller=ME, error_code="NotLatestVersion")
    assert refusal.value.faults[0].path == "error_code"
    assert await rig.manifests() == []


async def test_a_dry_run_is_cloned_and_not_retried() -> None:
    rig = Rig()
    job = await rig.ended(dry_run=True)
    for changes in ({}, {"dry_run": False}):
        with pytest.raises(IllegalMove, match=r"is a dry run.*clone-job"):
            await rig.desk.retry_failed(job.id, caller=ME, changes=changes)
    assert await rig.manifests() == []
    again = (await rig.desk.clone_job(job.id, caller=ME)).job
    assert again.request.dry_run
    real = (await rig.desk.clone_job(job.id, caller=ME, changes={"dry_run": False})).job
    assert not real.request.dry_run
    assert replace(real.request, dry_run=True) == again.request


async def test_what_failed_can_be_retried_as_a_dry_run() -> None:
    rig = Rig()
    made = (await rig.desk.retry_failed((await rig.ended()).id, caller=ME, changes={"dry_run": True})).job
    assert made.request.dry_run


async def test_a_retry_and_a_clone_keep_the_windows() -> None:
    rig = Rig()
    job = await rig.ended(windows=["22:00-06:00 Asia/Shanghai"])
    for made in (await rig.desk.retry_failed(job.id, caller=ME), await rig.desk.clone_job(job.id, caller=ME)):
        assert [str(window) for window in made.job.request.windows] == ["22:00-06:00 Asia/Shanghai"]


async def test_what_a_retry_may_not_change() -> None:
    rig = Rig()
    old = await rig.ended()
    for name in ("region", "manifest", "operation", "client_request_token"):
        with pytest.raises(InvalidArgument) as refusal:
            await rig.desk.retry_failed(old.id, caller=ME, changes={name: job_content().get(name, "x")})
        assert [fault.path for fault in refusal.value.faults] == [name]


async def test_a_job_that_is_refused_leaves_no_manifest() -> None:
    rig = Rig(max_unfinished_jobs=1)
    old = await rig.ended()
    await rig.job()
    with pytest.raises(TooManyJobs):
        await rig.desk.retry_failed(old.id, caller=ME)
    assert await rig.manifests() == []
    with pytest.raises(InvalidArgument, match="cannot be made"):
        await rig.desk.retry_failed(old.id, caller=ME, token="x" * 65)


async def test_a_work_area_that_is_full_is_the_services_own_trouble() -> None:
    rig = Rig()
    old = await rig.ended()
    rig.spool.is_full = True
    with pytest.raises(ServiceUnavailable, match="work area"):
        await rig.desk.retry_failed(old.id, caller=ME)
    assert rig.told()[-1][1] == "refused"


async def test_a_clone_pins_the_manifest_as_it_is_now_and_says_so() -> None:
    rig = Rig()
    old = await rig.job(description="first", priority=3)
    same = await rig.desk.clone_job(old.id, caller=ME)
    rig.etag = "e2"
    other = await rig.desk.clone_job(old.id, caller=ME, changes={"priority": 5})
    assert (same.manifest_changed, same.job.request) == (False, old.request)
    assert (other.manifest_changed, other.job.request.manifest.location.etag) == (True, "e2")
    assert (other.job.priority, other.job.request.description) == (5, "first")
    assert len({old.token, same.job.token, other.job.token}) == 3
    assert rig.told() == [("clone-job", "done", f"made {one.job.id}") for one in (same, other)]


async def test_a_clone_of_a_job_that_has_ended_or_failed() -> None:
    rig = Rig()
    old = await rig.job()
    await work(rig.ledger, rig.spool, old.id, SOME)
    await end(rig.ledger, old.id, status=JobStatus.FAILED)
    assert (await rig.desk.clone_job(old.id, caller=ME)).job.status is JobStatus.NEW


async def test_a_clone_is_told_its_token_and_keeps_to_it() -> None:
    rig = Rig()
    old = await rig.job()
    made = await rig.desk.clone_job(old.id, caller=ME, token="t")
    rig.etag = "e2"
    again = await rig.desk.clone_job(old.id, caller=ME, token="t")
    assert (again.job.id, again.is_new, again.manifest_changed) == (made.job.id, False, False)
    with pytest.raises(TokenReused, match=made.job.id):
        await rig.desk.clone_job(old.id, caller=ME, token="t", changes={"priority": 1})


async def test_a_report_is_asked_for_again() -> None:
    rig = Rig()
    old = await rig.job()
    with pytest.raises(IllegalMove, match="when it ends"):
        await rig.desk.redeliver_report(old.id, caller=ME)
    await work(rig.ledger, rig.spool, old.id, SOME)
    await end(rig.ledger, old.id, state=ReportState.FAILED)
    job = await rig.desk.redeliver_report(old.id, caller=ME)
    assert (job.status, job.report_state) == (JobStatus.COMPLETE, ReportState.PENDING)
    assert (await rig.ledger.events(old.id))[-1].by == str(ME)
    without = await rig.ended(report={"enabled": False})
    with pytest.raises(IllegalMove, match="can be downloaded"):
        await rig.desk.redeliver_report(without.id, caller=ME)
    assert [outcome for _, outcome, _ in rig.told()] == ["refused", "done", "refused"]
