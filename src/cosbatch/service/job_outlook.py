"""What is to come of a job that nobody touches: until when it waits, when it fails by waiting, when it is removed.

Pure; all of it follows from the job, from the time, and from the limits of the service.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cosbatch.model.identifiers import JobId
from cosbatch.model.jobs import Job, PausedBy
from cosbatch.model.states import JobStatus
from cosbatch.model.waiting import greater_job_in
from cosbatch.model.windows import is_open, opens_at

_PAUSED: Final = frozenset({JobStatus.PAUSING, JobStatus.PAUSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLimits:
    """How long the engine lets jobs be as they are, in seconds."""

    suspended_expiry_seconds: float
    """A job that nobody confirms for longer fails."""
    hold_limit_seconds: float
    """A job fails when a bucket of it has not answered for so long."""
    report_limit_seconds: float
    """A report that could not be delivered for so long has failed."""
    retention_seconds: float
    """A job that has ended so long ago is removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOutlook:
    """Times are Unix seconds."""

    waiting_until: float | None
    """When the first of its windows opens, where it waits for one."""
    waits_for_job: JobId | None
    """The job of a greater priority that it gives way to."""
    expires_at: float | None
    """When it fails if it stays as it is."""
    report_tried_until: float | None
    """Until when its report is tried again, where it could not be delivered; a service that was stopped meanwhile tries
    for longer."""
    removed_after: float | None
    """When its retention ends."""


def outlook_of(job: Job, *, now: float, limits: JobLimits) -> JobOutlook:
    windows, goes_on = job.request.windows, _goes_on_by_itself(job)
    return JobOutlook(
        waiting_until=opens_at(windows, now) if goes_on and not is_open(windows, now) else None,
        waits_for_job=greater_job_in(job.status_reason) if goes_on else None,
        expires_at=_expires_at(job, limits=limits),
        report_tried_until=_report_tried_until(job, limits=limits),
        removed_after=None if job.ended_at is None else job.ended_at + limits.retention_seconds,
    )


def _goes_on_by_itself(job: Job) -> bool:
    """One that its user has paused waits for its user, and for nothing else."""
    return job.status is JobStatus.READY or (job.status in _PAUSED and job.paused_by is not PausedBy.USER)


def _expires_at(job: Job, *, limits: JobLimits) -> float | None:
    match job.status:
        case JobStatus.SUSPENDED if job.suspended_at is not None:
            return job.suspended_at + limits.suspended_expiry_seconds
        case JobStatus.PREPARING | JobStatus.ACTIVE if job.hold is not None:
            return job.hold.since + limits.hold_limit_seconds
        case JobStatus.COMPLETING:
            return _report_tried_until(job, limits=limits)
        case _:
            return None


def _report_tried_until(job: Job, *, limits: JobLimits) -> float | None:
    return job.report_due_at + limits.report_limit_seconds if job.is_report_held else None
