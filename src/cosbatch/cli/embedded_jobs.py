"""Jobs of a data folder, by the service in this process."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from cosbatch.cli.jobs_port import ListedJobs
from cosbatch.model.identifiers import JobId, RegionName
from cosbatch.model.job_summaries import summary_of
from cosbatch.model.jobs import Job, JobEvent
from cosbatch.model.principals import Caller
from cosbatch.model.states import JobStatus
from cosbatch.service.service import JobService


class EmbeddedJobs:
    """Implements :class:`cosbatch.cli.jobs_port.Jobs` for one caller."""

    def __init__(self, service: JobService, *, caller: Caller) -> None:
        self._service = service
        self._caller = caller

    async def describe_job(self, job_id: str) -> Job:
        return await self._service.describe_job(JobId(job_id), caller=self._caller)

    async def job_events(self, job_id: str) -> Sequence[JobEvent]:
        return await self._service.job_events(JobId(job_id), caller=self._caller)

    async def list_jobs(
        self, *, region: str | None, statuses: Collection[JobStatus], max_results: int, next_token: str
    ) -> ListedJobs:
        page = await self._service.list_jobs(
            caller=self._caller,
            region=None if region is None else RegionName(region),
            statuses=statuses,
            max_results=max_results,
            next_token=next_token,
        )
        return ListedJobs([summary_of(job) for job in page.jobs], page.next_token)

    async def update_job_priority(self, job_id: str, *, priority: int) -> Job:
        return await self._service.update_job_priority(JobId(job_id), priority=priority, caller=self._caller)

    async def update_job_status(
        self,
        job_id: str,
        *,
        requested_job_status: JobStatus,
        status_update_reason: str,
        confirm_delete_count: int | None = None,
    ) -> Job:
        return await self._service.update_job_status(
            JobId(job_id),
            requested_job_status=requested_job_status,
            caller=self._caller,
            status_update_reason=status_update_reason,
            confirm_delete_count=confirm_delete_count,
        )

    async def pause_job(self, job_id: str, *, reason: str) -> Job:
        return await self._service.pause_job(JobId(job_id), caller=self._caller, reason=reason)

    async def resume_job(self, job_id: str, *, reason: str) -> Job:
        return await self._service.resume_job(JobId(job_id), caller=self._caller, reason=reason)

    async def delete_job(self, job_id: str) -> None:
        await self._service.delete_job(JobId(job_id), caller=self._caller)
