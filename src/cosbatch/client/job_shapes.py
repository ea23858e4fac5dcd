"""What the API tells of jobs beside the job itself. Fields are named as in its documents; times are Unix seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from cosbatch.client.shape_reader import Cursor, ReadJob, Time, ToldAs
from cosbatch.model.errors import FailureCode
from cosbatch.model.identifiers import JobId, RegionName
from cosbatch.model.jobs import PausedBy
from cosbatch.model.operations import OperationName
from cosbatch.model.preflight import CheckOutcome
from cosbatch.model.reports import ReportState
from cosbatch.model.states import JobStatus

# --- lists


@dataclass(frozen=True, slots=True, kw_only=True)
class JobHold:
    """A bucket that a job waits for."""

    bucket: str
    reason: str
    since: Time


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureReason:
    failure_code: FailureCode
    failure_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedJob:
    """A job as a list shows it: without what was asked for."""

    id: Annotated[JobId, ToldAs("job_id")]
    region: RegionName
    operation_name: OperationName
    description: str
    creator: str
    dry_run: bool
    status: JobStatus
    status_reason: Annotated[str, ToldAs("status_update_reason")]
    is_final: bool
    actions: tuple[str, ...]
    """What may be asked of it now."""
    priority: int
    created_at: Annotated[Time, ToldAs("creation_time")]
    changed_at: Annotated[Time, ToldAs("changed_time")]
    started_at: Annotated[Time | None, ToldAs("started_time")]
    ended_at: Annotated[Time | None, ToldAs("termination_date")]
    suspended_cause: str
    paused_by: PausedBy | None
    waiting_until: Time | None
    """When the first of its windows opens."""
    waits_for_job: str | None
    """The job of a greater priority that it gives way to."""
    expires_at: Time | None
    """When it fails if it stays as it is."""
    report_tried_until: Annotated[Time | None, ToldAs("report.tried_until")]
    """Until when its delivery is tried again, where it has failed."""
    removed_after: Time | None
    """When it has ended: until then it is kept."""
    progress: float | None
    """Share of the tasks that have a result, 0 to 1; None until it is planned."""
    total: Annotated[int | None, ToldAs("progress_summary.total_number_of_tasks")]
    """None until the plan is complete."""
    succeeded: Annotated[int, ToldAs("progress_summary.number_of_tasks_succeeded")]
    failed: Annotated[int, ToldAs("progress_summary.number_of_tasks_failed")]
    skipped: Annotated[int, ToldAs("progress_summary.number_of_tasks_skipped")]
    remaining: Annotated[int | None, ToldAs("progress_summary.number_of_tasks_remaining")]
    retryable: Annotated[int, ToldAs("progress_summary.number_of_tasks_retryable")]
    """Of those that failed: what a retry would do again."""
    planned_rows: Annotated[int, ToldAs("progress_summary.planned_rows")]
    planned_chunks: Annotated[int, ToldAs("progress_summary.planned_chunks")]
    closed_chunks: Annotated[int, ToldAs("progress_summary.closed_chunks")]
    bytes_done: Annotated[int, ToldAs("progress_summary.bytes_done")]
    requests: Annotated[int, ToldAs("progress_summary.requests")]
    failure_rate: Annotated[float | None, ToldAs("progress_summary.failure_rate")]
    is_over_failure_threshold: bool
    results_per_second: float | None
    """Lately; None where the job is not Active."""
    eta_seconds: float | None
    failure_reasons: tuple[FailureReason, ...]
    hold: JobHold | None
    report_state: Annotated[ReportState, ToldAs("report.state")]
    report_location: Annotated[str, ToldAs("report.location")]
    manifest_bucket: str
    manifest_key: str
    target_bucket: str | None
    """None where the objects are changed where they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOutlook:
    """What a service tells of a job that is not part of it: what may be asked of it, and what it waits for."""

    actions: tuple[str, ...]
    is_final: bool
    remaining: Annotated[int | None, ToldAs("progress_summary.number_of_tasks_remaining")]
    retryable: Annotated[int, ToldAs("progress_summary.number_of_tasks_retryable")]
    """Of those that failed: what a retry would do again."""
    failure_rate: Annotated[float | None, ToldAs("progress_summary.failure_rate")]
    waiting_until: Time | None
    """When the first of its windows opens."""
    waits_for_job: str | None
    """The job of a greater priority that it gives way to."""
    expires_at: Time | None
    """When it fails if it stays as it is."""
    report_tried_until: Annotated[Time | None, ToldAs("report.tried_until")]
    """Until when its delivery is tried again, where it has failed."""
    removed_after: Time | None
    """When it has ended: until then it is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCounts:
    """How many jobs of the account there are, whatever the list was narrowed to."""

    by_status: Mapping[JobStatus, int]
    by_group: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    items: tuple[ListedJob, ...]
    next_cursor: Cursor
    total: int
    """How many jobs the whole list has."""
    counts: JobCounts


# --- failures


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureSample:
    key: str
    version_id: str | None
    error_code: str
    http_status: int | None
    message: str
    requests: int
    """Sent for the task under its last claim."""
    request_id: str | None = None
    """Under which the store knows the request that it refused. None: it refused none, or gave none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusCount:
    http_status: int | None
    """None: no request was sent, or none was answered."""
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureGroup:
    """The failures of a job with one error code."""

    error_code: str
    count: int
    share: float
    """Of all failures of the job, 0 to 1."""
    http_statuses: tuple[StatusCount, ...]
    is_retryable: bool
    first_seen: Time | None
    last_seen: Time | None
    hint: str
    """What helps; empty where the code is not known."""
    needed_permissions: tuple[str, ...]
    sample_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFailures:
    failed: int
    items: tuple[FailureGroup, ...]
    """The most frequent first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailuresOfCode:
    """A :class:`FailureGroup` with its first samples."""

    error_code: str
    count: int
    share: float
    http_statuses: tuple[StatusCount, ...]
    is_retryable: bool
    first_seen: Time | None
    last_seen: Time | None
    hint: str
    needed_permissions: tuple[str, ...]
    sample_keys: tuple[str, ...]
    samples: tuple[FailureSample, ...]


# --- over time


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesPoint:
    at: Time
    seconds: float
    """How much time it covers."""
    succeeded: int
    failed: int
    bytes_done: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPace:
    """How a job went over time, how fast it is, and when it may be done."""

    bucket_seconds: int
    points: tuple[SeriesPoint, ...]
    results_per_second: float | None
    eta_seconds: float | None


# --- before it runs


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCheck:
    name: str
    """Several things may be wrong under one name: each is a check."""
    outcome: CheckOutcome
    """One that failed keeps the job from starting; an unknown one does not."""
    detail: str
    missing_permission: str
    """As the provider writes it; empty where none is missing."""
    way_out: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPreflight:
    outcome: CheckOutcome | None
    """The worst of the checks; None where nothing was asked yet."""
    checked_at: Time | None
    checks: tuple[FoundCheck, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatedRate:
    requests_per_second: float
    bytes_per_second: float | None
    measured_jobs: int
    """How many jobs it was measured of; 0: it was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatedCostLine:
    what: str
    quantity: float
    unit_quantity: int
    """How many the price is for."""
    unit_price: float | None
    amount: float | None
    """None where the settings have no such price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatedCost:
    currency: str
    total: float | None
    """None where any price is missing."""
    lines: tuple[EstimatedCostLine, ...]
    unpriced: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEstimate:
    """What a job comes to."""

    is_exact: bool
    """Every row was counted; else the counts are those of the rows read, scaled up."""
    rows_read: int
    rows: int
    objects: int
    """Rows that would be sent."""
    size_bytes: int | None
    objects_in_parts: int
    requests: Mapping[str, int]
    """By kind."""
    total_requests: int
    duration_seconds: float | None
    """None where no rate is known."""
    rate: EstimatedRate | None
    cost: EstimatedCost
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalents:
    """The same job in other words."""

    xml: str
    json: str
    cli: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedJob:
    """What pre-flight finds of a job that is not made, and what it would come to."""

    outcome: CheckOutcome
    checks: tuple[FoundCheck, ...]
    estimate: JobEstimate | None
    """None where nothing can be told."""
    request: Mapping[str, Any]
    """The job document as it would be kept, with the ETag that the manifest has now."""
    equivalents: Equivalents


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedRetry:
    """What pre-flight finds of a retry that is not made, and what it would come to."""

    outcome: CheckOutcome
    checks: tuple[FoundCheck, ...]
    estimate: JobEstimate | None
    """None where nothing can be told."""
    request: Mapping[str, Any]
    """The job document as it would be kept; its manifest is not written."""
    equivalents: Equivalents


# --- after it ran


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpJob:
    """A job that was made of another one."""

    job: ReadJob
    manifest_changed: bool
    """Its manifest is not the one that the old job was made of."""
    is_new: Annotated[bool, ToldAs(None)] = True
    """False where the token had made it before."""


def told_new(made: FollowUpJob, is_new: bool) -> FollowUpJob:
    return replace(made, is_new=is_new)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRow:
    bucket: str
    key: str
    version_id: str | None
    status: str
    error_code: str
    http_status: int | None
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPreview:
    items: tuple[ReportRow, ...]
    has_more: bool
