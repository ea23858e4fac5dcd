"""What is to come of a job that nobody touches."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cosbatch.model.identifiers import JobId
from cosbatch.model.jobs import Hold, Job, PausedBy
from cosbatch.model.reports import ReportState
from cosbatch.model.states import JobStatus
from cosbatch.model.waiting import greater_job_in, told_of_greater
from cosbatch.model.windows import Window, parse_window
from cosbatch.service.job_outlook import JobLimits, JobOutlook, outlook_of
from tests.unit.reports.report_builders import a_job

S = JobStatus
LIMITS = JobLimits(
    suspended_expiry_seconds=100, hold_limit_seconds=20, report_limit_seconds=500, retention_seconds=1000
)
NOTHING = JobOutlook(
    waiting_until=None, waits_for_job=None, expires_at=None, report_tried_until=None, removed_after=None
)
HOLD = Hold(bucket="b", reason="503", since=40.0)
NOON = 12 * 3600.0
GREATER = JobId("019ac01f-7b00-7000-8000-0123456789ab")


def job(status: JobStatus, *, windows: tuple[str, ...] = (), **facts: Any) -> Job:
    made = a_job(status=status)
    parsed = tuple(found for text in windows if isinstance(found := parse_window(text), Window))
    return replace(made, request=replace(made.request, windows=parsed), **{"ended_at": None, **facts})


def seen(made: Job, *, now: float = NOON) -> JobOutlook:
    return outlook_of(made, now=now, limits=LIMITS)


@pytest.mark.parametrize("status", [S.NEW, S.PREPARING, S.READY, S.ACTIVE, S.PAUSED, S.COMPLETING, S.CANCELLING])
def test_of_most_jobs_nothing_is_to_come_by_itself(status: JobStatus) -> None:
    assert seen(job(status)) == NOTHING


@pytest.mark.parametrize(
    ("status", "paused_by"),
    [(S.READY, None), (S.PAUSING, PausedBy.WINDOW), (S.PAUSED, PausedBy.WINDOW), (S.PAUSED, PausedBy.PRIORITY)],
)
def test_a_job_outside_its_windows_waits_for_the_next_one(status: JobStatus, paused_by: PausedBy | None) -> None:
    waiting = job(status, paused_by=paused_by, windows=("22:00-06:00 UTC", "20:00-21:00 UTC"))
    assert seen(waiting).waiting_until == 20 * 3600
    assert seen(waiting, now=23 * 3600).waiting_until is None


def test_a_job_that_its_user_has_paused_waits_for_its_user() -> None:
    paused = job(
        S.PAUSED,
        paused_by=PausedBy.USER,
        windows=("22:00-06:00 UTC",),
        status_reason=f"pre-empted by job {GREATER}, which has priority 9",
    )
    assert seen(paused) == NOTHING


@pytest.mark.parametrize("status", [S.NEW, S.ACTIVE, S.COMPLETING])
def test_a_job_that_does_not_wait_for_its_windows_says_nothing_of_them(status: JobStatus) -> None:
    assert seen(job(status, windows=("22:00-06:00 UTC",))) == NOTHING


@pytest.mark.parametrize(
    ("status", "paused_by"), [(S.READY, None), (S.PAUSING, PausedBy.PRIORITY), (S.PAUSED, PausedBy.PRIORITY)]
)
def test_the_greater_job_is_named(status: JobStatus, paused_by: PausedBy | None) -> None:
    low = job(status, paused_by=paused_by)
    greater = replace(job(S.ACTIVE), id=GREATER, priority=77)
    told = replace(low, status_reason=told_of_greater(low, greater))
    assert seen(told).waits_for_job == GREATER


def test_another_text_names_no_greater_job() -> None:
    assert greater_job_in("") is None
    assert greater_job_in(f"as job {GREATER}, which has priority 9") is None
    assert greater_job_in(f"waits for job {GREATER}, which has priority 9, says olga") is None


def test_a_job_that_waits_for_its_confirmation_expires() -> None:
    assert seen(job(S.SUSPENDED, suspended_at=50.0)).expires_at == 150.0


@pytest.mark.parametrize(("status", "expires_at"), [(S.PREPARING, 60.0), (S.ACTIVE, 60.0), (S.PAUSED, None)])
def test_a_bucket_that_does_not_answer_lets_a_job_expire_that_asks_it(
    status: JobStatus, expires_at: float | None
) -> None:
    assert seen(job(status, hold=HOLD)).expires_at == expires_at


@pytest.mark.parametrize(
    ("facts", "tried_until"),
    [
        ({}, 600.0),
        ({"ended_at": 200.0}, 700.0),
        ({"ended_at": 200.0, "report_asked_at": 3000.0}, 3500.0),
        ({"hold": None}, None),
        ({"report_state": ReportState.DELIVERED}, None),
    ],
)
@pytest.mark.parametrize("status", [S.COMPLETING, S.COMPLETE, S.CANCELLED, S.FAILED])
def test_a_report_that_could_not_be_delivered_is_tried_until_its_time_is_over(
    status: JobStatus, facts: dict[str, Any], tried_until: float | None
) -> None:
    found = seen(job(status, **{"changed_at": 100.0, "report_state": ReportState.PENDING, "hold": HOLD, **facts}))
    assert found.report_tried_until == tried_until
    assert found.expires_at == (tried_until if status is S.COMPLETING else None), "one that has ended does not fail"


@pytest.mark.parametrize("status", [S.ACTIVE, S.CANCELLING, S.FAILING])
def test_a_bucket_of_the_tasks_says_nothing_of_the_report(status: JobStatus) -> None:
    assert seen(job(status, report_state=ReportState.PENDING, hold=HOLD)).report_tried_until is None


def test_a_job_that_has_ended_goes_after_its_retention() -> None:
    assert seen(job(S.COMPLETE, ended_at=7.0)).removed_after == 1007.0
