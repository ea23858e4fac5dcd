"""The engine's promises, one scenario each: real rooms on memory adapters, in virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import cast

import pytest

from cosbatch.model.errors import FailureCode, StorageError, StorageReason
from cosbatch.model.identifiers import Bucket, ObjectRef
from cosbatch.model.jobs import Job, PausedBy
from cosbatch.model.operations import PutObjectCopy
from cosbatch.model.regions import Versioning
from cosbatch.model.reports import ReportScope, ReportState
from cosbatch.model.states import Actor, JobStatus
from cosbatch.storage.port import CopyOptions, CopyOutcome, ObjectStore
from tests.simulation.faulty import SlowCounter, Switch, slow
from tests.simulation.rig import CONTROL, LIMITS, SOURCE, TARGET, Rig
from tests.unit.storage.virtual_time import VirtualClock, virtual_time

KEYS = [f"logs/{number:05d}" for number in range(1200)]


async def a_running_job(rig: Rig, *, keys: list[str] = KEYS, workers: int = 1) -> Job:
    rig.put_objects(keys)
    rig.start(workers=workers)
    return await rig.submit(rig.request(rig.csv_manifest(keys)))


@virtual_time
async def test_every_object_is_copied_and_reported_once(clock: VirtualClock) -> None:
    rig = Rig(clock)
    job = await rig.until(await a_running_job(rig, workers=2))
    assert job.status is JobStatus.COMPLETE
    assert (job.total, job.tally.succeeded, job.tally.failed) == (1200, 1200, 0)
    assert rig.copied() == set(KEYS)
    report = rig.report(job)
    assert sorted(row[1] for row in report.rows) == KEYS
    assert {tuple(row[3:]) for row in report.rows} == {("succeeded", "", "200", "Successful")}
    assert report.summary["total"] == 1200
    assert report.summary["not_attempted"] == 0
    await rig.drain()


@virtual_time
async def test_failed_tasks_carry_their_code_and_do_not_stop_the_job(clock: VirtualClock) -> None:
    rig = Rig(clock)
    rig.put_objects(KEYS[:300])
    rig.start()
    manifest = rig.csv_manifest([*KEYS[:300], "gone/1", "gone/2"])
    job = await rig.until(await rig.submit(rig.request(manifest, scope=ReportScope.FAILED_TASKS_ONLY)))
    assert (job.status, job.tally.succeeded, job.tally.failed) == (JobStatus.COMPLETE, 300, 2)
    rows = rig.report(job).rows
    assert sorted((row[1], *row[3:6]) for row in rows) == [
        ("gone/1", "failed", "NoSuchKey", "404"),
        ("gone/2", "failed", "NoSuchKey", "404"),
    ]
    await rig.drain()


@virtual_time
async def test_nothing_is_sent_before_it_is_confirmed(clock: VirtualClock) -> None:
    rig = Rig(clock)
    rig.put_objects(KEYS)
    rig.start()
    job = await rig.submit(rig.request(rig.csv_manifest(KEYS), confirmation_required=True))
    job = await rig.until(job, {JobStatus.SUSPENDED})
    assert job.total == 1200
    await asyncio.sleep(600)
    assert rig.copied() == set()
    await rig.ledger.move(
        job.id, expect={JobStatus.SUSPENDED}, to=JobStatus.READY, actor=Actor.USER, reason="confirmed"
    )
    assert (await rig.until(job)).status is JobStatus.COMPLETE
    await rig.drain()


@virtual_time
async def test_an_empty_manifest_fails_the_job_with_its_cause(clock: VirtualClock) -> None:
    rig = Rig(clock)
    job = await rig.until(await a_running_job(rig, keys=[]))
    assert (job.status, job.failure_code) == (JobStatus.FAILED, FailureCode.MANIFEST_EMPTY)
    assert job.report_state is ReportState.DELIVERED
    await rig.drain()


@virtual_time
async def test_a_replaced_manifest_fails_the_job_before_anything_is_sent(clock: VirtualClock) -> None:
    rig = Rig(clock)
    rig.put_objects(KEYS)
    request = rig.request(rig.csv_manifest(KEYS))
    rig.csv_manifest(KEYS[:5])
    rig.start()
    job = await rig.until(await rig.submit(request))
    assert (job.status, job.failure_code) == (JobStatus.FAILED, FailureCode.MANIFEST_ETAG_MISMATCH)
    assert rig.copied() == set()
    await rig.drain()


@virtual_time
async def test_pause_and_resume_by_the_user(clock: VirtualClock) -> None:
    counter = SlowCounter()
    rig = Rig(clock, wrap=counter.wrap)
    job = await a_running_job(rig)
    await rig.when(job, lambda found: len(rig.copied()) > 200)
    await rig.ledger.move(
        job.id,
        expect={JobStatus.ACTIVE},
        to=JobStatus.PAUSING,
        actor=Actor.USER,
        reason="lunch",
        paused_by=PausedBy.USER,
    )
    paused = await rig.until(job, {JobStatus.PAUSED}, within_seconds=30)
    copied = rig.copied()
    await asyncio.sleep(600)
    assert rig.copied() == copied
    assert paused.tally.succeeded == len(copied) < 1200
    await rig.ledger.move(
        job.id, expect={JobStatus.PAUSED}, to=JobStatus.ACTIVE, actor=Actor.USER, reason="back from lunch"
    )
    done = await rig.until(job)
    assert (done.status, done.tally.succeeded) == (JobStatus.COMPLETE, 1200)
    assert counter.requests["copy"] == 1200  # none twice
    assert done.tally.requests <= requests_for(1200)
    await rig.drain()


def requests_for(objects: int) -> int:
    """One for each copy, and two more to read back each of the first 100 and one in 1,000 (target and source), at most:
    a stop breaks reading back off."""
    verified = sum(number < 100 or number % 1000 == 0 for number in range(objects))
    return objects + 2 * verified


@virtual_time
async def test_a_cancelled_job_lists_what_was_never_sent(clock: VirtualClock) -> None:
    rig = Rig(clock, wrap=slow)
    job = await a_running_job(rig)
    await rig.when(job, lambda found: len(rig.copied()) > 200)
    await rig.ledger.move(
        job.id, expect={JobStatus.ACTIVE}, to=JobStatus.CANCELLING, actor=Actor.USER, reason="wrong bucket"
    )
    done = await rig.until(job, within_seconds=60)
    assert done.status is JobStatus.CANCELLED
    report = rig.report(done)
    assert sorted(row[1] for row in report.rows) == sorted(rig.copied())
    ranges = report.summary["not_attempted_ranges"]
    assert isinstance(ranges, list)
    not_sent = {KEYS[number] for first, end in ranges for number in range(first, end)}
    assert not_sent == set(KEYS) - rig.copied()
    assert report.summary["not_attempted"] == len(not_sent)
    await rig.drain()


@virtual_time
async def test_a_job_that_mostly_fails_is_stopped(clock: VirtualClock) -> None:
    rig = Rig(clock)
    rig.start()
    missing = [f"missing/{number}" for number in range(5000)]
    rig.put_objects(missing[:1])  # a manifest of which nothing is there is not begun
    job = await rig.until(await rig.submit(rig.request(rig.csv_manifest(missing))))
    assert (job.status, job.failure_code) == (JobStatus.FAILED, FailureCode.FAILURE_THRESHOLD_EXCEEDED)
    assert 1000 <= job.tally.failed < 5000
    report = rig.report(job)
    assert len(report.rows) + int(str(report.summary["not_attempted"])) == 5000
    await rig.drain()


@virtual_time
async def test_a_lost_worker_costs_nothing_but_time(clock: VirtualClock) -> None:
    rig = Rig(clock, wrap=slow)
    rig.put_objects(KEYS)
    (first,) = rig.start(workers=1)
    job = await rig.submit(rig.request(rig.csv_manifest(KEYS)))
    await rig.when(job, lambda found: len(rig.copied()) > 250)
    first.kill()
    rig.start_worker()
    done = await rig.until(job, within_seconds=600)
    assert (done.status, done.tally.succeeded) == (JobStatus.COMPLETE, 1200)
    assert sorted(row[1] for row in rig.report(done).rows) == KEYS
    rig.running.remove(first)
    await rig.drain()


@virtual_time
async def test_a_greater_priority_goes_first_and_the_other_resumes(clock: VirtualClock) -> None:
    rig = Rig(clock, wrap=slow)
    low = await a_running_job(rig)
    await rig.when(low, lambda found: len(rig.copied()) > 100)
    urgent = [f"urgent/{number}" for number in range(400)]
    rig.put_objects(urgent)
    high = await rig.submit(rig.request(rig.csv_manifest(urgent, name="urgent.csv"), priority=99))
    paused = await rig.until(low, {JobStatus.PAUSED})
    assert paused.paused_by is PausedBy.PRIORITY
    assert high.id in paused.status_reason
    high_done = await rig.until(high)
    low_done = await rig.until(low)
    assert (high_done.status, low_done.status) == (JobStatus.COMPLETE, JobStatus.COMPLETE)
    assert high_done.ended_at is not None
    assert low_done.ended_at is not None
    assert high_done.ended_at < low_done.ended_at
    await rig.drain()


@virtual_time
async def test_an_outage_of_the_store_burns_no_task(clock: VirtualClock) -> None:
    switch = Switch()
    rig = Rig(clock, wrap=switch.wrap)
    job = await a_running_job(rig)
    await rig.when(job, lambda found: len(rig.copied()) > 100)
    switch.is_down = True
    held = await rig.when(job, lambda found: found.hold is not None)
    assert held.hold is not None
    assert held.status is JobStatus.ACTIVE
    await asyncio.sleep(1800)
    switch.is_down = False
    done = await rig.until(job)
    assert (done.status, done.tally.succeeded, done.tally.failed) == (JobStatus.COMPLETE, 1200, 0)
    assert done.hold is None
    await rig.drain()


@virtual_time
async def test_versions_are_copied_oldest_first(clock: VirtualClock) -> None:
    rig = Rig(clock, source_versioning=Versioning.ENABLED, target_versioning=Versioning.ENABLED)
    rows = []
    for key in ("a", "b"):
        versions = []
        for number in range(3):
            versions.append(rig.store.put_now(SOURCE, key, f"{key}{number}".encode()).version_id)
            await asyncio.sleep(10)
        rows += [
            ["", SOURCE, key, str(version), str(place == 2), "False", "2", f"2026-01-0{place + 1}T00:00:00Z"]
            for place, version in reversed(list(enumerate(versions)))
        ]
    schema = "Appid, Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate"
    rig.start()
    job = await rig.until(await rig.submit(rig.request(rig.inventory(rows, schema=schema))))
    assert (job.status, job.tally.succeeded) == (JobStatus.COMPLETE, 6)
    page = await rig.store.list_versions(TARGET)
    assert [(entry.key, entry.is_latest) for entry in page.objects] == [
        ("a", True), ("a", False), ("a", False), ("b", True), ("b", False), ("b", False),
    ]  # fmt: skip
    assert b"".join(rig.store.current_objects(TARGET)[page.objects[0].key].content.blocks()) == b"a2"
    await rig.drain()


@virtual_time
async def test_a_report_that_cannot_be_delivered_is_tried_again(clock: VirtualClock) -> None:
    rig = Rig(clock)
    job = await a_running_job(rig)
    await rig.when(job, lambda found: found.status is JobStatus.ACTIVE)
    manifest_bytes = rig.store.current_objects(CONTROL)
    assert manifest_bytes
    rig.store.delete_bucket(CONTROL)
    await rig.until(job, {JobStatus.COMPLETING})
    await asyncio.sleep(300)
    assert (await rig.ledger.job(job.id)).status is JobStatus.COMPLETING
    rig.store.create_bucket(CONTROL)
    done = await rig.until(job)
    assert (done.status, done.report_state) == (JobStatus.COMPLETE, ReportState.DELIVERED)
    assert len(rig.report(done).rows) == 1200
    await rig.drain()


@virtual_time
async def test_a_report_that_stays_undeliverable_fails_the_job_and_keeps_the_parts(clock: VirtualClock) -> None:
    rig = Rig(clock, limits=replace(LIMITS, report_limit_seconds=600))
    job = await a_running_job(rig)
    await rig.when(job, lambda found: found.status is JobStatus.ACTIVE)
    rig.store.delete_bucket(CONTROL)
    done = await rig.until(job)
    assert (done.status, done.failure_code) == (JobStatus.FAILED, FailureCode.REPORT_DELIVERY_FAILED)
    parts = await rig.ledger.part_names(job.id, first_seq=0, last_seq=done.chunk_count)
    assert parts == frozenset(await rig.spool.list(f"jobs/{job.id}/parts/"))
    await rig.drain()


@virtual_time
async def test_a_planner_that_dies_is_succeeded_by_another(clock: VirtualClock) -> None:
    rig = Rig(clock, limits=replace(LIMITS, slice_rows=200))
    rig.put_objects(KEYS)
    rig.start()
    planner = rig.running[0]
    job = await rig.submit(rig.request(rig.csv_manifest(KEYS)))
    await rig.when(job, lambda found: found.planned_rows >= 200)
    planner.kill()
    rig.running = rig.running[1:]
    rig.start(workers=0)
    done = await rig.until(job, within_seconds=600)
    assert (done.status, done.total, done.tally.succeeded) == (JobStatus.COMPLETE, 1200, 1200)
    await rig.drain()


@pytest.mark.parametrize("moment", [0.3, 0.7, 1.1, 1.9])
def test_draining_gives_everything_back(moment: float) -> None:
    @virtual_time
    async def scenario(clock: VirtualClock) -> None:
        counter = SlowCounter()
        rig = Rig(clock, wrap=counter.wrap)
        job = await a_running_job(rig)
        await rig.when(job, lambda found: found.status is JobStatus.ACTIVE)
        await asyncio.sleep(moment)
        await rig.drain()
        assert await rig.ledger.held_leases() == []
        known = await rig.ledger.job(job.id)
        assert known.tally.succeeded == len(rig.copied())
        rig.running.clear()
        rig.start()
        done = await rig.until(job)
        assert done.tally.succeeded == 1200
        assert counter.requests["copy"] == 1200  # none twice
        assert done.tally.requests <= requests_for(1200)
        await rig.drain()

    scenario()


@virtual_time
async def test_a_prefix_copy_inside_one_bucket_must_not_feed_itself(clock: VirtualClock) -> None:
    rig = Rig(clock)
    rig.put_objects(["a/1", "b/a/1"])
    rig.start()
    operation = PutObjectCopy(target_bucket=SOURCE, prefix_replace=True, resources_prefix="", target_key_prefix="b/")
    manifest = rig.csv_manifest(["a/1", "b/a/1"])
    job = await rig.until(await rig.submit(rig.request(manifest, operation=operation)))
    assert (job.status, job.failure_code) == (JobStatus.FAILED, FailureCode.OVERLAPPING_PREFIX)
    await rig.drain()


@virtual_time
async def test_a_store_that_is_down_while_planning_is_shown_and_others_go_on(clock: VirtualClock) -> None:
    switch = Switch()
    rig = Rig(clock, wrap=switch.wrap)
    rig.put_objects(KEYS)
    rig.start()
    switch.is_down = True
    job = await rig.submit(rig.request(rig.csv_manifest(KEYS)))
    held = await rig.when(job, lambda found: found.hold is not None, within_seconds=600)
    assert (held.status, held.planned_rows) == (JobStatus.PREPARING, 0)
    cancelled = await rig.submit(rig.request(rig.csv_manifest(KEYS, name="other.csv")))
    await asyncio.sleep(60)
    await rig.ledger.move(
        cancelled.id, expect=set(JobStatus), to=JobStatus.CANCELLING, actor=Actor.USER, reason="not today"
    )
    await rig.until(cancelled, {JobStatus.CANCELLED}, within_seconds=600)
    switch.is_down = False
    done = await rig.until(job)
    assert (done.status, done.tally.succeeded, done.hold) == (JobStatus.COMPLETE, 1200, None)
    await rig.drain()


@virtual_time
async def test_a_store_that_is_down_while_the_report_is_due_is_shown(clock: VirtualClock) -> None:
    switch = Switch()
    rig = Rig(clock, wrap=switch.wrap)
    job = await a_running_job(rig, keys=KEYS[:200])
    await rig.when(job, lambda found: found.is_settled)
    switch.is_down = True
    held = await rig.when(job, lambda found: found.hold is not None, within_seconds=900)
    assert held.status is JobStatus.COMPLETING
    assert held.hold is not None
    assert "report" in held.hold.reason
    switch.is_down = False
    done = await rig.until(job)
    assert (done.status, done.hold) == (JobStatus.COMPLETE, None)
    await rig.drain()


@virtual_time
async def test_draining_waits_for_no_store_that_is_down(clock: VirtualClock) -> None:
    switch = Switch()
    rig = Rig(clock, wrap=switch.wrap)
    job = await a_running_job(rig)
    await rig.when(job, lambda found: len(rig.copied()) > 100)
    switch.is_down = True
    await asyncio.sleep(30)
    began = clock.boottime()
    await rig.drain()
    assert clock.boottime() - began < 30
    assert (await rig.ledger.job(job.id)).tally.succeeded == len(rig.copied())


@pytest.mark.parametrize("priority", [1, 10])
def test_a_bucket_that_is_down_keeps_no_other_waiting(priority: int) -> None:
    @virtual_time
    async def scenario(clock: VirtualClock) -> None:
        rig = Rig(clock, wrap=lambda inner: guarded_by_target(inner, "dead"))
        rig.store.create_bucket("dead")
        rig.put_objects(KEYS)
        rig.start()
        dead = PutObjectCopy(target_bucket=Bucket("dead"))
        stuck = await rig.submit(rig.request(rig.csv_manifest(KEYS), operation=dead))
        await rig.when(stuck, lambda found: found.hold is not None)
        other = await rig.submit(rig.request(rig.csv_manifest(KEYS[:300], name="b.csv"), priority=priority))
        done = await rig.until(other, within_seconds=600)
        assert (done.status, done.tally.succeeded) == (JobStatus.COMPLETE, 300)
        assert (await rig.ledger.job(stuck.id)).tally.failed == 0

    scenario()


def guarded_by_target(inner: ObjectStore, bucket: str) -> ObjectStore:
    """Copies into one bucket are refused connections."""

    class Guarded(MemoryStoreView):
        async def copy(self, source: ObjectRef, target: ObjectRef, *, options: CopyOptions) -> CopyOutcome:
            if target.bucket == bucket:
                raise StorageError(StorageReason.REFUSED, "connection refused")
            return await inner.copy(source, target, options=options)

    return cast(ObjectStore, Guarded(inner))


class MemoryStoreView:
    """Everything as the store behind it."""

    def __init__(self, inner: ObjectStore) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)


@virtual_time
async def test_a_damaged_plan_fails_the_job_with_its_cause(clock: VirtualClock) -> None:
    rig = Rig(clock)
    rig.put_objects(KEYS)
    rig.start(workers=0)
    job = await rig.submit(rig.request(rig.csv_manifest(KEYS)))
    await rig.until(job, {JobStatus.ACTIVE})
    (name, *_) = await rig.spool.list(f"jobs/{job.id}/chunks/")
    await rig.spool.delete(name)
    await rig.spool.put(name, b"not what was put there")
    rig.start_worker()
    done = await rig.until(job)
    assert (done.status, done.failure_code) == (JobStatus.FAILED, FailureCode.INTERNAL_ERROR)
    assert "damaged" in done.failure_reason
    await rig.drain()
