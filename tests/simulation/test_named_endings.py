"""What the campaign has found about ends: of reports, of claims, and of jobs while something may have been written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any, cast

import pytest

from cosbatch.ledger.memory import MemoryLedger
from cosbatch.ledger.port import JobLedger
from cosbatch.model.errors import FailureCode, LedgerUnavailable, StorageError, StorageReason
from cosbatch.model.identifiers import ObjectKey, ObjectRef
from cosbatch.model.jobs import Job
from cosbatch.model.operations import Directive, NewObjectMetadata, PutObjectCopy, Tag
from cosbatch.model.regions import Versioning
from cosbatch.model.reports import ReportState
from cosbatch.model.states import Actor, JobStatus
from cosbatch.storage.port import ObjectStore
from cosbatch.storage.profiles import PROFILES, Option
from tests.simulation.drawn import lies_about
from tests.simulation.rig import LIMITS, SOURCE, TARGET, Rig, View
from tests.simulation.run import JumpingClock
from tests.simulation.test_trouble import Between, Call
from tests.unit.storage.virtual_time import VirtualClock, virtual_time

KEYS = [f"logs/{number:03d}" for number in range(8)]


async def damage_all_parts(rig: Rig, job: Job) -> None:
    for name in await rig.ledger.part_names(job.id, first_seq=0, last_seq=999):
        content = await rig.spool.get(name)
        await rig.spool.delete(name)
        await rig.spool.put(name, content[:-1])


@pytest.mark.parametrize("is_cancelled", [False, True])
def test_a_report_that_is_there_counts_as_delivered_whatever_becomes_of_its_parts(is_cancelled: bool) -> None:
    """Who delivered it died before it told the ledger, and a part is damaged since."""

    @virtual_time
    async def scenario(clock: VirtualClock) -> None:
        rig = Rig(clock)

        async def report_done(method: Call, *args: Any, **options: Any) -> Any:
            finisher.kill()
            raise LedgerUnavailable("it has not arrived")

        rig.start_planner()
        rig.start_scheduler()
        worker = rig.start_worker()
        rig.put_objects(KEYS)
        job = await rig.submit(rig.request(rig.csv_manifest(KEYS)))
        await rig.until(job, {JobStatus.COMPLETING})
        ledger = cast(JobLedger, Between(rig.ledger, report_done=report_done))
        rig.view = lambda: View(rig.store, ledger, rig.spool)
        finisher = rig.start_finisher()
        await rig.when(job, lambda _: finisher.is_over)
        assert rig.has_report(job)
        await damage_all_parts(rig, job)
        rig.view = lambda: View(rig.store, rig.ledger, rig.spool)
        rig.start_finisher()
        done = await rig.until(job)
        assert (done.status, done.report_state) == (JobStatus.COMPLETE, ReportState.DELIVERED)
        assert len(rig.report(done).rows) == len(KEYS)
        assert not worker.is_over
        await rig.drain()

    scenario()


@virtual_time
async def test_a_report_that_lacks_a_file_is_not_taken_for_whole(clock: VirtualClock) -> None:
    rig = Rig(clock)
    rig.start_planner()
    rig.start_scheduler()
    rig.start_worker()
    rig.put_objects(KEYS)
    job = await rig.submit(rig.request(rig.csv_manifest(KEYS)))
    await rig.until(job, {JobStatus.COMPLETING})

    async def put(method: Call, ref: ObjectRef, *args: Any, **options: Any) -> Any:
        if ref.key.endswith("/manifest.json"):
            finisher.kill()
        return await method(ref, *args, **options)

    store = cast(ObjectStore, Between(rig.store, put=put))
    rig.view = lambda: View(store, rig.ledger, rig.spool)
    finisher = rig.start_finisher()
    await rig.when(job, lambda _: finisher.is_over)
    await damage_all_parts(rig, job)
    rig.view = lambda: View(rig.store, rig.ledger, rig.spool)
    rig.start_finisher()
    held = await rig.when(job, lambda found: found.hold is not None)
    assert held.hold
    assert "the report is not delivered" in held.hold.reason
    assert (held.status, rig.has_report(job)) == (JobStatus.COMPLETING, False)
    await rig.drain()


@virtual_time
async def test_a_chunk_that_others_have_closed_is_no_lost_part_of_the_plan(clock: VirtualClock) -> None:
    """A worker hears so late of its claim that another one has worked the chunk off, and its file is gone."""
    rig = Rig(clock)
    keys = [f"logs/{number:03d}" for number in range(300)]
    heard: list[float] = []

    async def claim(method: Call, *args: Any, **options: Any) -> Any:
        claims = await method(*args, **options)
        if claims:
            await asyncio.sleep(100)
            heard.append(clock.boottime())
        return claims

    async def copy(method: Call, source: ObjectRef, *args: Any, **options: Any) -> Any:
        if source.key == keys[-1]:
            await asyncio.sleep(200)  # the job is not at its end yet
        return await method(source, *args, **options)

    rig.start_stewards()
    rig.put_objects(keys)
    job = await rig.submit(rig.request(rig.csv_manifest(keys)))
    await rig.until(job, {JobStatus.ACTIVE})
    ledger = cast(JobLedger, Between(rig.ledger, claim=claim))
    rig.view = lambda: View(rig.store, ledger, rig.spool)
    rig.start_worker()
    await asyncio.sleep(1)
    assert len(await rig.ledger.held_leases()) == 1
    store = cast(ObjectStore, Between(rig.store, copy=copy))
    rig.view = lambda: View(store, rig.ledger, rig.spool)
    rig.start_worker()
    done = await rig.until(job)
    assert heard
    assert heard[0] < done.changed_at
    assert (done.status, done.tally.succeeded) == (JobStatus.COMPLETE, len(keys))
    await rig.drain()


class LyingStore:
    """A store that ignores the class: the first copy is applied and its worker dies; all others are refused."""

    def __init__(self, rig: Rig, *, refusal: StorageError) -> None:
        self.copies = 0
        self._rig = rig
        self._refusal = refusal

    def seen(self) -> View:
        store = Between(self._rig.store, copy=self._copy)
        store.profile = PROFILES["s3"]
        return View(cast(ObjectStore, store), self._rig.ledger, self._rig.spool)

    async def _copy(self, method: Call, *args: Any, **options: Any) -> Any:
        self.copies += 1
        if self.copies == 1:
            await method(*args, **options)
            [worker] = [one for one in self._rig.running if one.role == "worker" and not one.is_over]
            worker.kill()
            await asyncio.sleep(86_400)
        await asyncio.sleep(0.05)
        raise self._refusal


async def begun_on_a_lying_store(rig: Rig, refusal: StorageError) -> tuple[LyingStore, Job]:
    lying = LyingStore(rig, refusal=refusal)
    rig.liveness = rig
    lies_about(rig.store, Option.STORAGE_CLASS)
    rig.view = lying.seen
    rig.start()
    rig.put_objects(KEYS[:1])
    operation = PutObjectCopy(target_bucket=TARGET, storage_class="STANDARD_IA")
    job = await rig.submit(rig.request(rig.csv_manifest(KEYS[:1]), operation=operation, failure_threshold=None))
    await rig.when(job, lambda _: lying.copies == 1)
    rig.start_worker()
    return lying, job


@virtual_time
async def test_a_refusal_proves_nothing_of_a_copy_that_may_have_been_made_before(clock: VirtualClock) -> None:
    rig = Rig(clock, target_versioning=Versioning.ENABLED)
    refusal = StorageError(StorageReason.INVALID_REQUEST, "not this one", code="InvalidRequest", http_status=400)
    lying, job = await begun_on_a_lying_store(rig, refusal)
    done = await rig.until(job)
    assert lying.copies == 2
    assert len(rig.copied()) == 1
    (row,) = rig.report(done).rows
    assert row[4] == "OutcomeUnknown"
    assert "InvalidRequest" in row[6]
    await rig.drain()


@virtual_time
async def test_a_job_that_ends_does_not_call_undone_what_may_have_been_made_before(clock: VirtualClock) -> None:
    rig = Rig(clock, target_versioning=Versioning.ENABLED)
    busy = StorageError(StorageReason.SLOW_DOWN, "slow down", code="SlowDown", http_status=503)
    lying, job = await begun_on_a_lying_store(rig, busy)
    await rig.when(job, lambda _: lying.copies > 1)
    await rig.ledger.move(job.id, expect={JobStatus.ACTIVE}, to=JobStatus.CANCELLING, actor=Actor.USER, reason="enough")
    done = await rig.until(job)
    (row,) = rig.report(done).rows
    assert row[4] == "OutcomeUnknown"
    await rig.drain()


class LateStore:
    """The first copy is on its way when its worker dies, until somebody lets it arrive; all others are refused."""

    def __init__(self, rig: Rig, *, refusal: StorageError, after_seconds: float) -> None:
        self.copies = 0
        self._refusal = refusal
        self._after_seconds = after_seconds
        self.arrive: Callable[[], Awaitable[Any]]
        self._rig = rig

    def seen(self) -> View:
        store = Between(self._rig.store, copy=self._copy)
        return View(cast(ObjectStore, store), self._rig.ledger, self._rig.spool)

    async def _copy(self, method: Call, *args: Any, **options: Any) -> Any:
        self.copies += 1
        if self.copies == 1:
            self.arrive = partial(method, *args, **options)
            [worker] = [one for one in self._rig.running if one.role == "worker" and not one.is_over]
            worker.kill()
            await asyncio.sleep(86_400)
        await asyncio.sleep(self._after_seconds)
        raise self._refusal


@pytest.mark.parametrize(
    ("refusal", "after_seconds"),
    [
        (StorageError(StorageReason.SLOW_DOWN, "slow down", code="SlowDown", http_status=503), 0.05),
        (StorageError(StorageReason.QUOTA_EXCEEDED, "full", code="QuotaExceeded", http_status=403), 3.0),
    ],
    ids=["throttled", "refused for good"],
)
def test_a_job_that_ends_waits_for_what_a_dead_worker_had_sent(refusal: StorageError, after_seconds: float) -> None:
    @virtual_time
    async def scenario(clock: VirtualClock) -> None:
        rig = Rig(clock)
        late = LateStore(rig, refusal=refusal, after_seconds=after_seconds)
        rig.liveness = rig
        rig.view = late.seen
        rig.start()
        rig.put_objects(KEYS[:1])
        job = await rig.submit(rig.request(rig.csv_manifest(KEYS[:1]), failure_threshold=None))
        await rig.when(job, lambda _: late.copies == 1)
        rig.start_worker()
        await rig.when(job, lambda _: late.copies > 1)
        await rig.ledger.move(
            job.id, expect={JobStatus.ACTIVE}, to=JobStatus.CANCELLING, actor=Actor.USER, reason="enough"
        )
        await asyncio.sleep(5)
        await late.arrive()
        done = await rig.until(job)
        (row,) = rig.report(done).rows
        assert (row[3], row[4]) == ("succeeded", "")
        await rig.drain()

    scenario()


@virtual_time
async def test_an_upload_that_was_begun_under_a_wrong_clock_is_named_and_left(clock: VirtualClock) -> None:
    """The ledger's clock is an hour ahead, the worker died with the id of its upload, and the job is cancelled."""
    rig = Rig(clock, ledger=MemoryLedger(JumpingClock(clock, offset=3600.0)))
    rig.liveness = rig
    begun: list[str] = []

    async def create_upload(method: Call, *args: Any, **options: Any) -> Any:
        begun.append(await method(*args, **options))
        worker.kill()
        await asyncio.sleep(86_400)

    rig.start_stewards()
    rig.store.put_sized(SOURCE, ObjectKey("large"), 12 * 2**20)
    added = NewObjectMetadata(user_metadata=(("moved", "1"),))
    operation = PutObjectCopy(target_bucket=TARGET, metadata_directive=Directive.ADD, new_object_metadata=added)
    request = rig.request(rig.csv_manifest(["large"]), operation=operation)
    job = await rig.submit(replace(request, part_copy_above_bytes=8 * 2**20, part_size_bytes=5 * 2**20))
    await rig.until(job, {JobStatus.ACTIVE})
    store = cast(ObjectStore, Between(rig.store, create_upload=create_upload))
    rig.view = lambda: View(store, rig.ledger, rig.spool)
    worker = rig.start_worker()
    await rig.when(job, lambda _: worker.is_over)
    await rig.ledger.move(job.id, expect={JobStatus.ACTIVE}, to=JobStatus.CANCELLING, actor=Actor.USER, reason="enough")
    rig.view = lambda: View(rig.store, rig.ledger, rig.spool)
    rig.start_worker()
    done = await rig.until(job)
    assert [upload.upload_id for upload in rig.store.open_uploads()] == begun
    (entry,) = cast("list[dict[str, object]]", rig.report(done).summary["unfinished_uploads"])
    assert (entry["upload_id"], entry["certain"], entry["key"]) == (begun[0], False, "large")
    await rig.drain()


@virtual_time
async def test_where_nothing_was_sent_a_silent_ledger_leaves_nothing_to_look_for(clock: VirtualClock) -> None:
    """The owner has written the target meanwhile: what lies there is no attempt of ours, and is replaced."""
    rig = Rig(clock)
    asked = 0

    async def uploads(method: Call, *args: Any, **options: Any) -> Any:
        nonlocal asked
        asked += 1
        if asked == 1:
            rig.store.put_now(TARGET, "large", b"the owner's")
            raise LedgerUnavailable("the ledger did not answer")
        return await method(*args, **options)

    rig.start_stewards()
    rig.store.put_sized(SOURCE, ObjectKey("large"), 12 * 2**20)
    added = NewObjectMetadata(user_metadata=(("moved", "1"),))
    operation = PutObjectCopy(target_bucket=TARGET, metadata_directive=Directive.ADD, new_object_metadata=added)
    request = rig.request(rig.csv_manifest(["large"]), operation=operation)
    job = await rig.submit(replace(request, part_copy_above_bytes=8 * 2**20, part_size_bytes=5 * 2**20))
    await rig.until(job, {JobStatus.ACTIVE})
    ledger = cast(JobLedger, Between(rig.ledger, uploads=uploads))
    rig.view = lambda: View(rig.store, ledger, rig.spool)
    rig.start_worker()
    done = await rig.until(job)
    (row,) = rig.report(done).rows
    assert (row[3], row[4]) == ("succeeded", "")
    assert asked > 1
    await rig.drain()


@virtual_time
async def test_an_owner_who_tags_what_was_copied_does_not_fail_the_job(clock: VirtualClock) -> None:
    rig = Rig(clock)

    async def copy(method: Call, source: ObjectRef, target: ObjectRef, **options: Any) -> Any:
        await rig.store.put_tags(source, [Tag(key="copied", value="no")])
        outcome = await method(source, target, **options)
        await rig.store.put_tags(source, [Tag(key="copied", value="yes")])
        return outcome

    store = Between(rig.store, copy=copy)
    rig.view = lambda: View(cast(ObjectStore, store), rig.ledger, rig.spool)
    rig.put_objects(KEYS)
    await asyncio.sleep(3600)  # else they would be too young to be compared
    rig.start()
    done = await rig.until(await rig.submit(rig.request(rig.csv_manifest(KEYS), failure_threshold=None)))
    assert (done.status, done.tally.ignored_options) == (JobStatus.COMPLETE, {})
    told = {row[1]: row[4] for row in rig.report(done).rows}
    assert set(told) == set(KEYS)
    assert "NotVerified" in told.values()
    assert rig.copied() == set(KEYS)
    await rig.drain()


@pytest.mark.parametrize("is_liar", [False, True])
def test_a_key_that_is_listed_twice_is_one_strike_against_the_store(is_liar: bool) -> None:
    """Its owner has written the same bytes over both copies before they were read back; a store that lies about another
    key, too, fails the job."""

    @virtual_time
    async def scenario(clock: VirtualClock) -> None:
        rig = Rig(clock, limits=replace(LIMITS, first_lanes=1))

        async def copy(method: Call, source: ObjectRef, target: ObjectRef, **options: Any) -> Any:
            outcome = await method(source, target, **options)
            if is_liar or target.key == KEYS[0]:
                rig.store.put_now(SOURCE, target.key, f"content of {target.key}".encode())
            return outcome

        store = Between(rig.store, copy=copy)
        store.profile = PROFILES["s3"]
        rig.view = lambda: View(cast(ObjectStore, store), rig.ledger, rig.spool)
        rig.start()
        rig.put_objects(KEYS)
        operation = PutObjectCopy(target_bucket=SOURCE, storage_class="STANDARD_IA")
        manifest = rig.csv_manifest([KEYS[0], *KEYS])
        done = await rig.until(await rig.submit(rig.request(manifest, operation=operation, failure_threshold=None)))
        told = [row[1] for row in rig.report(done).rows if row[4] == "StoreIgnoredOption"]
        assert told.count(KEYS[0]) == 2
        if is_liar:
            assert (done.status, done.failure_code) == (JobStatus.FAILED, FailureCode.STORE_IGNORED_OPTION)
        else:
            assert (done.status, told) == (JobStatus.COMPLETE, [KEYS[0]] * 2)
            assert done.tally.ignored_options == {"storage-class": 1}
        await rig.drain()

    scenario()
