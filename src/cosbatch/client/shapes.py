"""What only the API has a form for. Times are Unix seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from cosbatch.client.reading import job_of, seconds_of
from cosbatch.model.identifiers import JobId, RegionName
from cosbatch.model.job_summaries import JobSummary
from cosbatch.model.jobs import Job
from cosbatch.model.operations import OperationName
from cosbatch.model.states import JobStatus

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """``next_cursor`` is for the next page; empty where this is the last one."""

    items: tuple[T, ...]
    next_cursor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureSample:
    key: str
    version_id: str | None
    error_code: str
    http_status: int | None
    message: str
    requests: int
    """Sent for the task under its last claim."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureGroup:
    """The failures of a job with one error code."""

    error_code: str
    count: int
    share: float
    """Of all failures of the job, 0 to 1."""
    is_retryable: bool
    first_seen: float | None
    last_seen: float | None
    hint: str
    """What helps; empty where the code is not known."""
    needed_permissions: tuple[str, ...]
    sample_keys: tuple[str, ...]
    samples: tuple[FailureSample, ...]
    """The first ones, where one code was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpJob:
    """A job that was made of another one."""

    job: Job
    is_new: bool
    """False where the token had made it before."""
    manifest_changed: bool
    """Its manifest is not the one that the old job was made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesPoint:
    at: float
    seconds: float
    """How much time it covers."""
    succeeded: int
    failed: int
    bytes_done: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPace:
    """How a job went over time, how fast it is, and when it may be done."""

    points: tuple[SeriesPoint, ...]
    results_per_second: float | None
    eta_seconds: float | None


def summary_of(content: Mapping[str, Any]) -> JobSummary:
    progress, started, ended = content["progress_summary"], content["started_time"], content["termination_date"]
    return JobSummary(
        id=JobId(content["job_id"]),
        region=RegionName(content["region"]),
        operation_name=OperationName(content["operation_name"]),
        description=content["description"],
        status=JobStatus(content["status"]),
        priority=content["priority"],
        created_at=seconds_of(content["creation_time"]),
        started_at=None if started is None else seconds_of(started),
        ended_at=None if ended is None else seconds_of(ended),
        planned_rows=progress["planned_rows"],
        total=progress["total_number_of_tasks"],
        succeeded=progress["number_of_tasks_succeeded"],
        failed=progress["number_of_tasks_failed"],
    )


def failure_group_of(content: Mapping[str, Any]) -> FailureGroup:
    first, last = content["first_seen"], content["last_seen"]
    return FailureGroup(
        error_code=content["error_code"],
        count=content["count"],
        share=content["share"],
        is_retryable=content["is_retryable"],
        first_seen=None if first is None else seconds_of(first),
        last_seen=None if last is None else seconds_of(last),
        hint=content["hint"],
        needed_permissions=tuple(content["needed_permissions"]),
        sample_keys=tuple(content["sample_keys"]),
        samples=tuple(
            FailureSample(
                key=sample["key"],
                version_id=sample["version_id"],
                error_code=sample["error_code"],
                http_status=sample["http_status"],
                message=sample["message"],
                requests=sample["requests"],
            )
            for sample in content.get("samples", ())
        ),
    )


def failure_groups_of(content: Mapping[str, Any]) -> tuple[FailureGroup, ...]:
    return tuple(failure_group_of(group) for group in content["items"])


def follow_up_of(content: Mapping[str, Any]) -> FollowUpJob:
    return FollowUpJob(job=job_of(content["job"]), is_new=True, manifest_changed=content["manifest_changed"])


def told_new(made: FollowUpJob, is_new: bool) -> FollowUpJob:
    return replace(made, is_new=is_new)


def pace_of(content: Mapping[str, Any]) -> JobPace:
    return JobPace(
        points=tuple(
            SeriesPoint(
                at=seconds_of(point["at"]),
                seconds=point["seconds"],
                succeeded=point["succeeded"],
                failed=point["failed"],
                bytes_done=point["bytes_done"],
            )
            for point in content["points"]
        ),
        results_per_second=content["results_per_second"],
        eta_seconds=content["eta_seconds"],
    )
