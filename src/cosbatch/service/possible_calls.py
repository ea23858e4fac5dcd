"""What can be asked of a job as it is now: changes of it, and jobs and reports that are made of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cosbatch.model.jobs import Job
from cosbatch.model.reports import ReportState
from cosbatch.model.states import is_final
from cosbatch.service.failed_rows import failed_with
from cosbatch.service.service import possible_verbs

RETRY_FAILED: Final = "retry-failed"
CLONE_JOB: Final = "clone-job"
REDELIVER_REPORT: Final = "redeliver-report"


def possible_calls(job: Job) -> tuple[str, ...]:
    """Names of verbs. Whether the results that a retry or a report is made of are kept yet, nobody knows before it is
    asked for."""
    return (*_follow_ups(job), *possible_verbs(job))


def tasks_to_retry(job: Job) -> int:
    """How many of its failures a retry would do again: of tasks that were sent. In a dry run none was."""
    return 0 if job.request.dry_run else failed_with(job.tally, "")


def _follow_ups(job: Job) -> Iterator[str]:
    if is_final(job.status) and tasks_to_retry(job):
        yield RETRY_FAILED
    yield CLONE_JOB
    if is_final(job.status) and job.report_state in (ReportState.DELIVERED, ReportState.FAILED):
        yield REDELIVER_REPORT
