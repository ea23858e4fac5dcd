"""An estimate says how many requests the run then sends, to the last one where the manifest lists sizes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from cosbatch.model.errors import JobFailure, ManifestFaulty
from cosbatch.model.jobs import Job, JobRequest, Verify
from cosbatch.model.operations import (
    DeleteObject,
    Directive,
    InitiateRestoreObject,
    NewObjectMetadata,
    OperationParameters,
    PutObjectCopy,
    PutObjectTagging,
    RestoreTier,
    Tag,
    TaggingChange,
)
from cosbatch.model.prices import PriceTable
from cosbatch.model.regions import Versioning
from cosbatch.operations.estimate import Estimate, EstimateLimits, Rate, estimate_job, estimate_planned, measured_rate
from cosbatch.operations.port import JobFacts
from cosbatch.storage.port import PutOptions
from cosbatch.storage.profiles import PROFILES, CapabilityProfile
from tests.simulation.rig import SOURCE, TARGET, THERE, Rig
from tests.unit.storage.virtual_time import VirtualClock, run_virtually, virtual_time

SCHEMA = "Appid, Bucket, Key, Size"
COPY = PutObjectCopy(target_bucket=TARGET)
NO_PRICES = PriceTable(currency="CNY", regions={})
WHOLE = EstimateLimits()
MIB = 2**20
NEW_TAGS = (Tag(key="a", value="1"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    operation: OperationParameters
    profile: CapabilityProfile = PROFILES["s3"]
    options: PutOptions = field(default_factory=PutOptions)
    source: Versioning = Versioning.NEVER
    large: int = 0
    request: Mapping[str, Any] = field(default_factory=dict)


CASES = {
    "plain copy": Case(operation=COPY),
    "plain copy, all read back": Case(operation=COPY, request={"verify": Verify.ALL}),
    "copy with new metadata added": Case(
        operation=replace(
            COPY, metadata_directive=Directive.ADD, new_object_metadata=NewObjectMetadata(cache_control="no-cache")
        )
    ),
    "copy by parts": Case(
        operation=COPY, large=7, request={"part_copy_above_bytes": 8 * MIB, "part_size_bytes": 5 * MIB}
    ),
    "copy in place into another class": Case(
        operation=PutObjectCopy(target_bucket=SOURCE, storage_class="STANDARD_IA")
    ),
    "dates that we compare": Case(
        operation=replace(COPY, modified_since_constraint=1), profile=PROFILES["ceph"]
    ),
    "deletion": Case(operation=DeleteObject()),
    "restoration": Case(
        operation=InitiateRestoreObject(expiration_in_days=3, job_tier=RestoreTier.BULK),
        options=PutOptions(storage_class="GLACIER"),
    ),
    "added tags": Case(operation=PutObjectTagging(tagging_directive=TaggingChange.ADD, tag_set=NEW_TAGS)),
    "added tags of versions": Case(
        operation=PutObjectTagging(tagging_directive=TaggingChange.ADD, tag_set=NEW_TAGS), source=Versioning.ENABLED
    ),
}  # fmt: skip


def _request(rig: Rig, case: Case, *, count: int) -> JobRequest:
    rows: list[list[str]] = []
    for number in range(count):
        key = f"k{number:05d}"
        size = 12 * MIB if number < case.large else 3
        rig.store.put_sized(SOURCE, key, size, options=case.options)
        rows.append(["", SOURCE, key, str(size)])
    request = rig.request(rig.inventory(rows, schema=SCHEMA))
    return replace(request, operation=case.operation, **dict(case.request))


async def _estimated(
    rig: Rig, request: JobRequest, *, limits: EstimateLimits = WHOLE, rate: Rate | None = None, same_store: bool = True
) -> Estimate:
    return await estimate_job(
        request,
        store=rig.store,
        source_profile=rig.store.profile,
        target_profile=rig.store.profile,
        same_store=same_store,
        prices=NO_PRICES,
        rate=rate,
        limits=limits,
        clock=rig.clock,
    )


@pytest.mark.parametrize("name", CASES)
def test_the_run_sends_as_many_requests_as_were_estimated(name: str) -> None:
    case = CASES[name]

    async def scenario(clock: VirtualClock) -> tuple[Estimate, Job, Estimate | None]:
        rig = Rig(clock, source_versioning=case.source)
        rig.store.profile = case.profile
        request = _request(rig, case, count=250)
        estimate = await _estimated(rig, request)
        await asyncio.sleep(7200)
        rig.start()
        job = await rig.until(await rig.submit(request))
        await rig.drain()
        assert job.findings is not None
        facts = JobFacts(
            request=request,
            findings=job.findings,
            source_profile=case.profile,
            target_profile=case.profile,
            same_store=True,
        )
        return estimate, job, estimate_planned(job, facts, prices=NO_PRICES, rate=None)

    estimate, job, planned = run_virtually(scenario)
    assert (job.tally.succeeded, job.tally.failed) == (250, 0)
    assert estimate.total_requests == job.tally.requests
    assert (estimate.is_exact, estimate.objects, estimate.objects_in_parts) == (True, 250, case.large)
    assert estimate.size_bytes == 250 * 3 + case.large * (12 * MIB - 3)
    assert planned == estimate, "the plan has counted the same"


@pytest.mark.parametrize("name", CASES)
def test_a_dry_run_sends_as_many_requests_as_were_estimated(name: str) -> None:
    case = CASES[name]

    async def scenario(clock: VirtualClock) -> tuple[Estimate, Job]:
        rig = Rig(clock, source_versioning=case.source)
        rig.store.profile = case.profile
        request = replace(_request(rig, case, count=250), dry_run=True)
        estimate = await _estimated(rig, request)
        await asyncio.sleep(7200)
        rig.start()
        job = await rig.until(await rig.submit(request))
        await rig.drain()
        return estimate, job

    estimate, job = run_virtually(scenario)
    assert job.tally.succeeded == 250
    assert estimate.total_requests == job.tally.requests
    assert all(kind.startswith(("head", "get-")) for kind in estimate.requests)


@virtual_time
async def test_beyond_its_limits_the_rest_is_estimated_from_what_was_read(clock: VirtualClock) -> None:
    rig = Rig(clock)
    keys = [f"key-{number:06d}" for number in range(100_000)]
    estimate = await _estimated(rig, rig.request(rig.csv_manifest(keys)), limits=EstimateLimits(rows=4000))
    assert not estimate.is_exact
    assert estimate.rows_read < 60_000
    assert estimate.rows == pytest.approx(100_000, rel=0.01)
    assert estimate.requests["copy"] == estimate.objects == estimate.rows
    assert (estimate.size_bytes, len(estimate.notes)) == (None, 1)
    exact = await _estimated(rig, rig.request(rig.csv_manifest(keys)), limits=EstimateLimits(rows=100_000))
    assert (exact.is_exact, exact.rows) == (True, 100_000)


@virtual_time
async def test_an_inventory_says_how_many_objects_it_lists(clock: VirtualClock) -> None:
    rig = Rig(clock)
    rows = [["", SOURCE, f"key-{number:06d}", "7"] for number in range(150_000)]
    request = rig.request(rig.inventory(rows, schema=SCHEMA, listed=150_000))
    estimate = await _estimated(rig, request, limits=EstimateLimits(seconds=0.0))
    assert not estimate.is_exact
    assert (estimate.rows, estimate.size_bytes) == (150_000, 1_050_000)


@virtual_time
async def test_bytes_through_us_take_their_time(clock: VirtualClock) -> None:
    rig = Rig(clock)
    request = _request(rig, Case(operation=replace(COPY, target_region=THERE), large=10), count=10)
    rate = Rate(requests_per_second=100, bytes_per_second=MIB)
    far = await _estimated(rig, request, rate=rate, same_store=False)
    assert far.duration_seconds == 120
    assert set(far.requests) == {"head-source", "get", "put", "read-back", "get-source-tags"}
    near = await _estimated(rig, request, rate=rate)
    assert near.duration_seconds == near.total_requests / 100
    assert (await _estimated(rig, request)).duration_seconds is None


@virtual_time
async def test_a_rate_is_measured_of_jobs_that_did_the_same(clock: VirtualClock) -> None:
    rig = Rig(clock)
    request = _request(rig, CASES["plain copy"], count=250)
    rig.start()
    dry = await rig.until(await rig.submit(replace(request, dry_run=True)))
    job = await rig.until(await rig.submit(request))
    await rig.drain()
    assert job.ended_at is not None
    assert job.started_at is not None
    rate = measured_rate([dry, job], request)
    assert rate is not None
    assert rate.requests_per_second == job.tally.requests / (job.ended_at - job.started_at)
    assert rate.measured_jobs == 1
    assert measured_rate([dry, job], replace(request, operation=DeleteObject())) is None
    of_dry_runs = measured_rate([dry, job], replace(request, dry_run=True))
    assert dry.ended_at is not None
    assert dry.started_at is not None
    assert of_dry_runs is not None
    assert of_dry_runs.requests_per_second == dry.tally.requests / (dry.ended_at - dry.started_at)


@virtual_time
async def test_a_manifest_that_cannot_be_used_has_no_estimate(clock: VirtualClock) -> None:
    rig = Rig(clock)
    with pytest.raises(ManifestFaulty):
        await _estimated(rig, rig.request(rig.csv_manifest(["a", ""])))
    with pytest.raises(JobFailure):
        await _estimated(rig, rig.request(rig.csv_manifest([])))
