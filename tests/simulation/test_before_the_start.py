"""What a job finds out before it touches an object: whether it may write, and that its report can be kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from cosbatch.model.errors import FailureCode, StorageError, StorageReason
from cosbatch.model.identifiers import ObjectRef
from cosbatch.model.jobs import Job
from cosbatch.model.states import Actor, JobStatus
from cosbatch.storage.port import ObjectStore
from cosbatch.storage.spool import Spool
from tests.simulation.rig import CONTROL, LIMITS, TARGET, Rig, View
from tests.simulation.test_trouble import Between
from tests.unit.storage.virtual_time import VirtualClock, virtual_time

KEYS = [f"logs/{number:03d}" for number in range(150)]
Call = Callable[..., Awaitable[Any]]


async def submitted(rig: Rig) -> Job:
    rig.put_objects(KEYS)
    return await rig.submit(rig.request(rig.csv_manifest(KEYS)))


def seen(rig: Rig, *, spool: Spool | None = None, **calls: Any) -> None:
    store = cast(ObjectStore, Between(rig.store, **calls))
    rig.view = lambda: View(store, rig.ledger, spool or rig.spool)


@pytest.mark.parametrize("bucket", [TARGET, CONTROL])
def test_a_job_that_may_not_write_fails_before_it_writes(bucket: str) -> None:
    @virtual_time
    async def scenario(clock: VirtualClock) -> None:
        rig = Rig(clock)

        async def create_upload(method: Call, target: ObjectRef, **options: Any) -> Any:
            if target.bucket == bucket:
                raise StorageError(StorageReason.ACCESS_DENIED, "no", code="AccessDenied", http_status=403)
            return await method(target, **options)

        seen(rig, create_upload=create_upload)
        rig.start()
        done = await rig.until(await submitted(rig))
        assert (done.status, done.failure_code) == (JobStatus.FAILED, FailureCode.ROLE_LACKS_PERMISSION)
        assert f"s3:PutObject on {bucket}/" in (done.failure_reason or "")
        assert done.planned_rows == 0
        assert not rig.copied()
        await rig.drain()

    scenario()


@pytest.mark.parametrize("is_cancelled", [False, True])
def test_a_planner_that_dies_while_it_asks_leaves_no_upload(is_cancelled: bool) -> None:
    @virtual_time
    async def scenario(clock: VirtualClock) -> None:
        rig = Rig(clock)
        asked = 0

        async def create_upload(method: Call, target: ObjectRef, **options: Any) -> Any:
            nonlocal asked
            asked += 1
            upload_id = await method(target, **options)
            if asked == 2:  # the report was asked about first
                planner.kill()
            return upload_id

        seen(rig, create_upload=create_upload)
        planner = rig.start_planner()
        rig.start_scheduler()
        job = await submitted(rig)
        await rig.when(job, lambda _: planner.is_over)
        assert len(rig.store.open_uploads()) == 1
        if is_cancelled:
            await rig.ledger.move(
                job.id, expect=set(JobStatus), to=JobStatus.CANCELLING, actor=Actor.USER, reason="enough"
            )
        else:
            rig.start_planner()
        rig.start_worker()
        rig.start_finisher()
        done = await rig.until(job)
        assert done.status is (JobStatus.CANCELLED if is_cancelled else JobStatus.COMPLETE)
        assert not rig.store.open_uploads()
        assert rig.report(done).summary["unfinished_uploads"] == []
        await rig.drain()

    scenario()


@virtual_time
async def test_a_report_that_is_refused_says_so_while_it_is_tried_again(clock: VirtualClock) -> None:
    rig = Rig(clock)
    is_refused = True

    async def put(method: Call, ref: ObjectRef, *args: Any, **options: Any) -> Any:
        if is_refused:
            raise StorageError(StorageReason.ACCESS_DENIED, "no", code="AccessDenied", http_status=403)
        return await method(ref, *args, **options)

    seen(rig, put=put)
    rig.start()
    waits = await rig.when(await submitted(rig), lambda found: found.hold is not None)
    assert waits.status is JobStatus.COMPLETING
    assert waits.hold
    assert "the store refuses it" in waits.hold.reason
    is_refused = False
    assert (await rig.until(waits)).status is JobStatus.COMPLETE
    await rig.drain()


@virtual_time
async def test_a_check_that_arrives_after_the_job_was_cancelled_leaves_no_upload(clock: VirtualClock) -> None:
    rig = Rig(clock)
    on_the_way: list[asyncio.Task[Any]] = []

    async def create_upload(method: Call, target: ObjectRef, **options: Any) -> Any:
        async def arrive() -> Any:
            await asyncio.sleep(5)
            return await method(target, **options)

        on_the_way.append(asyncio.create_task(arrive()))
        return await asyncio.shield(on_the_way[-1])

    seen(rig, create_upload=create_upload)
    rig.start()
    job = await submitted(rig)
    await rig.when(job, lambda _: bool(on_the_way))
    await rig.ledger.move(job.id, expect=set(JobStatus), to=JobStatus.CANCELLING, actor=Actor.USER, reason="enough")
    done = await rig.until(job)
    assert done.status is JobStatus.CANCELLED
    await asyncio.gather(*on_the_way, return_exceptions=True)
    assert not rig.store.open_uploads()
    await rig.drain()


@virtual_time
async def test_a_hold_of_a_job_that_is_gone_does_not_keep_the_next_slice_from_being_planned(
    clock: VirtualClock,
) -> None:
    """The bucket began to refuse while another job was asked about, between two slices of this one."""
    rig = Rig(clock, limits=replace(LIMITS, first_chunks=3, first_chunk_rows=5, chunk_rows=10, slice_rows=10))
    are_over, puts = False, 0

    async def create_upload(method: Call, target: ObjectRef, **options: Any) -> Any:
        if are_over and target.bucket == TARGET:
            raise StorageError(StorageReason.CREDENTIALS_EXPIRED, "over", code="ExpiredToken", http_status=403)
        return await method(target, **options)

    async def put(method: Call, *args: Any) -> None:
        nonlocal puts
        puts += 1
        await asyncio.sleep(2)
        await method(*args)

    seen(rig, create_upload=create_upload, spool=cast(Spool, Between(rig.spool, put=put)))
    rig.start()
    job = await submitted(rig)
    await rig.when(job, lambda _: puts > 0)
    are_over = True
    urgent = await rig.submit(rig.request(rig.csv_manifest(KEYS, name="urgent.csv"), priority=99))
    await rig.when(urgent, lambda found: found.hold is not None)
    await rig.ledger.move(urgent.id, expect=set(JobStatus), to=JobStatus.CANCELLING, actor=Actor.USER, reason="enough")
    held = await rig.until(urgent)
    assert held.planned_rows == 0
    are_over = False
    assert (await rig.until(job)).status is JobStatus.COMPLETE
    await rig.drain()
