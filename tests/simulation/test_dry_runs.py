"""A dry run predicts what the run then does, row by row, and writes nothing but its report."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast
from urllib.parse import quote, unquote

import pytest

from cosbatch.model.errors import FailureCode, StorageError, StorageReason
from cosbatch.model.identifiers import Bucket, ObjectKey, ObjectRef, VersionId
from cosbatch.model.jobs import Job, JobRequest, PausedBy
from cosbatch.model.manifests import Manifest, ManifestField, ManifestFormat, ManifestLocation, ManifestSpec
from cosbatch.model.operations import (
    DeleteObject,
    Directive,
    InitiateRestoreObject,
    OperationParameters,
    PutObjectCopy,
    PutObjectTagging,
    RestoreTier,
    Tag,
    TaggingChange,
)
from cosbatch.model.regions import Versioning
from cosbatch.model.reports import CodeTally
from cosbatch.model.states import Actor, JobStatus
from cosbatch.storage.memory import MemoryStore
from cosbatch.storage.port import ObjectStore, PutOptions
from cosbatch.storage.profiles import PROFILES, CapabilityProfile, Option, Support
from tests.simulation.faulty import slow
from tests.simulation.rig import CONTROL, LIMITS, SOURCE, TARGET, Report, Rig
from tests.unit.operations.copy_rig import READS, WRITES
from tests.unit.storage.virtual_time import EPOCH, VirtualClock, run_virtually, virtual_time

COPY = PutObjectCopy(target_bucket=TARGET)
SCHEMA = "Appid, Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate"
DENIED = "denied/"
GLACIER = PutOptions(storage_class="GLACIER")
TAGGED = PutOptions(tags=tuple(Tag(key=f"k{number}", value="v") for number in range(9)))


@dataclass(slots=True)
class Guard:
    """A store that refuses everything about some keys, as a policy does, and notes what is written where."""

    written: list[tuple[str, str]] = field(default_factory=list)
    """Request and bucket."""
    reads: int = 0

    def wrap(self, inner: ObjectStore) -> ObjectStore:
        return cast(ObjectStore, _Guarded(inner, self))

    def outside(self, *buckets: Bucket) -> list[tuple[str, str]]:
        return [(name, bucket) for name, bucket in self.written if bucket not in buckets]


class _Guarded:
    def __init__(self, inner: ObjectStore, guard: Guard) -> None:
        self._inner = inner
        self._guard = guard

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if name not in READS | WRITES:
            return method

        async def guarded(*args: Any, **options: Any) -> Any:
            refs = [arg for arg in args if isinstance(arg, ObjectRef)]
            if name in WRITES:
                self._guard.written.append((name, refs[-1].bucket))
            else:
                self._guard.reads += 1
            if any(ref.key.startswith(DENIED) for ref in refs):
                raise StorageError(StorageReason.ACCESS_DENIED, "denied", http_status=403)
            return await method(*args, **options)

        return guarded


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a job meets: its operation, what is in the bucket, and the rows of its manifest."""

    operation: OperationParameters
    prepare: Callable[[MemoryStore], Iterable[tuple[str, str]]]
    """Fills the bucket; keys and version ids of the rows."""
    source: Versioning = Versioning.NEVER
    target: Versioning = Versioning.NEVER
    profile: CapabilityProfile = PROFILES["s3"]
    codes: Mapping[str, int]
    """What the run reports: each code as often as this. Successes have the empty one."""
    is_inventory: bool = False
    request: Mapping[str, Any] = field(default_factory=dict)


def _keys(store: MemoryStore) -> list[tuple[str, str]]:
    """Every kind of trouble that a key alone can have."""
    for key in ("in/plain", "in/twice", "in/tagged ü", "out/of prefix", "in/", DENIED + "a", "in/" + "l" * 1018):
        store.put_now(SOURCE, key, b"abc")
    store.put_now(SOURCE, "in/cold", b"abc", options=GLACIER)
    store.put_now(SOURCE, "in/warmed", b"abc", options=GLACIER)
    store.mark_restored(ObjectRef(SOURCE, ObjectKey("in/warmed")))
    store.put_sized(SOURCE, "in/huge", 6 * 2**30)
    far = [f"in/{number:03d}" for number in range(150)]
    for key in far:
        store.put_now(SOURCE, key, b"x")
    first = ["in/plain", "in/twice", "in/never", "in/tagged ü", "out/of prefix", "in/", DENIED + "a"]
    last = ["in/" + "l" * 1018, "in/cold", "in/warmed", "in/huge", "in/twice"]
    return [(key, "") for key in [*first, *far, *last]]


def _old_and_new(store: MemoryStore) -> list[tuple[str, str]]:
    """Conditions by date: half of the objects are too new."""
    for number in range(4):
        store.put_now(SOURCE, f"k{number}", b"abc")
    return [(f"k{number}", "") for number in range(4)]


def _versions(store: MemoryStore) -> list[tuple[str, str]]:
    older = store.put_now(SOURCE, "k", b"1").version_id
    newer = store.put_now(SOURCE, "k", b"2").version_id
    store.put_now(SOURCE, "gone", b"1")
    marker = _deleted(store, "gone")
    return [("k", str(older)), ("k", str(newer)), ("gone", marker), ("k", "version-none"), ("gone", "")]


def _deleted(store: MemoryStore, key: str) -> str:
    bucket = store._buckets[SOURCE]
    made = store.put_now(SOURCE, key)
    bucket.change(
        bucket.newest_first(key.encode())[0], replace(bucket.newest_first(key.encode())[0], is_delete_marker=True)
    )
    return str(made.version_id)


def _tagged(store: MemoryStore) -> list[tuple[str, str]]:
    store.put_now(SOURCE, "full", b"1", options=TAGGED)
    store.put_now(SOURCE, "plain", b"1")
    store.put_now(SOURCE, DENIED + "a", b"1")
    return [("full", ""), ("plain", ""), ("never", ""), (DENIED + "a", ""), ("plain", "")]


def _cold(store: MemoryStore) -> list[tuple[str, str]]:
    for key in ("cold", "warmed", "asked", "twice"):
        store.put_now(SOURCE, key, b"1", options=GLACIER)
    store.mark_restored(ObjectRef(SOURCE, ObjectKey("warmed")))
    store.mark_restored(ObjectRef(SOURCE, ObjectKey("asked")), restore='ongoing-request="true"')
    store.put_now(SOURCE, "warm", b"1")
    far = [(f"far/{number}", "") for number in range(200)]
    rows = [(key, "") for key in ("cold", "warmed", "asked", "warm", "never", "twice")]
    return [*rows, *far, ("twice", "")]


PREFIXED = PutObjectCopy(target_bucket=TARGET, prefix_replace=True, resources_prefix="in/", target_key_prefix="copied/")
BARE = PutObjectCopy(target_bucket=TARGET, prefix_replace=True, resources_prefix="in/", target_key_prefix="")
NO_PARTS = PROFILES["s3"].with_overrides({Option.PART_COPY: Support.REFUSED})
GROUNDS: dict[str, Ground] = {
    "copy with a prefix rule": Ground(
        operation=PREFIXED,
        prepare=_keys,
        codes={"": 157, "NoSuchKey": 1, "PrefixMismatch": 2, "KeyTooLong": 1, "InvalidObjectState": 1},
    ),
    "copy that leaves nothing of a key": Ground(
        operation=BARE,
        prepare=_keys,
        codes={"": 157, "NoSuchKey": 1, "PrefixMismatch": 2, "EmptyKey": 1, "InvalidObjectState": 1},
    ),
    "plain copy": Ground(
        operation=COPY,
        prepare=_keys,
        codes={"": 159, "NoSuchKey": 1, "AccessDenied": 1, "InvalidObjectState": 1},
    ),
    "copy in a store without part copies": Ground(
        operation=COPY,
        prepare=_keys,
        profile=NO_PARTS,
        codes={
            "": 158,
            "NoSuchKey": 1,
            "AccessDenied": 1,
            "InvalidObjectState": 1,
            "UnsupportedOption": 1,
        },
    ),
    "copy with added tags": Ground(
        operation=replace(
            COPY, tagging_directive=Directive.ADD, new_object_tagging=(Tag(key="a", value="1"), Tag(key="b", value="2"))
        ),
        prepare=_tagged,
        codes={"": 2, "NoSuchKey": 1, "AccessDenied": 1, "InvalidTag": 1},
    ),
    "copy into another class, onto itself": Ground(
        operation=PutObjectCopy(target_bucket=SOURCE, storage_class="STANDARD_IA"),
        prepare=_cold,
        codes={"": 2, "NoSuchKey": 201, "InvalidObjectState": 4},
        request={"failure_threshold": None},
    ),
    "copy of what was modified since": Ground(
        operation=replace(COPY, modified_since_constraint=int(EPOCH) + 10),
        prepare=_old_and_new,
        codes={"PreconditionFailed": 4},
    ),
    "copy of what was not modified since, read by us": Ground(
        operation=replace(COPY, unmodified_since_constraint=int(EPOCH) - 10),
        prepare=_old_and_new,
        profile=PROFILES["ceph"],
        codes={"PreconditionFailed": 4},
    ),
    "copy of versions": Ground(
        operation=COPY,
        prepare=_versions,
        source=Versioning.ENABLED,
        target=Versioning.ENABLED,
        codes={"": 2, "NoSuchVersion": 1, "InvalidRequest": 1, "NoSuchKey": 1},
    ),
    "copy of an inventory of all versions where one is kept": Ground(
        operation=COPY,
        prepare=_versions,
        source=Versioning.ENABLED,
        is_inventory=True,
        codes={"": 2, "NotLatestVersion": 2},
    ),
    "deletion": Ground(operation=DeleteObject(), prepare=_tagged, codes={"": 4, "AccessDenied": 1}),
    "deletion of versions": Ground(
        operation=DeleteObject(), prepare=_versions, source=Versioning.ENABLED, codes={"": 5}
    ),
    "restoration": Ground(
        operation=InitiateRestoreObject(expiration_in_days=3, job_tier=RestoreTier.BULK),
        prepare=_cold,
        codes={"": 3, "NoSuchKey": 201, "InvalidObjectState": 1, "RestoreAlreadyInProgress": 2},
        request={"failure_threshold": None},
    ),
    "added tags": Ground(
        operation=PutObjectTagging(
            tagging_directive=TaggingChange.ADD, tag_set=(Tag(key="a", value="1"), Tag(key="b", value="2"))
        ),
        prepare=_tagged,
        codes={"": 2, "NoSuchKey": 1, "AccessDenied": 1, "InvalidTag": 1},
    ),
    "new tags of versions": Ground(
        operation=PutObjectTagging(tagging_directive=TaggingChange.REPLACED, tag_set=(Tag(key="a", value="1"),)),
        prepare=_versions,
        source=Versioning.ENABLED,
        codes={"": 2, "NoSuchVersion": 1, "MethodNotAllowed": 1, "NoSuchKey": 1},
    ),
}


@dataclass(slots=True)
class Both:
    """A dry run, and the run of the same request after it."""

    dry_job: Job
    dry: Report
    real_job: Job
    real: Report
    written: list[tuple[str, str]]
    """By the dry run, outside the bucket of its report."""
    dry_reads: int
    real_writes: int
    """Of the run, in the same buckets."""


def _request(rig: Rig, ground: Ground, rows: list[tuple[str, str]]) -> JobRequest:
    if ground.is_inventory:
        manifest = rig.inventory(_inventory_rows(rig, rows), schema=SCHEMA)
    elif any(version for _, version in rows):
        manifest = _versions_manifest(rig, rows)
    else:
        manifest = rig.csv_manifest([key for key, _ in rows])
    request = rig.request(manifest)
    return replace(request, operation=ground.operation, **dict(ground.request))


def _versions_manifest(rig: Rig, rows: list[tuple[str, str]]) -> Manifest:
    text = "".join(f"{SOURCE},{quote(key)},{version}\n" for key, version in rows)
    outcome = rig.store.put_now(CONTROL, "versions.csv", text.encode())
    fields = (ManifestField.BUCKET, ManifestField.KEY, ManifestField.VERSION_ID)
    return Manifest(
        location=ManifestLocation(bucket=CONTROL, key=ObjectKey("versions.csv"), etag=outcome.etag),
        spec=ManifestSpec(format=ManifestFormat.COS_CSV, fields=fields),
    )


def _inventory_rows(rig: Rig, rows: list[tuple[str, str]]) -> list[list[str]]:
    """Of the keys that are there with a version; the newest first, as inventories list them."""
    listed: list[list[str]] = []
    for key, version in sorted(rows, key=lambda row: (row[0], -rows.index(row))):
        if version:
            found = rig.store._buckets[SOURCE].version(ObjectKey(key), VersionId(version))
            is_marker = found is not None and found.is_delete_marker
            newest = rig.store._buckets[SOURCE].current(ObjectKey(key))
            is_latest = found is not None and found is newest
            listed.append(["", SOURCE, key, version, str(is_latest), str(is_marker), "1", "2026-01-01T00:00:00Z"])
    return listed


async def _both(clock: VirtualClock, ground: Ground) -> Both:
    guard = Guard()
    rig = Rig(clock, source_versioning=ground.source, target_versioning=ground.target, wrap=guard.wrap)
    rig.store.profile = ground.profile
    rows = list(ground.prepare(rig.store))
    await asyncio.sleep(7200)
    rig.start(workers=2)
    request = _request(rig, ground, rows)
    before = {bucket: rig.store.current_objects(bucket) for bucket in (SOURCE, TARGET)}
    dry_job = await rig.until(await rig.submit(replace(request, dry_run=True)))
    assert {bucket: rig.store.current_objects(bucket) for bucket in (SOURCE, TARGET)} == before
    written, reads = guard.outside(CONTROL), guard.reads
    real_job = await rig.until(await rig.submit(request))
    await rig.drain()
    return Both(
        dry_job, rig.report(dry_job), real_job, rig.report(real_job), written, reads, len(guard.outside(CONTROL))
    )


def _outcomes(report: Report) -> list[tuple[str, ...]]:
    """Key, version, status, code, HTTP status; rows of one name in any order."""
    words = {"would_succeed": "succeeded", "would_fail": "failed"}
    return sorted((unquote(row[1]), row[2], words.get(row[3], row[3]), row[4], row[5]) for row in report.rows)


@pytest.mark.parametrize("name", GROUNDS)
def test_a_dry_run_predicts_what_the_run_does(name: str) -> None:
    ground = GROUNDS[name]

    async def scenario(clock: VirtualClock) -> Both:
        return await _both(clock, ground)

    both = run_virtually(scenario)
    assert both.real_job.status is JobStatus.COMPLETE, both.real_job.failure_reason
    assert both.dry_job.status is JobStatus.COMPLETE, both.dry_job.failure_reason
    assert _outcomes(both.dry) == _outcomes(both.real)
    counted: dict[str, int] = {}
    for row in both.real.rows:
        counted[row[4]] = counted.get(row[4], 0) + 1
    assert counted == dict(ground.codes), "the ground is not what it is meant to be"
    assert both.written == []
    assert both.dry_reads > 0
    assert both.real_writes > 0, "the witness has seen nothing"
    assert {row[3] for row in both.dry.rows} <= {"would_succeed", "would_fail"}
    assert (both.dry_job.tally.succeeded, both.dry_job.tally.failed) == (
        both.real_job.tally.succeeded,
        both.real_job.tally.failed,
    )
    assert _failures(both.dry_job) == _failures(both.real_job)
    # Without sizes in the manifest a run does not know how much one request has copied.
    assert both.dry_job.tally.bytes_done >= both.real_job.tally.bytes_done


BROKEN: dict[str, tuple[OperationParameters, list[str], FailureCode]] = {
    "an empty key": (COPY, ["a", ""], FailureCode.MANIFEST_PARSING_ERROR),
    "no rows": (COPY, [], FailureCode.MANIFEST_EMPTY),
    "an option that is not offered": (
        replace(COPY, storage_class="PINK"), ["a"], FailureCode.UNSUPPORTED_OPTION,
    ),
    "no such target": (PutObjectCopy(target_bucket=Bucket("nowhere")), ["a"], FailureCode.TARGET_NOT_FOUND),
    "a prefix that the job writes": (
        PutObjectCopy(target_bucket=SOURCE, prefix_replace=True, resources_prefix="", target_key_prefix="a/"),
        ["b", "a/b"],
        FailureCode.OVERLAPPING_PREFIX,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_job_that_cannot_start_fails_its_dry_run_too(name: str) -> None:
    operation, keys, code = BROKEN[name]

    async def scenario(clock: VirtualClock) -> list[Job]:
        rig = Rig(clock)
        rig.put_objects(filter(None, keys))
        rig.start()
        request = replace(rig.request(rig.csv_manifest(keys)), operation=operation)
        jobs = [await rig.until(await rig.submit(replace(request, dry_run=dry_run))) for dry_run in (True, False)]
        await rig.drain()
        return jobs

    dry, real = run_virtually(scenario)
    assert (dry.status, dry.failure_code, dry.failure_reason) == (real.status, real.failure_code, real.failure_reason)
    assert (dry.status, dry.failure_code) == (JobStatus.FAILED, code)


@virtual_time
async def test_the_report_says_that_nothing_was_done(clock: VirtualClock) -> None:
    rig = Rig(clock)
    keys = [f"k{number:04d}" for number in range(300)]
    rig.put_objects(keys[:250])
    rig.start()
    manifest = rig.csv_manifest([*keys, "k0000"])
    job = await rig.until(await rig.submit(replace(rig.request(manifest), dry_run=True)))
    report = rig.report(job)
    assert (job.status, job.status_reason) == (JobStatus.COMPLETE, "Dry run complete: nothing was written")
    assert [(entry["TaskExecutionStatus"], entry["Key"].rpartition("/")[2]) for entry in _results(report)] == [
        ("would_succeed", "would_succeed-00000.csv"),
        ("would_fail", "would_fail-00000.csv"),
    ]
    assert (report.summary["dry_run"], report.summary["succeeded"], report.summary["failed"]) == (True, 251, 50)
    assert report.summary["shared_targets"] == 2
    assert report.summary["bytes"] == sum(len(f"content of {key}") for key in [*keys[:250], "k0000"])
    messages = {row[6] for row in report.by_status("would_succeed")}
    assert messages == {
        "Would be copied",
        "Would be copied; row 0 has the same target",
        "Would be copied; row 300 has the same target",
    }
    assert rig.copied() == set()
    folders = await rig.spool.folders(f"jobs/{job.id}/")
    assert folders == ["parts"], "what the search has left is swept"
    await rig.drain()


def _failures(job: Job) -> dict[str, CodeTally]:
    """Whenever they were seen."""
    return {code: replace(found, first_seen=None, last_seen=None) for code, found in job.tally.codes.items()}


def _results(report: Report) -> list[dict[str, str]]:
    return cast("list[dict[str, str]]", report.manifest["Results"])


@virtual_time
async def test_the_failure_threshold_stops_no_dry_run_and_is_told(clock: VirtualClock) -> None:
    rig = Rig(clock)
    keys = [f"k{number:04d}" for number in range(2500)]
    rig.put_objects(keys[:1])  # a manifest whose first rows are all not there fails the job before that
    rig.start()
    manifest = rig.csv_manifest(keys)
    dry = await rig.until(await rig.submit(replace(rig.request(manifest), dry_run=True)))
    real = await rig.until(await rig.submit(rig.request(manifest)))
    assert (dry.status, dry.tally.failed) == (JobStatus.COMPLETE, 2499)
    assert rig.report(dry).summary["would_exceed_failure_threshold"] is True
    assert (real.status, real.failure_code) == (JobStatus.FAILED, FailureCode.FAILURE_THRESHOLD_EXCEEDED)
    await rig.drain()


@pytest.mark.parametrize("ends", ["dies", "cancelled", "paused"])
def test_a_dry_run_that_is_interrupted_writes_nothing_and_loses_nothing(ends: str) -> None:
    keys = [f"k{number:04d}" for number in range(1200)]

    async def scenario(clock: VirtualClock) -> tuple[Job, Report, list[tuple[str, str]]]:
        guard = Guard()
        rig = Rig(clock, wrap=lambda inner: guard.wrap(slow(inner)))
        rig.put_objects(keys)
        (worker,) = rig.start()
        job = await rig.submit(replace(rig.request(rig.csv_manifest(keys)), dry_run=True))
        job = await rig.when(job, lambda found: found.tally.succeeded > 100)
        if ends == "dies":
            worker.kill()
            rig.start_worker()
        else:
            to = JobStatus.CANCELLING if ends == "cancelled" else JobStatus.PAUSING
            by = PausedBy.USER if ends == "paused" else None
            await rig.ledger.move(
                job.id, expect={JobStatus.ACTIVE}, to=to, actor=Actor.USER, reason="asked", paused_by=by
            )
        if ends == "paused":
            await rig.until(job, {JobStatus.PAUSED})
            await rig.ledger.move(
                job.id, expect={JobStatus.PAUSED}, to=JobStatus.ACTIVE, actor=Actor.USER, reason="resumed"
            )
        job = await rig.until(job)
        await rig.drain()
        return job, rig.report(job), guard.outside(CONTROL)

    job, report, written = run_virtually(scenario)
    assert written == []
    assert {row[3] for row in report.rows} == {"would_succeed"}
    if ends == "cancelled":
        assert job.status is JobStatus.CANCELLED
        assert 100 < len(report.rows) < 1200
        assert report.summary["not_attempted"] == 1200 - len(report.rows)
    else:
        assert sorted(row[1] for row in report.rows) == keys


@virtual_time
async def test_a_planner_that_dies_in_the_middle_of_the_search(clock: VirtualClock) -> None:
    """The next one searches anew, and finds the same."""
    limits = replace(LIMITS, slice_rows=500)
    rig = Rig(clock, limits=limits)
    keys = [f"k{number:04d}" for number in range(3000)]
    rig.put_objects([*keys, "twice"])
    planner = rig.start_planner()
    job = await rig.submit(replace(rig.request(rig.csv_manifest(["twice", *keys, "twice"])), dry_run=True))
    await rig.when(job, lambda found: found.planned_rows >= 500)
    planner.kill()
    rig.start()
    ended = await rig.until(job)
    assert ended.findings is not None
    assert (ended.status, ended.findings.shared_targets) == (JobStatus.COMPLETE, 2)
    assert len(rig.report(ended).rows) == 3002
    await rig.drain()
