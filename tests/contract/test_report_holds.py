"""What every ledger shows of a job whose report could not be delivered, and tells of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cosbatch.ledger.port import JobLedger
from cosbatch.model.identifiers import LOCAL_ACCOUNT
from cosbatch.model.jobs import Hold
from cosbatch.model.reports import ReportState
from cosbatch.model.states import ENDS_IN, FINAL, JobStatus
from tests.contract.ledgers import (
    ADAPTERS,
    HandClock,
    bring_to,
    job_id,
    new_job,
    open_ledger,
    reported_request,
    seal_lease,
)

JOB = job_id(1)
HOLD = Hold(bucket="reports", reason="the report is not delivered: refused", since=100.0)
LATER = Hold(bucket="reports", reason="the report is not delivered: 503", since=200.0)


@pytest.fixture(params=ADAPTERS)
async def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[JobLedger]:
    opened = await open_ledger(request.param, tmp_path, HandClock())
    yield opened
    await opened.close()


async def sealing(ledger: JobLedger, status: JobStatus) -> None:
    await ledger.create(reported_request(), job_id=JOB, account=LOCAL_ACCOUNT, token="", digest="d")
    await bring_to(ledger, JOB, status)


async def tried(
    ledger: JobLedger, state: ReportState, *, to: JobStatus | None = None, hold: Hold | None = None, reason: str = "why"
) -> None:
    lease = await seal_lease(ledger, JOB)
    location = "s3://reports/m" if state is ReportState.DELIVERED else ""
    await ledger.report_done(lease, state=state, location=location, to=to, reason=reason, hold=hold)


async def told(ledger: JobLedger, *kinds: str) -> list[tuple[str, JobStatus, str]]:
    return [(event.kind, event.status, event.reason) for event in await ledger.events(JOB) if event.kind in kinds]


@pytest.mark.parametrize("status", [JobStatus.CANCELLING, JobStatus.FAILING])
async def test_a_job_that_ends_without_its_report_shows_a_hold_and_keeps_its_reason(
    ledger: JobLedger, status: JobStatus
) -> None:
    await sealing(ledger, status)
    ended = ENDS_IN[status]
    await tried(ledger, ReportState.PENDING, to=ended, hold=HOLD)
    await tried(ledger, ReportState.PENDING, hold=LATER, reason="nobody hears this")
    job = await ledger.job(JOB)
    assert (job.status, job.status_reason, job.report_state) == (ended, "why", ReportState.PENDING)
    assert job.hold == Hold(bucket="reports", reason=LATER.reason, since=HOLD.since)
    assert job.is_report_held
    assert await told(ledger, "hold", "hold-ended", "report") == [("hold", ended, f"reports: {HOLD.reason}")]


async def test_a_job_that_is_done_but_for_its_report_stays_where_it_is(ledger: JobLedger) -> None:
    await sealing(ledger, JobStatus.COMPLETING)
    await tried(ledger, ReportState.PENDING, hold=HOLD)
    job = await ledger.job(JOB)
    assert (job.status, job.hold, job.is_report_held) == (JobStatus.COMPLETING, HOLD, True)
    assert await ledger.held_leases() == [], "somebody else may try"


async def test_the_hold_ends_with_the_delivery(ledger: JobLedger) -> None:
    await sealing(ledger, JobStatus.COMPLETING)
    await tried(ledger, ReportState.PENDING, hold=HOLD)
    await tried(ledger, ReportState.DELIVERED, to=JobStatus.COMPLETE)
    assert (await ledger.job(JOB)).hold is None
    assert (await told(ledger, "moved", "hold-ended", "report"))[-3:] == [
        ("moved", JobStatus.COMPLETE, "why"),
        ("hold-ended", JobStatus.COMPLETE, f"reports: {HOLD.reason}"),
        ("report", JobStatus.COMPLETE, "delivered: s3://reports/m"),
    ]


async def test_a_delivery_that_has_failed_for_good_is_told_once_and_no_bucket_answers(ledger: JobLedger) -> None:
    await sealing(ledger, JobStatus.CANCELLED)
    await tried(ledger, ReportState.PENDING, hold=HOLD)
    await tried(ledger, ReportState.FAILED, reason="no such bucket")
    job = await ledger.job(JOB)
    assert (job.hold, job.status_reason, job.is_report_held) == (None, "to Cancelled", False)
    assert await told(ledger, "hold-ended", "report") == [("report", JobStatus.CANCELLED, "failed: no such bucket")]


@pytest.mark.parametrize("status", sorted(FINAL))
async def test_a_hold_comes_too_late_for_a_job_that_waits_for_nothing(ledger: JobLedger, status: JobStatus) -> None:
    await new_job(ledger)
    await bring_to(ledger, JOB, status)
    await ledger.set_hold(JOB, HOLD)
    assert (await ledger.job(JOB)).hold is None
    assert await told(ledger, "hold") == []


async def test_a_job_that_has_ended_can_be_on_hold_while_its_report_is_pending(ledger: JobLedger) -> None:
    await sealing(ledger, JobStatus.CANCELLED)
    await ledger.set_hold(JOB, HOLD)
    assert (await ledger.job(JOB)).hold == HOLD
    assert (await ledger.census()).on_hold == 0
    await ledger.set_hold(JOB, None)
    assert (await ledger.job(JOB)).hold is None
