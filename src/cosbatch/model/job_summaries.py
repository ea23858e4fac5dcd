"""A job as a list shows it: how far it is, without what was asked for."""

from __future__ import annotations

from dataclasses import dataclass

from cosbatch.model.identifiers import JobId, RegionName
from cosbatch.model.jobs import Job
from cosbatch.model.operations import OperationName
from cosbatch.model.states import JobStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSummary:
    """Times are Unix seconds."""

    id: JobId
    region: RegionName
    operation_name: OperationName
    description: str
    status: JobStatus
    priority: int
    created_at: float
    started_at: float | None
    ended_at: float | None
    planned_rows: int
    total: int | None
    """None until the plan is complete."""
    succeeded: int
    failed: int


def summary_of(job: Job) -> JobSummary:
    return JobSummary(
        id=job.id,
        region=job.request.region,
        operation_name=job.operation_name,
        description=job.request.description,
        status=job.status,
        priority=job.priority,
        created_at=job.created_at,
        started_at=job.started_at,
        ended_at=job.ended_at,
        planned_rows=job.planned_rows,
        total=job.total,
        succeeded=job.tally.succeeded,
        failed=job.tally.failed,
    )
