"""Jobs of a data folder, by the service in this process."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from cosbatch.cli.jobs_port import ListedJobs, MadeJob
from cosbatch.model.identifiers import JobId, RegionName
from cosbatch.model.job_summaries import summary_of
from cosbatch.model.jobs import Job, JobEvent, JobRequest
from cosbatch.model.preflight import Check
from cosbatch.model.principals import Caller
from cosbatch.model.reports import ReportScope
from cosbatch.model.states import JobStatus
from cosbatch.service.estimates import estimate_document
from cosbatch.service.follow_up import FollowUp, FollowUpJob
from cosbatch.service.follow_up_checks import FollowUpChecker
from cosbatch.service.job_checks import JobChecked, JobChecker
from cosbatch.service.job_document import request_document
from cosbatch.service.report_downloads import Download, ReportDownloads, RowFilter, RowForm, SummaryForm
from cosbatch.service.service import JobService


class EmbeddedJobs:
    """Implements :class:`cosbatch.cli.jobs_port.Jobs` for one caller."""

    def __init__(self, service: JobService, *, caller: Caller) -> None:
        self._service = service
        self._caller = caller

    async def create_job(self, request: JobRequest, *, token: str) -> Job:
        return await self._service.create_job(request, caller=self._caller, token=token)

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


class EmbeddedFollowUps:
    """Implements :class:`cosbatch.cli.jobs_port.FollowUps`."""

    def __init__(self, desk: FollowUp, *, caller: Caller) -> None:
        self._desk = desk
        self._caller = caller

    async def retry_failed(self, job_id: str, *, error_code: str, changes: Mapping[str, Any], token: str) -> MadeJob:
        made = await self._desk.retry_failed(
            JobId(job_id), caller=self._caller, error_code=error_code, changes=changes, token=token
        )
        return _made(made)

    async def clone_job(self, job_id: str, *, changes: Mapping[str, Any], token: str) -> MadeJob:
        return _made(await self._desk.clone_job(JobId(job_id), caller=self._caller, changes=changes, token=token))

    async def redeliver_report(self, job_id: str) -> Job:
        return await self._desk.redeliver_report(JobId(job_id), caller=self._caller)


def _made(made: FollowUpJob) -> MadeJob:
    return MadeJob(made.job, made.is_new, made.manifest_changed)


class EmbeddedChecks:
    """Implements :class:`cosbatch.cli.jobs_port.Checks`."""

    def __init__(self, checker: JobChecker, follow_ups: FollowUpChecker, *, caller: Caller) -> None:
        self._checker = checker
        self._follow_ups = follow_ups
        self._caller = caller

    async def check_job(self, request: JobRequest) -> Mapping[str, Any]:
        return _checked_document(await self._checker.check_job(request, caller=self._caller))

    async def check_retry(self, job_id: str, *, error_code: str, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        checked = await self._follow_ups.check_retry(
            JobId(job_id), caller=self._caller, error_code=error_code, changes=changes
        )
        return {
            "outcome": checked.preflight.outcome,
            "checks": [_check_document(check) for check in checked.preflight.checks],
            "estimate": None if checked.estimate is None else estimate_document(checked.estimate),
            "request": request_document(checked.request),
            "equivalents": checked.equivalents.content(),
        }

    async def check_clone(self, job_id: str, *, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        return _checked_document(
            await self._follow_ups.check_clone(JobId(job_id), caller=self._caller, changes=changes)
        )


def _checked_document(checked: JobChecked) -> Mapping[str, Any]:
    return {
        "outcome": checked.preflight.outcome,
        "checks": [_check_document(check) for check in checked.preflight.checks],
        "estimate": checked.estimate,
        "request": request_document(checked.request),
        "equivalents": checked.equivalents.content(),
    }


def _check_document(check: Check) -> dict[str, str]:
    return {
        "name": check.name,
        "outcome": check.outcome,
        "detail": check.detail,
        "missing_permission": check.missing_permission,
        "way_out": check.way_out,
    }


class EmbeddedResults:
    """Implements :class:`cosbatch.cli.jobs_port.Results`."""

    def __init__(self, desk: ReportDownloads, *, caller: Caller) -> None:
        self._desk = desk
        self._caller = caller

    async def report(
        self, job_id: str, write: Callable[[bytes], object], *, as_json: bool, only_failed: bool, error_code: str
    ) -> None:
        scope = ReportScope.FAILED_TASKS_ONLY if only_failed else ReportScope.ALL_TASKS
        download = await self._desk.report(
            JobId(job_id),
            caller=self._caller,
            form=RowForm.JSON_LINES if as_json else RowForm.CSV,
            rows=RowFilter(scope=scope, error_code=error_code),
        )
        await _write(download, write)

    async def summary(self, job_id: str, write: Callable[[bytes], object], *, as_json: bool) -> None:
        form = SummaryForm.JSON if as_json else SummaryForm.CSV
        await _write(await self._desk.summary(JobId(job_id), caller=self._caller, form=form), write)


async def _write(download: Download, write: Callable[[bytes], object]) -> None:
    async for block in download.blocks:
        write(block)
