"""What can be asked of a job, by what has become of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cosbatch.ledger.sql_ledger import SqlLedger, open_memory_ledger
from cosbatch.model.identifiers import LOCAL_ACCOUNT, new_job_id
from cosbatch.model.jobs import Job
from cosbatch.model.reports import ReportState
from cosbatch.model.states import JobStatus
from cosbatch.service.possible_calls import possible_calls, tasks_to_retry
from cosbatch.storage.memory_spool import MemorySpool
from tests.contract.ledgers import HandClock
from tests.unit.service.ended_jobs import Outcome, end, work
from tests.unit.service.job_builders import job_request

SOME: list[list[Outcome]] = [[("a", ""), ("b", "NoSuchKey")]]
OLDER: list[list[Outcome]] = [[("a", ""), ("b", "NotLatestVersion")]]


async def made(ledger: SqlLedger) -> Job:
    job_id = new_job_id()
    return await ledger.create(job_request(), job_id=job_id, account=LOCAL_ACCOUNT, token=job_id, digest="d")


async def ended(
    results: list[list[Outcome]], *, state: ReportState = ReportState.DELIVERED, status: JobStatus | None = None
) -> Job:
    ledger, spool = open_memory_ledger(HandClock()), MemorySpool()
    job = await made(ledger)
    await work(ledger, spool, job.id, results)
    return await end(ledger, job.id, state=state, status=status)


@pytest.mark.parametrize("state", [ReportState.DELIVERED, ReportState.FAILED])
@pytest.mark.parametrize("status", [None, JobStatus.FAILED])
async def test_of_one_with_failures(state: ReportState, status: JobStatus | None) -> None:
    job = await ended(SOME, state=state, status=status)
    assert possible_calls(job) == ("retry-failed", "clone-job", "redeliver-report", "delete-job")


async def test_of_one_where_all_went_well() -> None:
    assert possible_calls(await ended([[("a", "")]])) == ("clone-job", "redeliver-report", "delete-job")


async def test_what_was_never_sent_is_nothing_to_retry() -> None:
    assert "retry-failed" not in possible_calls(await ended(OLDER))
    assert "retry-failed" in possible_calls(await ended([*OLDER, *SOME]))


async def test_what_a_retry_would_do_again_is_counted() -> None:
    job = await ended([*OLDER, *SOME, *SOME])
    assert (job.tally.failed, tasks_to_retry(job)) == (3, 2)
    assert tasks_to_retry(await ended(OLDER)) == 0
    assert tasks_to_retry(replace(job, request=replace(job.request, dry_run=True))) == 0


async def test_of_a_dry_run_nothing_is_retried() -> None:
    job = await ended(SOME)
    assert "retry-failed" not in possible_calls(replace(job, request=replace(job.request, dry_run=True)))


async def test_while_its_report_is_under_way_it_is_neither_delivered_again_nor_deleted() -> None:
    job = replace(await ended(SOME), report_state=ReportState.PENDING)
    assert possible_calls(job) == ("retry-failed", "clone-job")
    assert "redeliver-report" not in possible_calls(replace(job, report_state=ReportState.NONE))


async def test_of_one_that_has_not_ended() -> None:
    ledger, spool = open_memory_ledger(HandClock()), MemorySpool()
    job = await made(ledger)
    assert possible_calls(job) == ("clone-job", "cancel", "update-job-priority")
    active = await work(ledger, spool, job.id, SOME)
    assert active.tally.failed == 1
    assert possible_calls(active) == ("clone-job", "pause", "cancel", "update-job-priority")
