"""A report that cannot be delivered: its job shows a hold, whatever its status, and nothing else of it changes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from cosbatch.model.errors import FailureCode
from cosbatch.model.jobs import Job
from cosbatch.model.reports import ReportState
from cosbatch.model.states import ENDS_IN, Actor, JobStatus
from cosbatch.model.undelivered import why_undelivered
from tests.simulation.invariants import check_report_told
from tests.simulation.rig import CONTROL, LIMITS, Rig
from tests.unit.storage.virtual_time import VirtualClock, virtual_time

KEYS = [f"logs/{number:03d}" for number in range(200)]
MOVES_TO = {
    JobStatus.CANCELLING: {"actor": Actor.USER, "reason": "enough"},
    JobStatus.FAILING: {"actor": Actor.ENGINE, "reason": "broken", "failure": FailureCode.STORE_UNAVAILABLE},
}


async def a_job_at_work(rig: Rig) -> Job:
    rig.put_objects(KEYS)
    rig.start()
    job = await rig.submit(rig.request(rig.csv_manifest(KEYS)))
    return await rig.until(job, {JobStatus.ACTIVE})


async def ended_without_bucket(rig: Rig, to: JobStatus) -> Job:
    """It has ended, and the bucket of its report is not there."""
    job = await a_job_at_work(rig)
    rig.store.delete_bucket(CONTROL)
    moved: dict[str, Any] = MOVES_TO[to]
    await rig.ledger.move(job.id, expect={JobStatus.ACTIVE}, to=to, **moved)
    return await rig.until(job, {ENDS_IN[to]})


async def told(rig: Rig, job: Job) -> list[str]:
    """Kinds of the events since it has ended."""
    events = await rig.ledger.events(job.id)
    ended = max(number for number, event in enumerate(events) if event.kind == "moved")
    return [event.kind for event in events[ended + 1 :]]


@pytest.mark.parametrize("to", list(MOVES_TO))
def test_a_job_that_has_ended_is_on_hold_until_its_report_is_delivered(to: JobStatus) -> None:
    @virtual_time
    async def scenario(clock: VirtualClock) -> None:
        rig = Rig(clock)
        ended = await ended_without_bucket(rig, to)
        assert ended.hold is not None
        assert (ended.hold.bucket, ended.is_report_held) == (CONTROL, True)
        assert why_undelivered(ended.hold).startswith(f"{CONTROL}: the store refuses it (")
        await asyncio.sleep(10 * LIMITS.report_retry_seconds)
        still = await rig.ledger.job(ended.id)
        assert (still.status_reason, still.changed_at) == (MOVES_TO[to]["reason"], ended.changed_at)
        assert still.hold is not None
        assert still.hold.since == ended.hold.since
        assert await told(rig, ended) == ["hold"]

        rig.store.create_bucket(CONTROL)
        done = await rig.when(ended, lambda found: found.report_state is ReportState.DELIVERED)
        assert (done.status, done.status_reason, done.hold) == (ENDS_IN[to], MOVES_TO[to]["reason"], None)
        assert await told(rig, ended) == ["hold", "hold-ended", "report"]
        assert rig.report(done).summary["status_reason"] == MOVES_TO[to]["reason"]
        check_report_told(done, await rig.ledger.events(done.id))
        await rig.drain()

    scenario()


@pytest.mark.parametrize("to", list(MOVES_TO))
def test_a_report_that_is_given_up_ends_the_hold_and_is_told_once(to: JobStatus) -> None:
    @virtual_time
    async def scenario(clock: VirtualClock) -> None:
        rig = Rig(clock, limits=replace(LIMITS, report_limit_seconds=300.0))
        ended = await ended_without_bucket(rig, to)
        given_up = await rig.when(ended, lambda found: found.report_state is ReportState.FAILED)
        assert 300 <= clock.now() - ended.changed_at <= 300 + 2 * LIMITS.report_retry_seconds
        assert (given_up.status, given_up.status_reason) == (ended.status, ended.status_reason)
        assert (given_up.failure_code, given_up.hold) == (ended.failure_code, None)
        assert await told(rig, ended) == ["hold", "report"]
        reason = (await rig.ledger.events(ended.id))[-1].reason
        assert reason.startswith("failed: the store refuses it (")
        check_report_told(given_up, await rig.ledger.events(ended.id))
        await rig.drain()

    scenario()


@virtual_time
async def test_a_complete_job_whose_report_is_asked_for_again_stays_complete(clock: VirtualClock) -> None:
    rig = Rig(clock, limits=replace(LIMITS, report_limit_seconds=300.0))
    complete = await rig.until(await a_job_at_work(rig))
    assert complete.report_state is ReportState.DELIVERED
    rig.store.delete_bucket(CONTROL)
    await rig.ledger.redeliver(complete.id, by="anna via rest")
    held = await rig.when(complete, lambda found: found.hold is not None)
    assert (held.status, held.status_reason, held.is_report_held) == (JobStatus.COMPLETE, "Job complete", True)
    given_up = await rig.when(complete, lambda found: found.report_state is ReportState.FAILED)
    assert (given_up.status, given_up.status_reason, given_up.hold) == (JobStatus.COMPLETE, "Job complete", None)
    assert (await told(rig, complete))[1:] == ["report", "hold", "report"]

    await rig.ledger.redeliver(complete.id, by="anna via rest")
    await rig.when(complete, lambda found: found.hold is not None)
    rig.store.create_bucket(CONTROL)
    done = await rig.when(complete, lambda found: found.report_state is ReportState.DELIVERED)
    assert (done.status, done.status_reason, done.hold) == (JobStatus.COMPLETE, "Job complete", None)
    assert (await told(rig, complete))[4:] == ["report", "hold", "hold-ended", "report"]
    await rig.drain()


@virtual_time
async def test_a_job_that_fails_by_its_report_is_on_hold_no_longer(clock: VirtualClock) -> None:
    rig = Rig(clock, limits=replace(LIMITS, report_limit_seconds=300.0))
    job = await a_job_at_work(rig)
    rig.store.delete_bucket(CONTROL)
    held = await rig.when(job, lambda found: found.hold is not None)
    assert (held.status, held.is_report_held) == (JobStatus.COMPLETING, True)
    failing = await rig.until(job, {JobStatus.FAILING, JobStatus.FAILED})
    assert (failing.hold, failing.failure_code) == (None, FailureCode.REPORT_DELIVERY_FAILED)
    failed = await rig.until(job)
    assert (failed.hold, failed.status_reason) == (None, failing.failure_reason)
    events = await rig.ledger.events(job.id)
    assert [event.reason for event in events if event.kind == "report"] == [f"failed: {failing.failure_reason}"]
    assert [event.kind for event in events if "hold" in event.kind] == ["hold"]
    check_report_told(failed, events)
    await rig.drain()
