"""A job as the API shows it: what was asked for, how far it is, what went wrong, and what can be asked of it now."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import Field

from cosbatch.model.errors import FailureCode
from cosbatch.model.jobs import Job, JobEvent, ListedTotals, PausedBy, PlanFindings
from cosbatch.model.operations import OperationName
from cosbatch.model.regions import Versioning
from cosbatch.model.reports import ReportState
from cosbatch.model.states import Actor, JobStatus, is_final
from cosbatch.service.job_document import request_document
from cosbatch.service.job_outlook import JobOutlook
from cosbatch.service.job_schema import JobForm
from cosbatch.service.possible_calls import CLONE_JOB, REDELIVER_REPORT, RETRY_FAILED, possible_calls, tasks_to_retry
from cosbatch.web.rest.shapes import ShownAs, Time, View, time_or_none, time_text

JobDocument = Annotated[dict[str, Any], ShownAs(JobForm)]
"""A job as files and bodies have it: :mod:`cosbatch.service.job_schema`."""


class JobAction(StrEnum):
    """What can be asked of a job in some status."""

    CONFIRM = "confirm"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    CHANGE_PRIORITY = "change_priority"
    DELETE = "delete"
    RETRY = "retry"
    CLONE = "clone"
    REDELIVER = "redeliver"


_OF_VERB: Final = {
    "update-job-priority": JobAction.CHANGE_PRIORITY,
    "delete-job": JobAction.DELETE,
    RETRY_FAILED: JobAction.RETRY,
    CLONE_JOB: JobAction.CLONE,
    REDELIVER_REPORT: JobAction.REDELIVER,
}


class ProgressView(View):
    total_number_of_tasks: int | None = Field(description="Null until the plan is complete.")
    number_of_tasks_succeeded: int
    number_of_tasks_failed: int
    number_of_tasks_skipped: int = Field(description="Delete markers, which are never sent; they count as succeeded.")
    number_of_tasks_remaining: int | None
    number_of_tasks_retryable: int = Field(
        description="Of those that failed: what a retry would do again. Not what was never sent (`NotLatestVersion`),"
        " and nothing of a dry run."
    )
    planned_rows: int
    planned_chunks: int
    closed_chunks: int
    bytes_done: int
    requests: int
    failure_rate: float | None = Field(description="Of the tasks that count for `failure_threshold`; 0 to 1.")


class FailureView(View):
    failure_code: FailureCode
    failure_reason: str


class FailuresOfCode(View):
    count: int
    sample_keys: list[str]


class HoldView(View):
    """A bucket that does not answer at present, or takes no report."""

    bucket: str
    reason: str
    since: Time


class ListedView(View):
    """What a manifest's rows add up to."""

    rows: int
    not_sent: int = Field(description="Delete markers that are no task to send.")
    size_bytes: int | None = Field(description="Of the rows that are sent; null where the manifest does not say it.")
    large: int = Field(description="Objects that are copied in parts, by their listed sizes.")
    parts: int = Field(description="Of all large ones together.")


class FindingsView(View):
    """What planning found out."""

    source_bucket: str
    source_versioning: Versioning
    target_versioning: Versioning
    manifest_etag: str
    shared_targets: int = Field(description="Of a dry run: rows that share their target with another row.")
    listed: ListedView | None = Field(description="Null until the plan is complete.")


class ReportView(View):
    state: ReportState
    location: str = Field(description="`s3://bucket/key` of the report's manifest.json; empty until it is delivered.")
    tried_until: Time | None = Field(
        description="Until when delivery is tried again, where it has failed; `hold` says why. Null otherwise."
    )


class JobView(View):
    """A job. `request` is what was asked for, and does not change; `priority` is as it is now."""

    job_id: str
    account: str
    region: str
    operation_name: OperationName
    description: str
    creator: str = Field(description="The user who made it; empty where nobody was named.")
    dry_run: bool = Field(description="Nothing is written but its report, and results say what would be.")
    status: JobStatus
    status_update_reason: str
    is_final: bool
    actions: list[JobAction] = Field(description="What its status lets an operator ask for.")
    priority: int
    creation_time: Time
    changed_time: Time = Field(description="Of the last change of status.")
    started_time: Time | None
    termination_date: Time | None
    suspended_date: Time | None
    suspended_cause: str
    paused_by: PausedBy | None
    waiting_until: Time | None = Field(
        description="When the first of its windows opens, where it waits for that; null where none does within a week."
    )
    waits_for_job: str | None = Field(description="The job of a greater priority that it gives way to.")
    expires_at: Time | None = Field(
        description="When it fails if it stays as it is: nobody confirms it, a bucket does not answer, or its report"
        " cannot be delivered."
    )
    removed_after: Time | None = Field(
        description="When a job that has ended is removed; its report in the bucket stays."
    )
    client_request_token: str
    progress_summary: ProgressView
    failure_reasons: list[FailureView]
    failures_by_code: dict[str, FailuresOfCode]
    ignored_options: dict[str, int] = Field(
        description="Option and the number of tasks in which reading back showed that the store had ignored it."
    )
    hold: HoldView | None = Field(
        description="What the job waits for. A job that has ended waits for nothing but the delivery of its report."
    )
    findings: FindingsView | None
    report: ReportView
    request: JobDocument


class JobEventView(View):
    at: Time
    actor: Actor
    by: str = Field(description="Which user, and the way: `alice via rest`; empty for the engine.")
    kind: str
    status: JobStatus
    reason: str


class JobEventPage(View):
    items: list[JobEventView]
    next_cursor: str | None


# --- from the model


def job_view(job: Job, outlook: JobOutlook) -> JobView:
    return JobView(
        job_id=job.id,
        account=job.account,
        region=job.request.region,
        operation_name=job.operation_name,
        description=job.request.description,
        creator=job.creator,
        dry_run=job.request.dry_run,
        status=job.status,
        status_update_reason=job.status_reason,
        is_final=is_final(job.status),
        actions=[_OF_VERB.get(verb) or JobAction(verb) for verb in possible_calls(job)],
        priority=job.priority,
        creation_time=time_text(job.created_at),
        changed_time=time_text(job.changed_at),
        started_time=time_or_none(job.started_at),
        termination_date=time_or_none(job.ended_at),
        suspended_date=time_or_none(job.suspended_at),
        suspended_cause=job.suspended_cause,
        paused_by=job.paused_by,
        waiting_until=time_or_none(outlook.waiting_until),
        waits_for_job=outlook.waits_for_job,
        expires_at=time_or_none(outlook.expires_at),
        removed_after=time_or_none(outlook.removed_after),
        client_request_token="" if job.token == job.id else job.token,
        progress_summary=_progress(job),
        failure_reasons=_failures(job),
        failures_by_code={
            code: FailuresOfCode(count=found.count, sample_keys=list(found.samples))
            for code, found in job.tally.codes.items()
        },
        ignored_options=dict(job.tally.ignored_options),
        hold=_hold(job),
        findings=_findings(job.findings),
        report=ReportView(
            state=job.report_state,
            location=job.report_location,
            tried_until=time_or_none(outlook.report_tried_until),
        ),
        request=request_document(job.request),
    )


def _progress(job: Job) -> ProgressView:
    tally = job.tally
    executed = tally.executed_in_rate
    return ProgressView(
        total_number_of_tasks=job.total,
        number_of_tasks_succeeded=tally.succeeded,
        number_of_tasks_failed=tally.failed,
        number_of_tasks_skipped=tally.skipped,
        number_of_tasks_remaining=None if job.total is None else job.total - tally.succeeded - tally.failed,
        number_of_tasks_retryable=tasks_to_retry(job),
        planned_rows=job.planned_rows,
        planned_chunks=job.chunk_count,
        closed_chunks=job.chunks_closed,
        bytes_done=tally.bytes_done,
        requests=tally.requests,
        failure_rate=tally.failed_in_rate / executed if executed else None,
    )


def _failures(job: Job) -> list[FailureView]:
    if job.failure_code is None:
        return []
    return [FailureView(failure_code=job.failure_code, failure_reason=job.failure_reason)]


def _hold(job: Job) -> HoldView | None:
    hold = job.hold
    return None if hold is None else HoldView(bucket=hold.bucket, reason=hold.reason, since=time_text(hold.since))


def _findings(found: PlanFindings | None) -> FindingsView | None:
    if found is None:
        return None
    return FindingsView(
        source_bucket=found.source_bucket,
        source_versioning=found.source_versioning,
        target_versioning=found.target_versioning,
        manifest_etag=found.manifest_etag,
        shared_targets=found.shared_targets,
        listed=_listed(found.listed),
    )


def _listed(listed: ListedTotals | None) -> ListedView | None:
    if listed is None:
        return None
    return ListedView(
        rows=listed.rows,
        not_sent=listed.not_sent,
        size_bytes=listed.size_bytes,
        large=listed.large,
        parts=listed.parts,
    )


def event_views(events: Sequence[JobEvent]) -> list[JobEventView]:
    return [
        JobEventView(
            at=time_text(event.at),
            actor=event.actor,
            by=event.by,
            kind=event.kind,
            status=event.status,
            reason=event.reason,
        )
        for event in events
    ]
