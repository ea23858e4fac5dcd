"""The verbs as the command line asks for them, wherever the jobs are: in a data folder, or with a service."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from cosbatch.model.job_summaries import JobSummary
from cosbatch.model.jobs import Job, JobEvent, JobRequest
from cosbatch.model.states import JobStatus


class ListedJobs(NamedTuple):
    jobs: Sequence[JobSummary]
    next_token: str
    """Empty where no more follow."""


class Jobs(Protocol):
    """Whose jobs they are was settled when it was opened."""

    async def create_job(self, request: JobRequest, *, token: str) -> Job:
        """The job that the token has made already, where it has."""
        ...

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


class MadeJob(NamedTuple):
    """A job that was made of another one."""

    job: Job
    is_new: bool
    """False where the token had made it before."""
    manifest_changed: bool


class FollowUps(Protocol):
    """What is asked of a job that is there already."""

    async def retry_failed(
        self, job_id: str, *, error_code: str, changes: Mapping[str, Any], token: str
    ) -> MadeJob: ...

    async def clone_job(self, job_id: str, *, changes: Mapping[str, Any], token: str) -> MadeJob: ...

    async def redeliver_report(self, job_id: str) -> Job: ...


class Checks(Protocol):
    """What is asked of a job that is not made."""

    async def check_job(self, request: JobRequest) -> Mapping[str, Any]:
        """``outcome``, ``checks``, ``estimate``, ``request``, ``equivalents``, as the API answers ``POST /jobs:check``.
        A failed check is an answer."""
        ...

    async def check_retry(self, job_id: str, *, error_code: str, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        """The same, as the API answers ``POST /jobs/ID/retry:check``."""
        ...

    async def check_clone(self, job_id: str, *, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        """The same, as the API answers ``POST /jobs/ID/clone:check``."""
        ...


class Results(Protocol):
    """What became of each task. ``write`` gets it piece by piece."""

    async def report(
        self, job_id: str, write: Callable[[bytes], object], *, as_json: bool, only_failed: bool, error_code: str
    ) -> None:
        """CSV as in a delivered report, or one JSON object a line."""
        ...

    async def summary(self, job_id: str, write: Callable[[bytes], object], *, as_json: bool) -> None:
        """CSV or JSON."""
        ...
