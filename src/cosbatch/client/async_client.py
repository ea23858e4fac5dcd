"""The client for coroutines. Its methods are those of :class:`cosbatch.client.Client`."""

from __future__ import annotations

import asyncio
import operator
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from cosbatch.client import calls
from cosbatch.client.calls import ApiCall, JobContent
from cosbatch.client.http_transport import AsyncHttpTransport, ServerAddress
from cosbatch.client.patience import Patience, Waiting
from cosbatch.client.shapes import FailureGroup, FollowUpJob, JobPace, Page
from cosbatch.client.transport import AsyncTransport
from cosbatch.model.errors import CosbatchError, ServiceUnreachable
from cosbatch.model.job_summaries import JobSummary
from cosbatch.model.jobs import Job, JobEvent
from cosbatch.model.states import JobStatus, is_final

T = TypeVar("T")


class AsyncClient:
    """A service, and whoever's token it is. To be closed, which leaving its context does."""

    def __init__(
        self,
        url: str = "",
        *,
        token: str = "",
        ca_file: Path | None = None,
        transport: AsyncTransport | None = None,
        patience: Patience | None = None,
    ) -> None:
        """``transport`` in place of ``url``, ``token`` and ``ca_file``: whoever brings one closes it himself."""
        self._own: AsyncHttpTransport | None = None
        if transport is None:
            self._own = transport = AsyncHttpTransport(ServerAddress(url=url, token=token, ca_file=ca_file))
        self._transport = transport
        self._patience = patience or Patience()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        if self._own is not None:
            await self._own.close()

    async def call(self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Any = None) -> Any:
        """A call of the API that has no method here; ``path`` is below ``/api/v1``. Its answer as JSON has it, None
        where it has none."""
        return await self._made(calls.any_call(method, path, query=query or {}, body=body))

    # --- jobs

    async def create_job(self, job: JobContent, *, client_request_token: str = "") -> Job:
        """With a token the call can be made again, and finds the job that it made; without one it is made once, and
        ServiceUnreachable leaves open whether there is a job."""
        return await self._made(calls.create_job(job, client_request_token=client_request_token))

    async def describe_job(self, job_id: str) -> Job:
        return await self._made(calls.describe_job(job_id))

    async def list_jobs(
        self,
        *,
        statuses: Collection[JobStatus] = (),
        region: str | None = None,
        search: str = "",
        sort: str = "created",
        descending: bool = True,
        limit: int = 50,
        cursor: str = "",
    ) -> Page[JobSummary]:
        """By default newest first. ``search`` is the beginning of an id or a part of the description; ``sort`` is
        ``created``, ``priority``, ``progress``, ``total``, ``failed`` or ``finished``."""
        call = calls.list_jobs(
            status=sorted(statuses),
            region=region,
            q=search,
            sort=sort,
            direction="desc" if descending else "asc",
            limit=limit,
            cursor=cursor,
        )
        return await self._made(call)

    async def job_failures(self, job_id: str) -> tuple[FailureGroup, ...]:
        """By error code, the most frequent first."""
        return await self._made(calls.job_failures(job_id))

    async def job_failures_of_code(self, job_id: str, code: str) -> FailureGroup:
        """With its first samples."""
        return await self._made(calls.job_failures_of_code(job_id, code))

    async def job_series(self, job_id: str, *, last: str = "1h") -> JobPace:
        """``last`` is ``15m``, ``1h`` or ``all``."""
        return await self._made(calls.job_series(job_id, last=last))

    async def job_events(self, job_id: str, *, cursor: str = "", limit: int = 1000) -> Page[JobEvent]:
        """What happened to a job, oldest first."""
        return await self._made(calls.job_events(job_id, cursor=cursor, limit=limit))

    async def update_job_priority(self, job_id: str, *, priority: int) -> Job:
        return await self._made(calls.update_job_priority(job_id, priority=priority))

    async def update_job_status(
        self,
        job_id: str,
        *,
        requested_job_status: JobStatus,
        status_update_reason: str = "",
        confirm_delete_count: int | None = None,
    ) -> Job:
        call = calls.update_job_status(
            job_id, to=requested_job_status, reason=status_update_reason, count=confirm_delete_count
        )
        return await self._made(call)

    async def confirm_job(self, job_id: str, *, reason: str = "", confirm_delete_count: int | None = None) -> Job:
        """``confirm_delete_count``: how many objects a deletion may delete at most, where its job does not say."""
        return await self.update_job_status(
            job_id,
            requested_job_status=JobStatus.READY,
            status_update_reason=reason,
            confirm_delete_count=confirm_delete_count,
        )

    async def cancel_job(self, job_id: str, *, reason: str = "") -> Job:
        """The answer may say Cancelling."""
        return await self.update_job_status(
            job_id, requested_job_status=JobStatus.CANCELLED, status_update_reason=reason
        )

    async def pause_job(self, job_id: str, *, reason: str = "") -> Job:
        return await self._made(calls.pause_job(job_id, reason=reason))

    async def resume_job(self, job_id: str, *, reason: str = "") -> Job:
        return await self._made(calls.resume_job(job_id, reason=reason))

    async def delete_job(self, job_id: str) -> None:
        await self._made(calls.delete_job(job_id))

    # --- before and after

    async def check_job(self, job: JobContent) -> Mapping[str, Any]:
        """What pre-flight finds of a job that is not made, and what it would cost: ``outcome``, ``checks``,
        ``estimate``, ``request`` and ``equivalents``, as JSON has them. A failed check is an answer, no error."""
        return await self._made(calls.check_job(job))

    async def job_preflight(self, job_id: str) -> Mapping[str, Any]:
        """What pre-flight has found of a job."""
        return await self._made(calls.job_preflight(job_id))

    async def job_estimate(self, job_id: str) -> Mapping[str, Any] | None:
        """What a planned job comes to, as JSON has it; None while it is not planned."""
        return await self._made(calls.job_estimate(job_id))

    async def retry_failed(
        self,
        job_id: str,
        *,
        error_code: str = "",
        changes: Mapping[str, Any] | None = None,
        client_request_token: str = "",
    ) -> FollowUpJob:
        """A new job over what failed in one that has ended, all or with one error code. ``changes`` is a part of a job
        document, whose fields take the place of the old job's."""
        call = calls.retry_failed(
            job_id, error_code=error_code, changes=changes or {}, client_request_token=client_request_token
        )
        return await self._made(call)

    async def clone_job(
        self, job_id: str, *, changes: Mapping[str, Any] | None = None, client_request_token: str = ""
    ) -> FollowUpJob:
        """A new job that asks for what an old one has asked for; ``changes`` as above."""
        call = calls.clone_job(job_id, changes=changes or {}, client_request_token=client_request_token)
        return await self._made(call)

    async def redeliver_report(self, job_id: str) -> Job:
        return await self._made(calls.redeliver_report(job_id))

    async def download_report(
        self,
        job_id: str,
        into: Callable[[bytes], object],
        *,
        form: str = "csv",
        scope: str = "AllTasks",
        code: str = "",
    ) -> None:
        """Gives ``into``, a file's ``write`` say, the results piece by piece. ``form`` is ``csv`` or ``jsonl``;
        ``scope`` is ``AllTasks`` or ``FailedTasksOnly``; ``code``: only what failed with it."""
        await self._made(calls.download_report(job_id, into, form=form, scope=scope, code=code))

    async def download_summary(self, job_id: str, into: Callable[[bytes], object], *, form: str = "json") -> None:
        """``form`` is ``json`` or ``csv``."""
        await self._made(calls.download_summary(job_id, into, form=form))

    # --- waiting

    async def wait_for_job(
        self,
        job_id: str,
        *,
        until: Callable[[Job], bool] = lambda job: is_final(job.status),
        timeout_seconds: float | None = None,
    ) -> Job:
        """The job as soon as ``until`` holds, by default when it has ended. TimeoutError where it does not in time.

        A service that does not answer for a while is borne (:class:`Patience`)."""
        waiting = Waiting(self._patience, now=time.monotonic(), timeout_seconds=timeout_seconds)
        while True:
            try:
                job = await self.describe_job(job_id)
            except CosbatchError as error:
                waiting.bear(error, time.monotonic())
            else:
                waiting.heard(time.monotonic())
                if until(job):
                    return job
            await asyncio.sleep(waiting.pause(time.monotonic()))

    async def watch_job(self, job_id: str, *, timeout_seconds: float | None = None) -> AsyncIterator[Job]:
        """The job now, each time when it has changed, and once more when it has ended."""
        seen: Job | None = None
        ends_at = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        while seen is None or not is_final(seen.status):
            left = None if ends_at is None else max(ends_at - time.monotonic(), 0.0)
            seen = await self.wait_for_job(job_id, until=partial(operator.ne, seen), timeout_seconds=left)
            yield seen

    # --- how

    async def _made(self, call: ApiCall[T]) -> T:
        attempt = 0
        while True:
            attempt += 1
            try:
                answer = await self._transport.send(call.request)
            except ServiceUnreachable:
                pause = self._patience.pause_after_silence(call, attempt=attempt)
                if pause is None:
                    raise
            else:
                pause = self._patience.pause_after_answer(call, answer, attempt=attempt)
                if pause is None:
                    return call.read(answer)
            await asyncio.sleep(pause)
