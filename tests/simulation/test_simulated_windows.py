"""Jobs that may work at certain hours alone: the whole engine, in virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from cosbatch.model.jobs import Job, PausedBy
from cosbatch.model.states import Actor, JobStatus
from cosbatch.model.windows import Window, parse_window
from tests.simulation.faulty import slow
from tests.simulation.rig import Rig
from tests.unit.storage.virtual_time import VirtualClock, run_virtually

COUNT = 1500
KEYS = [f"logs/{number:05d}" for number in range(COUNT)]
# Virtual time begins at 15:06:40 UTC, on a Sunday.
TWO_WINDOWS = ("sun 15:00-15:06 UTC", "sun 15:12-15:13 UTC", "sun 15:15-16:00 UTC")
OPENS = "outside its windows until 2025-06-15T15:12:00Z"
OPENS_AGAIN = "outside its windows until 2025-06-15T15:15:00Z"


async def submitted(rig: Rig, *texts: str, priority: int = 5) -> Job:
    rig.put_objects(KEYS)
    windows = tuple(found for text in texts if isinstance(found := parse_window(text), Window))
    assert len(windows) == len(texts)
    request = rig.request(rig.csv_manifest(KEYS), priority=priority)
    return await rig.submit(replace(request, windows=windows))


async def told(rig: Rig, job: Job) -> list[tuple[str, str]]:
    return [(str(event.status), event.reason) for event in await rig.ledger.events(job.id)]


def test_a_job_is_planned_at_once_and_works_in_its_windows_alone() -> None:
    async def scenario(clock: VirtualClock) -> None:
        rig = Rig(clock, wrap=lambda inner: slow(inner, seconds=5.0))
        rig.start(workers=1)
        job = await submitted(rig, *TWO_WINDOWS)
        ready = await rig.when(job, lambda now: now.status_reason == OPENS)
        assert (ready.status, ready.total) == (JobStatus.READY, COUNT)
        assert rig.copied() == set()

        paused = await rig.until(job, {JobStatus.PAUSED}, within_seconds=600)
        assert (paused.paused_by, paused.status_reason) == (PausedBy.WINDOW, OPENS_AGAIN)
        before = len(rig.copied())
        assert 0 < before < COUNT
        await asyncio.sleep(60)
        assert len(rig.copied()) == before
        assert (await rig.ledger.job(job.id)).status is JobStatus.PAUSED

        done = await rig.until(job)
        assert (done.status, done.tally.succeeded) == (JobStatus.COMPLETE, COUNT)
        steps = await told(rig, job)
        assert ("Active", "its turn in the queue") in steps
        assert ("Pausing", OPENS_AGAIN) in steps
        assert ("Active", "one of its windows is open") in steps
        assert sum(reason == OPENS for _, reason in steps) == 1
        await rig.drain()

    run_virtually(scenario)


def test_setting_the_clock_moves_a_job_in_and_out_of_its_window() -> None:
    async def scenario(clock: VirtualClock) -> None:
        rig = Rig(clock, wrap=lambda inner: slow(inner, seconds=5.0))
        rig.start(workers=1)
        job = await submitted(rig, "15:00-16:00 UTC")
        await rig.until(job, {JobStatus.ACTIVE}, within_seconds=600)  # each question before the start takes 5 s
        clock.jump(2 * 3600)
        paused = await rig.until(job, {JobStatus.PAUSED}, within_seconds=120)
        assert paused.paused_by is PausedBy.WINDOW
        clock.jump(-2 * 3600)
        done = await rig.until(job)
        assert (done.status, done.tally.succeeded) == (JobStatus.COMPLETE, COUNT)
        await rig.drain()

    run_virtually(scenario)


def test_a_cancel_does_not_wait_for_a_window() -> None:
    async def scenario(clock: VirtualClock) -> None:
        rig = Rig(clock)
        rig.start(workers=1)
        job = await submitted(rig, "03:00-04:00 UTC")
        await rig.until(job, {JobStatus.READY}, within_seconds=60)
        await rig.ledger.move(job.id, expect=set(JobStatus), to=JobStatus.CANCELLING, actor=Actor.USER, reason="enough")
        assert (await rig.until(job)).status is JobStatus.CANCELLED
        assert rig.copied() == set()
        await rig.drain()

    run_virtually(scenario)
