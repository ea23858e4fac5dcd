"""Somebody sets the wall clock while a job ends: nothing ends too early for it, and nothing waits for it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, cast

import pytest

from cosbatch.ledger.memory import MemoryLedger
from cosbatch.ledger.port import QueuedJob
from cosbatch.model.errors import FailureCode, StorageError, StorageReason
from cosbatch.model.jobs import Job, PausedBy
from cosbatch.model.states import Actor, JobStatus
from cosbatch.storage.port import ObjectStore
from tests.simulation.rig import LIMITS, Rig, View
from tests.simulation.run import JumpingClock
from tests.simulation.test_trouble import Between, Call
from tests.unit.storage.virtual_time import VirtualClock, virtual_time

KEYS = [f"logs/{number:03d}" for number in range(40)]
A_FEW_POLLS = 10 * LIMITS.poll_seconds


async def begun(rig: Rig) -> Job:
    """A job whose only worker dies with every request under way: none of them is ever answered."""
    sent = 0

    async def copy(*_: Any, **__: Any) -> Any:
        nonlocal sent
        sent += 1
        await asyncio.sleep(86400)

    store = cast(ObjectStore, Between(rig.store, copy=copy))
    rig.start_stewards()
    rig.view = lambda: View(store, rig.ledger, rig.spool)
    worker = rig.start_worker()
    rig.put_objects(KEYS)
    job = await rig.submit(rig.request(rig.csv_manifest(KEYS)))
    await rig.when(job, lambda _: sent > 0)
    worker.kill()
    rig.running.remove(worker)
    rig.view = lambda: View(rig.store, rig.ledger, rig.spool)
    return job


async def ends(rig: Rig, job: Job, to: JobStatus) -> None:
    paused_by = PausedBy.USER if to is JobStatus.PAUSING else None
    await rig.ledger.move(
        job.id, expect={JobStatus.ACTIVE}, to=to, actor=Actor.USER, reason="enough", paused_by=paused_by
    )


async def lost(rig: Rig, job: Job) -> QueuedJob:
    """The job as soon as the lease of its dead worker is over."""
    while True:
        [queued] = [each for each in await rig.ledger.queued_jobs() if each.job.id == job.id]
        if not queued.is_quiet:
            return queued
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("jump_seconds", [3600.0, -3600.0])
@pytest.mark.parametrize("ending", [JobStatus.CANCELLING, JobStatus.PAUSING])
def test_requests_of_the_dead_are_waited_for_however_the_wall_clock_jumps(
    jump_seconds: float, ending: JobStatus
) -> None:
    @virtual_time
    async def scenario(clock: VirtualClock) -> None:
        rig = Rig(clock)
        looked_at: list[float] = []

        async def head(method: Call, *args: Any, **options: Any) -> Any:
            looked_at.append(clock.boottime())
            return await method(*args, **options)

        job = await begun(rig)
        await ends(rig, job, ending)
        await lost(rig, job)
        lost_at = clock.boottime()
        store = cast(ObjectStore, Between(rig.store, head=head))
        rig.view = lambda: View(store, rig.ledger, rig.spool)
        rig.start_worker()
        await asyncio.sleep(10)
        clock.jump(jump_seconds)
        await rig.until(job, {JobStatus.CANCELLED, JobStatus.PAUSED})
        waited = clock.boottime() - lost_at
        assert LIMITS.request_timeout_seconds - A_FEW_POLLS <= waited
        assert waited <= LIMITS.request_timeout_seconds + A_FEW_POLLS
        if ending is JobStatus.CANCELLING:
            assert min(looked_at) >= lost_at + LIMITS.request_timeout_seconds - A_FEW_POLLS
        await rig.drain()

    scenario()


@virtual_time
async def test_a_scheduler_that_starts_after_a_long_rest_waits_for_nothing(clock: VirtualClock) -> None:
    rig = Rig(clock)
    job = await begun(rig)
    await ends(rig, job, JobStatus.CANCELLING)
    await lost(rig, job)
    await rig.drain()
    await asyncio.sleep(7200)
    rested_at = clock.boottime()
    rig.start()
    done = await rig.until(job)
    assert done.status is JobStatus.CANCELLED
    assert clock.boottime() - rested_at < A_FEW_POLLS
    await rig.drain()


def codes(rig: Rig, job: Job) -> set[str]:
    return {row[4] for row in rig.report(job).rows}


@pytest.mark.parametrize("jump_seconds", [0.0, 3600.0])
def test_whoever_comes_late_looks_for_what_was_lost(jump_seconds: float) -> None:
    """No worker was there for hours after the job was cancelled, or the wall clock says so."""

    @virtual_time
    async def scenario(clock: VirtualClock) -> None:
        rig = Rig(clock)
        job = await begun(rig)
        await ends(rig, job, JobStatus.CANCELLING)
        await lost(rig, job)
        if jump_seconds:
            clock.jump(jump_seconds)
        else:
            await asyncio.sleep(7200)

        async def head(method: Call, *args: Any, **options: Any) -> Any:
            await asyncio.sleep(2)
            return await method(*args, **options)

        store = cast(ObjectStore, Between(rig.store, head=head))
        rig.view = lambda: View(store, rig.ledger, rig.spool)
        rig.start_worker()
        done = await rig.until(job)
        assert codes(rig, done) == {"NotDone"}
        await rig.drain()

    scenario()


@pytest.mark.parametrize("jump_seconds", [3600.0, -3600.0])
@pytest.mark.parametrize("gets_well", [True, False])
def test_a_hold_lasts_as_long_as_it_lasts_however_the_wall_clock_jumps(gets_well: bool, jump_seconds: float) -> None:
    limit_seconds = 3000.0

    @virtual_time
    async def scenario(clock: VirtualClock) -> None:
        is_ill = True

        async def get(method: Call, *args: Any, **options: Any) -> Any:
            if is_ill:
                raise StorageError(StorageReason.SERVER_ERROR, "we are sorry", code="InternalError", http_status=500)
            return await method(*args, **options)

        rig = Rig(clock, limits=replace(LIMITS, hold_limit_seconds=limit_seconds))
        store = cast(ObjectStore, Between(rig.store, get=get))
        rig.view = lambda: View(store, rig.ledger, rig.spool)
        rig.start()
        rig.put_objects(KEYS)
        job = await rig.submit(rig.request(rig.csv_manifest(KEYS)))
        await rig.when(job, lambda found: found.hold is not None)
        held_at = clock.boottime()
        await asyncio.sleep(600)
        clock.jump(jump_seconds)
        await asyncio.sleep(limit_seconds - 600 - A_FEW_POLLS)
        assert (await rig.ledger.job(job.id)).status is JobStatus.PREPARING
        is_ill = not gets_well
        done = await rig.until(job)
        if gets_well:
            assert (done.status, done.hold) == (JobStatus.COMPLETE, None)
        else:
            assert (done.status, done.failure_code) == (JobStatus.FAILED, FailureCode.STORE_UNAVAILABLE)
            assert clock.boottime() - held_at <= limit_seconds + 60
        await rig.drain()

    scenario()


@pytest.mark.parametrize("jump_seconds", [3600.0, -3600.0])
def test_a_suspension_expires_when_its_time_has_passed_however_the_ledgers_clock_jumps(jump_seconds: float) -> None:
    limit_seconds = 3000.0

    @virtual_time
    async def scenario(clock: VirtualClock) -> None:
        ledger_clock = JumpingClock(clock)
        limits = replace(LIMITS, suspended_expiry_seconds=limit_seconds)
        rig = Rig(clock, limits=limits, ledger=MemoryLedger(ledger_clock))
        rig.start()
        rig.put_objects(KEYS)
        job = await rig.submit(rig.request(rig.csv_manifest(KEYS), confirmation_required=True))
        await rig.until(job, {JobStatus.SUSPENDED})
        await asyncio.sleep(600)
        ledger_clock.offset = jump_seconds
        await asyncio.sleep(limit_seconds - 600 - A_FEW_POLLS)
        assert (await rig.ledger.job(job.id)).status is JobStatus.SUSPENDED
        done = await rig.until(job, within_seconds=120)
        assert (done.status, done.failure_code) == (JobStatus.FAILED, FailureCode.SUSPENDED_EXPIRED)
        await rig.drain()

    scenario()
