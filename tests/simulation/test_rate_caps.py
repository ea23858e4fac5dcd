"""How fast the whole engine works: under a rate cap, with jobs that wait for their share, and without one."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from cosbatch.model.identifiers import Bucket
from cosbatch.model.jobs import Job
from cosbatch.model.operations import PutObjectCopy
from cosbatch.model.states import JobStatus
from cosbatch.storage.port import ObjectStore
from tests.simulation.faulty import guarded
from tests.simulation.rig import LIMITS, Rig, Running
from tests.unit.storage.virtual_time import VirtualClock, virtual_time

KEYS = [f"logs/{number:05d}" for number in range(600)]
MANY_KEYS = [f"logs/{number:05d}" for number in range(1500)]
OTHER = Bucket("other")


class Copies:
    """When objects were copied, by all processes."""

    def __init__(self, clock: VirtualClock) -> None:
        self.times: list[float] = []
        self._clock = clock

    def wrap(self, inner: ObjectStore) -> ObjectStore:
        async def note(name: str) -> None:
            if name == "copy":
                self.times.append(self._clock.boottime())
            await asyncio.sleep(0.05)

        return guarded(inner, note)

    def most_above(self, cap: float) -> float:
        """By how many copies any span of time exceeds the cap."""
        return max(
            count - cap * (ended - began)
            for first, began in enumerate(self.times)
            for count, ended in enumerate(self.times[first:], start=1)
        )


async def two_jobs(rig: Rig) -> tuple[Job, Job]:
    """One of a greater priority, and one that writes another bucket; both planned."""
    rig.put_objects(MANY_KEYS)
    rig.store.create_bucket(OTHER)
    high = await rig.submit(rig.request(rig.csv_manifest(MANY_KEYS), priority=20))
    await rig.when(high, lambda job: job.total is not None)
    low = await rig.submit(
        rig.request(rig.csv_manifest(KEYS, name="low.csv"), operation=PutObjectCopy(target_bucket=OTHER), priority=10)
    )
    await rig.when(low, lambda job: job.total is not None)
    return high, low


@pytest.mark.parametrize("workers", [1, 4])
def test_the_cap_holds_over_all_workers_and_none_of_it_is_wasted(workers: int) -> None:
    @virtual_time
    async def scenario(clock: VirtualClock) -> None:
        copies = Copies(clock)
        rig = Rig(clock, wrap=copies.wrap, cap=20.0)
        rig.put_objects(KEYS)
        rig.start(workers=workers)
        job = await rig.until(await rig.submit(rig.request(rig.csv_manifest(KEYS))))
        assert (job.status, job.tally.succeeded) == (JobStatus.COMPLETE, len(KEYS))
        assert copies.most_above(20.0) <= 20.0
        assert len(KEYS) / (copies.times[-1] - copies.times[0]) > 0.75 * 20.0
        await rig.drain()

    scenario()


@virtual_time
async def test_whoever_finds_no_share_left_works_for_a_lower_priority(clock: VirtualClock) -> None:
    """A cap of 4 a second is shared by two at most: of three workers one has nothing to do for the greater job."""
    rig = Rig(clock, cap=4.0)
    rig.start(workers=3)
    high, low = await two_jobs(rig)
    low = await rig.when(low, lambda job: job.tally.succeeded > 0, within_seconds=120)
    assert low.status is JobStatus.ACTIVE
    [queued, *_] = await rig.ledger.queued_jobs()
    assert (queued.job.id, queued.has_open_chunks) == (high.id, True)
    for job in (high, low):
        assert (await rig.until(job)).status is JobStatus.COMPLETE
    await rig.drain()


@virtual_time
async def test_a_lower_priority_waits_while_there_is_a_share_for_everybody(clock: VirtualClock) -> None:
    rig = Rig(clock, cap=20.0)
    rig.start(workers=2)
    high, low = await two_jobs(rig)
    had_chunks: list[bool] = []
    while (await rig.ledger.job(low.id)).status is not JobStatus.ACTIVE:
        [queued, *_] = await rig.ledger.queued_jobs()
        assert queued.job.id == high.id
        had_chunks.append(queued.has_open_chunks)
        await asyncio.sleep(0.1)
    assert had_chunks.count(True) > 50
    [queued, *_] = await rig.ledger.queued_jobs()
    assert not queued.has_open_chunks
    assert (await rig.until(low)).tally.succeeded == len(KEYS)
    await rig.drain()


@pytest.mark.parametrize("rows", [1, 5])
def test_a_bucket_that_is_slow_keeps_no_other_waiting(rows: int) -> None:
    """The one worker has a chunk of it in hand that takes it most of a minute."""

    @virtual_time
    async def scenario(clock: VirtualClock) -> None:
        rig = Rig(clock, cap=2.0)
        rig.put_objects(MANY_KEYS)
        rig.store.create_bucket(OTHER)
        rig.start(workers=1)
        slow = await rig.submit(rig.request(rig.csv_manifest(MANY_KEYS)))
        await rig.when(slow, lambda job: job.total is not None and len(rig.copied()) > 0, within_seconds=120)
        small = rig.request(
            rig.csv_manifest(KEYS[:rows], name="small.csv"), operation=PutObjectCopy(target_bucket=OTHER)
        )
        job = await rig.submit(small)
        await rig.when(job, lambda found: found.status is JobStatus.ACTIVE, within_seconds=120)
        done = await rig.when(job, lambda found: found.tally.succeeded == rows, within_seconds=10 + rows)
        assert done.tally.failed == 0
        assert not (await rig.ledger.job(slow.id)).is_settled
        await rig.drain()

    scenario()


@pytest.mark.parametrize("cap", [1.0, 3.0])
def test_at_the_smallest_caps_jobs_in_one_bucket_are_planned_worked_and_sealed(cap: float) -> None:
    """Manifest, objects, target and report are all in one bucket, and there are more processes than shares."""

    @virtual_time
    async def scenario(clock: VirtualClock) -> None:
        rig = Rig(clock, cap=cap)
        rig.put_objects(KEYS[:40])
        rig.start(workers=4)
        jobs = [await submit_in_one_bucket(rig, name) for name in ("a", "b")]
        for job in jobs:
            done = await rig.until(job, within_seconds=1800)
            assert (done.status, done.tally.succeeded) == (JobStatus.COMPLETE, 40)
        await rig.drain()
        assert await rig.ledger.workers(seen_within_seconds=3600) == []

    async def submit_in_one_bucket(rig: Rig, name: str) -> Job:
        request = rig.request(rig.csv_manifest(KEYS[:40], name=f"{name}.csv"))
        copy = PutObjectCopy(target_bucket=request.manifest.location.bucket, target_key_prefix=name)
        return await rig.submit(replace(request, operation=copy))

    scenario()


@virtual_time
async def test_killed_workers_leave_the_cap_to_those_that_live(clock: VirtualClock) -> None:
    copies = Copies(clock)
    rig = Rig(clock, wrap=copies.wrap, cap=20.0)
    rig.put_objects(MANY_KEYS)
    workers: list[Running] = rig.start(workers=3)
    job = await rig.submit(rig.request(rig.csv_manifest(MANY_KEYS)))
    await rig.when(job, lambda _: len(copies.times) > 100)
    for worker in workers[:2]:
        worker.kill()
    killed_at = clock.boottime()
    done = await rig.until(job)
    assert (done.status, done.tally.succeeded) == (JobStatus.COMPLETE, len(MANY_KEYS))
    assert copies.most_above(20.0) <= 20.0
    soon = killed_at + LIMITS.share_seconds + 5
    assert sum(soon <= at < soon + 10 for at in copies.times) > 150
    await rig.drain()


@virtual_time
async def test_lanes_wait_for_no_poll_between_two_chunks(clock: VirtualClock) -> None:
    """1,500 objects are in 15 chunks; of a bucket without a cap one worker has two or three of them at a time."""
    copies = Copies(clock)
    rig = Rig(clock, wrap=copies.wrap, limits=replace(LIMITS, poll_seconds=10.0))
    rig.put_objects(MANY_KEYS)
    rig.start()
    job = await rig.until(await rig.submit(rig.request(rig.csv_manifest(MANY_KEYS))))
    assert (job.status, job.tally.succeeded) == (JobStatus.COMPLETE, len(MANY_KEYS))
    assert copies.times[-1] - copies.times[0] < 10.0
    await rig.drain()


@virtual_time
async def test_lanes_follow_a_limit_that_doubles_in_a_round_trip(clock: VirtualClock) -> None:
    """It begins at 32, of 256. What is sent together is answered together, and the polls, far apart, help nobody on."""
    copies = Copies(clock)
    rig = Rig(clock, wrap=copies.wrap, limits=replace(LIMITS, poll_seconds=10.0), connections=256)
    rig.put_objects(MANY_KEYS)
    rig.start()
    await rig.until(await rig.submit(rig.request(rig.csv_manifest(MANY_KEYS))))
    assert max(Counter(copies.times).values()) > 200
    await rig.drain()
