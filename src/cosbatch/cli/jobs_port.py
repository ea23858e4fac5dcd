"""The verbs as the command line asks for them, wherever the jobs are: in a data folder, or with a service."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

from cosbatch.model.job_summaries import JobSummary
from cosbatch.model.jobs import Job, JobEvent
from cosbatch.model.states import JobStatus


class ListedJobs(NamedTuple):
    jobs: Sequence[JobSummary]
    next_token: str
    """Empty where no more follow."""


class Jobs(Protocol):
    """Whose jobs they are was settled when it was opened."""

    async def describe_job(self, job_id: str) -> Job: ...

    async def job_events(self, job_id: str) -> Sequence[JobEvent]:
        """All of them, oldest first."""
        ...

    async def list_jobs(
        self, *, region: str | None, statuses: Collection[JobStatus], max_results: int, next_token: str
    ) -> ListedJobs:
        """Newest first."""
        ...

    async def update_job_priority(self, job_id: str, *, priority: int) -> Job: ...

    async def update_job_status(
        self,
        job_id: str,
        *,
        requested_job_status: JobStatus,
        status_update_reason: str,
        confirm_delete_count: int | None = None,
    ) -> Job: ...

    async def pause_job(self, job_id: str, *, reason: str) -> Job: ...

    async def resume_job(self, job_id: str, *, reason: str) -> Job: ...

    async def delete_job(self, job_id: str) -> None: ...
