"""How jobs give way to each other, wait, expire and are removed: the whole engine, in virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from cosbatch.engine.remover import Remover
from cosbatch.model.errors import FailureCode, NoSuchJob
from cosbatch.model.identifiers import AccountId, JobId, new_job_id
from cosbatch.model.jobs import Job, PausedBy
from cosbatch.model.reports import ReportState
from cosbatch.model.states import Actor, JobStatus
from tests.simulation.faulty import slow
from tests.simulation.rig import LIMITS, Rig
from tests.unit.storage.virtual_time import VirtualClock, run_virtually, virtual_time

OTHER = AccountId("other")


def keys(name: str, count: int = 1500) -> list[str]:
    return [f"{name}/{number:05d}" for number in range(count)]


async def submitted(
    rig: Rig,
    name: str,
    *,
    priority: int,
    count: int = 1500,
    confirmation_required: bool = False,
    account: AccountId | None = None,
) -> Job:
    wanted = keys(name, count)
    rig.put_objects(wanted)
    manifest = rig.csv_manifest(wanted, name=f"{name}.csv")
    request = rig.request(manifest, priority=priority, confirmation_required=confirmation_required)
    if account is None:
        return await rig.submit(request)
    job_id = new_job_id()
    return await rig.ledger.create(request, job_id=job_id, account=account, token=job_id, digest=job_id)


async def until_copied(rig: Rig, job: Job, name: str, count: int) -> Job:
    """Whether committed yet or not."""
    return await rig.when(job, lambda _: sum(key.startswith(f"{name}/") for key in rig.copied()) > count)


async def cancel(rig: Rig, job: Job) -> None:
    await rig.ledger.move(job.id, expect=set(JobStatus), to=JobStatus.CANCELLING, actor=Actor.USER, reason="enough")


async def fail(rig: Rig, job: Job) -> None:
    code = FailureCode.STORE_UNAVAILABLE
    to = JobStatus.FAILING
    await rig.ledger.move(job.id, expect=set(JobStatus), to=to, actor=Actor.ENGINE, reason="away", failure=code)


async def reasons(rig: Rig, job: Job, kind: str, status: JobStatus) -> list[str]:
    return [event.reason for event in await rig.ledger.events(job.id) if (event.kind, event.status) == (kind, status)]


@pytest.mark.parametrize("end", [JobStatus.COMPLETE, JobStatus.CANCELLED, JobStatus.FAILED])
def test_a_greater_job_pre_empts_is_named_and_the_other_goes_on_when_it_has_ended(end: JobStatus) -> None:
    async def scenario(clock: VirtualClock) -> None:
        rig = Rig(clock, wrap=slow, connections=8)
        rig.start(workers=2)
        low = await submitted(rig, "low", priority=5)
        await until_copied(rig, low, "low", 100)
        high = await submitted(rig, "high", priority=9)
        paused = await rig.until(low, {JobStatus.PAUSED}, within_seconds=60)
        named = f"pre-empted by job {high.id}, which has priority 9"
        assert (paused.paused_by, paused.status_reason) == (PausedBy.PRIORITY, named)
        assert await reasons(rig, low, "moved", JobStatus.PAUSING) == [named]
        assert await reasons(rig, low, "moved", JobStatus.PAUSED) == [named]
        if end is not JobStatus.COMPLETE:
            await (cancel if end is JobStatus.CANCELLED else fail)(rig, high)
        assert (await rig.until(high)).status is end
        done = await rig.until(low)
        assert (done.status, done.tally.succeeded) == (JobStatus.COMPLETE, 1500)
        assert set(keys("low")) <= rig.copied()
        assert await reasons(rig, low, "moved", JobStatus.ACTIVE) == [
            "its turn in the queue",
            "no job of a greater priority needs workers",
        ]
        await rig.drain()

    run_virtually(scenario)


@virtual_time
async def test_a_greater_job_that_waits_for_its_confirmation_holds_nobody_back(clock: VirtualClock) -> None:
    rig = Rig(clock, wrap=slow)
    rig.start()
    high = await submitted(rig, "high", priority=9, confirmation_required=True)
    low = await submitted(rig, "low", priority=5)
    assert (await rig.until(low)).status is JobStatus.COMPLETE
    assert await reasons(rig, low, "moved", JobStatus.PAUSING) == []
    assert (await rig.ledger.job(high.id)).status is JobStatus.SUSPENDED
    await rig.drain()


@virtual_time
async def test_a_job_that_is_held_in_ready_names_the_greater_one_and_a_raised_priority_counts_at_once(
    clock: VirtualClock,
) -> None:
    rig = Rig(clock, wrap=slow)
    rig.start()
    first = await submitted(rig, "first", priority=9)
    await until_copied(rig, first, "first", 50)
    second = await submitted(rig, "second", priority=5)
    named = f"waits for job {first.id}, which has priority 9"
    held = await rig.when(second, lambda found: found.status_reason == named, within_seconds=60)
    assert held.status is JobStatus.READY
    assert await reasons(rig, second, "waiting", JobStatus.READY) == [named]

    await rig.ledger.set_priority(second.id, priority=10, actor=Actor.USER)

    paused = await rig.until(first, {JobStatus.PAUSED}, within_seconds=60)
    assert paused.status_reason == f"pre-empted by job {second.id}, which has priority 10"
    assert paused.tally.succeeded < 1500
    assert (await rig.until(second)).status is JobStatus.COMPLETE
    assert (await rig.until(first)).status is JobStatus.COMPLETE
    await rig.drain()


@virtual_time
async def test_what_waits_names_another_when_that_one_has_taken_over(clock: VirtualClock) -> None:
    rig = Rig(clock, wrap=slow)
    rig.start()
    low = await submitted(rig, "low", priority=1)
    await until_copied(rig, low, "low", 50)
    first = await submitted(rig, "first", priority=9)
    await rig.until(low, {JobStatus.PAUSED}, within_seconds=60)
    second = await submitted(rig, "second", priority=5)
    await rig.until(second, {JobStatus.READY}, within_seconds=60)
    await rig.until(first)
    named = f"pre-empted by job {second.id}, which has priority 5"
    assert (await rig.when(low, lambda found: found.status_reason == named)).status is JobStatus.PAUSED
    assert (await rig.until(low)).status is JobStatus.COMPLETE
    await rig.drain()


@virtual_time
async def test_what_a_user_has_paused_stays_paused(clock: VirtualClock) -> None:
    rig = Rig(clock, wrap=slow)
    rig.start()
    low = await submitted(rig, "low", priority=5)
    await until_copied(rig, low, "low", 50)
    to, by = JobStatus.PAUSING, PausedBy.USER
    await rig.ledger.move(
        low.id, expect={JobStatus.ACTIVE}, to=to, actor=Actor.USER, reason="lunch", by="anna via rest", paused_by=by
    )
    high = await submitted(rig, "high", priority=9)
    assert (await rig.until(high)).status is JobStatus.COMPLETE
    await asyncio.sleep(600)
    paused = await rig.ledger.job(low.id)
    assert (paused.status, paused.paused_by, paused.status_reason) == (JobStatus.PAUSED, PausedBy.USER, "lunch")
    await rig.drain()


@virtual_time
async def test_jobs_of_different_accounts_do_not_pre_empt_each_other(clock: VirtualClock) -> None:
    rig = Rig(clock, wrap=slow)
    rig.start()
    low = await submitted(rig, "low", priority=1)
    await until_copied(rig, low, "low", 50)
    high = await submitted(rig, "high", priority=99, account=OTHER)
    before = await until_copied(rig, high, "high", 200)
    between = await rig.ledger.job(low.id)
    assert before.status is between.status is JobStatus.ACTIVE
    for job in (low, high):
        assert (await rig.until(job)).status is JobStatus.COMPLETE
        assert await reasons(rig, job, "moved", JobStatus.PAUSING) == []
    await rig.drain()


@virtual_time
async def test_a_small_plan_of_another_account_does_not_wait_for_a_great_one(clock: VirtualClock) -> None:
    rig = Rig(clock, wrap=slow, limits=replace(LIMITS, slice_rows=100))
    great = await submitted(rig, "great", priority=99, count=6000)
    small = await submitted(rig, "small", priority=1, count=20, account=OTHER)
    rig.start_planner()
    await rig.until(small, {JobStatus.READY})
    planned = await rig.ledger.job(great.id)
    assert planned.status is JobStatus.PREPARING
    assert planned.total is None
    assert (await rig.until(great, {JobStatus.READY})).total == 6000
    await rig.drain()


@virtual_time
async def test_a_suspension_expires_by_the_ledgers_clock_whoever_was_away_meanwhile(clock: VirtualClock) -> None:
    rig = Rig(clock, limits=replace(LIMITS, suspended_expiry_seconds=7200.0))
    rig.start()
    job = await submitted(rig, "list", priority=5, confirmation_required=True)
    suspended = await rig.until(job, {JobStatus.SUSPENDED})
    assert suspended.suspended_at is not None
    assert suspended.suspended_cause
    await asyncio.sleep(1800)
    for running in rig.running:
        running.kill()
    await asyncio.sleep(1700)
    rig.start()
    await asyncio.sleep(3660)
    assert (await rig.ledger.job(job.id)).status is JobStatus.SUSPENDED
    done = await rig.until(job, within_seconds=120)
    assert (done.status, done.failure_code) == (JobStatus.FAILED, FailureCode.SUSPENDED_EXPIRED)
    assert "nobody confirmed" in done.failure_reason
    assert done.ended_at is not None
    assert done.ended_at - suspended.suspended_at == pytest.approx(7200, abs=60)
    assert rig.copied() == set()
    assert done.report_state is ReportState.DELIVERED
    assert rig.report(done).summary["not_attempted"] == 1500
    assert [event.status for event in await rig.ledger.events(job.id) if event.kind == "moved"][-2:] == [
        JobStatus.FAILING,
        JobStatus.FAILED,
    ]
    await rig.drain()


@virtual_time
async def test_the_end_of_the_retention_takes_everything_but_the_report(clock: VirtualClock) -> None:
    rig = Rig(clock)
    rig.start()
    done = await rig.until(await submitted(rig, "list", priority=5))
    assert await rig.spool.list(f"jobs/{done.id}/")
    limits = replace(LIMITS, retention_seconds=7200.0)
    await asyncio.sleep(7000)
    await until_idle(Remover(ledger=rig.ledger, spool=rig.spool, clock=clock, limits=limits))
    assert (await rig.ledger.job(done.id)).status is JobStatus.COMPLETE
    await asyncio.sleep(300)
    await until_idle(Remover(ledger=rig.ledger, spool=rig.spool, clock=clock, limits=limits))
    with pytest.raises(NoSuchJob):
        await rig.ledger.job(done.id)
    assert await rig.spool.list("jobs/") == []
    assert await rig.ledger.known_jobs([JobId(done.id)]) == frozenset()
    assert len(rig.report(done).rows) == 1500
    await rig.drain()


async def until_idle(remover: Remover) -> None:
    while await remover.step():
        pass
