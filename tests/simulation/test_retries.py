"""What failed is done again by a job of its own: the whole engine, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast
from urllib.parse import quote

import pytest

from cosbatch.engine.liveness import WRONG_BY_SECONDS
from cosbatch.engine.remover import Remover
from cosbatch.manifests.kept import kept_folder
from cosbatch.model.errors import (
    FailureCode,
    LedgerUnavailable,
    NoSuchJob,
    NoSuchResults,
    ServiceUnavailable,
    StorageError,
    StorageReason,
    TokenReused,
)
from cosbatch.model.identifiers import ObjectKey, ObjectRef, RegionName, VersionId, made_at
from cosbatch.model.jobs import WORK_AREA, Job
from cosbatch.model.manifests import Manifest
from cosbatch.model.operations import DeleteObject
from cosbatch.model.preflight import CheckName, CheckOutcome
from cosbatch.model.principals import LOCAL_CALLER
from cosbatch.model.regions import Provider, Region, Versioning
from cosbatch.model.reports import ReportState
from cosbatch.model.states import FINAL, JobStatus
from cosbatch.service.follow_up import FollowUp
from cosbatch.service.service import JobService
from cosbatch.storage.port import CopyOptions, CopyOutcome, ObjectStore, PutOutcome, SizedBody
from tests.contract.ledgers import HandClock
from tests.simulation.rig import CONTROL, HERE, LIMITS, SOURCE, TARGET, Rig
from tests.unit.storage.virtual_time import VirtualClock, run_virtually, virtual_time

REGION = Region(name=HERE, provider=Provider.S3, endpoint="http://here", profile="s3", signing_region="us-east-1")
VERSIONS = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate"


class Denying:
    """A store that refuses to copy or delete some objects, as long as they are in ``denied``."""

    def __init__(self, inner: ObjectStore) -> None:
        self._inner = inner
        self.denied: dict[tuple[str, str | None], StorageReason] = {}
        self.copied: list[tuple[str, str | None]] = []
        self.takes_no_reports = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def copy(self, source: ObjectRef, target: ObjectRef, *, options: CopyOptions) -> CopyOutcome:
        self._refuse(source)
        self.copied.append((source.key, source.version_id))
        return await self._inner.copy(source, target, options=options)

    async def delete(self, ref: ObjectRef) -> VersionId | None:
        self._refuse(ref)
        return await self._inner.delete(ref)

    async def put(self, ref: ObjectRef, body: bytes | SizedBody, **named: Any) -> PutOutcome:
        if self.takes_no_reports:
            raise StorageError(StorageReason.ACCESS_DENIED, "no", code="AccessDenied", http_status=403, target=ref.key)
        return await self._inner.put(ref, body, **named)

    def _refuse(self, ref: ObjectRef) -> None:
        reason = self.denied.get((ref.key, ref.version_id))
        if reason is not None:
            raise StorageError(reason, "no", code=reason, http_status=403, target=ref.key)


class Scene:
    """A rig whose engine runs, its service, and a store that can be told to refuse."""

    def __init__(self, clock: VirtualClock, **named: Any) -> None:
        self.guards: list[Denying] = []
        self.rig = Rig(clock, wrap=self._wrap, **named)
        self.rig.start(workers=2)
        self.guard = self.guards[0]
        self.follow_up = self.made_follow_up()

    def _wrap(self, inner: ObjectStore) -> ObjectStore:
        self.guards.append(Denying(inner))
        return cast(ObjectStore, self.guards[-1])

    def made_follow_up(self, ledger: Any = None) -> FollowUp:
        ledger = ledger or self.rig.ledger
        jobs = JobService(ledger, regions={HERE: REGION}, look=self._look, deletes_allowed=True)
        return FollowUp(jobs, ledger=ledger, spool=self.rig.spool)

    async def _look(self, manifest: Manifest, *, region: RegionName) -> str:
        location = manifest.location
        return (await self.rig.store.head(ObjectRef(location.bucket, location.key, location.version_id))).etag

    async def ended(self, manifest: Manifest, **changes: Any) -> Job:
        job = await self.rig.submit(replace(self.rig.request(manifest), **changes))
        return await self._reported(job)

    async def _reported(self, job: Job) -> Job:
        await self.rig.until(job)
        return await self.rig.when(job, lambda found: found.report_state is not ReportState.PENDING)

    async def retried(self, job: Job, error_code: str = "", **named: Any) -> Job:
        made = await self.follow_up.retry_failed(job.id, caller=LOCAL_CALLER, error_code=error_code, **named)
        assert made.is_new
        return await self._reported(made.job)

    async def cloned(self, job: Job) -> Job:
        return await self._reported((await self.follow_up.clone_job(job.id, caller=LOCAL_CALLER)).job)

    def deny(self, keys: Iterable[str], reason: StorageReason = StorageReason.ACCESS_DENIED) -> None:
        self.guard.denied |= {(key, None): reason for key in keys}

    async def files(self) -> list[str]:
        return [name for name in await self.rig.spool.list("jobs/") if "/manifest/" in name]


def names(count: int, *, start: int = 0) -> list[str]:
    return [f"k/{number:04d} +,é" for number in range(start, start + count)]


def csv_manifest(scene: Scene, keys: Iterable[str]) -> Manifest:
    return scene.rig.csv_manifest(quote(key) for key in keys)


@virtual_time
async def test_one_error_code_is_retried_once_its_cause_is_gone_and_nothing_fails(clock: VirtualClock) -> None:
    scene = Scene(clock)
    there, missing, forbidden = names(300), names(40, start=300), names(20, start=340)
    scene.rig.put_objects([*there, *forbidden])
    scene.deny(forbidden)
    first = await scene.ended(csv_manifest(scene, [*there, *missing, *forbidden]), failure_threshold=None)
    assert (first.status, first.tally.succeeded, first.tally.failed) == (JobStatus.COMPLETE, 300, 60)

    scene.rig.put_objects(missing)
    again = await scene.retried(first, "NoSuchKey")

    assert (again.status, again.total, again.tally.succeeded, again.tally.failed) == (JobStatus.COMPLETE, 40, 40, 0)
    assert again.request.description == f"Retry of {first.id}"
    assert scene.rig.copied() == {*there, *missing}
    assert {row[1] for row in scene.rig.report(again).rows} == {
        row[1] for row in scene.rig.report(first).rows if row[4] == "NoSuchKey"
    }

    scene.guard.denied.clear()
    rest = await scene.retried(first)
    assert (rest.total, rest.tally.failed) == (60, 0)
    assert scene.rig.copied() == {*there, *missing, *forbidden}
    await scene.rig.drain()


@virtual_time
async def test_first_rows_that_are_still_gone_do_not_keep_the_others_from_being_copied(clock: VirtualClock) -> None:
    scene = Scene(clock)
    there, gone, forbidden = names(10), names(60, start=10), names(5, start=70)
    scene.rig.put_objects([*there, *forbidden])
    scene.deny(forbidden)
    first = await scene.ended(csv_manifest(scene, [*there, *gone, *forbidden]), failure_threshold=None)
    assert (first.status, first.tally.failed) == (JobStatus.COMPLETE, 65)

    scene.guard.denied.clear()
    again = await scene.retried(first)

    assert (again.status, again.failure_code) == (JobStatus.COMPLETE, None)
    assert (again.tally.succeeded, again.tally.failed) == (len(forbidden), len(gone))
    assert scene.rig.copied() == {*there, *forbidden}
    preflight = await scene.rig.preflights.preflight(again.id)
    assert preflight is not None
    (check,) = [check for check in preflight.checks if check.name == CheckName.FIRST_ROWS]
    assert (check.outcome, check.detail.split(";")[0]) == (
        CheckOutcome.UNKNOWN,
        "none of 5 sampled objects of the first rows is there",
    )
    await scene.rig.drain()


async def versions_of(scene: Scene, key: str, count: int) -> list[str | None]:
    """Oldest first."""
    return [scene.rig.store.put_now(SOURCE, key, f"{key}{number}".encode()).version_id for number in range(count)]


def listed(versions: Mapping[str, list[str | None]]) -> list[list[str]]:
    """As an inventory lists them: newest first."""
    return [
        [
            SOURCE,
            key,
            str(ids[place]),
            str(place == len(ids) - 1).lower(),
            "false",
            str(len(key) + 1),
            f"2025-01-01T00:00:{place:02d}Z",
        ]
        for key, ids in versions.items()
        for place in reversed(range(len(ids)))
    ]


async def newest(scene: Scene, key: str) -> bytes:
    body = await scene.rig.store.get(ObjectRef(TARGET, ObjectKey(key)))
    return b"".join([block async for block in body])


@virtual_time
async def test_an_old_version_that_is_retried_does_not_end_up_over_the_newest(clock: VirtualClock) -> None:
    scene = Scene(clock, source_versioning=Versioning.ENABLED, target_versioning=Versioning.ENABLED)
    versions = {key: await versions_of(scene, key, 4) for key in ("a", "b", "c")}
    scene.guard.denied = {
        ("a", versions["a"][1]): StorageReason.ACCESS_DENIED,
        ("b", versions["b"][3]): StorageReason.ACCESS_DENIED,
        ("c", versions["c"][0]): StorageReason.CONFLICT,
    }
    for key, ids in versions.items():
        assert len(set(ids)) == 4, key
    first = await scene.ended(scene.rig.inventory(listed(versions), schema=VERSIONS), failure_threshold=None)
    assert (first.tally.succeeded, first.tally.failed) == (9, 3)

    scene.guard.denied.clear()
    scene.guard.copied.clear()
    again = await scene.retried(first, "AccessDenied")

    assert (again.status, again.tally.succeeded, again.tally.failed) == (JobStatus.COMPLETE, 4, 0)
    copied = scene.guard.copied
    assert [version for key, version in copied if key == "a"] == versions["a"][1:]
    assert [version for key, version in copied if key == "b"] == versions["b"][3:]
    assert [await newest(scene, key) for key in ("a", "b", "c")] == [b"a3", b"b3", b"c3"]
    await scene.rig.drain()


@virtual_time
async def test_what_was_never_sent_is_never_part_of_a_retry(clock: VirtualClock) -> None:
    scene = Scene(clock, source_versioning=Versioning.ENABLED)
    versions = {key: await versions_of(scene, key, 3) for key in ("a", "b")}
    scene.guard.denied = {("a", versions["a"][2]): StorageReason.ACCESS_DENIED}
    first = await scene.ended(scene.rig.inventory(listed(versions), schema=VERSIONS), failure_threshold=None)
    assert {code: found.count for code, found in first.tally.codes.items()} == {
        "NotLatestVersion": 4,
        "AccessDenied": 1,
    }

    scene.guard.denied.clear()
    again = await scene.retried(first)
    assert (again.total, again.tally.succeeded) == (1, 1)
    assert scene.guard.copied[-1] == ("a", versions["a"][2])
    with pytest.raises(NoSuchResults, match="there is nothing to retry"):
        await scene.retried(again)
    only_old = await scene.ended(scene.rig.inventory(listed(versions), schema=VERSIONS, name="second"))
    with pytest.raises(NoSuchResults, match="older versions that were never sent"):
        await scene.retried(only_old)
    assert await scene.files() == [f"{kept_folder(again.id)}{name}" for name in ("00000.csv.gz", "manifest.json")]
    await scene.rig.drain()


@virtual_time
async def test_rows_that_stand_twice_are_both_retried_where_no_row_names_a_version(clock: VirtualClock) -> None:
    scene = Scene(clock)
    first = await scene.ended(csv_manifest(scene, ["a", "b", "a", "a"]), failure_threshold=None)
    assert first.tally.failed == 4
    scene.rig.put_objects(["a", "b"])
    again = await scene.retried(first)
    assert (again.total, again.tally.succeeded) == (4, 4)
    await scene.rig.drain()


@virtual_time
async def test_versions_are_deleted_by_their_ids_in_a_retry_too(clock: VirtualClock) -> None:
    scene = Scene(clock, source_versioning=Versioning.ENABLED)
    versions = {"a": await versions_of(scene, "a", 3)}
    scene.guard.denied = {("a", versions["a"][1]): StorageReason.ACCESS_DENIED}
    manifest = scene.rig.inventory(listed(versions), schema=VERSIONS)
    first = await scene.ended(manifest, operation=DeleteObject(), failure_threshold=None, confirm_delete_count=9)
    assert (first.tally.succeeded, await source_versions(scene)) == (2, [versions["a"][1]])
    newer = scene.rig.store.put_now(SOURCE, "a", b"newer").version_id

    scene.guard.denied.clear()
    again = await scene.retried(first)

    assert (again.tally.succeeded, await source_versions(scene)) == (1, [newer])
    await scene.rig.drain()


async def source_versions(scene: Scene) -> list[str | None]:
    return [found.version_id for found in (await scene.rig.store.list_versions(SOURCE)).objects]


@virtual_time
async def test_a_retry_is_a_job_like_others_cloned_retried_and_outlives_the_first(clock: VirtualClock) -> None:
    scene = Scene(clock)
    first = await scene.ended(csv_manifest(scene, names(4)), failure_threshold=None)
    again = await scene.retried(first, "NoSuchKey", changes={"priority": 3, "report": {"prefix": "elsewhere"}})
    assert (again.tally.failed, again.priority, again.request.report.prefix) == (4, 3, "elsewhere")
    assert again.request.manifest.location.bucket == WORK_AREA

    clone = await scene.cloned(again)
    twice = await scene.retried(again)
    scene.rig.put_objects(names(4))
    await remove(scene, first, again)
    last = await scene.retried(twice)

    assert (clone.tally.failed, twice.tally.failed) == (4, 4)
    assert (last.status, last.tally.succeeded) == (JobStatus.COMPLETE, 4)
    second_clone = await scene.cloned(clone)
    assert (second_clone.tally.succeeded, second_clone.request.description) == (4, again.request.description)
    folders = {name.split("/")[1] for name in await scene.files()}
    assert folders == {clone.id, twice.id, last.id, second_clone.id}
    await scene.rig.drain()


def remover_of(scene: Scene) -> Remover:
    rig = scene.rig
    return Remover(ledger=rig.ledger, spool=rig.spool, clock=rig.clock, limits=LIMITS)


async def remove(scene: Scene, *jobs: Job) -> None:
    for job in jobs:
        await scene.rig.ledger.remove(job.id)
    remover = remover_of(scene)
    while await remover.step():
        pass


class Dies:
    """A ledger on whose ``create`` the process dies, before it or after it."""

    def __init__(self, inner: Any, *, after: bool) -> None:
        self._inner = inner
        self._after = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def create(self, *args: Any, **named: Any) -> Job:
        if self._after:
            await self._inner.create(*args, **named)
        raise LedgerUnavailable("gone")


@pytest.mark.parametrize("after", [False, True])
def test_dying_before_or_after_the_job_is_there_leaves_nothing_that_stays(after: bool) -> None:
    async def scenario(clock: VirtualClock) -> None:
        scene = Scene(clock)
        first = await scene.ended(csv_manifest(scene, names(4)), failure_threshold=None)
        scene.rig.put_objects(names(4))
        dying = scene.made_follow_up(Dies(scene.rig.ledger, after=after))
        with pytest.raises(ServiceUnavailable):
            await dying.retry_failed(first.id, caller=LOCAL_CALLER, token="once")
        assert len(await scene.files()) == 2

        made = await scene.follow_up.retry_failed(first.id, caller=LOCAL_CALLER, token="once")
        once_more = await scene.follow_up.retry_failed(first.id, caller=LOCAL_CALLER, token="once")

        assert (made.is_new, once_more.is_new, once_more.job.id) == (not after, False, made.job.id)
        done = await scene.rig.until(made.job)
        assert (done.tally.succeeded, done.tally.failed) == (4, 0)
        assert len(await scene.rig.ledger.jobs()) == 2
        await scene.rig.drain()
        assert not await remover_of(scene).step()
        assert len(await scene.files()) == (2 if after else 4)
        late = HandClock(
            (made_at(made.job.id) or 0.0) + LIMITS.retention_seconds + 60
        )  # ids are dated by the system's clock
        remover = Remover(ledger=scene.rig.ledger, spool=scene.rig.spool, clock=late, limits=LIMITS)
        for job in (first, made.job):
            await scene.rig.ledger.remove(job.id)
        while await remover.step():
            pass
        assert await scene.rig.spool.list("jobs/") == []

    run_virtually(scenario)


@virtual_time
async def test_a_token_belongs_to_one_wish(clock: VirtualClock) -> None:
    scene = Scene(clock)
    first = await scene.ended(csv_manifest(scene, names(4)), failure_threshold=None)
    made = await scene.follow_up.retry_failed(first.id, caller=LOCAL_CALLER, token="t")
    for other in ({"error_code": "NoSuchKey"}, {"changes": {"priority": 9}}):
        with pytest.raises(TokenReused, match=made.job.id):
            await scene.follow_up.retry_failed(first.id, caller=LOCAL_CALLER, token="t", **cast(Any, other))
    with pytest.raises(TokenReused):
        await scene.follow_up.clone_job(first.id, caller=LOCAL_CALLER, token="t")
    assert len(await scene.files()) == 2
    await scene.rig.drain()


@virtual_time
async def test_two_equal_calls_at_once_make_one_job_and_one_manifest(clock: VirtualClock) -> None:
    scene = Scene(clock)
    first = await scene.ended(csv_manifest(scene, names(4)), failure_threshold=None)
    both = await asyncio.gather(
        *(scene.follow_up.retry_failed(first.id, caller=LOCAL_CALLER, token="t") for _ in range(2))
    )
    assert len({made.job.id for made in both}) == 1
    assert {name.split("/")[1] for name in await scene.files()} == {both[0].job.id}
    await scene.rig.drain()


@virtual_time
async def test_a_manifest_that_is_gone_fails_the_retry_and_says_so(clock: VirtualClock) -> None:
    scene = Scene(clock)
    first = await scene.ended(csv_manifest(scene, names(4)), failure_threshold=None)
    for running in scene.rig.running:
        if running.role == "planner":
            running.kill()
    made = await scene.follow_up.retry_failed(first.id, caller=LOCAL_CALLER)
    await scene.rig.spool.delete(f"{kept_folder(made.job.id)}00000.csv.gz")
    scene.rig.start_planner()
    failed = await scene.rig.until(made.job)
    assert (failed.status, failed.failure_code) == (JobStatus.FAILED, "ManifestNotFound")
    await scene.rig.drain()


@virtual_time
async def test_a_job_that_is_gone_or_whose_results_are_cannot_be_retried(clock: VirtualClock) -> None:
    scene = Scene(clock)
    first = await scene.ended(csv_manifest(scene, names(4)), failure_threshold=None)
    part = next(name for name in await scene.rig.spool.list("jobs/") if "/parts/" in name)
    await scene.rig.spool.delete(part)
    with pytest.raises(NoSuchResults, match="not kept any more"):
        await scene.follow_up.retry_failed(first.id, caller=LOCAL_CALLER)
    with pytest.raises(NoSuchResults, match="not kept any more"):
        await scene.follow_up.redeliver_report(first.id, caller=LOCAL_CALLER)
    await remove(scene, first)
    with pytest.raises(NoSuchJob):
        await scene.follow_up.retry_failed(first.id, caller=LOCAL_CALLER)
    assert await scene.rig.spool.list("jobs/") == []
    await scene.rig.drain()


@virtual_time
async def test_a_report_is_delivered_once_more_with_the_same_bytes(clock: VirtualClock) -> None:
    scene = Scene(clock)
    scene.rig.put_objects(names(3))
    first = await scene.ended(csv_manifest(scene, names(5)), failure_threshold=None)
    written = report_files(scene, first)
    assert len(written) == 2
    for key in written:
        await scene.rig.store.delete(ObjectRef(CONTROL, ObjectKey(key)))

    asked = await scene.follow_up.redeliver_report(first.id, caller=LOCAL_CALLER)
    same = await scene.follow_up.redeliver_report(first.id, caller=LOCAL_CALLER)

    assert (asked.status, asked.report_state, same.report_state) == (
        JobStatus.COMPLETE,
        ReportState.PENDING,
        ReportState.PENDING,
    )
    told = await scene.rig.when(first, lambda found: found.report_state is ReportState.DELIVERED)
    assert (told.report_location, report_files(scene, first)) == (first.report_location, written)
    kinds = [(event.reason, event.by) for event in await scene.rig.ledger.events(first.id) if event.kind == "report"]
    assert [reason.partition(":")[0] for reason, _ in kinds] == ["delivered", "pending", "delivered"]
    assert kinds[1][1] == str(LOCAL_CALLER)
    await scene.rig.drain()


@virtual_time
async def test_a_delivery_that_is_asked_for_again_has_its_whole_time(clock: VirtualClock) -> None:
    limit = 4 * WRONG_BY_SECONDS
    calm = replace(LIMITS, poll_seconds=30.0, report_retry_seconds=300.0, lease_seconds=600.0)
    scene = Scene(clock, limits=replace(calm, report_limit_seconds=limit))
    scene.rig.put_objects(names(3))
    scene.guard.takes_no_reports = True
    submitted = await scene.rig.submit(scene.rig.request(csv_manifest(scene, names(3))))
    first = await scene.rig.when(
        submitted, lambda found: found.status in FINAL, within_seconds=2 * limit, every_seconds=60.0
    )
    assert (first.status, first.failure_code) == (JobStatus.FAILED, FailureCode.REPORT_DELIVERY_FAILED)
    assert first.report_state is ReportState.FAILED

    await asyncio.sleep(2 * limit)
    await scene.follow_up.redeliver_report(first.id, caller=LOCAL_CALLER)
    await asyncio.sleep(limit - 600.0)  # were the end of the job what counts, that would be too long
    assert (await scene.rig.ledger.job(first.id)).report_state is ReportState.PENDING
    scene.guard.takes_no_reports = False
    told = await scene.rig.when(first, lambda found: found.report_state is ReportState.DELIVERED, every_seconds=60.0)

    assert (told.status, told.failure_code) == (JobStatus.FAILED, FailureCode.REPORT_DELIVERY_FAILED)
    assert len(scene.rig.report(first).by_status("succeeded")) == 3
    await scene.rig.drain()


def report_files(scene: Scene, job: Job) -> dict[str, bytes]:
    objects = scene.rig.store.current_objects(CONTROL)
    return {
        str(key): b"".join(found.content.blocks())
        for key, found in objects.items()
        if key.startswith(f"reports/job-{job.id}/results/")
    }
