"""Jobs: making, describing and changing one. Lists of them are in :mod:`cosbatch.web.rest.job_lists`."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Body, Header, Path, Response
from pydantic import Field

from cosbatch.model.errors import Fault, InvalidArgument
from cosbatch.model.identifiers import JobId
from cosbatch.model.jobs import PRIORITY_MAX
from cosbatch.model.states import JobStatus
from cosbatch.service.documents import Document
from cosbatch.service.job_schema import COUNT_MAX, TOKEN_MAX_BYTES, ParsedJob, parse_job
from cosbatch.web.rest.calls import PREFIX, Access, Call
from cosbatch.web.rest.desks import AllDesks, WhoCalls
from cosbatch.web.rest.job_examples import ASKED_JOB, EVENT, JOB
from cosbatch.web.rest.job_shapes import JobDocument, JobEventPage, JobView, event_views, job_view
from cosbatch.web.rest.shapes import PAGE_DEFAULT, Form, PageCursor, PageLimit, read_cursor, write_cursor, wrong_cursor

TAG: Final = "jobs"
OneJob = Annotated[str, Path(description="The job's id.", max_length=64)]


def job_calls() -> list[Call]:
    return [
        Call(
            method="POST",
            path="/jobs",
            answer=create_job,
            access=Access.OPERATOR,
            tag=TAG,
            summary="Make a job",
            shape=JobView,
            status=201,
            also={200: "An equal call with the same client request token has made it before."},
            asked=ASKED_JOB,
            example=JOB,
        ),
        Call(
            method="GET",
            path="/jobs/{job_id}",
            answer=describe_job,
            access=Access.VIEWER,
            tag=TAG,
            summary="Describe a job",
            shape=JobView,
            example=JOB,
        ),
        Call(
            method="DELETE",
            path="/jobs/{job_id}",
            answer=delete_job,
            access=Access.OPERATOR,
            tag=TAG,
            summary="Delete a job that has ended",
            status=204,
        ),
        Call(
            method="GET",
            path="/jobs/{job_id}/events",
            answer=job_events,
            access=Access.VIEWER,
            tag=TAG,
            summary="List what happened to a job",
            shape=JobEventPage,
            example={"items": [EVENT], "next_cursor": None},
        ),
        *_changes(),
    ]


def _changes() -> list[Call]:
    return [
        Call(
            method="PUT",
            path="/jobs/{job_id}/priority",
            answer=update_job_priority,
            access=Access.OPERATOR,
            tag=TAG,
            summary="Change a job's priority",
            shape=JobView,
            asked={"priority": 20},
            example=JOB,
        ),
        Call(
            method="PUT",
            path="/jobs/{job_id}/status",
            answer=update_job_status,
            access=Access.OPERATOR,
            tag=TAG,
            summary="Confirm or cancel a job",
            shape=JobView,
            asked={"requested_job_status": "Ready", "status_update_reason": "the plan was looked at"},
            example=JOB,
        ),
        Call(
            method="POST",
            path="/jobs/{job_id}/pause",
            answer=pause_job,
            access=Access.OPERATOR,
            tag=TAG,
            summary="Pause a job",
            shape=JobView,
            asked={"reason": "the store is busy"},
            example=JOB,
        ),
        Call(
            method="POST",
            path="/jobs/{job_id}/resume",
            answer=resume_job,
            access=Access.OPERATOR,
            tag=TAG,
            summary="Resume a job that a user paused",
            shape=JobView,
            asked={"reason": "the store is quiet again"},
            example=JOB,
        ),
    ]


# --- forms


class PriorityForm(Form):
    priority: int = Field(ge=0, le=PRIORITY_MAX, strict=True, description="Greater runs first.")


class StatusForm(Form):
    requested_job_status: JobStatus = Field(description="`Ready` confirms, `Cancelled` cancels; nothing else can be.")
    status_update_reason: str = ""
    confirm_delete_count: int | None = Field(
        default=None,
        ge=1,
        le=COUNT_MAX,
        strict=True,
        description="What a deletion takes to be confirmed whose request names no count: how many it deletes at most.",
    )


class ReasonForm(Form):
    reason: str = ""


# --- calls


async def create_job(
    document: Annotated[JobDocument, Body()],
    desks: AllDesks,
    caller: WhoCalls,
    response: Response,
    idempotency_key: Annotated[
        str,
        Header(
            alias="Idempotency-Key",
            max_length=TOKEN_MAX_BYTES,
            description="The same as `client_request_token` in the body.",
        ),
    ] = "",
) -> JobView:
    """The body is a job document, as job files have it. A call that may have been lost can be made again under the
    same client request token: it then finds the job that it made."""
    parsed = parse_job(Document(content=document, lines={}), lowest_priority=0)
    token = _token_of(parsed, header=idempotency_key)
    known = await desks.jobs.find_job(token=token, region=parsed.request.region, caller=caller) if token else None
    job = await desks.jobs.create_job(parsed.request, caller=caller, token=token)
    response.headers["location"] = f"{PREFIX}/jobs/{job.id}"
    response.status_code = 200 if known is not None and known.id == job.id else 201
    return job_view(job, desks.outlook(job))


def _token_of(parsed: ParsedJob, *, header: str) -> str:
    written = parsed.client_request_token
    if written and header and written != header:
        problem = "is another one than that of the header idempotency-key"
        fault = Fault(path="client_request_token", value=written, problem=problem, way_out="send one of them")
        raise InvalidArgument("the job cannot be made", faults=[fault])
    return written or header


async def describe_job(job_id: OneJob, desks: AllDesks, caller: WhoCalls) -> JobView:
    """All that is known of it."""
    job = await desks.jobs.describe_job(JobId(job_id), caller=caller)
    return job_view(job, desks.outlook(job))


async def delete_job(job_id: OneJob, desks: AllDesks, caller: WhoCalls) -> None:
    """It is gone at once, also its client request token; its report in the bucket stays."""
    await desks.jobs.delete_job(JobId(job_id), caller=caller)


async def job_events(
    job_id: OneJob,
    desks: AllDesks,
    caller: WhoCalls,
    limit: PageLimit = PAGE_DEFAULT,
    cursor: PageCursor = "",
) -> JobEventPage:
    """Oldest first: each change of status or priority, who made it and why; holds; the report."""
    begin = _event_number(cursor) if cursor else 0
    events = await desks.jobs.job_events(JobId(job_id), caller=caller, after=begin, limit=limit + 1)
    return JobEventPage(
        items=event_views(events[:limit]), next_cursor=write_cursor(begin + limit) if len(events) > limit else None
    )


def _event_number(cursor: str) -> int:
    """Events are only ever added, so their number says where a page began."""
    match read_cursor(cursor):
        case (int() as number,) if 0 <= number < 2**31:
            return number
        case _:
            raise wrong_cursor(cursor)


async def update_job_priority(
    job_id: OneJob, form: Annotated[PriorityForm, Body()], desks: AllDesks, caller: WhoCalls
) -> JobView:
    """Also while it runs; not of a job that has ended."""
    job = await desks.jobs.update_job_priority(JobId(job_id), priority=form.priority, caller=caller)
    return job_view(job, desks.outlook(job))


async def update_job_status(
    job_id: OneJob, form: Annotated[StatusForm, Body()], desks: AllDesks, caller: WhoCalls
) -> JobView:
    """`Ready` confirms a job that waits for it, `Cancelled` cancels one. The answer may say Cancelling."""
    job = await desks.jobs.update_job_status(
        JobId(job_id),
        requested_job_status=form.requested_job_status,
        status_update_reason=form.status_update_reason,
        confirm_delete_count=form.confirm_delete_count,
        caller=caller,
    )
    return job_view(job, desks.outlook(job))


async def pause_job(
    job_id: OneJob, desks: AllDesks, caller: WhoCalls, form: Annotated[ReasonForm | None, Body()] = None
) -> JobView:
    """It stays paused until it is resumed."""
    reason = form.reason if form else ""
    job = await desks.jobs.pause_job(JobId(job_id), caller=caller, reason=reason)
    return job_view(job, desks.outlook(job))


async def resume_job(
    job_id: OneJob, desks: AllDesks, caller: WhoCalls, form: Annotated[ReasonForm | None, Body()] = None
) -> JobView:
    """One that gave way to a greater priority resumes by itself."""
    reason = form.reason if form else ""
    job = await desks.jobs.resume_job(JobId(job_id), caller=caller, reason=reason)
    return job_view(job, desks.outlook(job))
