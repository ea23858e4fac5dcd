"""What pre-flight finds is kept on the job, and stops it before it touches an object."""

from __future__ import annotations

from dataclasses import replace

from cosbatch.model.errors import FailureCode
from cosbatch.model.identifiers import Bucket
from cosbatch.model.jobs import Job
from cosbatch.model.operations import DeleteObject
from cosbatch.model.preflight import Check, CheckName, CheckOutcome
from cosbatch.model.states import JobStatus
from tests.simulation.rig import SOURCE, Rig
from tests.simulation.test_simulated_roles import ARN, KEYS, Ground, Provider, assert_all_copied
from tests.unit.storage.virtual_time import VirtualClock, virtual_time

NAMES = [f"logs/{number:03d}" for number in range(150)]


async def checks_of(rig: Rig, job: Job) -> dict[str, Check]:
    found = await rig.preflights.preflight(job.id)
    assert found is not None
    return {check.name: check for check in found.checks}


def failed(checks: dict[str, Check]) -> list[str]:
    return [name for name, check in checks.items() if check.outcome is CheckOutcome.FAILED]


@virtual_time
async def test_a_job_that_is_well_keeps_what_was_found(clock: VirtualClock) -> None:
    rig = Rig(clock)
    rig.put_objects(NAMES)
    rig.start()
    done = await rig.until(await rig.submit(rig.request(rig.csv_manifest(NAMES))))
    assert done.status is JobStatus.COMPLETE
    checks = await checks_of(rig, done)
    assert {name for name, check in checks.items() if check.outcome is not CheckOutcome.PASSED} <= {
        CheckName.SPOOL_SPACE
    }
    assert checks[CheckName.FIRST_ROWS].detail.startswith("5 of 5")
    await rig.drain()


@virtual_time
async def test_keys_that_were_decoded_wrongly_stop_the_job(clock: VirtualClock) -> None:
    rig = Rig(clock)
    rig.put_objects(NAMES)
    rig.start()
    listed = [name.replace("/", "%252F") for name in NAMES]
    done = await rig.until(await rig.submit(rig.request(rig.csv_manifest(listed))))
    assert (done.status, done.failure_code) == (JobStatus.FAILED, FailureCode.FIRST_ROWS_NOT_FOUND)
    assert (done.planned_rows, rig.copied()) == (0, set())
    assert failed(await checks_of(rig, done)) == [CheckName.FIRST_ROWS]
    await rig.drain()


@virtual_time
async def test_a_manifest_that_is_not_there_is_a_failed_check(clock: VirtualClock) -> None:
    rig = Rig(clock)
    rig.put_objects(NAMES)
    request = rig.request(rig.csv_manifest(NAMES))
    location = replace(request.manifest.location, etag="0" * 32)
    rig.start()
    job = await rig.submit(replace(request, manifest=replace(request.manifest, location=location)))
    done = await rig.until(job)
    assert done.failure_code is FailureCode.MANIFEST_ETAG_MISMATCH
    assert failed(await checks_of(rig, done)) == [CheckName.MANIFEST]
    await rig.drain()


@virtual_time
async def test_a_deletion_of_more_than_was_said_touches_nothing(clock: VirtualClock) -> None:
    rig = Rig(clock)
    rig.put_objects(NAMES)
    request = replace(rig.request(rig.csv_manifest(NAMES)), operation=DeleteObject())
    rig.start()
    refused = await rig.until(await rig.submit(replace(request, confirm_delete_count=len(NAMES) - 1)))
    assert (refused.status, refused.failure_code) == (JobStatus.FAILED, FailureCode.DELETE_COUNT_EXCEEDED)
    assert "the manifest names 150 objects" in refused.failure_reason
    assert failed(await checks_of(rig, refused)) == [CheckName.DELETES]
    assert len((await rig.store.list_objects(SOURCE)).objects) == len(NAMES)

    done = await rig.until(await rig.submit(replace(request, confirm_delete_count=len(NAMES))))
    assert (done.status, done.tally.succeeded) == (JobStatus.COMPLETE, len(NAMES))
    assert (await checks_of(rig, done))[CheckName.DELETES].outcome is CheckOutcome.PASSED
    await rig.drain()


@virtual_time
async def test_a_deletion_that_is_to_be_confirmed_says_how_much_it_deletes(clock: VirtualClock) -> None:
    rig = Rig(clock)
    rig.put_objects(NAMES)
    request = replace(rig.request(rig.csv_manifest(NAMES)), operation=DeleteObject(), confirmation_required=True)
    rig.start()
    job = await rig.submit(request)
    waiting = await rig.when(job, lambda now: now.status is JobStatus.SUSPENDED)
    assert "150 objects or versions are to be deleted" in waiting.status_reason
    await rig.drain()


@virtual_time
async def test_objects_are_looked_at_once_the_role_is_narrowed_to_their_bucket(clock: VirtualClock) -> None:
    ground = Ground(clock, Provider(clock))
    job = await ground.run()
    done = await ground.rig.until(job)
    assert_all_copied(ground, done)
    checks = await checks_of(ground.rig, done)
    assert checks[CheckName.SOURCE_READABLE].outcome is CheckOutcome.PASSED
    assert checks[CheckName.FIRST_ROWS].outcome is CheckOutcome.PASSED
    assert f"{ARN} was assumed" in checks[CheckName.ROLE].detail
    assert KEYS
    await ground.drain()


@virtual_time
async def test_a_role_that_is_registered_for_another_bucket_touches_nothing(clock: VirtualClock) -> None:
    provider = Provider(clock)
    provider.writable_buckets = (Bucket("another"),)
    ground = Ground(clock, provider)
    job = await ground.run()
    done = await ground.rig.until(job)
    assert (done.status, done.failure_code) == (JobStatus.FAILED, FailureCode.BUCKET_NOT_ALLOWED)
    assert ground.rig.copied() == set()
    assert failed(await checks_of(ground.rig, done)) == [CheckName.ALLOWED_BUCKETS]
    await ground.drain()
