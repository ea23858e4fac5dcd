"""What every adapter of the JobLedger port says of all jobs together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cosbatch.ledger.port import JobLedger
from cosbatch.model.census import JobCensus
from cosbatch.model.identifiers import AccountId
from cosbatch.model.jobs import Hold
from cosbatch.model.states import JobStatus
from cosbatch.model.tasks import Then
from tests.contract.ledgers import (
    ADAPTERS,
    HandClock,
    active_job,
    bring_to,
    claim_one,
    engine_moves,
    failed,
    job_id,
    new_job,
    open_ledger,
    part_of,
    ready_job,
    reported_request,
    user_cancels,
)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(params=ADAPTERS)
async def ledger(request: pytest.FixtureRequest, tmp_path: Path, clock: HandClock) -> AsyncIterator[JobLedger]:
    opened = await open_ledger(request.param, tmp_path, clock)
    yield opened
    await opened.close()


async def test_without_jobs_all_is_nought(ledger: JobLedger) -> None:
    assert await ledger.census() == JobCensus(jobs={})


async def test_jobs_of_all_accounts_are_counted_by_status(ledger: JobLedger) -> None:
    await new_job(ledger, 1)
    await new_job(ledger, 2, account=AccountId("other"))
    await active_job(ledger, 3)
    assert (await ledger.census()).jobs == {JobStatus.NEW: 2, JobStatus.ACTIVE: 1}


async def test_tasks_are_added_up_over_jobs(ledger: JobLedger) -> None:
    for number, codes in ((1, ("NoSuchKey", "AccessDenied")), (2, ("NoSuchKey", "NoSuchKey"))):
        await active_job(ledger, number, sizes=[10, 10])
        for code in codes:
            claim = await claim_one(ledger)
            await ledger.commit(claim, part_of(claim, tally=failed(3, of=10, code=code)), then=Then.CLOSE)
    found = await ledger.census()
    assert (found.succeeded, found.failed, found.requests) == (28, 12, 40)
    assert found.failed_by_code == {"NoSuchKey": 9, "AccessDenied": 3}


async def test_who_waits_longest_is_seen_until_it_runs(ledger: JobLedger, clock: HandClock) -> None:
    await new_job(ledger, 1)
    clock.tick(50)
    await ready_job(ledger, 2)
    clock.tick(7)
    assert (await ledger.census()).longest_wait_seconds == 57
    await bring_to(ledger, job_id(1), JobStatus.PREPARING)
    assert (await ledger.census()).longest_wait_seconds == 7
    await engine_moves(ledger, job_id(2), JobStatus.ACTIVE)
    assert (await ledger.census()).longest_wait_seconds == 0


async def test_a_hold_counts_while_its_job_is_unfinished(ledger: JobLedger) -> None:
    job = await active_job(ledger, 1)
    await active_job(ledger, 2)
    await ledger.set_hold(job, Hold(bucket="target", reason="ConnectionRefused", since=1.0))
    assert (await ledger.census()).on_hold == 1
    await user_cancels(ledger, job)
    await engine_moves(ledger, job, JobStatus.CANCELLED)
    assert (await ledger.census()).on_hold == 0


async def test_a_report_is_pending_once_its_job_has_ended(ledger: JobLedger) -> None:
    reported = reported_request()
    job = await ledger.create(reported, job_id=job_id(1), account=AccountId("a"), token="", digest="d")
    assert (await ledger.census()).reports_pending == 0
    await user_cancels(ledger, job.id)
    await engine_moves(ledger, job.id, JobStatus.CANCELLED)
    assert (await ledger.census()).reports_pending == 1
