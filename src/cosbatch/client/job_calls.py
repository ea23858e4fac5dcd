"""Calls about jobs."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from cosbatch.client.calls import (
    ApiCall,
    JobContent,
    asking,
    content_of,
    downloading,
    job_content,
    looking,
    path_of,
    removing,
)
from cosbatch.client.job_shapes import (
    CheckedJob,
    CheckedRetry,
    FailuresOfCode,
    FollowUpJob,
    JobEstimate,
    JobFailures,
    JobOutlook,
    JobPace,
    JobPage,
    JobPreflight,
    ReportPreview,
    told_new,
)
from cosbatch.client.paging import Page, page_by
from cosbatch.client.reading import event_of, job_of, wire_time
from cosbatch.client.shape_reader import record
from cosbatch.model.identifiers import JobId
from cosbatch.model.jobs import Job, JobEvent
from cosbatch.model.states import JobStatus

LONG_CALL_SECONDS: Final = 900.0
"""How long an answer may take where a service reads all that has failed before it gives one: millions of rows."""

# --- jobs


def create_job(job: JobContent, *, client_request_token: str = "") -> ApiCall[Job]:
    """With a token the call can be made again, and finds the job that it made; without one it is made once, and
    ServiceUnreachable leaves open whether there is a job."""
    content = job_content(job)
    token = client_request_token or content.get("client_request_token", "")
    if token:
        content["client_request_token"] = token
    return asking("POST", "/jobs", content, job_of, may_repeat=bool(token))


def describe_job(job_id: str) -> ApiCall[Job]:
    """A job with all that is known of it."""
    return looking(_job(job_id), job_of)


def job_outlook(job_id: str) -> ApiCall[JobOutlook]:
    """What may be asked of a job now, and what it waits for: of :func:`describe_job`'s answer what a Job has not."""
    return looking(_job(job_id), record(JobOutlook))


def list_jobs(
    *,
    statuses: Collection[JobStatus] = (),
    groups: Collection[str] = (),
    region: str | None = None,
    operation: str | None = None,
    creator: str | None = None,
    priority_from: int | None = None,
    created_from: float | None = None,
    created_to: float | None = None,
    search: str = "",
    sort: str = "created",
    descending: bool = True,
    limit: int = 50,
    cursor: str = "",
) -> ApiCall[JobPage]:
    """By default newest first. ``search`` is the beginning of an id or a part of the description; ``sort`` is
    ``created``, ``priority``, ``progress``, ``total``, ``failed`` or ``finished``; ``groups`` are those of the
    answer's counts; ``priority_from``: of that priority or a greater one; ``created_from`` and ``created_to``
    are Unix seconds."""
    return looking(
        "/jobs",
        record(JobPage),
        status=sorted(statuses),
        group=sorted(groups),
        region=region,
        operation=operation,
        creator=creator,
        priority_from=priority_from,
        created_from=wire_time(created_from),
        created_to=wire_time(created_to),
        q=search,
        sort=sort,
        direction="desc" if descending else "asc",
        limit=limit,
        cursor=cursor,
    )


def update_job_priority(job_id: str, *, priority: int) -> ApiCall[Job]:
    """The greatest priority of an account in a region runs first."""
    return asking("PUT", _job(job_id, "priority"), {"priority": priority}, job_of, may_repeat=True)


def update_job_status(
    job_id: str,
    *,
    requested_job_status: JobStatus,
    status_update_reason: str = "",
    confirm_delete_count: int | None = None,
) -> ApiCall[Job]:
    """To Ready, which confirms a job, or to Cancelled."""
    content = content_of(
        requested_job_status=str(requested_job_status),
        status_update_reason=status_update_reason,
        confirm_delete_count=confirm_delete_count,
    )
    return asking("PUT", _job(job_id, "status"), content, job_of)


def confirm_job(job_id: str, *, reason: str = "", confirm_delete_count: int | None = None) -> ApiCall[Job]:
    """``confirm_delete_count``: how many objects a deletion may delete at most, where its job does not say."""
    return update_job_status(
        job_id,
        requested_job_status=JobStatus.READY,
        status_update_reason=reason,
        confirm_delete_count=confirm_delete_count,
    )


def cancel_job(job_id: str, *, reason: str = "") -> ApiCall[Job]:
    """The answer may say Cancelling."""
    return update_job_status(job_id, requested_job_status=JobStatus.CANCELLED, status_update_reason=reason)


def pause_job(job_id: str, *, reason: str = "") -> ApiCall[Job]:
    """The answer may say Pausing."""
    return asking("POST", _job(job_id, "pause"), {"reason": reason}, job_of)


def resume_job(job_id: str, *, reason: str = "") -> ApiCall[Job]:
    """Lets a paused job go on."""
    return asking("POST", _job(job_id, "resume"), {"reason": reason}, job_of)


def delete_job(job_id: str) -> ApiCall[None]:
    """Takes a job that has ended away, with its results."""
    return removing(_job(job_id))


# --- what became of it


def job_failures(job_id: str) -> ApiCall[JobFailures]:
    """By error code, the most frequent first."""
    return looking(_job(job_id, "failures"), record(JobFailures))


def job_failures_of_code(job_id: str, code: str) -> ApiCall[FailuresOfCode]:
    """With its first samples."""
    return looking(_job(job_id, "failures", quote(code, safe="")), record(FailuresOfCode))


def job_series(job_id: str, *, last: str = "1h") -> ApiCall[JobPace]:
    """``last`` is ``15m``, ``1h`` or ``all``."""
    return looking(_job(job_id, "series"), record(JobPace), range=last)


def job_events(job_id: str, *, cursor: str = "", limit: int = 1000) -> ApiCall[Page[JobEvent]]:
    """What happened to a job, oldest first."""
    read = page_by(partial(event_of, JobId(job_id)))
    return looking(_job(job_id, "events"), read, cursor=cursor, limit=limit)


def preview_report(job_id: str, *, scope: str = "AllTasks", code: str = "", limit: int = 100) -> ApiCall[ReportPreview]:
    """The first rows of what :func:`download_report` gives."""
    return looking(_job(job_id, "report", "preview"), record(ReportPreview), scope=scope, code=code, limit=limit)


def download_report(
    job_id: str, into: Callable[[bytes], object], *, form: str = "csv", scope: str = "AllTasks", code: str = ""
) -> ApiCall[None]:
    """Gives ``into``, a file's ``write`` say, the results piece by piece. ``form`` is ``csv`` or ``jsonl``; ``scope``
    is ``AllTasks`` or ``FailedTasksOnly``; ``code``: only what failed with it."""
    return downloading(_job(job_id, "report"), into, format=form, scope=scope, code=code)


def download_summary(job_id: str, into: Callable[[bytes], object], *, form: str = "json") -> ApiCall[None]:
    """``form`` is ``json`` or ``csv``."""
    return downloading(_job(job_id, "summary"), into, format=form)


# --- before and after


def check_job(job: JobContent) -> ApiCall[CheckedJob]:
    """What pre-flight finds of a job that is not made, and what it would come to. A failed check is an answer, no
    error."""
    return asking("POST", "/jobs:check", job_content(job), record(CheckedJob), may_repeat=True)


def job_preflight(job_id: str) -> ApiCall[JobPreflight]:
    """What pre-flight has found of a job."""
    return looking(_job(job_id, "preflight"), record(JobPreflight))


def job_estimate(job_id: str) -> ApiCall[JobEstimate | None]:
    """What a planned job comes to; None while it is not planned."""
    return looking(_job(job_id, "estimate"), _estimate)


def retry_failed(
    job_id: str,
    *,
    error_code: str = "",
    changes: Mapping[str, Any] | None = None,
    client_request_token: str = "",
) -> ApiCall[FollowUpJob]:
    """A new job over what failed in one that has ended, all or with one error code. ``changes`` is a part of a job
    document, whose fields take the place of the old job's.

    It may take minutes where millions have failed. Without a token the client draws one, so that the call can be made
    again without a second job; where no answer comes at all, the error says which."""
    content = {"error_code": error_code, "changes": dict(changes or {})}
    return _follow_up(job_id, "retry", client_request_token, content)


def check_retry(
    job_id: str, *, error_code: str = "", changes: Mapping[str, Any] | None = None
) -> ApiCall[CheckedRetry]:
    """What pre-flight finds of a retry that is not made, and what it would come to. A failed check is an answer; what
    keeps the retry from being made at all is raised, as by :func:`retry_failed`."""
    content = {"error_code": error_code, "changes": dict(changes or {})}
    call = asking("POST", _job(job_id, "retry") + ":check", content, record(CheckedRetry), may_repeat=True)
    return replace(call, request=replace(call.request, timeout_seconds=LONG_CALL_SECONDS))


def check_clone(job_id: str, *, changes: Mapping[str, Any] | None = None) -> ApiCall[CheckedJob]:
    """What pre-flight finds of a clone that is not made, and what it would come to. A failed check is an answer."""
    content = {"changes": dict(changes or {})}
    return asking("POST", _job(job_id, "clone") + ":check", content, record(CheckedJob), may_repeat=True)


def clone_job(
    job_id: str, *, changes: Mapping[str, Any] | None = None, client_request_token: str = ""
) -> ApiCall[FollowUpJob]:
    """A new job that asks for what an old one has asked for; ``changes`` and tokens as for :func:`retry_failed`."""
    return _follow_up(job_id, "clone", client_request_token, {"changes": dict(changes or {})})


def redeliver_report(job_id: str) -> ApiCall[Job]:
    """Has the report of a job that has ended written once more."""
    return asking("POST", _job(job_id, "redeliver-report"), None, job_of)


def _follow_up(job_id: str, what: str, given_token: str, content: dict[str, Any]) -> ApiCall[FollowUpJob]:
    token = given_token or secrets.token_hex(16)
    call = asking("POST", _job(job_id, what), content | {"client_request_token": token}, record(FollowUpJob))
    after = (
        "the service may still be making the job: ask again with the same changes and the client request token"
        f" {token}, and it answers the job that it has made, not a second one"
    )
    request = replace(call.request, timeout_seconds=LONG_CALL_SECONDS)
    return replace(call, request=request, may_repeat=True, tell=told_new, after_silence=after)


def _estimate(content: Mapping[str, Any]) -> JobEstimate | None:
    found = content["estimate"]
    return None if found is None else record(JobEstimate)(found)


def _job(job_id: str, *below: str) -> str:
    return path_of("/jobs", job_id, *below)
