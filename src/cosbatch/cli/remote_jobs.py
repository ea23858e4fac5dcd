"""Jobs of a service that is called over the network."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, fields
from typing import Any

from cosbatch.cli.jobs_port import ListedJobs, MadeJob
from cosbatch.client import AsyncClient
from cosbatch.client.job_shapes import ListedJob
from cosbatch.model.errors import Fault, InvalidArgument
from cosbatch.model.job_summaries import JobSummary
from cosbatch.model.jobs import Job, JobEvent, JobRequest
from cosbatch.model.states import JobStatus
from cosbatch.settings.profiles import TOKEN_VARIABLE, ServiceLogin


@asynccontextmanager
async def remote_client(login: ServiceLogin) -> AsyncIterator[AsyncClient]:
    if not login.token:
        fault = Fault(
            path=TOKEN_VARIABLE,
            value="",
            problem=f"is not set, and {login.url} answers nobody whom it does not know",
            way_out="put an API token there, or write token in the profile; an admin makes one with admin create-token",
        )
        raise InvalidArgument("no API token was found", faults=[fault])
    async with AsyncClient(login.url, token=login.token, ca_file=login.ca_file) as client:
        yield client


class RemoteJobs:
    """Implements :class:`cosbatch.cli.jobs_port.Jobs`: the account is that of the token."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def create_job(self, request: JobRequest, *, token: str) -> Job:
        return await self._client.create_job(request, client_request_token=token)

    async def describe_job(self, job_id: str) -> Job:
        return await self._client.describe_job(job_id)

    async def job_events(self, job_id: str) -> Sequence[JobEvent]:
        return [event async for event in self._client.every(self._client.job_events, job_id)]

    async def list_jobs(
        self, *, region: str | None, statuses: Collection[JobStatus], max_results: int, next_token: str
    ) -> ListedJobs:
        page = await self._client.list_jobs(region=region, statuses=statuses, limit=max_results, cursor=next_token)
        return ListedJobs([_summary_of(job) for job in page.items], page.next_cursor)

    async def update_job_priority(self, job_id: str, *, priority: int) -> Job:
        return await self._client.update_job_priority(job_id, priority=priority)

    async def update_job_status(
        self,
        job_id: str,
        *,
        requested_job_status: JobStatus,
        status_update_reason: str,
        confirm_delete_count: int | None = None,
    ) -> Job:
        return await self._client.update_job_status(
            job_id,
            requested_job_status=requested_job_status,
            status_update_reason=status_update_reason,
            confirm_delete_count=confirm_delete_count,
        )

    async def pause_job(self, job_id: str, *, reason: str) -> Job:
        return await self._client.pause_job(job_id, reason=reason)

    async def resume_job(self, job_id: str, *, reason: str) -> Job:
        return await self._client.resume_job(job_id, reason=reason)

    async def delete_job(self, job_id: str) -> None:
        await self._client.delete_job(job_id)


def _summary_of(job: ListedJob) -> JobSummary:
    return JobSummary(**{one.name: getattr(job, one.name) for one in fields(JobSummary)})


class RemoteFollowUps:
    """Implements :class:`cosbatch.cli.jobs_port.FollowUps`."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def retry_failed(self, job_id: str, *, error_code: str, changes: Mapping[str, Any], token: str) -> MadeJob:
        made = await self._client.retry_failed(
            job_id, error_code=error_code, changes=changes, client_request_token=token
        )
        return MadeJob(made.job, made.is_new, made.manifest_changed)

    async def clone_job(self, job_id: str, *, changes: Mapping[str, Any], token: str) -> MadeJob:
        made = await self._client.clone_job(job_id, changes=changes, client_request_token=token)
        return MadeJob(made.job, made.is_new, made.manifest_changed)

    async def redeliver_report(self, job_id: str) -> Job:
        return await self._client.redeliver_report(job_id)


class RemoteChecks:
    """Implements :class:`cosbatch.cli.jobs_port.Checks`."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def check_job(self, request: JobRequest) -> Mapping[str, Any]:
        return asdict(await self._client.check_job(request))

    async def check_retry(self, job_id: str, *, error_code: str, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        return asdict(await self._client.check_retry(job_id, error_code=error_code, changes=changes))

    async def check_clone(self, job_id: str, *, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        return asdict(await self._client.check_clone(job_id, changes=changes))


class RemoteResults:
    """Implements :class:`cosbatch.cli.jobs_port.Results`."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def report(
        self, job_id: str, write: Callable[[bytes], object], *, as_json: bool, only_failed: bool, error_code: str
    ) -> None:
        await self._client.download_report(
            job_id,
            write,
            form="jsonl" if as_json else "csv",
            scope="FailedTasksOnly" if only_failed else "AllTasks",
            code=error_code,
        )

    async def summary(self, job_id: str, write: Callable[[bytes], object], *, as_json: bool) -> None:
        await self._client.download_summary(job_id, write, form="json" if as_json else "csv")
