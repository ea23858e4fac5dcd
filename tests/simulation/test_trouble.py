"""What may pass is waited for and shown, and what was lost for good is told: the engine in its less happy hours."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from cosbatch.engine.limits import EngineLimits
from cosbatch.engine.renewal import BROKEN_STEPS_LIMIT, until_stopped
from cosbatch.ledger.port import JobLedger
from cosbatch.model.errors import FailureCode, SpoolError, StorageError, StorageReason, Unanswered
from cosbatch.model.jobs import WORK_AREA, Job, PausedBy, Verify
from cosbatch.model.regions import Versioning
from cosbatch.model.states import Actor, JobStatus
from cosbatch.storage.port import ObjectStore
from cosbatch.storage.spool import Spool
from tests.simulation.rig import LIMITS, TARGET, Rig, View
from tests.unit.storage.virtual_time import VirtualClock, virtual_time

KEYS = [f"logs/{number:05d}" for number in range(500)]
Call = Callable[..., Awaitable[Any]]


class Between:
    """Stands before an adapter: ``calls`` has what is called in place of some of its methods, with the method first."""

    profile: Any

    def __init__(self, inner: object, **calls: Callable[..., Awaitable[Any]]) -> None:
        self._inner = inner
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        call = self._calls.get(name)
        return method if call is None else lambda *args, **options: call(method, *args, **options)


async def lose_reply(method: Call, *args: Any, **options: Any) -> Any:
    await method(*args, **options)
    raise Unanswered("the reply got lost")


async def submitted(rig: Rig, keys: list[str] = KEYS) -> Job:
    rig.put_objects(keys)
    return await rig.submit(rig.request(rig.csv_manifest(keys)))


@virtual_time
async def test_a_store_that_answers_500_while_planning_is_waited_for(clock: VirtualClock) -> None:
    rig = Rig(clock)
    ill = True

    async def get(method: Call, *args: Any, **options: Any) -> Any:
        if ill:
            raise StorageError(StorageReason.SERVER_ERROR, "we are sorry", code="InternalError", http_status=500)
        return await method(*args, **options)

    store = cast(ObjectStore, Between(rig.store, get=get))
    rig.view = lambda: View(store, rig.ledger, rig.spool)
    rig.start()
    job = await submitted(rig)
    held = await rig.when(job, lambda found: found.hold is not None, within_seconds=900)
    await asyncio.sleep(1800)
    still = await rig.ledger.job(job.id)
    assert still.status is JobStatus.PREPARING
    assert held.hold
    assert still.hold
    assert "we are sorry" in still.hold.reason
    assert still.hold.since == held.hold.since
    ill = False
    done = await rig.until(job)
    assert (done.status, done.tally.succeeded, done.hold) == (JobStatus.COMPLETE, len(KEYS), None)
    await rig.drain()


@virtual_time
async def test_a_store_that_answers_500_for_too_long_fails_the_job(clock: VirtualClock) -> None:
    async def get(method: Call, *args: Any, **options: Any) -> Any:
        raise StorageError(StorageReason.SERVER_ERROR, "we are sorry", code="InternalError", http_status=500)

    rig = Rig(clock, limits=replace(LIMITS, hold_limit_seconds=900.0))
    store = cast(ObjectStore, Between(rig.store, get=get))
    rig.view = lambda: View(store, rig.ledger, rig.spool)
    rig.start()
    done = await rig.until(await submitted(rig), within_seconds=7200)
    assert (done.status, done.failure_code) == (JobStatus.FAILED, FailureCode.STORE_UNAVAILABLE)
    await rig.drain()


@pytest.mark.parametrize("gets_well", [True, False])
def test_a_work_area_that_refuses_the_plan_is_shown(gets_well: bool) -> None:
    @virtual_time
    async def scenario(clock: VirtualClock) -> None:
        rig = Rig(clock, limits=replace(LIMITS, hold_limit_seconds=900.0))
        tries = 0
        ill = True

        async def put(method: Call, *args: Any, **options: Any) -> Any:
            nonlocal tries
            if ill:
                tries += 1
                raise SpoolError("permission denied")
            return await method(*args, **options)

        spool = cast(Spool, Between(rig.spool, put=put))
        rig.view = lambda: View(rig.store, rig.ledger, spool)
        rig.start()
        job = await submitted(rig)
        held = await rig.when(job, lambda found: found.hold is not None)
        assert held.hold
        assert (held.hold.bucket, held.status) == (WORK_AREA, JobStatus.PREPARING)
        assert "permission denied" in held.hold.reason
        await asyncio.sleep(300)
        assert tries <= 32, "it is not tried at every poll"
        still = await rig.ledger.job(job.id)
        assert still.hold is not None
        assert still.hold.since == held.hold.since
        ill = not gets_well
        done = await rig.until(job)
        if gets_well:
            assert (done.status, done.tally.succeeded, done.hold) == (JobStatus.COMPLETE, len(KEYS), None)
        else:
            assert (done.status, done.failure_code) == (JobStatus.FAILED, FailureCode.SPOOL_FULL)
        await rig.drain()

    scenario()


@pytest.mark.parametrize("chunk_rows", [7, 100, 1000])
@pytest.mark.parametrize("keeps_versions", [True, False])
def test_a_plan_goes_on_with_other_limits_than_it_began_with(chunk_rows: int, keeps_versions: bool) -> None:
    """Settings may change between a crash and the next start."""

    @virtual_time
    async def scenario(clock: VirtualClock) -> None:
        versioning = Versioning.ENABLED if keeps_versions else Versioning.NEVER
        rig = Rig(
            clock,
            limits=replace(LIMITS, first_chunks=3, first_chunk_rows=10, chunk_rows=20, slice_rows=100),
            target_versioning=versioning,
            source_versioning=Versioning.ENABLED,
        )
        keys = [key for key in KEYS[:200] for _ in range(2)]
        rows = []
        for place, key in enumerate(keys):
            outcome = rig.store.put_now("source", key, f"version {place}".encode())
            rows.append(
                ["source", key, str(outcome.version_id), str(place % 2 == 1), f"2026-01-01T00:00:{place % 2:02d}Z"]
            )
        manifest = rig.inventory(rows, schema="Bucket, Key, VersionId, IsLatest, LastModifiedDate")

        async def put(method: Call, *args: Any, **options: Any) -> Any:
            await asyncio.sleep(0.1)
            return await method(*args, **options)

        spool = cast(Spool, Between(rig.spool, put=put))
        rig.view = lambda: View(rig.store, rig.ledger, spool)
        (planner, _, _) = rig.start_stewards()
        job = await rig.submit(rig.request(manifest))
        begun = await rig.when(job, lambda found: found.planned_rows > 0)
        assert begun.planned_rows < 400
        planner.kill()
        rig.running.remove(planner)
        rig.limits = replace(rig.limits, first_chunks=0, chunk_rows=chunk_rows)
        rig.start_planner()
        rig.start_worker()
        done = await rig.until(job)
        sent = 400 if keeps_versions else 200
        assert (done.status, done.total, done.tally.succeeded) == (JobStatus.COMPLETE, 400, sent)
        assert len(rig.report(done).rows) == 400
        await rig.drain()

    scenario()


@virtual_time
async def test_a_chunk_file_that_is_lost_while_the_job_is_cancelled_does_not_keep_it_from_ending(
    clock: VirtualClock,
) -> None:
    rig = Rig(clock)

    async def silent(method: Call, *args: Any, **options: Any) -> Any:
        if not rig.copied():  # it is asked before the job starts
            return await method(*args, **options)
        return await asyncio.sleep(7200)

    store = cast(ObjectStore, Between(rig.store, copy=lose_reply, head=silent))
    rig.start_stewards()
    rig.view = lambda: View(store, rig.ledger, rig.spool)
    first = rig.start_worker()
    job = await submitted(rig, KEYS[:40])
    await rig.when(job, lambda found: len(rig.copied()) >= 20)
    rig.view = lambda: View(rig.store, rig.ledger, rig.spool)
    await rig.ledger.move(job.id, expect=set(JobStatus), to=JobStatus.CANCELLING, actor=Actor.USER, reason="enough")
    for name in await rig.spool.list(f"jobs/{job.id}/chunks/"):
        await rig.spool.delete(name)
    for held in await rig.ledger.held_leases():
        await rig.ledger.expire(held, quiet_seconds=60.0)
    first.task.cancel()
    rig.running.remove(first)
    rig.start_worker()
    done = await rig.until(job)
    report = rig.report(done)
    assert done.status is JobStatus.CANCELLED
    assert {row[4] for row in report.rows} == {"OutcomeUnknown"}
    assert len(report.rows) == 40
    assert "row 39 of the manifest" in report.rows[-1][6]
    await rig.drain()


@virtual_time
async def test_the_time_to_look_ends_also_for_chunks_that_no_lane_has_come_to(clock: VirtualClock) -> None:
    """The first chunk keeps all lanes."""
    rig = Rig(clock, limits=replace(LIMITS, first_chunk_rows=40, settle_limit_seconds=10.0))

    async def head(method: Call, *args: Any, **options: Any) -> Any:
        if not rig.copied():  # it is asked before the job starts
            return await method(*args, **options)
        await asyncio.sleep(30)
        raise StorageError(StorageReason.UNANSWERED, "no answer")

    store = cast(ObjectStore, Between(rig.store, copy=lose_reply, head=head))
    rig.start_stewards()
    rig.view = lambda: View(store, rig.ledger, rig.spool)
    first = rig.start_worker()
    job = await submitted(rig, KEYS[:80])
    await rig.when(job, lambda found: len(rig.copied()) >= 8)
    await rig.ledger.move(job.id, expect=set(JobStatus), to=JobStatus.CANCELLING, actor=Actor.USER, reason="enough")
    first.kill()
    for held in await rig.ledger.held_leases():
        await rig.ledger.expire(held, quiet_seconds=0.0)
    rig.start_worker()
    done = await rig.until(job, within_seconds=120)
    rows = rig.report(done).rows
    assert {row[4] for row in rows} == {"OutcomeUnknown"}
    assert len(rows) == 80
    assert all("in time" in row[6] for row in rows)
    await rig.drain()


@virtual_time
async def test_a_chunk_that_is_claimed_while_the_ledger_is_asked_is_looked_at(clock: VirtualClock) -> None:
    """What the ledger says of other jobs is no word on its own."""
    rig = Rig(clock)

    async def slow(method: Call, *args: Any, **options: Any) -> Any:
        answer = await method(*args, **options)
        await asyncio.sleep(2)
        return answer

    async def delayed(method: Call, *args: Any, **options: Any) -> Any:
        await asyncio.sleep(5)
        return await method(*args, **options)

    losing = cast(ObjectStore, Between(rig.store, copy=lose_reply, head=delayed))
    delaying = cast(ObjectStore, Between(rig.store, head=delayed))
    rig.start_stewards()
    rig.view = lambda: View(losing, rig.ledger, rig.spool)
    first = rig.start_worker()
    job = await submitted(rig, KEYS[:20])
    await rig.when(job, lambda found: len(rig.copied()) == 20)
    await rig.ledger.move(job.id, expect=set(JobStatus), to=JobStatus.CANCELLING, actor=Actor.USER, reason="enough")
    first.kill()
    for held in await rig.ledger.held_leases():
        await rig.ledger.expire(held, quiet_seconds=0.0)
    slow_ledger = cast(JobLedger, Between(rig.ledger, pulses=slow))
    rig.view = lambda: View(delaying, slow_ledger, rig.spool)
    rig.start_worker()
    done = await rig.until(job)
    assert {row[3] for row in rig.report(done).rows} == {"succeeded"}
    await rig.drain()


@virtual_time
async def test_a_chunk_that_runs_alone_has_the_worker_for_itself(clock: VirtualClock) -> None:
    """So that a worker that dies does not die of another chunk's task."""
    rig = Rig(clock, limits=replace(LIMITS, first_chunk_rows=10))
    under_way: set[str] = set()
    beside: list[set[str]] = []
    alone = {f"logs/{number:05d}" for number in range(10)}

    async def copy(method: Call, source: Any, target: Any, **options: Any) -> Any:
        under_way.add(target.key)
        if target.key in alone:
            beside.append(under_way - {target.key})
        await asyncio.sleep(1.0)
        under_way.discard(target.key)
        return await method(source, target, **options)

    rig.start_stewards()
    job = await submitted(rig, KEYS[:100])
    await rig.until(job, {JobStatus.ACTIVE})
    for _ in range(3):
        (claim,) = await rig.ledger.claim("dead", room=1, lease_seconds=30.0)  # type: ignore[arg-type]
        assert claim.first_task == 0
        (held,) = await rig.ledger.held_leases()
        await rig.ledger.expire(held, quiet_seconds=0.0)
    store = cast(ObjectStore, Between(rig.store, copy=copy))
    rig.view = lambda: View(store, rig.ledger, rig.spool)
    rig.start_worker()
    done = await rig.until(job)
    assert done.tally.succeeded == 100
    assert beside == [set()] * 10
    await rig.drain()


@virtual_time
async def test_a_drain_ends_also_where_nothing_can_be_committed(clock: VirtualClock) -> None:
    rig = Rig(clock)
    is_full = False

    async def put(method: Call, name: str, *args: Any, **options: Any) -> Any:
        if is_full and "/parts/" in name:
            raise SpoolError("no space left on device")
        return await method(name, *args, **options)

    spool = cast(Spool, Between(rig.spool, put=put))
    rig.view = lambda: View(rig.store, rig.ledger, spool)
    rig.start_stewards()
    worker = rig.start_worker()
    is_full = True
    job = await submitted(rig)
    await rig.when(job, lambda found: len(rig.copied()) >= 100)
    begun = clock.boottime()
    await worker.drain()
    assert clock.boottime() - begun <= rig.limits.drain_seconds + 30
    assert await rig.ledger.held_leases(), "what was sent and is not committed must count as lost"
    rig.running.remove(worker)
    is_full = False
    rig.start_worker()
    done = await rig.until(job)
    assert (done.status, done.tally.succeeded, len(rig.report(done).rows)) == (JobStatus.COMPLETE, 500, 500)
    await rig.drain()


@virtual_time
async def test_one_broken_step_ends_nothing_and_ten_in_a_row_do(clock: VirtualClock) -> None:
    stop = asyncio.Event()
    taken = 0

    async def now_and_then() -> bool:
        nonlocal taken
        taken += 1
        if taken == 30:
            stop.set()
        if taken % 3:
            raise RuntimeError("a fault of ours")
        return False

    await until_stopped(now_and_then, stop=stop, pause_seconds=1.0)
    assert taken == 30
    taken = 0

    async def always() -> bool:
        nonlocal taken
        taken += 1
        raise RuntimeError("a fault of ours")

    with pytest.raises(RuntimeError, match="a fault of ours"):
        await until_stopped(always, stop=asyncio.Event(), pause_seconds=1.0)
    assert taken == BROKEN_STEPS_LIMIT


class Looks:
    """A slow store that remembers what was copied when, and which targets were read afterwards."""

    def __init__(self, rig: Rig) -> None:
        self.copied_at: dict[str, float] = {}
        self.read: set[str] = set()
        self._clock = rig.clock
        store = cast(ObjectStore, Between(rig.store, copy=self._copy, head=self._head))
        rig.view = lambda: View(store, rig.ledger, rig.spool)

    async def _copy(self, method: Call, source: Any, target: Any, **options: Any) -> Any:
        self.copied_at[target.key] = self._clock.boottime()
        await asyncio.sleep(0.5)
        return await method(source, target, **options)

    async def _head(self, method: Call, ref: Any) -> Any:
        await asyncio.sleep(0.5)
        if ref.bucket == TARGET:
            self.read.add(ref.key)
        return await method(ref)


@virtual_time
async def test_where_every_object_is_read_back_no_stop_leaves_one_out(clock: VirtualClock) -> None:
    rig = Rig(clock)
    looks = Looks(rig)
    (_, _, _, worker) = (*rig.start_stewards(), rig.start_worker())
    rig.put_objects(KEYS)
    job = await rig.submit(replace(rig.request(rig.csv_manifest(KEYS)), verify=Verify.ALL))
    await rig.when(job, lambda found: len(looks.copied_at) > 200)
    await worker.drain()
    rig.running.remove(worker)
    rig.start_worker()
    await rig.when(job, lambda found: len(looks.copied_at) > 350)
    await pause(rig, job)
    await rig.until(job, {JobStatus.PAUSED})
    await rig.ledger.move(job.id, expect={JobStatus.PAUSED}, to=JobStatus.ACTIVE, actor=Actor.USER, reason="go on")
    done = await rig.until(job)
    assert (done.status, done.tally.succeeded) == (JobStatus.COMPLETE, len(KEYS))
    assert looks.read == set(KEYS)
    await rig.drain()


@virtual_time
async def test_what_cannot_be_read_back_is_not_reported_as_verified(clock: VirtualClock) -> None:
    rig = Rig(clock)

    async def head(method: Call, ref: Any) -> Any:
        if ref.bucket == TARGET:
            raise StorageError(StorageReason.ACCESS_DENIED, "no", code="AccessDenied", http_status=403)
        return await method(ref)

    store = cast(ObjectStore, Between(rig.store, head=head))
    rig.view = lambda: View(store, rig.ledger, rig.spool)
    rig.start()
    rig.put_objects(KEYS[:20])
    job = await rig.submit(replace(rig.request(rig.csv_manifest(KEYS[:20])), verify=Verify.ALL))
    done = await rig.until(job)
    assert {(row[3], row[4]) for row in rig.report(done).rows} == {("failed", "NotVerified")}
    await rig.drain()


@pytest.mark.parametrize("to", [JobStatus.PAUSING, JobStatus.CANCELLING])
def test_dispatch_stops_within_two_seconds(to: JobStatus) -> None:
    @virtual_time
    async def scenario(clock: VirtualClock) -> None:
        rig = Rig(clock, limits=replace(LIMITS, poll_seconds=EngineLimits().poll_seconds))
        looks = Looks(rig)
        rig.start(workers=2)
        rig.put_objects(KEYS)
        job = await rig.submit(rig.request(rig.csv_manifest(KEYS)))
        await rig.when(job, lambda found: len(looks.copied_at) > 100)
        asked_at = clock.boottime()
        await pause(rig, job) if to is JobStatus.PAUSING else await cancel(rig, job)
        await rig.until(job, {JobStatus.PAUSED, JobStatus.CANCELLED}, within_seconds=600)
        assert len(looks.copied_at) < len(KEYS)
        assert max(looks.copied_at.values()) <= asked_at + 2.0
        await rig.drain()

    scenario()


async def pause(rig: Rig, job: Job) -> None:
    await rig.ledger.move(
        job.id,
        expect={JobStatus.ACTIVE},
        to=JobStatus.PAUSING,
        actor=Actor.USER,
        reason="a rest",
        paused_by=PausedBy.USER,
    )


async def cancel(rig: Rig, job: Job) -> None:
    await rig.ledger.move(job.id, expect={JobStatus.ACTIVE}, to=JobStatus.CANCELLING, actor=Actor.USER, reason="enough")


@virtual_time
async def test_results_that_cannot_be_written_down_are_looked_for_again(clock: VirtualClock) -> None:
    """An error of ours in a commit must not look as if nothing had been sent."""
    rig = Rig(clock)
    breaks = 3

    async def put(method: Call, name: str, *args: Any, **options: Any) -> Any:
        nonlocal breaks
        if breaks and "/parts/" in name:
            breaks -= 1
            raise RuntimeError("a fault of ours")
        return await method(name, *args, **options)

    sent: Counter[str] = Counter()

    async def copy(method: Call, source: Any, target: Any, **options: Any) -> Any:
        sent[target.key] += 1
        return await method(source, target, **options)

    spool = cast(Spool, Between(rig.spool, put=put))
    store = cast(ObjectStore, Between(rig.store, copy=copy))
    rig.view = lambda: View(store, rig.ledger, spool)
    rig.start()
    done = await rig.until(await submitted(rig))
    assert (done.status, done.tally.succeeded, len(rig.report(done).rows)) == (JobStatus.COMPLETE, 500, 500)
    assert set(sent.values()) == {1}
    await rig.drain()


@virtual_time
async def test_lanes_that_are_one_too_many_end_and_the_others_go_on(clock: VirtualClock) -> None:
    """The limit of a bucket is halved again and again while its lanes are at work."""
    rig = Rig(clock)
    calls = 0

    async def copy(method: Call, *args: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0.01 * (calls % 7))
        if calls % 50 < 8:
            raise StorageError(StorageReason.SLOW_DOWN, "slow down", code="SlowDown", http_status=503)
        return await method(*args, **options)

    store = cast(ObjectStore, Between(rig.store, copy=copy))
    rig.view = lambda: View(store, rig.ledger, rig.spool)
    rig.start()
    done = await rig.until(await submitted(rig))
    assert (done.status, done.tally.succeeded) == (JobStatus.COMPLETE, len(KEYS))
    await rig.drain()
