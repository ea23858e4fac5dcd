"""Lists of jobs, how fast one goes, and what went wrong in it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final

from fastapi import Path, Query
from pydantic import AwareDatetime, Field

from cosbatch.ledger.list_port import JobFilter, JobGroup, JobSort, ListOrder, ListPlace
from cosbatch.model.identifiers import JobId, RegionName
from cosbatch.model.jobs import PRIORITY_MAX, PausedBy
from cosbatch.model.operations import OperationName
from cosbatch.model.reports import FailureSample
from cosbatch.model.states import JobStatus
from cosbatch.service.job_listing import FailureGroup, ListedJob, mark_of
from cosbatch.service.job_pace import SeriesRange, ShownPoint
from cosbatch.web.rest.calls import Access, Call
from cosbatch.web.rest.desks import AllDesks, Desks, WhoCalls
from cosbatch.web.rest.job_examples import JOB
from cosbatch.web.rest.job_shapes import FailureView, HoldView, JobAction, ProgressView, ReportView, job_view
from cosbatch.web.rest.jobs import TAG, OneJob
from cosbatch.web.rest.shapes import (
    PAGE_DEFAULT,
    PageCursor,
    PageLimit,
    Time,
    View,
    read_cursor,
    time_or_none,
    time_text,
    write_cursor,
    wrong_cursor,
)

_ID_MAX: Final = 64
_TEXT_MAX: Final = 256
_OF_JOB: Final = (
    "job_id", "region", "operation_name", "description", "creator", "dry_run", "status", "status_update_reason",
    "is_final", "actions", "priority", "creation_time", "changed_time", "started_time", "termination_date",
    "suspended_cause", "paused_by", "waiting_until", "waits_for_job", "expires_at", "removed_after",
    "progress_summary", "failure_reasons", "hold", "report",
)  # fmt: skip
"""What a job in a list shows as a job by itself does."""


class SortDirection(StrEnum):
    ASCENDING = "asc"
    DESCENDING = "desc"


class ListedJobView(View):
    """A job without what was asked for; describing it shows that."""

    job_id: str
    region: str
    operation_name: OperationName
    description: str
    creator: str = Field(description="The user who made it; empty where nobody was named.")
    dry_run: bool
    status: JobStatus
    status_update_reason: str
    is_final: bool
    actions: list[JobAction]
    priority: int
    creation_time: Time
    changed_time: Time
    started_time: Time | None
    termination_date: Time | None
    suspended_cause: str
    paused_by: PausedBy | None
    waiting_until: Time | None = Field(description="When the first of its windows opens, where it waits for that.")
    waits_for_job: str | None = Field(description="The job of a greater priority that it gives way to.")
    expires_at: Time | None = Field(description="When it fails if it stays as it is.")
    removed_after: Time | None = Field(description="When a job that has ended is removed.")
    progress: float | None = Field(description="Share of the tasks that have a result, 0 to 1; null until planned.")
    progress_summary: ProgressView
    is_over_failure_threshold: bool
    results_per_second: float | None = Field(description="Lately; null where the job is not Active.")
    eta_seconds: float | None = Field(description="At this pace; null in the first 30 s, and where nobody can say.")
    failure_reasons: list[FailureView]
    hold: HoldView | None
    report: ReportView
    manifest_bucket: str
    manifest_key: str
    target_bucket: str | None = Field(description="Null where the objects are changed where they are.")


class JobCounts(View):
    """Of the filter without its statuses and groups. A job may be in two groups."""

    by_status: dict[str, int]
    by_group: dict[str, int]


class JobListPage(View):
    items: list[ListedJobView]
    next_cursor: str | None
    total: int = Field(description="How many jobs the whole list has.")
    counts: JobCounts


class SeriesPointView(View):
    at: Time = Field(description="Where its bucket begins, or the job where it started in it.")
    seconds: float = Field(
        description="How much time it covers: less than a bucket where the job started or ended in it, or it is not"
        " over."
    )
    succeeded: int
    failed: int
    bytes_done: int


class SeriesView(View):
    """What was committed when: a worker commits about a thousand results at a time, or those of a minute."""

    bucket_seconds: int
    points: list[SeriesPointView] = Field(description="At most 300, without gaps; none before the first result.")
    results_per_second: float | None
    eta_seconds: float | None


class StatusCountView(View):
    http_status: int | None = Field(description="Null: no request was sent, or none was answered.")
    count: int


class FailureSampleView(View):
    key: str
    version_id: str | None
    error_code: str
    http_status: int | None
    message: str
    requests: int = Field(description="Sent for the task under its last claim.")
    request_id: str | None = Field(
        description="Under which the store knows the request that it refused. Null: it refused none, or gave none."
    )


class FailureGroupView(View):
    error_code: str
    count: int
    share: float = Field(description="Of all failures of the job, 0 to 1.")
    http_statuses: list[StatusCountView]
    is_retryable: bool
    first_seen: Time | None
    last_seen: Time | None
    hint: str = Field(description="What helps; empty where the code is not known.")
    needed_permissions: list[str] = Field(description="Where access was denied: what the job's tasks need.")
    sample_keys: list[str]


class FailuresView(View):
    failed: int
    items: list[FailureGroupView] = Field(description="The most frequent code first; at most 101.")


class FailuresOfCodeView(FailureGroupView):
    samples: list[FailureSampleView] = Field(description="The first ones, up to 20.")


async def list_jobs(
    desks: AllDesks,
    caller: WhoCalls,
    status: Annotated[list[JobStatus], Query(max_length=13, description="In one of these; may be repeated.")] = [],  # noqa: B006
    group: Annotated[list[JobGroup], Query(max_length=6, description="In one of these; may be repeated.")] = [],  # noqa: B006
    region: Annotated[str | None, Query(max_length=_TEXT_MAX)] = None,
    operation: Annotated[OperationName | None, Query()] = None,
    creator: Annotated[str | None, Query(max_length=_TEXT_MAX)] = None,
    priority_from: Annotated[
        int | None, Query(ge=0, le=PRIORITY_MAX, description="Of this priority or a greater.")
    ] = None,
    created_from: Annotated[AwareDatetime | None, Query(description="Made at this time or later.")] = None,
    created_to: Annotated[AwareDatetime | None, Query(description="Made before this time.")] = None,
    q: Annotated[
        str, Query(max_length=_TEXT_MAX, description="The beginning of the id, or a part of the description.")
    ] = "",
    sort: Annotated[JobSort, Query()] = JobSort.CREATED,
    direction: Annotated[SortDirection, Query()] = SortDirection.DESCENDING,
    limit: PageLimit = PAGE_DEFAULT,
    cursor: PageCursor = "",
) -> JobListPage:
    """Jobs of the account, with how many there are in each status and group. Jobs that have no value yet for the order
    come last, in either direction."""
    wanted = JobFilter(
        account=caller.account.id,
        statuses=frozenset(status),
        groups=frozenset(group),
        region=None if region is None else RegionName(region),
        operation=operation,
        creator=creator,
        priority_from=priority_from,
        created_from=None if created_from is None else created_from.timestamp(),
        created_to=None if created_to is None else created_to.timestamp(),
        search=q,
    )
    order = ListOrder(sort=sort, is_descending=direction is SortDirection.DESCENDING)
    mark = mark_of(wanted, order)
    page = await desks.lists.list_jobs(
        wanted, order=order, after=_place_in(cursor, mark=mark) if cursor else None, limit=limit
    )
    return JobListPage(
        items=[_listed(each, desks) for each in page.jobs],
        next_cursor=write_cursor(mark, page.next.key, page.next.job_id) if page.next else None,
        total=page.total,
        counts=JobCounts(
            by_status={status.value: count for status, count in page.by_status.items()},
            by_group={group.value: count for group, count in page.by_group.items()},
        ),
    )


async def job_series(
    job_id: OneJob,
    desks: AllDesks,
    caller: WhoCalls,
    shown: Annotated[
        SeriesRange, Query(alias="range", description="Back from now, or from the job's end.")
    ] = SeriesRange.LAST_HOUR,
) -> SeriesView:
    """How many results the job brought over time, its pace, and when it may be done."""
    speed = await desks.lists.job_series(JobId(job_id), shown, caller=caller)
    return SeriesView(
        bucket_seconds=speed.series.bucket_seconds,
        points=[_point(each) for each in speed.series.points],
        results_per_second=speed.pace.results_per_second,
        eta_seconds=speed.pace.eta_seconds,
    )


async def job_failures(job_id: OneJob, desks: AllDesks, caller: WhoCalls) -> FailuresView:
    """The failures of a job by error code: how many, since when, and what helps."""
    groups = await desks.lists.job_failures(JobId(job_id), caller=caller)
    return FailuresView(
        failed=sum(group.tally.count for group in groups), items=[FailureGroupView(**_group(each)) for each in groups]
    )


async def job_failures_of_code(
    job_id: OneJob,
    code: Annotated[str, Path(max_length=_TEXT_MAX, description="An error code of the job's failures.")],
    desks: AllDesks,
    caller: WhoCalls,
) -> FailuresOfCodeView:
    """The failures of one code, the first of them whole. Of a code with which no task has failed there are none."""
    group = await desks.lists.job_failures_of_code(JobId(job_id), code, caller=caller)
    return FailuresOfCodeView(**_group(group), samples=[_sample(each) for each in group.samples])


def _place_in(cursor: str, *, mark: str) -> ListPlace:
    match read_cursor(cursor):
        case (str() as of, None | int() | float() as key, str() as job_id) if of == mark and len(job_id) <= _ID_MAX:
            try:
                return ListPlace(key=None if key is None else float(key), job_id=JobId(job_id))
            except OverflowError:
                raise wrong_cursor(cursor) from None
        case _:
            raise wrong_cursor(cursor)


def _listed(listed: ListedJob, desks: Desks) -> ListedJobView:
    job, view = listed.job, job_view(listed.job, desks.outlook(listed.job))
    location = job.request.manifest.location
    return ListedJobView(
        **{name: getattr(view, name) for name in _OF_JOB},
        progress=job.progress,
        is_over_failure_threshold=job.is_over_threshold,
        results_per_second=listed.pace.results_per_second,
        eta_seconds=listed.pace.eta_seconds,
        manifest_bucket=location.bucket,
        manifest_key=location.key,
        target_bucket=getattr(job.request.operation, "target_bucket", None),
    )


def _point(point: ShownPoint) -> SeriesPointView:
    return SeriesPointView(
        at=time_text(point.at),
        seconds=point.seconds,
        succeeded=point.succeeded,
        failed=point.failed,
        bytes_done=point.bytes_done,
    )


def _group(group: FailureGroup) -> dict[str, Any]:
    tally = group.tally
    return {
        "error_code": group.code,
        "count": tally.count,
        "share": group.share,
        "http_statuses": [
            StatusCountView(http_status=status or None, count=count) for status, count in tally.http_statuses
        ],
        "is_retryable": group.is_retryable,
        "first_seen": time_or_none(tally.first_seen),
        "last_seen": time_or_none(tally.last_seen),
        "hint": group.hint,
        "needed_permissions": list(group.permissions),
        "sample_keys": [_text(key) for key in tally.samples],
    }


def _sample(sample: FailureSample) -> FailureSampleView:
    return FailureSampleView(
        key=_text(sample.key),
        version_id=sample.version_id,
        error_code=sample.error_code,
        http_status=sample.http_status or None,
        message=_text(sample.message),
        requests=sample.requests,
        request_id=_text(sample.request_id) or None,
    )


def _text(text: str) -> str:
    """What no UTF-8 can carry, as an escape."""
    return text.encode("utf-8", "backslashreplace").decode()


# --- the table

_GROUP: Final[dict[str, Any]] = {
    "error_code": "AccessDenied",
    "count": 12,
    "share": 1.0,
    "http_statuses": [{"http_status": 403, "count": 12}],
    "is_retryable": True,
    "first_seen": "2026-11-26T08:00:00.000Z",
    "last_seen": "2026-11-26T08:01:00.000Z",
    "hint": "Give the job's role or credentials the missing permission, then retry.",
    "needed_permissions": [
        "target write: name/cos:PutObject on qcs::cos:ap-guangzhou:uid/1250000000:archive-1250000000/*"
    ],
    "sample_keys": ["logs/2025/01.gz"],
}
_SAMPLE: Final = {
    "key": "logs/2025/01.gz",
    "version_id": None,
    "error_code": "AccessDenied",
    "http_status": 403,
    "message": "Access Denied.",
    "requests": 1,
    "request_id": "NjhhMDU3YzBfMDEyMzQ1NjdfODlhYl9jZGVm",
}
_LISTED: Final[dict[str, Any]] = {
    **{name: JOB[name] for name in _OF_JOB},
    "progress": 0.0,
    "is_over_failure_threshold": False,
    "results_per_second": None,
    "eta_seconds": None,
    "manifest_bucket": "inventory-1250000000",
    "manifest_key": "logs/manifest.json",
    "target_bucket": "archive-1250000000",
}
_SERIES: Final = {
    "bucket_seconds": 20,
    "points": [{"at": "2026-11-26T08:00:00.000Z", "seconds": 20.0, "succeeded": 990, "failed": 10, "bytes_done": 4096}],
    "results_per_second": 50.0,
    "eta_seconds": 120.5,
}


def job_list_calls() -> list[Call]:
    return [
        Call(
            method="GET",
            path="/jobs",
            answer=list_jobs,
            access=Access.VIEWER,
            tag=TAG,
            summary="List jobs",
            shape=JobListPage,
            example={
                "items": [_LISTED],
                "next_cursor": None,
                "total": 1,
                "counts": {"by_status": {"Suspended": 1}, "by_group": {"needs_attention": 1}},
            },
        ),
        Call(
            method="GET",
            path="/jobs/{job_id}/series",
            answer=job_series,
            access=Access.VIEWER,
            tag=TAG,
            summary="Show how fast a job goes",
            shape=SeriesView,
            example=_SERIES,
        ),
        Call(
            method="GET",
            path="/jobs/{job_id}/failures",
            answer=job_failures,
            access=Access.VIEWER,
            tag=TAG,
            summary="List a job's failures by error code",
            shape=FailuresView,
            example={"failed": 12, "items": [_GROUP]},
        ),
        Call(
            method="GET",
            path="/jobs/{job_id}/failures/{code}",
            answer=job_failures_of_code,
            access=Access.VIEWER,
            tag=TAG,
            summary="Show a job's failures of one error code",
            shape=FailuresOfCodeView,
            example={**_GROUP, "samples": [_SAMPLE]},
        ),
    ]
